#include "runtime/restorer_impl.h"

enum {
    POLL_MS = 100,
    WRITE_POLL_MS = 10, /* how late the end of a write is seen when no record comes */
    PROGRESS_INTERVAL_MS = 5000,
    RECORDS_PER_ROUND = 1000,
    RECORDS_AHEAD = 20000,
};

static const mr_stage *stage_of(const mr_restorer *restorer)
{
    return restorer->options.stage;
}

/* ---- Beginning ---- */

/* Waits for the previous owners' transactions inside. */
static mr_status ask_committed(mr_restorer *restorer, mr_error *err)
{
    const size_t n = restorer->n_jobs - restorer->n_begun;
    mr_restore_job **jobs = restorer->jobs + restorer->n_begun;
    mr_topic_partition inputs[MR_RESTORE_JOBS_MAX];
    for (size_t i = 0; i < n; i++) {
        inputs[i] = (mr_topic_partition){stage_of(restorer)->from[0], jobs[i]->restore->number, -1};
    }
    MR_TRY(mr_consumer_committed(restorer->options.consumer, inputs, n,
                                 (int)restorer->options.runtime->broker_timeout_ms, err));
    for (size_t i = 0; i < n; i++) {
        jobs[i]->restore->committed = inputs[i].offset;
        jobs[i]->restore->replay_below = inputs[i].replay_below;
        jobs[i]->restore->replay_sends = inputs[i].replay_sends;
    }
    return MR_OK;
}

