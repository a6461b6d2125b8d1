#include <stdlib.h>

#include "core/alloc.h"
#include "runtime/follower_impl.h"

enum {
    POLL_MS = 100,
    ASK_INTERVAL_MS = 1000,
    ASK_TIMEOUT_MS = 1000, /* a worker may wait for its task meanwhile */
    WRITE_INTERVAL_MS = 1000,
    REPORT_INTERVAL_MS = 5000,
    RECORDS_PER_ROUND = 1000,
};

static const mr_stage *stage_of(const mr_follower *follower)
{
    return follower->options.stage;
}

static int64_t now_ms(const mr_follower *follower)
{
    return mr_clock_monotonic_ms(follower->options.clock);
}

static bool is_exactly_once(const mr_follower *follower)
{
    return follower->options.runtime->guarantee == MR_EXACTLY_ONCE;
}

/* ---- Taking a task up, leaving it ---- */

static mr_status open_task(mr_follower *follower, mr_followed *task, mr_error *err)
{
    mr_restore *restore = &task->restore;
    MR_TRY(
        mr_partition_open(follower->options.database, restore->number, &restore->partition, err));
    MR_TRY(mr_partition_progress(restore->partition, &restore->progress, err));
    restore->tail = 0;
    atomic_store(&task->n_read, 0);
    return MR_OK;
}

static bool is_new(const mr_followed *task)
{
    return task->job == NULL && task->restore.partition != NULL;
}

/* Of the new tasks: what the disk has, and where the changelogs end. */
static mr_status list_tails(mr_follower *follower, mr_tail *ret_tails, size_t *ret_n, mr_error *err)
{
    const size_t n_stores = stage_of(follower)->n_stores;
    mr_topic_partition *ends = mr_alloc_zero(follower->n_tasks * n_stores + 1, sizeof(*ends));
    size_t n = 0;
    for (size_t i = 0; i < follower->n_tasks * n_stores; i++) {
        const mr_restore *restore = &follower->tasks[i / n_stores].restore;
        const int64_t have = restore->progress.changelog_offset[i % n_stores];
        if (is_new(&follower->tasks[i / n_stores]) && have > 0) {
            ends[n] = (mr_topic_partition){stage_of(follower)->stores[i % n_stores].changelog,
                                           restore->number, -1};
            ret_tails[n++] =
                (mr_tail){.store = i % n_stores, .partition = restore->number, .have = have};
        }
    }
    const mr_status status =
        n == 0 ? MR_OK : mr_reader_ends(follower->end_reader, ends, n, ASK_TIMEOUT_MS, err);
    for (size_t i = 0; status == MR_OK && i < n; i++) {
        ret_tails[i].end = ends[i].offset;
    }
    free(ends);
    *ret_n = n;
    return status;
}

/* Notes of each task, by number, whether a deletion may be gone that its rows have not seen. */
static mr_status ask_stale(mr_follower *follower, bool *ret_stale, mr_error *err)
{
    mr_clock *clock = follower->options.clock;
    const mr_tail_check check = {
        .reader = follower->end_reader,
        .stage = stage_of(follower),
        .kept = follower->options.kept,
        .exactly_once = is_exactly_once(follower),
        .now_ms = clock->wall_ms(clock),
        .timeout_ms = ASK_TIMEOUT_MS,
    };
    size_t n = 0;
    mr_tail *tails =
        mr_alloc_zero(follower->n_tasks * stage_of(follower)->n_stores + 1, sizeof(*tails));
    mr_status status = list_tails(follower, tails, &n, err);
    status = status == MR_OK ? mr_tails_check(&check, tails, n, err) : status;
    for (size_t i = 0; status == MR_OK && i < n; i++) {
        if (tails[i].is_stale) {
            ret_stale[tails[i].partition] = true;
            mr_tail_warn(&check, &tails[i], &follower->log);
        }
    }
    free(tails);
    return status;
}

