#include "aggregate.h"

#include <stdlib.h>

#include <mr/value.h>

const char *const mr_outcome_names[] = {"accepted", "no_change", "rejected"};

#define OUTCOME_JSON                                                                               \
    "{\"type\":\"enum\",\"name\":\"Outcome\",\"symbols\":[\"accepted\",\"no_change\","             \
    "\"rejected\"]}"

static const char answer_schema_json[] =
    "{\"type\":\"record\",\"name\":\"Answer\",\"namespace\":\"millrace\",\"fields\":["
    "{\"name\":\"CommandId\",\"type\":\"string\"},"
    "{\"name\":\"Outcome\",\"type\":" OUTCOME_JSON "},"
    "{\"name\":\"Reason\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"Text\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"ExpectedVersion\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"Version\",\"type\":\"long\"},"
    "{\"name\":\"Events\",\"type\":\"long\"}]}";
enum { A_COMMAND, A_OUTCOME, A_REASON, A_TEXT, A_EXPECTED, A_VERSION, A_EVENTS };

static const char row_schema_json[] =
    "{\"type\":\"record\",\"name\":\"Aggregate\",\"namespace\":\"millrace.%s\",\"fields\":["
    "{\"name\":\"Version\",\"type\":\"long\"},"
    "{\"name\":\"State\",\"type\":[\"null\",\"%s\"],\"default\":null},"
    "{\"name\":\"Answers\",\"type\":{\"type\":\"array\",\"items\":\"millrace.Answer\"}}]}";
enum { R_VERSION, R_STATE, R_ANSWERS };

static const char result_schema_json[] =
    "{\"type\":\"record\",\"name\":\"CommandResult\",\"namespace\":\"millrace\",\"fields\":["
    "{\"name\":\"CommandId\",\"type\":\"string\"},"
    "{\"name\":\"AggregateId\",\"type\":\"string\"},"
    "{\"name\":\"Outcome\",\"type\":\"millrace.Outcome\"},"
    "{\"name\":\"Reason\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"Text\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"ExpectedVersion\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"ActualVersion\",\"type\":\"long\"},"
    "{\"name\":\"EventIds\",\"type\":{\"type\":\"array\",\"items\":\"string\"}}]}";
enum { C_COMMAND, C_AGGREGATE, C_OUTCOME, C_REASON, C_TEXT, C_EXPECTED, C_ACTUAL, C_EVENTS };

/* ---- Schemas ---- */

static mr_status add_once(mr_app *app, const char *name, const char *json, mr_error *err)
{
    if (mr_schemas_find(app->schemas, mr_bytes_text(name)) != NULL) {
        return MR_OK;
    }
    const mr_schema *schema;
    return mr_schemas_add(app->schemas, json, "ledger.c", &schema, err);
}

/* Stage names may hold what Avro names may not. */
static void append_avro_name(mr_buf *buf, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        const bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        const bool digit = *c >= '0' && *c <= '9' && c != name;
        mr_buf_append_byte(buf, letter || digit ? (uint8_t)*c : '_');
    }
}

mr_status mr_ledger_prepare(mr_app *app, mr_stage *stage, mr_error *err)
{
    MR_TRY(add_once(app, "millrace.Answer", answer_schema_json, err));
    MR_TRY(add_once(app, "millrace.CommandResult", result_schema_json, err));
    mr_buf name = MR_BUF_NULL;
    append_avro_name(&name, stage->name);
    mr_buf json = MR_BUF_NULL;
    mr_buf_printf(&json, row_schema_json, mr_buf_text(&name), mr_schema_name(stage->state));
    const mr_schema *schema;
    const mr_status status =
        mr_schemas_add(app->schemas, mr_buf_text(&json), stage->definition, &schema, err);
    mr_buf_deinit(&json);
    mr_buf_deinit(&name);
    MR_TRY(status);
    (void)mr_stage_add_store(stage, "state", schema, (mr_store_key){.raw = true}, false);
    return MR_OK;
}

