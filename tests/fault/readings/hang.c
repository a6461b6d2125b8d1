/* The handlers of `totals`, which never end at a reading of a sensor whose name begins with
 * MR_TEST_HANG: so one instance of the stage hangs where another does not. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mr/native.h>
#include <mr/value.h>

enum { SENSOR, AMOUNT }; /* fields of a Reading */
enum { COUNT, SUM };     /* fields of a Total */
enum { TOTALS };         /* stage->stores */

static void hang_at(mr_bytes sensor)
{
    const char *name = getenv("MR_TEST_HANG");
    while (name != NULL && strlen(name) <= sensor.len &&
           memcmp(name, sensor.data, strlen(name)) == 0) {
        (void)pause();
    }
}

static mr_status on_reading(void *self, mr_call *call, mr_error *err)
{
    (void)self;
    const mr_type *type = mr_schema_type(call->schema);
    const mr_type *row_type = mr_schema_type(mr_context_stage(call->context)->stores[TOTALS].value);
    const mr_key_part sensor = {.kind = MR_KEY_STRING,
                                .text = mr_string_bytes(mr_field_in(type, call->input, SENSOR))};
    MR_CLEANUP(mr_buf_deinit) mr_buf key = MR_BUF_NULL;
    mr_key_append(&key, &sensor);
    void *row;
    hang_at(sensor.text);
    const mr_status found = mr_context_edit(call->context, TOTALS, mr_buf_bytes(&key), &row, err);
    if (found == MR_NOT_FOUND) {
        MR_TRY(mr_context_put(call->context, TOTALS, mr_buf_bytes(&key), &row, err));
    } else {
        MR_TRY(found);
    }
    ++*(int64_t *)mr_field_at(row_type, row, COUNT);
    *(int64_t *)mr_field_at(row_type, row, SUM) +=
        *(const int64_t *)mr_field_in(type, call->input, AMOUNT);
    return MR_OK;
}

static const mr_native_function functions[] = {{MR_ON, "Reading", on_reading}};

const mr_native mr_native_handlers = {
    .abi = MR_NATIVE_ABI, .functions = functions, .n_functions = 1};
