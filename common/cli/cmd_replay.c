#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/refold.h"
#include "cli/replay_plan.h"
#include "cli/report.h"
#include "core/alloc.h"
#include "runtime/rewrite.h"

typedef struct arguments {
    const char *stage;
    mr_replay_choice start;
    bool emit;
    bool dry_run;
} arguments;

/* A replay, from the question to the commit. */
typedef struct replay {
    mr_cli *cli;
    const arguments *a;
    const mr_stage *stage;
    const mr_kind *kind;
    mr_replay_start start;
    mr_replay_plan plan;
    mr_rewrite *rewrite; /* NULL: a dry run */
    mr_scratch scratch;
    mr_database *state; /* in the scratch */
    mr_refold *refold;  /* of an aggregate */
    /* Of the partition that is being walked. */
    int64_t *rows;
    size_t store;
} replay;

static void replay_deinit(replay *r)
{
    mr_refold_free(r->refold);
    mr_database_free(r->state);
    mr_scratch_deinit(&r->scratch);
    mr_rewrite_free(r->rewrite);
    mr_replay_plan_deinit(&r->plan);
    mr_replay_start_deinit(&r->start);
}

/* ---- What is asked for ---- */

static mr_status check_kind(const replay *r, mr_error *err)
{
    const arguments *a = r->a;
    if (r->kind->fold != NULL && (a->emit || mr_replay_choice_count(&a->start) > 0)) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "stage '%s' is of kind %s: its truth are its events, all of which are "
                            "folded again, and no command is decided twice: there is no other "
                            "beginning and nothing to emit",
                            r->stage->name, r->stage->kind);
    }
    if (!r->kind->stateful && !a->emit) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "stage '%s' is of kind %s, which keeps nothing: replaying it without "
                            "its outputs does nothing; --emit sends them again",
                            r->stage->name, r->stage->kind);
    }
    return MR_OK;
}

static mr_status choose(replay *r, mr_error *err)
{
    if (r->a->stage == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "--stage is missing: what is to be replayed?");
    }
    MR_TRY(mr_definition_stage(r->cli->app, r->a->stage, &r->stage, err));
    const mr_kind *const *kind = r->cli->kinds;
    while (strcmp((*kind)->name, r->stage->kind) != 0) {
        kind++;
    }
    r->kind = *kind;
    MR_TRY(check_kind(r, err));
    return mr_replay_start_init(&r->start, &r->a->start,
                                mr_clock_system()->wall_ms(mr_clock_system()), err);
}

/* ---- What there is ---- */

static mr_status check_topic(const replay *r, mr_admin *admin, const char *topic, mr_error *err)
{
    int32_t n = 0;
    const int32_t declared = mr_app_topic(r->stage->app, topic)->partitions;
    MR_TRY(mr_cli_partitions(admin, topic, &n, err));
    return n == declared ? MR_OK
                         : mr_error_set(err, MR_ERR_USAGE,
                                        "topic '%s' has %d partitions, the app declares %d", topic,
                                        n, declared);
}

static mr_status check_topics(const replay *r, mr_admin *admin, mr_error *err)
{
    for (size_t i = 0; i < r->stage->n_from; i++) {
        MR_TRY(check_topic(r, admin, r->stage->from[i], err));
    }
    for (size_t i = 0; i < r->stage->n_stores; i++) {
        MR_TRY(check_topic(r, admin, r->stage->stores[i].changelog, err));
    }
    return MR_OK;
}

/* Dry: asks from outside of the group, whoever is in it. */
static mr_status plan_dry(replay *r, mr_admin *admin, const mr_replay_start *start, mr_error *err)
{
    size_t n = 0;
    if (mr_group_check_idle(admin, r->stage, err) != MR_OK) {
        if (err->status != MR_ERR_USAGE) {
            return err->status;
        }
        mr_cli_note("%s", err->message);
    }
    mr_topic_partition *offsets = mr_stage_inputs(r->stage, &n);
    mr_status status = mr_admin_committed(admin, r->stage->group, offsets, n, err);
    if (status == MR_OK) {
        status = mr_replay_plan_init(&r->plan, r->cli, r->stage, start, offsets, n, err);
    }
    free(offsets);
    return status;
}

