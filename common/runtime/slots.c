/*
 * The life of a worker's tasks: assigned -> restoring -> running -> suspended -> closed.
 *
 * A stateless task runs at once. A stateful one is given to the restorer first; its partitions stay
 * paused meanwhile, and the worker's other tasks go on. A task that is revoked commits and keeps
 * its warm state until the next assignment is known: when it comes back and nobody has moved its
 * offset meanwhile, it goes on where it was.
 */
#include "runtime/worker_impl.h"

#include <stdlib.h>

#include "core/alloc.h"

mr_slot *mr_worker_slot(const mr_worker *worker, int32_t number)
{
    return number >= 0 && (size_t)number < worker->n_slots ? worker->slots[number] : NULL;
}

bool mr_slot_is_assigned(const mr_slot *slot)
{
    for (size_t i = 0; i < mr_worker_stage(slot->worker)->n_from; i++) {
        if (slot->assigned[i]) {
            return true;
        }
    }
    return false;
}

static mr_slot *make_slot(mr_worker *worker, int32_t number)
{
    const size_t wanted = (size_t)number + 1;
    MR_GROW(worker->slots, worker->slots_capacity, wanted);
    while (worker->n_slots < wanted) {
        worker->slots[worker->n_slots++] = NULL;
    }
    if (worker->slots[number] == NULL) {
        mr_slot *slot = mr_alloc_zero(1, sizeof(*slot));
        slot->worker = worker;
        slot->assigned = mr_alloc_zero(mr_worker_stage(worker)->n_from, sizeof(bool));
        slot->restore.number = number;
        worker->slots[number] = slot;
    }
    return worker->slots[number];
}

static mr_task *make_task(mr_slot *slot, mr_partition *partition)
{
    mr_worker *worker = slot->worker;
    const mr_task_tools tools = {
        .stage = mr_worker_stage(worker),
        .kind = worker->options.processor->kind,
        .step = worker->step,
        .context = worker->context,
        .codec = worker->codec,
        .collector = &worker->collector,
        .record_bytes_max = (size_t)worker->options.processor->runtime->record_bytes_max,
    };
    return mr_task_new(slot->restore.number, &tools, partition);
}

static size_t assigned_partitions(const mr_slot *slot, mr_topic_partition *ret_partitions)
{
    const mr_stage *stage = mr_worker_stage(slot->worker);
    size_t n = 0;
    for (size_t i = 0; i < stage->n_from; i++) {
        if (slot->assigned[i]) {
            ret_partitions[n++] = (mr_topic_partition){
                .topic = stage->from[i], .partition = slot->restore.number, .offset = -1};
        }
    }
    return n;
}

/* ---- Running ---- */

/* Starts reading at the position; before the first commit that is the topic's beginning. */
static mr_status seek(mr_slot *slot, mr_topic_partition *partition, mr_error *err)
{
    const mr_worker *worker = slot->worker;
    const int timeout_ms = (int)worker->options.processor->runtime->broker_timeout_ms;
    if (partition->offset < 0) {
        MR_TRY(mr_consumer_beginning(worker->options.consumer, partition, timeout_ms, err));
    }
    return mr_consumer_seek(worker->options.consumer, partition, timeout_ms, err);
}

static mr_status resume(mr_slot *slot, mr_topic_partition *partitions, size_t n, mr_error *err)
{
    for (size_t i = 0; i < n; i++) {
        MR_TRY(seek(slot, &partitions[i], err));
    }
    mr_task_set_state(slot->task, MR_TASK_RUNNING);
    return mr_consumer_resume(slot->worker->options.consumer, partitions, n, err);
}

/* From where the group has committed. */
static mr_status resume_stateless(mr_slot *slot, mr_error *err)
{
    mr_worker *worker = slot->worker;
    mr_topic_partition *partitions =
        mr_alloc_zero(mr_worker_stage(worker)->n_from, sizeof(*partitions));
    const size_t n = assigned_partitions(slot, partitions);
    mr_status status =
        mr_consumer_committed(worker->options.consumer, partitions, n,
                              (int)worker->options.processor->runtime->broker_timeout_ms, err);
    if (status == MR_OK) {
        status = resume(slot, partitions, n, err);
    }
    free(partitions);
    return status;
}

