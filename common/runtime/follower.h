/*
 * A standby's warm copies: it reads the changelogs of every task of the stage that another member
 * owns, and keeps their rows in this instance's RocksDB, with the progress that belongs to them. A
 * task that is assigned here is taken from it, and the ordinary restore reads only what is missing.
 *
 * Rows are written as a restore writes them (restore_job.h): only what is committed, of a task that
 * runs at least once only whole commits. One thread; it has the column family of a followed task.
 */
#pragma once

#include <mr/clock.h>

#include "runtime/processor.h"
#include "runtime/stale_tail.h"

typedef struct mr_follower mr_follower;

typedef struct mr_follower_options {
    const mr_stage *stage;
    mr_database *database;
    const mr_runtime_options *runtime;
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    mr_clock *clock;
    const char *client_id;
    const mr_deletions_kept *kept;
} mr_follower_options;

/* Follows all tasks of the stage at once. */
mr_status mr_follower_new(const mr_follower_options *options, mr_follower **ret_follower,
                          mr_error *err) MR_MUST_USE;
/* Writes what it has read, leaves every column family and ends the thread; the questions below may
 * still be asked. Thread: poll, as the next. */
void mr_follower_stop(mr_follower *follower);
void mr_follower_free(mr_follower *follower);

/* MR_OK: of no followed task so much is missing that its owner would be missed; MR_TIMED_OUT: not
 * after timeout_ms; or why the follower has ended. Thread: poll. */
mr_status mr_follower_wait_warm(mr_follower *follower, int timeout_ms, mr_error *err) MR_MUST_USE;
/* MR_OK while it follows. Thread: poll. */
mr_status mr_follower_failure(mr_follower *follower, mr_error *ret_err);

/* ---- Any thread; without a follower they do nothing ---- */

/* Returns when the follower has left the task's column family, which nobody else may have open; the
 * changelog records that a crash would have to read again. A task that it has not: 0. */
int64_t mr_follower_take(mr_follower *follower, int32_t number);
/* The task is followed; its column family is closed. */
void mr_follower_give(mr_follower *follower, int32_t number);
/* Appends the followed tasks. */
void mr_follower_tasks(mr_follower *follower, mr_processor_status *status);
/* Memory that it has of the rows' share of the budget. */
size_t mr_follower_bytes(const mr_follower *follower);
