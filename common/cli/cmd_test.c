#include "cli/verbs.h"

#include <mr/json.h>

#include "script/lua_spec.h"

typedef struct counts {
    size_t n_passed;
    size_t n_failed;
} counts;

static void print_json(FILE *out, const mr_spec_result *result)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf line = MR_BUF_NULL;
    mr_json_writer json = mr_json_writer_on(&line);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "name");
    mr_json_put_text(&json, result->name);
    mr_json_put_name(&json, "file");
    mr_json_put_text(&json, result->file);
    mr_json_put_name(&json, "line");
    mr_json_put_integer(&json, result->line);
    mr_json_put_name(&json, "passed");
    mr_json_put_boolean(&json, result->passed);
    mr_json_put_name(&json, "message");
    mr_json_put_text(&json, result->message);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    (void)fprintf(out, "%s\n", mr_buf_text(&line));
}

/* Every line of the message begins with blanks. */
static void print_message(FILE *out, const char *message)
{
    while (*message != '\0') {
        const size_t len = strcspn(message, "\n");
        (void)fprintf(out, "    %.*s\n", (int)len, message);
        message += len + (message[len] == '\n');
    }
}

static void print_line(FILE *out, const mr_spec_result *result)
{
    (void)fprintf(out, "%s %s: %s\n", result->passed ? "ok" : "not ok", result->file, result->name);
    if (!result->passed) {
        (void)fprintf(out, "    %s:%d\n", result->file, result->line);
        print_message(out, result->message == NULL ? "" : result->message);
    }
}

static bool is_wanted(const mr_spec_result *result, const char *filter)
{
    return filter == NULL || strstr(result->name, filter) != NULL ||
           strstr(result->file, filter) != NULL;
}

static counts print(const mr_cli *cli, const mr_spec_report *report, const char *filter)
{
    counts n = {0};
    for (size_t i = 0; i < report->n; i++) {
        const mr_spec_result *result = &report->results[i];
        if (!is_wanted(result, filter)) {
            continue;
        }
        n.n_passed += result->passed;
        n.n_failed += !result->passed;
        if (cli->json) {
            print_json(cli->out, result);
        } else {
            print_line(cli->out, result);
        }
    }
    return n;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    (void)given;
    const char *filter = cli->operands.n > 1 ? cli->operands.items[1] : NULL;
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    mr_spec_report report = {0};
    const mr_status status = mr_spec_run(cli->app, cli->kinds, &cli->limits, &report, err);
    const counts n = print(cli, &report, filter);
    mr_spec_report_deinit(&report);
    if (status != MR_OK) {
        return status;
    }
    if (n.n_passed + n.n_failed == 0) {
        mr_cli_note(filter == NULL ? "the app has no specs: they are in tests/*.lua"
                                   : "no spec has '%s' in its name or file",
                    filter);
        return MR_NOT_FOUND;
    }
    if (!cli->json) {
        (void)fprintf(cli->out, "\n%zu passed, %zu failed\n", n.n_passed, n.n_failed);
    }
    return n.n_failed == 0 ? MR_OK : MR_NOT_FOUND;
}

const mr_verb mr_verb_test = {
    .name = "test",
    .operands = "APP [FILTER]",
    .summary = "Runs the app's own specs (tests/*.lua), without a broker.",
    .text = "With FILTER: those that have it in their name or file. --log-level debug shows what "
            "handlers say by log(...).",
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
