/*
 * How old the records of a topic are when a read_committed consumer gets them:
 *
 *   latency BROKERS TOPIC RECORDS WARM_MS
 *
 * A record's age is the machine's clock at its arrival here less its timestamp, which a contender
 * passes on from its input: so the broker's append time of the input, where that topic has
 * LogAppendTime. Ends after RECORDS records or with SIGTERM. The records whose timestamp is within
 * WARM_MS of the first one's are counted and not measured. Prints "ready" once it reads, and one
 * JSON object at the end; percentiles are exact to the millisecond.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mr/clock.h>

#include "client.h"

enum { AGES = 120000, WAIT_MS = 100 };

typedef struct ages {
    rd_kafka_t *consumer;
    uint64_t wanted, seen, measured;
    uint64_t early; /* older than no time at all: the clock was set back */
    int64_t warm_ms;
    int64_t first_ms; /* the first record's timestamp */
    int64_t max_ms;
    uint64_t *of; /* how many of each age; the last: that or more */
} ages;

static void open_consumer(ages *a, const char *brokers, const char *topic)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", brokers);
    bench_set(conf, "group.id", "bench-latency");
    bench_set(conf, "enable.auto.commit", "false");
    bench_set(conf, "auto.offset.reset", "error");
    bench_set(conf, "isolation.level", "read_committed");
    a->consumer = bench_open(RD_KAFKA_CONSUMER, conf);
    (void)rd_kafka_poll_set_consumer(a->consumer);
    rd_kafka_topic_partition_list_t *from = bench_partitions(a->consumer, topic);
    const rd_kafka_resp_err_t code = rd_kafka_assign(a->consumer, from);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("assign", rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(from);
}

static void measure(ages *a, int64_t age_ms)
{
    if (age_ms < 0) {
        a->early++;
        age_ms = 0;
    }
    if (age_ms > a->max_ms) {
        a->max_ms = age_ms;
    }
    a->of[age_ms < AGES ? age_ms : AGES - 1]++;
    a->measured++;
}

static void take(ages *a, const rd_kafka_message_t *message)
{
    mr_clock *clock = mr_clock_system();
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("consume", rd_kafka_message_errstr(message));
    }
    const int64_t sent_ms = rd_kafka_message_timestamp(message, &type);
    if (type != RD_KAFKA_TIMESTAMP_CREATE_TIME) {
        bench_die("timestamp", "not the writer's: the output topic needs CreateTime");
    }
    if (a->seen++ == 0) {
        a->first_ms = sent_ms;
    }
    if (sent_ms - a->first_ms >= a->warm_ms) {
        measure(a, clock->wall_ms(clock) - sent_ms);
    }
}

static void run(ages *a)
{
    while (a->seen < a->wanted && !bench_is_stopping()) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(a->consumer, WAIT_MS);
        if (message != NULL) {
            take(a, message);
            rd_kafka_message_destroy(message);
        }
    }
}

/* The least age that is not below `share` of them. */
static int64_t percentile(const ages *a, double share)
{
    const double rank = share * (double)a->measured;
    uint64_t passed = 0;
    int64_t age_ms = 0;
    while (age_ms < AGES - 1 && (double)(passed += a->of[age_ms]) < rank) {
        age_ms++;
    }
    return age_ms;
}

int main(int argc, char **argv)
{
    static uint64_t of[AGES];
    if (argc != 5) {
        (void)fprintf(stderr, "usage: latency BROKERS TOPIC RECORDS WARM_MS\n");
        return 2;
    }
    ages a = {.wanted = (uint64_t)bench_number("RECORDS", argv[3]),
              .warm_ms = bench_number("WARM_MS", argv[4]),
              .of = of};
    bench_catch_signals();
    open_consumer(&a, argv[1], argv[2]);
    (void)printf("ready\n");
    (void)fflush(stdout);
    run(&a);
    (void)printf("{\"records\":%" PRIu64 ",\"measured\":%" PRIu64 ",\"early\":%" PRIu64
                 ",\"p50_ms\":%" PRId64 ",\"p95_ms\":%" PRId64 ",\"p99_ms\":%" PRId64
                 ",\"max_ms\":%" PRId64 "}\n",
                 a.seen, a.measured, a.early, percentile(&a, 0.5), percentile(&a, 0.95),
                 percentile(&a, 0.99), a.max_ms);
    (void)rd_kafka_consumer_close(a.consumer);
    rd_kafka_destroy(a.consumer);
    return 0;
}