static mr_status ask_ends(mr_restorer *restorer, mr_error *err)
{
    const size_t n_jobs = restorer->n_jobs - restorer->n_begun;
    const size_t n_stores = stage_of(restorer)->n_stores;
    mr_restore_job **jobs = restorer->jobs + restorer->n_begun;
    mr_topic_partition ends[MR_RESTORE_JOBS_MAX * MR_STORES_MAX];
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

/* A deletion that is gone from the changelog would not be seen. */
static mr_status ask_stale(mr_restorer *restorer, mr_error *err)
{
    const size_t n_jobs = restorer->n_jobs - restorer->n_begun;
    const size_t n_stores = stage_of(restorer)->n_stores;
    mr_restore_job **jobs = restorer->jobs + restorer->n_begun;
    mr_clock *clock = restorer->options.clock;
    const mr_tail_check check = {
        .reader = restorer->end_reader,
        .stage = stage_of(restorer),
        .kept = restorer->options.kept,
        .exactly_once = restorer->options.runtime->guarantee == MR_EXACTLY_ONCE,
        .now_ms = clock->wall_ms(clock),
        .timeout_ms = (int)restorer->options.runtime->broker_timeout_ms,
    };
    mr_tail tails[MR_RESTORE_JOBS_MAX * MR_STORES_MAX];
    for (size_t i = 0; i < n_jobs * n_stores; i++) {
        const mr_restore_job *job = jobs[i / n_stores];
        tails[i] = (mr_tail){.store = i % n_stores,
                             .partition = job->restore->number,
                             .have = job->restore->progress.changelog_offset[i % n_stores],
                             .end = job->ends[i % n_stores]};
    }
    MR_TRY(mr_tails_check(&check, tails, n_jobs * n_stores, err));
    for (size_t i = 0; i < n_jobs * n_stores; i++) {
        if (tails[i].is_stale) {
            jobs[i / n_stores]->is_stale = true;
            mr_tail_warn(&check, &tails[i], &restorer->log);
        }
    }
    return MR_OK;
}

static mr_status begin_reading(mr_restorer *restorer, mr_restore_job *job, mr_error *err)
{
    mr_topic_partition partitions[MR_STORES_MAX];
    for (size_t i = 0; i < stage_of(restorer)->n_stores; i++) {
        /* Not "from the beginning": librdkafka would ask where that is, and as the first question
         * of a connection it asks half a second late. */
        const int64_t have = job->restore->progress.changelog_offset[i];
        partitions[i] = (mr_topic_partition){stage_of(restorer)->stores[i].changelog,
                                             job->restore->number, have < 0 ? 0 : have};
    }
    job->is_reading = true;
    return mr_reader_add(restorer->committed_reader, partitions, stage_of(restorer)->n_stores, err);
}

/* All is read. */
static void finish_job(mr_restorer *restorer, size_t i)
{
    mr_error err;
    mr_restore_job *job = restorer->jobs[i];
    mr_status status = mr_restore_job_finish(job, restorer->flusher, &err);
    if (status == MR_OK) {
        status = mr_restore_job_take(job, false, &err);
    }
    if (status != MR_TIMED_OUT) {
        mr_restorer_end_job(restorer, i, status == MR_OK ? NULL : &err);
    }
}

static void begin_job(mr_restorer *restorer, size_t i)
{
    mr_error err;
    mr_restore_job *job = restorer->jobs[i];
    if (mr_restore_job_begin(job, &err) != MR_OK) {
        mr_restorer_end_job(restorer, i, &err);
    } else if (mr_restore_job_has_ended(job)) {
        finish_job(restorer, i);
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
    if (status == MR_OK && restorer->options.kept != NULL) {
        status = ask_stale(restorer, &err);
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
            mr_restorer_end_job(restorer, i - 1, &err);
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
            mr_restorer_end_job(restorer, next, &err);
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

/* Ends jobs whose last write is over. */
static void take_written(mr_restorer *restorer, bool wait)
{
    for (size_t i = restorer->n_begun; i > 0; i--) {
        mr_error err;
        mr_restore_job *job = restorer->jobs[i - 1];
        const mr_status status = mr_restore_job_take(job, wait, &err);
        if (status < 0) {
            mr_restorer_end_job(restorer, i - 1, &err);
        } else if (status == MR_OK && job->is_finishing) {
            mr_restorer_end_job(restorer, i - 1, NULL);
        }
    }
}

static size_t count_writes(const mr_restorer *restorer)
{
    size_t n = 0;
    for (size_t i = 0; i < restorer->n_begun; i++) {
        n += restorer->jobs[i]->flush != NULL ? 1 : 0;
    }
    return n;
}

/* The job with the most rows. */
static size_t count_bytes(mr_restorer *restorer)
{
    size_t all = 0;
    size_t largest = 0;
    for (size_t i = 0; i < restorer->n_begun; i++) {
        const size_t bytes = mr_restore_job_bytes(restorer->jobs[i]);
        all += bytes;
        largest = bytes > mr_restore_job_bytes(restorer->jobs[largest]) ? i : largest;
    }
    atomic_store_explicit(&restorer->rows_bytes, all, memory_order_relaxed);
    return largest;
}

/* What is being written already is waited for; only if that was too little, a task is written that
 * is not read to its end. */
static void bound_memory(mr_restorer *restorer)
{
    size_t largest = count_bytes(restorer);
    while (restorer->rows_bytes > restorer->rows_bytes_max) {
        mr_error err;
        if (count_writes(restorer) == 0 &&
            mr_restore_job_write(restorer->jobs[largest], restorer->flusher, &err) != MR_OK) {
            mr_restorer_end_job(restorer, largest, &err);
        }
        take_written(restorer, true);
        largest = count_bytes(restorer);
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
        mr_restorer_end_job(restorer, i, &err);
        return;
    }
    restorer->bytes_read += record->key.len + record->value.len;
    if (restorer->bytes_read > restorer->rows_bytes_max / 64) {
        restorer->bytes_read = 0;
        bound_memory(restorer);
    }
}

static void note_end(mr_restorer *restorer, const mr_record *end)
{
    const size_t i = job_of_partition(restorer, end->partition);
    if (i == restorer->n_begun) {
        return;
    }
    mr_restore_job_reached(restorer->jobs[i], end->topic, end->offset);
    if (mr_restore_job_has_ended(restorer->jobs[i]) && !restorer->jobs[i]->is_finishing) {
        finish_job(restorer, i);
    }
}

/* A bounded number of records, so that what is new or cancelled gets its turn. */
static void read_round(mr_restorer *restorer)
{
    const int wait_ms = count_writes(restorer) > 0 ? WRITE_POLL_MS : POLL_MS;
    for (int i = 0; i < RECORDS_PER_ROUND && restorer->n_jobs > 0; i++) {
        mr_record record;
        mr_error err;
        const mr_status status =
            mr_reader_next(restorer->committed_reader, i == 0 ? wait_ms : 0, &record, &err);
        if (status == MR_OK) {
            add_record(restorer, &record);
        } else if (status == MR_END) {
            note_end(restorer, &record);
        } else if (status == MR_TIMED_OUT || err.action == MR_ACT_RETRY) {
            return;
        } else {
            while (restorer->n_begun > 0) {
                mr_restorer_end_job(restorer, restorer->n_begun - 1, &err);
            }
        }
    }
}

/* ---- Progress ---- */

static void log_progress(mr_restorer *restorer)
{
    const int64_t now_ms = mr_clock_monotonic_ms(restorer->options.clock);
    if (restorer->n_begun == 0) {
        restorer->next_report_ms = now_ms + PROGRESS_INTERVAL_MS;
    }
    if (now_ms < restorer->next_report_ms) {
        return;
    }
    const int64_t passed_ms = now_ms - restorer->next_report_ms + PROGRESS_INTERVAL_MS;
    restorer->next_report_ms = now_ms + PROGRESS_INTERVAL_MS;
    for (size_t i = 0; i < restorer->n_begun; i++) {
        mr_restore_job *job = restorer->jobs[i];
        const int64_t n = atomic_load_explicit(job->restore->restored, memory_order_relaxed);
        mr_log_info(&restorer->log,
                    "task %d: restoring restored=%lld remaining=%lld records_per_second=%lld",
                    job->restore->number, (long long)n, (long long)mr_restore_job_left(job),
                    (long long)((n - job->n_reported) * 1000 / passed_ms));
        job->n_reported = n;
    }
}

static void show_progress(mr_restorer *restorer)
{
    for (size_t i = 0; i < restorer->n_begun; i++) {
        const mr_restore_job *job = restorer->jobs[i];
        atomic_store_explicit(job->restore->remaining, mr_restore_job_left(job),
                              memory_order_relaxed);
    }
}

/* ---- A round ---- */

/* Nothing is left to do but to write. */
static bool is_read(const mr_restorer *restorer)
{
    for (size_t i = 0; i < restorer->n_jobs; i++) {
        if (i >= restorer->n_begun || !restorer->jobs[i]->is_finishing) {
            return false;
        }
    }
    return true;
}

void mr_restorer_round(mr_restorer *restorer)
{
    log_progress(restorer);
    begin_new(restorer);
    read_more(restorer);
    read_round(restorer);
    take_written(restorer, is_read(restorer));
    bound_memory(restorer);
    show_progress(restorer);
}
