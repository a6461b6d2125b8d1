/*
 * JSON into typed memory as the parser meets it: no tree in between. A stack of frames says which
 * record, array or map is open and where the next value goes.
 */
#include <mr/value.h>

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "serde/json_scalar.h"
#include "serde/json_scan.h"
#include "serde/value.h"

enum { DEPTH_MAX = 64, NO_FIELD = -1 };

typedef struct frame {
    const mr_type *type; /* record, array or map */
    void *value;
    int field;    /* record: the one that is being read, or NO_FIELD */
    size_t seen;  /* record: where its bytes in `seen` begin, one for each field */
    void *entry;  /* map: the value that is being read, NULL between values */
    mr_bytes key; /* map: of `entry`, in the map's own memory */
} frame;

typedef struct reader {
    const mr_type *type;
    void *value;
    mr_bytes json;
    yajl_handle parser;
    mr_error *err;
    mr_buf seen;
    mr_buf scratch;
    size_t n_frames;
    frame frames[DEPTH_MAX];
} reader;

/* ---- Errors ---- */

/* The first characters of what came from outside, escaped and cut between characters. */
static void append_excerpt(mr_buf *out, mr_bytes text)
{
    enum { EXCERPT = 60 };
    size_t len = text.len;
    if (len > EXCERPT) {
        len = EXCERPT;
        while (len > 0 && (text.data[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    mr_buf quoted = MR_BUF_NULL;
    mr_text_append_json(&quoted, mr_bytes_of(text.data, len));
    mr_buf_append(out, quoted.data + 1, quoted.len - 2);
    mr_buf_append_text(out, len < text.len ? "..." : "");
    mr_buf_deinit(&quoted);
}

/* "Cart.Items[2].Prices["vip"]"; nothing for the value itself. */
static void append_path(const reader *r, mr_buf *path)
{
    for (size_t i = 0; i < r->n_frames; i++) {
        const frame *f = &r->frames[i];
        if (f->type->kind == MR_TYPE_RECORD && f->field != NO_FIELD) {
            mr_buf_printf(path, "%s%s", path->len == 0 ? "" : ".", f->type->fields[f->field].name);
        } else if (f->type->kind == MR_TYPE_ARRAY && ((mr_array *)f->value)->len > 0) {
            mr_buf_printf(path, "[%" PRIu32 "]", ((mr_array *)f->value)->len - 1);
        } else if (f->type->kind == MR_TYPE_MAP && f->entry != NULL) {
            mr_buf_append_text(path, "[\"");
            append_excerpt(path, f->key);
            mr_buf_append_text(path, "\"]");
        }
    }
}

static mr_status validate_error(reader *r, const char *text)
{
    return mr_error_record(r->err, MR_ERR_DATA, "validate", "%s", text);
}

/* Texts of records are not repeated in messages, which may be logged; numbers and symbols are. */
static mr_status mismatch(reader *r, const mr_type *type, const mr_json_token *t)
{
    static const char *const kinds[] = {
        [MR_JSON_NULL] = "null",        [MR_JSON_BOOLEAN] = "true or false",
        [MR_JSON_NUMBER] = "",          [MR_JSON_STRING] = "a string",
        [MR_JSON_OBJECT] = "an object", [MR_JSON_ARRAY] = "an array",
    };
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_text(&text, "expected ");
    mr_json_append_expectation(&text, type);
    mr_buf_append_text(&text, ", got ");
    mr_buf_append_text(&text, kinds[t->kind]);
    if (t->kind == MR_JSON_NUMBER) {
        append_excerpt(&text, t->text);
    }
    const mr_status status = validate_error(r, mr_buf_text(&text));
    mr_buf_deinit(&text);
    return status;
}

/* "no symbol 'X' in Color, did you mean 'Y'?"; `names` lie `stride` bytes apart. */
static mr_status unknown_name(reader *r, const char *what, const mr_type *type, mr_bytes name,
                              const char *const *names, size_t n, size_t stride)
{
    mr_buf text = MR_BUF_NULL;
    mr_buf_printf(&text, "%s has no %s '", type->name, what);
    append_excerpt(&text, name);
    mr_buf_append_byte(&text, '\'');
    char *terminated = mr_strndup((const char *)name.data, name.len);
    const char *nearest = n == 0 ? NULL : mr_text_nearest(terminated, names, n, stride);
    if (nearest != NULL) {
        mr_buf_printf(&text, ", did you mean '%s'?", nearest);
    }
    free(terminated);
    const mr_status status = validate_error(r, mr_buf_text(&text));
    mr_buf_deinit(&text);
    return status;
}

/* ---- Where a value goes ---- */

/* The place of the next value: the root, an open record's field, a new element, a map's entry. */
static void next_place(reader *r, const mr_type **ret_type, void **ret_value)
{
    if (r->n_frames == 0) {
        *ret_type = r->type;
        *ret_value = r->value;
        return;
    }
    frame *f = &r->frames[r->n_frames - 1];
    if (f->type->kind == MR_TYPE_RECORD) {
        *ret_type = f->type->fields[f->field].type;
        *ret_value = mr_field_at(f->type, f->value, (size_t)f->field);
    } else {
        *ret_type = f->type->items;
        *ret_value =
            f->type->kind == MR_TYPE_MAP ? f->entry : mr_array_push(f->type, (mr_array *)f->value);
    }
}

/* The first branch that fits, -1 when none does. Of several records it is one whose names fit. */
static int choose_branch(reader *r, const mr_type *type, const mr_json_token *t)
{
    int first = -1;
    for (size_t i = 0; i < type->n_branches; i++) {
        const mr_type *branch = type->branches[i];
        if (!mr_json_fits(branch, t, &r->scratch)) {
            continue;
        }
        if (branch->kind != MR_TYPE_RECORD || mr_type_optional(type) != NULL ||
            mr_json_names_fit(branch, mr_json_rest(r->parser, r->json))) {
            return (int)i;
        }
        first = first < 0 ? (int)i : first;
    }
    return first;
}

/* Goes through a union to one of its branches. */
static mr_status place(reader *r, const mr_json_token *t, const mr_type **ret_type,
                       void **ret_value)
{
    const mr_type *type;
    void *value;
    next_place(r, &type, &value);
    const mr_type *fitting = type;
    if (type->kind == MR_TYPE_UNION) {
        const int branch = choose_branch(r, type, t);
        if (branch >= 0) {
            mr_union_select(type, value, branch);
            *ret_type = type->branches[branch];
            *ret_value = mr_union_payload(type, value);
            return MR_OK;
        }
        fitting = mr_type_optional(type);
    } else if (mr_json_fits(type, t, &r->scratch)) {
        *ret_type = type;
        *ret_value = value;
        return MR_OK;
    }
    if (fitting != NULL && fitting->kind == MR_TYPE_ENUM && t->kind == MR_JSON_STRING) {
        return unknown_name(r, "symbol", fitting, t->text, fitting->symbols, fitting->n_symbols,
                            sizeof(fitting->symbols[0]));
    }
    return mismatch(r, type, t);
}

static int scalar(reader *r, const mr_json_token *t)
{
    const mr_type *type;
    void *value;
    if (place(r, t, &type, &value) != MR_OK) {
        return 0;
    }
    mr_json_set(type, value, t, &r->scratch);
    return 1;
}

static int open_frame(reader *r, mr_json_kind kind)
{
    const mr_json_token t = {.kind = kind};
    frame opened = {.field = NO_FIELD, .seen = r->seen.len};
    if (place(r, &t, &opened.type, &opened.value) != MR_OK) {
        return 0;
    }
    if (r->n_frames == DEPTH_MAX) {
        (void)mr_error_record(r->err, MR_ERR_DATA, "validate", "nested deeper than %d", DEPTH_MAX);
        return 0;
    }
    /* The default of the field that it stands in is no part of it. */
    mr_value_reset(opened.type, opened.value);
    for (size_t i = 0; opened.type->kind == MR_TYPE_RECORD && i < opened.type->n_fields; i++) {
        mr_buf_append_byte(&r->seen, false);
    }
    r->frames[r->n_frames++] = opened;
    return 1;
}

/* ---- Callbacks ---- */

static int on_null(void *ctx)
{
    return scalar(ctx, &(mr_json_token){.kind = MR_JSON_NULL});
}

static int on_boolean(void *ctx, int boolean)
{
    return scalar(ctx, &(mr_json_token){.kind = MR_JSON_BOOLEAN, .boolean = boolean != 0});
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return scalar(ctx, &(mr_json_token){.kind = MR_JSON_NUMBER, .text = mr_bytes_of(text, len)});
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    reader *r = ctx;
    const mr_json_token t = {.kind = MR_JSON_STRING, .text = mr_bytes_of(text, len)};
    return mr_json_check_utf8(t.text, r->err) == MR_OK && scalar(r, &t);
}

static int on_start_array(void *ctx)
{
    return open_frame(ctx, MR_JSON_ARRAY);
}

static int on_end_array(void *ctx)
{
    ((reader *)ctx)->n_frames--;
    return 1;
}

static int on_start_object(void *ctx)
{
    return open_frame(ctx, MR_JSON_OBJECT);
}

static mr_status repeated(reader *r, mr_bytes name)
{
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_byte(&text, '\'');
    append_excerpt(&text, name);
    mr_buf_append_text(&text, "' is given twice");
    const mr_status status = validate_error(r, mr_buf_text(&text));
    mr_buf_deinit(&text);
    return status;
}

static mr_status begin_field(reader *r, frame *f, mr_bytes name)
{
    const int field = mr_type_field(f->type, name);
    f->field = NO_FIELD;
    if (field < 0) {
        return f->type->n_fields == 0
                   ? unknown_name(r, "field", f->type, name, NULL, 0, 0)
                   : unknown_name(r, "field", f->type, name, &f->type->fields[0].name,
                                  f->type->n_fields, sizeof(f->type->fields[0]));
    }
    bool *seen = (bool *)(void *)(r->seen.data + f->seen + field);
    if (*seen) {
        return repeated(r, name);
    }
    *seen = true;
    f->field = field;
    return MR_OK;
}

/* Appended in the order that they come in; sorting once at the end keeps hostile orders cheap. */
static void begin_entry(frame *f, mr_bytes key)
{
    f->entry = mr_map_append(f->type, f->value, key);
    mr_value_reset(f->type->items, f->entry);
    f->key = mr_string_bytes((mr_string *)(void *)((uint8_t *)f->entry - f->type->entry_value));
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    reader *r = ctx;
    frame *f = &r->frames[r->n_frames - 1];
    const mr_bytes key = mr_bytes_of(text, len);
    if (mr_json_check_utf8(key, r->err) != MR_OK) {
        return 0;
    }
    if (f->type->kind == MR_TYPE_RECORD) {
        return begin_field(r, f, key) == MR_OK;
    }
    begin_entry(f, key);
    return 1;
}

/* A field that was not there keeps its default, or is null where it may be. */
static mr_status end_record(reader *r, frame *f)
{
    f->field = NO_FIELD;
    for (size_t i = 0; i < f->type->n_fields; i++) {
        const mr_field *field = &f->type->fields[i];
        if (r->seen.data[f->seen + i]) {
            continue;
        }
        if (mr_json_is_required(field)) {
            return mr_error_record(r->err, MR_ERR_DATA, "validate", "field '%s' is missing",
                                   field->name);
        }
        if (field->preset == NULL && field->type->kind == MR_TYPE_UNION) {
            mr_union_select(field->type, mr_field_at(f->type, f->value, i),
                            field->type->null_branch);
        }
    }
    r->seen.len = f->seen;
    return MR_OK;
}

static mr_bytes key_at(const mr_type *type, const mr_array *map, size_t i)
{
    return mr_string_bytes(mr_array_at(type, map, i));
}

static mr_status end_map(reader *r, frame *f)
{
    mr_array *map = f->value;
    const size_t n = map->len;
    f->entry = NULL;
    size_t n_sorted = 1;
    while (n_sorted < n && mr_bytes_compare(key_at(f->type, map, n_sorted - 1),
                                            key_at(f->type, map, n_sorted)) < 0) {
        n_sorted++;
    }
    if (n_sorted >= n) {
        return MR_OK;
    }
    mr_map_sort(f->type, map);
    /* What was there twice lies behind the end now. */
    return map->len == n ? MR_OK : repeated(r, key_at(f->type, map, map->len));
}

static int on_end_object(void *ctx)
{
    reader *r = ctx;
    frame *f = &r->frames[r->n_frames - 1];
    const mr_status status = f->type->kind == MR_TYPE_RECORD ? end_record(r, f) : end_map(r, f);
    if (status != MR_OK) {
        return 0;
    }
    r->n_frames--;
    return 1;
}

static const yajl_callbacks reader_ops = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end_object,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

mr_status mr_value_from_json(const mr_type *type, mr_bytes json, void *value, mr_error *err)
{
    reader r = {.type = type, .value = value, .json = json, .err = err};
    mr_value_reset(type, value);
    const mr_status status = mr_json_scan(&reader_ops, &r, json, &r.parser, err);
    if (status < 0) {
        mr_buf path = MR_BUF_NULL;
        append_path(&r, &path);
        if (path.len > 0) {
            (void)mr_error_prefix(err, "%s", mr_buf_text(&path));
        }
        mr_buf_deinit(&path);
    }
    mr_buf_deinit(&r.seen);
    mr_buf_deinit(&r.scratch);
    return status;
}
