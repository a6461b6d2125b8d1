#include "runtime/context.h"

#include <stdlib.h>

#include "core/alloc.h"

typedef enum mr_change {
    CHANGE_NONE, /* looked at only */
    CHANGE_PUT,
    CHANGE_DELETE,
} mr_change;

/* A row that this record has a working copy of. */
typedef struct mr_staged {
    size_t store;
    mr_buf key;
    mr_change change;
    void *value; /* kept for reuse; of value_type */
    const mr_type *value_type;
} mr_staged;

/* The decoded input, one slot for each schema that was ever decoded. */
typedef struct mr_decoded {
    const mr_schema *schema;
    void *value;
} mr_decoded;

struct mr_context {
    const mr_stage *stage;
    mr_codec *codec;
    mr_context_limits limits;
    mr_table *const *tables;
    const mr_record *record;
    const mr_envelope *envelope;
    mr_staged **staged; /* pointers, because values are handed out */
    size_t n_staged;
    size_t n_staged_made;
    size_t staged_capacity;
    mr_decoded *decoded;
    size_t n_decoded;
    size_t decoded_capacity;
    mr_outbox *outbox;
    mr_buf row_id;
    mr_buf row_event_id;
    bool duplicate;
};

mr_context *mr_context_new(const mr_stage *stage, mr_codec *codec, const mr_context_limits *limits)
{
    mr_context *context = mr_alloc_zero(1, sizeof(*context));
    context->stage = stage;
    context->codec = codec;
    context->limits = *limits;
    context->outbox = mr_outbox_new();
    return context;
}

void mr_context_free(mr_context *context)
{
    if (context == NULL) {
        return;
    }
    for (size_t i = 0; i < context->n_staged_made; i++) {
        mr_staged *staged = context->staged[i];
        if (staged->value != NULL) {
            mr_value_free(staged->value_type, staged->value);
        }
        mr_buf_deinit(&staged->key);
        free(staged);
    }
    for (size_t i = 0; i < context->n_decoded; i++) {
        mr_value_free(mr_schema_type(context->decoded[i].schema), context->decoded[i].value);
    }
    free(context->staged);
    free(context->decoded);
    mr_outbox_free(context->outbox);
    mr_buf_deinit(&context->row_id);
    mr_buf_deinit(&context->row_event_id);
    free(context);
}

void mr_context_begin(mr_context *context, mr_table *const *tables, const mr_record *record,
                      const mr_envelope *envelope)
{
    assert(context->n_staged == 0 && mr_outbox_count(context->outbox) == 0);
    context->tables = tables;
    context->record = record;
    context->envelope = envelope;
    context->duplicate = false;
}

void mr_context_discard(mr_context *context)
{
    context->n_staged = 0;
    mr_outbox_clear(context->outbox);
}

const mr_stage *mr_context_stage(const mr_context *context)
{
    return context->stage;
}

const mr_record *mr_context_record(const mr_context *context)
{
    return context->record;
}

const mr_envelope *mr_context_envelope(const mr_context *context)
{
    return context->envelope;
}

void mr_context_count_duplicate(mr_context *context)
{
    context->duplicate = true;
}

bool mr_context_was_duplicate(const mr_context *context)
{
    return context->duplicate;
}

/* ---- Input ---- */

static void *decoded_slot(mr_context *context, const mr_schema *schema)
{
    const mr_type *type = mr_schema_type(schema);
    for (size_t i = 0; i < context->n_decoded; i++) {
        if (context->decoded[i].schema == schema) {
            mr_value_reset(type, context->decoded[i].value);
            return context->decoded[i].value;
        }
    }
    MR_GROW(context->decoded, context->decoded_capacity, context->n_decoded + 1);
    mr_decoded *slot = &context->decoded[context->n_decoded++];
    *slot = (mr_decoded){.schema = schema, .value = mr_value_new(type)};
    return slot->value;
}

