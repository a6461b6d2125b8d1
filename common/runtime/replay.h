/*
 * From changelog records to rows: one store's part of a restore.
 *
 * Written exactly once, every readable record is committed and is a row. Written at least once, a
 * crash can leave a part of a commit behind: there every row carries the number of its commit in a
 * header (`__millrace.commit`: "<attempt>/<number>"), and a commit ends with a marker record in
 * every changelog, which adds the input offset (`__millrace.input`).
 *
 * A marker is sent when the rows of its commit are acknowledged in all changelogs of the task. So
 * one marker, in whichever of them, proves its commit, and those before it: compaction leaves the
 * newest marker only. So does a row of the next commit of the same attempt, or of the one after
 * that. Rows that nothing proves so far are held; what nothing proves in the end is unsure, and the
 * next owner has to make it good: with its first commit it writes each of these keys again, as it
 * was before. That is why a commit with a later one behind it may be applied, whole or not.
 *
 * Memory: what is held are the rows of one commit, and those of each attempt in a row that ended
 * within its first commit.
 *
 * Thread: the restorer's.
 */
#pragma once

#include <mr/app.h>
#include <mr/record.h>

#include "runtime/row_pile.h"

#define MR_COMMIT_HEADER "__millrace.commit"
#define MR_INPUT_HEADER "__millrace.input"

typedef struct mr_replay mr_replay;

/* Ascending by attempt, then by number. */
typedef struct mr_commit_id {
    int64_t attempt; /* -1: the state on disk does not say */
    int64_t number;
} mr_commit_id;
int mr_commit_id_compare(mr_commit_id a, mr_commit_id b);

/* `commit` and `input_offset`: what the state on disk says it has. */
mr_replay *mr_replay_new(const mr_store_spec *store, int64_t offset, int64_t commit,
                         int64_t input_offset);
void mr_replay_free(mr_replay *replay);

mr_status mr_replay_add(mr_replay *replay, const mr_record *record, mr_error *err) MR_MUST_USE;

/* Rows that are certain and not yet taken. */
mr_row_pile *mr_replay_rows(mr_replay *replay);
/* Takes them, to be written; the caller frees them. */
mr_row_pile *mr_replay_take(mr_replay *replay);
/* Everything below this offset is in the rows handed out, or will never be needed. Until the end it
 * does not pass the newest marker, which whoever goes on has to read again. */
int64_t mr_replay_offset(const mr_replay *replay);
/* Records read. */
int64_t mr_replay_count(const mr_replay *replay);

/* The newest commit that is proven, and its input offset. */
mr_commit_id mr_replay_commit(const mr_replay *replay);
int64_t mr_replay_input_offset(const mr_replay *replay);
/* At the end of the changelog: `commit` is the newest that any store of the task has proven. The
 * offset is `end` then, or where what is unsure begins. */
void mr_replay_finish(mr_replay *replay, mr_commit_id commit, int64_t end);
/* Afterwards: rows of a commit that was not completed, to be freed by the caller; NULL: none. */
mr_row_pile *mr_replay_take_unsure(mr_replay *replay);
