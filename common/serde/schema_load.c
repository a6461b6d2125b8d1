#include "serde/schema_set.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/file.h"

/*
 * A directory of schemas. Files are read in the order of their names and built as often as one of
 * them was still waiting for another; then those in `history` directories, which may use the
 * current types.
 */

enum { DIRECTORY_DEPTH_MAX = 16, FILES_MAX = 10000 };

typedef struct loader {
    mr_schemas *schemas;
    mr_schema_file **files; /* those taken over by the set are NULL */
    size_t n_files;
    size_t files_capacity;
    mr_error *err;
} loader;

static void loader_deinit(loader *l)
{
    for (size_t i = 0; i < l->n_files; i++) {
        mr_schema_file_free(l->files[i]);
    }
    free(l->files);
}

/* What a person wrote is wrong: the process must not start with it. */
static mr_status as_usage(mr_error *err, mr_status status)
{
    if (status != MR_ERR_DATA) {
        return status;
    }
    char reason[sizeof(err->message)];
    memcpy(reason, err->message, sizeof(reason));
    return mr_error_set(err, MR_ERR_USAGE, "%s", reason);
}

static mr_status read_file(loader *l, const char *path, bool history)
{
    if (l->n_files == FILES_MAX) {
        return mr_error_set(l->err, MR_ERR_USAGE, "%s: more than %d schema files", path, FILES_MAX);
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    const mr_status status = mr_file_read(path, MR_SCHEMA_BYTES_MAX, &text, l->err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(l->err, MR_ERR_USAGE, "%s: a link to no file", path);
    }
    MR_TRY(status);
    if (memchr(mr_buf_text(&text), '\0', text.len) != NULL) {
        return mr_error_set(l->err, MR_ERR_USAGE, "%s: no JSON: it has a zero byte", path);
    }
    MR_CLEANUP(mr_schema_file_freep) mr_schema_file *file = mr_schema_file_new(path);
    file->history = history;
    MR_TRY(mr_schema_file_read(file, mr_buf_text(&text), l->err));
    MR_GROW(l->files, l->files_capacity, l->n_files + 1);
    l->files[l->n_files++] = MR_STEAL(&file);
    return MR_OK;
}

typedef struct listing {
    struct dirent **entries;
    int n;
} listing;

static void listing_deinit(listing *list)
{
    for (int i = 0; i < list->n; i++) {
        free(list->entries[i]);
    }
    free(list->entries);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_text(char **text)
{
    free(*text);
}

static mr_status read_directory(loader *l, const char *directory, bool history, int depth);

static mr_status read_entry(loader *l, const char *directory, const char *name, bool history,
                            int depth)
{
    MR_CLEANUP(free_text) char *path = mr_asprintf("%s/%s", directory, name);
    struct stat about;
    const bool exists = stat(path, &about) == 0;
    if (exists && S_ISDIR(about.st_mode)) {
        return read_directory(l, path, history || strcmp(name, "history") == 0, depth + 1);
    }
    const size_t len = strlen(name);
    const bool is_schema = len > 5 && strcmp(name + len - 5, ".avsc") == 0;
    return is_schema ? read_file(l, path, history) : MR_OK;
}

static mr_status read_directory(loader *l, const char *directory, bool history, int depth)
{
    if (depth > DIRECTORY_DEPTH_MAX) {
        return mr_error_set(l->err, MR_ERR_USAGE, "%s: more than %d directories within each other",
                            directory, DIRECTORY_DEPTH_MAX);
    }
    MR_CLEANUP(listing_deinit) listing list = {0};
    const int n = scandir(directory, &list.entries, is_visible, compare_entries);
    if (n < 0) {
        const int native = errno;
        char text[128];
        return mr_error_set(l->err, MR_ERR_USAGE, "schemas directory '%s': %s", directory,
                            strerror_r(native, text, sizeof(text)));
    }
    list.n = n;
    for (int i = 0; i < n; i++) {
        MR_TRY(read_entry(l, directory, list.entries[i]->d_name, history, depth));
    }
    return MR_OK;
}

/* Two files may both define a type, as self-contained files do, when they define the same. */
static mr_status check_redefinition(const loader *l, const mr_schema_file *file)
{
    for (size_t i = 0; i < file->n_schemas && !file->history; i++) {
        const mr_schema *schema = &file->schemas[i];
        const mr_schema *other = mr_schemas_current(l->schemas, schema->name);
        if (other != NULL && mr_type_is_named(schema->type) &&
            other->fingerprint != schema->fingerprint) {
            return mr_error_set(l->err, MR_ERR_USAGE,
                                "%s: '%s' is defined differently in %s (older versions belong into "
                                "a directory 'history')",
                                file->origin, schema->name, other->file->origin);
        }
    }
    return MR_OK;
}

/* A file whose build failed half-way is made anew from its JSON. */
static mr_schema_file *made_anew(mr_schema_file *file)
{
    mr_schema_file *fresh = mr_schema_file_new(file->origin);
    fresh->json = MR_STEAL(&file->json);
    fresh->history = file->history;
    mr_schema_file_free(file);
    return fresh;
}

static mr_status build_file(loader *l, size_t i, bool *ret_waits)
{
    mr_schema_file *file = l->files[i];
    const mr_status status = mr_schemas_build(l->schemas, file, l->err);
    *ret_waits = status < 0 && file->unresolved;
    if (*ret_waits) {
        l->files[i] = made_anew(file);
        return MR_OK;
    }
    MR_TRY(status);
    MR_TRY(check_redefinition(l, file));
    mr_schemas_take(l->schemas, MR_STEAL(&l->files[i]));
    return MR_OK;
}

/* Builds all current or all history files, in rounds while there is progress. */
static mr_status build_all(loader *l, bool history)
{
    for (bool progress = true, waiting = true; waiting;) {
        if (!progress) {
            /* The last error is that of a file that waits. */
            return l->err->status;
        }
        progress = false;
        waiting = false;
        for (size_t i = 0; i < l->n_files; i++) {
            if (l->files[i] == NULL || l->files[i]->history != history) {
                continue;
            }
            bool waits;
            MR_TRY(build_file(l, i, &waits));
            waiting = waiting || waits;
            progress = progress || !waits;
        }
    }
    return MR_OK;
}

mr_status mr_schemas_load(mr_schemas *schemas, const char *directory, mr_error *err)
{
    MR_CLEANUP(loader_deinit) loader l = {.schemas = schemas, .err = err};
    mr_status status = read_directory(&l, directory, false, 0);
    if (status == MR_OK) {
        status = build_all(&l, false);
    }
    if (status == MR_OK) {
        status = build_all(&l, true);
    }
    return as_usage(err, status);
}
