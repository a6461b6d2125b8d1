/*
 * A stage's state read from its changelogs into a state directory that no process has, by the same
 * restorer as a start's: the processor then finds it warm.
 *
 * It is no member of the stage's group; it only asks for the group's offsets.
 */
#pragma once

#include <mr/app.h>
#include <mr/clock.h>
#include <mr/config.h>
#include <mr/log.h>

#include "runtime/options.h"

typedef struct mr_rebuild_options {
    const mr_stage *stage;
    const mr_runtime_options *runtime;
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    mr_clock *clock;
    const char *client_id;
    const char *state_directory;
    const int32_t *numbers; /* of the tasks */
    size_t n;
    bool must_be_whole; /* MR_ERR_USAGE where a crash has cut off a commit (at_least_once) */
} mr_rebuild_options;

/* What is there already is kept, and only what is missing is read. `ret_restored` has a place for
 * each task: the records that were read. A broker that is away is waited for. */
mr_status mr_rebuild(const mr_rebuild_options *options, int64_t *ret_restored,
                     mr_error *err) MR_MUST_USE;
