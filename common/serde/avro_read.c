#include "serde/avro_plan.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/text.h"
#include "serde/value.h"

/*
 * One walk over bytes that anybody may have written, straight into the reader's memory. Every
 * length is within the input, elements that take no byte are limited by their memory, and depth has
 * an end. A value that nobody wants (`value` NULL: the reader has no such field) is walked over and
 * checked all the same.
 */

/* Memory that elements which take no byte may cause: so much in any case, and per input byte. */
enum { FREE_MEMORY = 4096, MEMORY_PER_BYTE = 16 };

typedef struct reader {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    size_t memory_left; /* for elements that take no byte */
    bool sorted;
    mr_error *err;
    mr_avro_path path;
} reader;

static mr_status read_value(reader *r, const mr_plan *plan, void *value) MR_MUST_USE;

MR_PRINTF(3, 4)
static mr_status fail(reader *r, const char *error_class, const char *format, ...)
{
    char reason[224];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    char path[MR_AVRO_PATH_TEXT];
    return mr_error_record(r->err, MR_ERR_DATA, error_class, "%s, at byte %td of %td: %s",
                           mr_avro_path_text(&r->path, path), r->at - r->begin, r->end - r->begin,
                           reason);
}

static mr_status cut_short(reader *r)
{
    return fail(r, "deserialize", "the bytes end too early");
}

/* More than one byte, which is the slow path of read_long. */
static mr_status read_long_rest(reader *r, int64_t *ret_number)
{
    enum { LONG_BYTES_MAX = 10 };
    uint64_t number = 0;
    const uint8_t *at = r->at;
    for (int i = 0; i < LONG_BYTES_MAX; i++) {
        if (at == r->end) {
            return cut_short(r);
        }
        const uint8_t byte = *at++;
        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (i == LONG_BYTES_MAX - 1 && byte > 1) {
                break;
            }
            r->at = at;
            *ret_number = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
            return MR_OK;
        }
    }
    return fail(r, "deserialize", "a number of more than 64 bits");
}

static inline mr_status read_long(reader *r, int64_t *ret_number)
{
    if (r->at < r->end && *r->at < 0x80) {
        const uint8_t byte = *r->at++;
        *ret_number = (byte >> 1) ^ -(byte & 1);
        return MR_OK;
    }
    return read_long_rest(r, ret_number);
}

static mr_status take(reader *r, size_t n, const uint8_t **ret_bytes)
{
    if ((size_t)(r->end - r->at) < n) {
        return cut_short(r);
    }
    *ret_bytes = r->at;
    r->at += n;
    return MR_OK;
}

static mr_status read_bytes(reader *r, bool is_text, mr_bytes *ret_bytes)
{
    int64_t len;
    MR_TRY(read_long(r, &len));
    if (len < 0 || len > r->end - r->at) {
        return fail(r, "deserialize", "a length of %" PRId64 ", but %td bytes are left", len,
                    r->end - r->at);
    }
    *ret_bytes = mr_bytes_of(r->at, (size_t)len);
    if (is_text && !mr_text_is_utf8(*ret_bytes)) {
        return fail(r, "deserialize", "a string that is not UTF-8");
    }
    r->at += len;
    return MR_OK;
}

static mr_status read_string(reader *r, const mr_plan *plan, void *value)
{
    const bool is_text =
        plan->writer->kind == MR_TYPE_STRING || plan->target->kind == MR_TYPE_STRING;
    mr_bytes bytes;
    MR_TRY(read_bytes(r, is_text, &bytes));
    if (value != NULL) {
        mr_string_set(value, bytes);
    }
    return MR_OK;
}

static mr_status read_boolean(reader *r, void *value)
{
    if (r->at == r->end) {
        return cut_short(r);
    }
    if (*r->at > 1) {
        return fail(r, "deserialize", "%d is no boolean", *r->at);
    }
    if (value != NULL) {
        *(bool *)value = *r->at == 1;
    }
    r->at++;
    return MR_OK;
}

/* An int or long, as whatever number the reader wants instead (Avro: "promotions"). */
static mr_status read_integer(reader *r, const mr_plan *plan, void *value)
{
    int64_t number;
    MR_TRY(read_long(r, &number));
    if (plan->writer->kind == MR_TYPE_INT && (number < INT32_MIN || number > INT32_MAX)) {
        return fail(r, "deserialize", "%" PRId64 " is no int", number);
    }
    if (value == NULL) {
        return MR_OK;
    }
    switch (plan->target->kind) {
    case MR_TYPE_INT:
        *(int32_t *)value = (int32_t)number;
        return MR_OK;
    case MR_TYPE_LONG:
        *(int64_t *)value = number;
        return MR_OK;
    case MR_TYPE_FLOAT:
        *(float *)value = (float)number;
        return MR_OK;
    default:
        assert(plan->target->kind == MR_TYPE_DOUBLE);
        *(double *)value = (double)number;
        return MR_OK;
    }
}

