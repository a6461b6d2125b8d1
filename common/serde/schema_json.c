#include "serde/schema.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "serde/schema_names.h"

/*
 * A schema as written, made self-contained: where a named type of another file is used first, its
 * definition stands instead of its name. Namespaces are written out, because what was implied by
 * the place in one file is not by the place in another.
 */

typedef struct printer {
    mr_buf *text;
    const mr_type_info **seen;
    size_t n_seen;
    size_t seen_capacity;
} printer;

/* Where a piece of JSON comes from. */
typedef struct source {
    const mr_schema_file *file;
    const char *name_space; /* that encloses it there */
} source;

static void printer_deinit(printer *p)
{
    free(p->seen);
}

/* A JSON string without its quotes. */
static void print_unquoted(mr_buf *text, mr_bytes content)
{
    const size_t before = text->len;
    mr_text_append_json(text, content);
    memmove(text->data + before, text->data + before + 1, text->len - before - 2);
    text->len -= 2;
}

/* Marks of zero bytes become escapes again. */
static void print_text(mr_buf *text, const char *content)
{
    mr_buf_append_byte(text, '"');
    for (const char *mark; (mark = strstr(content, MR_SCHEMA_ZERO)) != NULL;) {
        print_unquoted(text, mr_bytes_of(content, (size_t)(mark - content)));
        mr_buf_append_text(text, "\\u0000");
        content = mark + strlen(MR_SCHEMA_ZERO);
    }
    print_unquoted(text, mr_bytes_text(content));
    mr_buf_append_byte(text, '"');
}

static void print_raw(mr_buf *text, yajl_val json)
{
    if (YAJL_IS_STRING(json)) {
        print_text(text, json->u.string);
    } else if (YAJL_IS_NUMBER(json)) {
        mr_buf_append_text(text, json->u.number.r);
    } else if (YAJL_IS_ARRAY(json)) {
        mr_buf_append_byte(text, '[');
        for (size_t i = 0; i < json->u.array.len; i++) {
            mr_buf_append_text(text, i == 0 ? "" : ",");
            print_raw(text, json->u.array.values[i]);
        }
        mr_buf_append_byte(text, ']');
    } else if (YAJL_IS_OBJECT(json)) {
        mr_buf_append_byte(text, '{');
        for (size_t i = 0; i < json->u.object.len; i++) {
            mr_buf_append_text(text, i == 0 ? "" : ",");
            print_text(text, json->u.object.keys[i]);
            mr_buf_append_byte(text, ':');
            print_raw(text, json->u.object.values[i]);
        }
        mr_buf_append_byte(text, '}');
    } else {
        mr_buf_append_text(text, YAJL_IS_TRUE(json)    ? "true"
                                 : YAJL_IS_FALSE(json) ? "false"
                                                       : "null");
    }
}

static void print_type(printer *p, source from, yajl_val json);

static void print_member_name(printer *p, size_t i, const char *name)
{
    mr_buf_append_text(p->text, i == 0 ? "" : ",");
    print_text(p->text, name);
    mr_buf_append_byte(p->text, ':');
}

/* A field of a record: its type may hold definitions and names, the rest is as it is. */
static void print_field(printer *p, source from, yajl_val json)
{
    mr_buf_append_byte(p->text, '{');
    for (size_t i = 0; i < json->u.object.len; i++) {
        yajl_val value = json->u.object.values[i];
        print_member_name(p, i, json->u.object.keys[i]);
        if (value == mr_json_member(json, "type")) {
            print_type(p, from, value);
        } else {
            print_raw(p->text, value);
        }
    }
    mr_buf_append_byte(p->text, '}');
}

static void print_fields(printer *p, source from, yajl_val json)
{
    mr_buf_append_byte(p->text, '[');
    for (size_t i = 0; i < json->u.array.len; i++) {
        mr_buf_append_text(p->text, i == 0 ? "" : ",");
        print_field(p, from, json->u.array.values[i]);
    }
    mr_buf_append_byte(p->text, ']');
}

