#include "cli/verbs.h"

#include <inttypes.h>

#include <mr/json.h>

#include "cli/fields.h"
#include "cli/fold.h"

typedef struct arguments {
    int64_t at; /* -1: not given */
} arguments;

typedef struct folding {
    mr_fold fold;
    int64_t version; /* of the last event folded; -1: none */
    int64_t at;      /* fold up to this version; INT64_MAX: all */
} folding;

static mr_status take_event(void *context, const mr_record *record, const mr_envelope *envelope,
                            mr_error *err)
{
    folding *f = context;
    if (envelope->sequence > f->at) {
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
    return mr_fold_event(&f->fold, record, envelope, err);
}

static void print_json(const folding *f, const char *id, mr_bytes state)
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
    if (f->version < 0 || (f->at != INT64_MAX && f->version < f->at)) {
        mr_cli_note(f->version < 0 ? "%s '%s' has no events" : "%s '%s' has no such version",
                    stage->name, id);
        return MR_NOT_FOUND;
    }
    const mr_status status = mr_fold_state(&f->fold, mr_bytes_text(id), &state, err);
    if (status != MR_OK) {
        return status;
    }
    if (cli->json) {
        print_json(f, id, mr_buf_bytes(&state));
        return MR_OK;
    }
    MR_TRY(mr_fields_print(cli->out, mr_buf_bytes(&state), err));
    (void)fprintf(cli->out, "\n%s '%s' at version %" PRId64 "\n", stage->name, id, f->version);
    return MR_OK;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    const mr_stage *stage = NULL;
    folding f = {.version = -1, .at = a->at < 0 ? INT64_MAX : a->at};
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
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, at),
     .min = 0,
     .max = INT64_MAX - 1,
     .preset = -1,
     .argument = "VERSION",
     .text = "The state as it was after this version."},
};

const mr_verb mr_verb_state = {
    .name = "state",
    .operands = "APP AGGREGATE ID",
    .summary = "Prints an aggregate's state, now or at a version, folded from its events.",
    .text = "The events are read from the topic and folded by the app's evolve handlers: no store "
            "is asked. `millrace get APP AGGREGATE ID` prints what the store has.",
    .operands_min = 3,
    .operands_max = 3,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
