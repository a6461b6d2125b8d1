/* Builds the version: its topics, and its processor as a child until it is where the inputs end. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/lag.h"
#include "cli/rebuilding.h"
#include "cli/report.h"
#include "cli/supervisor.h"
#include "cli/topic_plan.h"
#include "cli/topic_wait.h"
#include "core/alloc.h"

enum { SAMPLE_MS = 500, REPORT_MS = 5000 };

typedef struct building {
    const mr_rebuilding *of;
    mr_lag lag;
    int64_t *ends; /* recorded at the start, as lag.rows */
    int64_t left;
    int64_t left_reported;
    int64_t sampled_ms;
    int64_t reported_ms;
    bool is_done;
} building;

static int64_t now_ms(void)
{
    return mr_clock_monotonic_ms(mr_clock_system());
}

/* ---- Topics ---- */

const mr_topic *mr_rebuilding_topic(const mr_rebuilding *r, size_t i)
{
    const mr_stage *stage = r->built;
    const char *name = NULL;
    if (i < stage->n_stores) {
        name = stage->stores[i].changelog;
    } else if (i == stage->n_stores) {
        name = stage->dead_letters;
    } else {
        size_t left = i - stage->n_stores - 1;
        for (size_t s = 0; s < stage->n_stores && name == NULL; s++) {
            name = stage->stores[s].topic != NULL && left-- == 0 ? stage->stores[s].topic : NULL;
        }
    }
    return name == NULL ? NULL : mr_app_topic(r->cli->app, name);
}

static mr_status make_topic(const mr_rebuilding *r, const mr_topic *topic, int64_t deadline_ms,
                            mr_error *err)
{
    enum { REPLICATION_OF_THE_BROKER = -1 };
    int32_t partitions;
    mr_status status = mr_admin_partitions(r->admin, topic->name, &partitions, err);
    if (status != MR_NOT_FOUND) {
        return status; /* what is there is checked by the processor */
    }
    mr_topic_plan plan;
    mr_topic_plan_init(&plan, topic, r->cli->settings.runtime.record_bytes_max);
    status = mr_admin_create_topic(r->admin, topic->name, topic->partitions,
                                   REPLICATION_OF_THE_BROKER, plan.configs, plan.n, err);
    if (status < 0) {
        return status;
    }
    mr_cli_note("created topic %s", topic->name);
    return mr_topic_wait(r->admin, topic->name, deadline_ms, err);
}

static mr_status make_topics(const mr_rebuilding *r, mr_error *err)
{
    const int64_t deadline_ms = now_ms() + r->cli->settings.runtime.broker_timeout_ms;
    const mr_topic *topic;
    for (size_t i = 0; (topic = mr_rebuilding_topic(r, i)) != NULL; i++) {
        MR_TRY(make_topic(r, topic, deadline_ms, err));
    }
    return MR_OK;
}

/* ---- How far it is ---- */

static int64_t left_of(const building *b)
{
    int64_t left = 0;
    for (size_t i = 0; i < b->lag.n; i++) {
        const mr_lag_row *row = &b->lag.rows[i];
        const int64_t from = row->position < row->begin ? row->begin : row->position;
        left += row->lag > 0 && from < b->ends[i] ? b->ends[i] - from : 0;
    }
    return left;
}

static mr_status begin(building *b, mr_error *err)
{
    MR_TRY(mr_lag_init(&b->lag, b->of->cli, b->of->built, err));
    MR_TRY(mr_lag_sample(&b->lag, err));
    b->ends = mr_alloc_zero(b->lag.n + 1, sizeof(*b->ends));
    for (size_t i = 0; i < b->lag.n; i++) {
        b->ends[i] = b->lag.rows[i].end;
    }
    b->left = left_of(b);
    b->left_reported = b->left;
    b->reported_ms = now_ms();
    return MR_OK;
}

static void building_deinit(building *b)
{
    mr_lag_deinit(&b->lag);
    free(b->ends);
}
MR_DEFINE_CLEANUP(building, building_deinit)

static void report_progress(building *b)
{
    const int64_t passed_ms = now_ms() - b->reported_ms;
    if (passed_ms >= REPORT_MS && !b->is_done) {
        mr_cli_note("%" PRId64 " records left, %" PRId64 " a second", b->left,
                    (b->left_reported - b->left) * 1000 / passed_ms);
        b->left_reported = b->left;
        b->reported_ms += passed_ms;
    }
}

/* A broker that is away now is waited for, as the processor does. */
static bool is_over(void *context)
{
    building *b = context;
    mr_error err;
    if (now_ms() - b->sampled_ms < SAMPLE_MS) {
        return false;
    }
    const mr_status status = mr_lag_sample(&b->lag, &err);
    b->sampled_ms = now_ms();
    if (status != MR_OK) {
        mr_log_warn(&b->of->cli->log, "%s, retrying", err.message);
        return false;
    }
    b->left = left_of(b);
    b->is_done = b->left == 0;
    report_progress(b);
    return b->is_done;
}

static void say_ready(void *context)
{
    const building *b = context;
    mr_cli_note("%s runs", b->of->built->group);
}

