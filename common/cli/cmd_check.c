#include "cli/verbs.h"

#include "app/store_key.h"
#include "cli/report.h"
#include "cli/topic_plan.h"

static const char *const stage_columns[] = {"stage", "kind", "from", "to", "group"};
static const char *const store_columns[] = {"store", "stage", "key", "value", "topic"};
static const char *const topic_columns[] = {"topic", "role", "partitions", "retention"};

static void append_joined(char *const *texts, size_t n, mr_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        mr_buf_printf(out, "%s%s", i == 0 ? "" : ", ", texts[i]);
    }
}

static void print_stages(const mr_cli *cli)
{
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(cli, stage_columns);
    for (size_t i = 0; i < cli->app->n_stages; i++) {
        const mr_stage *stage = &cli->app->stages[i];
        MR_CLEANUP(mr_buf_deinit) mr_buf from = MR_BUF_NULL;
        MR_CLEANUP(mr_buf_deinit) mr_buf to = MR_BUF_NULL;
        append_joined(stage->from, stage->n_from, &from);
        append_joined(stage->to, stage->n_to, &to);
        mr_report_text(report, stage->name);
        mr_report_text(report, stage->kind);
        mr_report_text(report, mr_buf_text(&from));
        mr_report_text(report, to.len == 0 ? NULL : mr_buf_text(&to));
        mr_report_text(report, stage->group);
    }
}

static void print_stores(const mr_cli *cli)
{
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(cli, store_columns);
    for (size_t s = 0; s < cli->app->n_stages; s++) {
        const mr_stage *stage = &cli->app->stages[s];
        for (size_t i = 0; i < stage->n_stores; i++) {
            const mr_store_spec *store = &stage->stores[i];
            if (store->internal) {
                continue;
            }
            MR_CLEANUP(mr_buf_deinit) mr_buf key = MR_BUF_NULL;
            mr_store_key_describe(store, &key);
            mr_report_text(report, store->name);
            mr_report_text(report, stage->name);
            mr_report_text(report, mr_buf_text(&key));
            mr_report_text(report, mr_schema_short_name(store->value));
            mr_report_text(report, store->topic);
        }
    }
}

static void print_topics(const mr_cli *cli)
{
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(cli, topic_columns);
    for (size_t i = 0; i < cli->app->n_topics; i++) {
        const mr_topic *topic = &cli->app->topics[i];
        MR_CLEANUP(mr_buf_deinit) mr_buf retention = MR_BUF_NULL;
        if (topic->compact) {
            mr_buf_append_text(&retention, "compact");
        } else {
            mr_retention_describe(topic->retention_ms, &retention);
        }
        mr_report_text(report, topic->name);
        mr_report_text(report, mr_topic_role_name(topic->role));
        mr_report_number(report, topic->partitions);
        mr_report_text(report, mr_buf_text(&retention));
    }
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    (void)given;
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    const char *gap = cli->json ? "" : "\n";
    print_stages(cli);
    (void)fputs(gap, cli->out);
    print_stores(cli);
    (void)fputs(gap, cli->out);
    print_topics(cli);
    if (!cli->json) {
        (void)fprintf(cli->out, "\nok: app %s: %zu stages, %zu topics, %zu schemas\n",
                      cli->app->name, cli->app->n_stages, cli->app->n_topics,
                      mr_schemas_count(cli->app->schemas));
    }
    return MR_OK;
}

const mr_verb mr_verb_check = {
    .name = "check",
    .operands = "APP",
    .summary = "Checks an app definition and prints its stages, stores and topics.",
    .text = "Needs no broker. What is wrong is said with file and line.",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
