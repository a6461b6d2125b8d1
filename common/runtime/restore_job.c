#include "runtime/restore_job.h"

#include <stdlib.h>

#include "core/alloc.h"

mr_restore_job *mr_restore_job_new(const mr_stage *stage, bool exactly_once, mr_restore *restore)
{
    mr_restore_job *job = mr_alloc_zero(1, sizeof(*job));
    job->stage = stage;
    job->exactly_once = exactly_once;
    job->restore = restore;
    return job;
}

void mr_restore_job_free(mr_restore_job *job)
{
    if (job == NULL) {
        return;
    }
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        mr_replay_free(job->replays[i]);
    }
    free(job);
}

static mr_status check_ends(const mr_restore_job *job, mr_error *err)
{
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        const int64_t have = job->restore->progress.changelog_offset[i];
        if (have > job->ends[i]) {
            return mr_error_set(err, MR_ERR_STORE,
                                "the state on disk has read changelog %s to offset %lld, but it "
                                "ends at %lld: the topic was made anew; remove the state directory "
                                "to rebuild from what is there",
                                job->stage->stores[i].changelog, (long long)have,
                                (long long)job->ends[i]);
        }
    }
    return MR_OK;
}

/* Exactly once, the state can never be ahead of the group's offset: both are one transaction. */
static mr_status check_offsets(const mr_restore_job *job, mr_error *err)
{
    const mr_restore *restore = job->restore;
    if (job->exactly_once && restore->progress.input_offset > restore->committed) {
        return mr_error_set(err, MR_ERR_STORE,
                            "the state on disk includes input up to offset %lld, but the group has "
                            "committed %lld: its offsets were reset or have expired; reset the "
                            "state together with them",
                            (long long)restore->progress.input_offset,
                            (long long)restore->committed);
    }
    return MR_OK;
}

mr_status mr_restore_job_begin(mr_restore_job *job, mr_error *err)
{
    MR_TRY(check_ends(job, err));
    MR_TRY(check_offsets(job, err));
    mr_progress *progress = &job->restore->progress;
    progress->n_stores = job->stage->n_stores;
    job->restore->attempt = 0;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        job->replays[i] = mr_replay_new(&job->stage->stores[i], progress->changelog_offset[i],
                                        progress->commit, progress->input_offset);
        const int64_t have = progress->changelog_offset[i] < 0 ? 0 : progress->changelog_offset[i];
        job->ended[i] = have >= job->ends[i];
        job->restore->attempt += job->ends[i];
    }
    return MR_OK;
}

static size_t store_of_topic(const mr_restore_job *job, const char *topic)
{
    size_t i = 0;
    while (strcmp(job->stage->stores[i].changelog, topic) != 0) {
        i++;
        assert(i < job->stage->n_stores);
    }
    return i;
}

mr_status mr_restore_job_add(mr_restore_job *job, const mr_record *record, mr_error *err)
{
    MR_TRY(mr_replay_add(job->replays[store_of_topic(job, record->topic)], record, err));
    atomic_fetch_add_explicit(job->restore->restored, 1, memory_order_relaxed);
    return MR_OK;
}

void mr_restore_job_reached(mr_restore_job *job, const char *topic, int64_t offset)
{
    const size_t store = store_of_topic(job, topic);
    job->ended[store] = offset >= job->ends[store];
}

bool mr_restore_job_has_ended(const mr_restore_job *job)
{
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        if (!job->ended[i]) {
            return false;
        }
    }
    return true;
}

size_t mr_restore_job_bytes(const mr_restore_job *job)
{
    size_t bytes = 0;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        bytes += mr_row_map_bytes(mr_replay_rows(job->replays[i]));
    }
    return bytes;
}

int64_t mr_restore_job_left(const mr_restore_job *job)
{
    int64_t left = 0;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        const int64_t at = mr_replay_offset(job->replays[i]);
        left += job->ended[i] || job->ends[i] <= at ? 0 : job->ends[i] - at;
    }
    return left;
}

static mr_status write_rows(mr_restore_job *job, size_t store, mr_error *err)
{
    mr_row_map *map = mr_replay_rows(job->replays[store]);
    mr_restore *restore = job->restore;
    restore->progress.changelog_offset[store] = mr_replay_offset(job->replays[store]);
    mr_row *rows = NULL;
    const size_t n_rows = mr_row_map_count(map);
    mr_row_map_rows(map, job->stage->stores[store].number, &rows);
    const mr_status status =
        n_rows < MR_ROWS_OF_A_TABLE
            ? mr_partition_write(restore->partition, rows, n_rows, &restore->progress, err)
            : mr_partition_write_sorted(restore->partition, rows, n_rows, &restore->progress, err);
    free(rows);
    mr_row_map_clear(map);
    return status;
}

mr_status mr_restore_job_write(mr_restore_job *job, mr_error *err)
{
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        if (mr_row_map_count(mr_replay_rows(job->replays[i])) > 0) {
            MR_TRY(write_rows(job, i, err));
        }
    }
    return MR_OK;
}

mr_status mr_restore_job_finish(mr_restore_job *job, mr_error *err)
{
    mr_progress *progress = &job->restore->progress;
    int64_t commit = mr_replay_commit(job->replays[0]);
    for (size_t i = 1; i < job->stage->n_stores; i++) {
        const int64_t other = mr_replay_commit(job->replays[i]);
        commit = other < commit ? other : commit;
    }
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        mr_replay_finish(job->replays[i], commit, job->ends[i]);
    }
    progress->commit = commit;
    progress->input_offset =
        job->exactly_once ? job->restore->committed : mr_replay_input_offset(job->replays[0]);
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        MR_TRY(write_rows(job, i, err));
    }
    return MR_OK;
}
