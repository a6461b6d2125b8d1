#include "serde/schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "serde/schema_names.h"

/*
 * Avro's schema declaration (Avro 1.11 specification, "Schema Declaration"), read from yajl's tree.
 * avro-c has a parser too, but it drops logical types, aliases and defaults, and tells errors
 * through a buffer that all threads share.
 */

enum { UNION_BRANCHES_MAX = 1024, PATH_SIZE = 256 };

typedef struct parser {
    mr_schema_file *file;
    const mr_schemas *schemas;
    mr_error *err;
    const char *name_space; /* of the innermost named type around */
    size_t path_len;
    char path[PATH_SIZE]; /* JSON path of what is being read */
} parser;

static mr_status parse_type(parser *p, yajl_val json, const mr_type **ret_type) MR_MUST_USE;

MR_PRINTF(2, 3)
static mr_status fail(parser *p, const char *format, ...)
{
    char reason[320];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return mr_error_set(p->err, MR_ERR_DATA, "%s: %s: %s", p->file->origin, p->path, reason);
}

/* Goes one step down in the path; returns where to go back to. A path that is too long is cut. */
MR_PRINTF(2, 3)
static size_t enter(parser *p, const char *format, ...)
{
    const size_t back = p->path_len;
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(p->path + back, sizeof(p->path) - back, format, arguments);
    va_end(arguments);
    const size_t wanted = back + (len < 0 ? 0 : (size_t)len);
    p->path_len = wanted < sizeof(p->path) ? wanted : sizeof(p->path) - 1;
    return back;
}

static void leave(parser *p, size_t back)
{
    p->path_len = back;
    p->path[back] = '\0';
}

static const char *text_of(yajl_val json)
{
    return json != NULL && YAJL_IS_STRING(json) ? json->u.string : NULL;
}

static mr_type_info *new_type(parser *p, mr_type_kind kind)
{
    mr_schema_file *file = p->file;
    mr_type_info *info = mr_schema_file_alloc(file, 1, sizeof(*info));
    info->type.kind = kind;
    info->type.name = mr_type_kind_name(kind);
    info->type.align = 1;
    info->type.null_branch = -1;
    info->default_symbol = -1;
    info->file = file;
    MR_GROW(file->types, file->types_capacity, file->n_types + 1);
    file->types[file->n_types++] = info;
    return info;
}

static mr_status deepen(parser *p, mr_type_info *info, const mr_type *inner)
{
    const int depth = mr_type_info_of(inner)->depth + 1;
    info->depth = depth > info->depth ? depth : info->depth;
    return depth <= MR_SCHEMA_DEPTH_MAX
               ? MR_OK
               : fail(p, "more than %d types within each other", MR_SCHEMA_DEPTH_MAX);
}

/* ---- References ---- */

static mr_status unknown_type(parser *p, const char *name)
{
    const char *near = mr_schema_nearest_type(p->file, p->schemas, name);
    p->file->unresolved = true;
    return near == NULL ? fail(p, "unknown type '%s'", name)
                        : fail(p, "unknown type '%s', did you mean '%s'?", name, near);
}

static mr_status parse_reference(parser *p, const char *name, const mr_type **ret_type)
{
    if (mr_type_primitive_named(name, ret_type) == MR_OK) {
        return MR_OK;
    }
    mr_schema_file *file = p->file;
    const char *full_name = mr_schema_full_name(file, name, p->name_space);
    const mr_type_info *info = mr_schema_file_find(file, full_name);
    if (info == NULL) {
        const mr_schema *schema = mr_schemas_current(p->schemas, full_name);
        if (schema == NULL) {
            return unknown_type(p, name);
        }
        info = mr_type_info_of(mr_schema_type(schema));
        MR_GROW(file->externals, file->externals_capacity, file->n_externals + 1);
        file->externals[file->n_externals++] = info;
    }
    *ret_type = &info->type;
    return MR_OK;
}

/* ---- Named types ---- */

