/* ShuffleBench's consumer, as apps/shuffle/count has it: each rule counts its lines. */
#include <stdlib.h>

#include <mr/native.h>
#include <mr/value.h>

#include "random.h"
#include "words.h"

enum { RATE, PREFIX, SETTINGS };               /* stage->settings */
enum { DATA };                                 /* of a Line */
enum { COUNT, SUM, START, END, STATE_PREFIX }; /* of a State */

static const uint64_t count_seed = UINT64_C(0x1b873593cc9e2d51);

typedef struct line_counter {
    const mr_stage *stage;
    size_t states, full; /* stores */
    const mr_type *type; /* of a State */
    mr_buf key;
} line_counter;

static mr_status open_counter(const mr_stage *stage, void **ret_self, mr_error *err)
{
    const mr_store_spec *states = mr_stage_store(stage, "states");
    const mr_store_spec *full = mr_stage_store(stage, "full");
    if (states == NULL || full == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "the stage needs the stores states and full");
    }
    line_counter *counter = calloc(1, sizeof(*counter));
    if (counter == NULL) {
        return mr_error_set(err, MR_ERR_SYSTEM, "no memory");
    }
    counter->stage = stage;
    counter->states = (size_t)(states - stage->stores);
    counter->full = (size_t)(full - stage->stores);
    counter->type = mr_schema_type(states->value);
    *ret_self = counter;
    return MR_OK;
}

static void close_counter(void *self)
{
    line_counter *counter = self;
    mr_buf_deinit(&counter->key);
    free(counter);
}

/* Not all rules make their first output at the same time. The key is "rule-123". */
static int64_t first_count(const line_counter *counter, mr_bytes key)
{
    uint64_t rule = 0;
    for (size_t i = sizeof("rule-") - 1; i < key.len; i++) {
        rule = rule * 10 + (uint64_t)(key.data[i] - '0');
    }
    return (int64_t)((random_at(count_seed, rule) & (UINT64_MAX >> 1)) %
                     (uint64_t)counter->stage->settings[RATE]);
}

static int64_t *number(const line_counter *counter, void *row, size_t field)
{
    return mr_field_at(counter->type, row, field);
}

/* The state of the rule, made if it is new. */
static mr_status edit_state(line_counter *counter, mr_call *call, void **ret_row, mr_error *err)
{
    const mr_bytes rule = mr_context_record(call->context)->key;
    const mr_key_part part = {.kind = MR_KEY_STRING, .text = rule};
    mr_buf_clear(&counter->key);
    mr_key_append(&counter->key, &part);
    const mr_bytes key = mr_buf_bytes(&counter->key);
    const mr_status found = mr_context_edit(call->context, counter->states, key, ret_row, err);
    if (found != MR_NOT_FOUND) {
        return found;
    }
    MR_TRY(mr_context_put(call->context, counter->states, key, ret_row, err));
    *number(counter, *ret_row, COUNT) = first_count(counter, rule);
    return MR_OK;
}

/* What is full goes out, and begins anew. */
static mr_status send_state(line_counter *counter, mr_call *call, void *row, mr_error *err)
{
    void *sent;
    MR_TRY(mr_context_put(call->context, counter->full, mr_buf_bytes(&counter->key), &sent, err));
    mr_value_swap(counter->type, sent, row);
    mr_value_reset(counter->type, row);
    return MR_OK;
}

static mr_status on_line(void *self, mr_call *call, mr_error *err)
{
    line_counter *counter = self;
    const int64_t time = mr_context_record(call->context)->timestamp_ms;
    uint64_t first = 0;
    void *row;
    MR_TRY(words_read(call, DATA, &first, 1, err));
    MR_TRY(edit_state(counter, call, &row, err));
    int64_t *count = number(counter, row, COUNT);
    int64_t *sum = number(counter, row, SUM);
    *sum = (int64_t)((uint64_t)*sum + first);
    if (++*count == 1) {
        *number(counter, row, START) = time;
    }
    *number(counter, row, END) = time;
    mr_bytes data = mr_string_bytes(mr_field_in(mr_schema_type(call->schema), call->input, DATA));
    const size_t prefix = (size_t)counter->stage->settings[PREFIX];
    data.len = data.len < prefix ? data.len : prefix;
    mr_string_set(mr_field_at(counter->type, row, STATE_PREFIX), data);
    return *count == counter->stage->settings[RATE] ? send_state(counter, call, row, err) : MR_OK;
}

static const mr_native_function functions[] = {{MR_ON, "Line", on_line}};
static const mr_native_setting settings[SETTINGS] = {
    [RATE] = {"rate", 1, 1000000},
    [PREFIX] = {"prefix", 0, 1000000},
};

const mr_native mr_native_handlers = {
    .abi = MR_NATIVE_ABI,
    .functions = functions,
    .n_functions = 1,
    .settings = settings,
    .n_settings = SETTINGS,
    .open = open_counter,
    .close = close_counter,
};
