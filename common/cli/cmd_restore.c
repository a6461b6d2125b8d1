#include "cli/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/endpoint.h"
#include "app/files.h"
#include "cli/backup_tail.h"
#include "cli/clients.h"
#include "cli/report.h"
#include "core/alloc.h"
#include "core/text.h"
#include "runtime/inspect.h"
#include "store/archive.h"
#include "store/directory.h"

MR_DEFINE_CLEANUP(char, free)

typedef struct arguments {
    const char *stage;
    int64_t partition;
    const char *from; /* NULL: no backup */
    bool dry_run;
    bool purge;
} arguments;

/* What is to be done. */
typedef struct plan {
    const mr_stage *stage;
    char *directory;
    int32_t *numbers; /* of the tasks that are restored */
    size_t n;
    mr_backup backup; /* no directory: none */
} plan;

static const char *const columns[] = {"partition", "restored", "rows"};

static void plan_deinit(plan *p)
{
    free(p->directory);
    free(p->numbers);
    mr_backup_deinit(&p->backup);
}
MR_DEFINE_CLEANUP(plan, plan_deinit)

/* ---- What there is, and what is to be done ---- */

static mr_status choose_stage(mr_cli *cli, const arguments *a, plan *p, mr_error *err)
{
    if (a->stage == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "--stage is missing: whose state?");
    }
    MR_TRY(mr_cli_stage(cli, a->stage, &p->stage, err));
    if (p->stage->n_stores == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "stage '%s' is of kind %s, which keeps no state",
                            a->stage, p->stage->kind);
    }
    MR_TRY(mr_instance_directory(&cli->settings, p->stage, cli->settings.runtime.instance_id,
                                 &p->directory, err));
    return mr_directory_in_use(p->directory) ? mr_directory_in_use_error(p->directory, err) : MR_OK;
}

static mr_status choose_backup(const arguments *a, plan *p, mr_error *err)
{
    if (a->from == NULL) {
        return MR_OK;
    }
    if (a->partition >= 0) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "--partition goes without --from: a backup is of all partitions that "
                            "its instance had");
    }
    return mr_backup_open(a->from, p->stage, &p->backup, err);
}

/* The tasks whose rows the backup has, or the directory had; all of the stage when it cannot be
 * told any more. */
static mr_status choose_tasks(const mr_cli *cli, const arguments *a,
                              const mr_inspection *inspection, plan *p, mr_error *err)
{
    const int32_t n_all = mr_app_topic(cli->app, p->stage->stores[0].changelog)->partitions;
    if (a->partition >= n_all) {
        return mr_error_set(err, MR_ERR_USAGE, "--partition is %lld, stage '%s' has 0 to %d",
                            (long long)a->partition, p->stage->name, n_all - 1);
    }
    const bool one = a->partition >= 0;
    const size_t n_kept = p->backup.n_tasks > 0 ? p->backup.n_tasks : inspection->n_tasks;
    p->n = one ? 1 : n_kept > 0 ? n_kept : (size_t)n_all;
    p->numbers = mr_alloc_zero(p->n, sizeof(*p->numbers));
    for (size_t i = 0; i < p->n; i++) {
        p->numbers[i] = one                       ? (int32_t)a->partition
                        : p->backup.n_tasks > 0   ? p->backup.tasks[i].number
                        : inspection->n_tasks > 0 ? inspection->tasks[i].number
                                                  : (int32_t)i;
    }
    return MR_OK;
}

/* Damage is what this verb is for, so it is told and not a failure. */
static mr_status look(mr_cli *cli, const arguments *a, plan *p, mr_error *err)
{
    mr_error damage;
    mr_inspection inspection;
    MR_TRY(choose_stage(cli, a, p, err));
    MR_TRY(choose_backup(a, p, err));
    const mr_status found = mr_inspect(p->directory, p->stage, &cli->log, &inspection, &damage);
    if (found == MR_OK) {
        mr_cli_note("state directory '%s': nothing is wrong with it", p->directory);
    } else {
        mr_cli_note("%s", damage.message);
    }
    const mr_status status = choose_tasks(cli, a, &inspection, p, err);
    mr_inspection_deinit(&inspection);
    return status;
}

