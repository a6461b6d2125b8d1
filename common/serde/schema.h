/*
 * What a schema set keeps about a type beside its public mr_type.
 *
 * A file of JSON goes through these steps, each in its own .c file: schema_parse.c (types and
 * names), schema_layout.c (sizes and offsets), schema_default.c (defaults as values),
 * schema_canonical.c and schema_json.c (texts and fingerprint). After that nothing changes it any
 * more, so that all threads may read it. Only schema_set.c and schema_load.c know sets.
 */
#pragma once

#include <mr/schema.h>
#include <mr/value.h>
#include <yajl/yajl_tree.h>

enum {
    MR_SCHEMA_DEPTH_MAX = 64,          /* JSON nesting, and types within types */
    MR_TYPE_SIZE_MAX = 1024 * 1024,    /* bytes of one value without what hangs below */
    MR_SCHEMA_BYTES_MAX = 1024 * 1024, /* JSON text of one file */
    MR_SCHEMA_NAMED_MAX = 1024,        /* types with a name in one file */
};

struct avro_obj_t; /* avro-c's schema */
typedef struct mr_schema_file mr_schema_file;

/* Names in the order of mr_name_compare, for a binary search. */
typedef struct mr_name_slot {
    const char *name;
    uint32_t len;
    uint32_t index;
} mr_name_slot;

typedef struct mr_field_info {
    const char *const *aliases;
    size_t n_aliases;
    yajl_val preset_json; /* NULL: no default */
} mr_field_info;

typedef enum mr_type_state {
    MR_TYPE_PARSED,
    MR_TYPE_LAYING,
    MR_TYPE_LAID,
    MR_TYPE_PRESETTING,
    MR_TYPE_PRESET,
} mr_type_state;

/* Every mr_type is the first member of one of these. */
typedef struct mr_type_info {
    mr_type type;
    mr_type_state state;
    int depth;           /* of types within types; one that refers back counts as 1 */
    bool weightless;     /* a value takes no byte in Avro's binary encoding */
    bool zero;           /* the initial value is all zero bytes */
    const void *initial; /* flat types whose initial value is not zero: that value; else NULL */
    const mr_name_slot *by_name; /* fields or symbols */
    size_t n_by_name;
    /* Named types. */
    const char *name_space;     /* "" is the null namespace */
    const char *const *aliases; /* full names */
    size_t n_aliases;
    yajl_val json; /* the definition as written */
    const mr_schema_file *file;
    int default_symbol; /* enum; -1: none */
    mr_field_info *field_infos;
    mr_field *fields;
    struct avro_obj_t *avro; /* records, unions and fixed: what avro-c asks a value for */
} mr_type_info;

struct mr_schema {
    const char *name;
    const char *short_name;
    const mr_type *type;
    uint64_t fingerprint;
    char *canonical;
    char *json;
    const mr_schema_file *file;
};

/* One JSON text with everything that was made of it. */
struct mr_schema_file {
    char *origin;
    yajl_val json;
    bool history;         /* found by fingerprint only */
    bool unresolved;      /* the parse failed at a named type that is not known (yet) */
    mr_type_info **types; /* all made by this file, inner ones first */
    size_t n_types;
    size_t types_capacity;
    mr_type_info **named; /* in the order of their definition */
    size_t n_named;
    size_t named_capacity;
    /* Named types of other files that this one uses. */
    const mr_type_info **externals;
    size_t n_externals;
    size_t externals_capacity;
    const mr_type *top;
    mr_schema *schemas; /* of the named types, then of an anonymous top */
    size_t n_schemas;
    void **blocks; /* memory that lives as long as the file */
    size_t n_blocks;
    size_t blocks_capacity;
};

static inline const mr_type_info *mr_type_info_of(const mr_type *type)
{
    return (const mr_type_info *)(const void *)type;
}
static inline mr_type_info *mr_type_info_edit(const mr_type *type)
{
    return (mr_type_info *)(uintptr_t)type;
}

