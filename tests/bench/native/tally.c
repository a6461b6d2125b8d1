/*
 * Reads what is committed on a topic to its end and says what it was:
 *
 *   tally BROKERS TOPIC [RECORDS KEYS SEED]
 *
 * With RECORDS, KEYS and SEED the values are totals (three Avro longs: Count, Sum, Last) and the
 * last one of each key is compared with what readings 0 … RECORDS - 1 of SEED add up to. Prints one
 * JSON object; "next" holds, by partition, the offset after the last record.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "readings.h"
#include "topic.h"

typedef struct total {
    int64_t count, sum, last;
} total;

typedef struct tally {
    uint64_t records, bytes;
    uint64_t keys; /* 0: values are not looked at */
    total *seen;
    uint64_t foreign; /* records whose key or value is none of the workload's */
} tally;

static void add(tally *t, const rd_kafka_message_t *message)
{
    const uint8_t *at = message->payload;
    const uint8_t *end = at + message->len;
    const uint64_t key = reading_key_parse(message->key, message->key_len, t->keys);
    total found = {0};
    if (key < t->keys && message->len > READING_FRAME_LEN) {
        at = avro_long_read(at + READING_FRAME_LEN, end, &found.count);
        at = at == NULL ? NULL : avro_long_read(at, end, &found.sum);
        at = at == NULL ? NULL : avro_long_read(at, end, &found.last);
    } else {
        at = NULL;
    }
    if (at != end) {
        t->foreign++;
        return;
    }
    t->seen[key] = found;
}

static void take(void *argument, const rd_kafka_message_t *message)
{
    tally *t = argument;
    t->records++;
    t->bytes += message->len;
    if (t->keys > 0) {
        add(t, message);
    }
}

static uint64_t compare(const tally *t, uint64_t records, uint64_t seed)
{
    total *expected = calloc(t->keys, sizeof(*expected));
    uint64_t wrong = 0;
    if (expected == NULL) {
        bench_die("memory", "none");
    }
    for (uint64_t i = 0; i < records; i++) {
        const reading r = reading_at(seed, i, t->keys);
        expected[r.key].count++;
        expected[r.key].sum += r.amount;
        expected[r.key].last = r.amount;
    }
    for (uint64_t key = 0; key < t->keys; key++) {
        wrong += memcmp(&expected[key], &t->seen[key], sizeof(total)) != 0;
    }
    free(expected);
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 6) {
        (void)fprintf(stderr, "usage: tally BROKERS TOPIC [RECORDS KEYS SEED]\n");
        return 2;
    }
    tally t = {0};
    if (argc == 6) {
        t.keys = (uint64_t)bench_number("KEYS", argv[4]);
        t.seen = calloc(t.keys + 1, sizeof(*t.seen));
    }
    rd_kafka_topic_partition_list_t *positions = bench_read(argv[1], argv[2], take, &t);
    (void)printf("{\"records\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"next\":[", t.records, t.bytes);
    for (int i = 0; i < positions->cnt; i++) {
        (void)printf("%s%" PRId64, i == 0 ? "" : ",", positions->elems[i].offset);
    }
    (void)printf("]");
    if (t.keys > 0) {
        const uint64_t wrong = compare(&t, (uint64_t)bench_number("RECORDS", argv[3]),
                                       (uint64_t)bench_number("SEED", argv[5]));
        int64_t counted = 0;
        for (uint64_t key = 0; key < t.keys; key++) {
            counted += t.seen[key].count;
        }
        (void)printf(",\"counted\":%" PRId64 ",\"wrong_keys\":%" PRIu64 ",\"foreign\":%" PRIu64,
                     counted, wrong, t.foreign);
    }
    (void)printf("}\n");
    rd_kafka_topic_partition_list_destroy(positions);
    free(t.seen);
    return 0;
}
