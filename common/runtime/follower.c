#include "runtime/follower.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"
#include "core/thread.h"
#include "runtime/follower_impl.h"

/* ---- Life ---- */

static bool is_ending(mr_follower *follower)
{
    pthread_mutex_lock(&follower->mutex);
    const bool ending = follower->ending;
    pthread_mutex_unlock(&follower->mutex);
    return ending;
}

static void *run(void *argument)
{
    mr_follower *follower = argument;
    mr_error err;
    mr_status status = MR_OK;
    while (status == MR_OK && !is_ending(follower)) {
        status = mr_follower_round(follower, &err);
    }
    mr_follower_leave_all(follower, status == MR_OK);
    if (status != MR_OK) {
        pthread_mutex_lock(&follower->mutex);
        follower->failed = mr_error_prefix(&err, "standby");
        follower->failure = err;
        pthread_cond_broadcast(&follower->changed);
        pthread_mutex_unlock(&follower->mutex);
    }
    return NULL;
}

static mr_status open_readers(mr_follower *follower, mr_error *err)
{
    const mr_follower_options *options = &follower->options;
    const mr_budget budget = mr_budget_split(options->runtime);
    follower->rows_bytes_max = budget.restore / 2;
    mr_reader_options reader = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .queue_bytes_max = (int64_t)budget.consumer_queue / 2,
    };
    MR_TRY(mr_reader_new(&reader, &follower->end_reader, err));
    reader.stays = true;
    return mr_reader_new(&reader, &follower->reader, err);
}

static void make_tasks(mr_follower *follower)
{
    const mr_stage *stage = follower->options.stage;
    follower->n_tasks = (size_t)mr_app_topic(stage->app, stage->from[0])->partitions;
    follower->tasks = mr_alloc_zero(follower->n_tasks, sizeof(mr_followed));
    for (size_t i = 0; i < follower->n_tasks; i++) {
        mr_followed *task = &follower->tasks[i];
        task->is_wanted = true;
        atomic_store(&task->lag, -1);
        task->restore.number = (int32_t)i;
        task->restore.restored = &task->n_read;
        task->restore.remaining = &task->lag;
    }
}

static mr_status start(mr_follower *follower, mr_error *err)
{
    MR_TRY(open_readers(follower, err));
    MR_TRY(mr_flusher_new(&follower->flusher, err));
    return mr_thread_start("standby", run, follower, &follower->thread, err);
}

static void release(mr_follower *follower)
{
    mr_reader_free(follower->reader);
    mr_reader_free(follower->end_reader);
    mr_flusher_free(follower->flusher);
    pthread_cond_destroy(&follower->changed);
    pthread_mutex_destroy(&follower->mutex);
    free(follower->tasks);
    free(follower);
}

mr_status mr_follower_new(const mr_follower_options *options, mr_follower **ret_follower,
                          mr_error *err)
{
    pthread_condattr_t attributes;
    mr_follower *follower = mr_alloc_zero(1, sizeof(*follower));
    follower->options = *options;
    follower->log = mr_log_for(options->log, "%s standby", options->stage->group);
    pthread_mutex_init(&follower->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&follower->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    make_tasks(follower);
    const mr_status status = start(follower, err);
    if (status != MR_OK) {
        release(follower);
        return status;
    }
    *ret_follower = follower;
    return MR_OK;
}

void mr_follower_stop(mr_follower *follower)
{
    if (follower == NULL || is_ending(follower)) {
        return;
    }
    pthread_mutex_lock(&follower->mutex);
    follower->ending = true;
    pthread_mutex_unlock(&follower->mutex);
    mr_reader_wake(follower->reader);
    pthread_join(follower->thread, NULL);
}

void mr_follower_free(mr_follower *follower)
{
    if (follower != NULL) {
        mr_follower_stop(follower);
        release(follower);
    }
}

/* ---- The poll thread ---- */

mr_status mr_follower_failure(mr_follower *follower, mr_error *ret_err)
{
    if (follower == NULL) {
        return MR_OK;
    }
    pthread_mutex_lock(&follower->mutex);
    const mr_status status = follower->failed;
    if (status != MR_OK) {
        *ret_err = follower->failure;
    }
    pthread_mutex_unlock(&follower->mutex);
    return status;
}

mr_status mr_follower_wait_warm(mr_follower *follower, int timeout_ms, mr_error *err)
{
    mr_clock *clock = follower->options.clock;
    const int64_t at_us = clock->monotonic_us(clock) + (int64_t)timeout_ms * 1000;
    const struct timespec deadline = {.tv_sec = (time_t)(at_us / 1000000),
                                      .tv_nsec = (long)(at_us % 1000000 * 1000)};
    int waited = 0;
    pthread_mutex_lock(&follower->mutex);
    while (!follower->is_warm && follower->failed == MR_OK && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&follower->changed, &follower->mutex, &deadline);
    }
    const bool is_warm = follower->is_warm;
    pthread_mutex_unlock(&follower->mutex);
    MR_TRY(mr_follower_failure(follower, err));
    return is_warm ? MR_OK : MR_TIMED_OUT;
}

/* ---- Any thread ---- */

int64_t mr_follower_take(mr_follower *follower, int32_t number)
{
    if (follower == NULL) {
        return 0;
    }
    mr_followed *task = &follower->tasks[number];
    pthread_mutex_lock(&follower->mutex);
    task->is_wanted = false;
    mr_reader_wake(follower->reader);
    while (task->is_open) {
        pthread_cond_wait(&follower->changed, &follower->mutex);
    }
    const int64_t tail = task->tail;
    task->tail = 0;
    pthread_mutex_unlock(&follower->mutex);
    return tail;
}

void mr_follower_give(mr_follower *follower, int32_t number)
{
    if (follower == NULL) {
        return;
    }
    pthread_mutex_lock(&follower->mutex);
    follower->tasks[number].is_wanted = true;
    pthread_mutex_unlock(&follower->mutex);
    mr_reader_wake(follower->reader);
}

void mr_follower_tasks(mr_follower *follower, mr_processor_status *status)
{
    if (follower == NULL) {
        return;
    }
    status->tasks =
        mr_realloc(status->tasks, (status->n_tasks + follower->n_tasks) * sizeof(*status->tasks));
    pthread_mutex_lock(&follower->mutex);
    for (size_t i = 0; i < follower->n_tasks; i++) {
        const mr_followed *task = &follower->tasks[i];
        if (!task->is_wanted) {
            continue;
        }
        mr_task_status *added = &status->tasks[status->n_tasks++];
        *added = (mr_task_status){.number = (int32_t)i,
                                  .state = "standby",
                                  .position = -1,
                                  .restored = atomic_load(&task->n_read),
                                  .restore_remaining = atomic_load(&task->lag)};
        for (size_t input = 0; input < MR_TASK_INPUTS_MAX; input++) {
            added->positions[input] = -1;
        }
    }
    pthread_mutex_unlock(&follower->mutex);
}

size_t mr_follower_bytes(const mr_follower *follower)
{
    return follower == NULL ? 0 : atomic_load_explicit(&follower->rows_bytes, memory_order_relaxed);
}
