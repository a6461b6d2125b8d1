#include "runtime/restorer.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/reader.h"
#include "runtime/replay.h"

enum {
    POLL_MS = 100,
    ROWS_PER_WRITE = 20000,
    PROGRESS_INTERVAL_MS = 5000,
    READ_QUEUE_BYTES = 16 * 1024 * 1024,
};

struct mr_restorer {
    mr_restorer_options options;
    mr_log log;
    mr_reader *committed_reader;
    mr_reader *end_reader; /* sees open transactions too: the true end */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    mr_restore *first;
    mr_restore **last;
    mr_restore *current;
    bool ending;
};

/* ---- One task ---- */

typedef struct mr_job {
    mr_restorer *restorer;
    mr_restore *restore;
    mr_replay *replays[MR_STORES_MAX];
    int64_t ends[MR_STORES_MAX];
    bool ended[MR_STORES_MAX];
    size_t n_stores;
    int64_t next_report_ms;
} mr_job;

static bool is_cancelled(const mr_restore *restore)
{
    return atomic_load_explicit(&restore->cancelled, memory_order_relaxed);
}

/* Waits for the previous owner's transaction inside; a broker that is away is waited for. */
static mr_status read_committed_offset(mr_job *job, mr_error *err)
{
    const mr_restorer_options *options = &job->restorer->options;
    mr_topic_partition input = {
        .topic = options->stage->from[0], .partition = job->restore->number, .offset = -1};
    for (;;) {
        const mr_status status = mr_consumer_committed(
            options->consumer, &input, 1, (int)options->runtime->broker_timeout_ms, err);
        if (status == MR_OK) {
            job->restore->committed = input.offset;
            return MR_OK;
        }
        if (err->action != MR_ACT_RETRY || is_cancelled(job->restore)) {
            return status;
        }
        mr_log_warn(&job->restorer->log, "task %d: %s, retrying", job->restore->number,
                    err->message);
    }
}

static mr_status read_ends(mr_job *job, mr_error *err)
{
    const mr_restorer_options *options = &job->restorer->options;
    for (size_t i = 0; i < job->n_stores; i++) {
        int64_t low;
        mr_status status = MR_TIMED_OUT;
        while (status != MR_OK) {
            status =
                mr_reader_watermarks(job->restorer->end_reader, options->stage->stores[i].changelog,
                                     job->restore->number, &low, &job->ends[i],
                                     (int)options->runtime->broker_timeout_ms, err);
            if (status < 0 && (err->action != MR_ACT_RETRY || is_cancelled(job->restore))) {
                return status;
            }
        }
        const int64_t have = job->restore->progress.changelog_offset[i];
        if (have > job->ends[i]) {
            return mr_error_set(err, MR_ERR_STORE,
                                "the state on disk has read changelog %s to offset %lld, but it "
                                "ends at %lld: the topic was made anew; remove the state directory "
                                "to rebuild from what is there",
                                options->stage->stores[i].changelog, (long long)have,
                                (long long)job->ends[i]);
        }
        job->restore->attempt += job->ends[i];
    }
    return MR_OK;
}

/* Exactly once, the state can never be ahead of the group's offset: both are one transaction. */
static mr_status check_offsets(const mr_job *job, mr_error *err)
{
    const mr_restore *restore = job->restore;
    const bool exactly_once = job->restorer->options.runtime->guarantee == MR_EXACTLY_ONCE;
    if (exactly_once && restore->progress.input_offset > restore->committed) {
        return mr_error_set(err, MR_ERR_STORE,
                            "the state on disk includes input up to offset %lld, but the group has "
                            "committed %lld: its offsets were reset or have expired; reset the "
                            "state together with them",
                            (long long)restore->progress.input_offset,
                            (long long)restore->committed);
    }
    return MR_OK;
}