static mr_status parse_aliases(parser *p, yajl_val json, const char *name_space,
                               const char *const **ret_aliases, size_t *ret_n)
{
    yajl_val aliases = mr_json_member(json, "aliases");
    if (aliases == NULL || YAJL_IS_NULL(aliases)) {
        return MR_OK;
    }
    if (!YAJL_IS_ARRAY(aliases)) {
        return fail(p, "'aliases' is no array");
    }
    const size_t n = aliases->u.array.len;
    const char **names = mr_schema_file_alloc(p->file, n, sizeof(*names));
    for (size_t i = 0; i < n; i++) {
        const char *alias = text_of(aliases->u.array.values[i]);
        if (alias == NULL || !mr_schema_name_is_valid(alias, name_space != NULL)) {
            return fail(p, "'aliases' has what is no name");
        }
        names[i] = name_space == NULL ? alias : mr_schema_full_name(p->file, alias, name_space);
    }
    *ret_aliases = names;
    *ret_n = n;
    return MR_OK;
}

/* Makes the type known by its name before its inside is read, which may refer to it. */
static mr_status begin_named(parser *p, yajl_val json, mr_type_kind kind, mr_type_info **ret_info)
{
    const char *name = text_of(mr_json_member(json, "name"));
    if (name == NULL) {
        return fail(p, "%s without a name", mr_type_kind_name(kind));
    }
    if (!mr_schema_name_is_valid(name, true)) {
        return fail(p, "'%s' is no name: letters, digits and _ only, and no digit first", name);
    }
    yajl_val written = mr_json_member(json, "namespace");
    const bool implied = written == NULL || YAJL_IS_NULL(written);
    const char *name_space = implied ? p->name_space : text_of(written);
    if (name_space == NULL ||
        (name_space[0] != '\0' && !mr_schema_name_is_valid(name_space, true))) {
        return fail(p, "the namespace of '%s' is no name", name);
    }
    mr_schema_file *file = p->file;
    const char *full_name = mr_schema_full_name(file, name, name_space);
    const mr_type *primitive;
    if (mr_type_primitive_named(full_name, &primitive) == MR_OK) {
        return fail(p, "'%s' is the name of a primitive type", name);
    }
    for (size_t i = 0; i < file->n_named; i++) {
        if (strcmp(file->named[i]->type.name, full_name) == 0) {
            return fail(p, "'%s' is defined twice", full_name);
        }
    }
    if (file->n_named == MR_SCHEMA_NAMED_MAX) {
        return fail(p, "more than %d named types", MR_SCHEMA_NAMED_MAX);
    }
    mr_type_info *info = new_type(p, kind);
    const char *dot = strrchr(full_name, '.');
    info->type.name = full_name;
    info->name_space =
        dot == NULL ? "" : mr_schema_file_text(file, full_name, (size_t)(dot - full_name));
    info->json = json;
    MR_TRY(parse_aliases(p, json, info->name_space, &info->aliases, &info->n_aliases));
    MR_GROW(file->named, file->named_capacity, file->n_named + 1);
    file->named[file->n_named++] = info;
    *ret_info = info;
    return MR_OK;
}

static mr_status parse_fixed(parser *p, yajl_val json, const mr_type **ret_type)
{
    mr_type_info *info;
    MR_TRY(begin_named(p, json, MR_TYPE_FIXED, &info));
    yajl_val size = mr_json_member(json, "size");
    if (size == NULL || !YAJL_IS_INTEGER(size) || size->u.number.i < 0 ||
        size->u.number.i > MR_TYPE_SIZE_MAX) {
        return fail(p, "the size of fixed '%s' is no number from 0 to %d", info->type.name,
                    MR_TYPE_SIZE_MAX);
    }
    info->type.fixed_size = (size_t)size->u.number.i;
    *ret_type = &info->type;
    return MR_OK;
}

/* Slots for the names; fails on the second of two equal ones. */
static mr_status index_names(parser *p, mr_type_info *info, const char *const *names, size_t n,
                             const char *what)
{
    mr_name_slot *slots = mr_schema_file_alloc(p->file, n, sizeof(*slots));
    for (size_t i = 0; i < n; i++) {
        slots[i] = (mr_name_slot){names[i], (uint32_t)strlen(names[i]), (uint32_t)i};
    }
    info->by_name = slots;
    info->n_by_name = n;
    const int twice = mr_names_sort(slots, n);
    return twice < 0
               ? MR_OK
               : fail(p, "%s '%s' is there twice in '%s'", what, names[twice], info->type.name);
}

