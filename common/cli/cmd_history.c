#include "cli/verbs.h"

#include <inttypes.h>

#include <mr/value.h>

#include "cli/event_log.h"
#include "cli/report.h"
#include "core/text.h"

typedef struct arguments {
    int64_t limit;
} arguments;

static const char *const columns[] = {"version", "time", "type", "id", "causation", "data"};

typedef struct printing {
    const mr_cli *cli;
    mr_codec *codec;
    mr_report *report;
    int64_t n;
    int64_t limit;
} printing;

static mr_status print_event(void *context, const mr_record *record, const mr_envelope *envelope,
                             mr_error *err)
{
    printing *p = context;
    const mr_schema *schema;
    void *value;
    char when[MR_TIME_TEXT_SIZE];
    MR_CLEANUP(mr_buf_deinit) mr_buf data = MR_BUF_NULL;
    MR_TRY(mr_log_decode(p->cli, p->codec, record, envelope, &schema, &value, err));
    if (value == NULL) {
        mr_buf_append_text(&data, "null");
    } else {
        mr_value_to_json(mr_schema_type(schema), value, &data);
        mr_value_free(mr_schema_type(schema), value);
    }
    mr_time_format(envelope->time_ms, when);
    if (p->report == NULL) {
        p->report = MR_REPORT_NEW(p->cli, columns);
    }
    mr_report_known(p->report, envelope->sequence);
    mr_report_text(p->report, when);
    mr_report_bytes(p->report, envelope->type);
    mr_report_bytes(p->report, envelope->id);
    mr_report_bytes(p->report, envelope->causation_id);
    mr_report_raw(p->report, mr_buf_bytes(&data));
    p->n++;
    return p->limit != 0 && p->n == p->limit ? MR_END : MR_OK;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    const mr_stage *stage = NULL;
    const char *id = cli->operands.items[2];
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_aggregate(cli, cli->operands.items[1], &stage, err));
    MR_TRY(mr_cli_connect(cli, err));
    printing p = {.cli = cli, .codec = mr_cli_codec(cli), .limit = a->limit};
    const mr_status status =
        mr_log_read_aggregate(cli, stage, mr_bytes_text(id), print_event, &p, err);
    mr_report_free(p.report);
    mr_codec_free(p.codec);
    if (status == MR_OK && p.n == 0) {
        mr_cli_note("%s '%s' has no events in %s", stage->name, id, stage->to[0]);
        return MR_NOT_FOUND;
    }
    return status;
}

static const mr_flag flags[] = {
    {.name = "limit",
     .letter = 'n',
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, limit),
     .min = 1,
     .max = INT64_MAX,
     .argument = "N",
     .text = "Only the first N events."},
};

const mr_verb mr_verb_history = {
    .name = "history",
    .operands = "APP AGGREGATE ID",
    .summary = "Prints the events of one aggregate, oldest first.",
    .text = "AGGREGATE is the name of an aggregate stage. The events topic is read from its "
            "beginning, the partition of that ID only.",
    .operands_min = 3,
    .operands_max = 3,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
