#include "runtime/flusher.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/crash_point.h"
#include "core/thread.h"

struct mr_flush_job {
    mr_flusher *flusher;
    mr_flush_job *next;
    mr_partition *partition;
    mr_row *rows;
    size_t n_rows;
    mr_progress progress;
    bool to_disk;
    bool done;
    mr_status status;
    mr_error err;
};

struct mr_flusher {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job came, a job is done, or it is time to end */
    mr_flush_job *first;
    mr_flush_job **last;
    bool ending;
};

static void run_job(mr_flush_job *job)
{
    MR_CRASH_POINT("before-flush-to-store");
    const bool as_table = job->n_rows >= MR_ROWS_OF_A_TABLE;
    job->status = (as_table ? mr_partition_write_sorted : mr_partition_write)(
        job->partition, job->rows, job->n_rows, &job->progress, &job->err);
    MR_CRASH_POINT("after-flush-to-store");
    if (job->status == MR_OK && job->to_disk && !as_table) {
        job->status = mr_partition_flush(job->partition, &job->err);
    }
}

static void *run(void *argument)
{
    mr_flusher *flusher = argument;
    pthread_mutex_lock(&flusher->mutex);
    for (;;) {
        while (flusher->first == NULL && !flusher->ending) {
            pthread_cond_wait(&flusher->changed, &flusher->mutex);
        }
        mr_flush_job *job = flusher->first;
        if (job == NULL) {
            break;
        }
        flusher->first = job->next;
        if (flusher->first == NULL) {
            flusher->last = &flusher->first;
        }
        pthread_mutex_unlock(&flusher->mutex);
        run_job(job);
        pthread_mutex_lock(&flusher->mutex);
        job->done = true;
        pthread_cond_broadcast(&flusher->changed);
    }
    pthread_mutex_unlock(&flusher->mutex);
    return NULL;
}

mr_status mr_flusher_new(mr_flusher **ret_flusher, mr_error *err)
{
    mr_flusher *flusher = mr_alloc_zero(1, sizeof(*flusher));
    flusher->last = &flusher->first;
    pthread_mutex_init(&flusher->mutex, NULL);
    pthread_cond_init(&flusher->changed, NULL);
    const mr_status status = mr_thread_start("flusher", run, flusher, &flusher->thread, err);
    if (status != MR_OK) {
        free(flusher);
        return status;
    }
    *ret_flusher = flusher;
    return MR_OK;
}

void mr_flusher_free(mr_flusher *flusher)
{
    if (flusher == NULL) {
        return;
    }
    pthread_mutex_lock(&flusher->mutex);
    flusher->ending = true;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->mutex);
    pthread_join(flusher->thread, NULL);
    pthread_cond_destroy(&flusher->changed);
    pthread_mutex_destroy(&flusher->mutex);
    free(flusher);
}

mr_flush_job *mr_flusher_submit(mr_flusher *flusher, mr_partition *partition, mr_row *rows,
                                size_t n_rows, const mr_progress *progress, bool to_disk)
{
    mr_flush_job *job = mr_alloc_zero(1, sizeof(*job));
    *job = (mr_flush_job){
        .flusher = flusher,
        .partition = partition,
        .rows = rows,
        .n_rows = n_rows,
        .progress = *progress,
        .to_disk = to_disk,
    };
    pthread_mutex_lock(&flusher->mutex);
    *flusher->last = job;
    flusher->last = &job->next;
    pthread_cond_broadcast(&flusher->changed);
    pthread_mutex_unlock(&flusher->mutex);
    return job;
}

mr_status mr_flush_job_take(mr_flush_job *job, bool wait, mr_error *err)
{
    mr_flusher *flusher = job->flusher;
    pthread_mutex_lock(&flusher->mutex);
    while (wait && !job->done) {
        pthread_cond_wait(&flusher->changed, &flusher->mutex);
    }
    const bool done = job->done;
    pthread_mutex_unlock(&flusher->mutex);
    if (!done) {
        return MR_TIMED_OUT;
    }
    const mr_status status = job->status;
    if (status != MR_OK) {
        *err = job->err;
    }
    free(job->rows);
    free(job);
    return status;
}