static mr_status read_float(reader *r, const mr_plan *plan, void *value)
{
    const uint8_t *bytes = NULL;
    uint32_t bits;
    float number;
    MR_TRY(take(r, sizeof(bits), &bytes));
    memcpy(&bits, bytes, sizeof(bits));
    bits = le32toh(bits);
    memcpy(&number, &bits, sizeof(number));
    if (value != NULL && plan->target->kind == MR_TYPE_DOUBLE) {
        *(double *)value = number;
    } else if (value != NULL) {
        *(float *)value = number;
    }
    return MR_OK;
}

static mr_status read_double(reader *r, void *value)
{
    const uint8_t *bytes = NULL;
    uint64_t bits;
    MR_TRY(take(r, sizeof(bits), &bytes));
    memcpy(&bits, bytes, sizeof(bits));
    bits = le64toh(bits);
    if (value != NULL) {
        memcpy(value, &bits, sizeof(bits));
    }
    return MR_OK;
}

static mr_status read_fixed(reader *r, const mr_plan *plan, void *value)
{
    const size_t size = plan->writer->fixed_size;
    const uint8_t *bytes = NULL;
    MR_TRY(take(r, size, &bytes));
    if (value != NULL && size > 0) {
        memcpy(value, bytes, size);
    }
    return MR_OK;
}

static mr_status read_enum(reader *r, const mr_plan *plan, void *value)
{
    int64_t symbol;
    MR_TRY(read_long(r, &symbol));
    if (symbol < 0 || (uint64_t)symbol >= plan->writer->n_symbols) {
        return fail(r, "deserialize", "enum '%s' has no symbol %" PRId64, plan->writer->name,
                    symbol);
    }
    if (plan->symbols[symbol] < 0) {
        return fail(r, "validate", "the reader's enum '%s' has no symbol '%s' and no default",
                    plan->target->name, plan->writer->symbols[symbol]);
    }
    if (value != NULL) {
        *(int32_t *)value = plan->symbols[symbol];
    }
    return MR_OK;
}

/* ---- Values that hold others ---- */

static mr_status read_union(reader *r, const mr_plan *plan, void *value)
{
    int64_t branch;
    MR_TRY(read_long(r, &branch));
    if (branch < 0 || (uint64_t)branch >= plan->writer->n_branches) {
        return fail(r, "deserialize", "the union has no branch %" PRId64, branch);
    }
    return plan->branches[branch] != NULL
               ? read_value(r, plan->branches[branch], value)
               : fail(r, "validate", "the reader does not take the writer's branch %s",
                      plan->writer->branches[branch]->name);
}

static mr_status read_record(reader *r, const mr_plan *plan, void *value)
{
    const mr_type *type = plan->writer;
    for (size_t i = 0; value != NULL && i < plan->n_presets; i++) {
        const mr_field *field = plan->presets[i];
        mr_value_copy(field->type, (uint8_t *)value + field->offset, field->preset);
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        const mr_plan_field *field = &plan->fields[i];
        const bool wanted = value != NULL && !field->skip;
        r->path.steps[r->path.depth - 1] = type->fields[i].name;
        MR_TRY(read_value(r, field->plan, wanted ? (uint8_t *)value + field->offset : NULL));
    }
    return MR_OK;
}

/* Reads a block's element count and, where it is told, its end. */
static mr_status read_block(reader *r, const mr_plan *plan, int64_t *ret_count,
                            const uint8_t **ret_end)
{
    int64_t count;
    MR_TRY(read_long(r, &count));
    *ret_end = NULL;
    if (count < 0) {
        int64_t size;
        MR_TRY(read_long(r, &size));
        if (count == INT64_MIN || size < 0 || size > r->end - r->at) {
            return fail(r, "deserialize", "a block of %" PRId64 " bytes, but %td are left", size,
                        r->end - r->at);
        }
        count = -count;
        *ret_end = r->at + size;
    }
    const bool weightless =
        plan->writer->kind == MR_TYPE_ARRAY && mr_type_info_of(plan->writer->items)->weightless;
    const size_t element_bytes = plan->target->stride;
    const uint64_t limit = weightless ? r->memory_left / element_bytes : (uint64_t)(r->end - r->at);
    if ((uint64_t)count > limit) {
        return fail(r, "deserialize", "a block of %" PRId64 " elements, but %td bytes are left",
                    count, r->end - r->at);
    }
    if (weightless) {
        r->memory_left -= (size_t)count * element_bytes;
    }
    *ret_count = count;
    return MR_OK;
}

