/*
 * JSON into typed memory as the parser meets it: no tree in between. A stack of frames says which
 * record, array or map is open and where the next value goes.
 */
#include <mr/value.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "serde/json_scan.h"

enum { DEPTH_MAX = 64, NO_FIELD = -1 };

typedef enum token_kind {
    TOKEN_NULL,
    TOKEN_BOOLEAN,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_OBJECT,
    TOKEN_ARRAY,
} token_kind;

typedef struct token {
    token_kind kind;
    bool boolean;
    mr_bytes text; /* of a number or a string */
} token;

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

static const char *expectation(const mr_type *type)
{
    static const char *const texts[] = {
        [MR_TYPE_NULL] = "null",
        [MR_TYPE_BOOLEAN] = "true or false",
        [MR_TYPE_INT] = "a whole number of 32 bits",
        [MR_TYPE_LONG] = "a whole number of 64 bits",
        [MR_TYPE_FLOAT] = "a number that fits a float",
        [MR_TYPE_DOUBLE] = "a number that fits a double",
        [MR_TYPE_BYTES] = "a string of characters up to \\u00ff (bytes)",
        [MR_TYPE_STRING] = "a string",
        [MR_TYPE_ENUM] = "a string (enum)",
        [MR_TYPE_ARRAY] = "an array",
        [MR_TYPE_MAP] = "an object (map)",
        [MR_TYPE_RECORD] = "an object (record)",
    };
    return type->timestamp_millis
               ? "a time: milliseconds since 1970 or a text such as 2020-04-20T20:30:00Z"
               : texts[type->kind];
}

static void append_expectation(mr_buf *text, const mr_type *type)
{
    if (type->kind == MR_TYPE_FIXED) {
        mr_buf_printf(text, "a string of %zu characters up to \\u00ff (fixed)", type->fixed_size);
    } else if (type->kind != MR_TYPE_UNION) {
        mr_buf_append_text(text, expectation(type));
    }
    for (size_t i = 0; type->kind == MR_TYPE_UNION && i < type->n_branches; i++) {
        mr_buf_append_text(text, i == 0 ? "" : " or ");
        append_expectation(text, type->branches[i]);
    }
}

