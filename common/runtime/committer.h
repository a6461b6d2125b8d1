/*
 * Ends transactions in a thread of its own, so that the worker processes the next records while
 * the broker writes the last ones and answers.
 *
 * One commit at a time. From submit until it is taken the producer belongs to the committer: the
 * worker neither sends nor polls, and holds what it wants to send (held.h).
 */
#pragma once

#include "kafka/consumer.h"
#include "kafka/producer.h"

typedef struct mr_committer mr_committer;

/* `wake` is called in the committer's thread when a commit is over. */
mr_status mr_committer_new(void (*wake)(void *argument), void *argument,
                           mr_committer **ret_committer, mr_error *err) MR_MUST_USE;
/* Waits for a commit that is under way, whatever becomes of it. NULL is fine. */
void mr_committer_free(mr_committer *committer);

/* As mr_producer_commit. `offsets` is borrowed until the commit is taken. None may be under way. */
void mr_committer_submit(mr_committer *committer, mr_producer *producer, mr_consumer *consumer,
                         const mr_topic_partition *offsets, size_t n);
/* A commit was submitted and not taken. NULL is never busy. */
bool mr_committer_is_busy(const mr_committer *committer);
/* The commit that was submitted: MR_TIMED_OUT when it is still under way, else what
 * mr_producer_commit returned, and the producer is the caller's again. With `wait` it does not
 * return before that. One must be under way. */
mr_status mr_committer_take(mr_committer *committer, bool wait, mr_error *err) MR_MUST_USE;
