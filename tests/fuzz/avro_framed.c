/* A record's value as it comes: framing, fingerprint or registry ID, Avro of its own writer. */
#include <mr/codec.h>
#include <mr/value.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_schemas schemas = fuzz_schemas_new();
    mr_codec *codec = mr_codec_new(schemas.set, NULL, MR_FRAMING_SINGLE_OBJECT);
    const mr_bytes framed = mr_bytes_of(data, size);
    const mr_schema *writer = NULL;
    mr_error err;
    if (mr_codec_writer(codec, framed, &writer, &err) == MR_OK) {
        const mr_type *type = mr_schema_type(writer);
        void *value = mr_value_new(type);
        const mr_status status = mr_codec_decode(codec, framed, writer, value, &err);
        assert(status == MR_OK || status == MR_ERR_DATA);
        if (status == MR_OK) {
            fuzz_check_avro(schemas.set, writer, value);
        }
        mr_value_free(type, value);
    } else {
        assert(err.error_class != NULL);
    }
    mr_codec_free(codec);
    fuzz_schemas_free(&schemas);
    return 0;
}
