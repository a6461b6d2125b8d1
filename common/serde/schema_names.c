#include "serde/schema_names.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

bool mr_schema_name_is_valid(const char *name, bool dots)
{
    bool first = true;
    for (const char *c = name; *c != '\0'; c++) {
        const bool letter = (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '_';
        const bool digit = *c >= '0' && *c <= '9';
        const bool dot = dots && *c == '.';
        if (first ? !letter : !(letter || digit || dot)) {
            return false;
        }
        first = dot;
    }
    return !first;
}

const char *mr_schema_full_name(mr_schema_file *file, const char *name, const char *name_space)
{
    if (name_space[0] == '\0' || strchr(name, '.') != NULL) {
        return mr_schema_file_text(file, name, strlen(name));
    }
    char *full_name = mr_schema_file_alloc(file, strlen(name_space) + 1 + strlen(name) + 1, 1);
    memcpy(full_name, name_space, strlen(name_space));
    full_name[strlen(name_space)] = '.';
    memcpy(full_name + strlen(name_space) + 1, name, strlen(name));
    return full_name;
}

const mr_type_info *mr_schema_file_find(const mr_schema_file *file, const char *full_name)
{
    for (size_t i = 0; i < file->n_named; i++) {
        if (strcmp(file->named[i]->type.name, full_name) == 0) {
            return file->named[i];
        }
    }
    for (size_t i = 0; i < file->n_externals; i++) {
        if (strcmp(file->externals[i]->type.name, full_name) == 0) {
            return file->externals[i];
        }
    }
    return NULL;
}

const char *mr_schema_nearest_type(const mr_schema_file *file, const mr_schemas *schemas,
                                   const char *name)
{
    const size_t n_set = mr_schemas_count(schemas);
    const char **names = mr_alloc((MR_TYPE_STRING + 1 + file->n_named + n_set) * sizeof(*names));
    const bool dots = strchr(name, '.') != NULL;
    size_t n = 0;
    for (mr_type_kind kind = MR_TYPE_NULL; kind <= MR_TYPE_STRING; kind++) {
        names[n++] = mr_type_kind_name(kind);
    }
    for (size_t i = 0; i < file->n_named; i++) {
        const char *full_name = file->named[i]->type.name;
        names[n++] = dots ? full_name : mr_short_name(full_name);
    }
    for (size_t i = 0; i < n_set; i++) {
        const mr_schema *schema = mr_schemas_at(schemas, i);
        names[n++] = dots ? mr_schema_name(schema) : mr_schema_short_name(schema);
    }
    const char *nearest = mr_text_nearest(name, names, n, sizeof(names[0]));
    /* The right short name in the wrong namespace: only the full name helps. */
    for (size_t i = 0; i < n_set && nearest != NULL && strcmp(nearest, name) == 0; i++) {
        if (strcmp(mr_schema_short_name(mr_schemas_at(schemas, i)), name) == 0) {
            nearest = mr_schema_name(mr_schemas_at(schemas, i));
        }
    }
    free(names);
    return nearest;
}

yajl_val mr_json_member(yajl_val object, const char *name)
{
    if (!YAJL_IS_OBJECT(object)) {
        return NULL;
    }
    for (size_t i = 0; i < object->u.object.len; i++) {
        if (strcmp(object->u.object.keys[i], name) == 0) {
            return object->u.object.values[i];
        }
    }
    return NULL;
}
