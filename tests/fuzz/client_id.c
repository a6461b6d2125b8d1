/* The client.id of a member in a group's description: whose address is asked must be an address. */
#include "app/endpoint.h"

#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char address[MR_ADDRESS_SIZE];
    char again[MR_ADDRESS_SIZE];
    mr_buf text = MR_BUF_NULL;
    mr_buf_append(&text, data, size);
    if (mr_client_id_address(mr_buf_text(&text), address) == MR_OK) {
        assert(strpbrk(address, "/?#@ \t\r\n") == NULL && strchr(address, ':') != NULL);
        char *client_id = mr_client_id_new("aggregate", address);
        const mr_status status = mr_client_id_address(client_id, again);
        assert(status == MR_OK && strcmp(address, again) == 0);
        free(client_id);
    }
    mr_buf_deinit(&text);
    return 0;
}