static mr_status plan_wet(replay *r, const mr_replay_start *start, mr_error *err)
{
    size_t n = 0;
    MR_TRY(mr_cli_rewrite(r->cli, r->stage, &r->rewrite, err));
    const mr_topic_partition *offsets = mr_rewrite_offsets(r->rewrite, &n);
    return mr_replay_plan_init(&r->plan, r->cli, r->stage, start, offsets, n, err);
}

static mr_status make_plan(replay *r, mr_error *err)
{
    const mr_replay_start *start = r->kind->fold != NULL ? NULL : &r->start;
    mr_admin *made = NULL;
    MR_TRY(mr_cli_admin(r->cli, &made, err));
    MR_CLEANUP(mr_admin_freep) mr_admin *admin = made;
    MR_TRY(check_topics(r, admin, err));
    MR_TRY(r->a->dry_run ? plan_dry(r, admin, start, err) : plan_wet(r, start, err));
    if (r->kind->stateful) {
        mr_replay_plan_mark(&r->plan, r->a->emit);
    }
    return MR_OK;
}

/* A view of a part of its input is a view of that part; where versions are checked, it is none. */
static mr_status check_middle(const replay *r, mr_error *err)
{
    bool is_middle = false;
    bool is_skipping = false;
    for (size_t i = 0; i < r->plan.n; i++) {
        const mr_replay_item *item = &r->plan.items[i];
        is_middle |= item->next.offset > item->begin;
        is_skipping |= item->next.offset > item->committed.offset;
    }
    if (is_middle && r->stage->versioned && r->kind->stateful) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "stage '%s' checks versions: behind the beginning, every aggregate "
                            "that has events before would have a gap, and be parked; replay it "
                            "from the earliest offset",
                            r->stage->name);
    }
    if (is_middle && r->kind->stateful) {
        mr_cli_note("stage '%s' will hold only what comes from the new offsets on", r->stage->name);
    }
    if (is_skipping) {
        mr_cli_note("records between a committed offset and a later new one are never processed");
    }
    return MR_OK;
}

/* ---- Rows ---- */

static mr_status put_row(replay *r, mr_bytes key, mr_bytes value, mr_error *err)
{
    r->rows[r->store]++;
    return r->rewrite == NULL ? MR_OK : mr_rewrite_row(r->rewrite, r->store, key, value, err);
}

static mr_status remove_rows(replay *r, mr_partition *partition, mr_error *err)
{
    MR_CLEANUP(mr_cursor_closep) mr_cursor *cursor = NULL;
    MR_TRY(mr_cursor_open(partition, r->stage->stores[r->store].number, MR_BYTES_NULL,
                          MR_BYTES_NULL, &cursor, err));
    for (;;) {
        mr_bytes key;
        mr_bytes value;
        const mr_status status = mr_cursor_next(cursor, &key, &value, err);
        if (status != MR_OK) {
            return status == MR_END ? MR_OK : status;
        }
        MR_TRY(put_row(r, key, MR_BYTES_NULL, err));
    }
}

static mr_status put_refolded(void *argument, mr_bytes key, mr_bytes value, mr_error *err)
{
    return put_row(argument, key, value, err);
}

static mr_status walk_rows(replay *r, mr_partition *partition, mr_error *err)
{
    if (r->refold != NULL) {
        r->store = mr_refold_store(r->refold);
        return mr_refold_compare(r->refold, partition, put_refolded, r, err);
    }
    for (r->store = 0; r->store < r->stage->n_stores; r->store++) {
        MR_TRY(remove_rows(r, partition, err));
    }
    return MR_OK;
}

static mr_status walk_partition(replay *r, mr_replay_item *item, mr_error *err)
{
    mr_partition *partition = NULL;
    mr_progress progress = {0};
    MR_TRY(mr_partition_open(r->state, item->committed.partition, &partition, err));
    mr_status status = mr_partition_progress(partition, &progress, err);
    if (status == MR_OK && r->rewrite != NULL) {
        status = mr_rewrite_partition(r->rewrite, item->committed.partition, &progress, err);
    }
    if (status == MR_OK) {
        mr_replay_item_extend(item, progress.input_offset);
        r->rows = item->rows;
        status = walk_rows(r, partition, err);
    }
    mr_partition_close(partition);
    return status;
}

