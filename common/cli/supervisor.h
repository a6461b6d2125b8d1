/*
 * Runs one process a stage and instance, starts again what dies, and ends them together. No child
 * outlives this process (PR_SET_PDEATHSIG). Thread: the main one; signals are taken by signalfd.
 */
#pragma once

#include <signal.h>

#include "cli/cli.h"

typedef struct mr_supervisor mr_supervisor;

/* Signals that are taken by reading them, blocked in this thread and those started from it later:
 * before other threads are started, which would be ended by them otherwise. */
mr_status mr_supervisor_block_signals(sigset_t *ret_before, mr_error *err) MR_MUST_USE;

typedef struct mr_supervisor_options {
    const mr_cli *cli;
    const sigset_t *mask; /* of mr_supervisor_block_signals: children get it back */
    const char *app;      /* directory, as given */
    /* Settings for every child, "name=value", beside the config file. Borrowed. */
    const mr_texts *assignments;
    const mr_texts *stages; /* names; none: all */
    int64_t instances;      /* processes a stage */
    int death_signal;       /* that children get when this process dies */
    /* Asked several times a second with the context of mr_supervisor_run: true ends the run as a
     * signal does. NULL: only signals end it. */
    bool (*is_over)(void *context);
} mr_supervisor_options;

/* MR_ERR_USAGE: an unknown stage, or an executable that is not found. */
mr_status mr_supervisor_new(const mr_supervisor_options *options, mr_supervisor **ret_supervisor,
                            mr_error *err) MR_MUST_USE;
void mr_supervisor_free(mr_supervisor *supervisor);
MR_DEFINE_CLEANUP(mr_supervisor, mr_supervisor_free)

/* Until SIGTERM, SIGINT or SIGHUP, or until is_over. Calls `ready` once, when all answer /readyz at
 * one time. MR_ERR_USAGE: a child said that something written is wrong (exit code 2); the others
 * are ended.
 */
mr_status mr_supervisor_run(mr_supervisor *supervisor, void (*ready)(void *context), void *context,
                            mr_error *err) MR_MUST_USE;
