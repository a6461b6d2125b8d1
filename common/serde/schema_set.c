#include "serde/schema_set.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

typedef struct by_fingerprint {
    uint64_t fingerprint;
    const mr_schema *schema;
} by_fingerprint;

struct mr_schemas {
    mr_schema_file **files;
    size_t n_files;
    size_t files_capacity;
    const mr_schema **current; /* in the order of full names, each name once */
    size_t n_current;
    size_t current_capacity;
    const mr_schema **by_short_name; /* the same in the order of short names */
    size_t by_short_name_capacity;
    by_fingerprint *fingerprints; /* in their order, each once */
    size_t n_fingerprints;
    size_t fingerprints_capacity;
};

mr_schemas *mr_schemas_new(void)
{
    return mr_alloc_zero(1, sizeof(mr_schemas));
}

void mr_schemas_free(mr_schemas *schemas)
{
    if (schemas == NULL) {
        return;
    }
    /* Later files use types of earlier ones. */
    for (size_t i = schemas->n_files; i > 0; i--) {
        mr_schema_file_free(schemas->files[i - 1]);
    }
    free(schemas->files);
    free(schemas->current);
    free(schemas->by_short_name);
    free(schemas->fingerprints);
    free(schemas);
}

/* ---- Looking up ---- */

/* The first schema whose name is not less. */
static size_t lower_bound(const mr_schemas *schemas, mr_bytes name)
{
    size_t from = 0;
    size_t to = schemas->n_current;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (mr_bytes_compare(mr_bytes_text(schemas->current[middle]->name), name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static size_t lower_bound_short(const mr_schemas *schemas, mr_bytes name)
{
    size_t from = 0;
    size_t to = schemas->n_current;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (mr_bytes_compare(mr_bytes_text(schemas->by_short_name[middle]->short_name), name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static bool has_name(const mr_schemas *schemas, size_t i, mr_bytes name)
{
    return i < schemas->n_current && mr_bytes_equal_text(name, schemas->current[i]->name);
}

static bool has_short_name(const mr_schemas *schemas, size_t i, mr_bytes name)
{
    return i < schemas->n_current &&
           mr_bytes_equal_text(name, schemas->by_short_name[i]->short_name);
}

const mr_schema *mr_schemas_current(const mr_schemas *schemas, const char *full_name)
{
    const mr_bytes name = mr_bytes_text(full_name);
    const size_t i = lower_bound(schemas, name);
    return has_name(schemas, i, name) ? schemas->current[i] : NULL;
}

const mr_schema *mr_schemas_find(const mr_schemas *schemas, mr_bytes name)
{
    if (mr_bytes_is_null(name)) {
        return NULL;
    }
    const size_t i = lower_bound(schemas, name);
    if (has_name(schemas, i, name)) {
        return schemas->current[i];
    }
    const size_t j = lower_bound_short(schemas, name);
    const bool unique = has_short_name(schemas, j, name) && !has_short_name(schemas, j + 1, name);
    return unique ? schemas->by_short_name[j] : NULL;
}

static size_t fingerprint_bound(const mr_schemas *schemas, uint64_t fingerprint)
{
    size_t from = 0;
    size_t to = schemas->n_fingerprints;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (schemas->fingerprints[middle].fingerprint < fingerprint) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

const mr_schema *mr_schemas_find_fingerprint(const mr_schemas *schemas, uint64_t fingerprint)
{
    const size_t i = fingerprint_bound(schemas, fingerprint);
    const bool found =
        i < schemas->n_fingerprints && schemas->fingerprints[i].fingerprint == fingerprint;
    return found ? schemas->fingerprints[i].schema : NULL;
}

const char *mr_schemas_nearest(const mr_schemas *schemas, const char *name)
{
    const bool dots = strchr(name, '.') != NULL;
    const char **names = mr_alloc(schemas->n_current * sizeof(*names));
    for (size_t i = 0; i < schemas->n_current; i++) {
        names[i] = dots ? schemas->current[i]->name : schemas->current[i]->short_name;
    }
    const char *nearest = mr_text_nearest(name, names, schemas->n_current, sizeof(names[0]));
    free(names);
    return nearest;
}

size_t mr_schemas_count(const mr_schemas *schemas)
{
    return schemas->n_current;
}

const mr_schema *mr_schemas_at(const mr_schemas *schemas, size_t i)
{
    assert(i < schemas->n_current);
    return schemas->current[i];
}

/* ---- Filling ---- */

static void make_schema(mr_schema_file *file, const mr_type *type)
{
    mr_schema *schema = &file->schemas[file->n_schemas++];
    MR_CLEANUP(mr_buf_deinit) mr_buf canonical = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf json = MR_BUF_NULL;
    mr_type_canonical(type, &canonical);
    mr_schema_print(file, type, &json);
    *schema = (mr_schema){
        .name = type->name,
        .short_name = mr_short_name(type->name),
        .type = type,
        .fingerprint = mr_fingerprint(mr_buf_bytes(&canonical)),
        .canonical = mr_strdup(mr_buf_text(&canonical)),
        .json = mr_strdup(mr_buf_text(&json)),
        .file = file,
    };
}

mr_status mr_schemas_build(const mr_schemas *schemas, mr_schema_file *file, mr_error *err)
{
    MR_TRY(mr_schema_parse(file, schemas, err));
    MR_TRY(mr_schema_layout(file, err));
    MR_TRY(mr_schema_presets(file, err));
    MR_TRY(mr_schema_avro(file, err));
    file->schemas = mr_schema_file_alloc(file, file->n_named + 1, sizeof(*file->schemas));
    for (size_t i = 0; i < file->n_named; i++) {
        make_schema(file, &file->named[i]->type);
    }
    if (!mr_type_is_named(file->top)) {
        make_schema(file, file->top);
    }
    return MR_OK;
}

static void insert_pointer(const mr_schema **list, size_t n, size_t i, const mr_schema *schema)
{
    memmove(list + i + 1, list + i, (n - i) * sizeof(*list));
    list[i] = schema;
}

static void make_current(mr_schemas *schemas, const mr_schema *schema)
{
    const mr_bytes name = mr_bytes_text(schema->name);
    const mr_bytes short_name = mr_bytes_text(schema->short_name);
    const size_t i = lower_bound(schemas, name);
    size_t j = lower_bound_short(schemas, short_name);
    if (has_name(schemas, i, name)) {
        while (schemas->by_short_name[j] != schemas->current[i]) {
            j++;
        }
        schemas->current[i] = schema;
        schemas->by_short_name[j] = schema;
        return;
    }
    const size_t n = schemas->n_current;
    MR_GROW(schemas->current, schemas->current_capacity, n + 1);
    MR_GROW(schemas->by_short_name, schemas->by_short_name_capacity, n + 1);
    insert_pointer(schemas->current, n, i, schema);
    insert_pointer(schemas->by_short_name, n, j, schema);
    schemas->n_current++;
}

/* The first schema of a fingerprint stays: all that have it read the same bytes the same way. */
static void add_fingerprint(mr_schemas *schemas, const mr_schema *schema)
{
    const size_t i = fingerprint_bound(schemas, schema->fingerprint);
    const size_t n = schemas->n_fingerprints;
    if (i < n && schemas->fingerprints[i].fingerprint == schema->fingerprint) {
        return;
    }
    MR_GROW(schemas->fingerprints, schemas->fingerprints_capacity, n + 1);
    memmove(&schemas->fingerprints[i + 1], &schemas->fingerprints[i],
            (n - i) * sizeof(schemas->fingerprints[0]));
    schemas->fingerprints[i] = (by_fingerprint){schema->fingerprint, schema};
    schemas->n_fingerprints++;
}

void mr_schemas_take(mr_schemas *schemas, mr_schema_file *file)
{
    MR_GROW(schemas->files, schemas->files_capacity, schemas->n_files + 1);
    schemas->files[schemas->n_files++] = file;
    for (size_t i = 0; i < file->n_schemas; i++) {
        const mr_schema *schema = &file->schemas[i];
        add_fingerprint(schemas, schema);
        if (!file->history && mr_type_is_named(schema->type)) {
            make_current(schemas, schema);
        }
    }
}

/* The schema of the file's top, which may be a type of another file. */
static const mr_schema *top_schema(const mr_schemas *schemas, const mr_schema_file *file)
{
    for (size_t i = 0; i < file->n_schemas; i++) {
        if (file->schemas[i].type == file->top) {
            return &file->schemas[i];
        }
    }
    return mr_schemas_current(schemas, file->top->name);
}

mr_status mr_schemas_add(mr_schemas *schemas, const char *json, const char *origin,
                         const mr_schema **ret_schema, mr_error *err)
{
    MR_CLEANUP(mr_schema_file_freep) mr_schema_file *file = mr_schema_file_new(origin);
    MR_TRY(mr_schema_file_read(file, json, err));
    MR_TRY(mr_schemas_build(schemas, file, err));
    const mr_schema_file *taken = file;
    mr_schemas_take(schemas, MR_STEAL(&file));
    *ret_schema = top_schema(schemas, taken);
    return MR_OK;
}
