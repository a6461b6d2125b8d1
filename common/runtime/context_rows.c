#include "runtime/context_impl.h"

#include "core/alloc.h"

/* ---- Rows ---- */

static mr_staged *find_staged(const mr_context *context, size_t store, mr_bytes key)
{
    for (size_t i = context->n_staged; i > 0; i--) {
        mr_staged *staged = context->staged[i - 1];
        if (staged->store == store && mr_bytes_equal(mr_buf_bytes(&staged->key), key)) {
            return staged;
        }
    }
    return NULL;
}

static mr_status add_staged(mr_context *context, size_t store, mr_bytes key, mr_entry *entry,
                            mr_staged **ret_staged, mr_error *err)
{
    if (context->n_staged >= context->limits.outputs_max) {
        return mr_error_record(err, MR_ERR_HANDLER, "limit",
                               "more than %zu rows changed by one "
                               "record",
                               context->limits.outputs_max);
    }
    if (context->n_staged == context->n_staged_made) {
        MR_GROW(context->staged, context->staged_capacity, context->n_staged + 1);
        context->staged[context->n_staged_made++] = mr_alloc_zero(1, sizeof(mr_staged));
    }
    mr_staged *staged = context->staged[context->n_staged++];
    const mr_type *type = mr_schema_type(context->stage->stores[store].value);
    staged->store = store;
    staged->entry = entry;
    staged->change = CHANGE_NONE;
    mr_buf_clear(&staged->key);
    mr_buf_append_bytes(&staged->key, key);
    if (staged->value != NULL && staged->value_type != type) {
        mr_value_free(staged->value_type, staged->value);
        staged->value = NULL;
    }
    if (staged->value == NULL) {
        staged->value = mr_value_new(type);
        staged->value_type = type;
    }
    *ret_staged = staged;
    return MR_OK;
}

mr_status mr_context_peek(mr_context *context, size_t store, mr_bytes key, const void **ret_value,
                          mr_error *err)
{
    mr_entry *entry;
    MR_TRY(mr_table_find(context->tables[store], key, &entry, err));
    *ret_value = mr_entry_value(entry);
    return MR_OK;
}

void *mr_context_own(mr_context *context, size_t store, mr_bytes key)
{
    mr_entry *entry;
    mr_error err;
    const mr_status status = mr_table_find(context->tables[store], key, &entry, &err);
    assert(status == MR_OK); /* peek has loaded it */
    (void)status;
    return mr_table_own(context->tables[store], entry);
}

void *mr_context_replace(mr_context *context, size_t store, mr_bytes key)
{
    return mr_table_replace(context->tables[store], key);
}

mr_status mr_context_get(mr_context *context, size_t store, mr_bytes key, const void **ret_value,
                         mr_error *err)
{
    const mr_staged *staged = find_staged(context, store, key);
    if (staged != NULL && staged->change != CHANGE_NONE) {
        *ret_value = staged->value;
        return staged->change == CHANGE_DELETE ? MR_NOT_FOUND : MR_OK;
    }
    const void *value;
    MR_TRY(mr_context_peek(context, store, key, &value, err));
    if (value == NULL) {
        return MR_NOT_FOUND;
    }
    *ret_value = value;
    return MR_OK;
}

mr_status mr_context_edit(mr_context *context, size_t store, mr_bytes key, void **ret_value,
                          mr_error *err)
{
    mr_staged *staged = find_staged(context, store, key);
    if (staged != NULL && staged->change == CHANGE_DELETE) {
        return MR_NOT_FOUND;
    }
    if (staged == NULL) {
        mr_entry *entry;
        MR_TRY(mr_table_find(context->tables[store], key, &entry, err));
        if (mr_entry_value(entry) == NULL) {
            return MR_NOT_FOUND;
        }
        MR_TRY(add_staged(context, store, key, entry, &staged, err));
        mr_value_copy(staged->value_type, staged->value, mr_entry_value(entry));
        staged->change = CHANGE_PUT;
    }
    *ret_value = staged->value;
    return MR_OK;
}

/* Loads the row first, so that applying the change later is a lookup that cannot fail. */
static mr_status stage_row(mr_context *context, size_t store, mr_bytes key, mr_staged **ret_staged,
                           mr_error *err)
{
    mr_entry *entry;
    MR_TRY(mr_table_find(context->tables[store], key, &entry, err));
    return add_staged(context, store, key, entry, ret_staged, err);
}

