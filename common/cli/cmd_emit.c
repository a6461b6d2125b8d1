#include "cli/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include <mr/json.h>

#include "cli/answers.h"
#include "cli/emit_record.h"
#include "cli/report.h"
#include "core/text.h"

enum { LINE_BYTES_MAX = 64 << 20 };

typedef struct arguments {
    const char *file;
    const char *type;
    const char *subject;
    const char *id;
    const char *key;
    int64_t expected_version;
    int64_t wait_seconds;
    bool no_check;
} arguments;

static const char *const sent_columns[] = {"id", "type", "subject", "topic"};
static const char *const answer_columns[] = {"id",     "subject", "outcome",
                                             "reason", "version", "result"};

typedef struct emitting {
    mr_cli *cli;
    const arguments *given;
    const char *topic;
    mr_producer *producer;
    mr_answers *answers; /* NULL: nobody waits */
    mr_report *report;
    mr_emit_record record;
    int64_t n;
} emitting;

/* ---- One record ---- */

static mr_status fill_id(emitting *e, mr_error *err)
{
    uint8_t bytes[16];
    char text[MR_UUID_SIZE];
    if (e->record.id.len > 0) {
        return MR_OK;
    }
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        return mr_error_set(err, MR_ERR_SYSTEM, "no random bytes for an ID: give one with --id");
    }
    mr_uuid_format(bytes, text);
    mr_buf_append_text(&e->record.id, text);
    return MR_OK;
}

static mr_status send(emitting *e, mr_error *err)
{
    const mr_emit_record *r = &e->record;
    mr_clock *clock = mr_clock_system();
    const int64_t now_ms = clock->wall_ms(clock);
    const mr_envelope envelope = {
        .id = mr_buf_bytes(&r->id),
        .type = mr_buf_bytes(&r->type),
        .source = mr_bytes_text("millrace-emit"),
        .subject = mr_buf_bytes(&r->subject),
        .content_type = mr_bytes_text("application/json"),
        .time_ms = r->time_ms >= 0 ? r->time_ms : now_ms,
        .sequence = MR_VERSION_NONE,
        .expected_version = r->expected_version,
    };
    mr_envelope_headers headers;
    mr_envelope_write(&envelope, &headers);
    const mr_record record = {
        .topic = e->topic,
        .partition = -1,
        .timestamp_ms = now_ms,
        .key = mr_buf_bytes(r->has_key ? &r->key : &r->subject),
        .value = r->data.len == 0 ? MR_BYTES_NULL : mr_buf_bytes(&r->data),
        .headers = headers.headers,
        .n_headers = headers.n,
    };
    return mr_producer_send(e->producer, &record, NULL, err);
}

static mr_status emit(emitting *e, mr_error *err)
{
    MR_TRY(fill_id(e, err));
    if (!e->given->no_check) {
        MR_TRY(mr_emit_record_check(&e->record, e->cli->app, e->topic, err));
    }
    MR_TRY(send(e, err));
    e->n++;
    if (e->answers != NULL) {
        mr_answers_expect(e->answers, mr_buf_bytes(&e->record.id));
        return MR_OK;
    }
    if (e->report == NULL) {
        e->report = MR_REPORT_NEW(e->cli, sent_columns);
    }
    mr_report_bytes(e->report, mr_buf_bytes(&e->record.id));
    mr_report_bytes(e->report, mr_buf_bytes(&e->record.type));
    mr_report_bytes(e->report, mr_buf_bytes(&e->record.subject));
    mr_report_text(e->report, e->topic);
    return MR_OK;
}

/* ---- From where ---- */

/* One line without its end; MR_END. */
static mr_status read_line(FILE *file, mr_buf *line, mr_error *err)
{
    char chunk[65536];
    mr_buf_clear(line);
    while (fgets(chunk, sizeof(chunk), file) != NULL) {
        const size_t len = strlen(chunk);
        mr_buf_append(line, chunk, len);
        if (len > 0 && chunk[len - 1] == '\n') {
            line->len -= 1;
            return MR_OK;
        }
        if (line->len > LINE_BYTES_MAX) {
            return mr_error_set(err, MR_ERR_USAGE, "longer than %d bytes", LINE_BYTES_MAX);
        }
    }
    if (ferror(file) != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "read: %s", strerror(errno));
    }
    return line->len > 0 ? MR_OK : MR_END;
}

