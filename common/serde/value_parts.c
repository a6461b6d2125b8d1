#include <mr/value.h>

#include <stdlib.h>

#include "core/alloc.h"
#include "serde/value.h"

/* ---- Strings ---- */

enum { STRING_CAPACITY_STEP = 16, ARRAY_CAPACITY_MIN = 4 };

void mr_string_set(mr_string *string, mr_bytes bytes)
{
    assert(bytes.len < UINT32_MAX - STRING_CAPACITY_STEP);
    if (bytes.len == 0 && string->data == NULL) {
        return;
    }
    /* One more for an end mark: avro-c takes map keys as C strings. */
    const size_t wanted = bytes.len + 1;
    const bool wasteful = string->capacity > MR_KEEP_BYTES_MAX && wanted < string->capacity / 4;
    if (wanted > string->capacity || wasteful) {
        const size_t capacity =
            (wanted + STRING_CAPACITY_STEP - 1) / STRING_CAPACITY_STEP * STRING_CAPACITY_STEP;
        /* Not realloc: the old content is not needed, unless `bytes` are part of it. */
        char *data = mr_alloc(capacity);
        if (bytes.len > 0) {
            memcpy(data, bytes.data, bytes.len);
        }
        free(string->data);
        string->data = data;
        string->capacity = (uint32_t)capacity;
    } else if (bytes.len > 0) {
        memmove(string->data, bytes.data, bytes.len);
    }
    string->data[bytes.len] = '\0';
    string->len = (uint32_t)bytes.len;
}

/* ---- Unions ---- */

const mr_type *mr_union_held(const mr_type *type, const void *value)
{
    const mr_type *optional = mr_type_optional(type);
    return optional != NULL ? optional : type->branches[((const mr_union *)value)->branch];
}

void mr_union_release(const mr_type *type, void *value)
{
    mr_value_deinit(mr_union_held(type, value), mr_union_payload(type, value));
}

void mr_union_select(const mr_type *type, void *value, int branch)
{
    assert(type->kind == MR_TYPE_UNION);
    assert(branch >= 0 && (size_t)branch < type->n_branches);
    mr_union *target = value;
    if (target->branch == branch) {
        return;
    }
    void *payload = mr_union_payload(type, value);
    if (mr_type_optional(type) == NULL) {
        mr_union_release(type, value);
        mr_value_init(type->branches[branch], payload);
    } else if (branch != type->null_branch) {
        mr_value_reset(type->branches[branch], payload);
    }
    target->branch = branch;
}

/* ---- Arrays ---- */

void mr_array_reserve(const mr_type *type, mr_array *array, size_t count)
{
    if (count <= array->capacity) {
        return;
    }
    assert(count <= UINT32_MAX);
    array->items = mr_realloc(array->items, count * type->stride);
    /* Zeroed memory is a valid value of every type: what a push resets. */
    memset(array->items + array->capacity * type->stride, 0,
           (count - array->capacity) * type->stride);
    array->capacity = (uint32_t)count;
}

void *mr_array_extend(const mr_type *type, mr_array *array)
{
    if (array->len == array->capacity) {
        const size_t twice = (size_t)array->capacity * 2;
        mr_array_reserve(type, array, twice < ARRAY_CAPACITY_MIN ? ARRAY_CAPACITY_MIN : twice);
    }
    return array->items + (size_t)array->len++ * type->stride;
}

void *mr_array_push(const mr_type *type, mr_array *array)
{
    assert(type->kind == MR_TYPE_ARRAY);
    void *item = mr_array_extend(type, array);
    mr_value_reset(type->items, item);
    return item;
}

/* Moves the element at `from` to `to`; those in between make room. */
static void move_element(const mr_type *type, mr_array *array, size_t from, size_t to)
{
    enum { ON_STACK = 512 };
    uint8_t small[ON_STACK];
    uint8_t *kept = type->stride <= ON_STACK ? small : mr_alloc(type->stride);
    uint8_t *items = array->items;
    const size_t stride = type->stride;
    memcpy(kept, items + from * stride, stride);
    if (from < to) {
        memmove(items + from * stride, items + (from + 1) * stride, (to - from) * stride);
    } else {
        memmove(items + (to + 1) * stride, items + to * stride, (from - to) * stride);
    }
    memcpy(items + to * stride, kept, stride);
    if (kept != small) {
        free(kept);
    }
}