static bool is_json(const mr_envelope *envelope)
{
    static const char json[] = "application/json";
    return mr_bytes_starts_with(envelope->content_type, mr_bytes_text(json)) &&
           (envelope->content_type.len == sizeof(json) - 1 ||
            envelope->content_type.data[sizeof(json) - 1] == ';');
}

/* JSON at the edge often comes without a content type; Avro framings never begin like an object. */
static bool looks_like_json(const mr_context *context)
{
    const mr_bytes value = context->record->value;
    return mr_bytes_is_null(context->envelope->content_type) && value.len > 0 &&
           value.data[0] == '{';
}

mr_status mr_context_decode(mr_context *context, const mr_schema *schema, void **ret_value,
                            mr_error *err)
{
    const mr_bytes value = context->record->value;
    if (mr_bytes_is_null(value)) {
        *ret_value = NULL;
        return MR_OK;
    }
    void *slot = decoded_slot(context, schema);
    if (is_json(context->envelope) || looks_like_json(context)) {
        MR_TRY(mr_value_from_json(mr_schema_type(schema), value, slot, err));
    } else {
        MR_TRY(mr_codec_decode(context->codec, value, schema, slot, err));
    }
    *ret_value = slot;
    return MR_OK;
}

static mr_status unknown_type(const mr_context *context, mr_bytes type, mr_error *err)
{
    char *name = mr_strndup((const char *)type.data, type.len > 200 ? 200 : type.len);
    const char *nearest = mr_schemas_nearest(context->stage->app->schemas, name);
    const mr_status status = mr_error_record(
        err, MR_ERR_DATA, "unknown_type", "no schema named '%s' (ce_type)%s%s%s", name,
        nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
        nearest == NULL ? "" : "'?");
    free(name);
    return status;
}

mr_status mr_context_type(mr_context *context, const mr_schema **ret_schema, mr_error *err)
{
    const mr_schemas *schemas = context->stage->app->schemas;
    const mr_bytes type = context->envelope->type;
    const mr_schema *schema = NULL;
    if (!mr_bytes_is_null(type)) {
        schema = mr_schemas_find(schemas, type);
        if (schema == NULL && context->stage->input == NULL) {
            return unknown_type(context, type, err);
        }
    }
    if (schema == NULL) {
        schema = context->stage->input;
    }
    if (schema == NULL) {
        if (mr_bytes_is_null(context->record->value)) {
            return mr_error_record(err, MR_ERR_DATA, "missing_header",
                                   "a tombstone without ce_type has no known type");
        }
        const mr_schema *writer;
        MR_TRY(mr_codec_writer(context->codec, context->record->value, &writer, err));
        const mr_schema *current = mr_schemas_find(schemas, mr_bytes_text(mr_schema_name(writer)));
        schema = current == NULL ? writer : current;
    }
    *ret_schema = schema;
    return MR_OK;
}

/* ---- Output ---- */

static mr_status check_output(const mr_context *context, const char *topic, mr_error *err)
{
    const mr_stage *stage = context->stage;
    if (mr_outbox_count(context->outbox) >= context->limits.outputs_max) {
        return mr_error_record(err, MR_ERR_HANDLER, "limit", "more than %zu records sent for one",
                               context->limits.outputs_max);
    }
    for (size_t i = 0; i < stage->n_to; i++) {
        if (strcmp(stage->to[i], topic) == 0) {
            return MR_OK;
        }
    }
    if (stage->results != NULL && strcmp(stage->results, topic) == 0) {
        return MR_OK;
    }
    return mr_error_record(err, MR_ERR_HANDLER, "validate",
                           "stage '%s' does not declare topic '%s' in `to`", stage->name, topic);
}

/* The declared topic's own string: it lives as long as the app. */
static const char *declared_topic(const mr_context *context, const char *name)
{
    const mr_topic *topic = mr_app_topic(context->stage->app, name);
    assert(topic != NULL);
    return topic->name;
}

