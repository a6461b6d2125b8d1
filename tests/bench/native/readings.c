#include "readings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "random.h"

enum { AMOUNTS = 1000 };

reading reading_at(uint64_t seed, uint64_t i, uint64_t keys)
{
    return (reading){.key = random_at(seed, 2 * i) % keys,
                     .amount = (int64_t)(random_at(seed, 2 * i + 1) % AMOUNTS)};
}

void reading_key(uint64_t key, char ret_text[READING_KEY_LEN + 1])
{
    (void)snprintf(ret_text, READING_KEY_LEN + 1, "key-%07u", (unsigned)(key % 10000000));
}

uint64_t reading_key_parse(const void *text, size_t len, uint64_t keys)
{
    const char *digits = (const char *)text + 4;
    uint64_t key = 0;
    if (len != READING_KEY_LEN || memcmp(text, "key-", 4) != 0) {
        return keys;
    }
    for (size_t i = 0; i < READING_KEY_LEN - 4; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return keys;
        }
        key = key * 10 + (uint64_t)(digits[i] - '0');
    }
    return key < keys ? key : keys;
}

/* Zigzag, then seven bits a byte, low ones first (Avro 1.11, "Binary Encoding"). */
static uint8_t *avro_long_write(uint8_t *at, int64_t number)
{
    uint64_t rest = ((uint64_t)number << 1) ^ (number < 0 ? UINT64_MAX : 0);
    while (rest > 0x7f) {
        *at++ = (uint8_t)(rest | 0x80);
        rest >>= 7;
    }
    *at++ = (uint8_t)rest;
    return at;
}

const uint8_t *avro_long_read(const uint8_t *at, const uint8_t *end, int64_t *ret_number)
{
    uint64_t bits = 0;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        bits |= (uint64_t)(*at & 0x7f) << shift;
        if ((*at++ & 0x80) == 0) {
            *ret_number = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
            return at;
        }
    }
    return NULL;
}

void reading_write(const reading *r, const uint8_t frame[READING_FRAME_LEN], size_t bytes,
                   uint8_t *ret_value)
{
    enum { LONG_MAX_LEN = 10 };
    uint8_t length[LONG_MAX_LEN];
    memcpy(ret_value, frame, READING_FRAME_LEN);
    uint8_t *at = avro_long_write(ret_value + READING_FRAME_LEN, r->amount);
    const size_t left = bytes - (size_t)(at - ret_value);
    /* The filler's length stands before it and takes room itself. */
    size_t filler = left - 1;
    while ((size_t)(avro_long_write(length, (int64_t)filler) - length) + filler > left) {
        filler--;
    }
    at = avro_long_write(at, (int64_t)filler);
    if (at + filler != ret_value + bytes) {
        bench_die("BYTES", "no filler makes a value of just this size");
    }
    memset(at, (int)(r->key & 0xff), filler);
}
