#include "serde/avro_plan.h"

#include <endian.h>

#include "core/text.h"
#include "serde/value.h"

typedef struct writer {
    mr_buf *out;
    mr_error *err;
    mr_avro_path path;
} writer;

static mr_status write_value(writer *w, const mr_type *type, const void *value) MR_MUST_USE;

static mr_status fail(writer *w, const char *reason)
{
    char path[MR_AVRO_PATH_TEXT];
    return mr_error_record(w->err, MR_ERR_DATA, "validate", "%s: %s",
                           mr_avro_path_text(&w->path, path), reason);
}

/* Zigzag, then seven bits a byte, low ones first (Avro 1.11, "Binary Encoding"). */
static void write_long(writer *w, int64_t number)
{
    enum { LONG_BYTES_MAX = 10 };
    mr_buf_reserve(w->out, LONG_BYTES_MAX);
    uint8_t *at = w->out->data + w->out->len;
    uint64_t rest = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
    while (rest > 0x7f) {
        *at++ = (uint8_t)(rest | 0x80);
        rest >>= 7;
    }
    *at++ = (uint8_t)rest;
    w->out->len = (size_t)(at - w->out->data);
}

static mr_status write_bytes(writer *w, bool is_text, const mr_string *string)
{
    const mr_bytes bytes = mr_string_bytes(string);
    if (is_text && !mr_text_is_utf8(bytes)) {
        return fail(w, "a string that is not UTF-8");
    }
    write_long(w, (int64_t)bytes.len);
    mr_buf_append_bytes(w->out, bytes);
    return MR_OK;
}

static mr_status write_key(writer *w, const mr_string *key)
{
    const mr_bytes bytes = mr_string_bytes(key);
    if (memchr(bytes.data, '\0', bytes.len) != NULL) {
        return fail(w, "a map key with a zero byte");
    }
    return write_bytes(w, true, key);
}

static mr_status write_elements(writer *w, const mr_type *type, const mr_array *array)
{
    w->path.steps[w->path.depth - 1] = "[]";
    if (array->len > 0) {
        write_long(w, array->len);
    }
    const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
    for (size_t i = 0; i < array->len; i++) {
        const uint8_t *element = array->items + i * type->stride;
        if (type->kind == MR_TYPE_MAP) {
            MR_TRY(write_key(w, (const mr_string *)(const void *)element));
        }
        MR_TRY(write_value(w, type->items, element + at));
    }
    write_long(w, 0);
    return MR_OK;
}

static mr_status write_union(writer *w, const mr_type *type, const void *value)
{
    const int branch = ((const mr_union *)value)->branch;
    if (branch < 0 || (size_t)branch >= type->n_branches) {
        return fail(w, "the union has no such branch");
    }
    write_long(w, branch);
    return write_value(w, type->branches[branch], (const uint8_t *)value + type->payload);
}

static mr_status write_record(writer *w, const mr_type *type, const void *value)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const mr_field *field = &type->fields[i];
        w->path.steps[w->path.depth - 1] = field->name;
        MR_TRY(write_value(w, field->type, (const uint8_t *)value + field->offset));
    }
    return MR_OK;
}

static mr_status write_below(writer *w, const mr_type *type, const void *value)
{
    if (w->path.depth == MR_AVRO_DEPTH_MAX) {
        return fail(w, "too many values within each other");
    }
    w->path.steps[w->path.depth++] = NULL;
    mr_status status;
    if (type->kind == MR_TYPE_RECORD) {
        status = write_record(w, type, value);
    } else if (type->kind == MR_TYPE_UNION) {
        status = write_union(w, type, value);
    } else {
        status = write_elements(w, type, value);
    }
    w->path.depth--;
    return status;
}

static mr_status write_enum(writer *w, const mr_type *type, int32_t symbol)
{
    if (symbol < 0 || (size_t)symbol >= type->n_symbols) {
        return fail(w, "the enum has no such symbol");
    }
    write_long(w, symbol);
    return MR_OK;
}

static void write_float(writer *w, const void *value)
{
    uint32_t bits;
    memcpy(&bits, value, sizeof(bits));
    bits = htole32(bits);
    mr_buf_append(w->out, &bits, sizeof(bits));
}

static void write_double(writer *w, const void *value)
{
    uint64_t bits;
    memcpy(&bits, value, sizeof(bits));
    bits = htole64(bits);
    mr_buf_append(w->out, &bits, sizeof(bits));
}

static mr_status write_value(writer *w, const mr_type *type, const void *value)
{
    switch (type->kind) {
    case MR_TYPE_NULL:
        return MR_OK;
    case MR_TYPE_BOOLEAN:
        mr_buf_append_byte(w->out, *(const bool *)value ? 1 : 0);
        return MR_OK;
    case MR_TYPE_INT:
        write_long(w, *(const int32_t *)value);
        return MR_OK;
    case MR_TYPE_LONG:
        write_long(w, *(const int64_t *)value);
        return MR_OK;
    case MR_TYPE_FLOAT:
        write_float(w, value);
        return MR_OK;
    case MR_TYPE_DOUBLE:
        write_double(w, value);
        return MR_OK;
    case MR_TYPE_FIXED:
        mr_buf_append(w->out, value, type->fixed_size);
        return MR_OK;
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        return write_bytes(w, type->kind == MR_TYPE_STRING, value);
    case MR_TYPE_ENUM:
        return write_enum(w, type, *(const int32_t *)value);
    default:
        return write_below(w, type, value);
    }
}

mr_status mr_avro_write(const mr_type *type, const void *value, mr_buf *out, mr_error *err)
{
    writer w;
    w.out = out;
    w.err = err;
    w.path.depth = 0;
    MR_TRY(write_value(&w, type, value));
    out->data[out->len] = 0;
    return MR_OK;
}
