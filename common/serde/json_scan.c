#include "serde/json_scan.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* ---- Escapes ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The code unit of a \uXXXX at the start of `text`, -1 when there is none. */
static int code_unit(mr_bytes text)
{
    if (text.len < 6 || text.data[0] != '\\' || text.data[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (size_t i = 2; i < 6; i++) {
        const int digit = hex_digit(text.data[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static mr_bytes from(mr_bytes text, size_t offset)
{
    return mr_bytes_of(text.data + offset, text.len - offset);
}

static bool is_high(int unit)
{
    return (unit & 0xfffc00) == 0xd800;
}

static bool is_low(int unit)
{
    return (unit & 0xfffc00) == 0xdc00;
}

/* Backslashes occur in strings only; what is wrong otherwise is left to the parser. */
static mr_status check_surrogates(mr_bytes json, mr_error *err)
{
    size_t i = 0;
    for (;;) {
        const uint8_t *backslash = i < json.len ? memchr(json.data + i, '\\', json.len - i) : NULL;
        if (backslash == NULL) {
            return MR_OK;
        }
        i = (size_t)(backslash - json.data);
        const int unit = code_unit(from(json, i));
        if (unit < 0) {
            i += 2;
            continue;
        }
        const bool pair = is_high(unit) && is_low(code_unit(from(json, i + 6)));
        if (!pair && (is_high(unit) || is_low(unit))) {
            return mr_error_record(err, MR_ERR_DATA, "deserialize",
                                   "not JSON at byte %zu: half of a surrogate pair", i);
        }
        i += pair ? 12 : 6;
    }
}

/* ---- The parser ---- */

/* yajl says "lexical error: invalid char in json text.\n"; the part behind the colon is for people.
 */
static mr_status parser_error(yajl_handle parser, mr_bytes json, size_t at, mr_error *err)
{
    unsigned char *text = yajl_get_error(parser, 0, json.data, json.len);
    const char *reason = text == NULL ? "" : (const char *)text;
    const char *colon = strstr(reason, ": ");
    reason = colon == NULL ? reason : colon + 2;
    const size_t len = strcspn(reason, "\n");
    const mr_status status =
        mr_error_record(err, MR_ERR_DATA, "deserialize", "not JSON at byte %zu: %.*s", at,
                        len > INT_MAX ? INT_MAX : (int)len, reason);
    if (text != NULL) {
        yajl_free_error(parser, text);
    }
    return status;
}

static void *parser_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return mr_alloc(size);
}

static void *parser_realloc(void *ctx, void *pointer, size_t size)
{
    (void)ctx;
    return mr_realloc(pointer, size);
}

static void parser_free(void *ctx, void *pointer)
{
    (void)ctx;
    free(pointer);
}

mr_status mr_json_scan(const yajl_callbacks *callbacks, void *ctx, mr_bytes json,
                       yajl_handle *ret_parser, mr_error *err)
{
    yajl_alloc_funcs memory = {parser_alloc, parser_realloc, parser_free, NULL};
    if (json.len == 0 || json.len > INT32_MAX) {
        return mr_error_record(err, MR_ERR_DATA, "deserialize", "not JSON: the text is %s",
                               json.len == 0 ? "empty" : "too long");
    }
    MR_TRY(check_surrogates(json, err));
    yajl_handle parser = yajl_alloc(callbacks, &memory, ctx);
    assert(parser != NULL);
    *ret_parser = parser;
    yajl_status outcome = yajl_parse(parser, json.data, json.len);
    const size_t at = yajl_get_bytes_consumed(parser);
    if (outcome == yajl_status_ok) {
        outcome = yajl_complete_parse(parser);
    }
    mr_status status = MR_OK;
    if (outcome == yajl_status_client_canceled) {
        status = err->status;
    } else if (outcome != yajl_status_ok) {
        status = parser_error(parser, json, at, err);
    }
    yajl_free(parser);
    return status;
}

mr_bytes mr_json_rest(yajl_handle parser, mr_bytes json)
{
    return from(json, yajl_get_bytes_consumed(parser));
}

mr_status mr_json_check_utf8(mr_bytes text, mr_error *err)
{
    if (!mr_text_is_utf8(text)) {
        return mr_error_record(err, MR_ERR_DATA, "deserialize", "not JSON: a string is no UTF-8");
    }
    return MR_OK;
}

/* ---- Numbers: the process keeps the C locale, so the point is a point ---- */

mr_status mr_json_whole(mr_bytes text, int64_t *ret_number)
{
    char copy[24];
    if (text.len >= sizeof(copy)) {
        return MR_NOT_FOUND;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return mr_parse_int64(copy, ret_number);
}

mr_status mr_json_fraction(mr_bytes text, bool single, double *ret_number)
{
    char copy[64];
    mr_buf large = MR_BUF_NULL;
    const char *terminated = copy;
    if (text.len < sizeof(copy)) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
    } else {
        mr_buf_append_bytes(&large, text);
        terminated = mr_buf_text(&large);
    }
    /* A float by way of a double would be rounded twice. */
    const double number = single ? (double)strtof(terminated, NULL) : strtod(terminated, NULL);
    mr_buf_deinit(&large);
    if (!isfinite(number)) {
        return MR_NOT_FOUND;
    }
    *ret_number = number;
    return MR_OK;
}

static bool append_special(mr_buf *json, double number)
{
    if (isfinite(number)) {
        return false;
    }
    mr_buf_append_text(json, isnan(number)  ? "\"NaN\""
                             : number > 0.0 ? "\"Infinity\""
                                            : "\"-Infinity\"");
    return true;
}

void mr_json_append_double(mr_buf *json, double number)
{
    if (append_special(json, number)) {
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
        const double again = strtod(text, NULL);
        if (memcmp(&again, &number, sizeof(number)) == 0) {
            break;
        }
    }
    mr_buf_append_text(json, text);
}

void mr_json_append_float(mr_buf *json, float number)
{
    if (append_special(json, (double)number)) {
        return;
    }
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, (double)number);
        const float again = strtof(text, NULL);
        if (memcmp(&again, &number, sizeof(number)) == 0) {
            break;
        }
    }
    mr_buf_append_text(json, text);
}