static void print_plan(const mr_cli *cli, const plan *p)
{
    MR_CLEANUP(freep) char *aside = mr_directory_aside_name(p->directory);
    if (access(p->directory, F_OK) == 0) {
        mr_cli_note("'%s' would be put aside as '%s'", p->directory, aside);
    }
    if (p->backup.directory != NULL) {
        char made[MR_TIME_TEXT_SIZE];
        mr_time_format(p->backup.made_ms, made);
        mr_cli_note("backup '%s' of %s is whole: it would be copied, and what came later read",
                    p->backup.directory, made);
    }
    mr_cli_note("these partitions would be restored from the changelogs:");
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(cli, columns);
    for (size_t i = 0; i < p->n; i++) {
        mr_report_number(report, p->numbers[i]);
        mr_report_known(report, -1);
        mr_report_known(report, -1);
    }
}

/* ---- Doing it ---- */

/* Before anything is moved. */
static mr_status check_changelogs(const mr_cli *cli, const plan *p, mr_error *err)
{
    mr_admin *made = NULL;
    MR_TRY(mr_cli_admin(cli, &made, err));
    MR_CLEANUP(mr_admin_freep) mr_admin *admin = made;
    for (size_t i = 0; i < p->stage->n_stores; i++) {
        int32_t n = 0;
        const char *changelog = p->stage->stores[i].changelog;
        const int32_t declared = mr_app_topic(cli->app, changelog)->partitions;
        MR_TRY(mr_cli_partitions(admin, changelog, &n, err));
        if (n != declared) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "topic '%s' has %d partitions, the app declares %d: it is not the "
                                "changelog of this app",
                                changelog, n, declared);
        }
    }
    return MR_OK;
}

static mr_status rebuild(mr_cli *cli, const plan *p, const char *directory, int64_t *ret_restored,
                         mr_error *err)
{
    const mr_rebuild_options options =
        mr_cli_rebuild_options(cli, p->stage, directory, p->numbers, p->n);
    return mr_rebuild(&options, ret_restored, err);
}

/* Reads what was restored once more, from disk: a digest will find all of it. */
static mr_status print_result(mr_cli *cli, const plan *p, const int64_t *restored, mr_error *err)
{
    mr_inspection inspection;
    const mr_status status = mr_inspect(p->directory, p->stage, &cli->log, &inspection, err);
    if (status == MR_OK) {
        MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(cli, columns);
        assert(inspection.n_tasks == p->n);
        for (size_t i = 0; i < p->n; i++) {
            mr_report_number(report, p->numbers[i]);
            mr_report_number(report, restored[i]);
            mr_report_number(report, inspection.tasks[i].rows);
        }
    }
    mr_inspection_deinit(&inspection);
    return status;
}

static mr_status purge(const char *aside, mr_error *err)
{
    MR_TRY(mr_directory_clear(aside, err));
    if (rmdir(aside) != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "cannot remove the emptied directory '%s'", aside);
    }
    mr_cli_note("removed '%s'", aside);
    return MR_OK;
}

/* NULL in *ret_aside: there was none. */
static mr_status put_aside(const plan *p, char **ret_aside, mr_error *err)
{
    const mr_status status = mr_directory_put_aside(p->directory, ret_aside, err);
    if (status == MR_OK) {
        mr_cli_note("put '%s' aside as '%s'", p->directory, *ret_aside);
    }
    return status < 0 ? status : MR_OK;
}

