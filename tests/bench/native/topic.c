#include "topic.h"

#include <stddef.h>

typedef struct reader {
    rd_kafka_t *consumer;
    rd_kafka_topic_partition_list_t *positions;
    int n_ended;
    bench_take take;
    void *argument;
} reader;

static rd_kafka_t *open_consumer(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bench_set(conf, "bootstrap.servers", brokers);
    bench_set(conf, "group.id", "bench-reader");
    bench_set(conf, "enable.auto.commit", "false");
    bench_set(conf, "auto.offset.reset", "error");
    bench_set(conf, "isolation.level", "read_committed");
    bench_set(conf, "enable.partition.eof", "true");
    bench_set(conf, "queued.min.messages", "1000000");
    bench_set(conf, "queued.max.messages.kbytes", "262144");
    rd_kafka_t *consumer = bench_open(RD_KAFKA_CONSUMER, conf);
    (void)rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

static void see(reader *r, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        r->n_ended++;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("consume", rd_kafka_message_errstr(message));
    } else {
        r->positions->elems[message->partition].offset = message->offset + 1;
        r->take(r->argument, message);
    }
}

static void read_to_end(reader *r)
{
    enum { BATCH = 10000, WAIT_MS = 100 };
    static rd_kafka_message_t *messages[BATCH];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(r->consumer);
    const rd_kafka_resp_err_t code = rd_kafka_assign(r->consumer, r->positions);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die("assign", rd_kafka_err2str(code));
    }
    while (r->n_ended < r->positions->cnt) {
        const ssize_t n = rd_kafka_consume_batch_queue(queue, WAIT_MS, messages, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            see(r, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
}

rd_kafka_topic_partition_list_t *bench_read(const char *brokers, const char *topic, bench_take take,
                                            void *argument)
{
    reader r = {.consumer = open_consumer(brokers), .take = take, .argument = argument};
    r.positions = bench_partitions(r.consumer, topic);
    read_to_end(&r);
    (void)rd_kafka_consumer_close(r.consumer);
    rd_kafka_destroy(r.consumer);
    return r.positions;
}
