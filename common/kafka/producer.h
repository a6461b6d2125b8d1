/*
 * One worker's producer. With a transactional id every record between two commits is one
 * transaction; without one (at_least_once) it is idempotent and a commit waits for the acks.
 *
 * Thread: one at a time; a worker and its sender (runtime/sender.h) take turns.
 */
#pragma once

#include <mr/record.h>

#include "kafka/consumer.h"

typedef struct mr_producer mr_producer;

typedef struct mr_producer_options {
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    const char *client_id;
    const char *transactional_id; /* NULL: at_least_once */
    int64_t transaction_timeout_ms;
    int64_t queue_bytes_max;  /* of records not yet acknowledged */
    int64_t record_bytes_max; /* message.max.bytes */
} mr_producer_options;

/* Creates the handle and, with a transactional id, fences and ends what a predecessor left open
 * (init_transactions), waiting at most timeout_ms. */
mr_status mr_producer_new(const mr_producer_options *options, int timeout_ms,
                          mr_producer **ret_producer, mr_error *err) MR_MUST_USE;
void mr_producer_free(mr_producer *producer); /* aborts an open transaction, does not wait long */

/*
 * Copies and queues a record; begins the transaction when none is open. partition -1: by key
 * (murmur2_random). `offset_slot` (NULL: none) gets the offset after the record when it was
 * delivered, at the latest when commit returns; it must live until then. A full queue is waited for
 * (back-pressure), at most the transaction's timeout: then action ABORT.
 * A timestamp of 0 or less is the time of sending. Larger than record_bytes_max: class "too_large",
 * action SKIP. What only the broker refuses (max.message.bytes of the topic) comes from a later
 * call with action STOP, because which record it was is not known any more.
 */
mr_status mr_producer_send(mr_producer *producer, const mr_record *record, int64_t *offset_slot,
                           mr_error *err) MR_MUST_USE;
/* Whether mr_producer_send would find the record too large. Any thread. */
mr_status mr_producer_check_size(const mr_producer *producer, const mr_record *record,
                                 mr_error *err) MR_MUST_USE;

/* Serves delivery reports without waiting; between records. */
void mr_producer_poll(mr_producer *producer);

/*
 * Makes everything sent since the last commit, and the group's offsets (next to read) with their
 * marks of replays, one fact. Transactional: flush -> send_offsets_to_transaction with the
 * consumer's real group metadata -> commit. Retriable answers are retried inside until the
 * transaction's timeout. At least once: flush, then commit the offsets. Crash points
 * "before-flush", "after-flush", "after-offsets", "after-commit". Failure: action ABORT (call
 * mr_producer_abort, rewind) or STOP.
 */
mr_status mr_producer_commit(mr_producer *producer, mr_consumer *consumer,
                             const mr_topic_partition *offsets, size_t n,
                             mr_error *err) MR_MUST_USE;

/* The last commit got no answer in time: it is done, or it is not. */
bool mr_producer_is_unclear(const mr_producer *producer);

/* Waits until everything sent is acknowledged, without committing (at_least_once markers). */
mr_status mr_producer_flush(mr_producer *producer, int timeout_ms, mr_error *err) MR_MUST_USE;

/*
 * Ends the transaction without effect, whatever state it is in: aborts, or, when the handle is
 * beyond that (fatal: fenced, timed out), destroys it and makes a new one with init_transactions.
 * After MR_OK nothing that was sent since the last commit can become visible. At least once:
 * purges.
 */
mr_status mr_producer_abort(mr_producer *producer, int timeout_ms, mr_error *err) MR_MUST_USE;
