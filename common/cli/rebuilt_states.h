/*
 * The states of a live stage and of its version, read from their changelogs into directories of
 * their own below state.dir, which go away again: neither stage is disturbed.
 *
 * Each task's rows are those of one input offset: the state is read, and then the group is asked
 * whether its offset is still the one from before (exactly once, rows and offset are one
 * transaction).
 */
#pragma once

#include "cli/rebuilding.h"
#include "store/database.h"

typedef struct mr_side {
    const mr_stage *stage;
    char *directory;
    mr_database *database;
    mr_partition **partitions; /* one a task */
    mr_progress *progress;     /* of each */
    bool must_be_whole;
} mr_side;

typedef struct mr_rebuilt_states {
    char *directory; /* the version's, which both directories are in */
    size_t n_partitions;
    mr_side live;
    mr_side built;
} mr_rebuilt_states;

/* MR_ERR_SYSTEM with action RETRY: one of them goes on while it is read. `live_must_be_whole` as in
 * rebuild.h. The states must be deinitialised also after a failure. */
mr_status mr_rebuilt_states_read(const mr_rebuilding *r, bool live_must_be_whole,
                                 mr_rebuilt_states *ret_states, mr_error *err) MR_MUST_USE;
void mr_rebuilt_states_deinit(mr_rebuilt_states *states);
MR_DEFINE_CLEANUP(mr_rebuilt_states, mr_rebuilt_states_deinit)
