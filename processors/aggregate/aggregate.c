/*
 * One command, from left to right: who is it for, was it answered before, is the expected version
 * right, what does the app decide, what do the events do to the state, and the answer.
 */
#include "aggregate.h"

#include <stdlib.h>

#include <mr/value.h>

#include "kinds.h"

struct mr_step {
    const mr_stage *stage;
    mr_handler *handler;
    size_t store; /* index of "state" */
    mr_ledger ledger;
    mr_decision decision;
    void *state; /* working copy of the app's state record */
    bool state_exists;
    mr_buf text;
};

static mr_status aggregate_prepare(mr_app *app, mr_stage *stage, mr_error *err)
{
    if (stage->n_from != 1 || stage->n_to != 1 || stage->results == NULL) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "%s: stage '%s': an aggregate has one command topic (from), one event "
                            "topic (to) and one result topic (results)",
                            stage->definition, stage->name);
    }
    return mr_ledger_prepare(app, stage, err);
}

static mr_status aggregate_open(const mr_stage *stage, mr_handler *handler, mr_step **ret_step,
                                mr_error *err)
{
    mr_step *step = calloc(1, sizeof(*step));
    if (step == NULL) {
        return mr_error_set(err, MR_ERR_SYSTEM, "out of memory");
    }
    step->stage = stage;
    step->handler = handler;
    while (strcmp(stage->stores[step->store].name, "state") != 0) {
        step->store++;
    }
    mr_ledger_init(&step->ledger, stage);
    step->state = mr_value_new(mr_schema_type(stage->state));
    *ret_step = step;
    return MR_OK;
}

static void aggregate_close(mr_step *step)
{
    mr_value_free(mr_schema_type(step->stage->state), step->state);
    mr_ledger_deinit(&step->ledger);
    mr_decision_deinit(&step->decision);
    mr_buf_deinit(&step->text);
    free(step);
}

/* ---- Events ---- */

static mr_status send_event(mr_step *step, mr_context *context, const mr_decided_event *event,
                            int64_t version, mr_error *err)
{
    const mr_envelope *command = mr_context_envelope(context);
    mr_buf_clear(&step->text);
    mr_buf_append_bytes(&step->text, command->subject);
    mr_buf_append_byte(&step->text, '/');
    mr_buf_append_integer(&step->text, version);
    const mr_output output = {
        .topic = step->stage->to[0],
        .key = command->subject,
        .schema = event->schema,
        .value = event->value,
        .envelope =
            {
                .id = mr_buf_bytes(&step->text),
                .type = mr_bytes_text(mr_schema_short_name(event->schema)),
                .source = mr_bytes_text(step->stage->group),
                .subject = command->subject,
                .correlation_id = mr_bytes_is_null(command->correlation_id)
                                      ? command->id
                                      : command->correlation_id,
                .causation_id = command->id,
                .sequence = version,
                .expected_version = MR_VERSION_NONE,
            },
    };
    return mr_context_send(context, &output, err);
}

static mr_status evolve(mr_step *step, mr_context *context, const mr_decided_event *event,
                        int64_t version, mr_error *err)
{
    mr_call call = {
        .context = context,
        .schema = event->schema,
        .input = event->value,
        .state_schema = step->stage->state,
        .state = step->state,
        .state_exists = step->state_exists,
        .version = version,
    };
    const mr_status status = mr_handler_call(step->handler, MR_EVOLVE, &call, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_record(err, MR_ERR_HANDLER, "handler", "no evolve handler for event %s",
                               mr_schema_short_name(event->schema));
    }
    step->state_exists = call.state_exists;
    return status;
}

static void begin_state(mr_step *step, const void *state)
{
    const mr_type *type = mr_schema_type(step->stage->state);
    step->state_exists = state != NULL;
    if (state != NULL) {
        mr_value_copy(type, step->state, state);
    } else {
        mr_value_reset(type, step->state);
    }
}

/* Folds the decided events into the working copy and sends them, numbered on from `version`. */
static mr_status apply_events(mr_step *step, mr_context *context, int64_t version, mr_error *err)
{
    for (size_t i = 0; i < step->decision.n_events; i++) {
        const mr_decided_event *event = &step->decision.events[i];
        version++;
        MR_TRY(evolve(step, context, event, version, err));
        MR_TRY(send_event(step, context, event, version, err));
    }
    return mr_context_check_row(context, step->store, mr_schema_type(step->stage->state),
                                step->state, err);
}

/* ---- One command ---- */

static mr_status check_subject(const mr_context *context, mr_error *err)
{
    const mr_envelope *command = mr_context_envelope(context);
    MR_TRY(mr_envelope_require(command, err));
    if (!mr_bytes_equal(command->subject, mr_context_record(context)->key)) {
        return mr_error_record(err, MR_ERR_DATA, "validate",
                               "ce_subject '%.*s' is not the record's key: commands are keyed by "
                               "aggregate ID",
                               (int)command->subject.len, (const char *)command->subject.data);
    }
    return MR_OK;
}

