/*
 * The inside of the follower: follower.c has its life and what other threads ask; follow_round.c
 * what its thread does again and again.
 */
#pragma once

#include <pthread.h>

#include "kafka/reader.h"
#include "runtime/follower.h"
#include "runtime/restore_job.h"

/* So many records are read in a moment: Kafka Streams' acceptable.recovery.lag. */
enum { MR_WARM_LAG = 10000 };

typedef struct mr_followed {
    /* With the mutex. */
    bool is_wanted; /* no worker has it */
    bool is_open;   /* the thread has its column family */
    int64_t tail;   /* once it is closed: changelog records that are not on disk */
    /* Written by the thread, read by anybody. */
    _Atomic int64_t n_read;
    _Atomic int64_t lag; /* -1: not known yet */
    /* The thread's own. */
    mr_restore restore;
    mr_restore_job *job;         /* NULL: not open, or not asked yet where to begin */
    int64_t at[MR_STORES_MAX];   /* the offset that comes next in its changelogs */
    int64_t ends[MR_STORES_MAX]; /* as they were asked last; -1: not yet */
} mr_followed;

struct mr_follower {
    mr_follower_options options;
    mr_log log;
    mr_reader *reader;
    mr_reader *end_reader; /* a connection that waits for records answers nothing else */
    mr_flusher *flusher;
    size_t rows_bytes_max;
    _Atomic size_t rows_bytes;
    mr_followed *tasks; /* by partition number */
    size_t n_tasks;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool ending;
    bool is_warm;     /* with the mutex: once no task lacked more than MR_WARM_LAG */
    mr_status failed; /* with the mutex, as the next; MR_OK: it follows */
    mr_error failure;
    /* The thread's own. */
    size_t bytes_read; /* since rows_bytes was counted */
    int64_t ask_at_ms; /* the ends */
    int64_t write_at_ms;
    int64_t report_at_ms;
};

/* Thread: the follower's. Opens and closes tasks as they are wanted, reads a bounded number of
 * records, writes what is due. In follow_round.c. */
mr_status mr_follower_round(mr_follower *follower, mr_error *err) MR_MUST_USE;
/* The same: writes what is left, and leaves all tasks. A failure is told, and the rest is left as
 * it is: it is read again. */
void mr_follower_leave_all(mr_follower *follower, bool keep);
