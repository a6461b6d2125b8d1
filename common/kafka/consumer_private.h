/* The inside of the consumer, shared by consumer.c, assignment.c, feed.c and offsets.c. */
#pragma once

#include "kafka/consumer.h"
#include "kafka/handle.h"
#include "kafka/inbound.h"
#include "kafka/list.h"

typedef struct mr_assigned {
    char *topic;
    int32_t partition;
    rd_kafka_queue_t *queue;
    mr_feed *feed;  /* NULL: not yet */
    bool is_sought; /* since it was assigned or paused */
} mr_assigned;

struct mr_consumer {
    mr_handle handle;
    mr_conf_source source; /* for the query handle */
    mr_consumer_listener listener;
    rd_kafka_topic_partition_list_t *subscribed;
    int64_t missing_since_ms;  /* when a topic was first said to be unknown; 0: none is */
    int64_t look_at_ms;        /* when to look for it again */
    rd_kafka_queue_t *parking; /* where an assigned partition's queue leads until it has a feed */
    pthread_mutex_t assigned_lock;
    mr_assigned
        *assigned; /* changed by the poll thread, which alone may read it without the lock */
    size_t n_assigned;
    size_t capacity;
    mr_error callback_error; /* of a rebalance; poll thread only */
    bool has_callback_error;
    size_t n_rebalances;
    atomic_bool is_lost;
    atomic_int refs; /* the consumer and its feeds */
    pthread_mutex_t query_lock;
    mr_handle query; /* opened with the first query: a fetching connection answers late */
    char *query_client_id;
};

struct mr_feed {
    mr_inbound inbound;
    mr_consumer *consumer;
};

/* The index of a partition, n_assigned when it is not assigned. With the lock, or in the poll
 * thread. */
size_t mr_consumer_find(const mr_consumer *consumer, const char *topic, int32_t partition);
/* A subscribed topic was said to be unknown. Poll thread, as the next. */
void mr_consumer_note_missing(mr_consumer *consumer);
/* Fails when one is missing for good. */
mr_status mr_consumer_check_missing(mr_consumer *consumer, mr_error *err) MR_MUST_USE;
/* rebalance_cb of librdkafka; the opaque is the handle. */
void mr_consumer_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t *list, void *opaque);
/* Tells the listener that all that is still assigned is lost. */
void mr_consumer_drop_all(mr_consumer *consumer);
void mr_consumer_release(mr_consumer *consumer);
/* Has the group given this process a member ID, and not put it out since? Any thread. */
bool mr_consumer_is_member(mr_consumer *consumer);
/* The membership to commit with: generation and member ID as they are now. Not a member: action
 * ABORT. Any thread. */
mr_status mr_consumer_group_metadata(mr_consumer *consumer,
                                     rd_kafka_consumer_group_metadata_t **ret_metadata,
                                     mr_error *err) MR_MUST_USE;