mr_status mr_context_put(mr_context *context, size_t store, mr_bytes key, void **ret_value,
                         mr_error *err)
{
    mr_staged *staged = find_staged(context, store, key);
    if (staged == NULL) {
        MR_TRY(stage_row(context, store, key, &staged, err));
    }
    mr_value_reset(staged->value_type, staged->value);
    staged->change = CHANGE_PUT;
    *ret_value = staged->value;
    return MR_OK;
}

mr_status mr_context_delete(mr_context *context, size_t store, mr_bytes key, mr_error *err)
{
    mr_staged *staged = find_staged(context, store, key);
    if (staged == NULL) {
        MR_TRY(stage_row(context, store, key, &staged, err));
    }
    staged->change = CHANGE_DELETE;
    return MR_OK;
}

/* ---- Scan: the table's keys merged with what this record has put ---- */

typedef struct mr_scan {
    mr_context *context;
    size_t store;
    mr_row_visitor visit;
    void *argument;
    mr_bytes to;
    mr_buf position; /* rows up to here were visited */
    bool started;
    bool ended; /* the visitor wants no more */
} mr_scan;

static bool is_ahead(const mr_scan *scan, mr_bytes key)
{
    return !scan->started || mr_bytes_compare(key, mr_buf_bytes(&scan->position)) > 0;
}

static mr_status visit_row(mr_scan *scan, mr_bytes key, mr_error *err)
{
    mr_buf_clear(&scan->position);
    mr_buf_append_bytes(&scan->position, key);
    scan->started = true;
    const void *value;
    const mr_status status = mr_context_get(scan->context, scan->store, key, &value, err);
    if (status != MR_OK) {
        return status == MR_NOT_FOUND ? MR_OK : status;
    }
    const mr_status visited =
        scan->visit(scan->argument, mr_buf_bytes(&scan->position), value, err);
    scan->ended = visited == MR_END;
    return visited;
}

/* Visits this record's own new rows below `limit` (null: all) that were not visited yet. */
static mr_status visit_staged_below(mr_scan *scan, mr_bytes from, mr_bytes limit, mr_error *err)
{
    for (;;) {
        mr_bytes least = MR_BYTES_NULL;
        for (size_t i = 0; i < scan->context->n_staged; i++) {
            const mr_staged *staged = scan->context->staged[i];
            const mr_bytes key = mr_buf_bytes(&staged->key);
            if (staged->store == scan->store && mr_bytes_compare(key, from) >= 0 &&
                is_ahead(scan, key) &&
                (mr_bytes_is_null(limit) || mr_bytes_compare(key, limit) < 0) &&
                (mr_bytes_is_null(least) || mr_bytes_compare(key, least) < 0)) {
                least = key;
            }
        }
        if (mr_bytes_is_null(least)) {
            return MR_OK;
        }
        const mr_status status = visit_row(scan, least, err);
        if (status != MR_OK) {
            return status;
        }
    }
}

typedef struct mr_scan_step {
    mr_scan *scan;
    mr_bytes from;
} mr_scan_step;

static mr_status visit_table_key(void *argument, mr_bytes key, mr_error *err)
{
    mr_scan_step *step = argument;
    const mr_status status = visit_staged_below(step->scan, step->from, key, err);
    if (status != MR_OK) {
        return status;
    }
    return is_ahead(step->scan, key) ? visit_row(step->scan, key, err) : MR_OK;
}

mr_status mr_context_scan(mr_context *context, size_t store, mr_bytes from, mr_bytes to,
                          mr_row_visitor visit, void *argument, mr_error *err)
{
    mr_scan scan = {
        .context = context, .store = store, .visit = visit, .argument = argument, .to = to};
    mr_scan_step step = {.scan = &scan, .from = from};
    mr_status status = mr_table_keys(context->tables[store], from, to, visit_table_key, &step, err);
    if (status == MR_OK && !scan.ended) {
        status = visit_staged_below(&scan, from, to, err);
    }
    mr_buf_deinit(&scan.position);
    return status == MR_END ? MR_OK : status;
}
