#include <mr/value.h>

#include <stdlib.h>

#include "core/alloc.h"
#include "serde/schema.h"
#include "serde/value.h"

/*
 * Two rules let values be used again and again without the allocator. The elements of an array
 * from len to capacity are valid values, whose memory the next push uses. The payload of a
 * two-branch union with null is always a valid value of the other branch, also while the branch is
 * null; every other union holds exactly its branch's value. "Valid" is what mr_value_deinit can
 * free; zeroed memory is.
 */

static void free_items(const mr_type *type, mr_array *array)
{
    const bool is_map = type->kind == MR_TYPE_MAP;
    const size_t n_owning = is_map || !type->items->flat ? array->capacity : 0;
    for (size_t i = 0; i < n_owning; i++) {
        uint8_t *item = array->items + i * type->stride;
        if (is_map) {
            free(((mr_string *)(void *)item)->data);
            item += type->entry_value;
        }
        mr_value_deinit(type->items, item);
    }
    free(array->items);
    *array = (mr_array){0};
}

void mr_value_init(const mr_type *type, void *value)
{
    if (type->size > 0) {
        memset(value, 0, type->size);
    }
    const mr_type_info *info = mr_type_info_of(type);
    if (info->zero) {
        return;
    }
    if (info->initial != NULL) {
        memcpy(value, info->initial, type->size);
    } else if (type->kind == MR_TYPE_UNION) {
        mr_value_init(type->branches[0], mr_union_payload(type, value));
    } else if (type->kind == MR_TYPE_RECORD) {
        for (size_t i = 0; i < type->n_fields; i++) {
            const mr_field *field = &type->fields[i];
            void *at = mr_field_at(type, value, i);
            if (field->preset != NULL) {
                mr_value_copy(field->type, at, field->preset);
            } else {
                mr_value_init(field->type, at);
            }
        }
    }
}

void mr_value_deinit(const mr_type *type, void *value)
{
    if (type->flat) {
        return;
    }
    switch (type->kind) {
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        free(((mr_string *)value)->data);
        break;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        free_items(type, value);
        break;
    case MR_TYPE_UNION:
        mr_union_release(type, value);
        break;
    case MR_TYPE_RECORD:
        for (size_t i = 0; i < type->n_fields; i++) {
            mr_value_deinit(type->fields[i].type, mr_field_at(type, value, i));
        }
        break;
    default:
        break;
    }
    memset(value, 0, type->size);
}

static void reset_string(mr_string *string)
{
    string->len = 0;
    if (string->capacity > MR_KEEP_BYTES_MAX) {
        free(string->data);
        *string = (mr_string){0};
    }
}

void mr_array_clear(const mr_type *type, mr_array *array)
{
    array->len = 0;
    if (array->capacity * type->stride > MR_KEEP_BYTES_MAX) {
        free_items(type, array);
    }
}

static void reset_record(const mr_type *type, void *value)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const mr_field *field = &type->fields[i];
        void *at = mr_field_at(type, value, i);
        if (field->preset != NULL) {
            mr_value_copy(field->type, at, field->preset);
        } else {
            mr_value_reset(field->type, at);
        }
    }
}

void mr_value_reset(const mr_type *type, void *value)
{
    if (type->flat) {
        mr_value_init(type, value);
        return;
    }
    switch (type->kind) {
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        reset_string(value);
        break;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        mr_array_clear(type, value);
        break;
    case MR_TYPE_UNION:
        if (((mr_union *)value)->branch == 0) {
            mr_value_reset(type->branches[0], mr_union_payload(type, value));
        } else {
            mr_union_select(type, value, 0);
        }
        break;
    case MR_TYPE_RECORD:
        reset_record(type, value);
        break;
    default:
        break;
    }
}

static void copy_array(const mr_type *type, mr_array *target, const mr_array *source)
{
    mr_array_clear(type, target);
    mr_array_reserve(type, target, source->len);
    target->len = source->len;
    const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
    if (type->items->flat && type->kind == MR_TYPE_ARRAY) {
        if (source->len > 0) {
            memcpy(target->items, source->items, source->len * type->stride);
        }
        return;
    }
    for (size_t i = 0; i < source->len; i++) {
        uint8_t *to = target->items + i * type->stride;
        const uint8_t *from = source->items + i * type->stride;
        if (type->kind == MR_TYPE_MAP) {
            mr_string_set((mr_string *)(void *)to,
                          mr_string_bytes((const mr_string *)(const void *)from));
        }
        mr_value_copy(type->items, to + at, from + at);
    }
}