void *mr_array_insert(const mr_type *type, mr_array *array, size_t i)
{
    assert(i <= array->len);
    (void)mr_array_push(type, array);
    if (i < array->len - 1) {
        move_element(type, array, array->len - 1, i);
    }
    return mr_array_at(type, array, i);
}

void mr_array_remove(const mr_type *type, mr_array *array, size_t i)
{
    assert(i < array->len);
    /* Behind the last: its memory is used by the next push. */
    move_element(type, array, i, array->len - 1);
    array->len--;
}

/* ---- Maps ---- */

static mr_string *key_at(const mr_type *type, const mr_array *map, size_t i)
{
    return (mr_string *)(void *)(map->items + i * type->stride);
}

static void *value_at(const mr_type *type, const mr_array *map, size_t i)
{
    return map->items + i * type->stride + type->entry_value;
}

/* The first entry whose key is not less; *ret_equal says whether it is that key. */
static size_t lower_bound(const mr_type *type, const mr_array *map, mr_bytes key, bool *ret_equal)
{
    size_t from = 0;
    size_t to = map->len;
    *ret_equal = false;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = mr_bytes_compare(mr_string_bytes(key_at(type, map, middle)), key);
        if (order == 0) {
            *ret_equal = true;
            return middle;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

void *mr_map_find(const mr_type *type, const mr_array *map, mr_bytes key)
{
    assert(type->kind == MR_TYPE_MAP);
    bool found;
    const size_t i = lower_bound(type, map, key, &found);
    return found ? value_at(type, map, i) : NULL;
}

void *mr_map_append(const mr_type *type, mr_array *map, mr_bytes key)
{
    uint8_t *entry = mr_array_extend(type, map);
    mr_string_set((mr_string *)(void *)entry, key);
    return entry + type->entry_value;
}

void *mr_map_at(const mr_type *type, mr_array *map, mr_bytes key)
{
    assert(type->kind == MR_TYPE_MAP);
    bool found;
    const size_t i = lower_bound(type, map, key, &found);
    if (!found) {
        mr_value_reset(type->items, mr_map_append(type, map, key));
        if (i < map->len - 1) {
            move_element(type, map, map->len - 1, i);
        }
    }
    return value_at(type, map, i);
}

void mr_map_remove(const mr_type *type, mr_array *map, mr_bytes key)
{
    assert(type->kind == MR_TYPE_MAP);
    bool found;
    const size_t i = lower_bound(type, map, key, &found);
    if (found) {
        mr_array_remove(type, map, i);
    }
}

typedef struct sort_row {
    mr_bytes key;
    uint32_t index;
} sort_row;

/* Of equal keys the later entry comes first. */
static int compare_rows(const void *a, const void *b)
{
    const sort_row *left = a;
    const sort_row *right = b;
    const int order = mr_bytes_compare(left->key, right->key);
    return order != 0 ? order : (left->index < right->index) - (left->index > right->index);
}

void mr_map_sort(const mr_type *type, mr_array *map)
{
    const size_t n = map->len;
    if (n < 2) {
        return;
    }
    sort_row *rows = mr_alloc(n * sizeof(*rows));
    for (size_t i = 0; i < n; i++) {
        rows[i] = (sort_row){mr_string_bytes(key_at(type, map, i)), (uint32_t)i};
    }
    qsort(rows, n, sizeof(*rows), compare_rows);
    uint8_t *items = mr_alloc_zero(map->capacity, type->stride);
    size_t n_kept = 0;
    size_t n_dropped = 0;
    for (size_t i = 0; i < n; i++) {
        const bool repeated = i > 0 && mr_bytes_equal(rows[i - 1].key, rows[i].key);
        /* What is dropped goes behind the last entry, valid and for reuse. */
        const size_t to = repeated ? n - ++n_dropped : n_kept++;
        memcpy(items + to * type->stride, map->items + rows[i].index * type->stride, type->stride);
    }
    memcpy(items + n * type->stride, map->items + n * type->stride,
           (map->capacity - n) * type->stride);
    free(rows);
    free(map->items);
    map->items = items;
    map->len = (uint32_t)n_kept;
}
