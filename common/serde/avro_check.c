#include "serde/avro_plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/text.h"

/*
 * Walks over bytes as avro_value_read will. avro-c 1.11 allocates what a length says (also a
 * negative one), loops as often as a block count says (elements may take no byte: 2^62 nulls), and
 * recurses as deep as the data is. So here every length is within the input, elements without
 * bytes are limited by their memory, and depth has an end. It also says in words what is wrong and
 * where, which avro-c's errors do not.
 */

/* Memory that elements which take no byte may cause: so much in any case, and per input byte. */
enum { FREE_MEMORY = 4096, MEMORY_PER_BYTE = 16 };

typedef struct checker {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    size_t memory_left; /* for elements that take no byte */
    bool sorted;
    mr_error *err;
    mr_avro_path path;
} checker;

static mr_status check(checker *c, const mr_plan *plan) MR_MUST_USE;

MR_PRINTF(3, 4)
static mr_status fail(checker *c, const char *error_class, const char *format, ...)
{
    char reason[224];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    char path[MR_AVRO_PATH_TEXT];
    return mr_error_record(c->err, MR_ERR_DATA, error_class, "%s, at byte %td of %td: %s",
                           mr_avro_path_text(&c->path, path), c->at - c->begin, c->end - c->begin,
                           reason);
}

static mr_status cut_short(checker *c)
{
    return fail(c, "deserialize", "the bytes end too early");
}

/* Slow path of check_long: more than one byte. */
static mr_status check_long_rest(checker *c, int64_t *ret_number)
{
    enum { LONG_BYTES_MAX = 10 };
    uint64_t number = 0;
    const uint8_t *at = c->at;
    for (int i = 0; i < LONG_BYTES_MAX; i++) {
        if (at == c->end) {
            return cut_short(c);
        }
        const uint8_t byte = *at++;
        number |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (i == LONG_BYTES_MAX - 1 && byte > 1) {
                break;
            }
            c->at = at;
            *ret_number = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
            return MR_OK;
        }
    }
    return fail(c, "deserialize", "a number of more than 64 bits");
}

static inline mr_status check_long(checker *c, int64_t *ret_number)
{
    if (c->at < c->end && *c->at < 0x80) {
        const uint8_t byte = *c->at++;
        *ret_number = (byte >> 1) ^ -(byte & 1);
        return MR_OK;
    }
    return check_long_rest(c, ret_number);
}

static mr_status check_skip(checker *c, size_t n)
{
    if ((size_t)(c->end - c->at) < n) {
        return cut_short(c);
    }
    c->at += n;
    return MR_OK;
}

static mr_status check_bytes(checker *c, bool is_text, mr_bytes *ret_bytes)
{
    int64_t len;
    MR_TRY(check_long(c, &len));
    if (len < 0 || len > c->end - c->at) {
        return fail(c, "deserialize", "a length of %" PRId64 ", but %td bytes are left", len,
                    c->end - c->at);
    }
    const mr_bytes bytes = mr_bytes_of(c->at, (size_t)len);
    if (is_text && !mr_text_is_utf8(bytes)) {
        return fail(c, "deserialize", "a string that is not UTF-8");
    }
    c->at += len;
    if (ret_bytes != NULL) {
        *ret_bytes = bytes;
    }
    return MR_OK;
}

static mr_status check_boolean(checker *c)
{
    if (c->at == c->end) {
        return cut_short(c);
    }
    if (*c->at > 1) {
        return fail(c, "deserialize", "%d is no boolean", *c->at);
    }
    c->at++;
    return MR_OK;
}

static mr_status check_int(checker *c)
{
    int64_t number;
    MR_TRY(check_long(c, &number));
    return number >= INT32_MIN && number <= INT32_MAX
               ? MR_OK
               : fail(c, "deserialize", "%" PRId64 " is no int", number);
}

static mr_status check_enum(checker *c, const mr_plan *plan)
{
    int64_t symbol;
    MR_TRY(check_long(c, &symbol));
    if (symbol < 0 || (uint64_t)symbol >= plan->writer->n_symbols) {
        return fail(c, "deserialize", "enum '%s' has no symbol %" PRId64, plan->writer->name,
                    symbol);
    }
    return plan->symbols[symbol] >= 0
               ? MR_OK
               : fail(c, "validate", "the reader's enum '%s' has no symbol '%s' and no default",
                      plan->target->name, plan->writer->symbols[symbol]);
}

static mr_status check_union(checker *c, const mr_plan *plan)
{
    int64_t branch;
    MR_TRY(check_long(c, &branch));
    if (branch < 0 || (uint64_t)branch >= plan->writer->n_branches) {
        return fail(c, "deserialize", "the union has no branch %" PRId64, branch);
    }
    return plan->branches[branch] != NULL
               ? check(c, plan->branches[branch])
               : fail(c, "validate", "the reader does not take the writer's branch %s",
                      plan->writer->branches[branch]->name);
}

