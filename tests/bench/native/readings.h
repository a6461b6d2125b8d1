/*
 * The input of the totals workload: reading number i of a seed, always the same one. A reading is
 * the key "key-0000123" and an Avro record { long Amount; bytes Filler } of a given size.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { READING_KEY_LEN = 11, READING_FRAME_LEN = 10, READING_BYTES_MAX = 65536 };

typedef struct reading {
    uint64_t key; /* 0 … keys - 1, all equally likely */
    int64_t amount;
} reading;

reading reading_at(uint64_t seed, uint64_t i, uint64_t keys);
void reading_key(uint64_t key, char ret_text[READING_KEY_LEN + 1]);
/* The number of a key, or `keys` when the text is none of theirs. */
uint64_t reading_key_parse(const void *text, size_t len, uint64_t keys);
/* Writes `bytes` bytes: frame, Amount, Filler. */
void reading_write(const reading *r, const uint8_t frame[READING_FRAME_LEN], size_t bytes,
                   uint8_t *ret_value);
/* Reads one Avro long and returns what follows it; NULL when there is none before `end`. */
const uint8_t *avro_long_read(const uint8_t *at, const uint8_t *end, int64_t *ret_number);
