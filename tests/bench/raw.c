/*
 * What librdkafka alone can do: reads every record of a topic to its end and writes it to another
 * one, in transactions with the consumer's offsets. The measure that the processors are held
 * against.
 *
 *   raw BROKERS INPUT OUTPUT COMMIT_MS [BYTES]
 *
 * BYTES: how large the written values are (0: as large as the read ones). Prints one JSON object.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <librdkafka/rdkafka.h>

#include <mr/clock.h>

enum { BATCH = 10000, WAIT_MS = 100, TIMEOUT_MS = 30000 };

typedef struct loop {
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *output;
    rd_kafka_topic_partition_list_t *positions; /* one a partition of the input: next offset */
    size_t value_bytes;
    int64_t commit_us;
    int64_t commit_at_us;
    int64_t started_us; /* when the first record came */
    int64_t records;
    int64_t bytes;
    int64_t commits;
    size_t n_ended;
} loop;

static int64_t now_us(void)
{
    mr_clock *clock = mr_clock_system();
    return clock->monotonic_us(clock);
}

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "raw: %s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, rd_kafka_error_t *error)
{
    if (error != NULL) {
        die(what, rd_kafka_error_string(error));
    }
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        die(name, why);
    }
}

static rd_kafka_t *open_client(rd_kafka_type_t type, const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    if (type == RD_KAFKA_CONSUMER) {
        set(conf, "group.id", "bench-raw");
        set(conf, "enable.auto.commit", "false");
        set(conf, "auto.offset.reset", "earliest");
        set(conf, "enable.partition.eof", "true");
        /* Below these limits the consumer would pause for a second at a time. */
        set(conf, "queued.min.messages", "1000000");
        set(conf, "queued.max.messages.kbytes", "262144");
    } else {
        set(conf, "transactional.id", "bench-raw");
        set(conf, "linger.ms", "5");
        set(conf, "queue.buffering.max.messages", "1000000");
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    if (rk == NULL) {
        die("client", why);
    }
    return rk;
}

/* Every partition of the input, from its beginning. */
static void find_partitions(loop *l, const char *input)
{
    const rd_kafka_metadata_t *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(l->consumer, input, NULL);
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(l->consumer, 0, topic, &metadata, TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topics[0].partition_cnt == 0) {
        die(input, rd_kafka_err2str(code));
    }
    const int n = metadata->topics[0].partition_cnt;
    l->positions = rd_kafka_topic_partition_list_new(n);
    for (int i = 0; i < n; i++) {
        rd_kafka_topic_partition_list_add(l->positions, input, i)->offset = 0;
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
}

/* All into one queue. */
static void assign(loop *l)
{
    const rd_kafka_resp_err_t code = rd_kafka_assign(l->consumer, l->positions);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die("assign", rd_kafka_err2str(code));
    }
    l->queue = rd_kafka_queue_get_consumer(l->consumer);
}

static void commit(loop *l)
{
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(l->consumer);
    must("send offsets",
         rd_kafka_send_offsets_to_transaction(l->producer, l->positions, group, TIMEOUT_MS));
    rd_kafka_consumer_group_metadata_destroy(group);
    must("commit", rd_kafka_commit_transaction(l->producer, TIMEOUT_MS));
    l->commits++;
    must("begin", rd_kafka_begin_transaction(l->producer));
}

static void copy_record(loop *l, const rd_kafka_message_t *message)
{
    static char zeros[1 << 16];
    const bool own = l->value_bytes > 0;
    void *value = own ? zeros : message->payload;
    const size_t len = own ? l->value_bytes : message->len;
    while (rd_kafka_produce(l->output, message->partition, RD_KAFKA_MSG_F_COPY, value, len,
                            message->key, message->key_len, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            die("produce", rd_kafka_err2str(rd_kafka_last_error()));
        }
        rd_kafka_poll(l->producer, 10);
    }
    l->positions->elems[message->partition].offset = message->offset + 1;
    l->bytes += (int64_t)message->len;
    l->records++;
}

static void copy_batch(loop *l, rd_kafka_message_t **messages)
{
    const ssize_t n = rd_kafka_consume_batch_queue(l->queue, WAIT_MS, messages, BATCH);
    if (n > 0 && l->started_us == 0) {
        l->started_us = now_us();
    }
    for (ssize_t i = 0; i < n; i++) {
        if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            copy_record(l, messages[i]);
        } else if (messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            l->n_ended++;
        } else {
            die("consume", rd_kafka_message_errstr(messages[i]));
        }
        rd_kafka_message_destroy(messages[i]);
    }
    rd_kafka_poll(l->producer, 0);
}

static void run(loop *l)
{
    rd_kafka_message_t **messages = calloc(BATCH, sizeof(*messages));
    if (messages == NULL) {
        die("memory", "none");
    }
    must("begin", rd_kafka_begin_transaction(l->producer));
    l->commit_at_us = now_us() + l->commit_us;
    while (l->n_ended < (size_t)l->positions->cnt) {
        copy_batch(l, messages);
        if (now_us() >= l->commit_at_us) {
            commit(l);
            l->commit_at_us = now_us() + l->commit_us;
        }
    }
    commit(l);
    free(messages);
}

/* A producer's first transaction with a topic takes up to a second in old librdkafka: not timed. */
static void warm_up(loop *l)
{
    char empty[1] = "";
    must("begin", rd_kafka_begin_transaction(l->producer));
    for (int i = 0; i < l->positions->cnt; i++) {
        if (rd_kafka_produce(l->output, i, RD_KAFKA_MSG_F_COPY, empty, 0, empty, 0, NULL) != 0) {
            die("produce", rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    must("commit", rd_kafka_commit_transaction(l->producer, TIMEOUT_MS));
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        (void)fprintf(stderr, "usage: raw BROKERS INPUT OUTPUT COMMIT_MS [BYTES]\n");
        return 2;
    }
    loop l = {.commit_us = strtoll(argv[4], NULL, 10) * 1000,
              .value_bytes = argc > 5 ? (size_t)strtoull(argv[5], NULL, 10) : 0};
    if (l.value_bytes > 1 << 16) {
        die("BYTES", "too many");
    }
    l.consumer = open_client(RD_KAFKA_CONSUMER, argv[1]);
    rd_kafka_poll_set_consumer(l.consumer);
    l.producer = open_client(RD_KAFKA_PRODUCER, argv[1]);
    l.output = rd_kafka_topic_new(l.producer, argv[3], NULL);
    must("init", rd_kafka_init_transactions(l.producer, TIMEOUT_MS));
    find_partitions(&l, argv[2]);
    warm_up(&l);
    assign(&l);
    run(&l);
    const double seconds = (double)(now_us() - l.started_us) / 1e6;
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    (void)printf("{\"records\":%" PRId64 ",\"bytes\":%" PRId64 ",\"commits\":%" PRId64
                 ",\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"peak_kilobytes\":%ld}\n",
                 l.records, l.bytes, l.commits, seconds,
                 seconds_of(used.ru_utime) + seconds_of(used.ru_stime), used.ru_maxrss);
    rd_kafka_queue_destroy(l.queue);
    rd_kafka_topic_destroy(l.output);
    rd_kafka_topic_partition_list_destroy(l.positions);
    rd_kafka_destroy(l.producer);
    rd_kafka_consumer_close(l.consumer);
    rd_kafka_destroy(l.consumer);
    return 0;
}