static mr_status check_record(checker *c, const mr_plan *plan)
{
    const mr_type *type = plan->writer;
    for (size_t i = 0; i < type->n_fields; i++) {
        c->path.steps[c->path.depth - 1] = type->fields[i].name;
        MR_TRY(check(c, plan->fields[i].plan));
    }
    return MR_OK;
}

/* Reads a block's element count and, where it is told, its end. */
static mr_status check_block(checker *c, const mr_plan *plan, int64_t *ret_count,
                             const uint8_t **ret_end)
{
    int64_t count;
    MR_TRY(check_long(c, &count));
    *ret_end = NULL;
    if (count < 0) {
        int64_t size;
        MR_TRY(check_long(c, &size));
        if (count == INT64_MIN || size < 0 || size > c->end - c->at) {
            return fail(c, "deserialize", "a block of %" PRId64 " bytes, but %td are left", size,
                        c->end - c->at);
        }
        count = -count;
        *ret_end = c->at + size;
    }
    const bool weightless =
        plan->writer->kind == MR_TYPE_ARRAY && mr_type_info_of(plan->writer->items)->weightless;
    const size_t element_bytes = plan->target->stride;
    const uint64_t limit = weightless ? c->memory_left / element_bytes : (uint64_t)(c->end - c->at);
    if ((uint64_t)count > limit) {
        return fail(c, "deserialize", "a block of %" PRId64 " elements, but %td bytes are left",
                    count, c->end - c->at);
    }
    if (weightless) {
        c->memory_left -= (size_t)count * element_bytes;
    }
    *ret_count = count;
    return MR_OK;
}

static mr_status check_key(checker *c, mr_bytes *previous)
{
    mr_bytes key;
    MR_TRY(check_bytes(c, true, &key));
    if (memchr(key.data, '\0', key.len) != NULL) {
        /* avro-c keeps keys as C strings and would cut it. */
        return fail(c, "deserialize", "a map key with a zero byte");
    }
    if (!mr_bytes_is_null(*previous) && mr_bytes_compare(*previous, key) >= 0) {
        c->sorted = false;
    }
    *previous = key;
    return MR_OK;
}

static mr_status check_elements(checker *c, const mr_plan *plan)
{
    const bool is_map = plan->writer->kind == MR_TYPE_MAP;
    mr_bytes previous_key = MR_BYTES_NULL;
    c->path.steps[c->path.depth - 1] = "[]";
    for (;;) {
        int64_t count = 0;
        const uint8_t *block_end = NULL;
        MR_TRY(check_block(c, plan, &count, &block_end));
        if (count == 0) {
            return MR_OK;
        }
        for (int64_t i = 0; i < count; i++) {
            if (is_map) {
                MR_TRY(check_key(c, &previous_key));
            }
            MR_TRY(check(c, plan->items));
        }
        if (block_end != NULL && block_end != c->at) {
            return fail(c, "deserialize", "a block that is not as long as it says");
        }
    }
}

/* Values that hold others, one step deeper. */
static mr_status check_below(checker *c, const mr_plan *plan)
{
    if (c->path.depth == MR_AVRO_DEPTH_MAX) {
        return fail(c, "deserialize", "more than %d values within each other", MR_AVRO_DEPTH_MAX);
    }
    c->path.steps[c->path.depth++] = NULL;
    mr_status status;
    if (plan->writer->kind == MR_TYPE_RECORD) {
        status = check_record(c, plan);
    } else if (plan->writer->kind == MR_TYPE_UNION) {
        status = check_union(c, plan);
    } else {
        status = check_elements(c, plan);
    }
    c->path.depth--;
    return status;
}

static mr_status check(checker *c, const mr_plan *plan)
{
    int64_t number;
    switch (plan->writer->kind) {
    case MR_TYPE_NULL:
        return MR_OK;
    case MR_TYPE_BOOLEAN:
        return check_boolean(c);
    case MR_TYPE_INT:
        return check_int(c);
    case MR_TYPE_LONG:
        return check_long(c, &number);
    case MR_TYPE_FLOAT:
        return check_skip(c, sizeof(float));
    case MR_TYPE_DOUBLE:
        return check_skip(c, sizeof(double));
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        return check_bytes(
            c, plan->writer->kind == MR_TYPE_STRING || plan->target->kind == MR_TYPE_STRING, NULL);
    case MR_TYPE_FIXED:
        return check_skip(c, plan->writer->fixed_size);
    case MR_TYPE_ENUM:
        return check_enum(c, plan);
    default:
        return check_below(c, plan);
    }
}

mr_status mr_avro_check(const mr_plan *plan, mr_bytes bytes, bool *ret_sorted, mr_error *err)
{
    checker c;
    c.begin = bytes.data;
    c.at = bytes.data;
    c.end = bytes.data + bytes.len;
    c.memory_left = FREE_MEMORY + MEMORY_PER_BYTE * bytes.len;
    c.sorted = true;
    c.err = err;
    c.path.depth = 0;
    MR_TRY(check(&c, plan));
    if (c.at != c.end) {
        return fail(&c, "deserialize", "%td bytes too many", c.end - c.at);
    }
    *ret_sorted = c.sorted;
    return MR_OK;
}
