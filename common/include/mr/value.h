/*
 * Typed values: C memory laid out by an mr_type. `void *value` points at type->size bytes.
 *
 * A value owns what hangs below it (strings, array items). Zeroed memory is a valid value of every
 * type except enum-without-symbols: mr_value_init differs from memset only where a union's first
 * branch or a field's default says so. Thread: one at a time.
 */
#pragma once

#include <mr/schema.h>

/* Owned bytes, not terminated; data may be NULL when len is 0. */
typedef struct mr_string {
    char *data;
    uint32_t len;
    uint32_t capacity;
} mr_string;

/* Elements from len to capacity are valid values too: their memory is used by the next push. */
typedef struct mr_array {
    uint8_t *items;
    uint32_t len;
    uint32_t capacity;
} mr_array;

/* Changed by mr_union_select only: a two-branch union with null keeps the other branch's memory
 * while it is null. */
typedef struct mr_union {
    int32_t branch;
} mr_union;

/* Zero or default value in uninitialised memory. Record fields with a default get it. */
void mr_value_init(const mr_type *type, void *value);
/* Frees what hangs below; the memory itself is the caller's. */
void mr_value_deinit(const mr_type *type, void *value);
/* Back to the initial value, keeping memory for reuse where possible. */
void mr_value_reset(const mr_type *type, void *value);
/* Deep copy into an initialised value, reusing its memory. */
void mr_value_copy(const mr_type *type, void *target, const void *source);
/* Exchanges two values of the same type; nothing is copied below. */
void mr_value_swap(const mr_type *type, void *a, void *b);
bool mr_value_equal(const mr_type *type, const void *a, const void *b);
/* Bytes held: type->size and everything below. */
size_t mr_value_bytes(const mr_type *type, const void *value);

/* A heap value: init + memory, freed by mr_value_free. */
void *mr_value_new(const mr_type *type);
void mr_value_free(const mr_type *type, void *value); /* NULL is fine */

static inline mr_bytes mr_string_bytes(const mr_string *string)
{
    return mr_bytes_of(string->data == NULL ? "" : string->data, string->len);
}
void mr_string_set(mr_string *string, mr_bytes bytes);

static inline void *mr_field_at(const mr_type *record, void *value, size_t field)
{
    return (uint8_t *)value + record->fields[field].offset;
}
/* The same of a value that is read only, such as an input. */
static inline const void *mr_field_in(const mr_type *record, const void *value, size_t field)
{
    return (const uint8_t *)value + record->fields[field].offset;
}
static inline void *mr_union_payload(const mr_type *type, void *value)
{
    return (uint8_t *)value + type->payload;
}
/* Makes `branch` the union's branch with its initial value (keeps the value when it is already). */
void mr_union_select(const mr_type *type, void *value, int branch);

static inline void *mr_array_at(const mr_type *type, const mr_array *array, size_t i)
{
    return array->items + i * type->stride;
}
/* Appends an initial element and returns it. */
void *mr_array_push(const mr_type *type, mr_array *array);
/* The same in front of the element `i`; at the end when `i` is the length. */
void *mr_array_insert(const mr_type *type, mr_array *array, size_t i);
void mr_array_remove(const mr_type *type, mr_array *array, size_t i);
void mr_array_clear(const mr_type *type, mr_array *array);

/* Maps keep their entries in bytewise key order. NULL when absent. */
void *mr_map_find(const mr_type *type, const mr_array *map, mr_bytes key);
/* The value of `key`, added with its initial value when absent. */
void *mr_map_at(const mr_type *type, mr_array *map, mr_bytes key);
void mr_map_remove(const mr_type *type, mr_array *map, mr_bytes key);

/* ---- JSON at the edge ---- */

/*
 * Reads one JSON text into an initialised value, checked against the schema. Differences from
 * Avro's own JSON encoding, because people write this JSON: a union with null takes the bare value;
 * any other union takes the first branch that fits (of several records the first that has just the
 * names that are there); a timestamp-millis long takes a number or an RFC 3339 string; int and long
 * refuse fractions and what does not fit; float and double take "NaN", "Infinity" and "-Infinity"
 * too; bytes and fixed are strings with \u00XX code points. A missing field takes its default, or
 * null where the type allows null; otherwise it is an error, and so is an unknown or repeated field
 * (with a did-you-mean). The error class is "deserialize" for what is no JSON, "validate" for what
 * does not fit, and the message has the path ("Item.Quantity"). Nesting is limited to 64. What the
 * value held before is gone; on failure it may be half filled.
 */
mr_status mr_value_from_json(const mr_type *type, mr_bytes json, void *value,
                             mr_error *err) MR_MUST_USE;
/* One line, fields in schema order, map keys in order; long as a number; bytes as read above. */
void mr_value_to_json(const mr_type *type, const void *value, mr_buf *json);