static inline size_t mr_align_up(size_t offset, size_t align)
{
    return (offset + align - 1) / align * align;
}

static inline bool mr_type_is_named(const mr_type *type)
{
    return type->kind == MR_TYPE_RECORD || type->kind == MR_TYPE_ENUM ||
           type->kind == MR_TYPE_FIXED;
}

/* ---- schema_type.c ---- */

/* Shared and constant. */
const mr_type *mr_type_primitive(mr_type_kind kind);
const mr_type *mr_type_timestamp(void);
/* MR_NOT_FOUND when `name` is none of Avro's primitive types. */
mr_status mr_type_primitive_named(const char *name, const mr_type **ret_type) MR_MUST_USE;
const char *mr_type_kind_name(mr_type_kind kind);
/* What follows the last dot. */
const char *mr_short_name(const char *full_name);
/* Sorts names into slots; the index of a name that is there twice, -1. */
int mr_names_sort(mr_name_slot *slots, size_t n);
int mr_names_find(const mr_name_slot *slots, size_t n, mr_bytes name);

/* ---- schema_file.c ---- */

mr_schema_file *mr_schema_file_new(const char *origin);
void mr_schema_file_free(mr_schema_file *file);
MR_DEFINE_CLEANUP(mr_schema_file, mr_schema_file_free)
/* Zeroed memory that lives as long as the file. */
void *mr_schema_file_alloc(mr_schema_file *file, size_t count, size_t size);
const char *mr_schema_file_text(mr_schema_file *file, const char *text, size_t len);
/* Stands for a zero byte in the texts of file->json, which are C strings: U+10FFFF, which is no
 * character. Bytes with zeros are found in defaults. */
#define MR_SCHEMA_ZERO "\xf4\x8f\xbf\xbf"

/* Reads the text into file->json. */
mr_status mr_schema_file_read(mr_schema_file *file, const char *json, mr_error *err) MR_MUST_USE;

/* ---- schema_parse.c: JSON to types ---- */

/* `schemas` gives the named types of other files. */
mr_status mr_schema_parse(mr_schema_file *file, const mr_schemas *schemas,
                          mr_error *err) MR_MUST_USE;

/* The type that a name within this file means: its own or an external one; NULL. */
const mr_type_info *mr_schema_file_find(const mr_schema_file *file, const char *full_name);
/* The full name of `name` as written where `name_space` encloses; in the file's memory. */
const char *mr_schema_full_name(mr_schema_file *file, const char *name, const char *name_space);

/* ---- schema_layout.c, schema_default.c: everything a value needs ---- */

mr_status mr_schema_layout(mr_schema_file *file, mr_error *err) MR_MUST_USE;
mr_status mr_schema_presets(mr_schema_file *file, mr_error *err) MR_MUST_USE;

/* ---- schema_set.c ---- */

/* The current schema of exactly this full name, NULL. */
const mr_schema *mr_schemas_current(const mr_schemas *schemas, const char *full_name);

/* ---- schema_canonical.c, schema_json.c: texts ---- */

/* Appends the Parsing Canonical Form. */
void mr_type_canonical(const mr_type *type, mr_buf *text);
/* The name of which `type` would need two different definitions, NULL: none. */
const char *mr_type_conflict(const mr_type *type);
uint64_t mr_fingerprint(mr_bytes canonical);
/* Appends the JSON as it was written, with the definitions of other files' types put in. `type` is
 * a named type or the top of the file. */
void mr_schema_print(const mr_schema_file *file, const mr_type *type, mr_buf *text);

/* ---- avro_schema.c ---- */

/* Gives records, unions and fixed of the file their avro-c schema. */
mr_status mr_schema_avro(mr_schema_file *file, mr_error *err) MR_MUST_USE;
void mr_schema_avro_free(struct avro_obj_t *avro);
