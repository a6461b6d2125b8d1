#include "counting.h"

#include <stdlib.h>

#include <mr/value.h>

#include "core/alloc.h"

static const char number_json[] = "{\"type\":\"record\",\"name\":\"Number\",\"fields\":[{\"name\":"
                                  "\"Value\",\"type\":\"long\"}]}";
static const char total_json[] =
    "{\"type\":\"record\",\"name\":\"Total\",\"fields\":[{\"name\":\"Count\",\"type\":\"long\"},"
    "{\"name\":\"Sum\",\"type\":\"long\"},{\"name\":\"Last\",\"type\":\"long\"}]}";

static const mr_schema *add(mr_app *app, const char *json)
{
    const mr_schema *schema = NULL;
    mr_error err;
    const mr_status status = mr_schemas_add(app->schemas, json, "counting.c", &schema, &err);
    assert(status == MR_OK);
    (void)status;
    return schema;
}

mr_app *mr_counting_app(int32_t partitions)
{
    mr_app *app = mr_alloc_zero(1, sizeof(*app));
    app->name = mr_strdup("counting");
    app->directory = mr_strdup(".");
    app->schemas = mr_schemas_new();
    app->partitions = partitions;
    app->n_stages = 1;
    app->stages = mr_alloc_zero(1, sizeof(mr_stage));
    mr_stage *stage = &app->stages[0];
    stage->app = app;
    stage->name = mr_strdup("counts");
    stage->kind = mr_strdup("project");
    stage->from = mr_alloc_zero(1, sizeof(char *));
    stage->from[stage->n_from++] = mr_strdup("counting.numbers");
    stage->input = add(app, number_json);
    stage->group = mr_strdup("counting-counts");
    stage->dead_letters = mr_strdup("counting-counts-dlq");
    stage->definition = mr_strdup("counting.c");
    mr_store_spec *store = mr_stage_add_store(stage, "totals", add(app, total_json),
                                              (mr_store_key){.raw = true}, false);
    store->topic = mr_strdup("counting.totals");
    return app;
}

static mr_status count_number(mr_handler *handler, mr_handler_group group, mr_call *call,
                              mr_error *err)
{
    (void)handler;
    assert(group == MR_ON);
    const mr_bytes key = mr_context_record(call->context)->key;
    void *row;
    const mr_status found = mr_context_edit(call->context, 0, key, &row, err);
    if (found == MR_NOT_FOUND) {
        MR_TRY(mr_context_put(call->context, 0, key, &row, err));
    } else if (found != MR_OK) {
        return found;
    }
    const mr_type *type = mr_schema_type(mr_context_stage(call->context)->stores[0].value);
    const int64_t value = *(const int64_t *)mr_field_at(mr_schema_type(call->schema),
                                                        (void *)(uintptr_t)call->input, 0);
    ++*(int64_t *)mr_field_at(type, row, 0);
    *(int64_t *)mr_field_at(type, row, 1) += value;
    *(int64_t *)mr_field_at(type, row, 2) = value;
    if (value == -1) {
        return mr_error_record(err, MR_ERR_HANDLER, "handler", "minus one");
    }
    return MR_OK;
}

static void free_handler(mr_handler *handler)
{
    free(handler);
}

static const mr_handler_ops counting_ops = {
    .name = "counting",
    .call = count_number,
    .free = free_handler,
};

mr_status mr_counting_handler(void *argument, const mr_stage *stage, mr_handler **ret_handler,
                              mr_error *err)
{
    (void)argument;
    (void)stage;
    (void)err;
    mr_handler *handler = mr_alloc_zero(1, sizeof(*handler));
    handler->ops = &counting_ops;
    *ret_handler = handler;
    return MR_OK;
}
