/* Text that people write and read: numbers, times, suggestions, JSON strings. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <mr/bytes.h>

enum { MR_INTEGER_TEXT_SIZE = 21 };
/* Decimal, terminated; returns its length. */
size_t mr_integer_format(int64_t number, char ret_text[MR_INTEGER_TEXT_SIZE]);
/* A whole decimal number and nothing else; MR_NOT_FOUND when it is none or does not fit. */
mr_status mr_parse_int64(const char *text, int64_t *ret_value) MR_MUST_USE;

/* RFC 3339 with `Z` or an offset, "2020-04-20T20:30:00Z", fraction optional, to epoch ms. A date
 * without a time is midnight UTC. MR_NOT_FOUND when it is none. */
mr_status mr_time_parse(mr_bytes text, int64_t *ret_ms) MR_MUST_USE;

enum { MR_TIME_TEXT_SIZE = 32 };
/* Years 0000 to 9999 are all that RFC 3339 has. */
#define MR_TIME_MS_MIN INT64_C(-62167219200000)
#define MR_TIME_MS_MAX INT64_C(253402300799999)
/* Epoch ms to "2020-04-20T20:30:00.000Z"; a time that has no such text to the nearest one that has.
 */
void mr_time_format(int64_t ms, char ret_text[MR_TIME_TEXT_SIZE]);

/*
 * The candidate that a person most likely meant, NULL when none is near (edit distance at most a
 * third of the length). `candidates` are `n` strings that lie `stride` bytes apart, so that a
 * field of an array of structs can be searched: pass &array[0].name and sizeof(array[0]).
 */
const char *mr_text_nearest(const char *text, const char *const *candidates, size_t n,
                            size_t stride);

/* Appends a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void mr_text_append_json(mr_buf *buf, mr_bytes text);

bool mr_text_is_utf8(mr_bytes text);

/* Appends a Unicode scalar value as UTF-8. */
void mr_text_append_code_point(mr_buf *buf, uint32_t code);
