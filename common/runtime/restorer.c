#include "runtime/restorer.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/reader.h"
#include "runtime/restore_job.h"

enum {
    POLL_MS = 100,
    PROGRESS_INTERVAL_MS = 5000,
    JOBS_MAX = 16, /* the others wait */
    RECORDS_PER_ROUND = 1000,
    RECORDS_AHEAD = 20000,
};

struct mr_restorer {
    mr_restorer_options options;
    mr_log log;
    mr_reader *committed_reader;
    mr_reader *end_reader; /* sees open transactions too: the true end */
    size_t rows_bytes_max; /* of all jobs together */
    pthread_t thread;
    pthread_mutex_t mutex; /* of the queue, and of is_active in each restore */
    pthread_cond_t changed;
    mr_restore *first;
    mr_restore **last;
    bool ending;
    /* The thread's own. The first n_begun have been asked for; the others not yet. */
    mr_restore_job *jobs[JOBS_MAX];
    size_t n_jobs;
    size_t n_begun;
    size_t bytes_read; /* since rows_bytes_max was looked at */
    int64_t next_report_ms;
};

static const mr_stage *stage_of(const mr_restorer *restorer)
{
    return restorer->options.stage;
}

/* ---- Jobs ---- */

static bool is_cancelled(const mr_restore *restore)
{
    return atomic_load_explicit(&restore->cancelled, memory_order_relaxed);
}

/* Ends a job: tells the worker, unless it does not want to know any more. */
static void end_job(mr_restorer *restorer, size_t i, const mr_error *failure)
{
    mr_restore_job *job = restorer->jobs[i];
    mr_restore *restore = job->restore;
    for (size_t store = 0; job->is_reading && store < stage_of(restorer)->n_stores; store++) {
        mr_reader_remove(restorer->committed_reader, stage_of(restorer)->stores[store].changelog,
                         restore->number);
    }
    mr_restore_job_free(job);
    memmove(&restorer->jobs[i], &restorer->jobs[i + 1],
            (restorer->n_jobs - i - 1) * sizeof(restorer->jobs[0]));
    restorer->n_jobs--;
    restorer->n_begun -= i < restorer->n_begun ? 1 : 0;
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
            end_job(restorer, i - 1, NULL);
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
    while (restorer->first != NULL && restorer->n_jobs < JOBS_MAX) {
        mr_restore *restore = restorer->first;
        restorer->first = restore->next;
        if (restorer->first == NULL) {
            restorer->last = &restorer->first;
        }
        restore->is_active = true;
        restorer->jobs[restorer->n_jobs++] =
            mr_restore_job_new(stage_of(restorer), exactly_once, restore);
    }
    const bool ending = restorer->ending;
    pthread_mutex_unlock(&restorer->mutex);
    return !ending;
}

/* ---- Beginning ---- */

/* Waits for the previous owners' transactions inside. */
static mr_status ask_committed(mr_restorer *restorer, mr_error *err)
{
    const size_t n = restorer->n_jobs - restorer->n_begun;
    mr_restore_job **jobs = restorer->jobs + restorer->n_begun;
    mr_topic_partition inputs[JOBS_MAX];
    for (size_t i = 0; i < n; i++) {
        inputs[i] = (mr_topic_partition){stage_of(restorer)->from[0], jobs[i]->restore->number, -1};
    }
    MR_TRY(mr_consumer_committed(restorer->options.consumer, inputs, n,
                                 (int)restorer->options.runtime->broker_timeout_ms, err));
    for (size_t i = 0; i < n; i++) {
        jobs[i]->restore->committed = inputs[i].offset;
    }
    return MR_OK;
}

