/* Handlers that do what handlers must not, by the Quantity of an Add. */
#include <mr/native.h>
#include <mr/value.h>

enum { RIGHT, NOT_FOUND, UNTOLD, TOLD, SENDS, STAGES };
enum { ID, QUANTITY }; /* fields of an Add */

static mr_status send(mr_call *call, const mr_schema *schema, const void *value, mr_error *err)
{
    mr_output output = {.topic = mr_context_stage(call->context)->to[0],
                        .key = mr_context_record(call->context)->key,
                        .schema = schema,
                        .value = value,
                        .envelope = MR_ENVELOPE_NULL};
    mr_call_derive(call, &output);
    return mr_context_send(call->context, &output, err);
}

static mr_status do_wrong(mr_call *call, mr_error *err)
{
    const int32_t quantity =
        *(const int32_t *)mr_field_in(mr_schema_type(call->schema), call->input, QUANTITY);
    void *row;
    switch (quantity) {
    case NOT_FOUND:
        return MR_NOT_FOUND;
    case UNTOLD:
        return MR_ERR_DATA;
    case TOLD:
        return mr_error_record(err, MR_ERR_HANDLER, "odd", "this is odd");
    case SENDS:
        return send(call, call->schema, call->input, err);
    case STAGES:
        return mr_context_put(call->context, 0, mr_bytes_text("k"), &row, err);
    default:
        return MR_OK;
    }
}

#ifdef AGGREGATE

static mr_status decide(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    const mr_schemas *schemas = mr_context_stage(call->context)->app->schemas;
    (void)mr_decision_add(call->decision, mr_schemas_find(schemas, mr_bytes_text("Added")));
    return do_wrong(call, err);
}

static mr_status evolve(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    (void)err;
    call->state_exists = true;
    return MR_OK;
}

static const mr_native_function functions[] = {
    {MR_DECIDE, "shop.Add", decide},
    {MR_EVOLVE, "Added", evolve},
};

#else

/* A record of its own, behind what do_wrong may send. */
static mr_status on_add(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    const mr_schemas *schemas = mr_context_stage(call->context)->app->schemas;
    const mr_schema *ping = mr_schemas_find(schemas, mr_bytes_text("Ping"));
    const mr_status status = do_wrong(call, err);
    return status == MR_OK ? send(call, ping, "", err) : status;
}

static mr_status on_any(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    return send(call, call->schema, call->input, err);
}

static const mr_native_function functions[] = {{MR_ON, "Add", on_add}, {MR_ON, "*", on_any}};

#endif

const mr_native mr_native_handlers = {
    .abi = MR_NATIVE_ABI,
    .functions = functions,
    .n_functions = 2,
};
