#include "cli/verbs.h"

#include <stdlib.h>

#include "cli/rebuilding.h"
#include "cli/supervisor.h"
#include "runtime/sole_member.h"

typedef struct arguments {
    bool compare;
    bool swap;
    bool drop;
    bool dry_run;
} arguments;

static void rebuilding_deinit(mr_rebuilding *r)
{
    mr_admin_free(r->admin);
    mr_app_free(r->live_app);
}
MR_DEFINE_CLEANUP(mr_rebuilding, rebuilding_deinit)

/* A stage by its own name, or by one of its views. */
static mr_status find_live(mr_rebuilding *r, const char *name, mr_error *err)
{
    const mr_store_spec *store;
    r->live = mr_app_stage(r->live_app, name);
    return r->live != NULL ? MR_OK : mr_app_find_store(r->live_app, name, &r->live, &store, err);
}

static mr_status open_rebuilding(mr_rebuilding *r, mr_error *err)
{
    mr_cli *cli = r->cli;
    const char *directory = cli->operands.items[0];
    if (cli->version == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "--as is missing: what is the version's name?");
    }
    MR_TRY(mr_cli_open_app(cli, directory, err));
    MR_TRY(mr_definition_load(directory, &cli->limits, cli->kinds, &r->live_app, err));
    MR_TRY(find_live(r, cli->operands.items[1], err));
    MR_TRY(mr_cli_stage(cli, r->live->name, &r->built, err));
    MR_TRY(mr_cli_connect(cli, err));
    if (cli->is_dev) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "the embedded broker of `millrace dev` has no groups and transactions "
                            "to build a version with; for a real one set -X bootstrap.servers=...");
    }
    return mr_cli_admin(cli, &r->admin, err);
}

/* A run takes signals by reading them; what comes afterwards ends this process as ever. */
static mr_status build(const mr_rebuilding *r, mr_status (*step)(const mr_rebuilding *, mr_error *),
                       mr_error *err)
{
    const mr_log_level level = r->cli->log.level;
    r->cli->log.level = (mr_log_level)r->cli->settings.app.log_level;
    const mr_status status = step(r, err);
    r->cli->log.level = level;
    (void)sigprocmask(SIG_SETMASK, r->mask, NULL);
    return status;
}

static mr_status work(const mr_rebuilding *r, const arguments *a, mr_error *err)
{
    if (a->drop) {
        return mr_rebuilding_drop(r, a->dry_run, err);
    }
    if (a->compare || a->swap) {
        MR_TRY(mr_rebuilding_check_built(r, err));
    }
    if (a->dry_run) {
        return a->swap ? mr_rebuilding_swap(r, true, err) : mr_rebuilding_plan(r, err);
    }
    if (a->swap) {
        MR_TRY(mr_group_check_idle(r->admin, r->live, err)); /* before anything is read */
    }
    const mr_status status =
        build(r, a->compare || a->swap ? mr_rebuilding_catch_up : mr_rebuilding_run, err);
    if (status != MR_OK) {
        return status;
    }
    return a->swap ? mr_rebuilding_swap(r, false, err) : mr_rebuilding_compare(r, err);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    sigset_t mask;
    if (a->compare + a->swap + a->drop > 1) {
        return mr_error_set(err, MR_ERR_USAGE, "one of --compare, --swap and --drop");
    }
    if (a->compare && a->dry_run) {
        return mr_error_set(err, MR_ERR_USAGE, "--compare changes nothing: it has no --dry-run");
    }
    /* Before there are other threads. */
    MR_TRY(mr_supervisor_block_signals(&mask, err));
    if (a->drop || a->dry_run) {
        (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    }
    MR_CLEANUP(rebuilding_deinit) mr_rebuilding r = {.cli = cli, .mask = &mask};
    MR_TRY(open_rebuilding(&r, err));
    return work(&r, a, err);
}

static const mr_flag flags[] = {
    {.name = "compare",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, compare),
     .text = "Compares only; reads on before where the live one is ahead."},
    {.name = "swap",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, swap),
     .text = "Makes the live view what the version is, in one transaction."},
    {.name = "drop",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, drop),
     .text = "Deletes the version: its topics, its group, its directory on this host."},
    {.name = "dry-run",
     .letter = 'n',
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, dry_run),
     .text = "Says what would be made and read, swapped or deleted, and does nothing."},
};

const mr_verb mr_verb_rebuild = {
    .name = "rebuild",
    .operands = "APP VIEW",
    .summary = "Builds a view anew beside the live one, compares the two, swaps them.",
    .text = "VIEW is a project stage or one of its stores. A version is that stage once more, with "
            "names that end in -VERSION: group, changelogs, dead letters, projection topics, state "
            "directory. It reads the live inputs from their beginning; nobody who reads the live "
            "view sees anything of it.\n"
            "Makes the topics, runs the version's processor until it has read what the inputs have "
            "at the start, and compares. Interrupted, the same command goes on where it was. "
            "`--as VERSION` of other verbs, and of millrace-project, looks at the version or runs "
            "it.\n"
            "Compared are the states of both, as their changelogs have them, key by key; exit code "
            "1 when they differ. A live one that goes on is compared when its input rests.\n"
            "A swap needs every processor of the live stage stopped. The version reads on to where "
            "the live one stands, at least; then the rows that differ are written to the live "
            "changelogs and projection topics, and the live group's offsets become the version's: "
            "all or nothing. So names stay, and the processors start with the new app and the new "
            "rows. On projection topics such a row has no ce_time and no ce_causationid. A version "
            "with records that failed is not swapped in. Where the stage has other stores than "
            "before, `millrace restore` makes its state directories anew before it starts.",
    .operands_min = 2,
    .operands_max = 2,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .has_version = true,
    .run = run,
};
