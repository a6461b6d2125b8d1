/*
 * What others ask of a processor while it runs: how it is, its rows, a backup. Thread: any.
 */
#include <stdlib.h>

#include "runtime/processor_impl.h"

enum { SNAPSHOT_TIMEOUT_MS = 1000 };

bool mr_processor_is_ready(mr_processor *processor)
{
    mr_processor_status status;
    if (!atomic_load(&processor->assigned_once) || atomic_load(&processor->stopping)) {
        return false;
    }
    mr_processor_status_read(processor, &status);
    const bool ready = strcmp(status.state, "running") == 0;
    mr_processor_status_deinit(&status);
    return ready;
}

static const char *overall_state(const mr_processor *processor, const mr_processor_status *status,
                                 bool complete)
{
    if (atomic_load(&processor->stopping)) {
        return "stopping";
    }
    if (atomic_load(&processor->warming)) {
        return "warming";
    }
    if (!atomic_load(&processor->assigned_once)) {
        return "starting";
    }
    for (size_t i = 0; i < status->n_tasks; i++) {
        if (strcmp(status->tasks[i].state, "restoring") == 0) {
            return "restoring";
        }
        if (strcmp(status->tasks[i].state, "suspended") == 0) {
            return "rebalancing";
        }
    }
    for (size_t i = 0; i < status->n_tasks; i++) {
        if (status->tasks[i].replay_remaining > 0) {
            return "replaying";
        }
    }
    return complete ? "running" : "busy";
}

void mr_processor_status_read(mr_processor *processor, mr_processor_status *ret_status)
{
    *ret_status = (mr_processor_status){.rebalances = atomic_load(&processor->rebalances)};
    bool complete = true;
    for (size_t i = 0; i < processor->n_workers; i++) {
        const mr_worker_metrics *metrics = mr_worker_metrics_of(processor->workers[i]);
        ret_status->commits += atomic_load(&metrics->commits);
        ret_status->aborts += atomic_load(&metrics->aborts);
        if (mr_worker_tasks(processor->workers[i], SNAPSHOT_TIMEOUT_MS, ret_status) != MR_OK) {
            complete = false;
        }
    }
    mr_follower_tasks(processor->follower, ret_status);
    (void)pthread_rwlock_rdlock(&processor->database_lock);
    if (processor->database != NULL) {
        mr_database_usage_read(processor->database, &ret_status->usage);
    }
    (void)pthread_rwlock_unlock(&processor->database_lock);
    ret_status->state = overall_state(processor, ret_status, complete);
}

void mr_processor_status_deinit(mr_processor_status *status)
{
    free(status->tasks);
    status->tasks = NULL;
    status->n_tasks = 0;
}

static mr_status back_up(mr_processor *processor, const char *above, const char *name,
                         mr_backup *ret_backup, mr_error *err)
{
    const mr_processor_options *options = &processor->options;
    if (processor->database == NULL) {
        return MR_NOT_FOUND;
    }
    const mr_backup_options backup = {
        .stage = options->stage,
        .above = above,
        .name = name,
        .now_ms = options->clock->wall_ms(options->clock),
        .log = &processor->log,
    };
    const mr_status status = mr_backup_make(processor->database, &backup, ret_backup, err);
    if (status == MR_OK) {
        mr_log_info(&processor->log, "backed up directory='%s' bytes=%lld tasks=%zu",
                    ret_backup->directory, (long long)ret_backup->bytes, ret_backup->n_tasks);
    } else {
        mr_log_warn(&processor->log, "backup: %s", err->message);
    }
    return status;
}

mr_status mr_processor_backup(mr_processor *processor, const char *above, const char *name,
                              mr_backup *ret_backup, mr_error *err)
{
    if (atomic_exchange(&processor->backing_up, true)) {
        return MR_END;
    }
    (void)pthread_rwlock_rdlock(&processor->database_lock);
    const mr_status status = back_up(processor, above, name, ret_backup, err);
    (void)pthread_rwlock_unlock(&processor->database_lock);
    atomic_store(&processor->backing_up, false);
    return status;
}

mr_status mr_processor_query(mr_processor *processor, mr_query *query, mr_error *err)
{
    if (query->store >= processor->options.stage->n_stores) {
        return mr_error_set(err, MR_ERR_USAGE, "no such store");
    }
    for (size_t i = 0; i < processor->n_workers; i++) {
        if (query->partition >= 0 &&
            mr_processor_worker_of(processor, query->partition) != processor->workers[i]) {
            continue;
        }
        const mr_status status = mr_worker_query(processor->workers[i], query, err);
        if (status != MR_OK) {
            return status;
        }
    }
    return MR_OK;
}
