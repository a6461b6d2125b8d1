/* A transform stage: readings go on keyed by sensor; great ones make an alarm, too. */
#include <stdlib.h>

#include <mr/native.h>
#include <mr/value.h>

enum { SENSOR, AMOUNT };         /* fields of a Reading */
enum { ALARM_FROM, SETTINGS };   /* stage->settings */
enum { TO_READINGS, TO_ALARMS }; /* stage->to */

typedef struct router {
    const mr_stage *stage;
    const mr_schema *alarm_schema;
    void *alarm;
} router;

static mr_status send(mr_call *call, size_t to, mr_bytes key, const mr_schema *schema,
                      const void *value, mr_error *err)
{
    mr_output output = {.topic = mr_context_stage(call->context)->to[to],
                        .key = key,
                        .schema = schema,
                        .value = value,
                        .envelope = MR_ENVELOPE_NULL};
    mr_call_derive(call, &output);
    return mr_context_send(call->context, &output, err);
}

static mr_status on_reading(void *self, mr_call *call, mr_error *err)
{
    const router *route = self;
    if (call->input == NULL) {
        return mr_error_record(err, MR_ERR_HANDLER, "validate", "a reading without a value");
    }
    const mr_type *type = mr_schema_type(call->schema);
    const mr_bytes sensor = mr_string_bytes(mr_field_in(type, call->input, SENSOR));
    const int64_t amount = *(const int64_t *)mr_field_in(type, call->input, AMOUNT);
    MR_TRY(send(call, TO_READINGS, sensor, call->schema, call->input, err));
    if (amount < route->stage->settings[ALARM_FROM]) {
        return MR_OK;
    }
    *(int64_t *)mr_field_at(mr_schema_type(route->alarm_schema), route->alarm, 0) = amount;
    return send(call, TO_ALARMS, sensor, route->alarm_schema, route->alarm, err);
}

static mr_status open_route(const mr_stage *stage, void **ret_self, mr_error *err)
{
    const mr_schema *alarm = mr_schemas_find(stage->app->schemas, mr_bytes_text("Alarm"));
    router *route = malloc(sizeof(*route));
    if (route == NULL || stage->n_to != 2) {
        free(route);
        return mr_error_set(err, MR_ERR_USAGE, "`to` must be the topics of readings and of alarms");
    }
    route->stage = stage;
    route->alarm_schema = alarm;
    route->alarm = mr_value_new(mr_schema_type(alarm));
    *ret_self = route;
    return MR_OK;
}

static void close_route(void *self)
{
    router *route = self;
    mr_value_free(mr_schema_type(route->alarm_schema), route->alarm);
    free(route);
}

static const mr_native_function functions[] = {{MR_ON, "Reading", on_reading}};
static const mr_native_setting settings[SETTINGS] = {[ALARM_FROM] = {"alarm_from", 1, 1000000}};

const mr_native mr_native_handlers = {
    .abi = MR_NATIVE_ABI,
    .functions = functions,
    .n_functions = 1,
    .settings = settings,
    .n_settings = SETTINGS,
    .open = open_route,
    .close = close_route,
};