static mr_status write_rows(mr_job *job, size_t store, mr_error *err)
{
    mr_row_map *map = mr_replay_rows(job->replays[store]);
    mr_progress *progress = &job->restore->progress;
    progress->changelog_offset[store] = mr_replay_offset(job->replays[store]);
    mr_row *rows = NULL;
    const size_t n_rows = mr_row_map_count(map);
    mr_row_map_rows(map, job->restorer->options.stage->stores[store].number, &rows);
    const mr_status status =
        mr_partition_write(job->restore->partition, rows, n_rows, progress, err);
    free(rows);
    mr_row_map_clear(map);
    return status;
}

static mr_status assign(mr_job *job, mr_error *err)
{
    mr_topic_partition partitions[MR_STORES_MAX];
    for (size_t i = 0; i < job->n_stores; i++) {
        partitions[i] = (mr_topic_partition){
            .topic = job->restorer->options.stage->stores[i].changelog,
            .partition = job->restore->number,
            .offset = job->restore->progress.changelog_offset[i],
        };
    }
    return mr_reader_assign(job->restorer->committed_reader, partitions, job->n_stores, err);
}

static size_t store_of_topic(const mr_job *job, const char *topic)
{
    size_t i = 0;
    while (strcmp(job->restorer->options.stage->stores[i].changelog, topic) != 0) {
        i++;
        assert(i < job->n_stores);
    }
    return i;
}

static void report(mr_job *job)
{
    const int64_t now_ms = mr_clock_monotonic_ms(job->restorer->options.clock);
    if (now_ms < job->next_report_ms) {
        return;
    }
    job->next_report_ms = now_ms + PROGRESS_INTERVAL_MS;
    int64_t left = 0;
    for (size_t i = 0; i < job->n_stores; i++) {
        const int64_t at = mr_replay_offset(job->replays[i]);
        left += job->ended[i] || job->ends[i] <= at ? 0 : job->ends[i] - at;
    }
    mr_log_info(&job->restorer->log, "task %d: restoring restored=%lld left=%lld",
                job->restore->number, (long long)atomic_load(job->restore->restored),
                (long long)left);
}

static bool all_ended(const mr_job *job)
{
    for (size_t i = 0; i < job->n_stores; i++) {
        if (!job->ended[i]) {
            return false;
        }
    }
    return true;
}

/* A store is complete once everything below the end that was seen is read: an end before that means
 * that somebody's transaction is still open, and it is waited for. */
static mr_status read_changelogs(mr_job *job, mr_error *err)
{
    while (!all_ended(job)) {
        if (is_cancelled(job->restore)) {
            return mr_error_set(err, MR_ERR_SYSTEM, "cancelled");
        }
        mr_record record;
        const mr_status status =
            mr_reader_next(job->restorer->committed_reader, POLL_MS, &record, err);
        if (status == MR_OK) {
            const size_t store = store_of_topic(job, record.topic);
            MR_TRY(mr_replay_add(job->replays[store], &record, err));
            atomic_fetch_add_explicit(job->restore->restored, 1, memory_order_relaxed);
            if (mr_row_map_count(mr_replay_rows(job->replays[store])) >= ROWS_PER_WRITE) {
                MR_TRY(write_rows(job, store, err));
            }
        } else if (status == MR_END) {
            const size_t store = store_of_topic(job, record.topic);
            job->ended[store] = record.offset >= job->ends[store];
        } else if (status < 0 && err->action != MR_ACT_RETRY) {
            return status;
        }
        report(job);
    }
    return MR_OK;
}

static mr_status finish(mr_job *job, mr_error *err)
{
    mr_progress *progress = &job->restore->progress;
    int64_t commit = mr_replay_commit(job->replays[0]);
    for (size_t i = 1; i < job->n_stores; i++) {
        const int64_t other = mr_replay_commit(job->replays[i]);
        commit = other < commit ? other : commit;
    }
    for (size_t i = 0; i < job->n_stores; i++) {
        mr_replay_finish(job->replays[i], commit, job->ends[i]);
    }
    progress->commit = commit;
    const bool exactly_once = job->restorer->options.runtime->guarantee == MR_EXACTLY_ONCE;
    progress->input_offset =
        exactly_once ? job->restore->committed : mr_replay_input_offset(job->replays[0]);
    for (size_t i = 0; i < job->n_stores; i++) {
        MR_TRY(write_rows(job, i, err));
    }
    return MR_OK;
}

