/* One queue that is read record by record: what feeds and readers have in common. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include <mr/record.h>

#include "kafka/consumer.h"

typedef struct mr_inbound {
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *message; /* owns what the last record points to */
    bool batches;                /* this librdkafka's batch call can be relied on */
    rd_kafka_message_t *batch[MR_FEED_BATCH];
    size_t batch_at; /* the next one */
    size_t n_batch;
    mr_header *headers;
    size_t headers_capacity;
    rd_kafka_t *rk;
    bool naps;        /* this librdkafka sleeps for a second when its queue is full */
    uint32_t n_taken; /* since the queue's length was looked at */
    size_t last;      /* its length then */
    size_t level;     /* its greatest length since it rose, halved as it sinks */
    uint64_t woken;   /* partitions whose broker was woken at this level, by number mod 64 */
    atomic_bool has_moved;
    pthread_mutex_t lock;
    rd_kafka_topic_partition_list_t *moved; /* since the queue was last empty; with the lock */
} mr_inbound;

/* It must be zeroed before and must not move. */
void mr_inbound_init(mr_inbound *inbound, rd_kafka_t *rk);

void mr_inbound_deinit(mr_inbound *inbound);
/* The next message, also one that is an error (message->err); NULL: none in time, or woken.
 * Valid until the next call. */
const rd_kafka_message_t *mr_inbound_next(mr_inbound *inbound, int timeout_ms);
/* As mr_feed_upcoming. */
size_t mr_inbound_upcoming(const mr_inbound *inbound, mr_upcoming ret_upcoming[MR_FEED_BATCH]);
/* Drops what is in hand of a partition (topic NULL: of all), because it was sought or is read no
 * longer. In the thread that calls mr_inbound_next. */
void mr_inbound_drop(mr_inbound *inbound, const char *topic, int32_t partition);
/*
 * librdkafka's broker threads notice that a partition may be fetched again, because it was resumed
 * or the queue has room, only when they wake for another reason: within a second, or after
 * fetch.queue.backoff.ms where there is such a setting. A question to the partition's leader is
 * such a reason; its answer is not waited for. Any thread; takes a millisecond.
 */
void mr_inbound_wake_broker(rd_kafka_t *rk, const char *topic, int32_t partition);
/* The partition was sought or resumed: what is left in the queue of it will be dropped, and its
 * broker must then be woken again. Any thread. */
void mr_inbound_moved(mr_inbound *inbound, const char *topic, int32_t partition);
/* A message as a record that borrows from it. */
void mr_inbound_record(mr_inbound *inbound, const rd_kafka_message_t *message,
                       mr_record *ret_record);
