/* JSON at the edge against a schema. What is accepted is written as JSON that is read as the same.
 */
#include <mr/value.h>

#include "fuzz.h"

static mr_status read_and_write(const mr_type *type, mr_bytes json, mr_buf *written)
{
    void *value = mr_value_new(type);
    mr_error err;
    const mr_status status = mr_value_from_json(type, json, value, &err);
    assert(status == MR_OK || status == MR_ERR_DATA);
    if (status == MR_OK) {
        mr_value_to_json(type, value, written);
    } else {
        assert(err.error_class != NULL);
    }
    mr_value_free(type, value);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_schemas schemas = fuzz_schemas_new();
    const mr_type *type = mr_schema_type(schemas.writer);
    mr_buf first = MR_BUF_NULL;
    mr_buf second = MR_BUF_NULL;
    if (read_and_write(type, mr_bytes_of(data, size), &first) == MR_OK) {
        const mr_status status = read_and_write(type, mr_buf_bytes(&first), &second);
        assert(status == MR_OK);
        assert(mr_bytes_equal(mr_buf_bytes(&first), mr_buf_bytes(&second)));
    }
    mr_buf_deinit(&first);
    mr_buf_deinit(&second);
    fuzz_schemas_free(&schemas);
    return 0;
}
