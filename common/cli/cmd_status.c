#include "cli/verbs.h"

#include <stdlib.h>

#include "cli/lag.h"
#include "cli/report.h"

static const char *const stage_columns[] = {"stage",   "kind", "state",        "instances", "tasks",
                                            "running", "lag",  "dead_letters", "addresses"};
static const char *const task_columns[] = {"stage",
                                           "task",
                                           "state",
                                           "records",
                                           "dead_letters",
                                           "duplicates",
                                           "restored",
                                           "restore_remaining",
                                           "replay_remaining",
                                           "address"};

/* What a stage's processors say of themselves, added up. */
typedef struct summary {
    size_t n_answering;
    int64_t n_tasks;
    int64_t n_running;
    mr_buf states;    /* distinct ones */
    mr_buf addresses; /* all that were found; those that do not answer are marked */
} summary;

static void summary_deinit(summary *sum)
{
    mr_buf_deinit(&sum->states);
    mr_buf_deinit(&sum->addresses);
}

static int64_t integer_of(const mr_json *json, const char *name)
{
    int64_t number;
    return mr_json_integer(mr_json_get(json, name), &number) == MR_OK ? number : -1;
}

static mr_bytes text_of(const mr_json *json, const char *name)
{
    mr_bytes text;
    return mr_json_string(mr_json_get(json, name), &text) == MR_OK ? text : MR_BYTES_NULL;
}

static void print_task(mr_report *report, const mr_stage *stage, const mr_json *task,
                       const char *address)
{
    mr_report_text(report, stage->name);
    mr_report_known(report, integer_of(task, "task"));
    mr_report_bytes(report, text_of(task, "state"));
    mr_report_known(report, integer_of(task, "records"));
    mr_report_known(report, integer_of(task, "dead_letters"));
    mr_report_known(report, integer_of(task, "duplicates"));
    mr_report_known(report, integer_of(task, "restored"));
    mr_report_known(report, integer_of(task, "restore_remaining"));
    mr_report_known(report, integer_of(task, "replay_remaining"));
    mr_report_text(report, address);
}

/* `tasks` is NULL when only the sum is wanted. */
static void add_answer(summary *sum, const mr_stage *stage, const mr_json *answer,
                       const char *address, mr_report *tasks)
{
    const mr_bytes state = text_of(answer, "state");
    const mr_json *list = mr_json_get(answer, "tasks");
    sum->n_answering++;
    if (!mr_bytes_is_null(state) &&
        strstr(mr_buf_text(&sum->states), (const char *)state.data) == NULL) {
        mr_buf_append_text(&sum->states, sum->states.len == 0 ? "" : ", ");
        mr_buf_append_bytes(&sum->states, state);
    }
    for (const mr_json *task = mr_json_first(list); task != NULL; task = mr_json_next(task)) {
        const mr_bytes task_state = text_of(task, "state");
        sum->n_tasks += !mr_bytes_equal_text(task_state, "standby"); /* another one owns it */
        sum->n_running += mr_bytes_equal_text(task_state, "running");
        if (tasks != NULL) {
            print_task(tasks, stage, task, address);
        }
    }
}

static mr_status ask_stage(const mr_lag *lag, const mr_stage *stage, summary *sum, mr_report *tasks,
                           mr_error *err)
{
    MR_CLEANUP(mr_instances_deinit) mr_instances instances = {0};
    MR_TRY(mr_instances_find(lag->cli, lag->admin, stage, &instances, err));
    for (size_t i = 0; i < instances.n; i++) {
        const char *address = instances.items[i].address;
        int http_status = 0;
        mr_json *answer = NULL;
        const mr_status status =
            mr_instance_ask(lag->http, address, stage, "/status", &http_status, &answer, err);
        const bool answers = status == MR_OK && http_status == 200 && answer != NULL;
        if (answers) {
            add_answer(sum, stage, answer, address, tasks);
        }
        mr_buf_printf(&sum->addresses, "%s%s%s", sum->addresses.len == 0 ? "" : ", ", address,
                      answers ? "" : " (does not answer)");
        mr_json_free(answer);
    }
    return MR_OK;
}

/* Records in the dead-letter topic; what retention took away is not counted. */
static mr_status count_dead_letters(const mr_lag *lag, const mr_stage *stage, int64_t *ret_n,
                                    mr_error *err)
{
    mr_extent *extents = NULL;
    size_t n = 0;
    MR_TRY(
        mr_cli_extents(lag->cli, lag->admin, lag->reader, stage->dead_letters, &extents, &n, err));
    const mr_status status =
        mr_cli_count(lag->cli, lag->looker, stage->dead_letters, extents, n, ret_n, err);
    free(extents);
    return status;
}

static mr_status print_stage(const mr_lag *lag, const mr_stage *stage, mr_report *report,
                             mr_error *err)
{
    MR_CLEANUP(summary_deinit) summary sum = {0};
    int64_t dead_letters = 0;
    MR_TRY(ask_stage(lag, stage, &sum, NULL, err));
    MR_TRY(count_dead_letters(lag, stage, &dead_letters, err));
    mr_report_text(report, stage->name);
    mr_report_text(report, stage->kind);
    mr_report_text(report, sum.n_answering == 0 ? "down" : mr_buf_text(&sum.states));
    mr_report_number(report, (int64_t)sum.n_answering);
    mr_report_number(report, sum.n_tasks);
    mr_report_number(report, sum.n_running);
    mr_report_known(report, mr_lag_total(lag, stage));
    mr_report_number(report, dead_letters);
    mr_report_text(report, sum.addresses.len == 0 ? NULL : mr_buf_text(&sum.addresses));
    return MR_OK;
}

static mr_status print_stages(const mr_cli *cli, mr_lag *lag, mr_error *err)
{
    MR_TRY(mr_lag_sample(lag, err));
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(cli, stage_columns);
    for (size_t i = 0; i < cli->app->n_stages; i++) {
        MR_TRY(print_stage(lag, &cli->app->stages[i], report, err));
    }
    return MR_OK;
}

static mr_status print_tasks(const mr_cli *cli, const mr_lag *lag, const mr_stage *stage,
                             mr_error *err)
{
    MR_CLEANUP(summary_deinit) summary sum = {0};
    mr_report *report = MR_REPORT_NEW(cli, task_columns);
    mr_status status = ask_stage(lag, stage, &sum, report, err);
    mr_report_free(report);
    if (status == MR_OK && sum.n_answering == 0) {
        mr_cli_note("no processor of stage %s answers%s%s", stage->name,
                    sum.addresses.len == 0 ? "" : ": ", mr_buf_text(&sum.addresses));
        status = MR_TIMED_OUT;
    }
    return status;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    (void)given;
    const mr_stage *stage = NULL;
    mr_lag lag = {0};
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_stage(cli, cli->operands.n > 1 ? cli->operands.items[1] : NULL, &stage, err));
    MR_TRY(mr_cli_connect(cli, err));
    mr_status status = mr_lag_init(&lag, cli, stage, err);
    if (status == MR_OK) {
        status = stage == NULL ? print_stages(cli, &lag, err) : print_tasks(cli, &lag, stage, err);
    }
    mr_lag_deinit(&lag);
    return status;
}

const mr_verb mr_verb_status = {
    .name = "status",
    .operands = "APP [STAGE]",
    .summary = "Prints which stages run where, how far they are and what failed.",
    .text = "With STAGE: its tasks. A stage is down when no processor of it answers over HTTP. "
            "dead_letters counts the records in its dead-letter topic.",
    .operands_min = 1,
    .operands_max = 2,
    .has_version = true,
    .run = run,
};
