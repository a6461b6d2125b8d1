#include "cli/refold.h"

#include <inttypes.h>
#include <stdlib.h>

#include <mr/value.h>

#include "cli/event_log.h"
#include "core/alloc.h"
#include "runtime/task.h"

enum { EVENTS_BETWEEN_LOOKS = 1000 };

struct mr_refold {
    const mr_cli *cli;
    const mr_stage *stage;
    const mr_kind *kind;
    const mr_store_spec *store; /* "state" */
    const mr_type *type;        /* of its rows */
    const mr_field *version;
    const mr_field *state;
    mr_codec *codec;
    mr_handler *handler;
    mr_step *step;
    mr_context *context;
    mr_collector collector; /* an event that is folded sends nothing */
    mr_database *database;
    mr_partition **partitions; /* one for each partition of the events */
    mr_task **tasks;
    size_t n;
    size_t n_opened;
    size_t bytes_max; /* of a task's cached rows */
    int64_t n_events;
    int64_t n_folded;   /* aggregates */
    int64_t n_compared; /* of those */
    void *row;
    void *folded;
    mr_buf bytes;
};

/* ---- Making ---- */

static mr_status refuse_output(mr_collector *collector, const mr_record *record, mr_error *err)
{
    (void)collector;
    return mr_error_set(err, MR_ERR_SYSTEM, "a fold sends a record to %s", record->topic);
}

static mr_status find_store(mr_refold *refold, mr_error *err)
{
    refold->store = mr_stage_store(refold->stage, "state");
    refold->type = refold->store == NULL ? NULL : mr_schema_type(refold->store->value);
    const int version =
        refold->type == NULL ? -1 : mr_type_field(refold->type, mr_bytes_text("Version"));
    const int state =
        refold->type == NULL ? -1 : mr_type_field(refold->type, mr_bytes_text("State"));
    if (version < 0 || state < 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "stage '%s' has no store of numbered states",
                            refold->stage->name);
    }
    refold->version = &refold->type->fields[version];
    refold->state = &refold->type->fields[state];
    refold->row = mr_value_new(refold->type);
    refold->folded = mr_value_new(refold->type);
    return MR_OK;
}

static mr_status open_step(mr_refold *refold, mr_error *err)
{
    const mr_runtime_options *runtime = &refold->cli->settings.runtime;
    const mr_context_limits limits = {.record_bytes_max = (size_t)runtime->record_bytes_max,
                                      .outputs_max = (size_t)runtime->outputs_max};
    refold->codec = mr_cli_codec(refold->cli);
    refold->collector.send = refuse_output;
    MR_TRY(mr_definition_handler((void *)(uintptr_t)&refold->cli->limits, refold->stage,
                                 &refold->handler, err));
    MR_TRY(refold->kind->open(refold->stage, refold->handler, &refold->step, err));
    refold->context = mr_context_new(refold->stage, refold->codec, &limits);
    return MR_OK;
}

static mr_status open_tasks(mr_refold *refold, const mr_scratch *scratch, mr_error *err)
{
    const mr_runtime_options *runtime = &refold->cli->settings.runtime;
    const mr_task_tools tools = {
        .stage = refold->stage,
        .kind = refold->kind,
        .step = refold->step,
        .context = refold->context,
        .codec = refold->codec,
        .collector = &refold->collector,
        .record_bytes_max = (size_t)runtime->record_bytes_max,
    };
    MR_TRY(mr_scratch_database(scratch, &refold->database, err));
    refold->n = (size_t)mr_app_topic(refold->stage->app, refold->stage->to[0])->partitions;
    refold->bytes_max = mr_budget_split(runtime).rows * (size_t)runtime->workers / refold->n;
    refold->partitions = mr_alloc_zero(refold->n, sizeof(mr_partition *));
    refold->tasks = mr_alloc_zero(refold->n, sizeof(mr_task *));
    for (size_t i = 0; i < refold->n; i++) {
        MR_TRY(mr_partition_open(refold->database, (int32_t)i, &refold->partitions[i], err));
        refold->tasks[i] = mr_task_new((int32_t)i, &tools, refold->partitions[i]);
        refold->n_opened++;
    }
    return MR_OK;
}

/* ---- Folding ---- */

static mr_status ignore_row(void *argument, mr_task *task, size_t store, mr_bytes key,
                            mr_bytes value, mr_error *err)
{
    (void)argument;
    (void)task;
    (void)store;
    (void)key;
    (void)value;
    (void)err;
    return MR_OK;
}

