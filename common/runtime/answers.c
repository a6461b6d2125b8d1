/*
 * What other threads may ask a worker: committed rows, and how its tasks are.
 *
 * The question travels as an order, so the answer is of one moment between two records. The asker
 * and the order share it by reference count: an asker that gave up leaves the rest to the order.
 */
#include "runtime/worker_impl.h"

#include <stdlib.h>

#include "core/alloc.h"

/* ---- Queries ---- */

typedef struct mr_collecting {
    mr_query *query;
    int32_t partition;
    size_t n;
} mr_collecting;

static mr_status collect_row(void *argument, mr_bytes key, mr_bytes value, mr_error *err)
{
    (void)err;
    mr_collecting *collecting = argument;
    if (collecting->n == collecting->query->limit) {
        return MR_END;
    }
    mr_query_add(collecting->query, collecting->partition, key, value);
    collecting->n++;
    return MR_OK;
}

static mr_status answer_for_task(mr_query *query, mr_slot *slot, mr_error *err)
{
    const int32_t number = mr_task_number(slot->task);
    const bool restoring = mr_task_state_of(slot->task) == MR_TASK_RESTORING;
    mr_query_add_position(query, number, mr_task_progress(slot->task)->input_offset, restoring);
    if (restoring) {
        return MR_OK;
    }
    mr_table *table = mr_task_table(slot->task, query->store);
    if (!mr_bytes_is_null(query->key)) {
        mr_buf value = MR_BUF_NULL;
        const mr_status status = mr_table_committed(table, query->key, &value, err);
        if (status == MR_OK) {
            mr_query_add(query, number, query->key, mr_buf_bytes(&value));
        }
        mr_buf_deinit(&value);
        return status == MR_NOT_FOUND ? MR_OK : status;
    }
    mr_collecting collecting = {.query = query, .partition = number};
    return mr_table_scan_committed(table, query->from, query->to, collect_row, &collecting, err);
}

typedef struct mr_question {
    _Atomic int references;
    mr_query query; /* own copies of key, from and to */
    mr_status status;
    mr_error err;
} mr_question;

static void question_unref(void *argument)
{
    mr_question *question = argument;
    if (atomic_fetch_sub(&question->references, 1) > 1) {
        return;
    }
    free((void *)(uintptr_t)question->query.key.data);
    free((void *)(uintptr_t)question->query.from.data);
    free((void *)(uintptr_t)question->query.to.data);
    mr_query_deinit(&question->query);
    free(question);
}

static mr_bytes copy_or_null(mr_bytes bytes)
{
    return mr_bytes_is_null(bytes)
               ? MR_BYTES_NULL
               : mr_bytes_of(mr_strndup((const char *)bytes.data, bytes.len), bytes.len);
}

static void answer_query(void *worker_argument, void *argument)
{
    mr_worker *worker = worker_argument;
    mr_question *question = argument;
    mr_query *query = &question->query;
    mr_error err;
    /* Rows of a commit that is under way are not to be seen before it is over. */
    if (mr_worker_take_commit(worker, true, &err) != MR_OK) {
        mr_worker_decide(worker, &err);
    }
    for (size_t i = 0; question->status == MR_OK && i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (slot != NULL && slot->task != NULL && mr_slot_is_assigned(slot) &&
            (query->partition < 0 || query->partition == (int32_t)i)) {
            question->status = answer_for_task(query, slot, &question->err);
        }
    }
}

/* Moves rows and positions behind those that the asker has already. */
static void move_answer(mr_query *from, mr_query *to)
{
    MR_GROW(to->rows, to->rows_capacity, to->n_rows + from->n_rows);
    for (size_t i = 0; i < from->n_rows; i++) {
        to->rows[to->n_rows++] = from->rows[i];
    }
    from->n_rows = 0;
    MR_GROW(to->positions, to->positions_capacity, to->n_positions + from->n_positions);
    for (size_t i = 0; i < from->n_positions; i++) {
        to->positions[to->n_positions++] = from->positions[i];
    }
}