static mr_status decide(mr_step *step, mr_context *context, const void *state, int64_t version,
                        mr_error *err)
{
    mr_decision_clear(&step->decision);
    mr_call call = {
        .context = context,
        .state_schema = step->stage->state,
        .state = (void *)(uintptr_t)state,
        .state_exists = state != NULL,
        .version = version,
        .decision = &step->decision,
    };
    MR_TRY(mr_context_type(context, &call.schema, err));
    void *input;
    MR_TRY(mr_context_decode(context, call.schema, &input, err));
    if (input == NULL) {
        return mr_error_record(err, MR_ERR_DATA, "validate", "a command without a value");
    }
    call.input = input;
    const mr_status status = mr_handler_call(step->handler, MR_DECIDE, &call, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_record(err, MR_ERR_DATA, "unknown_type", "stage '%s' decides no command %s",
                               step->stage->name, mr_schema_short_name(call.schema));
    }
    return status;
}

static void reject_version(mr_step *step, int64_t expected, int64_t version)
{
    mr_decision_clear(&step->decision);
    step->decision.rejected = true;
    mr_buf_append_text(&step->decision.reason, "version_conflict");
    mr_buf_printf(&step->decision.text, "expected version %lld, the aggregate is at %lld",
                  (long long)expected, (long long)version);
}

static mr_answer answer_of(const mr_step *step, const mr_envelope *command, int64_t version)
{
    const mr_decision *decision = &step->decision;
    const int64_t n_events = decision->rejected ? 0 : (int64_t)decision->n_events;
    return (mr_answer){
        .outcome = decision->rejected ? MR_REJECTED
                   : n_events > 0     ? MR_ACCEPTED
                                      : MR_NO_CHANGE,
        .command_id = command->id,
        .reason = decision->rejected ? mr_buf_bytes(&decision->reason) : MR_BYTES_NULL,
        .text = decision->text.len > 0 ? mr_buf_bytes(&decision->text) : MR_BYTES_NULL,
        .expected_version = command->expected_version,
        .version = version + n_events,
        .n_events = n_events,
    };
}

static mr_status aggregate_process(mr_step *step, mr_context *context, mr_error *err)
{
    MR_TRY(check_subject(context, err));
    const mr_envelope *command = mr_context_envelope(context);
    const void *row;
    MR_TRY(mr_context_peek(context, step->store, command->subject, &row, err));
    mr_answer answer;
    const mr_status found = mr_ledger_find(&step->ledger, context, row, &answer, err);
    if (found < 0) {
        return found;
    }
    if (found == MR_OK) {
        mr_context_count_duplicate(context);
        return mr_ledger_send_result(&step->ledger, context, &answer, err);
    }
    const int64_t version = mr_ledger_version(&step->ledger, row);
    const void *state = mr_ledger_state(&step->ledger, row);
    if (command->expected_version != MR_VERSION_NONE && command->expected_version != version) {
        reject_version(step, command->expected_version, version);
    } else {
        MR_TRY(decide(step, context, state, version, err));
    }
    answer = answer_of(step, command, version);
    if (answer.outcome == MR_ACCEPTED) {
        begin_state(step, state);
        MR_TRY(apply_events(step, context, version, err));
    }
    MR_TRY(mr_ledger_send_result(&step->ledger, context, &answer, err));
    /* From here nothing fails: the aggregate changes as a whole. */
    void *changed = mr_context_own(context, step->store, command->subject);
    if (answer.outcome == MR_ACCEPTED) {
        mr_ledger_swap_state(&step->ledger, changed, step->state);
    }
    mr_ledger_set_version(&step->ledger, changed, answer.version);
    mr_ledger_remember(&step->ledger, context, changed, &answer);
    return MR_OK;
}

static mr_status aggregate_fold(mr_step *step, mr_context *context, mr_error *err)
{
    const mr_envelope *envelope = mr_context_envelope(context);
    MR_TRY(mr_envelope_require(envelope, err));
    const void *row;
    MR_TRY(mr_context_peek(context, step->store, envelope->subject, &row, err));
    const int64_t version = mr_ledger_version(&step->ledger, row) + 1;
    if (envelope->sequence != MR_VERSION_NONE && envelope->sequence != version) {
        return mr_error_record(err, MR_ERR_DATA, "gap", "version %lld came after version %lld",
                               (long long)envelope->sequence, (long long)version - 1);
    }
    mr_decided_event event;
    MR_TRY(mr_context_type(context, &event.schema, err));
    MR_TRY(mr_context_decode(context, event.schema, &event.value, err));
    begin_state(step, mr_ledger_state(&step->ledger, row));
    MR_TRY(evolve(step, context, &event, version, err));
    void *changed = mr_context_own(context, step->store, envelope->subject);
    mr_ledger_swap_state(&step->ledger, changed, step->state);
    mr_ledger_set_version(&step->ledger, changed, version);
    return MR_OK;
}

const mr_kind mr_kind_aggregate = {
    .name = "aggregate",
    .summary = "stateful: commands become numbered events; optimistic concurrency, idempotence",
    .stateful = true,
    .prepare = aggregate_prepare,
    .open = aggregate_open,
    .process = aggregate_process,
    .fold = aggregate_fold,
    .close = aggregate_close,
};