/* Texts of records are not repeated in messages, which may be logged; numbers and symbols are. */
static mr_status mismatch(reader *r, const mr_type *type, const token *t)
{
    static const char *const kinds[] = {
        [TOKEN_NULL] = "null",       [TOKEN_BOOLEAN] = "true or false", [TOKEN_NUMBER] = "",
        [TOKEN_STRING] = "a string", [TOKEN_OBJECT] = "an object",      [TOKEN_ARRAY] = "an array",
    };
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_text(&text, "expected ");
    append_expectation(&text, type);
    mr_buf_append_text(&text, ", got ");
    mr_buf_append_text(&text, kinds[t->kind]);
    if (t->kind == TOKEN_NUMBER) {
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

/* ---- Scalars ---- */

static bool whole_fits(const mr_type *type, const token *t, int64_t *ret_number)
{
    if (t->kind == TOKEN_STRING) {
        return type->timestamp_millis && mr_time_parse(t->text, ret_number) == MR_OK;
    }
    return t->kind == TOKEN_NUMBER && mr_json_whole(t->text, ret_number) == MR_OK &&
           (type->kind == MR_TYPE_LONG || (*ret_number >= INT32_MIN && *ret_number <= INT32_MAX));
}

static bool fraction_fits(const mr_type *type, const token *t, double *ret_number)
{
    if (t->kind == TOKEN_STRING) {
        *ret_number = mr_bytes_equal_text(t->text, "-Infinity") ? -HUGE_VAL : HUGE_VAL;
        if (mr_bytes_equal_text(t->text, "NaN")) {
            *ret_number = (double)NAN;
        }
        return isnan(*ret_number) || *ret_number < 0.0 || mr_bytes_equal_text(t->text, "Infinity");
    }
    return t->kind == TOKEN_NUMBER &&
           mr_json_fraction(t->text, type->kind == MR_TYPE_FLOAT, ret_number) == MR_OK;
}

/* Bytes are written as one character each, \u0000 to \u00ff. They are left in the scratch buffer.
 */
static bool bytes_fit(reader *r, const mr_type *type, const token *t)
{
    if (t->kind != TOKEN_STRING) {
        return false;
    }
    mr_buf_clear(&r->scratch);
    for (size_t i = 0; i < t->text.len; i++) {
        uint8_t c = t->text.data[i];
        if (c >= 0x80) {
            if (c > 0xc3) {
                return false;
            }
            c = (uint8_t)(c << 6 | (t->text.data[++i] & 0x3f));
        }
        mr_buf_append_byte(&r->scratch, c);
    }
    return type->kind == MR_TYPE_BYTES || r->scratch.len == type->fixed_size;
}

static bool fits(reader *r, const mr_type *type, const token *t)
{
    int64_t whole;
    double fraction;
    switch (type->kind) {
    case MR_TYPE_NULL:
        return t->kind == TOKEN_NULL;
    case MR_TYPE_BOOLEAN:
        return t->kind == TOKEN_BOOLEAN;
    case MR_TYPE_INT:
    case MR_TYPE_LONG:
        return whole_fits(type, t, &whole);
    case MR_TYPE_FLOAT:
    case MR_TYPE_DOUBLE:
        return fraction_fits(type, t, &fraction);
    case MR_TYPE_BYTES:
    case MR_TYPE_FIXED:
        return bytes_fit(r, type, t);
    case MR_TYPE_STRING:
        return t->kind == TOKEN_STRING;
    case MR_TYPE_ENUM:
        return t->kind == TOKEN_STRING && mr_type_symbol(type, t->text) >= 0;
    case MR_TYPE_ARRAY:
        return t->kind == TOKEN_ARRAY;
    case MR_TYPE_MAP:
    case MR_TYPE_RECORD:
        return t->kind == TOKEN_OBJECT;
    case MR_TYPE_UNION:
        break; /* a union holds no union */
    }
    return false;
}

/* Writes a scalar that fits. */
static void set(reader *r, const mr_type *type, void *value, const token *t)
{
    int64_t whole = 0;
    double fraction = 0;
    switch (type->kind) {
    case MR_TYPE_BOOLEAN:
        *(bool *)value = t->boolean;
        break;
    case MR_TYPE_INT:
        (void)whole_fits(type, t, &whole);
        *(int32_t *)value = (int32_t)whole;
        break;
    case MR_TYPE_LONG:
        (void)whole_fits(type, t, (int64_t *)value);
        break;
    case MR_TYPE_FLOAT:
        (void)fraction_fits(type, t, &fraction);
        *(float *)value = (float)fraction;
        break;
    case MR_TYPE_DOUBLE:
        (void)fraction_fits(type, t, (double *)value);
        break;
    case MR_TYPE_BYTES:
        mr_string_set(value, mr_buf_bytes(&r->scratch));
        break;
    case MR_TYPE_FIXED:
        memcpy(value, mr_buf_bytes(&r->scratch).data, type->fixed_size);
        break;
    case MR_TYPE_STRING:
        mr_string_set(value, t->text);
        break;
    case MR_TYPE_ENUM:
        *(int32_t *)value = mr_type_symbol(type, t->text);
        break;
    default:
        break; /* null has nothing to write; the rest opens a frame */
    }
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

/* Goes through a union to the first branch that fits. */
static mr_status place(reader *r, const token *t, const mr_type **ret_type, void **ret_value)
{
    const mr_type *type;
    void *value;
    next_place(r, &type, &value);
    const mr_type *fitting = type;
    if (type->kind == MR_TYPE_UNION) {
        size_t branch = 0;
        while (branch < type->n_branches && !fits(r, type->branches[branch], t)) {
            branch++;
        }
        if (branch < type->n_branches) {
            mr_union_select(type, value, (int)branch);
            *ret_type = type->branches[branch];
            *ret_value = mr_union_payload(type, value);
            return MR_OK;
        }
        fitting = mr_type_optional(type);
    } else if (fits(r, type, t)) {
        *ret_type = type;
        *ret_value = value;
        return MR_OK;
    }
    if (fitting != NULL && fitting->kind == MR_TYPE_ENUM && t->kind == TOKEN_STRING) {
        return unknown_name(r, "symbol", fitting, t->text, fitting->symbols, fitting->n_symbols,
                            sizeof(fitting->symbols[0]));
    }
    return mismatch(r, type, t);
}

static int scalar(reader *r, const token *t)
{
    const mr_type *type;
    void *value;
    if (place(r, t, &type, &value) != MR_OK) {
        return 0;
    }
    set(r, type, value, t);
    return 1;
}

static int open_frame(reader *r, token_kind kind)
{
    const token t = {.kind = kind};
    frame opened = {.field = NO_FIELD, .seen = r->seen.len};
    if (place(r, &t, &opened.type, &opened.value) != MR_OK) {
        return 0;
    }
    if (r->n_frames == DEPTH_MAX) {
        (void)mr_error_record(r->err, MR_ERR_DATA, "validate", "nested deeper than %d", DEPTH_MAX);
        return 0;
    }
    for (size_t i = 0; opened.type->kind == MR_TYPE_RECORD && i < opened.type->n_fields; i++) {
        mr_buf_append_byte(&r->seen, false);
    }
    r->frames[r->n_frames++] = opened;
    return 1;
}

/* ---- Callbacks ---- */

static int on_null(void *ctx)
{
    return scalar(ctx, &(token){.kind = TOKEN_NULL});
}

static int on_boolean(void *ctx, int boolean)
{
    return scalar(ctx, &(token){.kind = TOKEN_BOOLEAN, .boolean = boolean != 0});
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return scalar(ctx, &(token){.kind = TOKEN_NUMBER, .text = mr_bytes_of(text, len)});
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    reader *r = ctx;
    const token t = {.kind = TOKEN_STRING, .text = mr_bytes_of(text, len)};
    return mr_json_check_utf8(t.text, r->err) == MR_OK && scalar(r, &t);
}

static int on_start_array(void *ctx)
{
    return open_frame(ctx, TOKEN_ARRAY);
}

static int on_end_array(void *ctx)
{
    ((reader *)ctx)->n_frames--;
    return 1;
}

static int on_start_object(void *ctx)
{
    return open_frame(ctx, TOKEN_OBJECT);
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

static mr_status begin_entry(reader *r, frame *f, mr_bytes key)
{
    f->entry = NULL;
    if (mr_map_find(f->type, f->value, key) != NULL) {
        return repeated(r, key);
    }
    f->entry = mr_map_at(f->type, f->value, key);
    f->key = mr_string_bytes((mr_string *)(void *)((uint8_t *)f->entry - f->type->entry_value));
    return MR_OK;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    reader *r = ctx;
    frame *f = &r->frames[r->n_frames - 1];
    const mr_bytes key = mr_bytes_of(text, len);
    if (mr_json_check_utf8(key, r->err) != MR_OK) {
        return 0;
    }
    return (f->type->kind == MR_TYPE_RECORD ? begin_field(r, f, key) : begin_entry(r, f, key)) ==
           MR_OK;
}

/* A field that was not there keeps its default, or is null where it may be. */
static mr_status end_record(reader *r, frame *f)
{
    f->field = NO_FIELD;
    for (size_t i = 0; i < f->type->n_fields; i++) {
        const mr_field *field = &f->type->fields[i];
        if (r->seen.data[f->seen + i] || field->preset != NULL ||
            field->type->kind == MR_TYPE_NULL) {
            continue;
        }
        if (field->type->kind != MR_TYPE_UNION || field->type->null_branch < 0) {
            return mr_error_record(r->err, MR_ERR_DATA, "validate", "field '%s' is missing",
                                   field->name);
        }
        mr_union_select(field->type, mr_field_at(f->type, f->value, i), field->type->null_branch);
    }
    r->seen.len = f->seen;
    return MR_OK;
}

static int on_end_object(void *ctx)
{
    reader *r = ctx;
    frame *f = &r->frames[r->n_frames - 1];
    if (f->type->kind == MR_TYPE_RECORD && end_record(r, f) != MR_OK) {
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
    reader r = {.type = type, .value = value, .err = err};
    mr_value_reset(type, value);
    const mr_status status = mr_json_scan(&reader_ops, &r, json, err);
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
