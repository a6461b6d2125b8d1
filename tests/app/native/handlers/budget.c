/* An aggregate stage: what is spent may not be more than the limit. */
#include <stdlib.h>

#include <mr/native.h>
#include <mr/value.h>

enum { LIMIT, SETTINGS }; /* stage->settings */

/* Spend, Spent and Budget have one field. */
static int64_t *only(const mr_schema *schema, void *value)
{
    return mr_field_at(mr_schema_type(schema), value, 0);
}

static int64_t amount_of(const mr_call *call)
{
    return *(const int64_t *)mr_field_in(mr_schema_type(call->schema), call->input, 0);
}

static mr_status decide_spend(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    (void)err;
    const mr_stage *stage = mr_context_stage(call->context);
    const mr_schema *spent = mr_schemas_find(stage->app->schemas, mr_bytes_text("Spent"));
    const int64_t used = call->state_exists ? *only(call->state_schema, call->state) : 0;
    if (used + amount_of(call) > stage->settings[LIMIT]) {
        call->decision->rejected = true;
        mr_buf_append_text(&call->decision->reason, "too_much");
        return MR_OK;
    }
    *only(spent, mr_decision_add(call->decision, spent)) = amount_of(call);
    return MR_OK;
}

static mr_status evolve_spent(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    (void)err;
    *only(call->state_schema, call->state) += amount_of(call);
    call->state_exists = true;
    return MR_OK;
}

static const mr_native_function functions[] = {
    {MR_DECIDE, "Spend", decide_spend},
    {MR_EVOLVE, "Spent", evolve_spent},
};
static const mr_native_setting settings[SETTINGS] = {[LIMIT] = {"limit", 0, 1000000}};

const mr_native mr_native_handlers = {
    .abi = MR_NATIVE_ABI,
    .functions = functions,
    .n_functions = sizeof(functions) / sizeof(functions[0]),
    .settings = settings,
    .n_settings = SETTINGS,
};
