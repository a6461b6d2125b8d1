#include "aggregate.h"

#include <stdlib.h>

#include <mr/keys.h>
#include <mr/value.h>

enum { MARK_CHARS = 4 }; /* 16 bits of a command ID's hash, in hexadecimal */

const char *const mr_outcome_names[] = {"accepted", "no_change", "rejected"};

#define OUTCOME_JSON                                                                               \
    "{\"type\":\"enum\",\"name\":\"Outcome\",\"symbols\":[\"accepted\",\"no_change\","             \
    "\"rejected\"]}"

static const char answer_schema_json[] =
    "{\"type\":\"record\",\"name\":\"Answer\",\"namespace\":\"millrace\",\"fields\":["
    "{\"name\":\"Number\",\"type\":\"long\"},"
    "{\"name\":\"CommandId\",\"type\":\"string\"},"
    "{\"name\":\"Outcome\",\"type\":" OUTCOME_JSON "},"
    "{\"name\":\"Reason\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"Text\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"ExpectedVersion\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"Version\",\"type\":\"long\"},"
    "{\"name\":\"Events\",\"type\":\"long\"}]}";
enum { A_NUMBER, A_COMMAND, A_OUTCOME, A_REASON, A_TEXT, A_EXPECTED, A_VERSION, A_EVENTS };

/* Without a namespace: inside of one, the name of a state schema without one would mean another. */
static const char row_schema_json[] =
    "{\"type\":\"record\",\"name\":\"millrace_%s_aggregate\",\"fields\":["
    "{\"name\":\"Version\",\"type\":\"long\"},"
    "{\"name\":\"State\",\"type\":[\"null\",\"%s\"],\"default\":null},"
    "{\"name\":\"Answered\",\"type\":\"long\"},"
    "{\"name\":\"NextSlot\",\"type\":\"long\"},"
    "{\"name\":\"Marks\",\"type\":\"string\"}]}";
enum { R_VERSION, R_STATE, R_ANSWERED, R_NEXT_SLOT, R_MARKS };

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
    const mr_schema *answer = mr_schemas_find(app->schemas, mr_bytes_text("millrace.Answer"));
    const mr_store_key by_slot = {.kinds = {MR_KEY_STRING, MR_KEY_LONG}, .n = 2};
    (void)mr_stage_add_store(stage, "answers", answer, by_slot, false);
    return MR_OK;
}

void mr_ledger_init(mr_ledger *ledger, const mr_stage *stage)
{
    const mr_store_spec *state = mr_stage_store(stage, "state");
    const mr_store_spec *answers = mr_stage_store(stage, "answers");
    assert(state != NULL && answers != NULL);
    *ledger = (mr_ledger){
        .row = mr_schema_type(state->value),
        .answers_store = (size_t)(answers - stage->stores),
        .answer = mr_schema_type(answers->value),
        .result_schema =
            mr_schemas_find(stage->app->schemas, mr_bytes_text("millrace.CommandResult")),
    };
    assert(ledger->result_schema != NULL);
    ledger->state = ledger->row->fields[R_STATE].type;
    ledger->result = mr_value_new(mr_schema_type(ledger->result_schema));
}

void mr_ledger_deinit(mr_ledger *ledger)
{
    mr_value_free(mr_schema_type(ledger->result_schema), ledger->result);
    mr_buf_deinit(&ledger->key);
    mr_buf_deinit(&ledger->marks);
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

/* ---- Answers ---- */

/*
 * The last answers of an aggregate are a ring of rows, keyed by the aggregate's ID and a slot. The
 * aggregate's own row has a mark for each slot, by which a command that was never seen is known as
 * new without a look at them. So a command writes one small row more, not all answers again.
 */
typedef struct mr_mark {
    char digits[MARK_CHARS];
} mr_mark;

/* FNV-1a (RFC 9923), folded: the marks are part of the state, so it never changes. */
static mr_mark mark_of(mr_bytes id)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ id.data[i]) * 16777619U;
    }
    hash = (hash >> 16) ^ (hash & 0xffff);
    return (mr_mark){
        {digits[hash >> 12], digits[hash >> 8 & 15], digits[hash >> 4 & 15], digits[hash & 15]}};
}

static mr_bytes marks_of(const mr_ledger *ledger, const void *row)
{
    return mr_string_bytes(field(ledger->row, row, R_MARKS));
}