void mr_value_copy(const mr_type *type, void *target, const void *source)
{
    if (target == source) {
        return;
    }
    if (type->flat) {
        if (type->size > 0) {
            memcpy(target, source, type->size);
        }
        return;
    }
    switch (type->kind) {
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        mr_string_set(target, mr_string_bytes(source));
        break;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        copy_array(type, target, source);
        break;
    case MR_TYPE_UNION: {
        const int branch = ((const mr_union *)source)->branch;
        mr_union_select(type, target, branch);
        mr_value_copy(type->branches[branch], mr_union_payload(type, target),
                      (const uint8_t *)source + type->payload);
        break;
    }
    case MR_TYPE_RECORD:
        for (size_t i = 0; i < type->n_fields; i++) {
            const size_t offset = type->fields[i].offset;
            mr_value_copy(type->fields[i].type, (uint8_t *)target + offset,
                          (const uint8_t *)source + offset);
        }
        break;
    default:
        break;
    }
}

void mr_value_swap(const mr_type *type, void *a, void *b)
{
    /* Word by word: copies of a length that the compiler does not know cost more than these. */
    uint8_t *left = a;
    uint8_t *right = b;
    size_t done = 0;
    for (; done + sizeof(uint64_t) <= type->size; done += sizeof(uint64_t)) {
        uint64_t words[2];
        memcpy(&words[0], left + done, sizeof(words[0]));
        memcpy(&words[1], right + done, sizeof(words[1]));
        memcpy(left + done, &words[1], sizeof(words[1]));
        memcpy(right + done, &words[0], sizeof(words[0]));
    }
    for (; done < type->size; done++) {
        const uint8_t byte = left[done];
        left[done] = right[done];
        right[done] = byte;
    }
}

static bool equal_arrays(const mr_type *type, const mr_array *a, const mr_array *b)
{
    if (a->len != b->len) {
        return false;
    }
    const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
    for (size_t i = 0; i < a->len; i++) {
        const uint8_t *left = a->items + i * type->stride;
        const uint8_t *right = b->items + i * type->stride;
        if (type->kind == MR_TYPE_MAP &&
            !mr_bytes_equal(mr_string_bytes((const mr_string *)(const void *)left),
                            mr_string_bytes((const mr_string *)(const void *)right))) {
            return false;
        }
        if (!mr_value_equal(type->items, left + at, right + at)) {
            return false;
        }
    }
    return true;
}

static bool equal_records(const mr_type *type, const void *a, const void *b)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const size_t offset = type->fields[i].offset;
        if (!mr_value_equal(type->fields[i].type, (const uint8_t *)a + offset,
                            (const uint8_t *)b + offset)) {
            return false;
        }
    }
    return true;
}

bool mr_value_equal(const mr_type *type, const void *a, const void *b)
{
    switch (type->kind) {
    case MR_TYPE_NULL:
        return true;
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        return mr_bytes_equal(mr_string_bytes(a), mr_string_bytes(b));
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        return equal_arrays(type, a, b);
    case MR_TYPE_UNION: {
        const int branch = ((const mr_union *)a)->branch;
        return branch == ((const mr_union *)b)->branch &&
               mr_value_equal(type->branches[branch], (const uint8_t *)a + type->payload,
                              (const uint8_t *)b + type->payload);
    }
    case MR_TYPE_RECORD:
        return equal_records(type, a, b);
    default:
        /* Floats too are equal when their bytes are: that is what is written. */
        return memcmp(a, b, type->size) == 0;
    }
}

static size_t bytes_below_array(const mr_type *type, const mr_array *array)
{
    size_t bytes = (size_t)array->capacity * type->stride;
    if (type->kind == MR_TYPE_ARRAY && type->items->flat) {
        return bytes;
    }
    const size_t at = type->kind == MR_TYPE_MAP ? type->entry_value : 0;
    for (size_t i = 0; i < array->capacity; i++) {
        const uint8_t *item = array->items + i * type->stride;
        if (type->kind == MR_TYPE_MAP) {
            bytes += ((const mr_string *)(const void *)item)->capacity;
        }
        bytes += mr_value_bytes(type->items, item + at) - type->items->size;
    }
    return bytes;
}

static size_t bytes_below(const mr_type *type, const void *value)
{
    if (type->flat) {
        return 0;
    }
    size_t bytes = 0;
    switch (type->kind) {
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        return ((const mr_string *)value)->capacity;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        return bytes_below_array(type, value);
    case MR_TYPE_UNION:
        return bytes_below(mr_union_held(type, value), (const uint8_t *)value + type->payload);
    case MR_TYPE_RECORD:
        for (size_t i = 0; i < type->n_fields; i++) {
            bytes +=
                bytes_below(type->fields[i].type, (const uint8_t *)value + type->fields[i].offset);
        }
        return bytes;
    default:
        return 0;
    }
}

size_t mr_value_bytes(const mr_type *type, const void *value)
{
    return type->size + bytes_below(type, value);
}

void *mr_value_new(const mr_type *type)
{
    void *value = mr_alloc(type->size);
    mr_value_init(type, value);
    return value;
}

void mr_value_free(const mr_type *type, void *value)
{
    if (value != NULL) {
        mr_value_deinit(type, value);
        free(value);
    }
}
