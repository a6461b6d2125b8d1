/*
 * yajl's SAX parser over one whole text. The only place that turns yajl's errors into ours.
 *
 * Beyond yajl: escapes of half a surrogate pair are refused (yajl would read '?'), and so is UTF-8
 * that is overlong or outside of Unicode. yajl's own parser has no limit of depth: callbacks count.
 */
#pragma once

#include <yajl/yajl_parse.h>

#include <mr/schema.h>

/*
 * Runs the callbacks, with `ctx` as their first argument. One that returns 0 has filled `err`,
 * which is forwarded; that of what is no JSON is MR_ERR_DATA, class "deserialize", with the offset.
 * *ret_parser is set before the first callback and is valid in callbacks, for mr_json_rest.
 */
mr_status mr_json_scan(const yajl_callbacks *callbacks, void *ctx, mr_bytes json,
                       yajl_handle *ret_parser, mr_error *err) MR_MUST_USE;

/* For callbacks: the text that follows the token they are called for. */
mr_bytes mr_json_rest(yajl_handle parser, mr_bytes json);

/* Whether an object whose members follow in `rest` is one of the record: it has no other names, and
 * those that the record needs. Looks ahead in text that need not be JSON. */
bool mr_json_names_fit(const mr_type *record, mr_bytes rest);

/* For callbacks: whether a string or key is UTF-8; else `err` is filled. */
mr_status mr_json_check_utf8(mr_bytes text, mr_error *err) MR_MUST_USE;

/* A number's text, as JSON writes them, to a whole number; MR_NOT_FOUND when it has a fraction or
 * an exponent or does not fit. */
mr_status mr_json_whole(mr_bytes text, int64_t *ret_number) MR_MUST_USE;

/* A number's text to the nearest double, or the nearest float when it is to be `single`;
 * MR_NOT_FOUND when it is too large for one. */
mr_status mr_json_fraction(mr_bytes text, bool single, double *ret_number) MR_MUST_USE;

/* Appends the shortest decimal number that reads back as the same; NaN, Infinity and -Infinity,
 * which JSON has no number for, as strings. */
void mr_json_append_double(mr_buf *json, double number);
void mr_json_append_float(mr_buf *json, float number);