/* From the committed offset that the state was restored to; a stateful stage has one input. */
static mr_status resume_restored(mr_slot *slot, mr_error *err)
{
    assert(mr_worker_stage(slot->worker)->n_from == 1);
    mr_topic_partition input = {0};
    const size_t n = assigned_partitions(slot, &input);
    input.offset = slot->restore.committed;
    return resume(slot, &input, n, err);
}

/* ---- Restore ---- */

/* Or goes on with one, as the group remembers it. */
static void begin_replay(mr_slot *slot)
{
    const mr_restore *restore = &slot->restore;
    mr_task_set_replay(slot->task, restore->replay_below, restore->replay_sends);
    if (mr_task_replay_left(slot->task) > 0) {
        mr_log_info(&slot->worker->log, "task %d: replaying up to offset %lld, outputs are %s",
                    restore->number, (long long)restore->replay_below,
                    restore->replay_sends ? "sent again" : "not sent");
    }
}

static void take_restored(void *worker_argument, void *argument)
{
    mr_worker *worker = worker_argument;
    mr_slot *slot = argument;
    if (!slot->restoring) {
        return; /* cancelled after it was posted */
    }
    slot->restoring = false;
    mr_restore *restore = &slot->restore;
    if (restore->status != MR_OK) {
        (void)mr_error_prefix(&restore->err, "task %d: restore", restore->number);
        mr_worker_decide(worker, &restore->err);
        return;
    }
    mr_task_metrics *metrics = mr_task_metrics_of(slot->task);
    const int64_t n_restored = atomic_load_explicit(&metrics->restored, memory_order_relaxed);
    if (!slot->warm || n_restored > 0 || restore->is_dropped) {
        /* What is cached may be older than what was restored. */
        mr_partition *partition = mr_task_partition(slot->task);
        mr_task_free(slot->task);
        slot->task = make_task(slot, partition);
        atomic_store(&mr_task_metrics_of(slot->task)->restored, n_restored);
    }
    *mr_task_progress(slot->task) = restore->progress;
    slot->rows_since_disk = restore->tail;
    mr_task_set_position(slot->task, 0, restore->committed);
    if (!mr_worker_is_exactly_once(worker)) {
        mr_task_skip_below(slot->task, restore->progress.input_offset);
    }
    slot->attempt = restore->attempt;
    mr_log_info(&worker->log, "task %d: ready restored=%lld position=%lld warm=%s", restore->number,
                (long long)n_restored, (long long)restore->committed,
                slot->warm && n_restored == 0 ? "yes" : "no");
    slot->warm = false;
    if (mr_restore_is_unsure(restore)) {
        mr_log_info(&worker->log, "task %d: a commit was cut off, the next one makes it good",
                    restore->number);
    }
    begin_replay(slot);
    mr_error err;
    if (resume_restored(slot, &err) != MR_OK) {
        mr_worker_decide(worker, &err);
    }
}

/* Restorer's thread. */
static void restore_done(mr_restore *restore)
{
    mr_slot *slot = restore->argument;
    mr_orders_post(slot->worker->orders, take_restored, slot, NULL);
}

static mr_status begin_restore(mr_slot *slot, mr_error *err)
{
    mr_worker *worker = slot->worker;
    mr_restore *restore = &slot->restore;
    /* From here on the restorer has the column family. */
    MR_TRY(mr_worker_take_flush(slot, true, err));
    restore->partition = mr_task_partition(slot->task);
    if (slot->warm) {
        restore->progress = *mr_task_progress(slot->task);
    } else {
        MR_TRY(mr_partition_progress(restore->partition, &restore->progress, err));
    }
    restore->progress.n_stores = mr_worker_stage(worker)->n_stores;
    restore->is_dropped = false;
    mr_restore_forget_unsure(restore);
    restore->done = restore_done;
    restore->argument = slot;
    restore->restored = &mr_task_metrics_of(slot->task)->restored;
    atomic_store(restore->restored, 0);
    restore->remaining = &mr_task_metrics_of(slot->task)->restore_remaining;
    atomic_store(restore->remaining, -1);
    restore->tail = slot->rows_since_disk;
    mr_task_set_state(slot->task, MR_TASK_RESTORING);
    slot->restoring = true;
    mr_restorer_submit(worker->options.restorer, restore);
    return MR_OK;
}