static mr_status write_rows(mr_refold *refold, size_t i, mr_error *err)
{
    mr_table *table =
        mr_task_table(refold->tasks[i], (size_t)(refold->store - refold->stage->stores));
    const mr_row *rows = NULL;
    size_t n_rows = 0;
    MR_TRY(mr_table_flush_begin(table, &rows, &n_rows, err));
    MR_TRY(mr_partition_write(refold->partitions[i], rows, n_rows,
                              mr_task_progress(refold->tasks[i]), err));
    mr_table_flushed(table);
    return MR_OK;
}

/* What was folded since the last look may leave the cache. */
static mr_status settle(mr_refold *refold, size_t i, bool write, mr_error *err)
{
    mr_task *task = refold->tasks[i];
    MR_TRY(mr_task_encode(task, ignore_row, NULL, err));
    if (write || mr_task_behind_bytes(task) > refold->bytes_max / 2) {
        MR_TRY(write_rows(refold, i, err));
    }
    mr_task_evict(task, refold->bytes_max);
    return MR_OK;
}

static mr_status settle_all(mr_refold *refold, bool write, mr_error *err)
{
    for (size_t i = 0; i < refold->n; i++) {
        MR_TRY(settle(refold, i, write, err));
    }
    return MR_OK;
}

static mr_status fold(mr_refold *refold, mr_task *task, const mr_record *record,
                      const mr_envelope *envelope, mr_error *err)
{
    mr_task_begin(task, record, envelope);
    mr_status status = refold->kind->fold(refold->step, refold->context, err);
    if (status == MR_OK) {
        status = mr_context_apply(refold->context, &refold->collector, err);
    }
    if (status != MR_OK) {
        mr_context_discard(refold->context);
    }
    return status;
}

static mr_status take_event(void *context, const mr_record *record, const mr_envelope *envelope,
                            mr_error *err)
{
    mr_refold *refold = context;
    const size_t i = (size_t)record->partition;
    if (i >= refold->n) {
        return mr_error_set(err, MR_ERR_USAGE, "topic %s has more than the declared %zu partitions",
                            record->topic, refold->n);
    }
    if (fold(refold, refold->tasks[i], record, envelope, err) != MR_OK) {
        (void)mr_error_prefix(err, "%s [%" PRId32 "] offset %" PRId64 ", '%.*s'", record->topic,
                              record->partition, record->offset, (int)envelope->subject.len,
                              (const char *)envelope->subject.data);
        err->action = MR_ACT_STOP;
        return err->status;
    }
    return ++refold->n_events % EVENTS_BETWEEN_LOOKS == 0 ? settle_all(refold, false, err) : MR_OK;
}

static mr_status count_rows(mr_refold *refold, size_t i, mr_error *err)
{
    MR_CLEANUP(mr_cursor_closep) mr_cursor *cursor = NULL;
    MR_TRY(mr_cursor_open(refold->partitions[i], refold->store->number, MR_BYTES_NULL,
                          MR_BYTES_NULL, &cursor, err));
    for (;; refold->n_folded++) {
        mr_bytes key;
        mr_bytes value;
        const mr_status status = mr_cursor_next(cursor, &key, &value, err);
        if (status != MR_OK) {
            return status == MR_END ? MR_OK : status;
        }
    }
}

mr_status mr_refold_new(const mr_cli *cli, const mr_stage *stage, const mr_kind *kind,
                        const mr_scratch *scratch, mr_refold **ret_refold, mr_error *err)
{
    MR_CLEANUP(mr_refold_freep) mr_refold *refold = mr_alloc_zero(1, sizeof(*refold));
    refold->cli = cli;
    refold->stage = stage;
    refold->kind = kind;
    MR_TRY(find_store(refold, err));
    MR_TRY(open_step(refold, err));
    MR_TRY(open_tasks(refold, scratch, err));
    MR_TRY(mr_log_read_stage(cli, stage, take_event, refold, err));
    MR_TRY(settle_all(refold, true, err));
    for (size_t i = 0; i < refold->n; i++) {
        MR_TRY(count_rows(refold, i, err));
    }
    *ret_refold = MR_STEAL(&refold);
    return MR_OK;
}