static mr_status parse_enum(parser *p, yajl_val json, const mr_type **ret_type)
{
    mr_type_info *info;
    MR_TRY(begin_named(p, json, MR_TYPE_ENUM, &info));
    yajl_val symbols = mr_json_member(json, "symbols");
    if (symbols == NULL || !YAJL_IS_ARRAY(symbols) || symbols->u.array.len == 0) {
        return fail(p, "enum '%s' has no array of symbols", info->type.name);
    }
    const size_t n = symbols->u.array.len;
    const char **names = mr_schema_file_alloc(p->file, n, sizeof(*names));
    for (size_t i = 0; i < n; i++) {
        names[i] = text_of(symbols->u.array.values[i]);
        if (names[i] == NULL || !mr_schema_name_is_valid(names[i], false)) {
            return fail(p, "symbol %zu of enum '%s' is no name", i, info->type.name);
        }
    }
    MR_TRY(index_names(p, info, names, n, "symbol"));
    info->type.symbols = names;
    info->type.n_symbols = n;
    yajl_val preset = mr_json_member(json, "default");
    if (preset != NULL) {
        const char *symbol = text_of(preset);
        info->default_symbol = mr_type_symbol(&info->type, mr_bytes_text(symbol));
        if (info->default_symbol < 0) {
            return fail(p, "the default of enum '%s' is none of its symbols", info->type.name);
        }
    }
    *ret_type = &info->type;
    return MR_OK;
}

static mr_status parse_field(parser *p, yajl_val json, mr_type_info *record, size_t i)
{
    const char *name = text_of(mr_json_member(json, "name"));
    if (name == NULL || !mr_schema_name_is_valid(name, false)) {
        return name == NULL ? fail(p, "field without a name")
                            : fail(p, "'%s' is no name for a field", name);
    }
    yajl_val type = mr_json_member(json, "type");
    if (type == NULL) {
        return fail(p, "field '%s' has no type", name);
    }
    mr_field *field = &record->fields[i];
    mr_field_info *info = &record->field_infos[i];
    field->name = name;
    const size_t back = enter(p, ".type");
    MR_TRY(parse_type(p, type, &field->type));
    MR_TRY(deepen(p, record, field->type));
    leave(p, back);
    info->preset_json = mr_json_member(json, "default");
    return parse_aliases(p, json, NULL, &info->aliases, &info->n_aliases);
}

static mr_status parse_record(parser *p, yajl_val json, const mr_type **ret_type)
{
    mr_type_info *info;
    MR_TRY(begin_named(p, json, MR_TYPE_RECORD, &info));
    yajl_val fields = mr_json_member(json, "fields");
    if (fields == NULL || !YAJL_IS_ARRAY(fields)) {
        return fail(p, "record '%s' has no array of fields", info->type.name);
    }
    const size_t n = fields->u.array.len;
    info->fields = mr_schema_file_alloc(p->file, n, sizeof(*info->fields));
    info->field_infos = mr_schema_file_alloc(p->file, n, sizeof(*info->field_infos));
    const char **names = mr_schema_file_alloc(p->file, n, sizeof(*names));
    const char *outer = p->name_space;
    p->name_space = info->name_space;
    for (size_t i = 0; i < n; i++) {
        const size_t back = enter(p, ".fields[%zu]", i);
        MR_TRY(parse_field(p, fields->u.array.values[i], info, i));
        leave(p, back);
        names[i] = info->fields[i].name;
    }
    p->name_space = outer;
    info->type.fields = info->fields;
    info->type.n_fields = n;
    *ret_type = &info->type;
    return index_names(p, info, names, n, "field");
}

/* ---- Arrays, maps, unions ---- */

static mr_status parse_container(parser *p, yajl_val json, mr_type_kind kind,
                                 const mr_type **ret_type)
{
    const char *member = kind == MR_TYPE_ARRAY ? "items" : "values";
    yajl_val inner = mr_json_member(json, member);
    if (inner == NULL) {
        return fail(p, "%s without '%s'", mr_type_kind_name(kind), member);
    }
    mr_type_info *info = new_type(p, kind);
    const size_t back = enter(p, ".%s", member);
    MR_TRY(parse_type(p, inner, &info->type.items));
    MR_TRY(deepen(p, info, info->type.items));
    leave(p, back);
    *ret_type = &info->type;
    return MR_OK;
}

