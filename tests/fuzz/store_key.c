/* A bound of a store's key as a person writes it. A whole key begins with the prefix that the same
 * text is; percent-encoding gives back every byte. */
#include "app/store_key.h"

#include "fuzz.h"

static void check_percent(mr_bytes text)
{
    mr_buf encoded = MR_BUF_NULL;
    mr_buf decoded = MR_BUF_NULL;
    mr_error err;
    mr_percent_encode(text, &encoded);
    for (int form = 0; form < 2; form++) {
        mr_buf_clear(&decoded);
        const mr_status status =
            mr_percent_decode(mr_buf_bytes(&encoded), form == 1, &decoded, &err);
        assert(status == MR_OK);
        assert(mr_bytes_compare(mr_buf_bytes(&decoded), text) == 0);
    }
    mr_buf_deinit(&encoded);
    mr_buf_deinit(&decoded);
}

static void check_bound(const mr_store_spec *store, mr_bytes text)
{
    mr_buf bound = MR_BUF_NULL;
    mr_buf prefix = MR_BUF_NULL;
    mr_buf scratch = MR_BUF_NULL;
    mr_error err;
    if (mr_store_key_bound(store, text, &bound, &err) == MR_OK) {
        mr_key_part parts[MR_KEY_PARTS_MAX];
        size_t n = 0;
        mr_status status = mr_store_key_prefix(store, text, &prefix, &err);
        assert(status == MR_OK);
        assert(mr_bytes_starts_with(mr_buf_bytes(&bound), mr_buf_bytes(&prefix)));
        status = mr_key_parse(mr_buf_bytes(&bound), &scratch, parts, &n, &err);
        assert(status == MR_OK && n >= 1 && n <= store->key.n);
    } else {
        assert(err.status == MR_ERR_USAGE);
    }
    mr_buf_deinit(&bound);
    mr_buf_deinit(&prefix);
    mr_buf_deinit(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[] = "rows";
    const mr_store_spec one = {.name = name, .key = {.kinds = {MR_KEY_STRING}, .n = 1}};
    const mr_store_spec number = {.name = name, .key = {.kinds = {MR_KEY_LONG}, .n = 1}};
    const mr_store_spec several = {
        .name = name, .key = {.kinds = {MR_KEY_STRING, MR_KEY_LONG, MR_KEY_STRING}, .n = 3}};
    mr_buf decoded = MR_BUF_NULL;
    mr_error err;
    const mr_bytes text = mr_bytes_of(data, size);
    check_bound(&one, text);
    check_bound(&number, text);
    check_bound(&several, text);
    check_percent(text);
    (void)!mr_percent_decode(text, true, &decoded, &err);
    mr_buf_deinit(&decoded);
    return 0;
}
