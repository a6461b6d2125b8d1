#include "runtime/context_impl.h"

#include <stdlib.h>

#include "core/alloc.h"

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
    mr_buf_deinit(&context->output_id);
    mr_buf_deinit(&context->row_id);
    mr_buf_deinit(&context->row_parts);
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
    context->is_silent = false;
}

void mr_context_silence(mr_context *context)
{
    context->is_silent = true;
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
    for (size_t i = 0; i < context->n_decoded; i++) {
        if (context->decoded[i].schema == schema) {
            return context->decoded[i].value; /* what is read replaces all of it */
        }
    }
    MR_GROW(context->decoded, context->decoded_capacity, context->n_decoded + 1);
    mr_decoded *slot = &context->decoded[context->n_decoded++];
    *slot = (mr_decoded){.schema = schema, .value = mr_value_new(mr_schema_type(schema))};
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
    const mr_status status =
        mr_error_record(err, MR_ERR_DATA, "unknown_type", "no schema named '%s' (ce_type)%s%s%s",
                        name, nearest == NULL ? "" : "; did you mean '",
                        nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
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

/* *ret_topic: the declared topic's own string, which lives as long as the app. */
static mr_status check_output(const mr_context *context, const char *topic, const char **ret_topic,
                              mr_error *err)
{
    const mr_stage *stage = context->stage;
    if (mr_outbox_count(context->outbox) >= context->limits.outputs_max) {
        return mr_error_record(err, MR_ERR_HANDLER, "limit", "more than %zu records sent for one",
                               context->limits.outputs_max);
    }
    for (size_t i = 0; i < stage->n_to; i++) {
        if (strcmp(stage->to[i], topic) == 0) {
            *ret_topic = stage->to[i];
            return MR_OK;
        }
    }
    if (stage->results != NULL && strcmp(stage->results, topic) == 0) {
        *ret_topic = stage->results;
        return MR_OK;
    }
    return mr_error_record(err, MR_ERR_HANDLER, "validate",
                           "stage '%s' does not declare topic '%s' in `to`", stage->name, topic);
}

/* Without an ID it is no CloudEvent but a plain record: only the trace goes on. */
static void write_headers(const mr_context *context, const mr_envelope *wanted,
                          mr_envelope_headers *ret_headers)
{
    const mr_envelope *cause = context->envelope;
    const mr_bytes trace =
        mr_bytes_is_null(wanted->traceparent) ? cause->traceparent : wanted->traceparent;
    if (!mr_bytes_is_null(wanted->id)) {
        mr_envelope envelope = *wanted;
        envelope.traceparent = trace;
        envelope.time_ms = envelope.time_ms == 0 ? cause->time_ms : envelope.time_ms;
        mr_envelope_write(&envelope, ret_headers);
        return;
    }
    ret_headers->n = 0;
    if (!mr_bytes_is_null(trace)) {
        ret_headers->headers[ret_headers->n++] = (mr_header){"traceparent", trace};
    }
}

mr_status mr_context_stage_output(mr_context *context, const mr_output *output, mr_error *err)
{
    mr_envelope_headers headers;
    write_headers(context, &output->envelope, &headers);
    /* The record's own time is the input's, as in Kafka Streams, and not the event's (ce_time),
     * which clients choose: a broker refuses times of the future and deletes by the record's age.
     */
    mr_buf *value = mr_outbox_add(context->outbox, output->topic, output->key,
                                  context->record->timestamp_ms, headers.headers, headers.n);
    if (output->value == NULL) {
        mr_outbox_set_tombstone(context->outbox);
        return MR_OK;
    }
    const mr_status status =
        mr_codec_encode(context->codec, output->topic, output->schema, output->value, value, err);
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
    mr_output declared = *output;
    MR_TRY(check_output(context, output->topic, &declared.topic, err));
    MR_TRY(mr_context_stage_output(context, &declared, err));
    if (context->is_silent) {
        mr_outbox_silence(context->outbox);
    }
    return MR_OK;
}
