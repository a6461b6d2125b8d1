/*
 * The commit, and what happens instead when it cannot be.
 *
 * Order of a commit, each step only after the one before:
 *   1. what a crash left half done, and the changed rows, encoded once, to the changelogs
 *                                                               (make_good, mr_task_encode)
 *   2. input offsets into the transaction                       (mr_producer_commit)
 *   3. the transaction                                          (mr_producer_commit)
 *   4. the rows count as committed and may reach RocksDB        (mr_task_committed, write_behind.c)
 * A crash before 3 leaves nothing; after it, RocksDB is behind and the changelog's tail mends it.
 *
 * What is written goes through the sender's queue (sender.h), in order. With exactly_once 2 and 3
 * are in that queue, too: the worker processes the next records meanwhile, into the cache, and what
 * they send is behind the commit, in the next transaction. If this one fails, those records never
 * were: every task starts again from the last commit. One producer, one transaction at a time.
 */
#include "runtime/worker_impl.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/crash_point.h"
#include "runtime/marker.h"
#include "runtime/replay.h"

enum {
    ABORTS_IN_ROW_MAX = 30,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 5000,
};

/* ---- Commit ---- */

/* at_least_once: rows and markers say which commit of which ownership they belong to. */
static mr_bytes commit_name(const mr_slot *slot, char text[48])
{
    return mr_marker_commit(slot->attempt, mr_task_progress(slot->task)->commit + 1, text);
}

static mr_status write_changelog(void *argument, mr_task *task, size_t store, mr_bytes key,
                                 mr_bytes value, mr_error *err)
{
    mr_slot *slot = argument;
    mr_worker *worker = slot->worker;
    char name[48];
    mr_header header = {.name = MR_COMMIT_HEADER};
    mr_record record = {
        .topic = mr_worker_stage(worker)->stores[store].changelog,
        .partition = mr_task_number(task),
        .timestamp_ms = 0,
        .key = key,
        .value = value,
    };
    if (!mr_worker_is_exactly_once(worker)) {
        header.value = commit_name(slot, name);
        record.headers = &header;
        record.n_headers = 1;
    }
    slot->rows_since_disk++;
    MR_TRY(mr_producer_check_size(worker->producer, &record, err));
    mr_sender_add(worker->sender, &record, &mr_task_progress(task)->changelog_offset[store]);
    return MR_OK;
}

/* The rows of a commit that was cut off are in the log: as they were before it, they go behind it.
 */
static mr_status make_store_good(mr_slot *slot, size_t store, mr_buf *value, mr_error *err)
{
    mr_row_pile *unsure = slot->restore.unsure[store];
    mr_table *table = mr_task_table(slot->task, store);
    const size_t n = unsure == NULL ? 0 : mr_row_pile_count(unsure);
    if (n == 0) {
        return MR_OK;
    }
    mr_row *rows = mr_alloc(n * sizeof(*rows));
    mr_row_pile_rows(unsure, mr_worker_stage(slot->worker)->stores[store].number, rows);
    mr_status status = MR_OK;
    for (size_t i = 0; i < n && status == MR_OK; i++) {
        mr_buf_clear(value);
        status = mr_table_committed(table, rows[i].key, value, err);
        if (status == MR_OK || status == MR_NOT_FOUND) {
            status = write_changelog(slot, slot->task, store, rows[i].key,
                                     status == MR_OK ? mr_buf_bytes(value) : MR_BYTES_NULL, err);
        }
    }
    free(rows);
    return status;
}

/* Before the commit's own rows, which are newer. */
static mr_status make_good(mr_slot *slot, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
    for (size_t i = 0; i < mr_worker_stage(slot->worker)->n_stores; i++) {
        MR_TRY(make_store_good(slot, i, &value, err));
    }
    return MR_OK;
}

/* at_least_once: the end of a commit in every changelog, once all its rows are acknowledged. */
static mr_status write_markers(mr_slot *slot, mr_error *err)
{
    mr_worker *worker = slot->worker;
    const mr_stage *stage = mr_worker_stage(worker);
    mr_marker marker;
    mr_record record =
        mr_marker_record(&marker, slot->attempt, mr_task_progress(slot->task)->commit + 1,
                         mr_task_applied(slot->task));
    record.partition = mr_task_number(slot->task);
    for (size_t i = 0; i < stage->n_stores; i++) {
        record.topic = stage->stores[i].changelog;
        MR_TRY(mr_producer_send(worker->producer, &record,
                                &mr_task_progress(slot->task)->changelog_offset[i], err));
    }
    return MR_OK;
}

static bool takes_part(const mr_slot *slot)
{
    return slot != NULL && slot->task != NULL && mr_task_state_of(slot->task) == MR_TASK_RUNNING &&
           mr_task_is_dirty(slot->task);
}

static mr_status collect_offsets(mr_worker *worker, size_t *ret_n)
{
    const size_t n_from = mr_worker_stage(worker)->n_from;
    MR_GROW(worker->offsets, worker->offsets_capacity, worker->n_slots * n_from);
    size_t n = 0;
    for (size_t i = 0; i < worker->n_slots; i++) {
        if (takes_part(worker->slots[i])) {
            n += mr_task_offsets(worker->slots[i]->task, worker->offsets + n);
        }
    }
    *ret_n = n;
    return n == 0 ? MR_NOT_FOUND : MR_OK;
}

static mr_status write_changelogs(mr_worker *worker, mr_error *err)
{
    if (!mr_worker_is_stateful(worker)) {
        return MR_OK;
    }
    for (size_t i = 0; i < worker->n_slots; i++) {
        if (takes_part(worker->slots[i])) {
            MR_TRY(make_good(worker->slots[i], err));
            MR_TRY(mr_task_encode(worker->slots[i]->task, write_changelog, worker->slots[i], err));
        }
    }
    return MR_OK;
}

