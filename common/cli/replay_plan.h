/* What a replay is going to do with each input partition of a stage. */
#pragma once

#include "cli/clients.h"
#include "cli/replay_start.h"

typedef struct mr_replay_item {
    mr_topic_partition committed; /* with its mark; offset -1: nothing, and it stays so */
    mr_topic_partition next;      /* offset -1: it stays where it is */
    int64_t begin;                /* of the topic's partition */
    int64_t end;
    int64_t n_records; /* from the next offset on */
    int64_t *rows;     /* of each store, that go or change; -1: not known */
} mr_replay_item;

typedef struct mr_replay_plan {
    const mr_stage *stage;
    mr_replay_item *items;
    size_t n;
} mr_replay_plan;

/* `start` NULL: they stay. `offsets` are the group's committed ones, of all partitions of all
 * inputs. Says on stderr what of
 * the start could not be had. MR_ERR_USAGE: there is nothing to replay. Deinitialise also after a
 * failure. */
mr_status mr_replay_plan_init(mr_replay_plan *plan, const mr_cli *cli, const mr_stage *stage,
                              const mr_replay_start *start, const mr_topic_partition *offsets,
                              size_t n, mr_error *err) MR_MUST_USE;
void mr_replay_plan_deinit(mr_replay_plan *plan);

/* Marks what was processed before as such: up to what is committed, and to where a replay that is
 * under way still was to go. */
void mr_replay_plan_mark(mr_replay_plan *plan, bool sends);
/* The partition's input was processed up to `offset`, though less is committed (at_least_once). */
void mr_replay_item_extend(mr_replay_item *item, int64_t offset);
