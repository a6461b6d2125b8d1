#include "serde/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "serde/schema_names.h"

/*
 * Defaults of record fields as values, by the table of Avro's specification ("field default
 * values"): a union's default is one of its first branch, bytes and fixed are strings whose code
 * points 0 to 255 are the bytes. A record within a default may leave out fields that have one.
 */

typedef struct filler {
    const char *origin;
    const char *record;
    const char *field;
    mr_error *err;
} filler;

static mr_status fill(const filler *f, const mr_type *type, yajl_val json, void *value) MR_MUST_USE;

MR_PRINTF(2, 3)
static mr_status bad(const filler *f, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    return mr_error_set(f->err, MR_ERR_DATA, "%s: the default of field '%s' of '%s' %s", f->origin,
                        f->field, f->record, reason);
}

static mr_status mismatch(const filler *f, const mr_type *type)
{
    return bad(f, "is not of type %s", type->name);
}

static mr_status fill_whole(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_INTEGER(json)) {
        return mismatch(f, type);
    }
    const long long number = json->u.number.i;
    if (type->kind == MR_TYPE_LONG) {
        *(int64_t *)value = number;
        return MR_OK;
    }
    if (number < INT32_MIN || number > INT32_MAX) {
        return mismatch(f, type);
    }
    *(int32_t *)value = (int32_t)number;
    return MR_OK;
}

static mr_status fill_fraction(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_DOUBLE(json)) {
        return mismatch(f, type);
    }
    if (type->kind == MR_TYPE_DOUBLE) {
        *(double *)value = json->u.number.d;
        return MR_OK;
    }
    const float single = (float)json->u.number.d;
    if (isinf(single)) {
        return mismatch(f, type);
    }
    *(float *)value = single;
    return MR_OK;
}

/* The size of the mark of a zero byte at `text`, 0 when there is none. */
static size_t zero_mark(const char *text)
{
    const size_t len = strlen(MR_SCHEMA_ZERO);
    return strncmp(text, MR_SCHEMA_ZERO, len) == 0 ? len : 0;
}

static void text_bytes(const char *text, mr_buf *bytes)
{
    while (*text != '\0') {
        const size_t mark = zero_mark(text);
        mr_buf_append_byte(bytes, mark > 0 ? 0 : (uint8_t)*text);
        text += mark > 0 ? mark : 1;
    }
}

/* Code points 0 to 255 as bytes; yajl has made UTF-8 of them. */
static mr_status code_points(const filler *f, const mr_type *type, const char *text, mr_buf *bytes)
{
    while (*text != '\0') {
        const uint8_t first = (uint8_t)text[0];
        const size_t mark = zero_mark(text);
        if (first < 0x80 || mark > 0) {
            mr_buf_append_byte(bytes, mark > 0 ? 0 : first);
            text += mark > 0 ? mark : 1;
        } else if (first == 0xc2 || first == 0xc3) {
            mr_buf_append_byte(bytes, (uint8_t)((first & 3) << 6 | ((uint8_t)text[1] & 0x3f)));
            text += 2;
        } else {
            return bad(f, "has a code point over 255, which no byte of %s can be", type->name);
        }
    }
    return MR_OK;
}

static mr_status fill_bytes(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_STRING(json)) {
        return mismatch(f, type);
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf bytes = MR_BUF_NULL;
    if (type->kind == MR_TYPE_STRING) {
        text_bytes(json->u.string, &bytes);
    } else {
        MR_TRY(code_points(f, type, json->u.string, &bytes));
    }
    if (type->kind != MR_TYPE_FIXED) {
        mr_string_set(value, mr_buf_bytes(&bytes));
        return MR_OK;
    }
    if (bytes.len != type->fixed_size) {
        return bad(f, "has %zu bytes, '%s' has %zu", bytes.len, type->name, type->fixed_size);
    }
    if (bytes.len > 0) {
        memcpy(value, bytes.data, bytes.len);
    }
    return MR_OK;
}

static mr_status fill_enum(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_STRING(json)) {
        return mismatch(f, type);
    }
    const int symbol = mr_type_symbol(type, mr_bytes_text(json->u.string));
    if (symbol < 0) {
        return bad(f, "is no symbol of '%s'", type->name);
    }
    *(int32_t *)value = symbol;
    return MR_OK;
}

static mr_status fill_array(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_ARRAY(json)) {
        return mismatch(f, type);
    }
    for (size_t i = 0; i < json->u.array.len; i++) {
        MR_TRY(fill(f, type->items, json->u.array.values[i], mr_array_push(type, value)));
    }
    return MR_OK;
}

static mr_status fill_map(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_OBJECT(json)) {
        return mismatch(f, type);
    }
    for (size_t i = 0; i < json->u.object.len; i++) {
        void *at = mr_map_at(type, value, mr_bytes_text(json->u.object.keys[i]));
        mr_value_reset(type->items, at);
        MR_TRY(fill(f, type->items, json->u.object.values[i], at));
    }
    return MR_OK;
}

