#include "cli/backup_tail.h"

#include <stdlib.h>

#include <mr/clock.h>

#include "cli/clients.h"
#include "cli/topic_plan.h"
#include "core/alloc.h"
#include "runtime/stale_tail.h"

#define ADVICE "; `millrace restore` without --from reads the changelogs from their beginnings"

typedef struct tail {
    const mr_cli *cli;
    const mr_backup *backup;
    mr_admin *admin;
    mr_reader *reader;
    mr_deletions_kept kept;
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

static mr_status fail_stale(const tail *t, const mr_tail *stale, const char *changelog,
                            mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf kept = MR_BUF_NULL;
    mr_retention_describe(t->kept.ms[stale->store], &kept);
    return mr_error_set(err, MR_ERR_USAGE,
                        "backup '%s' goes on at offset %lld of changelog %s, partition %d, where "
                        "records are older than deletions are kept (delete.retention.ms, %s): what "
                        "was deleted could come back" ADVICE,
                        t->backup->directory, (long long)stale->have, changelog, stale->partition,
                        mr_buf_text(&kept));
}

/* A row whose deletion the tail had, and lost by compaction, would be there again. */
static mr_status check_deletions(const tail *t, const mr_stage *stage, mr_tail *tails, size_t n,
                                 mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    const mr_tail_check check = {
        .reader = t->reader,
        .stage = stage,
        .kept = &t->kept,
        .exactly_once = t->cli->settings.runtime.guarantee == MR_EXACTLY_ONCE,
        .now_ms = clock->wall_ms(clock),
        .timeout_ms = (int)t->cli->settings.runtime.broker_timeout_ms,
    };
    MR_TRY(mr_tails_check(&check, tails, n, err));
    for (size_t i = 0; i < n; i++) {
        if (tails[i].is_stale) {
            return fail_stale(t, &tails[i], stage->stores[tails[i].store].changelog, err);
        }
    }
    return MR_OK;
}

static mr_status check_store(const tail *t, const mr_stage *stage, size_t store,
                             const mr_extent *extents, mr_error *err)
{
    const size_t n = t->backup->n_tasks;
    mr_status status = MR_OK;
    mr_tail *tails = mr_alloc_zero(n + 1, sizeof(*tails));
    for (size_t i = 0; status == MR_OK && i < n; i++) {
        const mr_backup_task *task = &t->backup->tasks[i];
        const mr_extent *extent = &extents[task->number];
        const place at = {stage->stores[store].changelog, task->number,
                          task->progress.changelog_offset[store]};
        tails[i] = (mr_tail){
            .store = store, .partition = task->number, .have = at.next, .end = extent->end};
        status = check_extent(t, &at, extent, err);
    }
    status = status == MR_OK ? check_deletions(t, stage, tails, n, err) : status;
    free(tails);
    return status;
}

static mr_status check_stores(const tail *t, const mr_stage *stage, mr_error *err)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        const char *changelog = stage->stores[i].changelog;
        mr_extent *extents = NULL;
        size_t n = 0;
        MR_TRY(mr_cli_extents(t->cli, t->admin, t->reader, changelog, &extents, &n, err));
        const mr_status status = check_store(t, stage, i, extents, err);
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
    status = status == MR_OK ? mr_deletions_kept_read(t.admin, stage, &t.kept, err) : status;
    status = status == MR_OK ? check_stores(&t, stage, err) : status;
    mr_reader_free(t.reader);
    mr_admin_free(t.admin);
    return status;
}
