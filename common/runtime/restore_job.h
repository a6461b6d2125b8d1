/*
 * One task's restore under way: what is known of its changelogs, and the rows that are read and not
 * yet written.
 *
 * Thread: the restorer's.
 */
#pragma once

#include "runtime/replay.h"
#include "runtime/restorer.h"

typedef struct mr_restore_job {
    const mr_stage *stage;
    mr_restore *restore;
    bool exactly_once;
    mr_replay *replays[MR_STORES_MAX];
    int64_t ends[MR_STORES_MAX]; /* given by the restorer, as is restore->committed */
    bool ended[MR_STORES_MAX];
    bool is_reading; /* the reader has its changelogs */
} mr_restore_job;

mr_restore_job *mr_restore_job_new(const mr_stage *stage, bool exactly_once, mr_restore *restore);
void mr_restore_job_free(mr_restore_job *job);

/* Once committed offset and ends are known: whether they fit the disk, and where to begin. */
mr_status mr_restore_job_begin(mr_restore_job *job, mr_error *err) MR_MUST_USE;
/* A record of its changelogs. */
mr_status mr_restore_job_add(mr_restore_job *job, const mr_record *record,
                             mr_error *err) MR_MUST_USE;
/* `topic` is read up to `offset`. */
void mr_restore_job_reached(mr_restore_job *job, const char *topic, int64_t offset);
/* A store is complete once everything below the end that was seen is read: an end before that means
 * that somebody's transaction is still open, and it is waited for. */
bool mr_restore_job_has_ended(const mr_restore_job *job);

size_t mr_restore_job_bytes(const mr_restore_job *job); /* of rows that may be written */
int64_t mr_restore_job_left(const mr_restore_job *job); /* records, at most */
/* Writes them. */
mr_status mr_restore_job_write(mr_restore_job *job, mr_error *err) MR_MUST_USE;
/* The last write, when all has ended: afterwards disk and progress are complete. */
mr_status mr_restore_job_finish(mr_restore_job *job, mr_error *err) MR_MUST_USE;