static bool is_blank(const mr_buf *line)
{
    const char *text = mr_buf_text(line);
    return strspn(text, " \t\r") == strlen(text);
}

static mr_status emit_lines(emitting *e, FILE *file, const char *name, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf line = MR_BUF_NULL;
    for (int64_t number = 1;; number++) {
        mr_status status = read_line(file, &line, err);
        if (status == MR_END) {
            return MR_OK;
        }
        if (status == MR_OK && !is_blank(&line)) {
            mr_emit_record_clear(&e->record);
            status = mr_emit_record_parse(mr_buf_bytes(&line), &e->record, err);
            status = status == MR_OK ? emit(e, err) : status;
        }
        if (status != MR_OK) {
            return mr_error_prefix(err, "%s:%" PRId64 " (%" PRId64 " records before it were sent)",
                                   name, number, e->n);
        }
    }
}

static mr_status emit_file(emitting *e, const char *name, mr_error *err)
{
    if (strcmp(name, "-") == 0) {
        return emit_lines(e, stdin, "standard input", err);
    }
    FILE *file = fopen(name, "re");
    if (file == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "--file %s: %s", name, strerror(errno));
    }
    const mr_status status = emit_lines(e, file, name, err);
    (void)fclose(file); /* only read from */
    return status;
}

static void set_text(mr_buf *buf, const char *text)
{
    if (text != NULL) {
        mr_buf_clear(buf);
        mr_buf_append_text(buf, text);
    }
}

/* With --type the JSON is the data, without it the whole record. */
static mr_status emit_one(emitting *e, const char *json, mr_error *err)
{
    const arguments *a = e->given;
    mr_emit_record_clear(&e->record);
    if (a->type != NULL) {
        set_text(&e->record.data, json == NULL ? "{}" : json);
    } else {
        MR_TRY(mr_emit_record_parse(mr_bytes_text(json), &e->record, err));
    }
    set_text(&e->record.type, a->type);
    set_text(&e->record.subject, a->subject);
    set_text(&e->record.id, a->id);
    set_text(&e->record.key, a->key);
    e->record.has_key |= a->key != NULL;
    if (a->expected_version != MR_VERSION_NONE) {
        e->record.expected_version = a->expected_version;
    }
    return emit(e, err);
}

/* ---- Answers ---- */

static void print_answer(void *context, mr_bytes id, mr_bytes subject, mr_bytes outcome,
                         mr_bytes value)
{
    emitting *e = context;
    mr_json *json = NULL;
    mr_error err;
    mr_bytes reason = MR_BYTES_NULL;
    int64_t version = -1;
    if (mr_json_parse(value, &json, &err) == MR_OK) {
        if (mr_json_string(mr_json_get(json, "Reason"), &reason) != MR_OK) {
            reason = MR_BYTES_NULL;
        }
        if (mr_json_integer(mr_json_get(json, "ActualVersion"), &version) != MR_OK) {
            version = -1;
        }
    }
    if (e->report == NULL) {
        e->report = MR_REPORT_NEW(e->cli, answer_columns);
    }
    mr_report_bytes(e->report, id);
    mr_report_bytes(e->report, subject);
    mr_report_bytes(e->report, outcome);
    mr_report_bytes(e->report, reason);
    mr_report_known(e->report, version);
    mr_report_raw(e->report, value);
    mr_json_free(json);
}

/* ---- The verb ---- */

typedef struct sources {
    const char *topic;
    const char *json;
} sources;

/* `[TOPIC] [JSON]`: what begins with a brace is the JSON. */
static mr_status sort_operands(const mr_cli *cli, const arguments *a, sources *found, mr_error *err)
{
    for (size_t i = 1; i < cli->operands.n; i++) {
        const char *operand = cli->operands.items[i];
        const bool is_json = operand[strspn(operand, " \t\n")] == '{';
        const char **slot = is_json ? &found->json : &found->topic;
        if (*slot != NULL) {
            return mr_error_set(err, MR_ERR_USAGE, "'%.40s' is too much: millrace emit %s", operand,
                                cli->verb->operands);
        }
        *slot = operand;
    }
    if (a->file != NULL && (found->json != NULL || a->type != NULL)) {
        return mr_error_set(err, MR_ERR_USAGE, "--file has the records: no JSON and no --type");
    }
    if (a->file == NULL && found->json == NULL && a->type == NULL) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "what shall be sent? A JSON text, --type and --subject, or --file "
                            "FILE (- is standard input)");
    }
    return MR_OK;
}

