#include "serde/schema.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

mr_schema_file *mr_schema_file_new(const char *origin)
{
    mr_schema_file *file = mr_alloc_zero(1, sizeof(*file));
    file->origin = mr_strdup(origin);
    return file;
}

/* Defaults own memory below; every mr_value_free needs the types, so they go first. */
static void free_presets(mr_type_info *info)
{
    for (size_t i = 0; info->fields != NULL && i < info->type.n_fields; i++) {
        void *preset = (void *)(uintptr_t)info->fields[i].preset;
        mr_value_free(info->fields[i].type, preset);
        info->fields[i].preset = NULL;
    }
}

void mr_schema_file_free(mr_schema_file *file)
{
    if (file == NULL) {
        return;
    }
    for (size_t i = 0; i < file->n_types; i++) {
        free_presets(file->types[i]);
        mr_schema_avro_free(file->types[i]->avro);
    }
    for (size_t i = 0; i < file->n_schemas; i++) {
        free(file->schemas[i].canonical);
        free(file->schemas[i].json);
    }
    for (size_t i = 0; i < file->n_blocks; i++) {
        free(file->blocks[i]);
    }
    yajl_tree_free(file->json);
    free(file->blocks);
    free(file->types);
    free(file->named);
    free(file->externals);
    free(file->origin);
    free(file);
}

void *mr_schema_file_alloc(mr_schema_file *file, size_t count, size_t size)
{
    void *block = mr_alloc_zero(count, size);
    MR_GROW(file->blocks, file->blocks_capacity, file->n_blocks + 1);
    file->blocks[file->n_blocks++] = block;
    return block;
}

const char *mr_schema_file_text(mr_schema_file *file, const char *text, size_t len)
{
    char *copy = mr_schema_file_alloc(file, len + 1, 1);
    memcpy(copy, text, len);
    return copy;
}

/* Behind a string or a comment (yajl's tree accepts them) that begins at `json`; NULL: neither. */
static const char *skip_opaque(const char *json)
{
    if (json[0] == '/' && json[1] == '/') {
        return json + strcspn(json, "\n");
    }
    if (json[0] == '/' && json[1] == '*') {
        const char *end = strstr(json + 2, "*/");
        return end == NULL ? json + strlen(json) : end + 2;
    }
    if (json[0] != '"') {
        return NULL;
    }
    for (json++; *json != '\0' && *json != '"'; json++) {
        json += json[0] == '\\' && json[1] != '\0';
    }
    return *json == '"' ? json + 1 : json;
}

/* yajl frees its tree by recursion: what is nested too deeply must not become a tree. */
static bool nested_too_deeply(const char *json)
{
    size_t depth = 0;
    while (*json != '\0') {
        const char *behind = skip_opaque(json);
        if (behind != NULL) {
            json = behind;
            continue;
        }
        if (*json == '{' || *json == '[') {
            depth++;
            if (depth > MR_SCHEMA_DEPTH_MAX * 4) {
                return true;
            }
        } else if ((*json == '}' || *json == ']') && depth > 0) {
            depth--;
        }
        json++;
    }
    return false;
}

/* \u0000 becomes MR_SCHEMA_ZERO; behind a backslash that is itself escaped it is no escape. */
static void mark_zeros(const char *json, mr_buf *marked)
{
    while (*json != '\0') {
        if (json[0] == '\\' && strncmp(json + 1, "u0000", 5) == 0) {
            mr_buf_append_text(marked, MR_SCHEMA_ZERO);
            json += 6;
            continue;
        }
        const size_t n = json[0] == '\\' && json[1] != '\0' ? 2 : 1;
        mr_buf_append(marked, json, n);
        json += n;
    }
}

mr_status mr_schema_file_read(mr_schema_file *file, const char *json, mr_error *err)
{
    if (strlen(json) > MR_SCHEMA_BYTES_MAX) {
        return mr_error_set(err, MR_ERR_DATA, "%s: a schema of more than %d bytes", file->origin,
                            MR_SCHEMA_BYTES_MAX);
    }
    if (!mr_text_is_utf8(mr_bytes_text(json))) {
        return mr_error_set(err, MR_ERR_DATA, "%s: the text is not UTF-8", file->origin);
    }
    if (nested_too_deeply(json)) {
        return mr_error_set(err, MR_ERR_DATA, "%s: the JSON is nested too deeply", file->origin);
    }
    if (strstr(json, MR_SCHEMA_ZERO) != NULL) {
        return mr_error_set(err, MR_ERR_DATA, "%s: the text has U+10FFFF, which is no character",
                            file->origin);
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf marked = MR_BUF_NULL;
    mark_zeros(json, &marked);
    char reason[256] = "";
    file->json = yajl_tree_parse(mr_buf_text(&marked), reason, sizeof(reason));
    if (file->json == NULL) {
        /* yajl's text has several lines: the reason and an extract with an arrow. */
        reason[strcspn(reason, "\n")] = '\0';
        return mr_error_set(err, MR_ERR_DATA, "%s: no JSON: %s", file->origin,
                            reason[0] == '\0' ? "it ends too early" : reason);
    }
    return MR_OK;
}