static mr_status stage_output(mr_context *context, const mr_output *output, mr_error *err)
{
    mr_envelope envelope = output->envelope;
    if (envelope.time_ms == 0) {
        envelope.time_ms = context->envelope->time_ms;
    }
    if (mr_bytes_is_null(envelope.traceparent)) {
        envelope.traceparent = context->envelope->traceparent;
    }
    mr_envelope_headers headers;
    mr_envelope_write(&envelope, &headers);
    mr_buf *value = mr_outbox_add(context->outbox, declared_topic(context, output->topic),
                                  output->key, envelope.time_ms, headers.headers, headers.n);
    if (output->value == NULL) {
        mr_outbox_set_tombstone(context->outbox);
        return MR_OK;
    }
    const mr_status status = mr_codec_encode(context->codec, output->topic, output->schema,
                                             output->value, value, err);
    if (status != MR_OK) {
        mr_outbox_undo(context->outbox);
        return mr_error_prefix(err, "%s for '%s'", mr_schema_short_name(output->schema),
                               output->topic);
    }
    if (value->len > context->limits.record_bytes_max) {
        const size_t len = value->len;
        mr_outbox_undo(context->outbox);
        return mr_error_record(err, MR_ERR_HANDLER, "too_large",
                               "a %s of %zu bytes for '%s' is over max.record.bytes=%zu",
                               mr_schema_short_name(output->schema), len, output->topic,
                               context->limits.record_bytes_max);
    }
    return MR_OK;
}

mr_status mr_context_send(mr_context *context, const mr_output *output, mr_error *err)
{
    MR_TRY(check_output(context, output->topic, err));
    return stage_output(context, output, err);
}

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

static mr_status add_staged(mr_context *context, size_t store, mr_bytes key, mr_staged **ret_staged,
                            mr_error *err)
{
    if (context->n_staged >= context->limits.outputs_max) {
        return mr_error_record(err, MR_ERR_HANDLER, "limit", "more than %zu rows changed by one "
                               "record", context->limits.outputs_max);
    }
    if (context->n_staged == context->n_staged_made) {
        MR_GROW(context->staged, context->staged_capacity, context->n_staged + 1);
        context->staged[context->n_staged_made++] = mr_alloc_zero(1, sizeof(mr_staged));
    }
    mr_staged *staged = context->staged[context->n_staged++];
    const mr_type *type = mr_schema_type(context->stage->stores[store].value);
    staged->store = store;
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
        const void *value;
        MR_TRY(mr_context_peek(context, store, key, &value, err));
        if (value == NULL) {
            return MR_NOT_FOUND;
        }
        MR_TRY(add_staged(context, store, key, &staged, err));
        mr_value_copy(staged->value_type, staged->value, value);
        staged->change = CHANGE_PUT;
    }
    *ret_value = staged->value;
    return MR_OK;
}

/* Loads the row first, so that applying the change later is a lookup that cannot fail. */
static mr_status stage_row(mr_context *context, size_t store, mr_bytes key, mr_staged **ret_staged,
                           mr_error *err)
{
    const void *value;
    MR_TRY(mr_context_peek(context, store, key, &value, err));
    return add_staged(context, store, key, ret_staged, err);
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
    mr_status status =
        mr_table_keys(context->tables[store], from, to, visit_table_key, &step, err);
    if (status == MR_OK && !scan.ended) {
        status = visit_staged_below(&scan, from, to, err);
    }
    mr_buf_deinit(&scan.position);
    return status == MR_END ? MR_OK : status;
}

/* ---- Applying ---- */

/* A row's ID for people and other topics: its parts with "/" between them. */
static mr_status write_row_id(mr_context *context, const mr_store_spec *spec, mr_bytes key,
                              mr_error *err)
{
    mr_buf_clear(&context->row_id);
    if (spec->key.raw) {
        mr_buf_append_bytes(&context->row_id, key);
        return MR_OK;
    }
    mr_key_part parts[MR_KEY_PARTS_MAX];
    size_t n_parts = 0;
    mr_buf scratch = MR_BUF_NULL;
    const mr_status status = mr_key_parse(key, &scratch, parts, &n_parts, err);
    for (size_t i = 0; status == MR_OK && i < n_parts; i++) {
        if (i > 0) {
            mr_buf_append_byte(&context->row_id, '/');
        }
        if (parts[i].kind == MR_KEY_LONG) {
            mr_buf_printf(&context->row_id, "%lld", (long long)parts[i].number);
        } else {
            mr_buf_append_bytes(&context->row_id, parts[i].text);
        }
    }
    mr_buf_deinit(&scratch);
    return status;
}