static mr_status begin_task(mr_follower *follower, mr_followed *task, bool is_stale, mr_error *err)
{
    mr_topic_partition from[MR_STORES_MAX];
    task->job = mr_restore_job_new(stage_of(follower), is_exactly_once(follower), &task->restore);
    if (is_stale) {
        MR_TRY(mr_restore_job_drop_rows(task->job, err));
    }
    mr_restore_job_follow(task->job);
    for (size_t i = 0; i < stage_of(follower)->n_stores; i++) {
        const int64_t have = task->restore.progress.changelog_offset[i];
        task->at[i] = have < 0 ? 0 : have;
        task->ends[i] = -1;
        from[i] = (mr_topic_partition){stage_of(follower)->stores[i].changelog,
                                       task->restore.number, task->at[i]};
    }
    MR_TRY(mr_reader_add(follower->reader, from, stage_of(follower)->n_stores, err));
    follower->ask_at_ms = 0;
    mr_log_info(&follower->log, "task %d: standby", task->restore.number);
    return MR_OK;
}

/* All that are new, with one question of each kind; a broker that is away is asked again in the
 * next round. */
static mr_status begin_new(mr_follower *follower, mr_error *err)
{
    bool any = false;
    for (size_t i = 0; i < follower->n_tasks; i++) {
        any |= is_new(&follower->tasks[i]);
    }
    if (!any) {
        return MR_OK;
    }
    bool *stale = mr_alloc_zero(follower->n_tasks, sizeof(*stale));
    mr_status status = ask_stale(follower, stale, err);
    const bool is_away = status != MR_OK && err->action == MR_ACT_RETRY;
    for (size_t i = 0; status == MR_OK && i < follower->n_tasks; i++) {
        if (is_new(&follower->tasks[i]) &&
            begin_task(follower, &follower->tasks[i], stale[i], err) != MR_OK) {
            status = mr_error_prefix(err, "task %zu", i);
        }
    }
    free(stale);
    return is_away ? MR_OK : status;
}

/* A crash has to read again what is not on disk: that is bounded as for a task that runs. */
static mr_status write_task(mr_follower *follower, mr_followed *task, mr_error *err)
{
    mr_restore *restore = &task->restore;
    MR_TRY(mr_restore_job_write(task->job, follower->flusher, err));
    MR_TRY(mr_restore_job_take(task->job, true, err));
    if (restore->tail > follower->options.runtime->tail_records / 2) {
        MR_TRY(mr_partition_flush(restore->partition, err));
        restore->tail = 0;
    }
    return MR_OK;
}

static mr_status close_task(mr_follower *follower, mr_followed *task, bool keep, mr_error *err)
{
    mr_status status = MR_OK;
    if (task->job != NULL) {
        for (size_t i = 0; i < stage_of(follower)->n_stores; i++) {
            mr_reader_remove(follower->reader, stage_of(follower)->stores[i].changelog,
                             task->restore.number);
        }
        status = keep ? write_task(follower, task, err) : MR_OK;
    }
    mr_restore_job_free(task->job);
    task->job = NULL;
    mr_partition_close(task->restore.partition);
    task->restore.partition = NULL;
    atomic_store(&task->lag, -1);
    pthread_mutex_lock(&follower->mutex);
    task->is_open = false;
    task->tail = task->restore.tail;
    pthread_cond_broadcast(&follower->changed);
    pthread_mutex_unlock(&follower->mutex);
    return status;
}

static mr_status take_changes(mr_follower *follower, mr_error *err)
{
    for (size_t i = 0; i < follower->n_tasks; i++) {
        mr_followed *task = &follower->tasks[i];
        pthread_mutex_lock(&follower->mutex);
        const bool opens = task->is_wanted && !task->is_open;
        const bool closes = !task->is_wanted && task->is_open;
        task->is_open |= opens; /* whoever wants it now has to wait */
        pthread_mutex_unlock(&follower->mutex);
        const mr_status status = opens    ? open_task(follower, task, err)
                                 : closes ? close_task(follower, task, true, err)
                                          : MR_OK;
        if (status != MR_OK) {
            return mr_error_prefix(err, "task %zu", i);
        }
    }
    return MR_OK;
}

