/*
 * An aggregate stage's rows as today's evolve handlers fold them out of its events: which rows
 * differ from those that it has, and what they would be. Only the app's own state differs; what an
 * aggregate remembers of its commands stays.
 *
 * In memory is what the budget says, on disk a second state.
 */
#pragma once

#include "cli/scratch.h"

typedef struct mr_refold mr_refold;

/* Reads and folds the whole log. MR_ERR_DATA names an event that cannot be folded. */
mr_status mr_refold_new(const mr_cli *cli, const mr_stage *stage, const mr_kind *kind,
                        const mr_scratch *scratch, mr_refold **ret_refold,
                        mr_error *err) MR_MUST_USE;
void mr_refold_free(mr_refold *refold);
MR_DEFINE_CLEANUP(mr_refold, mr_refold_free)

/* The index of the store whose rows are compared. */
size_t mr_refold_store(const mr_refold *refold);

/* `value` is the whole row, encoded for the changelog. */
typedef mr_status (*mr_refold_visitor)(void *argument, mr_bytes key, mr_bytes value, mr_error *err);
/* Every row of the task that differs, in key order; each task once. A row whose version is not the
 * log's: MR_ERR_DATA that names it. */
mr_status mr_refold_compare(mr_refold *refold, mr_partition *partition, mr_refold_visitor visit,
                            void *argument, mr_error *err) MR_MUST_USE;
/* All tasks were compared: an aggregate that the log has and no row: MR_ERR_DATA. */
mr_status mr_refold_check_all(const mr_refold *refold, mr_error *err) MR_MUST_USE;