static mr_bytes answer_key(mr_ledger *ledger, mr_bytes aggregate, int64_t slot)
{
    mr_buf_clear(&ledger->key);
    mr_key_append(&ledger->key, &(mr_key_part){.kind = MR_KEY_STRING, .text = aggregate});
    mr_key_append(&ledger->key, &(mr_key_part){.kind = MR_KEY_LONG, .number = slot});
    return mr_buf_bytes(&ledger->key);
}

static mr_answer read_answer(const mr_ledger *ledger, const void *kept, mr_bytes command_id)
{
    const mr_type *type = ledger->answer;
    const mr_type *version_type = type->fields[A_EXPECTED].type;
    const mr_union *expected = field(type, kept, A_EXPECTED);
    mr_answer answer = {
        .outcome = (mr_outcome) * (const int32_t *)field(type, kept, A_OUTCOME),
        .command_id = command_id,
        .reason = optional_text(type->fields[A_REASON].type, field(type, kept, A_REASON)),
        .text = optional_text(type->fields[A_TEXT].type, field(type, kept, A_TEXT)),
        .expected_version = MR_VERSION_NONE,
        .version = *(const int64_t *)field(type, kept, A_VERSION),
        .n_events = *(const int64_t *)field(type, kept, A_EVENTS),
    };
    if (expected->branch != version_type->null_branch) {
        answer.expected_version =
            *(const int64_t *)(const void *)((const uint8_t *)expected + version_type->payload);
    }
    return answer;
}

mr_status mr_ledger_find(mr_ledger *ledger, mr_context *context, const void *row,
                         mr_answer *ret_answer, mr_error *err)
{
    if (row == NULL) {
        return MR_NOT_FOUND;
    }
    const mr_envelope *command = mr_context_envelope(context);
    const mr_bytes marks = marks_of(ledger, row);
    const mr_mark mark = mark_of(command->id);
    for (size_t at = 0; at < marks.len; at += MARK_CHARS) {
        if (memcmp(marks.data + at, mark.digits, MARK_CHARS) != 0) {
            continue;
        }
        const mr_bytes key = answer_key(ledger, command->subject, (int64_t)at / MARK_CHARS);
        const void *kept;
        MR_TRY(mr_context_peek(context, ledger->answers_store, key, &kept, err));
        if (kept != NULL &&
            mr_bytes_equal(mr_string_bytes(field(ledger->answer, kept, A_COMMAND)), command->id)) {
            *ret_answer = read_answer(ledger, kept, command->id);
            return MR_OK;
        }
    }
    return MR_NOT_FOUND;
}

/* The slot for one answer more, marked. The ring grows at its end only, so it takes one round to
 * follow a larger `remember`; it never shrinks. */
static int64_t take_slot(mr_ledger *ledger, void *row, mr_bytes command_id, int64_t remember)
{
    const mr_mark mark = mark_of(command_id);
    mr_string *marks = mr_field_at(ledger->row, row, R_MARKS);
    int64_t *next = mr_field_at(ledger->row, row, R_NEXT_SLOT);
    const int64_t n = (int64_t)(mr_string_bytes(marks).len / MARK_CHARS);
    if (*next == n && n >= remember) {
        *next = 0;
    }
    const int64_t slot = (*next)++;
    if (slot < n) {
        memcpy(marks->data + slot * MARK_CHARS, mark.digits, MARK_CHARS);
    } else {
        mr_buf_clear(&ledger->marks);
        mr_buf_append_bytes(&ledger->marks, mr_string_bytes(marks));
        mr_buf_append(&ledger->marks, mark.digits, MARK_CHARS);
        mr_string_set(marks, mr_buf_bytes(&ledger->marks));
    }
    return slot;
}

void mr_ledger_remember(mr_ledger *ledger, mr_context *context, void *row, const mr_answer *answer)
{
    const int64_t slot =
        take_slot(ledger, row, answer->command_id, mr_context_stage(context)->remember);
    int64_t *answered = mr_field_at(ledger->row, row, R_ANSWERED);

    const mr_type *type = ledger->answer;
    const mr_bytes subject = mr_context_envelope(context)->subject;
    void *kept =
        mr_context_replace(context, ledger->answers_store, answer_key(ledger, subject, slot));
    *(int64_t *)mr_field_at(type, kept, A_NUMBER) = (*answered)++;
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
        mr_buf_append_byte(&id, '/');
        mr_buf_append_integer(&id, answer->version - i + 1);
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