static mr_status ask_ends(mr_restorer *restorer, mr_error *err)
{
    const size_t n_jobs = restorer->n_jobs - restorer->n_begun;
    const size_t n_stores = stage_of(restorer)->n_stores;
    mr_restore_job **jobs = restorer->jobs + restorer->n_begun;
    mr_topic_partition ends[JOBS_MAX * MR_STORES_MAX];
    for (size_t i = 0; i < n_jobs * n_stores; i++) {
        ends[i] = (mr_topic_partition){stage_of(restorer)->stores[i % n_stores].changelog,
                                       jobs[i / n_stores]->restore->number, -1};
    }
    MR_TRY(mr_reader_ends(restorer->end_reader, ends, n_jobs * n_stores,
                          (int)restorer->options.runtime->broker_timeout_ms, err));
    for (size_t i = 0; i < n_jobs * n_stores; i++) {
        jobs[i / n_stores]->ends[i % n_stores] = ends[i].offset;
    }
    return MR_OK;
}

static mr_status begin_reading(mr_restorer *restorer, mr_restore_job *job, mr_error *err)
{
    mr_topic_partition partitions[MR_STORES_MAX];
    for (size_t i = 0; i < stage_of(restorer)->n_stores; i++) {
        partitions[i] =
            (mr_topic_partition){stage_of(restorer)->stores[i].changelog, job->restore->number,
                                 job->restore->progress.changelog_offset[i]};
    }
    job->is_reading = true;
    return mr_reader_add(restorer->committed_reader, partitions, stage_of(restorer)->n_stores, err);
}

static void begin_job(mr_restorer *restorer, size_t i)
{
    mr_error err;
    mr_restore_job *job = restorer->jobs[i];
    mr_status status = mr_restore_job_begin(job, &err);
    if (status != MR_OK) {
        end_job(restorer, i, &err);
    } else if (mr_restore_job_has_ended(job)) {
        status = mr_restore_job_finish(job, &err);
        end_job(restorer, i, status == MR_OK ? NULL : &err);
    }
}

/* All that are new, with one question of each kind; a broker that is away is asked again in the
 * next round. */
static void begin_new(mr_restorer *restorer)
{
    mr_error err;
    if (restorer->n_begun == restorer->n_jobs) {
        return;
    }
    mr_status status = ask_committed(restorer, &err);
    if (status == MR_OK) {
        status = ask_ends(restorer, &err);
    }
    if (status != MR_OK && err.action == MR_ACT_RETRY) {
        mr_log_warn(&restorer->log, "%s, retrying", err.message);
        return;
    }
    const size_t first = restorer->n_begun;
    restorer->n_begun = restorer->n_jobs;
    for (size_t i = restorer->n_jobs; i > first; i--) {
        if (status == MR_OK) {
            begin_job(restorer, i - 1);
        } else {
            end_job(restorer, i - 1, &err);
        }
    }
}

/* ---- Reading ---- */

/* The shortest that is not read yet, and what is left of those that are. */
static size_t next_to_read(const mr_restorer *restorer, int64_t *ret_left)
{
    size_t next = restorer->n_begun;
    *ret_left = 0;
    for (size_t i = 0; i < restorer->n_begun; i++) {
        const int64_t left = mr_restore_job_left(restorer->jobs[i]);
        if (restorer->jobs[i]->is_reading) {
            *ret_left += left;
        } else if (next == restorer->n_begun || left < mr_restore_job_left(restorer->jobs[next])) {
            next = i;
        }
    }
    return next;
}

/* Short ones together, which saves waiting; long ones one after the other, so that the first task
 * goes on early. */
static void read_more(mr_restorer *restorer)
{
    int64_t left = 0;
    size_t next = next_to_read(restorer, &left);
    while (next < restorer->n_begun && left < RECORDS_AHEAD) {
        mr_error err;
        if (begin_reading(restorer, restorer->jobs[next], &err) != MR_OK) {
            end_job(restorer, next, &err);
        }
        next = next_to_read(restorer, &left);
    }
}

static size_t job_of_partition(const mr_restorer *restorer, int32_t partition)
{
    size_t i = 0;
    while (i < restorer->n_begun && restorer->jobs[i]->restore->number != partition) {
        i++;
    }
    return i;
}