/* at_least_once: all rows are acknowledged before the markers that say so are written, and those
 * before the offsets. */
static mr_status close_changelogs(mr_worker *worker, mr_error *err)
{
    const int timeout_ms = (int)worker->options.processor->runtime->transaction_timeout_ms;
    MR_TRY(mr_sender_drain(worker->sender, err));
    if (!mr_worker_is_stateful(worker)) {
        return MR_OK;
    }
    MR_TRY(mr_producer_flush(worker->producer, timeout_ms, err));
    for (size_t i = 0; i < worker->n_slots; i++) {
        if (takes_part(worker->slots[i])) {
            MR_TRY(write_markers(worker->slots[i], err));
        }
    }
    return mr_producer_flush(worker->producer, timeout_ms, err);
}

/* The worker's budget is shared out evenly among the tasks that it has. */
static void evict(mr_worker *worker)
{
    const size_t rows_max = mr_worker_rows_max(worker);
    size_t n_tasks = 0;
    for (size_t i = 0; i < worker->n_slots; i++) {
        n_tasks += worker->slots[i] != NULL && worker->slots[i]->task != NULL;
    }
    for (size_t i = 0; i < worker->n_slots; i++) {
        if (worker->slots[i] != NULL && worker->slots[i]->task != NULL) {
            mr_task_evict(worker->slots[i]->task, rows_max / n_tasks);
        }
    }
}

/* The transaction is committed. */
static mr_status end_commit(mr_worker *worker, mr_error *err)
{
    worker->aborts_in_row = 0;
    atomic_fetch_add_explicit(&worker->metrics.commits, 1, memory_order_relaxed);
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (slot != NULL && slot->committing) {
            slot->committing = false;
            mr_task_committed(slot->task);
            mr_restore_forget_unsure(&slot->restore);
        }
    }
    MR_TRY(mr_worker_write_behind(worker, err));
    evict(worker);
    return MR_OK;
}

static void forget_commit(mr_worker *worker)
{
    for (size_t i = 0; i < worker->n_slots; i++) {
        if (worker->slots[i] != NULL) {
            worker->slots[i]->committing = false;
        }
    }
}

mr_status mr_worker_take_commit(mr_worker *worker, bool wait, mr_error *err)
{
    const mr_status status = mr_sender_take(worker->sender, wait, err);
    return status == MR_OK ? end_commit(worker, err) : status < 0 ? status : MR_OK;
}

void mr_worker_drop_unsent(mr_worker *worker)
{
    mr_error ignored;
    if (!mr_sender_drop(worker->sender)) {
        forget_commit(worker);
    } else if (end_commit(worker, &ignored) != MR_OK) {
        mr_log_debug(&worker->log, "%s", ignored.message);
    }
}

mr_status mr_worker_begin_commit(mr_worker *worker, mr_error *err)
{
    size_t n_offsets;
    MR_TRY(mr_worker_take_commit(worker, true, err));
    worker->uncommitted = 0;
    if (collect_offsets(worker, &n_offsets) == MR_NOT_FOUND) {
        return MR_OK;
    }
    MR_CRASH_POINT("before-changelog");
    MR_TRY(write_changelogs(worker, err));
    if (!mr_worker_is_exactly_once(worker)) {
        MR_TRY(close_changelogs(worker, err));
    }
    MR_CRASH_POINT("after-changelog");
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (takes_part(slot)) {
            slot->committing = true;
            mr_task_committing(slot->task);
        }
    }
    if (mr_worker_is_exactly_once(worker)) {
        mr_sender_commit(worker->sender, worker->offsets, n_offsets);
        return MR_OK;
    }
    MR_TRY(mr_producer_commit(worker->producer, worker->options.consumer, worker->offsets,
                              n_offsets, err));
    return end_commit(worker, err);
}

mr_status mr_worker_commit(mr_worker *worker, mr_error *err)
{
    MR_TRY(mr_worker_begin_commit(worker, err));
    return mr_worker_take_commit(worker, true, err);
}

/* ---- Abort ---- */

static int backoff_ms(int64_t aborts_in_row)
{
    const int64_t doublings = aborts_in_row > 7 ? 7 : aborts_in_row;
    const int64_t ms = (int64_t)BACKOFF_FIRST_MS << doublings;
    return ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : (int)ms;
}

mr_status mr_worker_recover(mr_worker *worker, const mr_error *cause, mr_error *err)
{
    mr_log_warn(&worker->log, "%s: aborting, retrying from the last commit", cause->message);
    atomic_fetch_add_explicit(&worker->metrics.aborts, 1, memory_order_relaxed);
    worker->aborts_in_row++;
    if (cause->action == MR_ACT_ABORT && worker->aborts_in_row > ABORTS_IN_ROW_MAX) {
        *err = *cause;
        err->action = MR_ACT_STOP;
        return mr_error_prefix(err, "gave up after %d aborted transactions in a row",
                               ABORTS_IN_ROW_MAX);
    }
    mr_worker_drop_unsent(worker);
    worker->uncommitted = 0;
    MR_TRY(mr_producer_abort(worker->producer,
                             (int)worker->options.processor->runtime->transaction_timeout_ms, err));
    mr_orders_wait(worker->orders, backoff_ms(worker->aborts_in_row));
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (slot != NULL && mr_slot_is_assigned(slot) && !slot->restoring) {
            MR_TRY(mr_slot_restart(slot, err));
        }
    }
    return MR_OK;
}
