/*
 * A task: one stage's share of one partition number. It owns that part of the state, knows how far
 * it has read, and runs one record after the other through the kind's step.
 *
 *   mr_task_process: position -> size -> envelope -> key -> parked? -> step -> apply
 *                    a failure of the record: discard -> dead letter -> park its key
 *   mr_task_encode:  the changed rows of every store, to the changelogs (first part of a commit)
 *   mr_task_committing: the positions go into the transaction as well; the task may go on
 *   mr_task_committed: what was encoded is now true (last part)
 *
 * Thread: the worker's.
 */
#pragma once

#include <stdatomic.h>

#include <mr/kind.h>

#include "kafka/client.h"
#include "runtime/context.h"
#include "runtime/table.h"

typedef struct mr_task mr_task;

typedef enum mr_task_state {
    MR_TASK_RESTORING, /* its partitions are paused */
    MR_TASK_RUNNING,
    MR_TASK_SUSPENDED, /* revoked; keeps its warm state until the next assignment is known */
} mr_task_state;

/* Written by the worker, read by anybody (relaxed). */
typedef struct mr_task_metrics {
    _Atomic int64_t records;
    _Atomic int64_t duplicates; /* recognised as applied before, and dropped */
    _Atomic int64_t dead_letters;
    _Atomic int64_t restored;
    _Atomic int64_t restore_remaining; /* while it is restoring; -1: not known yet */
    _Atomic int64_t position;          /* of the first input topic: next offset */
    _Atomic int64_t state;
} mr_task_metrics;

/* What a worker lends to its tasks. */
typedef struct mr_task_tools {
    const mr_stage *stage;
    const mr_kind *kind;
    mr_step *step;
    mr_context *context;
    mr_codec *codec;
    mr_collector *collector;
    size_t record_bytes_max;
} mr_task_tools;

/* `partition` is the task's column family, NULL for a stateless stage and the driver; owned by the
 * caller. */
mr_task *mr_task_new(int32_t number, const mr_task_tools *tools, mr_partition *partition);
void mr_task_free(mr_task *task);

int32_t mr_task_number(const mr_task *task);
mr_partition *mr_task_partition(mr_task *task);
mr_table *mr_task_table(mr_task *task, size_t store);
mr_task_metrics *mr_task_metrics_of(mr_task *task);
mr_task_state mr_task_state_of(const mr_task *task);
void mr_task_set_state(mr_task *task, mr_task_state state);

/* One record of one of the stage's inputs. MR_OK also for a dead letter. A failure has the action
 * STOP or ABORT: it is not about the record. */
mr_status mr_task_process(mr_task *task, const mr_record *record, mr_error *err) MR_MUST_USE;

/* Points the task's context at a record without processing it (for mr_kind.fold). */
void mr_task_begin(mr_task *task, const mr_record *record, const mr_envelope *envelope);

/* ---- Progress ---- */
/* Next offset to read of an input topic (index into stage->from); -1 nothing read yet. */
int64_t mr_task_position(const mr_task *task, size_t input);
void mr_task_set_position(mr_task *task, size_t input, int64_t offset);
/* Inputs below this offset are in the state already (at_least_once, after a restore). */
void mr_task_skip_below(mr_task *task, int64_t offset);
/* Inputs below this offset were processed once before the state was put back (`millrace replay`):
 * unless `sends`, what they send to topics is not sent again. 0: none. The first input's. */
void mr_task_set_replay(mr_task *task, int64_t below, bool sends);
/* Input offsets that are still to be replayed, at most; 0: none. */
int64_t mr_task_replay_left(const mr_task *task);
/* Inputs below this offset are in the state: the position, or what a restore brought. */
int64_t mr_task_applied(const mr_task *task);
/* Has anything been processed since the last commit? */
bool mr_task_is_dirty(const mr_task *task);
/* The offsets to commit, only of inputs that moved; returns how many were written. */
size_t mr_task_offsets(const mr_task *task, mr_topic_partition *ret_offsets);
/* Slots for the producer's delivery reports, and what a flush writes with the rows. */
mr_progress *mr_task_progress(mr_task *task);

/* ---- Commit ---- */
typedef mr_status (*mr_changelog_writer)(void *argument, mr_task *task, size_t store, mr_bytes key,
                                         mr_bytes value, mr_error *err);
mr_status mr_task_encode(mr_task *task, mr_changelog_writer write, void *argument,
                         mr_error *err) MR_MUST_USE;
void mr_task_committing(mr_task *task);
void mr_task_committed(mr_task *task);

size_t mr_task_behind_bytes(const mr_task *task);
size_t mr_task_cache_bytes(const mr_task *task);
void mr_task_evict(mr_task *task, size_t bytes_max);