void mr_ledger_init(mr_ledger *ledger, const mr_stage *stage)
{
    const mr_store_spec *store = mr_stage_store(stage, "state");
    assert(store != NULL);
    *ledger = (mr_ledger){
        .row_schema = store->value,
        .row = mr_schema_type(store->value),
        .result_schema =
            mr_schemas_find(stage->app->schemas, mr_bytes_text("millrace.CommandResult")),
        .remember = (size_t)stage->remember,
    };
    assert(ledger->result_schema != NULL);
    ledger->answers = ledger->row->fields[R_ANSWERS].type;
    ledger->answer = ledger->answers->items;
    ledger->state = ledger->row->fields[R_STATE].type;
    ledger->result = mr_value_new(mr_schema_type(ledger->result_schema));
}

void mr_ledger_deinit(mr_ledger *ledger)
{
    mr_value_free(mr_schema_type(ledger->result_schema), ledger->result);
}

/* ---- Rows ---- */

static const void *field(const mr_type *type, const void *value, size_t i)
{
    return (const uint8_t *)value + type->fields[i].offset;
}

int64_t mr_ledger_version(const mr_ledger *ledger, const void *row)
{
    return row == NULL ? -1 : *(const int64_t *)field(ledger->row, row, R_VERSION);
}

const void *mr_ledger_state(const mr_ledger *ledger, const void *row)
{
    if (row == NULL) {
        return NULL;
    }
    const mr_union *state = field(ledger->row, row, R_STATE);
    return state->branch == 0 ? NULL : (const uint8_t *)state + ledger->state->payload;
}

static mr_bytes optional_text(const mr_type *type, const void *value)
{
    const mr_union *chosen = value;
    if (chosen->branch == type->null_branch) {
        return MR_BYTES_NULL;
    }
    return mr_string_bytes(
        (const mr_string *)(const void *)((const uint8_t *)value + type->payload));
}

static void set_optional_text(const mr_type *type, void *value, mr_bytes text)
{
    if (mr_bytes_is_null(text)) {
        mr_union_select(type, value, type->null_branch);
        return;
    }
    mr_union_select(type, value, 1 - type->null_branch);
    mr_string_set(mr_union_payload(type, value), text);
}

static void set_optional_version(const mr_type *type, void *value, int64_t version)
{
    if (version == MR_VERSION_NONE) {
        mr_union_select(type, value, type->null_branch);
        return;
    }
    mr_union_select(type, value, 1 - type->null_branch);
    *(int64_t *)mr_union_payload(type, value) = version;
}

mr_status mr_ledger_find(const mr_ledger *ledger, const void *row, mr_bytes command_id,
                         mr_answer *ret_answer)
{
    if (row == NULL) {
        return MR_NOT_FOUND;
    }
    const mr_array *answers = field(ledger->row, row, R_ANSWERS);
    const mr_type *type = ledger->answer;
    for (size_t i = answers->len; i > 0; i--) {
        const void *answer = mr_array_at(ledger->answers, answers, i - 1);
        const mr_string *id = field(type, answer, A_COMMAND);
        if (!mr_bytes_equal(mr_string_bytes(id), command_id)) {
            continue;
        }
        const mr_type *version_type = type->fields[A_EXPECTED].type;
        const mr_union *expected = field(type, answer, A_EXPECTED);
        *ret_answer = (mr_answer){
            .outcome = (mr_outcome) * (const int32_t *)field(type, answer, A_OUTCOME),
            .command_id = command_id,
            .reason = optional_text(type->fields[A_REASON].type, field(type, answer, A_REASON)),
            .text = optional_text(type->fields[A_TEXT].type, field(type, answer, A_TEXT)),
            .expected_version = MR_VERSION_NONE,
            .version = *(const int64_t *)field(type, answer, A_VERSION),
            .n_events = *(const int64_t *)field(type, answer, A_EVENTS),
        };
        if (expected->branch != version_type->null_branch) {
            ret_answer->expected_version =
                *(const int64_t *)(const void *)((const uint8_t *)expected + version_type->payload);
        }
        return MR_OK;
    }
    return MR_NOT_FOUND;
}

