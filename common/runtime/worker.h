/*
 * A worker: one thread that owns tasks completely, their producer, their handler, their feed.
 *
 *   loop: orders (assign, revoke, restored, query) -> next record -> task -> commit when due
 *
 * Other threads reach it only through orders: a function that runs in the worker between two
 * records. An order is posted (and returns at once) or called (and returns when it ran).
 */
#pragma once

#include "kafka/producer.h"
#include "runtime/flusher.h"
#include "runtime/follower.h"
#include "runtime/processor.h"
#include "runtime/restorer.h"
#include "runtime/task.h"

typedef struct mr_worker mr_worker;

typedef struct mr_worker_options {
    size_t index;
    const mr_processor_options *processor;
    mr_consumer *consumer;
    mr_database *database; /* NULL: stateless */
    mr_flusher *flusher;
    mr_restorer *restorer;
    mr_follower *follower; /* NULL: no standby */
} mr_worker_options;

typedef struct mr_worker_metrics {
    _Atomic int64_t commits;
    _Atomic int64_t aborts;
    _Atomic int64_t beat_us; /* when the loop last came round */
} mr_worker_metrics;

/* Makes producer (with init_transactions), handler, step; starts no thread yet. */
mr_status mr_worker_new(const mr_worker_options *options, mr_worker **ret_worker,
                        mr_error *err) MR_MUST_USE;
mr_status mr_worker_start(mr_worker *worker, mr_error *err) MR_MUST_USE;
/* Commits what is done, flushes state, ends the thread. */
void mr_worker_stop(mr_worker *worker);
void mr_worker_free(mr_worker *worker);

mr_feed *mr_worker_feed(mr_worker *worker);
const mr_worker_metrics *mr_worker_metrics_of(const mr_worker *worker);
/* The failure that ended the loop; MR_OK while it runs. */
mr_status mr_worker_failure(mr_worker *worker, mr_error *ret_err);

/* ---- Orders, from the poll thread ---- */
/* Partitions were assigned (paused, already forwarded to the feed). Returns at once. */
void mr_worker_assign(mr_worker *worker, const mr_topic_partition *partitions, size_t n);
/* Waits until the tasks let go: committed and suspended, or dropped when `lost`. */
void mr_worker_revoke(mr_worker *worker, const mr_topic_partition *partitions, size_t n, bool lost);
/* Closes suspended tasks that the last assignment did not bring back. */
void mr_worker_prune(mr_worker *worker);

/* ---- Orders, from any thread ---- */
/* Answers for the worker's tasks; MR_TIMED_OUT when the worker is too busy. */
mr_status mr_worker_query(mr_worker *worker, mr_query *query, mr_error *err) MR_MUST_USE;
/* Appends a snapshot of the tasks. MR_TIMED_OUT: the worker was too busy for timeout_ms. */
mr_status mr_worker_tasks(mr_worker *worker, int timeout_ms,
                          mr_processor_status *status) MR_MUST_USE;
