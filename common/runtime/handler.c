#include <mr/handler.h>

#include <stdlib.h>

#include <mr/fold.h>

#include "core/alloc.h"

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
