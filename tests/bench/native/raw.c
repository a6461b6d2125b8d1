/*
 * What librdkafka alone can do: a member of a group reads a topic and writes every record, with its
 * key, to another one, until SIGTERM. The limit that everything else is held against.
 *
 *   raw BROKERS GROUP INPUT OUTPUT GUARANTEE COMMIT_MS BYTES [CHANGELOG]
 *
 * GUARANTEE: exactly_once (offsets and records in one transaction) or at_least_once (flush, then
 * commit the offsets). BYTES: how large the written values are; 0: the read ones. CHANGELOG: a
 * topic which every record is written to as well, as a change of its key's state: the limit of
 * whoever keeps one, while keys hardly come twice between two commits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { BATCH = 1000, WAIT_MS = 20, VALUE_BYTES_MAX = 1 << 16 };

typedef struct loop {
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *output;
    rd_kafka_topic_t *changelog;                /* NULL: none */
    rd_kafka_topic_partition_list_t *positions; /* one a partition of the input: next offset */
    bool is_transactional;
    bool is_dirty; /* a position has changed since the last commit */
    size_t value_bytes;
    int64_t commit_us;
    int64_t commit_at_us;
} loop;

/*
 * The queues that a processor has with memory.budget=128m. Before 2.2 librdkafka sleeps for a whole
 * second when its queue is above the limit, which a processor gets around and this loop avoids by a
 * queue that is never full.
 */
static void set_queues(rd_kafka_conf_t *conf)
{
    size_t size = 0;
    if (rd_kafka_conf_get(conf, "fetch.queue.backoff.ms", NULL, &size) == RD_KAFKA_CONF_OK) {
        bench_set(conf, "fetch.queue.backoff.ms", "10");
        bench_set(conf, "queued.min.messages", "16384");
        bench_set(conf, "queued.max.messages.kbytes", "16384");
    } else {
        bench_set(conf, "queued.min.messages", "1000000");
        bench_set(conf, "queued.max.messages.kbytes", "262144");
    }
    bench_set(conf, "fetch.wait.max.ms", "100");
}

static void open_consumer(loop *l, const char *brokers, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", brokers);
    bench_set(conf, "group.id", group);
    bench_set(conf, "group.instance.id", "0");
    bench_set(conf, "enable.auto.commit", "false");
    bench_set(conf, "enable.auto.offset.store", "false");
    bench_set(conf, "auto.offset.reset", "earliest");
    bench_set(conf, "isolation.level", "read_committed");
    set_queues(conf);
    l->consumer = bench_open(RD_KAFKA_CONSUMER, conf);
    (void)rd_kafka_poll_set_consumer(l->consumer);
    l->queue = rd_kafka_queue_get_consumer(l->consumer);
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("a record was not written", rd_kafka_err2str(message->err));
    }
}

static void open_producer(loop *l, const char *brokers, const char *group, const char *output,
                          const char *changelog)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", brokers);
    bench_set(conf, "enable.idempotence", "true");
    bench_set(conf, "partitioner", "murmur2_random");
    /* Not our linger, too: this loop waits for room without a flush. */
    bench_set(conf, "queue.buffering.max.messages", "65536");
    bench_set(conf, "queue.buffering.max.kbytes", "16384");
    if (l->is_transactional) {
        bench_set(conf, "transactional.id", group);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    l->producer = bench_open(RD_KAFKA_PRODUCER, conf);
    l->output = rd_kafka_topic_new(l->producer, output, NULL);
    l->changelog = changelog == NULL ? NULL : rd_kafka_topic_new(l->producer, changelog, NULL);
    if (l->is_transactional) {
        bench_must("init", rd_kafka_init_transactions(l->producer, BENCH_TIMEOUT_MS));
        bench_must("begin", rd_kafka_begin_transaction(l->producer));
    }
}

static void subscribe(loop *l, const char *input)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, input, RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t code = rd_kafka_subscribe(l->consumer, topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("subscribe", rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(topics);
    l->positions = bench_partitions(l->consumer, input);
    for (int i = 0; i < l->positions->cnt; i++) {
        l->positions->elems[i].offset = RD_KAFKA_OFFSET_INVALID; /* not committed */
    }
}

static void commit_transaction(loop *l)
{
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(l->consumer);
    bench_must("send offsets", rd_kafka_send_offsets_to_transaction(l->producer, l->positions,
                                                                    group, BENCH_TIMEOUT_MS));
    rd_kafka_consumer_group_metadata_destroy(group);
    bench_must("commit", rd_kafka_commit_transaction(l->producer, BENCH_TIMEOUT_MS));
    bench_must("begin", rd_kafka_begin_transaction(l->producer));
}

static void commit_offsets(loop *l)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(l->producer, BENCH_TIMEOUT_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = rd_kafka_commit(l->consumer, l->positions, 0);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("commit", rd_kafka_err2str(code));
    }
}

static void commit(loop *l)
{
    if (l->is_dirty && l->is_transactional) {
        commit_transaction(l);
    } else if (l->is_dirty) {
        commit_offsets(l);
    }
    l->is_dirty = false;
    l->commit_at_us = bench_now_us() + l->commit_us;
}

static void copy_record(loop *l, const rd_kafka_message_t *message)
{
    static const char zeros[VALUE_BYTES_MAX];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("consume", rd_kafka_message_errstr(message));
    }
    const bool own = l->value_bytes > 0;
    const void *value = own ? zeros : message->payload;
    const size_t len = own ? l->value_bytes : message->len;
    bench_produce(l->producer, l->output, message->key, message->key_len, value, len);
    if (l->changelog != NULL) {
        bench_produce(l->producer, l->changelog, message->key, message->key_len, value, len);
    }
    l->positions->elems[message->partition].offset = message->offset + 1;
    l->is_dirty = true;
}

static void run(loop *l)
{
    static rd_kafka_message_t *messages[BATCH];
    while (!bench_is_stopping()) {
        const ssize_t n = rd_kafka_consume_batch_queue(l->queue, WAIT_MS, messages, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            copy_record(l, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        (void)rd_kafka_poll(l->producer, 0);
        if (bench_now_us() >= l->commit_at_us) {
            commit(l);
        }
    }
    commit(l);
}

int main(int argc, char **argv)
{
    if (argc != 8 && argc != 9) {
        (void)fprintf(
            stderr,
            "usage: raw BROKERS GROUP INPUT OUTPUT GUARANTEE COMMIT_MS BYTES [CHANGELOG]\n");
        return 2;
    }
    loop l = {.is_transactional = strcmp(argv[5], "exactly_once") == 0,
              .commit_us = bench_number("COMMIT_MS", argv[6]) * 1000,
              .value_bytes = (size_t)bench_number("BYTES", argv[7])};
    if (l.value_bytes > VALUE_BYTES_MAX) {
        bench_die("BYTES", "too many");
    }
    bench_catch_signals();
    (void)printf("librdkafka=%s\n", rd_kafka_version_str());
    (void)fflush(stdout);
    open_consumer(&l, argv[1], argv[2]);
    open_producer(&l, argv[1], argv[2], argv[4], argc == 9 ? argv[8] : NULL);
    subscribe(&l, argv[3]);
    run(&l);
    rd_kafka_topic_destroy(l.output);
    if (l.changelog != NULL) {
        rd_kafka_topic_destroy(l.changelog);
    }
    rd_kafka_destroy(l.producer);
    rd_kafka_topic_partition_list_destroy(l.positions);
    rd_kafka_queue_destroy(l.queue);
    (void)rd_kafka_consumer_close(l.consumer);
    rd_kafka_destroy(l.consumer);
    return 0;
}
