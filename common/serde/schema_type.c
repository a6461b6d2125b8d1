#include "serde/schema.h"

#include <stdlib.h>

#include <mr/value.h>

#define PRIMITIVE(kind_, name_, ctype, flat_, millis_)                                             \
    {                                                                                              \
        .type = {.kind = (kind_),                                                                  \
                 .name = (name_),                                                                  \
                 .size = sizeof(ctype),                                                            \
                 .align = _Alignof(ctype),                                                         \
                 .flat = (flat_),                                                                  \
                 .timestamp_millis = (millis_),                                                    \
                 .null_branch = -1},                                                               \
        .state = MR_TYPE_PRESET, .zero = true, .default_symbol = -1,                               \
    }

static const mr_type_info primitives[] = {
    {
        .type = {.kind = MR_TYPE_NULL,
                 .name = "null",
                 .size = 0,
                 .align = 1,
                 .flat = true,
                 .null_branch = -1},
        .state = MR_TYPE_PRESET,
        .zero = true,
        .weightless = true,
        .default_symbol = -1,
    },
    PRIMITIVE(MR_TYPE_BOOLEAN, "boolean", bool, true, false),
    PRIMITIVE(MR_TYPE_INT, "int", int32_t, true, false),
    PRIMITIVE(MR_TYPE_LONG, "long", int64_t, true, false),
    PRIMITIVE(MR_TYPE_FLOAT, "float", float, true, false),
    PRIMITIVE(MR_TYPE_DOUBLE, "double", double, true, false),
    PRIMITIVE(MR_TYPE_BYTES, "bytes", mr_string, false, false),
    PRIMITIVE(MR_TYPE_STRING, "string", mr_string, false, false),
};
enum { N_PRIMITIVES = sizeof(primitives) / sizeof(primitives[0]) };
_Static_assert(N_PRIMITIVES == MR_TYPE_STRING + 1, "primitives are indexed by their kind");

static const mr_type_info timestamp = PRIMITIVE(MR_TYPE_LONG, "long", int64_t, true, true);

static const char *const kind_names[] = {
    [MR_TYPE_NULL] = "null",   [MR_TYPE_BOOLEAN] = "boolean", [MR_TYPE_INT] = "int",
    [MR_TYPE_LONG] = "long",   [MR_TYPE_FLOAT] = "float",     [MR_TYPE_DOUBLE] = "double",
    [MR_TYPE_BYTES] = "bytes", [MR_TYPE_STRING] = "string",   [MR_TYPE_FIXED] = "fixed",
    [MR_TYPE_ENUM] = "enum",   [MR_TYPE_ARRAY] = "array",     [MR_TYPE_MAP] = "map",
    [MR_TYPE_UNION] = "union", [MR_TYPE_RECORD] = "record",
};

const mr_type *mr_type_primitive(mr_type_kind kind)
{
    assert((size_t)kind < N_PRIMITIVES);
    return &primitives[kind].type;
}

const mr_type *mr_type_timestamp(void)
{
    return &timestamp.type;
}

mr_status mr_type_primitive_named(const char *name, const mr_type **ret_type)
{
    for (size_t i = 0; i < N_PRIMITIVES; i++) {
        if (strcmp(primitives[i].type.name, name) == 0) {
            *ret_type = &primitives[i].type;
            return MR_OK;
        }
    }
    return MR_NOT_FOUND;
}

const char *mr_type_kind_name(mr_type_kind kind)
{
    return kind_names[kind];
}

const char *mr_short_name(const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    return dot == NULL ? full_name : dot + 1;
}

/* Any total order does; comparing lengths first mostly spares the memcmp. */
static int compare_names(const char *a, size_t len_a, const char *b, size_t len_b)
{
    if (len_a != len_b) {
        return len_a < len_b ? -1 : 1;
    }
    return memcmp(a, b, len_a);
}

static int compare_slots(const void *a, const void *b)
{
    const mr_name_slot *left = a;
    const mr_name_slot *right = b;
    const int order = compare_names(left->name, left->len, right->name, right->len);
    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

int mr_names_sort(mr_name_slot *slots, size_t n)
{
    qsort(slots, n, sizeof(*slots), compare_slots);
    for (size_t i = 1; i < n; i++) {
        if (compare_names(slots[i - 1].name, slots[i - 1].len, slots[i].name, slots[i].len) == 0) {
            return (int)slots[i].index;
        }
    }
    return -1;
}

int mr_names_find(const mr_name_slot *slots, size_t n, mr_bytes name)
{
    size_t from = 0;
    size_t to = n;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order =
            compare_names((const char *)name.data, name.len, slots[middle].name, slots[middle].len);
        if (order == 0) {
            return (int)slots[middle].index;
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return -1;
}

int mr_type_field(const mr_type *type, mr_bytes name)
{
    assert(type->kind == MR_TYPE_RECORD);
    const mr_type_info *info = mr_type_info_of(type);
    return mr_bytes_is_null(name) ? -1 : mr_names_find(info->by_name, info->n_by_name, name);
}

int mr_type_symbol(const mr_type *type, mr_bytes symbol)
{
    assert(type->kind == MR_TYPE_ENUM);
    const mr_type_info *info = mr_type_info_of(type);
    return mr_bytes_is_null(symbol) ? -1 : mr_names_find(info->by_name, info->n_by_name, symbol);
}

const mr_type *mr_type_optional(const mr_type *type)
{
    if (type->kind != MR_TYPE_UNION || type->n_branches != 2 || type->null_branch < 0) {
        return NULL;
    }
    return type->branches[1 - type->null_branch];
}

const char *mr_schema_name(const mr_schema *schema)
{
    return schema->name;
}

const char *mr_schema_short_name(const mr_schema *schema)
{
    return schema->short_name;
}

const mr_type *mr_schema_type(const mr_schema *schema)
{
    return schema->type;
}

uint64_t mr_schema_fingerprint(const mr_schema *schema)
{
    return schema->fingerprint;
}

const char *mr_schema_canonical(const mr_schema *schema)
{
    return schema->canonical;
}

const char *mr_schema_json(const mr_schema *schema)
{
    return schema->json;
}
