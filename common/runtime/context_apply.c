#include "runtime/context_impl.h"
#include "runtime/row_id.h"

/* The event that made the row, the store and the row: the same whenever the event is read. */
static mr_bytes write_row_event_id(mr_context *context, const mr_store_spec *spec, mr_bytes row_id)
{
    mr_buf *id = &context->row_event_id;
    mr_buf_clear(id);
    mr_buf_append_bytes(id, context->envelope->id);
    mr_buf_append_byte(id, '/');
    mr_buf_append_text(id, spec->name);
    mr_buf_append_byte(id, '/');
    mr_buf_append_bytes(id, row_id);
    return mr_buf_bytes(id);
}

/* Sends a changed row to its store's projection topic: as a CloudEvent if one changed it, plain if
 * a plain record did. */
static mr_status project_row(mr_context *context, const mr_staged *staged, mr_error *err)
{
    const mr_store_spec *spec = &context->stage->stores[staged->store];
    MR_TRY(mr_row_id(spec, mr_buf_bytes(&staged->key), &context->row_parts, &context->row_id, err));
    const mr_bytes row_id = mr_buf_bytes(&context->row_id);
    const mr_envelope *cause = context->envelope;
    mr_output output = {
        .topic = spec->topic,
        .key = row_id,
        .schema = spec->value,
        .value = staged->change == CHANGE_DELETE ? NULL : staged->value,
    };
    if (!mr_bytes_is_null(cause->id)) {
        output.envelope = (mr_envelope){
            .id = write_row_event_id(context, spec, row_id),
            .type = mr_bytes_text(mr_schema_short_name(spec->value)),
            .source = mr_bytes_text(context->stage->group),
            .subject = row_id,
            .correlation_id =
                mr_bytes_is_null(cause->correlation_id) ? cause->id : cause->correlation_id,
            .causation_id = cause->id,
            .sequence = MR_VERSION_NONE,
            .expected_version = MR_VERSION_NONE,
        };
    }
    return mr_context_stage_output(context, &output, err);
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
        if (staged->change == CHANGE_PUT) {
            mr_table_swap(table, staged->entry, staged->value);
        } else if (staged->change == CHANGE_DELETE && mr_entry_value(staged->entry) != NULL) {
            mr_table_delete(table, staged->entry);
        }
    }
    context->n_staged = 0;
    return mr_outbox_send(context->outbox, collector, err);
}
