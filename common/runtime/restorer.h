/*
 * Makes a task's state complete before it processes: reads its changelogs from where the disk
 * stands to their end, in a thread of its own, several tasks at a time.
 *
 * Order matters: first the group's committed input offset, waiting for a predecessor's transaction
 * (KIP-447), then the changelogs up to the end that was seen after that: so they hold at least what
 * the offset promises, and nothing more, because both were written in one transaction.
 */
#pragma once

#include <stdatomic.h>

#include <mr/app.h>
#include <mr/clock.h>
#include <mr/log.h>

#include "kafka/consumer.h"
#include "runtime/options.h"
#include "runtime/row_pile.h"
#include "runtime/stale_tail.h"
#include "store/database.h"

typedef struct mr_restorer mr_restorer;
typedef struct mr_restore mr_restore;

/* One task's restore. The worker fills the first part; the rest is valid in `done`. */
struct mr_restore {
    int32_t number;
    mr_partition *partition;
    mr_progress progress; /* in: the disk's; out: of the restored state */
    /* Called in the restorer's thread when it ended; not after mr_restorer_cancel returned. */
    void (*done)(mr_restore *restore);
    void *argument;
    _Atomic int64_t *restored;  /* records so far, for status */
    _Atomic int64_t *remaining; /* records that are still to come, at most; 0 in the end */
    int64_t tail; /* in and out: changelog records that a crash would have to read again */
    /* Results. */
    mr_status status;
    mr_error err;
    int64_t committed;    /* the group's input offset, -1: none */
    int64_t replay_below; /* its mark of a replay */
    bool replay_sends;
    int64_t attempt; /* at_least_once: names this ownership in changelog headers */
    bool is_dropped; /* the rows that were on disk, as being stale: none that is cached is of use */
    /* Of each store the rows of a commit that a crash cut off, NULL: none. They are not in the
     * state; the next commit has to write their keys as the state has them. */
    mr_row_pile *unsure[MR_STORES_MAX];
    /* The restorer's own. */
    mr_restore *next;
    bool is_active; /* taken from the queue and not ended */
    _Atomic bool cancelled;
};

typedef struct mr_restorer_options {
    const mr_stage *stage;
    mr_consumer *consumer;
    const mr_runtime_options *runtime;
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    mr_clock *clock;
    const char *client_id;
    bool has_follower;             /* which takes half of the memory that is for restored rows */
    const mr_deletions_kept *kept; /* NULL: what the disk has is trusted whatever its age */
} mr_restorer_options;

mr_status mr_restorer_new(const mr_restorer_options *options, mr_restorer **ret_restorer,
                          mr_error *err) MR_MUST_USE;
/* Cancels everything and ends the thread. */
void mr_restorer_free(mr_restorer *restorer);

void mr_restorer_submit(mr_restorer *restorer, mr_restore *restore);
/* Afterwards the restorer does not know the restore any more. What was restored stays on disk. */
void mr_restorer_cancel(mr_restorer *restorer, mr_restore *restore);

bool mr_restore_is_unsure(const mr_restore *restore);
/* Frees what is unsure: it was made good, or will be found again. */
void mr_restore_forget_unsure(mr_restore *restore);

/* Memory that it has of the rows' share of the budget. Thread: any. */
size_t mr_restorer_bytes(const mr_restorer *restorer);
