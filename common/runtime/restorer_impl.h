/*
 * The inside of the restorer: restorer.c has its life, its queue and its thread; restore_round.c
 * what that thread does again and again. Thread: the restorer's, unless something says otherwise.
 */
#pragma once

#include <pthread.h>

#include "kafka/reader.h"
#include "runtime/restore_job.h"

enum { MR_RESTORE_JOBS_MAX = 16 }; /* the others wait */

struct mr_restorer {
    mr_restorer_options options;
    mr_log log;
    mr_reader *committed_reader;
    mr_reader *end_reader; /* sees open transactions too: the true end */
    mr_flusher *flusher;
    size_t rows_bytes_max;     /* of all jobs together */
    _Atomic size_t rows_bytes; /* so many are there */
    pthread_t thread;
    pthread_mutex_t mutex; /* of the queue, and of is_active in each restore */
    pthread_cond_t changed;
    mr_restore *first;
    mr_restore **last;
    bool ending;
    /* The thread's own. The first n_begun have been asked for; the others not yet. */
    mr_restore_job *jobs[MR_RESTORE_JOBS_MAX];
    size_t n_jobs;
    size_t n_begun;
    size_t bytes_read; /* since rows_bytes was counted */
    int64_t next_report_ms;
};

/* Ends a job: tells the worker, unless it does not want to know any more. In restorer.c. */
void mr_restorer_end_job(mr_restorer *restorer, size_t i, const mr_error *failure);

/* Begins what is new, reads a bounded number of records, takes what is written, and shows how far
 * it all is. In restore_round.c. */
void mr_restorer_round(mr_restorer *restorer);
