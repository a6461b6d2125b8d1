/*
 * From changelog records to rows: one store's part of a restore.
 *
 * Written exactly once, every readable record is committed and is a row. Written at least once, a
 * crash can leave half a commit behind: there every row carries the number of its commit in a
 * header
 * (`__millrace.commit`: "<attempt>/<number>"), and a commit ends with a marker record that adds the
 * input offset (`__millrace.input`). Rows are held back until the marker of their commit is read;
 * the last complete commit is held back too, until it is known that every store of the task has it.
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

/* `commit` and `input_offset`: what the state on disk says it has. */
mr_replay *mr_replay_new(const mr_store_spec *store, int64_t offset, int64_t commit,
                         int64_t input_offset);
void mr_replay_free(mr_replay *replay);

mr_status mr_replay_add(mr_replay *replay, const mr_record *record, mr_error *err) MR_MUST_USE;

/* Rows that are certain and not yet taken. */
mr_row_pile *mr_replay_rows(mr_replay *replay);
/* Takes them, to be written; the caller frees them. */
mr_row_pile *mr_replay_take(mr_replay *replay);
/* Everything below this offset is in the rows handed out, or will never be needed. */
int64_t mr_replay_offset(const mr_replay *replay);
/* Records read. */
int64_t mr_replay_count(const mr_replay *replay);

/* At the end of the changelog: the number of the last complete commit and its input offset. */
int64_t mr_replay_commit(const mr_replay *replay);
int64_t mr_replay_input_offset(const mr_replay *replay);
/* Releases what is held of commits up to `commit` into the rows, and forgets the rest. `end` is the
 * end of the changelog. */
void mr_replay_finish(mr_replay *replay, int64_t commit, int64_t end);
