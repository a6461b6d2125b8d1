/* The Avro body of a record with every kind of type, read as its writer's and as a newer version.
 */
#include <mr/codec.h>
#include <mr/value.h>

#include "fuzz.h"

static mr_status decode_as(const fuzz_schemas *schemas, mr_bytes framed, const mr_schema *reader)
{
    const mr_type *type = mr_schema_type(reader);
    mr_codec *codec = mr_codec_new(schemas->set, NULL, MR_FRAMING_SINGLE_OBJECT);
    void *value = mr_value_new(type);
    mr_error err;
    const mr_status status = mr_codec_decode(codec, framed, reader, value, &err);
    assert(status == MR_OK || status == MR_ERR_DATA);
    if (status == MR_OK) {
        fuzz_check_avro(schemas->set, reader, value);
    }
    /* Half filled or whole, it must be one that can be used again. */
    mr_value_reset(type, value);
    fuzz_check_avro(schemas->set, reader, value);
    mr_value_free(type, value);
    mr_codec_free(codec);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_schemas schemas = fuzz_schemas_new();
    const uint64_t fingerprint = mr_schema_fingerprint(schemas.writer);
    mr_buf framed = MR_BUF_NULL;
    mr_buf_append(&framed, "\xc3\x01", 2);
    for (int i = 0; i < 8; i++) {
        mr_buf_append_byte(&framed, (uint8_t)(fingerprint >> (8 * i)));
    }
    mr_buf_append(&framed, data, size);
    (void)decode_as(&schemas, mr_buf_bytes(&framed), schemas.writer);
    (void)decode_as(&schemas, mr_buf_bytes(&framed), schemas.reader);
    mr_buf_deinit(&framed);
    fuzz_schemas_free(&schemas);
    return 0;
}
