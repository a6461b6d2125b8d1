#include "runtime/rebuild.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "runtime/restorer.h"
#include "runtime/stage_database.h"

typedef struct rebuild rebuild;

typedef struct rebuilt_task {
    rebuild *of;
    mr_restore restore;
    _Atomic int64_t restored;
    _Atomic int64_t remaining;
} rebuilt_task;

struct rebuild {
    const mr_rebuild_options *options;
    mr_database *database;
    mr_consumer *consumer;
    mr_restorer *restorer;
    rebuilt_task *tasks; /* where they stay: the restorer has them */
    size_t n_opened;
    pthread_mutex_t mutex; /* of the following */
    pthread_cond_t changed;
    size_t n_done;
    const mr_restore *failed; /* NULL: none */
};

static mr_status open_database(rebuild *all, mr_error *err)
{
    const mr_budget budget = mr_budget_split(all->options->runtime);
    const mr_database_options options = {
        .directory = all->options->state_directory,
        .cache_bytes = budget.block_cache,
        .memtable_bytes = budget.memtables,
    };
    return mr_stage_database_open(all->options->stage, &options, all->options->log, &all->database,
                                  err);
}

static mr_status open_clients(rebuild *all, mr_error *err)
{
    const mr_rebuild_options *options = all->options;
    const mr_consumer_options consumer = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .group = options->stage->group,
        .queue_bytes_max = (int64_t)mr_budget_split(options->runtime).consumer_queue,
    };
    MR_TRY(mr_consumer_new(&consumer, &all->consumer, err));
    const mr_restorer_options restorer = {
        .stage = options->stage,
        .consumer = all->consumer,
        .runtime = options->runtime,
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .clock = options->clock,
        .client_id = options->client_id,
    };
    return mr_restorer_new(&restorer, &all->restorer, err);
}

/* Restorer's thread. */
static void restore_done(mr_restore *restore)
{
    rebuild *all = ((rebuilt_task *)restore->argument)->of;
    pthread_mutex_lock(&all->mutex);
    all->n_done++;
    if (restore->status != MR_OK && all->failed == NULL) {
        all->failed = restore;
    }
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
}

static mr_status submit(rebuild *all, int32_t number, mr_error *err)
{
    rebuilt_task *task = &all->tasks[all->n_opened];
    task->of = all;
    mr_restore *restore = &task->restore;
    restore->number = number;
    MR_TRY(mr_partition_open(all->database, number, &restore->partition, err));
    all->n_opened++;
    MR_TRY(mr_partition_progress(restore->partition, &restore->progress, err));
    restore->done = restore_done;
    restore->argument = task;
    restore->restored = &task->restored;
    restore->remaining = &task->remaining;
    mr_restorer_submit(all->restorer, restore);
    return MR_OK;
}

static mr_status wait_for_all(rebuild *all, mr_error *err)
{
    pthread_mutex_lock(&all->mutex);
    while (all->n_done < all->options->n && all->failed == NULL) {
        pthread_cond_wait(&all->changed, &all->mutex);
    }
    const mr_restore *failed = all->failed;
    pthread_mutex_unlock(&all->mutex);
    if (failed == NULL) {
        return MR_OK;
    }
    *err = failed->err;
    return mr_error_prefix(err, "task %d: restore", failed->number);
}

/* The rows of a commit that was cut off are for the stage's next commit to make good. Its input is
 * there, or it would not have been begun. */
static mr_status check_whole(const rebuild *all, mr_error *err)
{
    for (size_t i = 0; i < all->options->n && all->options->must_be_whole; i++) {
        const mr_restore *restore = &all->tasks[i].restore;
        if (mr_restore_is_unsure(restore)) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "task %d: a crash has cut off its last commit: start stage '%s', "
                                "stop it when it has read its input, and try again",
                                restore->number, all->options->stage->name);
        }
    }
    return MR_OK;
}

static mr_status restore_all(rebuild *all, mr_error *err)
{
    MR_TRY(open_database(all, err));
    MR_TRY(open_clients(all, err));
    for (size_t i = 0; i < all->options->n; i++) {
        MR_TRY(submit(all, all->options->numbers[i], err));
    }
    MR_TRY(wait_for_all(all, err));
    return check_whole(all, err);
}

/* To disk, also after a failure: what was restored need not be read again. */
static mr_status close_all(rebuild *all, mr_error *err)
{
    mr_restorer_free(all->restorer);
    mr_consumer_close(all->consumer);
    for (size_t i = 0; i < all->n_opened; i++) {
        mr_restore_forget_unsure(&all->tasks[i].restore);
        mr_partition_close(all->tasks[i].restore.partition);
    }
    return all->database == NULL ? MR_OK : mr_database_close(all->database, err);
}

mr_status mr_rebuild(const mr_rebuild_options *options, int64_t *ret_restored, mr_error *err)
{
    mr_error closing;
    rebuild all = {
        .options = options,
        .tasks = mr_alloc_zero(options->n + 1, sizeof(rebuilt_task)),
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    mr_status status = restore_all(&all, err);
    const mr_status closed = close_all(&all, &closing);
    if (status == MR_OK && closed != MR_OK) {
        *err = closing;
        status = closed;
    }
    for (size_t i = 0; i < options->n; i++) {
        ret_restored[i] = atomic_load(&all.tasks[i].restored);
    }
    free(all.tasks);
    return status;
}