void mr_follower_leave_all(mr_follower *follower, bool keep)
{
    for (size_t i = 0; i < follower->n_tasks; i++) {
        mr_error err;
        mr_followed *task = &follower->tasks[i];
        if (task->is_open && close_task(follower, task, keep, &err) != MR_OK) {
            mr_log_warn(&follower->log, "task %zu: %s; it is read again", i, err.message);
        }
    }
}

/* ---- How far it is ---- */

static int64_t lag_of(const mr_follower *follower, const mr_followed *task)
{
    int64_t lag = 0;
    for (size_t i = 0; i < stage_of(follower)->n_stores; i++) {
        if (task->ends[i] < 0) {
            return -1;
        }
        lag += task->ends[i] > task->at[i] ? task->ends[i] - task->at[i] : 0;
    }
    return lag;
}

static size_t list_changelogs(const mr_follower *follower, mr_topic_partition *ret_partitions)
{
    size_t n = 0;
    for (size_t i = 0; i < follower->n_tasks; i++) {
        for (size_t s = 0; follower->tasks[i].job != NULL && s < stage_of(follower)->n_stores;
             s++) {
            ret_partitions[n++] =
                (mr_topic_partition){stage_of(follower)->stores[s].changelog, (int32_t)i, -1};
        }
    }
    return n;
}

static mr_status ask_ends(mr_follower *follower, mr_error *err)
{
    const size_t n_stores = stage_of(follower)->n_stores;
    mr_topic_partition *ends = mr_alloc_zero(follower->n_tasks * n_stores + 1, sizeof(*ends));
    const size_t n = list_changelogs(follower, ends);
    const mr_status status =
        n == 0 ? MR_OK : mr_reader_ends(follower->end_reader, ends, n, ASK_TIMEOUT_MS, err);
    for (size_t i = 0; status == MR_OK && i < n; i++) {
        follower->tasks[ends[i].partition].ends[i % n_stores] = ends[i].offset;
    }
    free(ends);
    follower->ask_at_ms = now_ms(follower) + ASK_INTERVAL_MS;
    /* A broker that is away is asked again; what is known of the ends stays. */
    return status != MR_OK && err->action == MR_ACT_RETRY ? MR_OK : status;
}

static void report(mr_follower *follower, bool becomes_warm, int64_t remaining)
{
    if (becomes_warm) {
        mr_log_info(&follower->log, "warm remaining=%lld", (long long)remaining);
    } else if (now_ms(follower) >= follower->report_at_ms && remaining > MR_WARM_LAG) {
        mr_log_info(&follower->log, "remaining=%lld", (long long)remaining);
        follower->report_at_ms = now_ms(follower) + REPORT_INTERVAL_MS;
    }
}

static void show_progress(mr_follower *follower)
{
    int64_t remaining = 0;
    bool is_warm = true;
    pthread_mutex_lock(&follower->mutex);
    for (size_t i = 0; i < follower->n_tasks; i++) {
        mr_followed *task = &follower->tasks[i];
        const int64_t lag = task->job == NULL ? -1 : lag_of(follower, task);
        atomic_store(&task->lag, lag);
        remaining += lag > 0 ? lag : 0;
        is_warm = is_warm && lag >= 0 && lag <= MR_WARM_LAG;
    }
    const bool becomes_warm = is_warm && !follower->is_warm;
    follower->is_warm |= is_warm;
    pthread_cond_broadcast(&follower->changed);
    pthread_mutex_unlock(&follower->mutex);
    report(follower, becomes_warm, remaining);
}

/* ---- Writing ---- */

/* The open task with the most rows; NULL: none has any. */
static mr_followed *count_bytes(mr_follower *follower)
{
    size_t all = 0;
    size_t most = 0;
    mr_followed *largest = NULL;
    for (size_t i = 0; i < follower->n_tasks; i++) {
        mr_followed *task = &follower->tasks[i];
        const size_t bytes = task->job == NULL ? 0 : mr_restore_job_bytes(task->job);
        all += bytes;
        if (bytes > most) {
            most = bytes;
            largest = task;
        }
    }
    atomic_store_explicit(&follower->rows_bytes, all, memory_order_relaxed);
    return largest;
}

