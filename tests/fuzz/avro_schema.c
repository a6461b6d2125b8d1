/* The text of a schema, from a file or a registry. What is accepted must be the same schema again
 * when it is printed as written. Not so its canonical form: that leaves out an empty namespace, and
 * a name without one takes that of the record around it (Avro's own rule). */
#include <mr/value.h>

#include "fuzz.h"

static void check_print(const char *json, uint64_t fingerprint)
{
    mr_schemas *set = mr_schemas_new();
    const mr_schema *schema = NULL;
    mr_error err;
    const mr_status status = mr_schemas_add(set, json, "printed", &schema, &err);
    assert(status == MR_OK);
    assert(mr_schema_fingerprint(schema) == fingerprint);
    mr_schemas_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_schemas *set = mr_schemas_new();
    const mr_schema *schema = NULL;
    mr_buf text = MR_BUF_NULL;
    mr_error err;
    mr_buf_append(&text, data, size);
    const mr_status status = mr_schemas_add(set, mr_buf_text(&text), "fuzz", &schema, &err);
    assert(status == MR_OK || status == MR_ERR_DATA);
    if (status == MR_OK) {
        const mr_type *type = mr_schema_type(schema);
        check_print(mr_schema_json(schema), mr_schema_fingerprint(schema));
        void *value = mr_value_new(type);
        void *copy = mr_value_new(type);
        mr_value_copy(type, copy, value);
        assert(mr_value_bytes(type, copy) >= type->size);
        mr_value_free(type, value);
        mr_value_free(type, copy);
    }
    mr_buf_deinit(&text);
    mr_schemas_free(set);
    return 0;
}
