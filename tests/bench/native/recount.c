/*
 * Reads what came of the shuffle workload and compares it with what its lines call for:
 *
 *   recount BROKERS OUTPUT CHANGELOG RECORDS RULES RATE SEED
 *
 * OUTPUT has a state for each RATE lines that a rule has matched, CHANGELOG every rule's last one.
 * Both sums of a rule's lines are known whatever their order was: first count + matches = RATE x
 * outputs + the last state's count, and the sums of its outputs and its last state add up to that
 * of its lines. Prints one JSON object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lines.h"
#include "readings.h"
#include "topic.h"

typedef struct tallied {
    int64_t matches, outputs, count;
    uint64_t expected, sent, kept; /* sums, modulo 2^64 as their writers count */
} tallied;

typedef struct recount {
    uint64_t rules;
    int64_t rate;
    tallied *of;
    uint64_t matches, outputs, bytes;
    uint64_t foreign; /* records that no rule writes */
} recount;

static void expect(void *argument, uint64_t rule, const line *of)
{
    recount *r = argument;
    r->of[rule].matches++;
    r->of[rule].expected += of->first;
    r->matches++;
}

/* Count and Sum of a state; false when it is none. */
static bool read_state(const rd_kafka_message_t *message, int64_t *ret_count, int64_t *ret_sum)
{
    if (message->payload == NULL || message->len < LINE_FRAME_LEN) {
        return false;
    }
    const uint8_t *at = message->payload;
    const uint8_t *end = at + message->len;
    at = avro_long_read(at + LINE_FRAME_LEN, end, ret_count);
    return at != NULL && avro_long_read(at, end, ret_sum) != NULL;
}

static void take_output(void *argument, const rd_kafka_message_t *message)
{
    recount *r = argument;
    int64_t count = 0;
    int64_t sum = 0;
    const uint64_t rule = rule_parse(message->key, message->key_len, r->rules);
    r->outputs++;
    r->bytes += message->len;
    if (rule < r->rules && read_state(message, &count, &sum) && count == r->rate) {
        r->of[rule].outputs++;
        r->of[rule].sent += (uint64_t)sum;
    } else {
        r->foreign++;
    }
}

/* Kafka Streams' keys are the text; ours have a byte before it that says so, and end with 0. */
static uint64_t parse_row_key(const rd_kafka_message_t *message, uint64_t rules)
{
    enum { TAG_STRING = 2 };
    const char *key = message->key;
    const size_t len = message->key_len;
    const bool is_ours = len > 2 && key[0] == TAG_STRING && key[len - 1] == '\0';
    return is_ours ? rule_parse(key + 1, len - 2, rules) : rule_parse(key, len, rules);
}

static void take_state(void *argument, const rd_kafka_message_t *message)
{
    recount *r = argument;
    int64_t count = 0;
    int64_t sum = 0;
    const uint64_t rule = parse_row_key(message, r->rules);
    if (rule < r->rules && read_state(message, &count, &sum)) {
        r->of[rule].count = count;
        r->of[rule].kept = (uint64_t)sum;
    } else if (message->key_len == 0 || *(const char *)message->key != '\0') {
        r->foreign++; /* a key that begins with 0 is a mark of ours between commits */
    }
}

static uint64_t wrong_rules(const recount *r)
{
    uint64_t wrong = 0;
    for (uint64_t rule = 0; rule < r->rules; rule++) {
        const tallied *t = &r->of[rule];
        const int64_t first = t->matches > 0 ? rule_first_count(rule, r->rate) : 0;
        wrong += first + t->matches != t->outputs * r->rate + t->count ||
                 t->sent + t->kept != t->expected;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        (void)fprintf(stderr, "usage: recount BROKERS OUTPUT CHANGELOG RECORDS RULES RATE SEED\n");
        return 2;
    }
    const uint64_t records = (uint64_t)bench_number("RECORDS", argv[4]);
    const uint64_t seed = (uint64_t)bench_number("SEED", argv[7]);
    recount r = {.rules = (uint64_t)bench_number("RULES", argv[5]),
                 .rate = bench_number("RATE", argv[6])};
    if (r.rules == 0 || r.rate == 0) {
        bench_die("RULES or RATE", "0");
    }
    r.of = calloc(r.rules, sizeof(*r.of));
    if (r.of == NULL) {
        bench_die("memory", "none");
    }
    rule_ring *ring = rule_ring_new(r.rules);
    for (uint64_t i = 0; i < records; i++) {
        const line of = line_at(seed, i);
        rule_ring_match(ring, &of, expect, &r);
    }
    rule_ring_free(ring);
    rd_kafka_topic_partition_list_destroy(bench_read(argv[1], argv[2], take_output, &r));
    rd_kafka_topic_partition_list_destroy(bench_read(argv[1], argv[3], take_state, &r));
    (void)printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"matches\":%" PRIu64
                 ",\"wrong_rules\":%" PRIu64 ",\"foreign\":%" PRIu64 "}\n",
                 r.outputs, r.bytes, r.matches, wrong_rules(&r), r.foreign);
    free(r.of);
    return 0;
}
