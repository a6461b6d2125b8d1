#include "serde/avro_plan.h"

#include "core/text.h"
#include "serde/value.h"

typedef struct sizer {
    size_t size;
    mr_error *err;
    mr_avro_path path;
} sizer;

static mr_status measure(sizer *s, const mr_type *type, const void *value) MR_MUST_USE;

static mr_status fail(sizer *s, const char *reason)
{
    char path[MR_AVRO_PATH_TEXT];
    return mr_error_record(s->err, MR_ERR_DATA, "validate", "%s: %s",
                           mr_avro_path_text(&s->path, path), reason);
}

static inline size_t long_size(int64_t number)
{
    const uint64_t zigzag = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
    /* Seven bits a byte; one bit at least. */
    return (size_t)(70 - __builtin_clzll(zigzag | 1)) / 7;
}

static mr_status measure_bytes(sizer *s, bool is_text, const mr_string *string)
{
    const mr_bytes bytes = mr_string_bytes(string);
    if (is_text && !mr_text_is_utf8(bytes)) {
        return fail(s, "a string that is not UTF-8");
    }
    s->size += long_size((int64_t)bytes.len) + bytes.len;
    return MR_OK;
}

static mr_status measure_key(sizer *s, const mr_string *key)
{
    const mr_bytes bytes = mr_string_bytes(key);
    if (memchr(bytes.data, '\0', bytes.len) != NULL) {
        return fail(s, "a map key with a zero byte");
    }
    return measure_bytes(s, true, key);
}

static mr_status measure_elements(sizer *s, const mr_type *type, const mr_array *array)
{
    s->path.steps[s->path.depth - 1] = "[]";
    s->size += array->len == 0 ? 1 : long_size(array->len) + 1;
    const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
    for (size_t i = 0; i < array->len; i++) {
        const uint8_t *element = array->items + i * type->stride;
        if (type->kind == MR_TYPE_MAP) {
            MR_TRY(measure_key(s, (const mr_string *)(const void *)element));
        }
        MR_TRY(measure(s, type->items, element + at));
    }
    return MR_OK;
}

static mr_status measure_union(sizer *s, const mr_type *type, const void *value)
{
    const int branch = ((const mr_union *)value)->branch;
    if (branch < 0 || (size_t)branch >= type->n_branches) {
        return fail(s, "the union has no such branch");
    }
    s->size += long_size(branch);
    return measure(s, type->branches[branch], (const uint8_t *)value + type->payload);
}

static mr_status measure_record(sizer *s, const mr_type *type, const void *value)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        s->path.steps[s->path.depth - 1] = type->fields[i].name;
        MR_TRY(measure(s, type->fields[i].type, (const uint8_t *)value + type->fields[i].offset));
    }
    return MR_OK;
}

static mr_status measure_below(sizer *s, const mr_type *type, const void *value)
{
    if (s->path.depth == MR_AVRO_DEPTH_MAX) {
        return fail(s, "too many values within each other");
    }
    s->path.steps[s->path.depth++] = NULL;
    mr_status status;
    if (type->kind == MR_TYPE_RECORD) {
        status = measure_record(s, type, value);
    } else if (type->kind == MR_TYPE_UNION) {
        status = measure_union(s, type, value);
    } else {
        status = measure_elements(s, type, value);
    }
    s->path.depth--;
    return status;
}

static mr_status measure_enum(sizer *s, const mr_type *type, int32_t symbol)
{
    if (symbol < 0 || (size_t)symbol >= type->n_symbols) {
        return fail(s, "the enum has no such symbol");
    }
    s->size += long_size(symbol);
    return MR_OK;
}

static mr_status measure(sizer *s, const mr_type *type, const void *value)
{
    switch (type->kind) {
    case MR_TYPE_NULL:
        return MR_OK;
    case MR_TYPE_BOOLEAN:
        s->size += 1;
        return MR_OK;
    case MR_TYPE_INT:
        s->size += long_size(*(const int32_t *)value);
        return MR_OK;
    case MR_TYPE_LONG:
        s->size += long_size(*(const int64_t *)value);
        return MR_OK;
    case MR_TYPE_FLOAT:
    case MR_TYPE_DOUBLE:
    case MR_TYPE_FIXED:
        s->size += type->size;
        return MR_OK;
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        return measure_bytes(s, type->kind == MR_TYPE_STRING, value);
    case MR_TYPE_ENUM:
        return measure_enum(s, type, *(const int32_t *)value);
    default:
        return measure_below(s, type, value);
    }
}

mr_status mr_avro_size(const mr_type *type, const void *value, size_t *ret_size, mr_error *err)
{
    sizer s;
    s.size = 0;
    s.err = err;
    s.path.depth = 0;
    MR_TRY(measure(&s, type, value));
    *ret_size = s.size;
    return MR_OK;
}

void mr_avro_sort_maps(const mr_type *type, void *value)
{
    if (type->flat) {
        return;
    }
    if (type->kind == MR_TYPE_RECORD) {
        for (size_t i = 0; i < type->n_fields; i++) {
            mr_avro_sort_maps(type->fields[i].type, mr_field_at(type, value, i));
        }
    } else if (type->kind == MR_TYPE_UNION) {
        const int branch = ((const mr_union *)value)->branch;
        mr_avro_sort_maps(type->branches[branch], mr_union_payload(type, value));
    } else if (type->kind == MR_TYPE_ARRAY || type->kind == MR_TYPE_MAP) {
        mr_array *array = value;
        const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
        for (size_t i = 0; i < array->len; i++) {
            mr_avro_sort_maps(type->items, array->items + i * type->stride + at);
        }
        if (type->kind == MR_TYPE_MAP) {
            mr_map_sort(type, array);
        }
    }
}
