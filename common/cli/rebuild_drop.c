#include <stdlib.h>
#include <unistd.h>

#include "app/endpoint.h"
#include "app/files.h"
#include "cli/instances.h"
#include "cli/rebuilding.h"
#include "cli/report.h"
#include "core/alloc.h"
#include "runtime/sole_member.h"
#include "store/directory.h"

static const char *const columns[] = {"what", "name", "done"};

MR_DEFINE_CLEANUP(char, free)

typedef struct dropping {
    const mr_rebuilding *of;
    mr_report *report;
    bool dry_run;
} dropping;

static void report(const dropping *d, const char *what, const char *name, mr_status status)
{
    mr_report_text(d->report, what);
    mr_report_text(d->report, name);
    mr_report_text(d->report, status == MR_NOT_FOUND ? "was not there"
                              : d->dry_run           ? "would be deleted"
                                                     : "deleted");
}

/* ---- Nobody uses it ---- */

static mr_status check_directories(const mr_rebuilding *r, mr_error *err)
{
    MR_CLEANUP(mr_names_deinit) mr_names names;
    mr_instance_names(r->cli, r->built, &names);
    for (size_t i = 0; i < names.n; i++) {
        char *found = NULL;
        MR_TRY(mr_instance_directory(&r->cli->settings, r->built, names.items[i], &found, err));
        MR_CLEANUP(freep) char *directory = found;
        if (mr_directory_in_use(directory)) {
            return mr_directory_in_use_error(directory, err);
        }
    }
    return MR_OK;
}

/* ---- Deleting ---- */

static mr_status drop_topic(const dropping *d, const char *topic, mr_error *err)
{
    int32_t ignored;
    const mr_status status = d->dry_run ? mr_admin_partitions(d->of->admin, topic, &ignored, err)
                                        : mr_admin_delete_topic(d->of->admin, topic, err);
    if (status >= 0) {
        report(d, "topic", topic, status);
    }
    return status < 0 ? status : MR_OK;
}

static mr_status drop_group(const dropping *d, mr_error *err)
{
    mr_group *group = NULL;
    const char *name = d->of->built->group;
    const mr_status status = d->dry_run ? mr_admin_group(d->of->admin, name, &group, err)
                                        : mr_admin_delete_group(d->of->admin, name, err);
    mr_group_free(group);
    if (status >= 0) {
        report(d, "group", name, status);
    }
    return status < 0 ? status : MR_OK;
}

static mr_status drop_directory(const dropping *d, mr_error *err)
{
    MR_CLEANUP(freep)
    char *directory = mr_stage_directory(&d->of->cli->settings, d->of->built);
    const bool is_there = access(directory, F_OK) == 0;
    if (is_there && !d->dry_run) {
        MR_TRY(mr_directory_clear(directory, err));
        if (rmdir(directory) != 0) {
            return mr_error_set(err, MR_ERR_SYSTEM, "cannot remove the emptied directory '%s'",
                                directory);
        }
    }
    report(d, "directory", directory, is_there ? MR_OK : MR_NOT_FOUND);
    return MR_OK;
}

/* The directory last: should this be interrupted, whoever builds on sees by it that the changelogs
 * were made anew. */
static mr_status drop_all(const dropping *d, mr_error *err)
{
    const mr_topic *topic;
    for (size_t i = 0; (topic = mr_rebuilding_topic(d->of, i)) != NULL; i++) {
        MR_TRY(drop_topic(d, topic->name, err));
    }
    MR_TRY(drop_group(d, err));
    return drop_directory(d, err);
}

mr_status mr_rebuilding_drop(const mr_rebuilding *r, bool dry_run, mr_error *err)
{
    MR_TRY(mr_group_check_idle(r->admin, r->built, err));
    MR_TRY(check_directories(r, err));
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(r->cli, columns);
    const dropping d = {.of = r, .report = report, .dry_run = dry_run};
    return drop_all(&d, err);
}
