#include "cli/rebuilt_states.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/endpoint.h"
#include "app/files.h"
#include "core/alloc.h"
#include "runtime/offline.h"

/* How often a state that goes on is read to its end again: each time only what came since. */
enum { ROUNDS_MAX = 10 };

MR_DEFINE_CLEANUP(char, free)

/* ---- One side ---- */

/* Beside the instances of the version, whose names do not begin with a dot. */
static mr_status make_directory(const char *above, const char *name, mr_side *side, mr_error *err)
{
    side->directory = mr_asprintf("%s/%s", above, name);
    MR_TRY(mr_directory_make(side->directory, err));
    return mr_directory_clear(side->directory, err); /* of what a kill left */
}

static mr_status restore(const mr_rebuilding *r, const mr_side *side, size_t n, mr_error *err)
{
    int32_t *numbers = mr_alloc_zero(n, sizeof(*numbers));
    int64_t *restored = mr_alloc_zero(n, sizeof(*restored));
    for (size_t i = 0; i < n; i++) {
        numbers[i] = (int32_t)i;
    }
    mr_rebuild_options options =
        mr_cli_rebuild_options(r->cli, side->stage, side->directory, numbers, n);
    options.must_be_whole = side->must_be_whole;
    const mr_status status = mr_rebuild(&options, restored, err);
    free(numbers);
    free(restored);
    return status;
}

static void close_side(mr_side *side, size_t n)
{
    for (size_t i = 0; i < n && side->partitions != NULL; i++) {
        if (side->partitions[i] != NULL) {
            mr_partition_close(side->partitions[i]);
        }
    }
    free(side->partitions);
    side->partitions = NULL;
    mr_database_free(side->database);
    side->database = NULL;
}

static mr_status open_side(const mr_rebuilding *r, mr_side *side, size_t n, mr_error *err)
{
    MR_TRY(mr_offline_open(side->directory, side->stage, &r->cli->log, &side->database, err));
    side->partitions = mr_alloc_zero(n, sizeof(*side->partitions));
    for (size_t i = 0; i < n; i++) {
        MR_TRY(mr_partition_open(side->database, (int32_t)i, &side->partitions[i], err));
        MR_TRY(mr_partition_progress(side->partitions[i], &side->progress[i], err));
    }
    return MR_OK;
}

/* MR_NOT_FOUND: the group has gone on. */
static mr_status check_settled(const mr_rebuilding *r, const mr_side *side, size_t n, mr_error *err)
{
    if (r->cli->settings.runtime.guarantee == MR_AT_LEAST_ONCE) {
        return MR_OK; /* the changelog itself says which offset its rows are of */
    }
    mr_topic_partition *inputs = mr_alloc_zero(n, sizeof(*inputs));
    for (size_t i = 0; i < n; i++) {
        inputs[i] = (mr_topic_partition){side->stage->from[0], (int32_t)i, -1};
    }
    mr_status status = mr_admin_committed(r->admin, side->stage->group, inputs, n, err);
    for (size_t i = 0; i < n && status == MR_OK; i++) {
        status = inputs[i].offset == side->progress[i].input_offset ? MR_OK : MR_NOT_FOUND;
    }
    free(inputs);
    return status;
}

static mr_status read_side(const mr_rebuilding *r, mr_side *side, size_t n, mr_error *err)
{
    side->progress = mr_alloc_zero(n, sizeof(*side->progress));
    for (int round = 0; round < ROUNDS_MAX; round++) {
        close_side(side, n);
        MR_TRY(restore(r, side, n, err));
        MR_TRY(open_side(r, side, n, err));
        const mr_status status = check_settled(r, side, n, err);
        if (status != MR_NOT_FOUND) {
            return status;
        }
    }
    (void)mr_error_set(err, MR_ERR_SYSTEM,
                       "%s goes on while its state is read: again when its input rests, or when "
                       "it is stopped",
                       side->stage->group);
    err->action = MR_ACT_RETRY;
    return err->status;
}

/* ---- Both ---- */

mr_status mr_rebuilt_states_read(const mr_rebuilding *r, bool live_must_be_whole,
                                 mr_rebuilt_states *ret_states, mr_error *err)
{
    int32_t n = 0;
    *ret_states =
        (mr_rebuilt_states){.live = {.stage = r->live, .must_be_whole = live_must_be_whole},
                            .built = {.stage = r->built}};
    MR_TRY(mr_cli_partitions(r->admin, r->live->from[0], &n, err));
    for (size_t i = 0; i < r->live->n_stores; i++) {
        int32_t ignored;
        MR_TRY(mr_cli_partitions(r->admin, r->live->stores[i].changelog, &ignored, err));
    }
    ret_states->n_partitions = (size_t)n;
    ret_states->directory = mr_stage_directory(&r->cli->settings, r->built);
    MR_TRY(make_directory(ret_states->directory, ".live", &ret_states->live, err));
    MR_TRY(make_directory(ret_states->directory, ".built", &ret_states->built, err));
    MR_TRY(read_side(r, &ret_states->built, (size_t)n, err));
    return read_side(r, &ret_states->live, (size_t)n, err);
}

static void remove_side(mr_side *side, size_t n)
{
    mr_error err;
    close_side(side, n);
    free(side->progress);
    if (side->directory != NULL &&
        (mr_directory_clear(side->directory, &err) != MR_OK || rmdir(side->directory) != 0)) {
        mr_cli_note("'%s' stays: remove it", side->directory);
    }
    free(side->directory);
}

void mr_rebuilt_states_deinit(mr_rebuilt_states *states)
{
    remove_side(&states->live, states->n_partitions);
    remove_side(&states->built, states->n_partitions);
    if (states->directory != NULL) {
        (void)rmdir(states->directory); /* when the version was built elsewhere, it is empty */
    }
    free(states->directory);
    *states = (mr_rebuilt_states){0};
}
