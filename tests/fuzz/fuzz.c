#include "fuzz.h"

#include <mr/codec.h>
#include <mr/value.h>

static const char older[] =
    "{\"type\":\"record\",\"name\":\"Old\",\"aliases\":[\"New\"],\"fields\":["
    "{\"name\":\"None\",\"type\":\"null\"},{\"name\":\"Yes\",\"type\":\"boolean\",\"default\":true}"
    ","
    "{\"name\":\"Small\",\"type\":\"int\",\"default\":-1},{\"name\":\"Large\",\"type\":\"long\","
    "\"default\":0},"
    "{\"name\":\"When\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},"
    "\"default\":0},"
    "{\"name\":\"Single\",\"type\":\"float\",\"default\":0},{\"name\":\"Double\",\"type\":"
    "\"double\",\"default\":0},"
    "{\"name\":\"Bytes\",\"type\":\"bytes\",\"default\":\"\"},{\"name\":\"Text\",\"type\":"
    "\"string\",\"default\":\"\"},"
    "{\"name\":\"Fixed\",\"type\":{\"type\":\"fixed\",\"name\":\"Two\",\"size\":2},\"default\":"
    "\"ab\"},"
    "{\"name\":\"Enum\",\"type\":{\"type\":\"enum\",\"name\":\"Colour\",\"symbols\":[\"RED\","
    "\"GREEN\"]},"
    "\"default\":\"RED\"},"
    "{\"name\":\"Maybe\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"List\",\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[]},"
    "{\"name\":\"Map\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"default\":{}},"
    "{\"name\":\"Nulls\",\"type\":{\"type\":\"array\",\"items\":\"null\"},\"default\":[]},"
    "{\"name\":\"Trees\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
    "\"Tree\","
    "\"fields\":[{\"name\":\"Name\",\"type\":\"string\"},"
    "{\"name\":\"Trees\",\"type\":{\"type\":\"array\",\"items\":\"Tree\"},\"default\":[]}]}},"
    "\"default\":[]},"
    "{\"name\":\"Any\",\"type\":[\"null\",\"boolean\",\"int\",\"double\",\"Two\",\"string\","
    "\"Tree\","
    "{\"type\":\"map\",\"values\":\"long\"}],\"default\":null}]}";

/* Promotions, a field less, one more, another order, a symbol less, branches less and more. */
static const char newer[] =
    "{\"type\":\"record\",\"name\":\"New\",\"aliases\":[\"Old\"],\"fields\":["
    "{\"name\":\"Text\",\"type\":\"bytes\"},{\"name\":\"Small\",\"type\":\"double\"},"
    "{\"name\":\"Added\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[\"a\","
    "\"b\"]},"
    "{\"name\":\"Enum\",\"type\":{\"type\":\"enum\",\"name\":\"Colour\",\"symbols\":[\"GREEN\","
    "\"BLUE\"],"
    "\"default\":\"BLUE\"}},"
    "{\"name\":\"Maybe\",\"type\":[\"int\",\"null\",\"bytes\"]},"
    "{\"name\":\"List\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"long\"]}},"
    "{\"name\":\"Map\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\"]}},"
    "{\"name\":\"Trees\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
    "\"Tree\","
    "\"fields\":[{\"name\":\"Trees\",\"type\":{\"type\":\"array\",\"items\":\"Tree\"}},"
    "{\"name\":\"Weight\",\"type\":\"int\",\"default\":7}]}}},"
    "{\"name\":\"Any\",\"type\":[\"null\",\"string\",\"double\"]}]}";

mr_status fuzz_take(mr_bytes *rest, char separator, mr_bytes *ret_piece)
{
    if (mr_bytes_is_null(*rest)) {
        return MR_END;
    }
    const uint8_t *end = rest->len == 0 ? NULL : memchr(rest->data, separator, rest->len);
    const size_t len = end == NULL ? rest->len : (size_t)(end - rest->data);
    *ret_piece = mr_bytes_of(rest->data, len);
    *rest = end == NULL ? MR_BYTES_NULL : mr_bytes_of(end + 1, rest->len - len - 1);
    return MR_OK;
}

static const mr_schema *add(mr_schemas *set, const char *json)
{
    mr_error err;
    const mr_schema *schema = NULL;
    const mr_status status = mr_schemas_add(set, json, "fuzz", &schema, &err);
    assert(status == MR_OK);
    return schema;
}

fuzz_schemas fuzz_schemas_new(void)
{
    fuzz_schemas schemas = {.set = mr_schemas_new()};
    schemas.writer = add(schemas.set, older);
    schemas.reader = add(schemas.set, newer);
    return schemas;
}

void fuzz_schemas_free(fuzz_schemas *schemas)
{
    mr_schemas_free(schemas->set);
}

void fuzz_check_avro(const mr_schemas *set, const mr_schema *schema, const void *value)
{
    const mr_type *type = mr_schema_type(schema);
    mr_codec *codec = mr_codec_new(set, NULL, MR_FRAMING_SINGLE_OBJECT);
    void *again = mr_value_new(type);
    mr_buf first = MR_BUF_NULL;
    mr_buf second = MR_BUF_NULL;
    mr_error err;
    mr_status status = mr_codec_encode(codec, "topic", schema, value, &first, &err);
    assert(status == MR_OK);
    status = mr_codec_decode(codec, mr_buf_bytes(&first), schema, again, &err);
    assert(status == MR_OK);
    status = mr_codec_encode(codec, "topic", schema, again, &second, &err);
    assert(status == MR_OK);
    assert(mr_bytes_equal(mr_buf_bytes(&first), mr_buf_bytes(&second)));
    mr_buf_deinit(&first);
    mr_buf_deinit(&second);
    mr_value_free(type, again);
    mr_codec_free(codec);
}
