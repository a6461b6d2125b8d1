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
    mr_error ignored;
    (void)(mr_restore_job_take(job, true, &ignored) == MR_OK);
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
            return mr_error_set(
                err, MR_ERR_STORE,
                "the state on disk has read changelog %s to offset %lld, but it "
                "ends at %lld: the topic was made anew; `millrace restore` puts the "
                "state directory aside and rebuilds from what is there",
                job->stage->stores[i].changelog, (long long)have, (long long)job->ends[i]);
        }
    }
    return MR_OK;
}

/* Exactly once, the state can never be ahead of the group's offset: both are one transaction. But
 * for a replay, whose beginning, rows and all, is in the changelogs behind what the disk has. */
static mr_status check_offsets(const mr_restore_job *job, mr_error *err)
{
    const mr_restore *restore = job->restore;
    if (job->exactly_once && restore->progress.input_offset > restore->committed &&
        restore->progress.input_offset > restore->replay_below) {
        return mr_error_set(err, MR_ERR_STORE,
                            "the state on disk includes input up to offset %lld, but the group has "
                            "committed %lld: its offsets were reset or have expired; reset the "
                            "state together with them",
                            (long long)restore->progress.input_offset,
                            (long long)restore->committed);
    }
    return MR_OK;
}

mr_status mr_restore_job_drop_rows(mr_restore_job *job, mr_error *err)
{
    mr_restore *restore = job->restore;
    MR_TRY(mr_partition_clear(restore->partition, err));
    MR_TRY(mr_partition_progress(restore->partition, &restore->progress, err));
    restore->progress.n_stores = job->stage->n_stores;
    restore->tail = 0;
    restore->is_dropped = true;
    return MR_OK;
}

void mr_restore_job_follow(mr_restore_job *job)
{
    mr_progress *progress = &job->restore->progress;
    progress->n_stores = job->stage->n_stores;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        job->replays[i] = mr_replay_new(&job->stage->stores[i], progress->changelog_offset[i],
                                        progress->commit, progress->input_offset);
    }
}

mr_status mr_restore_job_begin(mr_restore_job *job, mr_error *err)
{
    MR_TRY(check_ends(job, err));
    MR_TRY(check_offsets(job, err));
    if (job->is_stale) {
        MR_TRY(mr_restore_job_drop_rows(job, err));
    }
    mr_restore_job_follow(job);
    const mr_progress *progress = &job->restore->progress;
    job->restore->attempt = 0;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
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
    mr_replay *replay = job->replays[store_of_topic(job, record->topic)];
    if (mr_replay_add(replay, record, err) != MR_OK) {
        return mr_error_prefix(err, "changelog %s, offset %lld", record->topic,
                               (long long)record->offset);
    }
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
        bytes += mr_row_pile_bytes(mr_replay_rows(job->replays[i]));
        bytes += job->flush == NULL ? 0 : mr_row_pile_bytes(job->in_flush[i]);
    }
    return bytes;
}

int64_t mr_restore_job_left(const mr_restore_job *job)
{
    int64_t left = 0;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        const int64_t known = mr_replay_offset(job->replays[i]);
        const int64_t at = known < 0 ? 0 : known;
        left += job->ended[i] || job->ends[i] <= at ? 0 : job->ends[i] - at;
    }
    return left;
}

/* ---- Writing ---- */

static void free_in_flush(mr_restore_job *job)
{
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        mr_row_pile_free(job->in_flush[i]);
        job->in_flush[i] = NULL;
    }
}

/* Of all stores: their rows ascend by the stores' numbers. */
static mr_row *take_rows(mr_restore_job *job, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        job->restore->progress.changelog_offset[i] = mr_replay_offset(job->replays[i]);
        job->in_flush[i] = mr_replay_take(job->replays[i]);
        n += mr_row_pile_count(job->in_flush[i]);
    }
    *ret_n = n;
    if (n == 0) {
        return NULL;
    }
    mr_row *rows = mr_alloc(n * sizeof(*rows));
    for (size_t i = 0, at = 0; i < job->stage->n_stores; i++) {
        mr_row_pile_rows(job->in_flush[i], job->stage->stores[i].number, &rows[at]);
        at += mr_row_pile_count(job->in_flush[i]);
    }
    return rows;
}

mr_status mr_restore_job_write(mr_restore_job *job, mr_flusher *flusher, mr_error *err)
{
    assert(job->flush == NULL);
    mr_restore *restore = job->restore;
    size_t n_rows = 0;
    mr_row *rows = take_rows(job, &n_rows);
    const int64_t n_restored = atomic_load_explicit(restore->restored, memory_order_relaxed);
    restore->tail += n_restored - job->n_written;
    job->n_written = n_restored;
    if (n_rows >= MR_ROWS_OF_A_TABLE) {
        restore->tail = 0;
        job->flush =
            mr_flusher_submit(flusher, restore->partition, rows, n_rows, &restore->progress, true);
        return MR_OK;
    }
    const mr_status status =
        mr_partition_write(restore->partition, rows, n_rows, &restore->progress, err);
    free(rows);
    free_in_flush(job);
    return status;
}

mr_status mr_restore_job_take(mr_restore_job *job, bool wait, mr_error *err)
{
    if (job->flush == NULL) {
        return MR_OK;
    }
    const mr_status status = mr_flush_job_take(job->flush, wait, err);
    if (status != MR_TIMED_OUT) {
        job->flush = NULL;
        free_in_flush(job);
    }
    return status;
}

mr_status mr_restore_job_finish(mr_restore_job *job, mr_flusher *flusher, mr_error *err)
{
    mr_progress *progress = &job->restore->progress;
    size_t newest = 0; /* the store that has proven the newest commit */
    for (size_t i = 1; i < job->stage->n_stores; i++) {
        newest = mr_commit_id_compare(mr_replay_commit(job->replays[i]),
                                      mr_replay_commit(job->replays[newest])) > 0
                     ? i
                     : newest;
    }
    const mr_commit_id commit = mr_replay_commit(job->replays[newest]);
    const int64_t input_offset = mr_replay_input_offset(job->replays[newest]);
    for (size_t i = 0; i < job->stage->n_stores; i++) {
        mr_replay_finish(job->replays[i], commit, job->ends[i]);
        job->restore->unsure[i] = mr_replay_take_unsure(job->replays[i]);
    }
    MR_TRY(mr_restore_job_take(job, true, err));
    progress->commit = commit.number;
    progress->input_offset = job->exactly_once ? job->restore->committed : input_offset;
    job->is_finishing = true;
    return mr_restore_job_write(job, flusher, err);
}
