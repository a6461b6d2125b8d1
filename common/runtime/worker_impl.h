/*
 * The inside of a worker, shared by the files that are its parts:
 *   worker.c  life and loop;  slots.c  assign, restore, revoke, close;
 *   commit.c  commit, abort;  write_behind.c  committed rows to RocksDB;  upcoming.c  rows fetched
 * ahead;  answers.c  queries and snapshots. Thread: the worker's, unless a function says otherwise.
 */
#pragma once

#include <pthread.h>

#include "runtime/orders.h"
#include "runtime/sender.h"
#include "runtime/worker.h"

/* What the worker holds of one partition number. */
typedef struct mr_slot {
    mr_worker *worker;
    mr_task *task;   /* NULL: closed */
    bool *assigned;  /* one an input topic */
    bool warm;       /* suspended with its cache, nothing lost so far */
    bool restoring;  /* the restorer knows `restore` */
    bool committing; /* has a part in the commit that is under way */
    mr_restore restore;
    int64_t attempt; /* at_least_once: names this ownership in changelog headers */
    mr_flush_job *flush;
    int64_t rows_since_disk;
} mr_slot;

struct mr_worker {
    mr_worker_options options;
    mr_log log;
    mr_clock *clock;
    mr_budget budget;
    mr_collector collector; /* into the sender */
    mr_producer *producer;  /* the sender's while it is busy */
    mr_sender *sender;
    mr_handler *handler;
    mr_step *step;
    mr_codec *codec;
    mr_context *context;
    mr_feed *feed;
    mr_orders *orders;
    mr_slot **slots; /* by partition number; NULL: never assigned */
    size_t n_slots;
    size_t slots_capacity;
    mr_topic_partition *offsets; /* of the last commit; the sender reads them */
    size_t offsets_capacity;
    int64_t uncommitted; /* records since the last commit */
    int64_t commit_at_us;
    int64_t unsent_since_us; /* 0: nothing waits for a batch to be full */
    int64_t aborts_in_row;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    pthread_mutex_t failure_mutex;
    mr_status failure_status;
    mr_error failure;
    mr_worker_metrics metrics;
};

static inline mr_worker *mr_worker_of_collector(mr_collector *collector)
{
    return (mr_worker *)(void *)((char *)collector - offsetof(mr_worker, collector));
}

static inline const mr_stage *mr_worker_stage(const mr_worker *worker)
{
    return worker->options.processor->stage;
}

static inline bool mr_worker_is_stateful(const mr_worker *worker)
{
    return worker->options.database != NULL;
}

static inline bool mr_worker_is_exactly_once(const mr_worker *worker)
{
    return worker->options.processor->runtime->guarantee == MR_EXACTLY_ONCE;
}

/* ---- commit.c ---- */
/* Commits everything processed so far; nothing to do is MR_OK. */
mr_status mr_worker_commit(mr_worker *worker, mr_error *err) MR_MUST_USE;
/* The same, but with exactly_once the commit is only begun, after the one before is over. */
mr_status mr_worker_begin_commit(mr_worker *worker, mr_error *err) MR_MUST_USE;
/* Ends a commit that was begun, when it is over or, with `wait`, once it is. MR_OK also when it
 * still is under way, or none was begun. */
mr_status mr_worker_take_commit(mr_worker *worker, bool wait, mr_error *err) MR_MUST_USE;
/* Throws away what was not sent: all tasks must start again. A commit that is just being made is
 * waited for, whatever becomes of it. */
void mr_worker_drop_unsent(mr_worker *worker);
/* After a failure with action ABORT or RETRY: ends the transaction without effect, backs off, and
 * starts every assigned task again from what is committed. */
mr_status mr_worker_recover(mr_worker *worker, const mr_error *cause, mr_error *err) MR_MUST_USE;

/* ---- write_behind.c ---- */
/* After a commit: hands a task's committed rows to the flusher where there are too many. */
mr_status mr_worker_write_behind(mr_worker *worker, mr_error *err) MR_MUST_USE;
/* What its cached rows may take: less than the budget while other tasks are being restored. */
size_t mr_worker_rows_max(const mr_worker *worker);
/* Every committed row of the task is in RocksDB (its memory, not its disk) afterwards. */
mr_status mr_slot_write_all(mr_slot *slot, mr_error *err) MR_MUST_USE;
/* Takes a finished flush back; with `wait` also one that is not finished. */
mr_status mr_worker_take_flush(mr_slot *slot, bool wait, mr_error *err) MR_MUST_USE;

/* ---- slots.c ---- */
mr_slot *mr_worker_slot(const mr_worker *worker, int32_t number); /* NULL: none */
bool mr_slot_is_assigned(const mr_slot *slot);
/* Makes the task anew from RocksDB and the changelogs; the partitions are paused. */
mr_status mr_slot_restart(mr_slot *slot, mr_error *err) MR_MUST_USE;
/* Flushes to disk (when `keep`) and closes. */
mr_status mr_slot_close(mr_slot *slot, bool keep, mr_error *err) MR_MUST_USE;

/* ---- upcoming.c ---- */
/* Has rows fetched into the processor's caches for the records that come after the one just taken
 * from the feed. */
void mr_worker_expect_upcoming(const mr_worker *worker);

/* ---- worker.c ---- */
/* The one place that decides what a failure means: recover (abort, retry) or end the loop. */
void mr_worker_decide(mr_worker *worker, const mr_error *cause);
/* Remembers the failure and ends the loop. */
void mr_worker_fail(mr_worker *worker, const mr_error *err);
