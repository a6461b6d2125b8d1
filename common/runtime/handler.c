#include <mr/handler.h>

#include <stdlib.h>

#include <mr/fold.h>

#include "core/alloc.h"
#include "runtime/context_impl.h"

/*
 * Events from n_events to capacity keep their values for reuse, so every one of the `capacity`
 * slots has a schema and a value, or neither.
 */
void *mr_decision_add(mr_decision *decision, const mr_schema *schema)
{
    if (decision->n_events >= MR_EVENTS_MAX) {
        return NULL;
    }
    if (decision->n_events == decision->capacity) {
        const size_t before = decision->capacity;
        MR_GROW(decision->events, decision->capacity, decision->n_events + 1);
        memset(decision->events + before, 0,
               (decision->capacity - before) * sizeof(*decision->events));
    }
    mr_decided_event *event = &decision->events[decision->n_events++];
    const mr_type *type = mr_schema_type(schema);
    if (event->schema == schema) {
        mr_value_reset(type, event->value);
        return event->value;
    }
    if (event->schema != NULL) {
        mr_value_free(mr_schema_type(event->schema), event->value);
    }
    event->schema = schema;
    event->value = mr_value_new(type);
    return event->value;
}

void mr_decision_clear(mr_decision *decision)
{
    decision->rejected = false;
    decision->n_events = 0;
    mr_buf_clear(&decision->reason);
    mr_buf_clear(&decision->text);
}

void mr_decision_deinit(mr_decision *decision)
{
    for (size_t i = 0; i < decision->capacity; i++) {
        const mr_decided_event *event = &decision->events[i];
        if (event->schema != NULL) {
            mr_value_free(mr_schema_type(event->schema), event->value);
        }
    }
    free(decision->events);
    mr_buf_deinit(&decision->reason);
    mr_buf_deinit(&decision->text);
    *decision = (mr_decision){0};
}

/* ---- Sending ---- */

static mr_bytes derived_id(mr_context *context)
{
    const mr_record *record = context->record;
    mr_buf *id = &context->output_id;
    mr_buf_clear(id);
    if (mr_bytes_is_null(context->envelope->id)) {
        mr_buf_append_text(id, record->topic);
        mr_buf_append_byte(id, '/');
        mr_buf_append_integer(id, record->partition);
        mr_buf_append_byte(id, '/');
        mr_buf_append_integer(id, record->offset);
    } else {
        mr_buf_append_bytes(id, context->envelope->id);
    }
    mr_buf_append_byte(id, '/');
    mr_buf_append_text(id, context->stage->name);
    mr_buf_append_byte(id, '/');
    mr_buf_append_integer(id, (int64_t)mr_outbox_count(context->outbox));
    return mr_buf_bytes(id);
}

void mr_call_derive(const mr_call *call, mr_output *output)
{
    mr_context *context = call->context;
    const mr_envelope *cause = context->envelope;
    mr_envelope *envelope = &output->envelope;
    bool same = output->value == call->input && output->schema == call->schema;
    const mr_bytes own_type = same && !mr_bytes_is_null(cause->type)
                                  ? cause->type
                                  : mr_bytes_text(mr_schema_short_name(output->schema));
    if (mr_bytes_is_null(envelope->type)) {
        envelope->type = own_type;
    }
    if (mr_bytes_is_null(envelope->subject) && output->key.len > 0) {
        envelope->subject = output->key;
    }
    same = same && mr_bytes_equal(envelope->type, own_type);
    if (mr_bytes_is_null(envelope->id)) {
        envelope->id = same && !mr_bytes_is_null(cause->id) ? cause->id : derived_id(context);
    }
    const bool is_new = !mr_bytes_equal(envelope->id, cause->id);
    envelope->correlation_id =
        mr_bytes_is_null(cause->correlation_id) ? cause->id : cause->correlation_id;
    envelope->causation_id = is_new ? cause->id : cause->causation_id;
    envelope->traceparent = cause->traceparent;
    envelope->time_ms = cause->time_ms;
    /* A number in a sequence is only that while the record is the same one of the same subject. */
    const bool keeps = !is_new && mr_bytes_equal(envelope->subject, cause->subject);
    envelope->sequence = keeps ? cause->sequence : MR_VERSION_NONE;
    if (envelope->expected_version == MR_VERSION_NONE && same) {
        envelope->expected_version = cause->expected_version;
    }
}

/* ---- Calling ---- */

mr_status mr_handler_on(mr_handler *handler, mr_context *context, mr_error *err)
{
    mr_call call = {.context = context};
    void *input;
    MR_TRY(mr_context_type(context, &call.schema, err));
    MR_TRY(mr_context_decode(context, call.schema, &input, err));
    const mr_fold_plan *fold = mr_stage_fold(mr_context_stage(context), call.schema);
    if (fold != NULL) {
        return mr_fold_run(fold, context, input, &handler->fold_key, err);
    }
    call.input = input;
    const mr_status status = mr_handler_call(handler, MR_ON, &call, err);
    return status == MR_NOT_FOUND ? MR_OK : status;
}

void mr_handler_free(mr_handler *handler)
{
    if (handler != NULL) {
        mr_buf_deinit(&handler->fold_key);
        handler->ops->free(handler);
    }
}
