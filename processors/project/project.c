/*
 * The project kind: events fold into rows.
 *
 * A versioned stage (the default) checks each event's ce_sequence against the last one of its
 * aggregate: the next one is applied; one at or below it is a duplicate and dropped; one further
 * ahead is a gap, a dead letter of class "gap", and the aggregate is parked until it is mended.
 */
#include <stdlib.h>

#include <mr/value.h>

#include "kinds.h"

#define VERSIONS_STORE "versions"

static const char version_schema_json[] =
    "{\"type\":\"record\",\"name\":\"ProjectedVersion\",\"namespace\":\"millrace\","
    "\"fields\":[{\"name\":\"Version\",\"type\":\"long\"}]}";

struct mr_step {
    const mr_stage *stage;
    mr_handler *handler;
    size_t versions; /* index of the versions store; unused when not versioned */
};

static mr_status project_prepare(mr_app *app, mr_stage *stage, mr_error *err)
{
    if (stage->n_stores == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "%s: stage '%s' has no stores", stage->definition,
                            stage->name);
    }
    if (!stage->versioned) {
        return MR_OK;
    }
    const mr_schema *schema =
        mr_schemas_find(app->schemas, mr_bytes_text("millrace.ProjectedVersion"));
    if (schema == NULL) {
        MR_TRY(mr_schemas_add(app->schemas, version_schema_json, "project.c", &schema, err));
    }
    (void)mr_stage_add_store(stage, VERSIONS_STORE, schema, (mr_store_key){.raw = true}, true);
    return MR_OK;
}

static mr_status project_open(const mr_stage *stage, mr_handler *handler, mr_step **ret_step,
                              mr_error *err)
{
    mr_step *step = calloc(1, sizeof(*step));
    if (step == NULL) {
        return mr_error_set(err, MR_ERR_SYSTEM, "out of memory");
    }
    step->stage = stage;
    step->handler = handler;
    while (stage->versioned && strcmp(stage->stores[step->versions].name, VERSIONS_STORE) != 0) {
        step->versions++;
    }
    *ret_step = step;
    return MR_OK;
}

/* MR_END: a duplicate. */
static mr_status check_version(mr_step *step, mr_context *context, mr_error *err)
{
    const mr_envelope *envelope = mr_context_envelope(context);
    if (envelope->sequence == MR_VERSION_NONE) {
        return mr_error_record(err, MR_ERR_DATA, "missing_header",
                               "no ce_sequence: stage '%s' checks versions (versioned = false for "
                               "a topic without them)",
                               step->stage->name);
    }
    const mr_type *type = mr_schema_type(step->stage->stores[step->versions].value);
    int64_t last = -1;
    const void *row;
    const mr_status found = mr_context_get(context, step->versions, envelope->subject, &row, err);
    if (found < 0) {
        return found;
    }
    if (found == MR_OK) {
        last = *(const int64_t *)((const uint8_t *)row + type->fields[0].offset);
    }
    if (envelope->sequence <= last) {
        return MR_END;
    }
    if (envelope->sequence > last + 1) {
        return mr_error_record(err, MR_ERR_DATA, "gap", "version %lld came after version %lld",
                               (long long)envelope->sequence, (long long)last);
    }
    void *changed;
    MR_TRY(mr_context_put(context, step->versions, envelope->subject, &changed, err));
    *(int64_t *)mr_field_at(type, changed, 0) = envelope->sequence;
    return MR_OK;
}

static mr_status project_process(mr_step *step, mr_context *context, mr_error *err)
{
    if (step->stage->input == NULL) {
        MR_TRY(mr_envelope_require(mr_context_envelope(context), err));
    }
    if (step->stage->versioned) {
        const mr_status status = check_version(step, context, err);
        if (status != MR_OK) {
            if (status == MR_END) {
                mr_context_count_duplicate(context);
                return MR_OK;
            }
            return status;
        }
    }
    return mr_handler_on(step->handler, context, err);
}

static void project_close(mr_step *step)
{
    free(step);
}

const mr_kind mr_kind_project = {
    .name = "project",
    .summary = "stateful: folds events to views; version check, indexes, projection topics",
    .stateful = true,
    .prepare = project_prepare,
    .open = project_open,
    .process = project_process,
    .close = project_close,
};
