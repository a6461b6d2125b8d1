/*
 * A worker's producer in a thread of its own: records are sent, and with exactly_once transactions
 * end, while the worker processes the next records.
 *
 * The worker fills a batch; a full one joins a queue, from which the thread sends in order. A
 * commit is the end of a batch; what is added behind it goes into the next transaction. When the
 * queue is full the worker waits for the thread. After a failure nothing is sent until
 * mr_sender_drop: what is in the queue, and what is still added, is thrown away.
 *
 * The producer is the thread's. The worker may use it after mr_sender_drain and mr_sender_drop, and
 * when mr_sender_is_idle, until it adds or commits. Thread: the worker's.
 */
#pragma once

#include "kafka/consumer.h"
#include "kafka/producer.h"

typedef struct mr_sender mr_sender;

typedef struct mr_sender_options {
    mr_producer *producer; /* this and the consumer must outlive it */
    mr_consumer *consumer; /* whose group the commits are of */
    size_t queue_bytes_max;
    /* In the sender's thread: a commit is over, something has failed, or nothing is left to do. */
    void (*wake)(void *argument);
    void *argument;
} mr_sender_options;

mr_status mr_sender_new(const mr_sender_options *options, mr_sender **ret_sender,
                        mr_error *err) MR_MUST_USE;
/* Waits until the thread is done with what it was given. NULL is fine. */
void mr_sender_free(mr_sender *sender);

/* Copies the record, as mr_producer_send; waits while the queue is full. */
void mr_sender_add(mr_sender *sender, const mr_record *record, int64_t *offset_slot);
/* Whether something was added that waits for its batch to be full. */
bool mr_sender_has_unsent(const mr_sender *sender);
/* Has the thread send that, too. */
void mr_sender_push(mr_sender *sender);
/* What was added, then mr_producer_commit. `offsets` is borrowed until the commit is taken; one at
 * a time. */
void mr_sender_commit(mr_sender *sender, const mr_topic_partition *offsets, size_t n);

/* Whether a commit was begun and not taken. */
bool mr_sender_is_committing(const mr_sender *sender);
/* The commit that was begun: MR_OK when it is done; MR_TIMED_OUT when it is under way, and not with
 * `wait`; MR_NOT_FOUND when none was begun. Or the failure of anything since the last drop. */
mr_status mr_sender_take(mr_sender *sender, bool wait, mr_error *err) MR_MUST_USE;

/* The thread has nothing to do. */
bool mr_sender_is_idle(mr_sender *sender);
/* Waits until everything that was added is with the producer. None may be committing. */
mr_status mr_sender_drain(mr_sender *sender, mr_error *err) MR_MUST_USE;
/* Throws away what was not sent, and waits for what the thread is just doing. Whether a commit was
 * begun and not taken, and is done. */
bool mr_sender_drop(mr_sender *sender);
