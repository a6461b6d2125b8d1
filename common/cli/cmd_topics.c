#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/clients.h"
#include "cli/report.h"
#include "cli/topic_plan.h"
#include "cli/topic_wait.h"

typedef struct arguments {
    bool dry_run;
    int64_t replication;
} arguments;

typedef enum action {
    LIST,
    CHECK,
    APPLY,
    NONE,
} action;

typedef struct work {
    mr_cli *cli;
    mr_admin *admin;
    mr_report *report;
    action what;
    bool dry_run;
    int16_t replication;
    size_t n_created;
    size_t n_changed;
    size_t n_different; /* and left so */
} work;

static const char *const columns[] = {"topic", "role", "partitions", "retention", "broker"};

static void report(const work *w, const mr_topic *topic, const char *broker)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf retention = MR_BUF_NULL;
    if (topic->compact) {
        mr_buf_append_text(&retention, "compact");
    } else {
        mr_retention_describe(topic->retention_ms, &retention);
    }
    mr_report_text(w->report, topic->name);
    mr_report_text(w->report, mr_topic_role_name(topic->role));
    mr_report_number(w->report, topic->partitions);
    mr_report_text(w->report, mr_buf_text(&retention));
    mr_report_text(w->report, broker);
}

/* ---- One topic ---- */

/* Appends "name is X, wanted Y" for each setting that differs. */
static mr_status compare(const work *w, const mr_topic *topic, const mr_topic_plan *plan,
                         mr_buf *differences, mr_error *err)
{
    for (size_t i = 0; i < plan->n; i++) {
        MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
        const mr_status status =
            mr_admin_topic_config(w->admin, topic->name, plan->configs[i].name, &value, err);
        if (status < 0) {
            return status;
        }
        if (status == MR_NOT_FOUND || strcmp(mr_buf_text(&value), plan->configs[i].value) != 0) {
            mr_buf_printf(differences, "%s%s is %s, wanted %s", differences->len == 0 ? "" : "; ",
                          plan->configs[i].name,
                          status == MR_NOT_FOUND ? "unknown" : mr_buf_text(&value),
                          plan->configs[i].value);
        }
    }
    return MR_OK;
}

static mr_status missing(work *w, const mr_topic *topic, const mr_topic_plan *plan, mr_error *err)
{
    if (w->what != APPLY) {
        w->n_different++;
        report(w, topic, "missing");
        return MR_OK;
    }
    w->n_created++;
    if (w->dry_run) {
        report(w, topic, "would be created");
        return MR_OK;
    }
    const mr_status status = mr_admin_create_topic(w->admin, topic->name, topic->partitions,
                                                   w->replication, plan->configs, plan->n, err);
    if (status < 0) {
        return status;
    }
    report(w, topic, status == MR_END ? "was created by somebody else" : "created");
    return MR_OK;
}

