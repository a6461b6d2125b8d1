#include "cli/fold.h"

#include <inttypes.h>

#include <mr/value.h>

mr_status mr_fold_init(mr_fold *fold, const mr_cli *cli, const mr_stage *stage, mr_error *err)
{
    *fold = (mr_fold){.cli = cli, .stage = stage};
    while (fold->store < stage->n_stores && strcmp(stage->stores[fold->store].name, "state") != 0) {
        fold->store++;
    }
    if (fold->store == stage->n_stores) {
        return mr_error_set(err, MR_ERR_SYSTEM, "stage '%s' has no store 'state'", stage->name);
    }
    MR_TRY(mr_driver_new(cli->app, cli->kinds, mr_definition_handler,
                         (void *)(uintptr_t)&cli->limits, &fold->driver, err));
    fold->codec = mr_cli_codec(cli);
    return MR_OK;
}

void mr_fold_deinit(mr_fold *fold)
{
    mr_driver_free(fold->driver);
    mr_codec_free(fold->codec);
    *fold = (mr_fold){0};
}

mr_status mr_fold_event(mr_fold *fold, const mr_record *record, const mr_envelope *envelope,
                        mr_error *err)
{
    const mr_schema *schema;
    void *value;
    MR_TRY(mr_log_decode(fold->cli, fold->codec, record, envelope, &schema, &value, err));
    if (value == NULL) {
        return mr_error_set(err, MR_ERR_DATA,
                            "%s partition %" PRId32 " offset %" PRId64 ": an event without a value",
                            record->topic, record->partition, record->offset);
    }
    const mr_status status =
        mr_driver_fold(fold->driver, fold->stage, envelope, schema, value, err);
    mr_value_free(mr_schema_type(schema), value);
    return status;
}

/* The field of the row that holds the app's own record, and its type; NULL: there is none. */
static const void *state_of(const mr_type *row_type, const void *row, const mr_type **ret_type)
{
    const int field = mr_type_field(row_type, mr_bytes_text("State"));
    if (field < 0) {
        return NULL;
    }
    const mr_field *state = &row_type->fields[field];
    const void *at = (const uint8_t *)row + state->offset;
    const mr_type *inner = mr_type_optional(state->type);
    *ret_type = inner == NULL ? state->type : inner;
    if (inner == NULL) {
        return at;
    }
    const bool is_null = ((const mr_union *)at)->branch == state->type->null_branch;
    return is_null ? NULL : (const uint8_t *)at + state->type->payload;
}

mr_status mr_fold_state(mr_fold *fold, mr_bytes id, mr_buf *json, mr_error *err)
{
    const void *row = NULL;
    const mr_status status = mr_driver_row(fold->driver, fold->stage, fold->store, id, &row, err);
    if (status != MR_OK) {
        return status;
    }
    const mr_type *type = NULL;
    const void *state =
        state_of(mr_schema_type(fold->stage->stores[fold->store].value), row, &type);
    if (state == NULL) {
        mr_buf_append_text(json, "null");
    } else {
        mr_value_to_json(type, state, json);
    }
    return MR_OK;
}
