/*
 * A view that is built beside the live one, as a version: what the steps of `millrace rebuild`
 * share. The live one is only read, except by mr_rebuilding_swap.
 */
#pragma once

#include <signal.h>

#include "cli/clients.h"

typedef struct mr_rebuilding {
    mr_cli *cli;           /* its app has the stage as the version */
    const mr_stage *built; /* the version */
    mr_app *live_app;      /* the same definition, for the live stage */
    const mr_stage *live;
    mr_admin *admin;
    const sigset_t *mask; /* of mr_supervisor_block_signals */
} mr_rebuilding;

/* Every topic that the version writes, one after the other: 0, 1, ...; NULL: no more. */
const mr_topic *mr_rebuilding_topic(const mr_rebuilding *r, size_t i);

/* ---- rebuild_run.c ---- */

/* Prints which topics would be made and what would be read. */
mr_status mr_rebuilding_plan(const mr_rebuilding *r, mr_error *err) MR_MUST_USE;
/* Makes the version's topics, and runs its processor until it has read and committed what the
 * inputs have now; goes on where the last run ended. MR_NOT_FOUND: a signal ended it before. */
mr_status mr_rebuilding_run(const mr_rebuilding *r, mr_error *err) MR_MUST_USE;
/* MR_ERR_USAGE: nothing of this version was ever built. */
mr_status mr_rebuilding_check_built(const mr_rebuilding *r, mr_error *err) MR_MUST_USE;
/* As mr_rebuilding_run when the live one is ahead of the version, else nothing. */
mr_status mr_rebuilding_catch_up(const mr_rebuilding *r, mr_error *err) MR_MUST_USE;

/* ---- rebuild_compare.c ---- */

/* Prints how the states differ. MR_NOT_FOUND: they do. */
mr_status mr_rebuilding_compare(const mr_rebuilding *r, mr_error *err) MR_MUST_USE;

/* ---- rebuild_swap.c ---- */

/* Makes the live state, and the live projection topics, what the version's are, and lets the live
 * group go on where the version stands: one transaction. Prints how many rows that takes.
 * MR_ERR_USAGE: the live group is active, the version is behind it or has failed records. */
mr_status mr_rebuilding_swap(const mr_rebuilding *r, bool dry_run, mr_error *err) MR_MUST_USE;

/* ---- rebuild_drop.c ---- */

/* Deletes the version's topics, group and directory on this host. MR_ERR_USAGE: its group is
 * active. */
mr_status mr_rebuilding_drop(const mr_rebuilding *r, bool dry_run, mr_error *err) MR_MUST_USE;