static mr_status existing(work *w, const mr_topic *topic, const mr_topic_plan *plan, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf differences = MR_BUF_NULL;
    MR_TRY(compare(w, topic, plan, &differences, err));
    if (differences.len == 0) {
        report(w, topic, "ok");
        return MR_OK;
    }
    if (w->what != APPLY) {
        w->n_different++;
        report(w, topic, mr_buf_text(&differences));
        return MR_OK;
    }
    w->n_changed++;
    if (!w->dry_run) {
        MR_TRY(mr_admin_set_topic_configs(w->admin, topic->name, plan->configs, plan->n, err));
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    mr_buf_printf(&text, "%s: %s", w->dry_run ? "would be changed" : "changed",
                  mr_buf_text(&differences));
    report(w, topic, mr_buf_text(&text));
    return MR_OK;
}

static mr_status treat(work *w, const mr_topic *topic, mr_error *err)
{
    mr_topic_plan plan;
    mr_topic_plan_init(&plan, topic, w->cli->settings.runtime.record_bytes_max);
    int32_t partitions = 0;
    const mr_status status = mr_admin_partitions(w->admin, topic->name, &partitions, err);
    if (status < 0) {
        return status;
    }
    if (status == MR_NOT_FOUND) {
        return missing(w, topic, &plan, err);
    }
    if (partitions != topic->partitions) {
        w->n_different++;
        MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
        mr_buf_printf(&text, "HAS %" PRId32 " PARTITIONS", partitions);
        report(w, topic, mr_buf_text(&text));
        mr_cli_note("topic %s has %" PRId32 " partitions, the app says %" PRId32
                    ": another count would move keys away from their history, so it is left alone; "
                    "change app.lua, or move to a new topic",
                    topic->name, partitions, topic->partitions);
        return MR_OK;
    }
    return existing(w, topic, &plan, err);
}

/* ---- All of them ---- */

static mr_status conclude(const work *w)
{
    if (w->n_created + w->n_changed + w->n_different == 0) {
        mr_cli_note(w->what == APPLY ? "nothing to do" : "everything is as the app wants it");
    } else if (w->what == APPLY) {
        mr_cli_note("%zu created, %zu changed, %zu different%s", w->n_created, w->n_changed,
                    w->n_different, w->dry_run ? " (dry run: nothing was done)" : "");
    } else {
        mr_cli_note("%zu missing or different: `millrace topics apply` says and does what is "
                    "needed",
                    w->n_different);
    }
    return w->n_different == 0 ? MR_OK : MR_NOT_FOUND;
}

static mr_status wait_until_all_known(work *w, mr_error *err)
{
    const mr_app *app = w->cli->app;
    const int64_t deadline_ms =
        mr_clock_monotonic_ms(mr_clock_system()) + w->cli->settings.runtime.broker_timeout_ms;
    for (size_t i = 0; i < app->n_topics; i++) {
        MR_TRY(mr_topic_wait(w->admin, app->topics[i].name, deadline_ms, err));
    }
    return MR_OK;
}

static mr_status reach(work *w, mr_error *err)
{
    if (w->what == LIST) {
        return MR_OK;
    }
    MR_TRY(mr_cli_connect(w->cli, err));
    if (w->cli->is_dev) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "the embedded broker has its topics from `millrace dev`; for a real "
                            "one set -X bootstrap.servers=...");
    }
    return mr_cli_admin(w->cli, &w->admin, err);
}

static mr_status treat_all(work *w, mr_error *err)
{
    const mr_app *app = w->cli->app;
    for (size_t i = 0; i < app->n_topics; i++) {
        if (w->what == LIST) {
            report(w, &app->topics[i], NULL);
        } else {
            MR_TRY(treat(w, &app->topics[i], err));
        }
    }
    return w->n_created > 0 && !w->dry_run && w->what == APPLY ? wait_until_all_known(w, err)
                                                               : MR_OK;
}

static action action_of(const char *word)
{
    static const char *const words[] = {"list", "check", "apply"};
    action a = LIST;
    while (a != NONE && strcmp(word, words[a]) != 0) {
        a++;
    }
    return a;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *o = given;
    /* `topics apply APP` and `topics APP apply`. */
    const size_t word = action_of(cli->operands.items[0]) != NONE ? 0 : 1;
    work w = {.cli = cli,
              .what = action_of(cli->operands.items[word]),
              .dry_run = o->dry_run,
              .replication = (int16_t)o->replication};
    if (w.what == NONE) {
        return mr_error_set(err, MR_ERR_USAGE, "'%.40s' is none of list, check and apply",
                            cli->operands.items[1]);
    }
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[1 - word], err));
    MR_TRY(reach(&w, err));
    w.report = MR_REPORT_NEW(cli, columns);
    mr_status status = treat_all(&w, err);
    mr_report_free(w.report);
    mr_admin_free(w.admin);
    return status == MR_OK && w.what != LIST ? conclude(&w) : status;
}

static const mr_flag flags[] = {
    {.name = "dry-run",
     .letter = 'n',
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, dry_run),
     .text = "Says what would be done, does nothing."},
    {.name = "replication",
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, replication),
     .min = 1,
     .max = 32767,
     .preset = -1,
     .argument = "N",
     .text = "Replication factor of new topics. Preset: the broker's."},
};

const mr_verb mr_verb_topics = {
    .name = "topics",
    .operands = "list|check|apply APP",
    .summary = "Lists the app's topics, compares them with the broker's, or creates them.",
    .text =
        "apply creates what is missing and sets retention and compaction as the app wants them; "
        "done twice, the second time does nothing. It never changes a number of partitions and "
        "never deletes. check and apply exit with 1 when something stays different.",
    .operands_min = 2,
    .operands_max = 2,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