static mr_status fill_record(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    if (!YAJL_IS_OBJECT(json)) {
        return mismatch(f, type);
    }
    for (size_t i = 0; i < json->u.object.len; i++) {
        const char *key = json->u.object.keys[i];
        if (mr_type_field(type, mr_bytes_text(key)) < 0) {
            return bad(f, "has '%s', which is no field of '%s'", key, type->name);
        }
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        yajl_val member = mr_json_member(json, type->fields[i].name);
        if (member != NULL) {
            MR_TRY(fill(f, type->fields[i].type, member, mr_field_at(type, value, i)));
        } else if (type->fields[i].preset == NULL) {
            return bad(f, "leaves out '%s' of '%s'", type->fields[i].name, type->name);
        }
    }
    return MR_OK;
}

static mr_status fill(const filler *f, const mr_type *type, yajl_val json, void *value)
{
    switch (type->kind) {
    case MR_TYPE_NULL:
        return YAJL_IS_NULL(json) ? MR_OK : mismatch(f, type);
    case MR_TYPE_BOOLEAN:
        if (!YAJL_IS_TRUE(json) && !YAJL_IS_FALSE(json)) {
            return mismatch(f, type);
        }
        *(bool *)value = YAJL_IS_TRUE(json);
        return MR_OK;
    case MR_TYPE_INT:
    case MR_TYPE_LONG:
        return fill_whole(f, type, json, value);
    case MR_TYPE_FLOAT:
    case MR_TYPE_DOUBLE:
        return fill_fraction(f, type, json, value);
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
    case MR_TYPE_FIXED:
        return fill_bytes(f, type, json, value);
    case MR_TYPE_ENUM:
        return fill_enum(f, type, json, value);
    case MR_TYPE_ARRAY:
        return fill_array(f, type, json, value);
    case MR_TYPE_MAP:
        return fill_map(f, type, json, value);
    case MR_TYPE_UNION:
        if (fill(f, type->branches[0], json, mr_union_payload(type, value)) != MR_OK) {
            return bad(f, "is not of type %s, the first of the union", type->branches[0]->name);
        }
        return MR_OK;
    case MR_TYPE_RECORD:
        return fill_record(f, type, json, value);
    }
    return mismatch(f, type);
}

static mr_status preset_field(const filler *f, mr_field *field, yajl_val json)
{
    void *value = mr_value_new(field->type);
    const mr_status status = fill(f, field->type, json, value);
    if (status == MR_OK) {
        field->preset = value;
    } else {
        mr_value_free(field->type, value);
    }
    return status;
}

/* Inner types first: an outer default may rely on their defaults. */
static mr_status preset(const mr_schema_file *file, mr_type_info *info, mr_error *err)
{
    if (info->state != MR_TYPE_LAID) {
        return MR_OK;
    }
    info->state = MR_TYPE_PRESETTING;
    const mr_type *type = &info->type;
    if (type->items != NULL) {
        MR_TRY(preset(file, mr_type_info_edit(type->items), err));
    }
    for (size_t i = 0; i < type->n_branches; i++) {
        MR_TRY(preset(file, mr_type_info_edit(type->branches[i]), err));
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        MR_TRY(preset(file, mr_type_info_edit(type->fields[i].type), err));
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        const filler f = {file->origin, type->name, type->fields[i].name, err};
        if (info->field_infos[i].preset_json != NULL) {
            MR_TRY(preset_field(&f, &info->fields[i], info->field_infos[i].preset_json));
        }
    }
    info->state = MR_TYPE_PRESET;
    return MR_OK;
}

static bool all_zero(const void *value, size_t size)
{
    const uint8_t *bytes = value;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

/*
 * Whether initial values are zero: known only now, and for inner types first. A record or union
 * cannot be within itself, so this ends; arrays and maps are empty whatever they hold.
 */
static void note_initial(mr_schema_file *file, mr_type_info *info)
{
    const mr_type *type = &info->type;
    if (info->file != file || info->zero || info->initial != NULL) {
        return;
    }
    for (size_t i = 0; i < type->n_branches; i++) {
        note_initial(file, mr_type_info_edit(type->branches[i]));
    }
    bool zero = type->n_branches == 0 || mr_type_info_of(type->branches[0])->zero;
    for (size_t i = 0; i < type->n_fields; i++) {
        const mr_field *field = &type->fields[i];
        note_initial(file, mr_type_info_edit(field->type));
        zero = zero && (field->preset == NULL ? mr_type_info_of(field->type)->zero
                                              : all_zero(field->preset, field->type->size));
    }
    info->zero = zero;
    if (!zero && type->flat) {
        void *initial = mr_schema_file_alloc(file, 1, type->size);
        mr_value_init(type, initial);
        info->initial = initial;
    }
}

mr_status mr_schema_presets(mr_schema_file *file, mr_error *err)
{
    for (size_t i = 0; i < file->n_types; i++) {
        MR_TRY(preset(file, file->types[i], err));
    }
    for (size_t i = 0; i < file->n_types; i++) {
        note_initial(file, file->types[i]);
    }
    return MR_OK;
}