/* The memory of the next element. Map entries are appended as they come and sorted at the end. */
static mr_status begin_element(reader *r, const mr_plan *plan, mr_array *array,
                               mr_bytes *previous_key, void **ret_element)
{
    *ret_element = NULL;
    if (plan->writer->kind == MR_TYPE_ARRAY) {
        if (array != NULL) {
            *ret_element = mr_array_extend(plan->target, array);
        }
        return MR_OK;
    }
    mr_bytes key;
    MR_TRY(read_bytes(r, true, &key));
    if (memchr(key.data, '\0', key.len) != NULL) {
        /* Other readers of the changelogs may keep keys as C strings and would cut it. */
        return fail(r, "deserialize", "a map key with a zero byte");
    }
    if (!mr_bytes_is_null(*previous_key) && mr_bytes_compare(*previous_key, key) >= 0) {
        r->sorted = false;
    }
    *previous_key = key;
    if (array != NULL) {
        *ret_element = mr_map_append(plan->target, array, key);
    }
    return MR_OK;
}

static mr_status read_elements(reader *r, const mr_plan *plan, void *value)
{
    mr_bytes previous_key = MR_BYTES_NULL;
    if (value != NULL) {
        mr_array_clear(plan->target, value);
    }
    r->path.steps[r->path.depth - 1] = "[]";
    for (;;) {
        int64_t count = 0;
        const uint8_t *block_end = NULL;
        MR_TRY(read_block(r, plan, &count, &block_end));
        if (count == 0) {
            return MR_OK;
        }
        for (int64_t i = 0; i < count; i++) {
            void *element;
            MR_TRY(begin_element(r, plan, value, &previous_key, &element));
            MR_TRY(read_value(r, plan->items, element));
        }
        if (block_end != NULL && block_end != r->at) {
            return fail(r, "deserialize", "a block that is not as long as it says");
        }
    }
}

static mr_status read_below(reader *r, const mr_plan *plan, void *value)
{
    if (r->path.depth == MR_AVRO_DEPTH_MAX) {
        return fail(r, "deserialize", "more than %d values within each other", MR_AVRO_DEPTH_MAX);
    }
    r->path.steps[r->path.depth++] = NULL;
    mr_status status;
    if (plan->writer->kind == MR_TYPE_RECORD) {
        status = read_record(r, plan, value);
    } else if (plan->writer->kind == MR_TYPE_UNION) {
        status = read_union(r, plan, value);
    } else {
        status = read_elements(r, plan, value);
    }
    r->path.depth--;
    return status;
}

static mr_status read_value(reader *r, const mr_plan *plan, void *value)
{
    if (value != NULL && plan->reader_branch >= 0) {
        mr_union_select(plan->reader, value, plan->reader_branch);
        value = mr_union_payload(plan->reader, value);
    }
    switch (plan->writer->kind) {
    case MR_TYPE_NULL:
        return MR_OK;
    case MR_TYPE_BOOLEAN:
        return read_boolean(r, value);
    case MR_TYPE_INT:
    case MR_TYPE_LONG:
        return read_integer(r, plan, value);
    case MR_TYPE_FLOAT:
        return read_float(r, plan, value);
    case MR_TYPE_DOUBLE:
        return read_double(r, value);
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        return read_string(r, plan, value);
    case MR_TYPE_FIXED:
        return read_fixed(r, plan, value);
    case MR_TYPE_ENUM:
        return read_enum(r, plan, value);
    default:
        return read_below(r, plan, value);
    }
}

/* Sorts every map below. */
static void sort_maps(const mr_type *type, void *value)
{
    if (type->flat) {
        return;
    }
    if (type->kind == MR_TYPE_RECORD) {
        for (size_t i = 0; i < type->n_fields; i++) {
            sort_maps(type->fields[i].type, mr_field_at(type, value, i));
        }
    } else if (type->kind == MR_TYPE_UNION) {
        const int branch = ((const mr_union *)value)->branch;
        sort_maps(type->branches[branch], mr_union_payload(type, value));
    } else if (type->kind == MR_TYPE_ARRAY || type->kind == MR_TYPE_MAP) {
        mr_array *array = value;
        const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
        for (size_t i = 0; i < array->len; i++) {
            sort_maps(type->items, array->items + i * type->stride + at);
        }
        if (type->kind == MR_TYPE_MAP) {
            mr_map_sort(type, array);
        }
    }
}

mr_status mr_avro_read(const mr_plan *plan, mr_bytes bytes, void *value, mr_error *err)
{
    reader r;
    r.begin = bytes.data;
    r.at = bytes.data;
    r.end = bytes.data + bytes.len;
    r.memory_left = FREE_MEMORY + MEMORY_PER_BYTE * bytes.len;
    r.sorted = true;
    r.err = err;
    r.path.depth = 0;
    const mr_status status = read_value(&r, plan, value);
    if (!r.sorted) {
        /* After a failure as well: a value is always one that can be used again. */
        sort_maps(plan->reader, value);
    }
    if (status == MR_OK && r.at != r.end) {
        return fail(&r, "deserialize", "%td bytes too many", r.end - r.at);
    }
    return status;
}