static mr_status start_slot(mr_slot *slot, mr_error *err)
{
    mr_worker *worker = slot->worker;
    if (!mr_worker_is_stateful(worker)) {
        if (slot->task == NULL) {
            slot->task = make_task(slot, NULL);
        }
        return resume_stateless(slot, err);
    }
    if (slot->task == NULL) {
        mr_partition *partition;
        slot->rows_since_disk = mr_follower_take(worker->options.follower, slot->restore.number);
        MR_TRY(mr_partition_open(worker->options.database, slot->restore.number, &partition, err));
        slot->task = make_task(slot, partition);
        slot->warm = false;
    }
    return begin_restore(slot, err);
}

mr_status mr_slot_restart(mr_slot *slot, mr_error *err)
{
    mr_worker *worker = slot->worker;
    mr_topic_partition *partitions =
        mr_alloc_zero(mr_worker_stage(worker)->n_from, sizeof(*partitions));
    const size_t n = assigned_partitions(slot, partitions);
    mr_status status = mr_consumer_pause(worker->options.consumer, partitions, n, err);
    free(partitions);
    if (status != MR_OK) {
        return status;
    }
    MR_TRY(mr_slot_close(slot, false, err));
    return start_slot(slot, err);
}

mr_status mr_slot_close(mr_slot *slot, bool keep, mr_error *err)
{
    mr_worker *worker = slot->worker;
    if (slot->restoring) {
        mr_restorer_cancel(worker->options.restorer, &slot->restore);
        slot->restoring = false;
        keep = false;
    }
    mr_restore_forget_unsure(&slot->restore);
    if (slot->task == NULL) {
        return MR_OK;
    }
    mr_partition *partition = mr_task_partition(slot->task);
    mr_status status = MR_OK;
    if (keep && partition != NULL) {
        status = mr_slot_write_all(slot, err);
    }
    const mr_status flushed = mr_worker_take_flush(slot, true, err);
    if (status == MR_OK) {
        status = flushed;
    }
    if (keep && status == MR_OK && partition != NULL) {
        status = mr_partition_flush(partition, err);
    }
    mr_task_free(slot->task);
    slot->task = NULL;
    slot->warm = false;
    slot->rows_since_disk = 0;
    mr_partition_close(partition);
    return status;
}

/* ---- Orders of the poll thread ---- */

typedef struct mr_assignment {
    mr_topic_partition *partitions; /* topics are the stage's own strings */
    size_t n;
    bool lost;
} mr_assignment;

static size_t input_index(const mr_stage *stage, const char *topic)
{
    for (size_t i = 0; i < stage->n_from; i++) {
        if (strcmp(stage->from[i], topic) == 0) {
            return i;
        }
    }
    assert(!"a partition of a topic that the stage does not read");
    return 0;
}

static mr_assignment *copy_assignment(const mr_worker *worker, const mr_topic_partition *partitions,
                                      size_t n, bool lost)
{
    const mr_stage *stage = mr_worker_stage(worker);
    mr_assignment *assignment = mr_alloc_zero(1, sizeof(*assignment));
    assignment->partitions = mr_alloc_zero(n, sizeof(*partitions));
    assignment->n = n;
    assignment->lost = lost;
    for (size_t i = 0; i < n; i++) {
        assignment->partitions[i] = partitions[i];
        assignment->partitions[i].topic = stage->from[input_index(stage, partitions[i].topic)];
    }
    return assignment;
}

static void drop_assignment(void *argument)
{
    mr_assignment *assignment = argument;
    free(assignment->partitions);
    free(assignment);
}

static void take_assigned(void *worker_argument, void *argument)
{
    mr_worker *worker = worker_argument;
    const mr_assignment *assignment = argument;
    const mr_stage *stage = mr_worker_stage(worker);
    for (size_t i = 0; i < assignment->n; i++) {
        const mr_topic_partition *partition = &assignment->partitions[i];
        mr_slot *slot = make_slot(worker, partition->partition);
        slot->assigned[input_index(stage, partition->topic)] = true;
        mr_error err;
        if (start_slot(slot, &err) != MR_OK) {
            mr_worker_decide(worker, &err);
        }
    }
}