static void print_definition(printer *p, const mr_type_info *info)
{
    MR_GROW(p->seen, p->seen_capacity, p->n_seen + 1);
    p->seen[p->n_seen++] = info;
    const source inside = {info->file, info->name_space};
    yajl_val json = info->json;
    mr_buf_append_byte(p->text, '{');
    size_t n = 0;
    for (size_t i = 0; i < json->u.object.len; i++) {
        const char *key = json->u.object.keys[i];
        yajl_val value = json->u.object.values[i];
        if (strcmp(key, "namespace") == 0) {
            continue;
        }
        print_member_name(p, n++, key);
        if (strcmp(key, "name") == 0) {
            mr_buf_printf(p->text, "\"%s\",\"namespace\":\"%s\"", mr_short_name(info->type.name),
                          info->name_space);
        } else if (info->type.kind == MR_TYPE_RECORD && value == mr_json_member(json, "fields")) {
            print_fields(p, inside, value);
        } else {
            print_raw(p->text, value);
        }
    }
    mr_buf_append_byte(p->text, '}');
}

/* The definition the first time, then its name. */
static void print_named(printer *p, const mr_type_info *info)
{
    for (size_t i = 0; i < p->n_seen; i++) {
        if (strcmp(p->seen[i]->type.name, info->type.name) == 0) {
            mr_buf_printf(p->text, "\"%s\"", info->type.name);
            return;
        }
    }
    print_definition(p, info);
}

static void print_reference(printer *p, source from, const char *name)
{
    const mr_type *primitive;
    if (mr_type_primitive_named(name, &primitive) == MR_OK) {
        mr_buf_printf(p->text, "\"%s\"", name);
        return;
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf full_name = MR_BUF_NULL;
    if (from.name_space[0] != '\0' && strchr(name, '.') == NULL) {
        mr_buf_printf(&full_name, "%s.", from.name_space);
    }
    mr_buf_append_text(&full_name, name);
    const mr_type_info *info = mr_schema_file_find(from.file, mr_buf_text(&full_name));
    assert(info != NULL);
    print_named(p, info);
}

static const mr_type_info *definition_at(const mr_schema_file *file, yajl_val json)
{
    for (size_t i = 0; i < file->n_named; i++) {
        if (file->named[i]->json == json) {
            return file->named[i];
        }
    }
    return NULL;
}

static bool is_container_name(yajl_val json)
{
    return YAJL_IS_STRING(json) &&
           (strcmp(json->u.string, "array") == 0 || strcmp(json->u.string, "map") == 0);
}

/* Whether the parser read a type there. Other attributes can have any name and any value. */
static bool is_type(yajl_val json, yajl_val value)
{
    yajl_val type = mr_json_member(json, "type");
    if (!is_container_name(type)) {
        return value == type;
    }
    return value == mr_json_member(json, strcmp(type->u.string, "array") == 0 ? "items" : "values");
}

/* An array, a map, or a type with further attributes. */
static void print_object(printer *p, source from, yajl_val json)
{
    mr_buf_append_byte(p->text, '{');
    for (size_t i = 0; i < json->u.object.len; i++) {
        yajl_val value = json->u.object.values[i];
        print_member_name(p, i, json->u.object.keys[i]);
        if (is_type(json, value)) {
            print_type(p, from, value);
        } else {
            print_raw(p->text, value);
        }
    }
    mr_buf_append_byte(p->text, '}');
}

static void print_type(printer *p, source from, yajl_val json)
{
    if (YAJL_IS_STRING(json)) {
        print_reference(p, from, json->u.string);
    } else if (YAJL_IS_ARRAY(json)) {
        mr_buf_append_byte(p->text, '[');
        for (size_t i = 0; i < json->u.array.len; i++) {
            mr_buf_append_text(p->text, i == 0 ? "" : ",");
            print_type(p, from, json->u.array.values[i]);
        }
        mr_buf_append_byte(p->text, ']');
    } else {
        const mr_type_info *info = definition_at(from.file, json);
        if (info != NULL) {
            print_named(p, info);
        } else {
            print_object(p, from, json);
        }
    }
}

void mr_schema_print(const mr_schema_file *file, const mr_type *type, mr_buf *text)
{
    MR_CLEANUP(printer_deinit) printer p = {.text = text};
    const mr_type_info *info = mr_type_info_of(type);
    if (mr_type_is_named(type)) {
        print_definition(&p, info);
    } else {
        print_type(&p, (source){file, ""}, file->json);
    }
}
