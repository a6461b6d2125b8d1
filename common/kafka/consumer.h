/*
 * The process's one group consumer. Its partitions' queues feed the workers.
 *
 * The poll thread calls mr_consumer_poll; rebalances happen inside and are told to the listener
 * there. Newly assigned partitions are paused and have no position; the listener forwards them
 * (mr_consumer_feed), and they start when their task is ready (mr_consumer_seek, then
 * mr_consumer_resume). Assignor: `range` before librdkafka 2.10.1,
 * `cooperative-sticky` from then on, so the listener must take partial assignments and revocations.
 * read_committed; auto commit and auto offset store off; auto.offset.reset=earliest.
 */
#pragma once

#include <mr/record.h>

#include "kafka/client.h"

typedef struct mr_consumer mr_consumer;
typedef struct mr_feed mr_feed; /* one worker's queue */

typedef struct mr_consumer_listener {
    void *context;
    /* Partitions are assigned and paused; offsets are -1. Must forward each to a feed. None at all
     * is an assignment, too: what was revoked before does not come back. */
    void (*assigned)(void *context, const mr_topic_partition *partitions, size_t n);
    /* Must not return before the workers let go: commit (or, when `lost`, drop) and suspend. */
    void (*revoked)(void *context, const mr_topic_partition *partitions, size_t n, bool lost);
} mr_consumer_listener;

typedef struct mr_consumer_options {
    const mr_properties *properties;
    const mr_option *ours; /* names in this table are not librdkafka's */
    size_t n_ours;
    const mr_log *log;
    const char *client_id;
    const char *group;
    const char *instance_id; /* group.instance.id: static membership; NULL: dynamic */
    /* Subscribed; none: no member, or not before mr_consumer_subscribe. It can ask for offsets. */
    const char *const *topics;
    size_t n_topics;
    int64_t queue_bytes_max; /* of fetched, not yet processed records, for each feed */
    mr_consumer_listener listener;
} mr_consumer_options;

mr_status mr_consumer_new(const mr_consumer_options *options, mr_consumer **ret_consumer,
                          mr_error *err) MR_MUST_USE;
/* Joins the group: for a consumer that was made with a listener and without topics. Poll thread. */
mr_status mr_consumer_subscribe(mr_consumer *consumer, const char *const *topics, size_t n_topics,
                                mr_error *err) MR_MUST_USE;
/* Leaves as the listener allows: revoked is called for what is assigned. A static member does not
 * leave the group. */
void mr_consumer_close(mr_consumer *consumer);

/* Serves rebalances and errors for at most timeout_ms. Poll thread. A fatal error (for example a
 * second process with the same instance id: FENCED_INSTANCE_ID) fails with action STOP and says
 * what to do; transport errors are logged once and retried inside. */
mr_status mr_consumer_poll(mr_consumer *consumer, int timeout_ms, mr_error *err) MR_MUST_USE;

/* ---- Feeds: any number, each read by one worker thread ---- */
mr_feed *mr_feed_new(mr_consumer *consumer);
/* Before the consumer is closed or after: the last to go takes librdkafka's handle along. */
void mr_feed_free(mr_feed *feed);
/* Records of this partition go to `feed` from now on. Only inside listener.assigned. */
mr_status mr_consumer_feed(mr_consumer *consumer, const char *topic, int32_t partition,
                           mr_feed *feed, mr_error *err) MR_MUST_USE;
/* The next record; it and all it points to is valid until the next call on this feed. Records from
 * before a seek, pause-and-seek or rebalance are not delivered. MR_TIMED_OUT after timeout_ms or
 * after mr_feed_wake. */
mr_status mr_feed_next(mr_feed *feed, int timeout_ms, mr_record *ret_record,
                       mr_error *err) MR_MUST_USE;
/* Records are taken from librdkafka in batches, of so many at most. */
enum { MR_FEED_BATCH = 32 };
typedef struct mr_upcoming {
    int32_t partition;
    mr_bytes key; /* not null; borrowed until the record's turn is over */
} mr_upcoming;
/* The keys of the batch whose first record was just returned, without that one and those that have
 * none: a hint, as a rebalance may drop records. After any other record: 0. */
size_t mr_feed_upcoming(const mr_feed *feed, mr_upcoming ret_upcoming[MR_FEED_BATCH]);
/* Ends a running or the next mr_feed_next early. Any thread. */
void mr_feed_wake(mr_feed *feed);

/*
 * ---- Any thread ----
 * But pause and seek only while no other thread is in mr_feed_next of the partition's feed: a
 * record that is just being taken there would be one from before, or come a second time.
 */
/* What is fetched is dropped: a paused partition must be sought before it is resumed. */
mr_status mr_consumer_pause(mr_consumer *consumer, const mr_topic_partition *partitions, size_t n,
                            mr_error *err) MR_MUST_USE;
/* Fails for a partition that was not sought since it was assigned or paused. */
mr_status mr_consumer_resume(mr_consumer *consumer, const mr_topic_partition *partitions, size_t n,
                             mr_error *err) MR_MUST_USE;
/* Reading goes on at partition->offset. */
mr_status mr_consumer_seek(mr_consumer *consumer, const mr_topic_partition *partition,
                           int timeout_ms, mr_error *err) MR_MUST_USE;
/* Fills the offsets with the group's committed ones and their marks of replays, -1 where there is
 * none. Waits for pending transactions (KIP-447, require_stable). Timeout: action RETRY. */
mr_status mr_consumer_committed(mr_consumer *consumer, mr_topic_partition *partitions, size_t n,
                                int timeout_ms, mr_error *err) MR_MUST_USE;
/* Where a partition without a committed offset starts: its low watermark. Idle connection, no wait.
 */
mr_status mr_consumer_beginning(mr_consumer *consumer, mr_topic_partition *partition,
                                int timeout_ms, mr_error *err) MR_MUST_USE;
/* Commits, with marks of replays, without a transaction, and waits, at most 30 s (at_least_once).
 */
mr_status mr_consumer_commit(mr_consumer *consumer, const mr_topic_partition *partitions, size_t n,
                             mr_error *err) MR_MUST_USE;
/* True between a loss of the session and the next assignment; the generation for logs. */
bool mr_consumer_is_lost(mr_consumer *consumer);
