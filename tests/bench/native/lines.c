#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "random.h"

enum { WORD = 8 };

static const uint64_t ring_mask = UINT64_MAX >> 1;
static const uint64_t rule_seed = UINT64_C(0x2e3fac4f58fc98b4);
static const uint64_t count_seed = UINT64_C(0x1b873593cc9e2d51);

typedef struct placed_rule {
    uint64_t offset, rule;
} placed_rule;

struct rule_ring {
    uint64_t rules, width;
    placed_rule *by_offset;
};

/* ---- Lines ---- */

/* Word `at` of a line's data. */
static uint64_t word_at(uint64_t seed, uint64_t i, uint64_t at)
{
    return random_at(seed, i * LINE_BYTES_MAX + at);
}

line line_at(uint64_t seed, uint64_t i)
{
    return (line){.first = word_at(seed, i, 0), .second = word_at(seed, i, 1)};
}

/* Most significant byte first. */
static void word_write(uint8_t *at, uint64_t word)
{
    for (size_t i = 0; i < WORD; i++) {
        at[i] = (uint8_t)(word >> (8 * (WORD - 1 - i)));
    }
}

void line_write(uint64_t seed, uint64_t i, const uint8_t frame[LINE_FRAME_LEN], size_t bytes,
                uint8_t *ret_value)
{
    enum { LENGTH_LEN = 2 }; /* of an Avro length from 64 to 8191 */
    const size_t data = bytes - LINE_FRAME_LEN - LENGTH_LEN;
    const uint64_t zigzag = (uint64_t)data << 1;
    memcpy(ret_value, frame, LINE_FRAME_LEN);
    uint8_t *at = ret_value + LINE_FRAME_LEN;
    *at++ = (uint8_t)(zigzag | 0x80);
    *at++ = (uint8_t)(zigzag >> 7);
    uint8_t word[WORD];
    for (size_t done = 0; done < data; done += WORD) {
        word_write(word, word_at(seed, i, done / WORD));
        memcpy(at + done, word, data - done < WORD ? data - done : WORD);
    }
}

/* ---- Rules ---- */

int64_t rule_first_count(uint64_t rule, int64_t rate)
{
    return (int64_t)((random_at(count_seed, rule) & ring_mask) % (uint64_t)rate);
}

uint64_t rule_parse(const void *text, size_t len, uint64_t rules)
{
    static const char prefix[] = "rule-";
    enum { PREFIX_LEN = sizeof(prefix) - 1, DIGITS_MAX = 9 };
    const char *at = text;
    uint64_t rule = 0;
    if (len <= PREFIX_LEN || len > PREFIX_LEN + DIGITS_MAX || memcmp(at, prefix, PREFIX_LEN) != 0) {
        return rules;
    }
    for (size_t i = PREFIX_LEN; i < len; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return rules;
        }
        rule = rule * 10 + (uint64_t)(at[i] - '0');
    }
    return rule < rules ? rule : rules;
}

static int compare_offsets(const void *a, const void *b)
{
    const placed_rule *one = a;
    const placed_rule *other = b;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

rule_ring *rule_ring_new(uint64_t rules)
{
    rule_ring *ring = calloc(1, sizeof(*ring));
    placed_rule *by_offset = calloc(rules, sizeof(*by_offset));
    if (ring == NULL || by_offset == NULL) {
        bench_die("memory", "none");
    }
    for (uint64_t rule = 0; rule < rules; rule++) {
        by_offset[rule] =
            (placed_rule){.offset = random_at(rule_seed, rule) & ring_mask, .rule = rule};
    }
    qsort(by_offset, rules, sizeof(*by_offset), compare_offsets);
    *ring = (rule_ring){.rules = rules,
                        .width = (uint64_t)(LINE_SELECTIVITY / (double)rules * 0x1p63),
                        .by_offset = by_offset};
    return ring;
}

void rule_ring_free(rule_ring *ring)
{
    free(ring->by_offset);
    free(ring);
}

/* How many rules have an offset of at most `hash`. */
static uint64_t rules_up_to(const rule_ring *ring, uint64_t hash)
{
    uint64_t low = 0;
    uint64_t high = ring->rules;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (ring->by_offset[middle].offset <= hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void rule_ring_match(const rule_ring *ring, const line *of,
                     void (*matched)(void *argument, uint64_t rule, const line *of), void *argument)
{
    const uint64_t hash = random_mix(of->first + random_mix(of->second)) & ring_mask;
    uint64_t at = rules_up_to(ring, hash);
    for (uint64_t seen = 0; seen < ring->rules; seen++) {
        at = at == 0 ? ring->rules - 1 : at - 1;
        const placed_rule *rule = &ring->by_offset[at];
        if (((hash - rule->offset) & ring_mask) >= ring->width) {
            return; /* those before it are farther off still */
        }
        matched(argument, rule->rule, of);
    }
}