static mr_status restore_task(mr_job *job, mr_error *err)
{
    MR_TRY(read_committed_offset(job, err));
    MR_TRY(read_ends(job, err));
    MR_TRY(check_offsets(job, err));
    mr_progress *progress = &job->restore->progress;
    progress->n_stores = job->n_stores;
    for (size_t i = 0; i < job->n_stores; i++) {
        job->replays[i] =
            mr_replay_new(&job->restorer->options.stage->stores[i], progress->changelog_offset[i],
                          progress->commit, progress->input_offset);
        const int64_t have = progress->changelog_offset[i] < 0 ? 0 : progress->changelog_offset[i];
        job->ended[i] = have >= job->ends[i];
    }
    if (!all_ended(job)) {
        MR_TRY(assign(job, err));
        MR_TRY(read_changelogs(job, err));
    }
    return finish(job, err);
}

static void run_restore(mr_restorer *restorer, mr_restore *restore)
{
    mr_job job = {
        .restorer = restorer,
        .restore = restore,
        .n_stores = restorer->options.stage->n_stores,
        .next_report_ms = mr_clock_monotonic_ms(restorer->options.clock) + PROGRESS_INTERVAL_MS,
    };
    restore->attempt = 0;
    restore->status = restore_task(&job, &restore->err);
    for (size_t i = 0; i < job.n_stores; i++) {
        mr_replay_free(job.replays[i]);
    }
}

/* ---- The thread ---- */

static void *run(void *argument)
{
    mr_restorer *restorer = argument;
    pthread_mutex_lock(&restorer->mutex);
    for (;;) {
        while (restorer->first == NULL && !restorer->ending) {
            pthread_cond_wait(&restorer->changed, &restorer->mutex);
        }
        if (restorer->ending) {
            break;
        }
        mr_restore *restore = restorer->first;
        restorer->first = restore->next;
        if (restorer->first == NULL) {
            restorer->last = &restorer->first;
        }
        restorer->current = restore;
        pthread_mutex_unlock(&restorer->mutex);
        run_restore(restorer, restore);
        pthread_mutex_lock(&restorer->mutex);
        /* With the mutex held, so that a cancel cannot return before. */
        if (!is_cancelled(restore)) {
            restore->done(restore);
        }
        restorer->current = NULL;
        pthread_cond_broadcast(&restorer->changed);
    }
    pthread_mutex_unlock(&restorer->mutex);
    return NULL;
}

static mr_status open_readers(mr_restorer *restorer, mr_error *err)
{
    const mr_restorer_options *options = &restorer->options;
    mr_reader_options reader = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .queue_bytes_max = READ_QUEUE_BYTES,
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
    pthread_mutex_init(&restorer->mutex, NULL);
    pthread_cond_init(&restorer->changed, NULL);
    if (status == MR_OK) {
        const int code = pthread_create(&restorer->thread, NULL, run, restorer);
        if (code != 0) {
            status =
                mr_error_set(err, MR_ERR_SYSTEM, "cannot start the restore thread: error %d", code);
        }
    }
    if (status != MR_OK) {
        mr_reader_free(restorer->committed_reader);
        mr_reader_free(restorer->end_reader);
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
    if (restorer->current != NULL) {
        atomic_store(&restorer->current->cancelled, true);
    }
    pthread_cond_broadcast(&restorer->changed);
    pthread_mutex_unlock(&restorer->mutex);
    pthread_join(restorer->thread, NULL);
    mr_reader_free(restorer->committed_reader);
    mr_reader_free(restorer->end_reader);
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
    while (restorer->current == restore) {
        pthread_cond_wait(&restorer->changed, &restorer->mutex);
    }
    pthread_mutex_unlock(&restorer->mutex);
}
