#include "runtime/restorer.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/thread.h"
#include "runtime/restorer_impl.h"

/* ---- Jobs ---- */

static bool is_cancelled(const mr_restore *restore)
{
    return atomic_load_explicit(&restore->cancelled, memory_order_relaxed);
}

void mr_restorer_end_job(mr_restorer *restorer, size_t i, const mr_error *failure)
{
    mr_restore_job *job = restorer->jobs[i];
    mr_restore *restore = job->restore;
    for (size_t store = 0; job->is_reading && store < restorer->options.stage->n_stores; store++) {
        mr_reader_remove(restorer->committed_reader,
                         restorer->options.stage->stores[store].changelog, restore->number);
    }
    mr_restore_job_free(job);
    memmove(&restorer->jobs[i], &restorer->jobs[i + 1],
            (restorer->n_jobs - i - 1) * sizeof(restorer->jobs[0]));
    restorer->n_jobs--;
    restorer->n_begun -= i < restorer->n_begun ? 1 : 0;
    atomic_store_explicit(restore->remaining, 0, memory_order_relaxed);
    restore->status = failure == NULL ? MR_OK : failure->status;
    if (failure != NULL) {
        restore->err = *failure;
    }
    pthread_mutex_lock(&restorer->mutex);
    /* With the mutex held, so that a cancel cannot return before. */
    if (!is_cancelled(restore)) {
        restore->done(restore);
    }
    restore->is_active = false;
    pthread_cond_broadcast(&restorer->changed);
    pthread_mutex_unlock(&restorer->mutex);
}

static void end_cancelled(mr_restorer *restorer)
{
    for (size_t i = restorer->n_jobs; i > 0; i--) {
        if (is_cancelled(restorer->jobs[i - 1]->restore)) {
            mr_restorer_end_job(restorer, i - 1, NULL);
        }
    }
}

/* Returns when there is something to do; false: the end. */
static bool take_waiting(mr_restorer *restorer)
{
    const bool exactly_once = restorer->options.runtime->guarantee == MR_EXACTLY_ONCE;
    pthread_mutex_lock(&restorer->mutex);
    while (restorer->first == NULL && restorer->n_jobs == 0 && !restorer->ending) {
        pthread_cond_wait(&restorer->changed, &restorer->mutex);
    }
    while (restorer->first != NULL && restorer->n_jobs < MR_RESTORE_JOBS_MAX) {
        mr_restore *restore = restorer->first;
        restorer->first = restore->next;
        if (restorer->first == NULL) {
            restorer->last = &restorer->first;
        }
        restore->is_active = true;
        restorer->jobs[restorer->n_jobs++] =
            mr_restore_job_new(restorer->options.stage, exactly_once, restore);
    }
    const bool ending = restorer->ending;
    pthread_mutex_unlock(&restorer->mutex);
    return !ending;
}

/* ---- The thread ---- */

static void *run(void *argument)
{
    mr_restorer *restorer = argument;
    while (take_waiting(restorer)) {
        end_cancelled(restorer);
        mr_restorer_round(restorer);
    }
    while (restorer->n_jobs > 0) {
        atomic_store(&restorer->jobs[0]->restore->cancelled, true);
        mr_restorer_end_job(restorer, 0, NULL);
    }
    return NULL;
}

static mr_status open_readers(mr_restorer *restorer, mr_error *err)
{
    const mr_restorer_options *options = &restorer->options;
    const mr_budget budget = mr_budget_split(options->runtime);
    restorer->rows_bytes_max = options->has_follower ? budget.restore / 2 : budget.restore;
    mr_reader_options reader = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .queue_bytes_max = (int64_t)budget.consumer_queue,
    };
    MR_TRY(mr_reader_new(&reader, &restorer->committed_reader, err));
    reader.read_uncommitted = true;
    return mr_reader_new(&reader, &restorer->end_reader, err);
}

mr_status mr_restorer_new(const mr_restorer_options *options, mr_restorer **ret_restorer,
                          mr_error *err)
{
    mr_restorer *restorer = mr_alloc_zero(1, sizeof(*restorer));
    restorer->options = *options;
    restorer->log = mr_log_for(options->log, "%s restore", options->stage->group);
    restorer->last = &restorer->first;
    mr_status status = open_readers(restorer, err);
    if (status == MR_OK) {
        status = mr_flusher_new(&restorer->flusher, err);
    }
    pthread_mutex_init(&restorer->mutex, NULL);
    pthread_cond_init(&restorer->changed, NULL);
    if (status == MR_OK) {
        status = mr_thread_start("restorer", run, restorer, &restorer->thread, err);
    }
    if (status != MR_OK) {
        mr_reader_free(restorer->committed_reader);
        mr_reader_free(restorer->end_reader);
        mr_flusher_free(restorer->flusher);
        free(restorer);
        return status;
    }
    *ret_restorer = restorer;
    return MR_OK;
}

void mr_restorer_free(mr_restorer *restorer)
{
    if (restorer == NULL) {
        return;
    }
    pthread_mutex_lock(&restorer->mutex);
    restorer->ending = true;
    pthread_cond_broadcast(&restorer->changed);
    pthread_mutex_unlock(&restorer->mutex);
    mr_reader_wake(restorer->committed_reader);
    pthread_join(restorer->thread, NULL);
    mr_reader_free(restorer->committed_reader);
    mr_reader_free(restorer->end_reader);
    mr_flusher_free(restorer->flusher);
    pthread_cond_destroy(&restorer->changed);
    pthread_mutex_destroy(&restorer->mutex);
    free(restorer);
}

void mr_restorer_submit(mr_restorer *restorer, mr_restore *restore)
{
    pthread_mutex_lock(&restorer->mutex);
    restore->next = NULL;
    atomic_store(&restore->cancelled, false);
    *restorer->last = restore;
    restorer->last = &restore->next;
    pthread_cond_broadcast(&restorer->changed);
    pthread_mutex_unlock(&restorer->mutex);
    mr_reader_wake(restorer->committed_reader);
}

void mr_restorer_cancel(mr_restorer *restorer, mr_restore *restore)
{
    pthread_mutex_lock(&restorer->mutex);
    atomic_store(&restore->cancelled, true);
    for (mr_restore **at = &restorer->first; *at != NULL; at = &(*at)->next) {
        if (*at == restore) {
            *at = restore->next;
            if (restorer->last == &restore->next) {
                restorer->last = at;
            }
            break;
        }
    }
    mr_reader_wake(restorer->committed_reader);
    while (restore->is_active) {
        pthread_cond_wait(&restorer->changed, &restorer->mutex);
    }
    pthread_mutex_unlock(&restorer->mutex);
}

bool mr_restore_is_unsure(const mr_restore *restore)
{
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        if (restore->unsure[i] != NULL) {
            return true;
        }
    }
    return false;
}

void mr_restore_forget_unsure(mr_restore *restore)
{
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        mr_row_pile_free(restore->unsure[i]);
        restore->unsure[i] = NULL;
    }
}

size_t mr_restorer_bytes(const mr_restorer *restorer)
{
    return atomic_load_explicit(&restorer->rows_bytes, memory_order_relaxed);
}