/* Sends a changed row to its store's projection topic. */
static mr_status project_row(mr_context *context, const mr_staged *staged, mr_error *err)
{
    const mr_store_spec *spec = &context->stage->stores[staged->store];
    MR_TRY(write_row_id(context, spec, mr_buf_bytes(&staged->key), err));
    const mr_bytes row_id = mr_buf_bytes(&context->row_id);
    const mr_envelope *cause = context->envelope;
    mr_buf_clear(&context->row_event_id);
    if (mr_bytes_is_null(cause->id)) {
        mr_buf_printf(&context->row_event_id, "%s-%d-%lld", context->record->topic,
                      context->record->partition, (long long)context->record->offset);
    } else {
        mr_buf_append_bytes(&context->row_event_id, cause->id);
    }
    mr_buf_printf(&context->row_event_id, "/%s/%s", spec->name, mr_buf_text(&context->row_id));
    const mr_output output = {
        .topic = spec->topic,
        .key = row_id,
        .schema = spec->value,
        .value = staged->change == CHANGE_DELETE ? NULL : staged->value,
        .envelope =
            {
                .id = mr_buf_bytes(&context->row_event_id),
                .type = mr_bytes_text(mr_schema_short_name(spec->value)),
                .source = mr_bytes_text(context->stage->group),
                .subject = row_id,
                .correlation_id = mr_bytes_is_null(cause->correlation_id) ? cause->id
                                                                          : cause->correlation_id,
                .causation_id = cause->id,
                .sequence = MR_VERSION_NONE,
                .expected_version = MR_VERSION_NONE,
            },
    };
    return stage_output(context, &output, err);
}

mr_status mr_context_check_row(const mr_context *context, size_t store, const mr_type *type,
                               const void *value, mr_error *err)
{
    const size_t bytes = mr_value_bytes(type, value);
    if (bytes <= context->limits.record_bytes_max) {
        return MR_OK;
    }
    return mr_error_record(err, MR_ERR_HANDLER, "too_large",
                           "a row of store '%s' takes %zu bytes, over max.record.bytes=%zu",
                           context->stage->stores[store].name, bytes,
                           context->limits.record_bytes_max);
}

/* Everything about the changed rows that can still fail, before any of them changes. */
static mr_status check_rows(mr_context *context, mr_error *err)
{
    for (size_t i = 0; i < context->n_staged; i++) {
        const mr_staged *staged = context->staged[i];
        const mr_store_spec *spec = &context->stage->stores[staged->store];
        if (staged->change == CHANGE_PUT) {
            MR_TRY(mr_context_check_row(context, staged->store, staged->value_type, staged->value,
                                        err));
        }
        if (spec->topic != NULL && staged->change != CHANGE_NONE) {
            MR_TRY(project_row(context, staged, err));
        }
    }
    return MR_OK;
}

mr_status mr_context_apply(mr_context *context, mr_collector *collector, mr_error *err)
{
    MR_TRY(check_rows(context, err));
    for (size_t i = 0; i < context->n_staged; i++) {
        mr_staged *staged = context->staged[i];
        mr_table *table = context->tables[staged->store];
        mr_entry *entry;
        MR_TRY(mr_table_find(table, mr_buf_bytes(&staged->key), &entry, err));
        if (staged->change == CHANGE_PUT) {
            mr_table_swap(table, entry, staged->value);
        } else if (staged->change == CHANGE_DELETE && mr_entry_value(entry) != NULL) {
            mr_table_delete(table, entry);
        }
    }
    context->n_staged = 0;
    return mr_outbox_send(context->outbox, collector, err);
}