mr_status mr_worker_query(mr_worker *worker, mr_query *query, mr_error *err)
{
    mr_question *question = mr_alloc_zero(1, sizeof(*question));
    atomic_store(&question->references, 2);
    question->query = (mr_query){
        .store = query->store,
        .partition = query->partition,
        .key = copy_or_null(query->key),
        .from = copy_or_null(query->from),
        .to = copy_or_null(query->to),
        .limit = query->limit,
    };
    mr_status status =
        mr_orders_call(worker->orders, answer_query, question, question_unref, query->timeout_ms);
    if (status == MR_OK) {
        status = question->status;
        if (status == MR_OK) {
            move_answer(&question->query, query);
        } else {
            *err = question->err;
        }
    }
    question_unref(question);
    return status == MR_END ? MR_TIMED_OUT : status;
}

/* ---- Snapshots ---- */

typedef struct mr_snapshot {
    _Atomic int references;
    mr_task_status *tasks;
    size_t n_tasks;
    size_t capacity;
} mr_snapshot;

static void snapshot_unref(void *argument)
{
    mr_snapshot *snapshot = argument;
    if (atomic_fetch_sub(&snapshot->references, 1) == 1) {
        free(snapshot->tasks);
        free(snapshot);
    }
}

static const char *state_name(const mr_task *task)
{
    static const char *const names[] = {"restoring", "running", "suspended"};
    const mr_task_state state = mr_task_state_of(task);
    return state == MR_TASK_RUNNING && mr_task_replay_left(task) > 0 ? "replaying" : names[state];
}

static void answer_snapshot(void *worker_argument, void *argument)
{
    const mr_worker *worker = worker_argument;
    const mr_stage *stage = mr_worker_stage(worker);
    mr_snapshot *snapshot = argument;
    for (size_t i = 0; i < worker->n_slots; i++) {
        const mr_slot *slot = worker->slots[i];
        if (slot == NULL || slot->task == NULL) {
            continue;
        }
        const mr_task_metrics *metrics = mr_task_metrics_of(slot->task);
        MR_GROW(snapshot->tasks, snapshot->capacity, snapshot->n_tasks + 1);
        mr_task_status *status = &snapshot->tasks[snapshot->n_tasks++];
        *status = (mr_task_status){
            .number = (int32_t)i,
            .state = state_name(slot->task),
            .position = atomic_load(&metrics->position),
            .records = atomic_load(&metrics->records),
            .dead_letters = atomic_load(&metrics->dead_letters),
            .duplicates = atomic_load(&metrics->duplicates),
            .restored = atomic_load(&metrics->restored),
            .restore_remaining = atomic_load(&metrics->restore_remaining),
            .replay_remaining = mr_task_replay_left(slot->task),
        };
        for (size_t input = 0; input < MR_TASK_INPUTS_MAX; input++) {
            status->positions[input] =
                input < stage->n_from ? mr_task_position(slot->task, input) : -1;
        }
    }
}

mr_status mr_worker_tasks(mr_worker *worker, int timeout_ms, mr_processor_status *status)
{
    mr_snapshot *snapshot = mr_alloc_zero(1, sizeof(*snapshot));
    atomic_store(&snapshot->references, 2);
    const mr_status called =
        mr_orders_call(worker->orders, answer_snapshot, snapshot, snapshot_unref, timeout_ms);
    if (called == MR_OK && snapshot->n_tasks > 0) {
        status->tasks = mr_realloc(status->tasks,
                                   (status->n_tasks + snapshot->n_tasks) * sizeof(*status->tasks));
        memcpy(status->tasks + status->n_tasks, snapshot->tasks,
               snapshot->n_tasks * sizeof(*status->tasks));
        status->n_tasks += snapshot->n_tasks;
    }
    snapshot_unref(snapshot);
    return called == MR_OK ? MR_OK : MR_TIMED_OUT;
}
