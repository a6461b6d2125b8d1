/*
 * A stage's state changed from outside, all or nothing: one Kafka transaction writes rows to its
 * changelogs, to its projection topics where that is wanted, and moves its group's input offsets.
 *
 *   mr_rewrite_open       has the group for itself (sole_member.h), and its committed offsets
 *   (mr_rebuild)          the caller reads the state that belongs to them
 *   mr_rewrite_partition, mr_rewrite_row, ...
 *   mr_rewrite_commit     or mr_rewrite_free: nothing was done
 *
 * The offsets go with the group's real membership, so a processor that starts meanwhile makes it
 * fail as a whole. Local state directories need nothing: every instance finds the rows in the
 * changelogs' tails at its next start. The broker aborts what takes longer than
 * transaction.timeout.ms from the first row to the commit, and a commit then fails, too.
 *
 * Thread: one.
 */
#pragma once

#include <mr/record.h>

#include "runtime/sole_member.h"
#include "store/database.h"

typedef struct mr_rewrite mr_rewrite;

/* MR_ERR_USAGE: the group is active. Waits for the former owners' transactions. */
mr_status mr_rewrite_open(const mr_sole_member_options *options, mr_rewrite **ret_rewrite,
                          mr_error *err) MR_MUST_USE;
/* Ends it without effect, if it was not committed, and leaves the group. NULL is fine. */
void mr_rewrite_free(mr_rewrite *rewrite);
MR_DEFINE_CLEANUP(mr_rewrite, mr_rewrite_free)

/* What the group has committed when it was opened, with marks of replays: all partitions of all
 * inputs, offset -1 where there is nothing. Borrowed, until the commit. */
const mr_topic_partition *mr_rewrite_offsets(const mr_rewrite *rewrite, size_t *ret_n);

/* Before the first row of a partition: the progress of its state, as mr_rebuild has restored it
 * since mr_rewrite_open; whole, so that it stands at the end of each changelog. */
mr_status mr_rewrite_partition(mr_rewrite *rewrite, int32_t partition, const mr_progress *progress,
                               mr_error *err) MR_MUST_USE;
/* A row of that partition, encoded as a changelog has it; a null value removes it. `store` is an
 * index into stage->stores. */
mr_status mr_rewrite_row(mr_rewrite *rewrite, size_t store, mr_bytes key, mr_bytes value,
                         mr_error *err) MR_MUST_USE;
/*
 * The same row to the projection topic that the store has: a CloudEvent with the ID
 * "<group>/<partition>/<input offset>/<store>/<row>", without a time and a cause, or a plain record
 * where the stage reads plain records.
 */
mr_status mr_rewrite_projection(mr_rewrite *rewrite, size_t store, mr_bytes key, mr_bytes value,
                                mr_error *err) MR_MUST_USE;
/* With the offsets that the group is to have and their marks of replays; those not named stay.
 * Once. */
mr_status mr_rewrite_commit(mr_rewrite *rewrite, const mr_topic_partition *offsets, size_t n,
                            mr_error *err) MR_MUST_USE;
/* After a failure: the broker did not say whether it was done. Otherwise nothing was. */
bool mr_rewrite_is_unclear(const mr_rewrite *rewrite);
