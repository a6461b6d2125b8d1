#include "runtime/task.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "runtime/dead_letter.h"
#include "runtime/parking.h"

enum { NO_STORE = -1 };

struct mr_task {
    int32_t number;
    mr_task_tools tools;
    mr_partition *partition;
    mr_task_state state;
    mr_table **tables;
    int64_t *positions;            /* one an input topic */
    int64_t *committing_positions; /* of the commit that is under way */
    int64_t committing_applied;
    int64_t *committed_positions;
    int64_t skip_below;
    bool is_version; /* of a stage beside the live one, which sends what is to be sent */
    int64_t replay_below;
    bool replay_sends;
    int parking_store;
    bool knows_parked; /* whether keys are parked at all, which spares a look for every record */
    bool has_parked;
    mr_progress progress;
    mr_task_metrics metrics;
};

static void count(_Atomic int64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

mr_task *mr_task_new(int32_t number, const mr_task_tools *tools, mr_partition *partition)
{
    const mr_stage *stage = tools->stage;
    mr_task *task = mr_alloc_zero(1, sizeof(*task));
    task->number = number;
    task->tools = *tools;
    task->partition = partition;
    task->is_version = mr_stage_version(stage) != NULL;
    task->parking_store = NO_STORE;
    task->skip_below = -1;
    task->tables = mr_alloc_zero(stage->n_stores, sizeof(mr_table *));
    task->positions = mr_alloc_zero(stage->n_from, sizeof(int64_t));
    task->committing_positions = mr_alloc_zero(stage->n_from, sizeof(int64_t));
    task->committed_positions = mr_alloc_zero(stage->n_from, sizeof(int64_t));
    for (size_t i = 0; i < stage->n_from; i++) {
        task->positions[i] = -1;
        task->committed_positions[i] = -1;
    }
    task->progress = (mr_progress){.input_offset = -1, .n_stores = stage->n_stores};
    assert(stage->n_stores <= MR_STORES_MAX);
    for (size_t i = 0; i < stage->n_stores; i++) {
        task->tables[i] = mr_table_new(&stage->stores[i], partition, tools->codec);
        task->progress.changelog_offset[i] = -1;
        if (strcmp(stage->stores[i].name, MR_PARKING_STORE) == 0) {
            task->parking_store = (int)i;
        }
    }
    return task;
}

void mr_task_free(mr_task *task)
{
    if (task == NULL) {
        return;
    }
    for (size_t i = 0; i < task->tools.stage->n_stores; i++) {
        mr_table_free(task->tables[i]);
    }
    free(task->tables);
    free(task->positions);
    free(task->committing_positions);
    free(task->committed_positions);
    free(task);
}

int32_t mr_task_number(const mr_task *task)
{
    return task->number;
}

mr_partition *mr_task_partition(mr_task *task)
{
    return task->partition;
}

mr_table *mr_task_table(mr_task *task, size_t store)
{
    assert(store < task->tools.stage->n_stores);
    return task->tables[store];
}

mr_task_metrics *mr_task_metrics_of(mr_task *task)
{
    return &task->metrics;
}

mr_task_state mr_task_state_of(const mr_task *task)
{
    return task->state;
}

void mr_task_set_state(mr_task *task, mr_task_state state)
{
    task->state = state;
    atomic_store_explicit(&task->metrics.state, (int64_t)state, memory_order_relaxed);
}

/* ---- One record ---- */

static size_t input_index(const mr_task *task, const char *topic)
{
    const mr_stage *stage = task->tools.stage;
    for (size_t i = 0; i < stage->n_from; i++) {
        if (strcmp(stage->from[i], topic) == 0) {
            return i;
        }
    }
    assert(!"a record of a topic that the stage does not read");
    return 0;
}

static mr_status check_size(const mr_task *task, const mr_record *record, mr_error *err)
{
    if (record->value.len <= task->tools.record_bytes_max) {
        return MR_OK;
    }
    return mr_error_record(err, MR_ERR_DATA, "too_large",
                           "a value of %zu bytes is over max.record.bytes=%zu", record->value.len,
                           task->tools.record_bytes_max);
}

static mr_status check_parked(mr_task *task, const mr_record *record, mr_error *err)
{
    const size_t store = (size_t)task->parking_store;
    if (!task->knows_parked) {
        MR_TRY(mr_table_has_rows(task->tables[store], &task->has_parked, err));
        task->knows_parked = true;
    }
    return task->has_parked ? mr_parking_check(task->tools.context, store, record->key, err)
                            : MR_OK;
}

static mr_status check_key(mr_task *task, const mr_record *record, mr_error *err)
{
    if (!task->tools.kind->stateful) {
        return MR_OK;
    }
    if (mr_bytes_is_null(record->key)) {
        return mr_error_record(err, MR_ERR_DATA, "null_key",
                               "a stateful stage needs a key: the aggregate or row ID");
    }
    return task->parking_store == NO_STORE ? MR_OK : check_parked(task, record, err);
}

static mr_status run_step(mr_task *task, const mr_record *record, mr_envelope *envelope,
                          mr_error *err)
{
    MR_TRY(check_size(task, record, err));
    MR_TRY(check_key(task, record, err));
    MR_TRY(mr_envelope_read(record, envelope, err));
    MR_TRY(task->tools.kind->process(task->tools.step, task->tools.context, err));
    return mr_context_apply(task->tools.context, task->tools.collector, err);
}

/* The record goes to the dead-letter topic, and the records of its key that follow go after it. */
static mr_status bury(mr_task *task, const mr_record *record, const mr_error *cause, mr_error *err)
{
    mr_context *context = task->tools.context;
    mr_context_discard(context);
    if (task->parking_store != NO_STORE && !mr_bytes_is_null(record->key)) {
        task->knows_parked = true;
        task->has_parked = true;
        MR_TRY(mr_parking_add(context, (size_t)task->parking_store, cause, err));
        MR_TRY(mr_context_apply(context, task->tools.collector, err));
    }
    count(&task->metrics.dead_letters);
    return mr_dead_letter_send(task->tools.stage, record, cause, task->tools.record_bytes_max,
                               task->tools.collector, err);
}

void mr_task_begin(mr_task *task, const mr_record *record, const mr_envelope *envelope)
{
    mr_context_begin(task->tools.context, task->tables, record, envelope);
}

mr_status mr_task_process(mr_task *task, const mr_record *record, mr_error *err)
{
    const size_t input = input_index(task, record->topic);
    if (record->offset < task->positions[input]) {
        return MR_OK; /* delivered before a seek or rebalance took effect */
    }
    if (record->offset < task->skip_below) {
        task->positions[input] = record->offset + 1;
        count(&task->metrics.duplicates);
        return MR_OK;
    }
    mr_envelope envelope = {0};
    mr_task_begin(task, record, &envelope);
    if (task->is_version || (record->offset < task->replay_below && !task->replay_sends)) {
        mr_context_silence(task->tools.context);
    }
    mr_status status = run_step(task, record, &envelope, err);
    if (status != MR_OK && err->action == MR_ACT_SKIP) {
        const mr_error cause = *err;
        status = bury(task, record, &cause, err);
    }
    if (status != MR_OK) {
        mr_context_discard(task->tools.context);
        return mr_error_prefix(err, "task %d: %s offset %lld", task->number, record->topic,
                               (long long)record->offset);
    }
    task->positions[input] = record->offset + 1;
    count(&task->metrics.records);
    if (mr_context_was_duplicate(task->tools.context)) {
        count(&task->metrics.duplicates);
    }
    atomic_store_explicit(&task->metrics.position, task->positions[0], memory_order_relaxed);
    return MR_OK;
}

/* ---- Progress ---- */

int64_t mr_task_position(const mr_task *task, size_t input)
{
    return task->positions[input];
}

void mr_task_set_position(mr_task *task, size_t input, int64_t offset)
{
    task->positions[input] = offset;
    task->committed_positions[input] = offset;
    if (input == 0) {
        atomic_store_explicit(&task->metrics.position, offset, memory_order_relaxed);
    }
}

void mr_task_skip_below(mr_task *task, int64_t offset)
{
    task->skip_below = offset;
}

void mr_task_set_replay(mr_task *task, int64_t below, bool sends)
{
    task->replay_below = below;
    task->replay_sends = sends;
}

int64_t mr_task_replay_left(const mr_task *task)
{
    const int64_t at = task->positions[0] < 0 ? 0 : task->positions[0];
    return at < task->replay_below ? task->replay_below - at : 0;
}

int64_t mr_task_applied(const mr_task *task)
{
    return task->positions[0] > task->skip_below ? task->positions[0] : task->skip_below;
}

bool mr_task_is_dirty(const mr_task *task)
{
    const size_t n_inputs = task->tools.stage->n_from;
    return memcmp(task->positions, task->committed_positions, n_inputs * sizeof(int64_t)) != 0;
}

size_t mr_task_offsets(const mr_task *task, mr_topic_partition *ret_offsets)
{
    size_t n = 0;
    for (size_t i = 0; i < task->tools.stage->n_from; i++) {
        if (task->positions[i] != task->committed_positions[i]) {
            ret_offsets[n++] = (mr_topic_partition){
                .topic = task->tools.stage->from[i],
                .partition = task->number,
                .offset = task->positions[i],
                .replay_below = i == 0 ? task->replay_below : 0,
                .replay_sends = i == 0 && task->replay_sends,
            };
        }
    }
    return n;
}

mr_progress *mr_task_progress(mr_task *task)
{
    return &task->progress;
}

/* ---- Commit ---- */

typedef struct mr_encoding {
    mr_task *task;
    size_t store;
    mr_changelog_writer write;
    void *argument;
} mr_encoding;

static mr_status write_row(void *argument, mr_bytes key, mr_bytes value, mr_error *err)
{
    const mr_encoding *encoding = argument;
    return encoding->write(encoding->argument, encoding->task, encoding->store, key, value, err);
}

mr_status mr_task_encode(mr_task *task, mr_changelog_writer write, void *argument, mr_error *err)
{
    for (size_t i = 0; i < task->tools.stage->n_stores; i++) {
        mr_encoding encoding = {.task = task, .store = i, .write = write, .argument = argument};
        MR_TRY(mr_table_encode(task->tables[i], write_row, &encoding, err));
    }
    return MR_OK;
}

void mr_task_committing(mr_task *task)
{
    memcpy(task->committing_positions, task->positions,
           task->tools.stage->n_from * sizeof(int64_t));
    task->committing_applied = mr_task_applied(task);
}

void mr_task_committed(mr_task *task)
{
    memcpy(task->committed_positions, task->committing_positions,
           task->tools.stage->n_from * sizeof(int64_t));
    task->progress.input_offset = task->committing_applied;
    task->progress.commit++;
}

size_t mr_task_behind_bytes(const mr_task *task)
{
    size_t bytes = 0;
    for (size_t i = 0; i < task->tools.stage->n_stores; i++) {
        bytes += mr_table_behind_bytes(task->tables[i]);
    }
    return bytes;
}

size_t mr_task_cache_bytes(const mr_task *task)
{
    size_t bytes = 0;
    for (size_t i = 0; i < task->tools.stage->n_stores; i++) {
        bytes += mr_table_cache_bytes(task->tables[i]);
    }
    return bytes;
}

/* A store may have what the others leave, and an even share in any case. */
void mr_task_evict(mr_task *task, size_t bytes_max)
{
    const size_t n_stores = task->tools.stage->n_stores;
    for (size_t i = 0; i < n_stores; i++) {
        const size_t others = mr_task_cache_bytes(task) - mr_table_cache_bytes(task->tables[i]);
        const size_t left = others < bytes_max ? bytes_max - others : 0;
        const size_t share = bytes_max / n_stores;
        mr_table_evict(task->tables[i], left > share ? left : share);
    }
}
