#include "serde/json_scalar.h"

#include <math.h>

#include <mr/value.h>

#include "core/text.h"
#include "serde/json_scan.h"

static bool whole_fits(const mr_type *type, const mr_json_token *t, int64_t *ret_number)
{
    if (t->kind == MR_JSON_STRING) {
        return type->timestamp_millis && mr_time_parse(t->text, ret_number) == MR_OK;
    }
    return t->kind == MR_JSON_NUMBER && mr_json_whole(t->text, ret_number) == MR_OK &&
           (type->kind == MR_TYPE_LONG || (*ret_number >= INT32_MIN && *ret_number <= INT32_MAX));
}

/* JSON has no number for these three; mr_json_append_double writes them so. */
static bool special_fits(mr_bytes text, double *ret_number)
{
    const struct {
        const char *text;
        double number;
    } specials[] = {{"NaN", (double)NAN}, {"Infinity", HUGE_VAL}, {"-Infinity", -HUGE_VAL}};
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (mr_bytes_equal_text(text, specials[i].text)) {
            *ret_number = specials[i].number;
            return true;
        }
    }
    return false;
}

static bool fraction_fits(const mr_type *type, const mr_json_token *t, double *ret_number)
{
    if (t->kind == MR_JSON_STRING) {
        return special_fits(t->text, ret_number);
    }
    return t->kind == MR_JSON_NUMBER &&
           mr_json_fraction(t->text, type->kind == MR_TYPE_FLOAT, ret_number) == MR_OK;
}

bool mr_json_is_required(const mr_field *field)
{
    const bool may_be_null = field->type->kind == MR_TYPE_NULL ||
                             (field->type->kind == MR_TYPE_UNION && field->type->null_branch >= 0);
    return field->preset == NULL && !may_be_null;
}

/* Bytes are written as one character each, \u0000 to \u00ff. They are left in `scratch`. */
static bool bytes_fit(const mr_type *type, const mr_json_token *t, mr_buf *scratch)
{
    if (t->kind != MR_JSON_STRING) {
        return false;
    }
    mr_buf_clear(scratch);
    for (size_t i = 0; i < t->text.len; i++) {
        uint8_t c = t->text.data[i];
        if (c >= 0x80) {
            if (c > 0xc3) {
                return false;
            }
            c = (uint8_t)(c << 6 | (t->text.data[++i] & 0x3f));
        }
        mr_buf_append_byte(scratch, c);
    }
    return type->kind == MR_TYPE_BYTES || scratch->len == type->fixed_size;
}

bool mr_json_fits(const mr_type *type, const mr_json_token *t, mr_buf *scratch)
{
    int64_t whole;
    double fraction;
    switch (type->kind) {
    case MR_TYPE_NULL:
        return t->kind == MR_JSON_NULL;
    case MR_TYPE_BOOLEAN:
        return t->kind == MR_JSON_BOOLEAN;
    case MR_TYPE_INT:
    case MR_TYPE_LONG:
        return whole_fits(type, t, &whole);
    case MR_TYPE_FLOAT:
    case MR_TYPE_DOUBLE:
        return fraction_fits(type, t, &fraction);
    case MR_TYPE_BYTES:
    case MR_TYPE_FIXED:
        return bytes_fit(type, t, scratch);
    case MR_TYPE_STRING:
        return t->kind == MR_JSON_STRING;
    case MR_TYPE_ENUM:
        return t->kind == MR_JSON_STRING && mr_type_symbol(type, t->text) >= 0;
    case MR_TYPE_ARRAY:
        return t->kind == MR_JSON_ARRAY;
    case MR_TYPE_MAP:
    case MR_TYPE_RECORD:
        return t->kind == MR_JSON_OBJECT;
    case MR_TYPE_UNION:
        break; /* a union holds no union */
    }
    return false;
}

void mr_json_set(const mr_type *type, void *value, const mr_json_token *t, const mr_buf *scratch)
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
        mr_string_set(value, mr_buf_bytes(scratch));
        break;
    case MR_TYPE_FIXED:
        memcpy(value, mr_buf_bytes(scratch).data, type->fixed_size);
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

void mr_json_append_expectation(mr_buf *text, const mr_type *type)
{
    if (type->kind == MR_TYPE_FIXED) {
        mr_buf_printf(text, "a string of %zu characters up to \\u00ff (fixed)", type->fixed_size);
    } else if (type->kind != MR_TYPE_UNION) {
        mr_buf_append_text(text, expectation(type));
    }
    for (size_t i = 0; type->kind == MR_TYPE_UNION && i < type->n_branches; i++) {
        mr_buf_append_text(text, i == 0 ? "" : " or ");
        mr_json_append_expectation(text, type->branches[i]);
    }
}
