/*
 * Writes committed rows to RocksDB in a thread of its own: off the record path, off the commit
 * path.
 *
 * A worker hands over one job a task at a time and goes on reading the rows until it has taken the
 * job back. The queue is bounded by the number of tasks.
 */
#pragma once

#include <mr/error.h>
#include <mr/log.h>

#include "store/database.h"

typedef struct mr_flusher mr_flusher;
typedef struct mr_flush_job mr_flush_job;

mr_status mr_flusher_new(mr_flusher **ret_flusher, mr_error *err) MR_MUST_USE;
/* Ends the thread after the queued jobs; jobs still have to be taken back. */
void mr_flusher_free(mr_flusher *flusher);

/* `rows` (one malloc'd array of n, freed by the job; ascending by store and key) borrow from what
 * the caller keeps. `to_disk`: a crash does not replay these rows; so it is with MR_ROWS_OF_A_TABLE
 * and more in any case. */
mr_flush_job *mr_flusher_submit(mr_flusher *flusher, mr_partition *partition, mr_row *rows,
                                size_t n_rows, const mr_progress *progress, bool to_disk);

/* MR_TIMED_OUT: not finished. Else the job is over and freed: MR_OK or why it failed. With `wait`
 * it does not return before the job is over. */
mr_status mr_flush_job_take(mr_flush_job *job, bool wait, mr_error *err) MR_MUST_USE;