void mr_refold_free(mr_refold *refold)
{
    if (refold == NULL) {
        return;
    }
    for (size_t i = 0; i < refold->n_opened; i++) {
        mr_task_free(refold->tasks[i]);
    }
    for (size_t i = 0; i < refold->n && refold->partitions != NULL; i++) {
        if (refold->partitions[i] != NULL) {
            mr_partition_close(refold->partitions[i]);
        }
    }
    free(refold->tasks);
    free(refold->partitions);
    mr_database_free(refold->database);
    mr_context_free(refold->context);
    if (refold->step != NULL) {
        refold->kind->close(refold->step);
    }
    mr_handler_free(refold->handler);
    mr_codec_free(refold->codec);
    if (refold->type != NULL) {
        mr_value_free(refold->type, refold->row);
        mr_value_free(refold->type, refold->folded);
    }
    mr_buf_deinit(&refold->bytes);
    free(refold);
}

/* ---- Comparing ---- */

size_t mr_refold_store(const mr_refold *refold)
{
    return (size_t)(refold->store - refold->stage->stores);
}

static void *field(const mr_field *of, void *row)
{
    return (uint8_t *)row + of->offset;
}

/* MR_NOT_FOUND: the log has no event of it. */
static mr_status read_folded(mr_refold *refold, mr_bytes id, mr_error *err)
{
    const size_t i = (size_t)mr_partition_of_key(id, (int32_t)refold->n);
    const mr_status status =
        mr_partition_get(refold->partitions[i], refold->store->number, id, &refold->bytes, err);
    if (status != MR_OK) {
        return status;
    }
    return mr_codec_decode(refold->codec, mr_buf_bytes(&refold->bytes), refold->store->value,
                           refold->folded, err);
}

static mr_status disagree(const mr_refold *refold, mr_bytes id, int64_t stored, int64_t logged,
                          mr_error *err)
{
    (void)mr_error_set(err, MR_ERR_DATA,
                       "stage %s '%.*s': the stored version is %" PRId64 ", the log is at %" PRId64
                       ": `millrace verify` shows all that differ",
                       refold->stage->name, (int)id.len, (const char *)id.data, stored, logged);
    err->action = MR_ACT_STOP;
    return err->status;
}

static mr_status compare_row(mr_refold *refold, mr_bytes id, mr_bytes stored,
                             mr_refold_visitor visit, void *argument, mr_error *err)
{
    MR_TRY(mr_codec_decode(refold->codec, stored, refold->store->value, refold->row, err));
    const int64_t version = *(const int64_t *)field(refold->version, refold->row);
    const mr_status found = read_folded(refold, id, err);
    if (found < 0) {
        return found;
    }
    /* Without an event it was refused all its commands, which it remembers. */
    const int64_t logged =
        found == MR_OK ? *(const int64_t *)field(refold->version, refold->folded) : -1;
    if (version != logged) {
        return disagree(refold, id, version, logged, err);
    }
    if (found == MR_NOT_FOUND) {
        return MR_OK;
    }
    refold->n_compared++;
    void *state = field(refold->state, refold->row);
    void *folded = field(refold->state, refold->folded);
    if (mr_value_equal(refold->state->type, state, folded)) {
        return MR_OK;
    }
    mr_value_swap(refold->state->type, state, folded);
    mr_buf_clear(&refold->bytes);
    MR_TRY(mr_codec_encode(refold->codec, refold->store->changelog, refold->store->value,
                           refold->row, &refold->bytes, err));
    return visit(argument, id, mr_buf_bytes(&refold->bytes), err);
}

mr_status mr_refold_compare(mr_refold *refold, mr_partition *partition, mr_refold_visitor visit,
                            void *argument, mr_error *err)
{
    MR_CLEANUP(mr_cursor_closep) mr_cursor *cursor = NULL;
    MR_TRY(mr_cursor_open(partition, refold->store->number, MR_BYTES_NULL, MR_BYTES_NULL, &cursor,
                          err));
    for (;;) {
        mr_bytes key;
        mr_bytes value;
        const mr_status status = mr_cursor_next(cursor, &key, &value, err);
        if (status != MR_OK) {
            return status == MR_END ? MR_OK : status;
        }
        MR_TRY(compare_row(refold, key, value, visit, argument, err));
    }
}

mr_status mr_refold_check_all(const mr_refold *refold, mr_error *err)
{
    if (refold->n_compared == refold->n_folded) {
        return MR_OK;
    }
    (void)mr_error_set(err, MR_ERR_DATA,
                       "stage %s: %" PRId64 " of the log's %" PRId64
                       " aggregates have no row: `millrace verify` names them",
                       refold->stage->name, refold->n_folded - refold->n_compared,
                       refold->n_folded);
    err->action = MR_ACT_STOP;
    return err->status;
}
