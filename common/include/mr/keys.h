/*
 * Store keys of several parts that sort like their parts: strings bytewise, longs by value.
 *
 * Encoding (FoundationDB's tuple layer is the known model): string = 02, bytes with 00 as 00 FF,
 * then 00; long = 15, 8 bytes big-endian with the sign bit flipped. A prefix of parts is a byte
 * prefix of every key that begins with them.
 */
#pragma once

#include <mr/bytes.h>

typedef enum mr_key_kind {
    MR_KEY_STRING,
    MR_KEY_LONG,
} mr_key_kind;

enum { MR_KEY_PARTS_MAX = 8 };

typedef struct mr_key_part {
    mr_key_kind kind;
    mr_bytes text; /* MR_KEY_STRING */
    int64_t number;
} mr_key_part;

void mr_key_append(mr_buf *key, const mr_key_part *part);

/* Splits an encoded key. Strings are unescaped into `scratch`, which the parts then borrow from.
 * MR_ERR_DATA when the bytes are no key of at most MR_KEY_PARTS_MAX parts. */
mr_status mr_key_parse(mr_bytes key, mr_buf *scratch, mr_key_part ret_parts[MR_KEY_PARTS_MAX],
                       size_t *ret_n, mr_error *err) MR_MUST_USE;

/* The same for a string prefix of the last part: as mr_key_append without the closing 00, so that
 * it is a byte prefix of every string that begins with `text`. */
void mr_key_append_open(mr_buf *key, mr_bytes text);

/* The smallest byte string above every string with this prefix; MR_END when there is none
 * (empty or all FF). */
mr_status mr_key_successor(mr_bytes prefix, mr_buf *ret_successor) MR_MUST_USE;
