/*
 * One task's restore under way: what is known of its changelogs, the rows that are read and not yet
 * written, and those that a flusher is writing meanwhile.
 *
 * Thread: the restorer's.
 */
#pragma once

#include "runtime/flusher.h"
#include "runtime/replay.h"
#include "runtime/restorer.h"

typedef struct mr_restore_job {
    const mr_stage *stage;
    mr_restore *restore;
    bool exactly_once;
    mr_replay *replays[MR_STORES_MAX];
    int64_t ends[MR_STORES_MAX]; /* given by the restorer, as is restore->committed */
    bool is_stale;               /* given as well: what the disk has is not trusted */
    bool ended[MR_STORES_MAX];
    bool is_reading;     /* the reader has its changelogs */
    int64_t n_written;   /* of the records restored, before the last write */
    int64_t n_reported;  /* of the records restored, in the last line of the log */
    bool is_finishing;   /* the last write was begun */
    mr_flush_job *flush; /* NULL: nothing is being written */
    mr_row_pile *in_flush[MR_STORES_MAX];
} mr_restore_job;

mr_restore_job *mr_restore_job_new(const mr_stage *stage, bool exactly_once, mr_restore *restore);
/* Waits for a write that is under way. */
void mr_restore_job_free(mr_restore_job *job);

/* Once committed offset and ends are known: whether they fit the disk, and where to begin. The rows
 * of a stale one are dropped. */
mr_status mr_restore_job_begin(mr_restore_job *job, mr_error *err) MR_MUST_USE;
/* Drops every row: all is read from the beginning. Before it is begun or followed. */
mr_status mr_restore_job_drop_rows(mr_restore_job *job, mr_error *err) MR_MUST_USE;
/* For a task that is followed, without an end: only where to begin. Of the ends nothing is asked.
 */
void mr_restore_job_follow(mr_restore_job *job);
/* A record of its changelogs. */
mr_status mr_restore_job_add(mr_restore_job *job, const mr_record *record,
                             mr_error *err) MR_MUST_USE;
/* `topic` is read up to `offset`. */
void mr_restore_job_reached(mr_restore_job *job, const char *topic, int64_t offset);
/* A store is complete once everything below the end that was seen is read: an end before that means
 * that somebody's transaction is still open, and it is waited for. */
bool mr_restore_job_has_ended(const mr_restore_job *job);

size_t mr_restore_job_bytes(const mr_restore_job *job); /* of rows, also of those being written */
int64_t mr_restore_job_left(const mr_restore_job *job); /* records, at most */

/* Begins to write the rows that are certain; a few rows are written at once. Nothing is being
 * written. */
mr_status mr_restore_job_write(mr_restore_job *job, mr_flusher *flusher, mr_error *err) MR_MUST_USE;
/* The last write, when all has ended: once it is taken, disk and progress are complete. Waits for
 * one that is under way. */
mr_status mr_restore_job_finish(mr_restore_job *job, mr_flusher *flusher,
                                mr_error *err) MR_MUST_USE;
/* MR_TIMED_OUT: a write is under way. Else none is, MR_OK or why the last one failed. With `wait`
 * it does not return before the write is over. */
mr_status mr_restore_job_take(mr_restore_job *job, bool wait, mr_error *err) MR_MUST_USE;