static bool has_rows_to_walk(const replay *r, const mr_replay_item *item)
{
    return (r->kind->fold != NULL ? item->committed : item->next).offset >= 0;
}

static mr_status restore(replay *r, mr_error *err)
{
    size_t n = 0;
    int32_t *numbers = mr_alloc_zero(r->plan.n, sizeof(*numbers));
    for (size_t i = 0; i < r->plan.n; i++) {
        if (has_rows_to_walk(r, &r->plan.items[i])) {
            numbers[n++] = r->plan.items[i].committed.partition;
        }
    }
    const mr_status status =
        mr_scratch_restore(&r->scratch, numbers, n, r->rewrite != NULL, &r->state, err);
    free(numbers);
    return status;
}

/* Into the transaction, and counted. */
static mr_status walk(replay *r, mr_error *err)
{
    if (!r->kind->stateful) {
        return MR_OK;
    }
    MR_TRY(mr_scratch_init(&r->scratch, r->cli, r->stage, err));
    MR_TRY(restore(r, err));
    if (r->kind->fold != NULL) {
        MR_TRY(mr_refold_new(r->cli, r->stage, r->kind, &r->scratch, &r->refold, err));
    }
    for (size_t i = 0; i < r->plan.n; i++) {
        if (has_rows_to_walk(r, &r->plan.items[i])) {
            MR_TRY(walk_partition(r, &r->plan.items[i], err));
        }
    }
    return r->refold == NULL ? MR_OK : mr_refold_check_all(r->refold, err);
}

/* ---- Saying and doing it ---- */

static void print_plan(const replay *r)
{
    static const char *const first[] = {"topic", "partition", "committed", "new", "records"};
    enum { N_FIRST = sizeof(first) / sizeof(first[0]) };
    char *columns[N_FIRST + MR_STORES_MAX];
    const size_t n_stores = r->stage->n_stores;
    for (size_t i = 0; i < N_FIRST; i++) {
        columns[i] = mr_strdup(first[i]);
    }
    for (size_t i = 0; i < n_stores; i++) {
        columns[N_FIRST + i] = mr_asprintf("%s_rows", r->stage->stores[i].name);
    }
    mr_report *report = mr_report_new(r->cli, (const char *const *)columns, N_FIRST + n_stores);
    for (size_t i = 0; i < r->plan.n; i++) {
        const mr_replay_item *item = &r->plan.items[i];
        const bool moves = item->next.offset >= 0;
        mr_report_text(report, item->committed.topic);
        mr_report_number(report, item->committed.partition);
        mr_report_known(report, item->committed.offset);
        mr_report_known(report, item->next.offset);
        mr_report_known(report, moves ? item->n_records : -1);
        for (size_t store = 0; store < n_stores; store++) {
            mr_report_number(report, item->rows[store]);
        }
    }
    mr_report_free(report);
    for (size_t i = 0; i < N_FIRST + n_stores; i++) {
        free(columns[i]);
    }
}

static void say_done(const replay *r)
{
    int64_t n_rows = 0;
    int64_t n_records = 0;
    for (size_t i = 0; i < r->plan.n; i++) {
        n_records += r->plan.items[i].n_records;
        for (size_t store = 0; store < r->stage->n_stores; store++) {
            n_rows += r->plan.items[i].rows[store];
        }
    }
    if (r->kind->fold != NULL) {
        mr_cli_note("stage '%s': %" PRId64 " rows were folded anew", r->stage->name, n_rows);
        return;
    }
    mr_cli_note("stage '%s': %" PRId64 " rows were removed; %" PRId64
                " records are to be processed when its processors start, and outputs of what was "
                "processed before are %s",
                r->stage->name, n_rows, n_records, r->a->emit ? "sent again" : "not sent again");
}

static mr_status commit(replay *r, mr_error *err)
{
    size_t n = 0;
    mr_topic_partition *offsets = mr_alloc_zero(r->plan.n, sizeof(*offsets));
    for (size_t i = 0; i < r->plan.n; i++) {
        if (r->plan.items[i].next.offset >= 0) {
            offsets[n++] = r->plan.items[i].next;
        }
    }
    const mr_status status = mr_rewrite_commit(r->rewrite, offsets, n, err);
    free(offsets);
    return status;
}

