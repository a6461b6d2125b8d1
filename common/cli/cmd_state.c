#include "cli/verbs.h"

#include <inttypes.h>

#include <mr/json.h>

#include "cli/fields.h"
#include "cli/fold.h"
#include "core/text.h"

typedef struct arguments {
    const char *at; /* NULL: not given */
} arguments;

typedef struct folding {
    mr_fold fold;
    int64_t version; /* of the last event folded; -1: none */
    int64_t time_ms; /* of the same */
    int64_t at;      /* fold up to this version; INT64_MAX: all */
    int64_t at_ms;   /* fold while events are not later; INT64_MAX: all */
} folding;

static mr_status take_event(void *context, const mr_record *record, const mr_envelope *envelope,
                            mr_error *err)
{
    folding *f = context;
    if (envelope->sequence > f->at || envelope->time_ms > f->at_ms) {
        return MR_END;
    }
    if (envelope->sequence == MR_VERSION_NONE) {
        return mr_error_set(err, MR_ERR_DATA,
                            "%s partition %" PRId32 " offset %" PRId64
                            ": an event without ce_sequence",
                            record->topic, record->partition, record->offset);
    }
    if (envelope->sequence != f->version + 1) {
        return mr_error_set(err, MR_ERR_DATA,
                            "%s partition %" PRId32 " offset %" PRId64 ": version %" PRId64
                            " comes after %" PRId64 "; `millrace verify` looks at the whole log",
                            record->topic, record->partition, record->offset, envelope->sequence,
                            f->version);
    }
    f->version = envelope->sequence;
    f->time_ms = envelope->time_ms;
    return mr_fold_event(&f->fold, record, envelope, err);
}

static void print_json(const folding *f, const char *id, const char *when, mr_bytes state)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf line = MR_BUF_NULL;
    mr_json_writer json = mr_json_writer_on(&line);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "aggregate");
    mr_json_put_text(&json, f->fold.stage->name);
    mr_json_put_name(&json, "id");
    mr_json_put_text(&json, id);
    mr_json_put_name(&json, "version");
    mr_json_put_integer(&json, f->version);
    mr_json_put_name(&json, "time");
    mr_json_put_text(&json, when);
    mr_json_put_name(&json, "state");
    mr_json_put_raw(&json, state);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    (void)fprintf(f->fold.cli->out, "%s\n", mr_buf_text(&line));
}

static mr_status fold_and_print(folding *f, const char *id, mr_error *err)
{
    const mr_cli *cli = f->fold.cli;
    const mr_stage *stage = f->fold.stage;
    MR_CLEANUP(mr_buf_deinit) mr_buf state = MR_BUF_NULL;
    MR_TRY(mr_log_read_aggregate(cli, stage, mr_bytes_text(id), take_event, f, err));
    char when[MR_TIME_TEXT_SIZE];
    if (f->version < 0 || (f->at != INT64_MAX && f->version < f->at)) {
        mr_time_format(f->at_ms, when);
        mr_cli_note("%s '%s' has no %s%s", stage->name, id,
                    f->at_ms != INT64_MAX ? "event until "
                    : f->version < 0      ? "events"
                                          : "such version",
                    f->at_ms != INT64_MAX ? when : "");
        return MR_NOT_FOUND;
    }
    mr_time_format(f->time_ms, when);
    const mr_status status = mr_fold_state(&f->fold, mr_bytes_text(id), &state, err);
    if (status != MR_OK) {
        return status;
    }
    if (cli->json) {
        print_json(f, id, when, mr_buf_bytes(&state));
        return MR_OK;
    }
    MR_TRY(mr_fields_print(cli->out, mr_buf_bytes(&state), err));
    (void)fprintf(cli->out, "\n%s '%s' at version %" PRId64 ", of %s\n", stage->name, id,
                  f->version, when);
    return MR_OK;
}

/* A number is a version, anything else a time. */
static mr_status parse_at(const char *at, folding *f, mr_error *err)
{
    f->at = INT64_MAX;
    f->at_ms = INT64_MAX;
    if (at == NULL || (mr_parse_int64(at, &f->at) == MR_OK && f->at >= 0)) {
        return MR_OK;
    }
    f->at = INT64_MAX;
    MR_CLEANUP(mr_buf_deinit) mr_buf in_utc = MR_BUF_NULL;
    mr_buf_printf(&in_utc, "%sZ", at);
    if (mr_time_parse(mr_bytes_text(at), &f->at_ms) == MR_OK ||
        mr_time_parse(mr_buf_bytes(&in_utc), &f->at_ms) == MR_OK) {
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "--at is '%.60s', expected a version (0, 1, ...) or a time as "
                        "2020-04-20T20:30:00Z",
                        at);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    const mr_stage *stage = NULL;
    folding f = {.version = -1};
    MR_TRY(parse_at(a->at, &f, err));
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_aggregate(cli, cli->operands.items[1], &stage, err));
    MR_TRY(mr_cli_connect(cli, err));
    mr_status status = mr_fold_init(&f.fold, cli, stage, err);
    if (status == MR_OK) {
        status = fold_and_print(&f, cli->operands.items[2], err);
    }
    mr_fold_deinit(&f.fold);
    return status;
}

static const mr_flag flags[] = {
    {.name = "at",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, at),
     .argument = "VERSION|TIME",
     .text = "The state as it was after this version, or at this time (2020-04-20T20:30:00Z; "
             "without a zone: UTC; a date: its midnight): after the last event that is not later."},
};

const mr_verb mr_verb_state = {
    .name = "state",
    .operands = "APP AGGREGATE ID",
    .summary =
        "Prints an aggregate's state, now, at a version or at a time, folded from its events.",
    .text = "The events are read from the topic and folded by the app's evolve handlers: no store "
            "is asked. `millrace get APP AGGREGATE ID` prints what the store has.",
    .operands_min = 3,
    .operands_max = 3,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
