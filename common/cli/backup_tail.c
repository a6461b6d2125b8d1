#include "cli/backup_tail.h"

#include <stdlib.h>

#include <mr/clock.h>

#include "cli/clients.h"
#include "cli/topic_plan.h"
#include "core/text.h"

#define ADVICE "; `millrace restore` without --from reads the changelogs from their beginnings"

typedef struct tail {
    const mr_cli *cli;
    const mr_backup *backup;
    mr_admin *admin;
    mr_reader *reader;
} tail;

/* One changelog of one task, and where the backup goes on in it. */
typedef struct place {
    const char *changelog;
    int32_t partition;
    int64_t next; /* -1: the backup has nothing of it */
} place;

static mr_status check_extent(const tail *t, const place *at, const mr_extent *extent,
                              mr_error *err)
{
    if (at->next >= 0 && at->next < extent->begin) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "backup '%s' goes on at offset %lld of changelog %s, partition %d, "
                            "which begins at %lld" ADVICE,
                            t->backup->directory, (long long)at->next, at->changelog, at->partition,
                            (long long)extent->begin);
    }
    if (at->next > extent->end) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "backup '%s' goes on at offset %lld of changelog %s, partition %d, "
                            "which ends at %lld: the topic was made anew" ADVICE,
                            t->backup->directory, (long long)at->next, at->changelog, at->partition,
                            (long long)extent->end);
    }
    return MR_OK;
}

/* A row whose deletion the tail had, and lost by compaction, would be there again. Whatever is
 * younger than `kept_ms` has not been lost. */
static mr_status check_deletions(const tail *t, const place *at, const mr_extent *extent,
                                 int64_t kept_ms, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    if (at->next < 0 || at->next == extent->end) {
        return MR_OK;
    }
    int64_t sure = 0;
    MR_TRY(mr_reader_offset_at(t->reader, at->changelog, at->partition,
                               clock->wall_ms(clock) - kept_ms, &sure,
                               (int)t->cli->settings.runtime.broker_timeout_ms, err));
    if (sure <= at->next) {
        return MR_OK;
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf kept = MR_BUF_NULL;
    mr_retention_describe(kept_ms, &kept);
    return mr_error_set(err, MR_ERR_USAGE,
                        "backup '%s' goes on at offset %lld of changelog %s, partition %d, where "
                        "records are older than deletions are kept (delete.retention.ms, %s): what "
                        "was deleted could come back" ADVICE,
                        t->backup->directory, (long long)at->next, at->changelog, at->partition,
                        mr_buf_text(&kept));
}

/* INT64_MAX for a broker that does not compact. */
static mr_status read_kept(const tail *t, const char *changelog, int64_t *ret_ms, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
    const mr_status status =
        mr_admin_topic_config(t->admin, changelog, "delete.retention.ms", &value, err);
    if (status < 0) {
        return status;
    }
    if (status != MR_OK || mr_parse_int64(mr_buf_text(&value), ret_ms) != MR_OK) {
        *ret_ms = INT64_MAX;
    }
    return MR_OK;
}

static mr_status check_store(const tail *t, size_t store, const char *changelog,
                             const mr_extent *extents, mr_error *err)
{
    int64_t kept_ms = 0;
    MR_TRY(read_kept(t, changelog, &kept_ms, err));
    for (size_t i = 0; i < t->backup->n_tasks; i++) {
        const mr_backup_task *task = &t->backup->tasks[i];
        const mr_extent *extent = &extents[task->number];
        const place at = {changelog, task->number, task->progress.changelog_offset[store]};
        MR_TRY(check_extent(t, &at, extent, err));
        if (kept_ms != INT64_MAX) {
            MR_TRY(check_deletions(t, &at, extent, kept_ms, err));
        }
    }
    return MR_OK;
}

static mr_status check_stores(const tail *t, const mr_stage *stage, mr_error *err)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        const char *changelog = stage->stores[i].changelog;
        mr_extent *extents = NULL;
        size_t n = 0;
        MR_TRY(mr_cli_extents(t->cli, t->admin, t->reader, changelog, &extents, &n, err));
        const mr_status status = check_store(t, i, changelog, extents, err);
        free(extents);
        MR_TRY(status);
    }
    return MR_OK;
}

mr_status mr_backup_check_tail(const mr_cli *cli, const mr_stage *stage, const mr_backup *backup,
                               mr_error *err)
{
    tail t = {.cli = cli, .backup = backup};
    MR_TRY(mr_cli_admin(cli, &t.admin, err));
    mr_status status = mr_cli_reader(cli, &t.reader, err);
    status = status == MR_OK ? check_stores(&t, stage, err) : status;
    mr_reader_free(t.reader);
    mr_admin_free(t.admin);
    return status;
}