static mr_status check_branch(parser *p, const mr_type *const *branches, size_t i)
{
    if (branches[i]->kind == MR_TYPE_UNION) {
        return fail(p, "a union directly in a union");
    }
    for (size_t j = 0; j < i; j++) {
        if (branches[j]->kind == branches[i]->kind &&
            strcmp(branches[j]->name, branches[i]->name) == 0) {
            return fail(p, "'%s' is twice in a union", branches[i]->name);
        }
    }
    return MR_OK;
}

static mr_status parse_union(parser *p, yajl_val json, const mr_type **ret_type)
{
    const size_t n = json->u.array.len;
    if (n == 0 || n > UNION_BRANCHES_MAX) {
        return fail(p, "a union of %zu types; 1 to %d are possible", n, UNION_BRANCHES_MAX);
    }
    mr_type_info *info = new_type(p, MR_TYPE_UNION);
    const mr_type **branches = mr_schema_file_alloc(p->file, n, sizeof(*branches));
    for (size_t i = 0; i < n; i++) {
        const size_t back = enter(p, "[%zu]", i);
        MR_TRY(parse_type(p, json->u.array.values[i], &branches[i]));
        MR_TRY(check_branch(p, branches, i));
        MR_TRY(deepen(p, info, branches[i]));
        leave(p, back);
        if (branches[i]->kind == MR_TYPE_NULL) {
            info->type.null_branch = (int)i;
        }
    }
    info->type.branches = branches;
    info->type.n_branches = n;
    *ret_type = &info->type;
    return MR_OK;
}

static mr_status parse_object(parser *p, yajl_val json, const mr_type **ret_type)
{
    yajl_val type = mr_json_member(json, "type");
    const char *name = text_of(type);
    if (name == NULL) {
        if (type == NULL || YAJL_IS_NULL(type)) {
            return fail(p, "an object without 'type'");
        }
        const size_t back = enter(p, ".type");
        MR_TRY(parse_type(p, type, ret_type));
        leave(p, back);
        return MR_OK;
    }
    static const struct {
        const char *name;
        mr_status (*parse)(parser *p, yajl_val json, const mr_type **ret_type);
    } named[] = {{"record", parse_record}, {"enum", parse_enum}, {"fixed", parse_fixed}};
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (strcmp(name, named[i].name) == 0) {
            return named[i].parse(p, json, ret_type);
        }
    }
    if (strcmp(name, "array") == 0 || strcmp(name, "map") == 0) {
        return parse_container(p, json, name[0] == 'a' ? MR_TYPE_ARRAY : MR_TYPE_MAP, ret_type);
    }
    const char *logical = text_of(mr_json_member(json, "logicalType"));
    if (strcmp(name, "long") == 0 && logical != NULL && strcmp(logical, "timestamp-millis") == 0) {
        *ret_type = mr_type_timestamp();
        return MR_OK;
    }
    const size_t back = enter(p, ".type");
    MR_TRY(parse_reference(p, name, ret_type));
    leave(p, back);
    return MR_OK;
}

static mr_status parse_type(parser *p, yajl_val json, const mr_type **ret_type)
{
    /* The text's nesting is limited, and so is this recursion. */
    if (YAJL_IS_STRING(json)) {
        return parse_reference(p, json->u.string, ret_type);
    }
    if (YAJL_IS_ARRAY(json)) {
        return parse_union(p, json, ret_type);
    }
    if (YAJL_IS_OBJECT(json)) {
        return parse_object(p, json, ret_type);
    }
    return fail(p, "a type is a name, an object or an array");
}

mr_status mr_schema_parse(mr_schema_file *file, const mr_schemas *schemas, mr_error *err)
{
    parser p = {.file = file, .schemas = schemas, .err = err, .name_space = ""};
    (void)enter(&p, "$");
    file->unresolved = false;
    MR_TRY(parse_type(&p, file->json, &file->top));
    const char *conflict = mr_type_conflict(file->top);
    if (conflict != NULL) {
        return fail(&p, "it needs two different definitions of '%s'", conflict);
    }
    return MR_OK;
}