void mr_ledger_remember(const mr_ledger *ledger, void *row, const mr_answer *answer)
{
    const mr_type *type = ledger->answer;
    mr_array *answers = mr_field_at(ledger->row, row, R_ANSWERS);
    while (answers->len > 0 && answers->len >= ledger->remember) {
        mr_array_remove(ledger->answers, answers, 0);
    }
    if (ledger->remember == 0) {
        return;
    }
    void *kept = mr_array_push(ledger->answers, answers);
    mr_string_set(mr_field_at(type, kept, A_COMMAND), answer->command_id);
    *(int32_t *)mr_field_at(type, kept, A_OUTCOME) = (int32_t)answer->outcome;
    set_optional_text(type->fields[A_REASON].type, mr_field_at(type, kept, A_REASON),
                      answer->reason);
    set_optional_text(type->fields[A_TEXT].type, mr_field_at(type, kept, A_TEXT), answer->text);
    set_optional_version(type->fields[A_EXPECTED].type, mr_field_at(type, kept, A_EXPECTED),
                         answer->expected_version);
    *(int64_t *)mr_field_at(type, kept, A_VERSION) = answer->version;
    *(int64_t *)mr_field_at(type, kept, A_EVENTS) = answer->n_events;
}

void mr_ledger_set_version(const mr_ledger *ledger, void *row, int64_t version)
{
    *(int64_t *)mr_field_at(ledger->row, row, R_VERSION) = version;
}

void mr_ledger_swap_state(const mr_ledger *ledger, void *row, void *state)
{
    void *chosen = mr_field_at(ledger->row, row, R_STATE);
    mr_union_select(ledger->state, chosen, 1 - ledger->state->null_branch);
    mr_value_swap(ledger->state->branches[1 - ledger->state->null_branch],
                  mr_union_payload(ledger->state, chosen), state);
}

/* ---- Results ---- */

static void fill_result(mr_ledger *ledger, mr_bytes aggregate, const mr_answer *answer)
{
    const mr_type *type = mr_schema_type(ledger->result_schema);
    void *result = ledger->result;
    mr_string_set(mr_field_at(type, result, C_COMMAND), answer->command_id);
    mr_string_set(mr_field_at(type, result, C_AGGREGATE), aggregate);
    *(int32_t *)mr_field_at(type, result, C_OUTCOME) = (int32_t)answer->outcome;
    set_optional_text(type->fields[C_REASON].type, mr_field_at(type, result, C_REASON),
                      answer->reason);
    set_optional_text(type->fields[C_TEXT].type, mr_field_at(type, result, C_TEXT), answer->text);
    set_optional_version(type->fields[C_EXPECTED].type, mr_field_at(type, result, C_EXPECTED),
                         answer->expected_version);
    *(int64_t *)mr_field_at(type, result, C_ACTUAL) = answer->version;
    const mr_type *ids_type = type->fields[C_EVENTS].type;
    mr_array *ids = mr_field_at(type, result, C_EVENTS);
    mr_array_clear(ids_type, ids);
    mr_buf id = MR_BUF_NULL;
    for (int64_t i = answer->n_events; i > 0; i--) {
        mr_buf_clear(&id);
        mr_buf_append_bytes(&id, aggregate);
        mr_buf_printf(&id, "/%lld", (long long)(answer->version - i + 1));
        mr_string_set(mr_array_push(ids_type, ids), mr_buf_bytes(&id));
    }
    mr_buf_deinit(&id);
}

mr_status mr_ledger_send_result(mr_ledger *ledger, mr_context *context, const mr_answer *answer,
                                mr_error *err)
{
    const mr_envelope *command = mr_context_envelope(context);
    const mr_stage *stage = mr_context_stage(context);
    fill_result(ledger, command->subject, answer);
    mr_buf id = MR_BUF_NULL;
    mr_buf_append_bytes(&id, answer->command_id);
    mr_buf_append_text(&id, "/result");
    const mr_output output = {
        .topic = stage->results,
        .key = command->subject,
        .schema = ledger->result_schema,
        .value = ledger->result,
        .envelope =
            {
                .id = mr_buf_bytes(&id),
                .type = mr_bytes_text(mr_outcome_names[answer->outcome]),
                .source = mr_bytes_text(stage->group),
                .subject = command->subject,
                .correlation_id = mr_bytes_is_null(command->correlation_id)
                                      ? command->id
                                      : command->correlation_id,
                .causation_id = answer->command_id,
                .sequence = MR_VERSION_NONE,
                .expected_version = MR_VERSION_NONE,
            },
    };
    const mr_status status = mr_context_send(context, &output, err);
    mr_buf_deinit(&id);
    return status;
}