static mr_status emit_and_wait(emitting *e, const sources *from, mr_error *err)
{
    MR_TRY(e->given->file != NULL ? emit_file(e, e->given->file, err)
                                  : emit_one(e, from->json, err));
    MR_TRY(
        mr_producer_flush(e->producer, (int)e->cli->settings.runtime.transaction_timeout_ms, err));
    if (e->answers == NULL) {
        return MR_OK;
    }
    return mr_answers_wait(e->answers, e->given->wait_seconds * 1000, print_answer, e, err);
}

static mr_status open_clients(emitting *e, mr_error *err)
{
    mr_admin *made = NULL;
    int32_t partitions = 0;
    MR_TRY(mr_cli_admin(e->cli, &made, err));
    MR_CLEANUP(mr_admin_freep) mr_admin *admin = made;
    MR_TRY(mr_cli_partitions(admin, e->topic, &partitions, err));
    if (e->given->wait_seconds > 0) {
        MR_TRY(mr_answers_new(e->cli, &e->answers, err));
    }
    return mr_cli_producer(e->cli, &e->producer, err);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    emitting e = {.cli = cli, .given = given};
    sources from = {0};
    MR_TRY(sort_operands(cli, e.given, &from, err));
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    e.topic = from.topic;
    if (e.topic == NULL) {
        MR_TRY(mr_emit_topic(cli->app, &e.topic, err));
    }
    MR_TRY(mr_cli_connect(cli, err));
    mr_status status = open_clients(&e, err);
    if (status == MR_OK) {
        status = emit_and_wait(&e, &from, err);
    }
    mr_report_free(e.report);
    /* What was sent before a failure is sent: it is waited for, and the failure is told. */
    if (e.producer != NULL && status < 0) {
        mr_error ignored;
        (void)!mr_producer_flush(e.producer, (int)cli->settings.runtime.broker_timeout_ms,
                                 &ignored);
    }
    mr_producer_free(e.producer);
    mr_answers_free(e.answers);
    mr_emit_record_deinit(&e.record);
    return mr_cli_unavailable(status, err);
}

static const mr_flag flags[] = {
    {.name = "file",
     .letter = 'f',
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, file),
     .argument = "FILE",
     .text = "Records, one JSON object a line; - is standard input."},
    {.name = "type",
     .letter = 't',
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, type),
     .argument = "NAME",
     .text = "Record type (ce_type); JSON is then the data alone."},
    {.name = "subject",
     .letter = 's',
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, subject),
     .argument = "ID",
     .text = "Aggregate ID (ce_subject)."},
    {.name = "id",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, id),
     .argument = "ID",
     .text = "Command ID (ce_id). Preset: a random UUID. The same ID again has no second effect."},
    {.name = "key",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, key),
     .argument = "TEXT",
     .text = "Record key. Preset: the subject."},
    {.name = "expected-version",
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, expected_version),
     .min = -1,
     .max = INT64_MAX,
     .preset = MR_VERSION_NONE,
     .argument = "N",
     .text = "The command is rejected at any other version; -1: the aggregate must not exist."},
    {.name = "wait",
     .letter = 'w',
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, wait_seconds),
     .min = 1,
     .max = 86400,
     .argument = "SECONDS",
     .text = "Waits so long for the results and prints them."},
    {.name = "no-check",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, no_check),
     .text = "Sends what the app would refuse."},
};

const mr_verb mr_verb_emit = {
    .name = "emit",
    .operands = "APP [TOPIC] [JSON]",
    .summary = "Sends records as JSON, by preset to the topic that the app gets commands by.",
    .text =
        "A record is {\"type\", \"subject\", \"data\", and if wanted \"id\", \"key\", \"time\", "
        "\"expectedversion\"}. It is checked against the app's handlers and schemas before it "
        "is sent. A rejected command is an answer: the exit code is 0; it is 3 when results "
        "are missing after --wait.",
    .operands_min = 1,
    .operands_max = 3,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