static mr_status bound_memory(mr_follower *follower, mr_error *err)
{
    mr_followed *largest = count_bytes(follower);
    while (largest != NULL && follower->rows_bytes > follower->rows_bytes_max) {
        MR_TRY(write_task(follower, largest, err));
        largest = count_bytes(follower);
    }
    return MR_OK;
}

/* A task that has much to read is written when memory is full, as in a restore: a row that changes
 * often is written once. */
static mr_status write_due(mr_follower *follower, mr_error *err)
{
    if (now_ms(follower) < follower->write_at_ms) {
        return MR_OK;
    }
    follower->write_at_ms = now_ms(follower) + WRITE_INTERVAL_MS;
    for (size_t i = 0; i < follower->n_tasks; i++) {
        mr_followed *task = &follower->tasks[i];
        if (task->job != NULL && mr_restore_job_bytes(task->job) > 0 &&
            lag_of(follower, task) <= MR_WARM_LAG) {
            MR_TRY(write_task(follower, task, err));
        }
    }
    (void)count_bytes(follower);
    return MR_OK;
}

/* ---- Reading ---- */

/* Where a record or an end belongs; NULL: it came before its task was left. */
static int64_t *position_of(mr_follower *follower, const mr_record *record)
{
    const mr_stage *stage = stage_of(follower);
    mr_followed *task = &follower->tasks[record->partition];
    for (size_t i = 0; task->job != NULL && i < stage->n_stores; i++) {
        if (strcmp(stage->stores[i].changelog, record->topic) == 0) {
            return &task->at[i];
        }
    }
    return NULL;
}

static mr_status add_record(mr_follower *follower, const mr_record *record, mr_error *err)
{
    int64_t *at = position_of(follower, record);
    if (at == NULL) {
        return MR_OK;
    }
    if (record->offset < *at) {
        return mr_error_set(err, MR_ERR_STORE,
                            "task %d: changelog %s was read to offset %lld, and goes on at %lld: "
                            "the topic was made anew; `millrace restore` puts the state directory "
                            "aside and rebuilds from what is there",
                            record->partition, record->topic, (long long)*at,
                            (long long)record->offset);
    }
    MR_TRY(mr_restore_job_add(follower->tasks[record->partition].job, record, err));
    *at = record->offset + 1;
    follower->bytes_read += record->key.len + record->value.len;
    if (follower->bytes_read > follower->rows_bytes_max / 64) {
        follower->bytes_read = 0;
        return bound_memory(follower, err);
    }
    return MR_OK;
}

/* Behind the last record there may be the mark that ends its transaction. */
static void note_end(mr_follower *follower, const mr_record *end)
{
    int64_t *at = position_of(follower, end);
    if (at != NULL && end->offset > *at) {
        *at = end->offset;
    }
}

static mr_status read_round(mr_follower *follower, mr_error *err)
{
    for (int i = 0; i < RECORDS_PER_ROUND; i++) {
        mr_record record;
        const mr_status status =
            mr_reader_next(follower->reader, i == 0 ? POLL_MS : 0, &record, err);
        if (status == MR_OK) {
            MR_TRY(add_record(follower, &record, err));
        } else if (status == MR_END) {
            note_end(follower, &record);
        } else {
            return status == MR_TIMED_OUT || err->action == MR_ACT_RETRY ? MR_OK : status;
        }
    }
    return MR_OK;
}

mr_status mr_follower_round(mr_follower *follower, mr_error *err)
{
    MR_TRY(take_changes(follower, err));
    MR_TRY(begin_new(follower, err));
    if (now_ms(follower) >= follower->ask_at_ms) {
        MR_TRY(ask_ends(follower, err));
    }
    MR_TRY(read_round(follower, err));
    MR_TRY(write_due(follower, err));
    show_progress(follower);
    return MR_OK;
}