/* ---- Running ---- */

static mr_status supervise(building *b, mr_error *err)
{
    const mr_rebuilding *r = b->of;
    MR_CLEANUP(mr_texts_deinit) mr_texts stages = {0};
    mr_texts_add(&stages, r->built->name);
    const mr_supervisor_options supervised = {
        .cli = r->cli,
        .mask = r->mask,
        .app = r->cli->operands.items[0],
        .assignments = &r->cli->assignments,
        .stages = &stages,
        .instances = 1,
        .death_signal = SIGTERM,
        .is_over = is_over,
    };
    mr_supervisor *made = NULL;
    MR_TRY(mr_supervisor_new(&supervised, &made, err));
    MR_CLEANUP(mr_supervisor_freep) mr_supervisor *supervisor = made;
    return mr_supervisor_run(supervisor, say_ready, b, err);
}

mr_status mr_rebuilding_run(const mr_rebuilding *r, mr_error *err)
{
    MR_CLEANUP(building_deinit) building b = {.of = r};
    MR_TRY(make_topics(r, err));
    MR_TRY(begin(&b, err));
    if (b.left == 0) {
        return MR_OK;
    }
    const int64_t started_ms = now_ms();
    const int64_t all = b.left;
    mr_cli_note("%s has %" PRId64 " records to read", r->built->group, all);
    MR_TRY(supervise(&b, err));
    if (!b.is_done) {
        mr_cli_note("stopped with %" PRId64 " records left: the same command goes on there",
                    b.left);
        return MR_NOT_FOUND;
    }
    mr_cli_note("%" PRId64 " records read in %.1f s", all,
                (double)(now_ms() - started_ms) / 1000.0);
    return MR_OK;
}

/* ---- Catching up ---- */

mr_status mr_rebuilding_check_built(const mr_rebuilding *r, mr_error *err)
{
    int32_t ignored;
    const char *changelog = r->built->stores[0].changelog;
    const mr_status status = mr_admin_partitions(r->admin, changelog, &ignored, err);
    if (status != MR_NOT_FOUND) {
        return status;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "there is no topic %s: this version was not built yet; `millrace rebuild` "
                        "without --compare and --swap does",
                        changelog);
}

static mr_status read_positions(const mr_rebuilding *r, const mr_stage *stage, int32_t n,
                                mr_topic_partition **ret_positions, mr_error *err)
{
    mr_topic_partition *positions = mr_alloc_zero((size_t)n + 1, sizeof(*positions));
    for (int32_t p = 0; p < n; p++) {
        positions[p] = (mr_topic_partition){stage->from[0], p, -1};
    }
    *ret_positions = positions;
    return mr_admin_committed(r->admin, stage->group, positions, (size_t)n, err);
}

mr_status mr_rebuilding_catch_up(const mr_rebuilding *r, mr_error *err)
{
    int32_t n = 0;
    mr_topic_partition *live = NULL;
    mr_topic_partition *built = NULL;
    MR_TRY(mr_cli_partitions(r->admin, r->live->from[0], &n, err));
    mr_status status = read_positions(r, r->live, n, &live, err);
    status = status == MR_OK ? read_positions(r, r->built, n, &built, err) : status;
    bool is_behind = false;
    for (int32_t p = 0; p < n && status == MR_OK; p++) {
        is_behind |= built[p].offset < live[p].offset;
    }
    free(live);
    free(built);
    if (status != MR_OK || !is_behind) {
        return status;
    }
    return mr_rebuilding_run(r, err);
}

/* ---- The plan ---- */

static mr_status plan_topics(const mr_rebuilding *r, mr_error *err)
{
    static const char *const columns[] = {"topic", "role", "partitions", "broker"};
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(r->cli, columns);
    const mr_topic *topic;
    for (size_t i = 0; (topic = mr_rebuilding_topic(r, i)) != NULL; i++) {
        int32_t partitions;
        const mr_status status = mr_admin_partitions(r->admin, topic->name, &partitions, err);
        if (status < 0) {
            return status;
        }
        mr_report_text(report, topic->name);
        mr_report_text(report, mr_topic_role_name(topic->role));
        mr_report_number(report, topic->partitions);
        mr_report_text(report, status == MR_OK ? "is there" : "would be created");
    }
    return MR_OK;
}

mr_status mr_rebuilding_plan(const mr_rebuilding *r, mr_error *err)
{
    static const char *const columns[] = {"input", "partition", "position", "end", "records"};
    MR_CLEANUP(building_deinit) building b = {.of = r};
    MR_TRY(begin(&b, err));
    MR_TRY(plan_topics(r, err));
    if (!r->cli->json) {
        (void)fputc('\n', r->cli->out);
    }
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(r->cli, columns);
    for (size_t i = 0; i < b.lag.n; i++) {
        const mr_lag_row *row = &b.lag.rows[i];
        mr_report_text(report, row->stage->from[row->input]);
        mr_report_number(report, row->partition);
        mr_report_known(report, row->position);
        mr_report_number(report, row->end);
        mr_report_number(report, row->lag);
    }
    return MR_OK;
}
