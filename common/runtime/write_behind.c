/*
 * Committed rows go to RocksDB behind the commits, by the flusher's thread.
 *
 * Rows wait in the cache, where a row that changes in many commits is written once. They are
 * flushed when they take half of the cache, or when a crash would replay too many of them; one task
 * at a time, so that the encoded rows of one task only are in memory beside the cache.
 */
#include "runtime/worker_impl.h"

#include <stdlib.h>

#include "core/alloc.h"

mr_status mr_worker_take_flush(mr_slot *slot, bool wait, mr_error *err)
{
    if (slot->flush == NULL) {
        return MR_OK;
    }
    const mr_status status = mr_flush_job_take(slot->flush, wait, err);
    if (status == MR_TIMED_OUT) {
        return status;
    }
    slot->flush = NULL;
    if (slot->task != NULL) {
        for (size_t i = 0; i < mr_worker_stage(slot->worker)->n_stores; i++) {
            mr_table_flushed(mr_task_table(slot->task, i));
        }
    }
    return status;
}

/* One array for the job; the rows themselves stay the tables'. */
static mr_status rows_of_tables(mr_slot *slot, mr_row **ret_rows, size_t *ret_n, mr_error *err)
{
    mr_row *all = NULL;
    size_t n_all = 0;
    mr_status status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < mr_worker_stage(slot->worker)->n_stores; i++) {
        const mr_row *rows = NULL;
        size_t n_rows = 0;
        status = mr_table_flush_begin(mr_task_table(slot->task, i), &rows, &n_rows, err);
        if (n_rows > 0) {
            all = mr_realloc(all, (n_all + n_rows) * sizeof(*all));
            memcpy(all + n_all, rows, n_rows * sizeof(*all));
            n_all += n_rows;
        }
    }
    if (status != MR_OK) {
        free(all);
        return status;
    }
    *ret_rows = all;
    *ret_n = n_all;
    return MR_OK;
}

static mr_status begin_flush(mr_slot *slot, bool to_disk, mr_error *err)
{
    mr_row *rows;
    size_t n_rows;
    MR_TRY(rows_of_tables(slot, &rows, &n_rows, err));
    slot->flush = mr_flusher_submit(slot->worker->options.flusher, mr_task_partition(slot->task),
                                    rows, n_rows, mr_task_progress(slot->task), to_disk);
    if (to_disk || n_rows >= MR_ROWS_OF_A_TABLE) {
        slot->rows_since_disk = 0;
    }
    return MR_OK;
}

mr_status mr_slot_write_all(mr_slot *slot, mr_error *err)
{
    MR_TRY(mr_worker_take_flush(slot, true, err));
    MR_TRY(begin_flush(slot, false, err));
    return mr_worker_take_flush(slot, true, err);
}

typedef struct behind {
    size_t bytes;       /* of all tasks */
    mr_slot *most;      /* the one with the most bytes; NULL: no task */
    mr_slot *longest;   /* the one with the longest tail */
    mr_slot *in_flight; /* one that is being flushed; NULL: none */
} behind;

static behind survey(const mr_worker *worker)
{
    behind all = {0};
    size_t most_bytes = 0;
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (slot == NULL || slot->task == NULL || slot->restoring) {
            continue;
        }
        const size_t bytes = mr_task_behind_bytes(slot->task);
        all.bytes += bytes;
        if (all.most == NULL || bytes > most_bytes) {
            all.most = slot;
            most_bytes = bytes;
        }
        if (all.longest == NULL || slot->rows_since_disk > all.longest->rows_since_disk) {
            all.longest = slot;
        }
        if (slot->flush != NULL) {
            all.in_flight = slot;
        }
    }
    return all;
}

size_t mr_worker_rows_max(const mr_worker *worker)
{
    const size_t rows = worker->budget.rows;
    if (!mr_worker_is_stateful(worker)) {
        return rows;
    }
    const size_t workers = (size_t)worker->options.processor->runtime->workers;
    const size_t lent = (mr_restorer_bytes(worker->options.restorer) +
                         mr_follower_bytes(worker->options.follower)) /
                        workers;
    return rows - (lent < rows / 2 ? lent : rows / 2);
}

/* Begins one flush; MR_END: none is due, or the one under way leaves time for the next. */
static mr_status write_behind(mr_worker *worker, mr_error *err)
{
    const int64_t tail_max = worker->options.processor->runtime->tail_records;
    const behind all = survey(worker);
    if (all.most == NULL) {
        return MR_END;
    }
    /* From half of what is allowed on, so that there is time before the worker must wait. */
    const int64_t tail = all.longest->rows_since_disk;
    const bool to_disk = tail > tail_max / 2;
    const size_t rows_max = mr_worker_rows_max(worker);
    if (all.bytes <= rows_max / 2 && !to_disk) {
        return MR_END;
    }
    if (all.in_flight != NULL) {
        /* Rows come faster than the disk takes them: this wait is the back-pressure. */
        const bool must_wait = all.bytes > rows_max || tail > tail_max;
        const mr_status taken = mr_worker_take_flush(all.in_flight, must_wait, err);
        if (taken != MR_OK) {
            return taken == MR_TIMED_OUT ? MR_END : taken;
        }
    }
    return begin_flush(to_disk ? all.longest : all.most, to_disk, err);
}

mr_status mr_worker_write_behind(mr_worker *worker, mr_error *err)
{
    mr_status status = mr_worker_is_stateful(worker) ? MR_OK : MR_END;
    while (status == MR_OK) {
        status = write_behind(worker, err);
    }
    return status == MR_END ? MR_OK : status;
}
