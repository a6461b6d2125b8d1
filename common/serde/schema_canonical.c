#include "serde/schema.h"

#include <stdlib.h>

#include "core/alloc.h"

/* Avro 1.11 specification, "Parsing Canonical Form for Schemas" and "Schema Fingerprints". */

/* Named types that were met, each once. */
typedef struct type_list {
    const mr_type **types;
    size_t n;
    size_t capacity;
} type_list;

static void list_deinit(type_list *list)
{
    free(list->types);
}

static void list_add(type_list *list, const mr_type *type)
{
    MR_GROW(list->types, list->capacity, list->n + 1);
    list->types[list->n++] = type;
}

static const mr_type *list_find(const type_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->types[i]->name, name) == 0) {
            return list->types[i];
        }
    }
    return NULL;
}

static void print(const mr_type *type, type_list *seen, mr_buf *text);

static void print_record(const mr_type *type, type_list *seen, mr_buf *text)
{
    mr_buf_append_text(text, "\"record\",\"fields\":[");
    for (size_t i = 0; i < type->n_fields; i++) {
        mr_buf_printf(text, "%s{\"name\":\"%s\",\"type\":", i == 0 ? "" : ",",
                      type->fields[i].name);
        print(type->fields[i].type, seen, text);
        mr_buf_append_byte(text, '}');
    }
    mr_buf_append_byte(text, ']');
}

static void print_enum(const mr_type *type, mr_buf *text)
{
    mr_buf_append_text(text, "\"enum\",\"symbols\":[");
    for (size_t i = 0; i < type->n_symbols; i++) {
        mr_buf_printf(text, "%s\"%s\"", i == 0 ? "" : ",", type->symbols[i]);
    }
    mr_buf_append_byte(text, ']');
}

static void print_named(const mr_type *type, type_list *seen, mr_buf *text)
{
    if (list_find(seen, type->name) != NULL) {
        mr_buf_printf(text, "\"%s\"", type->name);
        return;
    }
    list_add(seen, type);
    mr_buf_printf(text, "{\"name\":\"%s\",\"type\":", type->name);
    if (type->kind == MR_TYPE_RECORD) {
        print_record(type, seen, text);
    } else if (type->kind == MR_TYPE_ENUM) {
        print_enum(type, text);
    } else {
        mr_buf_printf(text, "\"fixed\",\"size\":%zu", type->fixed_size);
    }
    mr_buf_append_byte(text, '}');
}

static void print(const mr_type *type, type_list *seen, mr_buf *text)
{
    if (mr_type_is_named(type)) {
        print_named(type, seen, text);
    } else if (type->items != NULL) {
        mr_buf_append_text(text, type->kind == MR_TYPE_ARRAY ? "{\"type\":\"array\",\"items\":"
                                                             : "{\"type\":\"map\",\"values\":");
        print(type->items, seen, text);
        mr_buf_append_byte(text, '}');
    } else if (type->kind == MR_TYPE_UNION) {
        mr_buf_append_byte(text, '[');
        for (size_t i = 0; i < type->n_branches; i++) {
            mr_buf_append_text(text, i == 0 ? "" : ",");
            print(type->branches[i], seen, text);
        }
        mr_buf_append_byte(text, ']');
    } else {
        mr_buf_printf(text, "\"%s\"", type->name);
    }
}

void mr_type_canonical(const mr_type *type, mr_buf *text)
{
    MR_CLEANUP(list_deinit) type_list seen = {0};
    print(type, &seen, text);
}

static bool same_canonical(const mr_type *a, const mr_type *b)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf left = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf right = MR_BUF_NULL;
    mr_type_canonical(a, &left);
    mr_type_canonical(b, &right);
    return mr_bytes_equal(mr_buf_bytes(&left), mr_buf_bytes(&right));
}

/* Everything below `type` whose name was met with another definition; types of one definition may
 * be there several times, from several files. */
static const char *find_conflict(const mr_type *type, type_list *seen)
{
    if (mr_type_is_named(type)) {
        const mr_type *other = list_find(seen, type->name);
        if (other != NULL) {
            return other == type || same_canonical(other, type) ? NULL : type->name;
        }
        list_add(seen, type);
    }
    const char *conflict = type->items == NULL ? NULL : find_conflict(type->items, seen);
    for (size_t i = 0; i < type->n_branches && conflict == NULL; i++) {
        conflict = find_conflict(type->branches[i], seen);
    }
    for (size_t i = 0; i < type->n_fields && conflict == NULL; i++) {
        conflict = find_conflict(type->fields[i].type, seen);
    }
    return conflict;
}

const char *mr_type_conflict(const mr_type *type)
{
    MR_CLEANUP(list_deinit) type_list seen = {0};
    return find_conflict(type, &seen);
}

uint64_t mr_fingerprint(mr_bytes canonical)
{
    /* CRC-64-AVRO as the specification gives it, one bit at a time: schemas are read once. */
    const uint64_t empty = UINT64_C(0xc15d213aa4d7a795);
    uint64_t fingerprint = empty;
    for (size_t i = 0; i < canonical.len; i++) {
        uint64_t row = (fingerprint ^ canonical.data[i]) & 0xff;
        for (int bit = 0; bit < 8; bit++) {
            row = (row >> 1) ^ (empty & (0 - (row & 1)));
        }
        fingerprint = (fingerprint >> 8) ^ row;
    }
    return fingerprint;
}
