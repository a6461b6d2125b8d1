/*
 * Writes readings or lines to a topic, as fast as the broker takes them or at a steady rate:
 *
 *   load BROKERS TOPIC FIRST RECORDS KEYS BYTES SEED FRAME [RATE]
 *
 * Writes readings, or with KEYS 0 lines, FIRST … FIRST + RECORDS - 1 of SEED. FRAME: the 10 bytes
 * before the Avro body, in hexadecimal. RATE: records a second; until SIGTERM. Prints one JSON
 * object when every record that was sent has been acknowledged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "lines.h"
#include "readings.h"

typedef struct load {
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    uint64_t first, records, seed;
    uint64_t keys; /* 0: lines */
    size_t bytes;
    uint64_t rate; /* 0: as fast as possible */
    uint8_t frame[READING_FRAME_LEN];
} load;

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("a record was not written", rd_kafka_err2str(message->err));
    }
}

static void open_producer(load *l, const char *brokers, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", brokers);
    bench_set(conf, "enable.idempotence", "true");
    bench_set(conf, "acks", "all");
    bench_set(conf, "partitioner", "murmur2_random");
    bench_set(conf, "linger.ms", l->rate > 0 ? "5" : "50");
    bench_set(conf, "queue.buffering.max.messages", "200000");
    bench_set(conf, "batch.num.messages", "10000");
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    l->producer = bench_open(RD_KAFKA_PRODUCER, conf);
    l->topic = rd_kafka_topic_new(l->producer, topic, NULL);
}

static void parse_frame(load *l, const char *text)
{
    for (size_t i = 0; i < READING_FRAME_LEN; i++) {
        unsigned byte = 0;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
            bench_die("FRAME", "not 20 hexadecimal digits");
        }
        l->frame[i] = (uint8_t)byte;
    }
}

/* Serves delivery reports until the record's turn has come. */
static void keep_pace(const load *l, int64_t started_us, uint64_t sent)
{
    const int64_t due_us = started_us + (int64_t)(sent * 1000000 / l->rate);
    int64_t left_us = due_us - bench_now_us();
    while (left_us > 0 && !bench_is_stopping()) {
        (void)rd_kafka_poll(l->producer, (int)(left_us / 1000) + 1);
        left_us = due_us - bench_now_us();
    }
}

static void write_reading(load *l, uint64_t i)
{
    static uint8_t value[READING_BYTES_MAX];
    char key[READING_KEY_LEN + 1];
    const reading r = reading_at(l->seed, i, l->keys);
    reading_key(r.key, key);
    reading_write(&r, l->frame, l->bytes, value);
    bench_produce(l->producer, l->topic, key, READING_KEY_LEN, value, l->bytes);
}

static void write_line(load *l, uint64_t i)
{
    static uint8_t value[LINE_BYTES_MAX];
    line_write(l->seed, i, l->frame, l->bytes, value);
    bench_produce(l->producer, l->topic, NULL, 0, value, l->bytes);
}

static uint64_t run(load *l)
{
    enum { SERVE_EVERY = 256 };
    const int64_t started_us = bench_now_us();
    uint64_t sent = 0;
    while (sent < l->records && !bench_is_stopping()) {
        if (l->keys > 0) {
            write_reading(l, l->first + sent);
        } else {
            write_line(l, l->first + sent);
        }
        sent++;
        if (l->rate > 0) {
            keep_pace(l, started_us, sent);
        } else if (sent % SERVE_EVERY == 0) {
            (void)rd_kafka_poll(l->producer, 0);
        }
    }
    const rd_kafka_resp_err_t code = rd_kafka_flush(l->producer, 10 * BENCH_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("flush", rd_kafka_err2str(code));
    }
    return sent;
}

int main(int argc, char **argv)
{
    if (argc < 9) {
        (void)fprintf(stderr, "usage: load BROKERS TOPIC FIRST RECORDS KEYS BYTES SEED FRAME "
                              "[RATE]\n");
        return 2;
    }
    load l = {.first = (uint64_t)bench_number("FIRST", argv[3]),
              .records = (uint64_t)bench_number("RECORDS", argv[4]),
              .keys = (uint64_t)bench_number("KEYS", argv[5]),
              .bytes = (size_t)bench_number("BYTES", argv[6]),
              .seed = (uint64_t)bench_number("SEED", argv[7]),
              .rate = argc > 9 ? (uint64_t)bench_number("RATE", argv[9]) : 0};
    const size_t bytes_min = l.keys > 0 ? 16 : LINE_BYTES_MIN;
    const size_t bytes_max = l.keys > 0 ? READING_BYTES_MAX : LINE_BYTES_MAX;
    if (l.keys > 10000000 || l.bytes < bytes_min || l.bytes > bytes_max) {
        bench_die("KEYS or BYTES", "out of range");
    }
    parse_frame(&l, argv[8]);
    bench_catch_signals();
    open_producer(&l, argv[1], argv[2]);
    const int64_t started_us = bench_now_us();
    const uint64_t sent = run(&l);
    (void)printf("{\"records\":%" PRIu64 ",\"seconds\":%.3f}\n", sent,
                 (double)(bench_now_us() - started_us) / 1e6);
    rd_kafka_topic_destroy(l.topic);
    rd_kafka_destroy(l.producer);
    return 0;
}
