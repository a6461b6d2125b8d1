/*
 * Avro schemas, and the C memory that a value of one is laid out in.
 *
 * Every schema is parsed once and is immutable afterwards; all threads may share it. Its mr_type
 * tree tells where each field of a value lies (mr/value.h). Recursive schemas are accepted only
 * through arrays and maps: a record that contains itself directly has no size.
 */
#pragma once

#include <mr/bytes.h>

typedef enum mr_type_kind {
    MR_TYPE_NULL,
    MR_TYPE_BOOLEAN, /* bool */
    MR_TYPE_INT,     /* int32_t */
    MR_TYPE_LONG,    /* int64_t */
    MR_TYPE_FLOAT,   /* float */
    MR_TYPE_DOUBLE,  /* double */
    MR_TYPE_BYTES,   /* mr_string */
    MR_TYPE_STRING,  /* mr_string, UTF-8 */
    MR_TYPE_FIXED,   /* uint8_t[fixed_size] */
    MR_TYPE_ENUM,    /* int32_t: index into symbols */
    MR_TYPE_ARRAY,   /* mr_array of items */
    MR_TYPE_MAP,     /* mr_array of map entries, in key order */
    MR_TYPE_UNION,   /* mr_union: branch number, then the branch's value at offset `payload` */
    MR_TYPE_RECORD,  /* fields at their offsets */
} mr_type_kind;

typedef struct mr_type mr_type;
typedef struct mr_schema mr_schema;
typedef struct mr_schemas mr_schemas;

typedef struct mr_field {
    const char *name;
    const mr_type *type;
    size_t offset;      /* in bytes, from the record's start */
    const void *preset; /* the default as a value of `type`; NULL where the schema has none */
} mr_field;

struct mr_type {
    mr_type_kind kind;
    size_t size; /* bytes of a value, a multiple of align */
    size_t align;
    const char *name;      /* full name (namespace.name) of record, enum, fixed; else the kind's */
    bool timestamp_millis; /* a long with logicalType timestamp-millis */
    bool flat;             /* no heap memory below: copying is memcpy */
    /* record */
    const mr_field *fields;
    size_t n_fields;
    /* union */
    const mr_type *const *branches;
    size_t n_branches;
    size_t payload;  /* offset of the branch's value in a union */
    int null_branch; /* -1: none */
    /* array and map */
    const mr_type *items; /* the element; for a map the value */
    size_t stride;        /* bytes from one element (map: entry) to the next */
    size_t entry_value;   /* map: offset of the value in an entry; the key, an mr_string, is at 0 */
    /* enum and fixed */
    const char *const *symbols;
    size_t n_symbols;
    size_t fixed_size;
};

/* One named Avro record, enum, fixed, or the anonymous top-level schema of a file. */
const char *mr_schema_name(const mr_schema *schema); /* full name */
const char *mr_schema_short_name(const mr_schema *schema);
const mr_type *mr_schema_type(const mr_schema *schema);
/* CRC-64-AVRO of the Parsing Canonical Form (Avro 1.11 specification, "Schema Fingerprints"). */
uint64_t mr_schema_fingerprint(const mr_schema *schema);
/* The Parsing Canonical Form, and the schema as written (both self-contained JSON). */
const char *mr_schema_canonical(const mr_schema *schema);
const char *mr_schema_json(const mr_schema *schema);

/* MR_NOT_FOUND outcomes are NULL here. The index of the field or symbol, -1 when there is none. */
int mr_type_field(const mr_type *type, mr_bytes name);
int mr_type_symbol(const mr_type *type, mr_bytes symbol);
/* The only non-null branch of a two-branch union with null, NULL for any other type. */
const mr_type *mr_type_optional(const mr_type *type);

/* ---- A set of schemas: everything an app knows. Thread: build in one, then read from any. ---- */

/* Owns every schema added to it. */
mr_schemas *mr_schemas_new(void);
void mr_schemas_free(mr_schemas *schemas);
MR_DEFINE_CLEANUP(mr_schemas, mr_schemas_free)

/*
 * Reads every *.avsc below `directory` in name order. A file may use named types of other files
 * whatever their order (loading repeats until nothing is unresolved). Several versions of one name
 * may coexist: `Name.avsc` is the current one, files in a subdirectory `history/` are older
 * writers, found by fingerprint only. Errors name file, JSON path and reason.
 */
mr_status mr_schemas_load(mr_schemas *schemas, const char *directory, mr_error *err) MR_MUST_USE;

/* Adds one schema from JSON text; `origin` is said in errors. References to named types already in
 * the set are resolved. The new schema is current for its name. */
mr_status mr_schemas_add(mr_schemas *schemas, const char *json, const char *origin,
                         const mr_schema **ret_schema, mr_error *err) MR_MUST_USE;

/* By full name, or by short name where only one namespace has it. NULL: none. */
const mr_schema *mr_schemas_find(const mr_schemas *schemas, mr_bytes name);
const mr_schema *mr_schemas_find_fingerprint(const mr_schemas *schemas, uint64_t fingerprint);
/* The name nearest to what a person wrote, NULL. */
const char *mr_schemas_nearest(const mr_schemas *schemas, const char *name);
size_t mr_schemas_count(const mr_schemas *schemas);
const mr_schema *mr_schemas_at(const mr_schemas *schemas, size_t i); /* in name order */
