/*
 * The input of the shuffle workload: line number i of a seed, always the same one, and what each
 * rule makes of it. A line has no key; its value is an Avro record { bytes Data } of random bytes.
 *
 * The rules are ranges of equal width on a ring of 63 bits: a rule matches a line whose hash is
 * less than a width above the rule's offset. All of them together match `LINE_SELECTIVITY` of a
 * line on average. The apps in apps/shuffle and ShuffleRules.java compute the same.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LINE_FRAME_LEN = 10, LINE_BYTES_MIN = 128, LINE_BYTES_MAX = 8192 };

#define LINE_SELECTIVITY 0.2

/* The first words of a line's data; the hash is made of both. */
typedef struct line {
    uint64_t first, second;
} line;

line line_at(uint64_t seed, uint64_t i);
/* Writes `bytes` bytes: frame, the length of Data, Data. */
void line_write(uint64_t seed, uint64_t i, const uint8_t frame[LINE_FRAME_LEN], size_t bytes,
                uint8_t *ret_value);

/* What a rule's first count is, so that not all rules make their first output at the same time. */
int64_t rule_first_count(uint64_t rule, int64_t rate);
/* The number of a rule from "rule-123", or `rules` when the text is none of theirs. */
uint64_t rule_parse(const void *text, size_t len, uint64_t rules);

/* The rules by their offset. */
typedef struct rule_ring rule_ring;
rule_ring *rule_ring_new(uint64_t rules);
void rule_ring_free(rule_ring *ring);
/* Calls `matched` for each rule that matches the line. */
void rule_ring_match(const rule_ring *ring, const line *of,
                     void (*matched)(void *argument, uint64_t rule, const line *of),
                     void *argument);