/* The present directory stays in its place until the new one is complete. */
static mr_status replace_by_backup(mr_cli *cli, const plan *p, int64_t *restored, char **ret_aside,
                                   mr_error *err)
{
    MR_CLEANUP(freep) char *above = mr_stage_directory(&cli->settings, p->stage);
    const char *instance = cli->settings.runtime.instance_id;
    MR_CLEANUP(freep) char *beside = mr_asprintf("%s/.%s.restoring", above, instance);
    MR_TRY(mr_directory_make(above, err));
    MR_TRY(mr_archive_remove(beside, err)); /* what an interrupted one left */
    mr_status status = mr_backup_copy(&p->backup, beside, err);
    status = status == MR_OK ? rebuild(cli, p, beside, restored, err) : status;
    status = status == MR_OK ? put_aside(p, ret_aside, err) : status;
    if (status != MR_OK) {
        mr_error ignored;
        (void)(mr_archive_remove(beside, &ignored) == MR_OK);
        return status;
    }
    return rename(beside, p->directory) == 0
               ? MR_OK
               : mr_error_set(err, MR_ERR_SYSTEM, "cannot rename '%s' to '%s': %s", beside,
                              p->directory, strerror(errno));
}

static mr_status replace(mr_cli *cli, const plan *p, int64_t *restored, char **ret_aside,
                         mr_error *err)
{
    if (p->backup.directory != NULL) {
        return replace_by_backup(cli, p, restored, ret_aside, err);
    }
    MR_TRY(put_aside(p, ret_aside, err));
    return rebuild(cli, p, p->directory, restored, err);
}

static mr_status restore(mr_cli *cli, const arguments *a, const plan *p, mr_error *err)
{
    char *moved = NULL;
    int64_t *restored = mr_alloc_zero(p->n, sizeof(*restored));
    mr_status status = replace(cli, p, restored, &moved, err);
    MR_CLEANUP(freep) char *aside = moved;
    status = status == MR_OK ? print_result(cli, p, restored, err) : status;
    free(restored);
    return status == MR_OK && a->purge && aside != NULL ? purge(aside, err) : status;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_CLEANUP(plan_deinit) plan p = {0};
    MR_TRY(look(cli, a, &p, err));
    if (a->dry_run) {
        print_plan(cli, &p);
        return MR_OK;
    }
    MR_TRY(mr_cli_connect(cli, err));
    MR_TRY(check_changelogs(cli, &p, err));
    if (p.backup.directory != NULL) {
        MR_TRY(mr_backup_check_tail(cli, p.stage, &p.backup, err));
    }
    cli->log.level = (mr_log_level)cli->settings.app.log_level; /* its progress */
    return restore(cli, a, &p, err);
}

static const mr_flag flags[] = {
    {.name = "stage",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, stage),
     .argument = "NAME",
     .text = "Whose state. -X group.instance.id=ID says of which instance; preset: 0."},
    {.name = "partition",
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, partition),
     .min = 0,
     .max = INT32_MAX,
     .preset = -1,
     .argument = "N",
     .text = "Restores only this one; the processor restores others when it starts."},
    {.name = "from",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, from),
     .argument = "BACKUP",
     .text = "A directory that `millrace backup` made: it is checked, copied, and only what came "
             "later is read from the changelogs."},
    {.name = "dry-run",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, dry_run),
     .text = "Says what is wrong and what would be done, and changes nothing."},
    {.name = "purge",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, purge),
     .text = "Removes what was put aside, once the state is restored and was read back."},
};

const mr_verb mr_verb_restore = {
    .name = "restore",
    .operands = "APP",
    .summary = "Puts a damaged state directory aside and rebuilds the state from its changelogs.",
    .text =
        "The processor must not run; others of the stage may. Every row that is there is read to "
        "say what is wrong; it is done also when nothing is. The directory <instance> is renamed "
        "to .<instance>.aside-<n>, n the first that is free, and kept. Then the partitions that "
        "were in it, or all of the stage when that cannot be read, are restored as at a start and "
        "read back, so that the processor starts without reading them again. Interrupted, it is "
        "harmless: the processor's start reads the rest.\n"
        "With --from the state comes from a backup of the stage and the tails of the changelogs. A "
        "damaged backup, one of another stage, or one that is too old for the changelogs is "
        "refused, and nothing is changed; the directory is put aside when the new one is complete. "
        "Copies from another instance's backup are of that one's partitions.",
    .operands_min = 1,
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .has_version = true,
    .run = run,
};