static mr_status do_replay(replay *r, mr_error *err)
{
    MR_TRY(choose(r, err));
    MR_TRY(mr_cli_connect(r->cli, err));
    r->cli->log.level = (mr_log_level)r->cli->settings.app.log_level; /* its progress */
    MR_TRY(make_plan(r, err));
    MR_TRY(check_middle(r, err));
    MR_TRY(walk(r, err));
    print_plan(r);
    if (r->a->dry_run) {
        mr_cli_note("this was a dry run: nothing was changed");
        return MR_OK;
    }
    MR_TRY(commit(r, err));
    say_done(r);
    return MR_OK;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    replay r = {.cli = cli, .a = given, .scratch = {.lock = MR_DIRECTORY_NULL}};
    const mr_status status = do_replay(&r, err);
    if (status != MR_OK && r.rewrite != NULL) {
        (void)mr_error_prefix(err, mr_rewrite_is_unclear(r.rewrite)
                                       ? "the broker did not say whether it was done, but "
                                         "--dry-run shows it"
                                       : "nothing was changed");
    }
    replay_deinit(&r);
    return status;
}

#define START(field) offsetof(arguments, start) + offsetof(mr_replay_choice, field)

static const mr_flag flags[] = {
    {.name = "stage",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, stage),
     .argument = "NAME",
     .text = "What is replayed."},
    {.name = "to-earliest",
     .kind = MR_FLAG_SWITCH,
     .offset = START(earliest),
     .text = "From the first record that is there; so it is when nothing is said."},
    {.name = "to-latest",
     .kind = MR_FLAG_SWITCH,
     .offset = START(latest),
     .text = "From the end on: begins anew without what was."},
    {.name = "to-offset",
     .kind = MR_FLAG_NUMBER,
     .offset = START(offset),
     .min = 0,
     .max = INT64_MAX,
     .preset = -1,
     .argument = "N",
     .text = "From this offset of each partition."},
    {.name = "to-datetime",
     .kind = MR_FLAG_TEXT,
     .offset = START(datetime),
     .argument = "TIME",
     .text = "From the first record of this time or later: 2026-11-21T10:00:00.000, UTC, or with "
             "Z or +02:00 at its end."},
    {.name = "by-duration",
     .kind = MR_FLAG_TEXT,
     .offset = START(duration),
     .argument = "PnDTnHnMnS",
     .text = "From so long before now: PT1H."},
    {.name = "shift-by",
     .kind = MR_FLAG_NUMBER,
     .offset = START(shift),
     .min = -INT64_MAX,
     .max = INT64_MAX,
     .preset = MR_REPLAY_NO_SHIFT,
     .argument = "N",
     .text = "From so far behind what is committed; before it, where N is negative."},
    {.name = "from-file",
     .kind = MR_FLAG_TEXT,
     .offset = START(file),
     .argument = "FILE",
     .text = "From what the file says, lines topic,partition,offset as kafka-consumer-groups "
             "--export writes them. Other partitions stay where they are."},
    {.name = "emit",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, emit),
     .text = "Sends the outputs again."},
    {.name = "dry-run",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, dry_run),
     .text = "Prints what would be done, and changes nothing."},
};

const mr_verb mr_verb_replay = {
    .name = "replay",
    .operands = "APP",
    .summary = "Has a stage process its input again, with today's logic, without its outputs.",
    .text =
        "No processor of the stage may run. One transaction removes the rows of the stage from its "
        "changelogs and sets its group back; its processors, when they are started, read the "
        "input again. Up to where they had been, they send nothing to topics of `to`; rows go to "
        "projection topics and failures to dead letters again. What is on a projection topic and "
        "is not made any more stays there: `millrace rebuild` finds such rows. /status and "
        "`millrace status` show how far they are.\n"
        "Of an aggregate stage, the events are the truth: they are folded again with today's "
        "evolve handlers, and rows whose state differs are written; offsets stay.\n"
        "A processor that starts meanwhile makes it fail as a whole, and so does a transaction "
        "that takes longer than transaction.timeout.ms. An offset that the topic does not have is "
        "taken as the nearest one it has.",
    .operands_min = 1,
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