static void write_largest(mr_restorer *restorer)
{
    size_t all = 0;
    size_t largest = 0;
    for (size_t i = 0; i < restorer->n_begun; i++) {
        const size_t bytes = mr_restore_job_bytes(restorer->jobs[i]);
        all += bytes;
        largest = bytes > mr_restore_job_bytes(restorer->jobs[largest]) ? i : largest;
    }
    mr_error err;
    if (all > restorer->rows_bytes_max &&
        mr_restore_job_write(restorer->jobs[largest], &err) != MR_OK) {
        end_job(restorer, largest, &err);
    }
}

static void add_record(mr_restorer *restorer, const mr_record *record)
{
    mr_error err;
    const size_t i = job_of_partition(restorer, record->partition);
    if (i == restorer->n_begun) {
        return; /* it came before its job was ended */
    }
    if (mr_restore_job_add(restorer->jobs[i], record, &err) != MR_OK) {
        end_job(restorer, i, &err);
        return;
    }
    restorer->bytes_read += record->key.len + record->value.len;
    if (restorer->bytes_read > restorer->rows_bytes_max / 64) {
        restorer->bytes_read = 0;
        write_largest(restorer);
    }
}

static void note_end(mr_restorer *restorer, const mr_record *end)
{
    const size_t i = job_of_partition(restorer, end->partition);
    if (i == restorer->n_begun) {
        return;
    }
    mr_restore_job_reached(restorer->jobs[i], end->topic, end->offset);
    if (mr_restore_job_has_ended(restorer->jobs[i])) {
        mr_error err;
        const mr_status status = mr_restore_job_finish(restorer->jobs[i], &err);
        end_job(restorer, i, status == MR_OK ? NULL : &err);
    }
}

/* A bounded number of records, so that what is new or cancelled gets its turn. */
static void read_round(mr_restorer *restorer)
{
    for (int i = 0; i < RECORDS_PER_ROUND && restorer->n_jobs > 0; i++) {
        mr_record record;
        mr_error err;
        const mr_status status =
            mr_reader_next(restorer->committed_reader, i == 0 ? POLL_MS : 0, &record, &err);
        if (status == MR_OK) {
            add_record(restorer, &record);
        } else if (status == MR_END) {
            note_end(restorer, &record);
        } else if (status == MR_TIMED_OUT || err.action == MR_ACT_RETRY) {
            return;
        } else {
            while (restorer->n_begun > 0) {
                end_job(restorer, restorer->n_begun - 1, &err);
            }
        }
    }
}

static void report(mr_restorer *restorer)
{
    const int64_t now_ms = mr_clock_monotonic_ms(restorer->options.clock);
    if (restorer->n_begun == 0) {
        restorer->next_report_ms = now_ms + PROGRESS_INTERVAL_MS;
    }
    if (now_ms < restorer->next_report_ms) {
        return;
    }
    restorer->next_report_ms = now_ms + PROGRESS_INTERVAL_MS;
    for (size_t i = 0; i < restorer->n_begun; i++) {
        const mr_restore_job *job = restorer->jobs[i];
        mr_log_info(&restorer->log, "task %d: restoring restored=%lld left=%lld",
                    job->restore->number, (long long)atomic_load(job->restore->restored),
                    (long long)mr_restore_job_left(job));
    }
}

/* ---- The thread ---- */

static void *run(void *argument)
{
    mr_restorer *restorer = argument;
    while (take_waiting(restorer)) {
        report(restorer);
        end_cancelled(restorer);
        begin_new(restorer);
        read_more(restorer);
        read_round(restorer);
    }
    while (restorer->n_jobs > 0) {
        atomic_store(&restorer->jobs[0]->restore->cancelled, true);
        end_job(restorer, 0, NULL);
    }
    return NULL;
}

static mr_status open_readers(mr_restorer *restorer, mr_error *err)
{
    const mr_restorer_options *options = &restorer->options;
    const mr_budget budget = mr_budget_split(options->runtime);
    /* Nothing is in the memtables meanwhile, and nothing in the consumer's queue, of these tasks.
     */
    restorer->rows_bytes_max = budget.memtables / 2;
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
    pthread_cond_broadcast(&restorer->changed);
    pthread_mutex_unlock(&restorer->mutex);
    mr_reader_wake(restorer->committed_reader);
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