void mr_worker_assign(mr_worker *worker, const mr_topic_partition *partitions, size_t n)
{
    mr_orders_post(worker->orders, take_assigned, copy_assignment(worker, partitions, n, false),
                   drop_assignment);
}

/* The transaction may hold results of the tasks that go: it is committed before they do, or ended
 * without effect when they are lost (another member has them already). */
static mr_status settle(mr_worker *worker, bool lost, mr_error *err)
{
    if (!lost) {
        const mr_status status = mr_worker_commit(worker, err);
        if (status == MR_OK || (err->action != MR_ACT_ABORT && err->action != MR_ACT_RETRY)) {
            return status;
        }
        mr_log_warn(&worker->log, "%s: aborting before the tasks go", err->message);
    }
    mr_worker_drop_unsent(worker);
    worker->uncommitted = 0;
    atomic_fetch_add_explicit(&worker->metrics.aborts, 1, memory_order_relaxed);
    MR_TRY(mr_producer_abort(worker->producer,
                             (int)worker->options.processor->runtime->transaction_timeout_ms, err));
    return MR_END; /* nothing in memory is committed */
}

/* Closes a task that is another member's now; a standby follows what that one makes of it. */
static mr_status give_up(mr_slot *slot, bool keep, mr_error *err)
{
    MR_TRY(mr_slot_close(slot, keep, err));
    mr_follower_give(slot->worker->options.follower, slot->restore.number);
    return MR_OK;
}

static mr_status let_go(mr_slot *slot, bool warm, mr_error *err)
{
    if (mr_slot_is_assigned(slot) || slot->task == NULL) {
        return MR_OK;
    }
    if (!warm || slot->restoring || !mr_worker_is_stateful(slot->worker)) {
        return give_up(slot, false, err);
    }
    MR_TRY(mr_slot_write_all(slot, err));
    mr_task_set_state(slot->task, MR_TASK_SUSPENDED);
    slot->warm = true;
    return MR_OK;
}

static void take_revoked(void *worker_argument, void *argument)
{
    mr_worker *worker = worker_argument;
    const mr_assignment *assignment = argument;
    const mr_stage *stage = mr_worker_stage(worker);
    mr_error err;
    mr_status status = settle(worker, assignment->lost, &err);
    const bool committed = status == MR_OK;
    for (size_t i = 0; i < assignment->n; i++) {
        mr_slot *slot = mr_worker_slot(worker, assignment->partitions[i].partition);
        if (slot != NULL) {
            slot->assigned[input_index(stage, assignment->partitions[i].topic)] = false;
        }
    }
    for (size_t i = 0; status >= 0 && i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (slot == NULL || slot->task == NULL) {
            continue;
        }
        status = let_go(slot, committed, &err);
        if (status == MR_OK && !committed && slot->task != NULL &&
            mr_task_state_of(slot->task) == MR_TASK_RUNNING) {
            status = mr_slot_restart(slot, &err); /* stays, but its transaction is gone */
        }
    }
    if (status < 0) {
        mr_worker_decide(worker, &err);
    }
}

void mr_worker_revoke(mr_worker *worker, const mr_topic_partition *partitions, size_t n, bool lost)
{
    /* MR_END: the worker has ended, and with it what it held. */
    const mr_status status =
        mr_orders_call(worker->orders, take_revoked, copy_assignment(worker, partitions, n, lost),
                       drop_assignment, -1);
    assert(status == MR_OK || status == MR_END);
    (void)status;
}

static void take_prune(void *worker_argument, void *argument)
{
    mr_worker *worker = worker_argument;
    (void)argument;
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        mr_error err;
        if (slot != NULL && slot->task != NULL && !mr_slot_is_assigned(slot) &&
            give_up(slot, true, &err) != MR_OK) {
            mr_worker_decide(worker, &err);
        }
    }
}

void mr_worker_prune(mr_worker *worker)
{
    mr_orders_post(worker->orders, take_prune, NULL, NULL);
}
