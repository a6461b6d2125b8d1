/*
 * One process running one stage: the group consumer, the workers, their tasks, restore, flush.
 *
 * Threads: `run` is the poll thread (rebalances happen in it); num.workers worker threads; one
 * flusher; one restorer; one follower with `standby`; librdkafka's own. Queries and metrics may
 * come from any thread.
 *
 * Record path: kafka/consumer.c (queue) -> runtime/worker.c -> runtime/task.c -> the kind's step ->
 * runtime/context.c -> runtime/commit.c -> kafka/producer.c -> runtime/flusher.c.
 */
#pragma once

#include <signal.h>

#include <mr/kind.h>
#include <mr/log.h>
#include <mr/registry.h>

#include "runtime/backup.h"
#include "runtime/driver.h"
#include "runtime/options.h"
#include "runtime/query.h"
#include "store/database.h"

typedef struct mr_processor mr_processor;

typedef struct mr_processor_options {
    const mr_stage *stage; /* of a prepared app */
    const mr_kind *kind;
    mr_handler_factory handlers; /* one handler a worker */
    void *handlers_argument;
    const mr_runtime_options *runtime;
    const mr_properties *properties;
    const mr_option *ours; /* every name that is not librdkafka's */
    size_t n_ours;
    mr_registry *registry; /* NULL: none */
    const mr_log *log;
    mr_clock *clock;
    const char *client_id;       /* carries the HTTP address, see app/ */
    const char *state_directory; /* of this instance; stateful kinds only */
    bool standby; /* a warm copy of every task that is another member's; stateful kinds only */
} mr_processor_options;

/* Checks that every topic exists with the right partition count, opens the state directory, makes
 * producers, registers schemas. Nothing is consumed yet. Failures name what and where. */
mr_status mr_processor_new(const mr_processor_options *options, mr_processor **ret_processor,
                           mr_error *err) MR_MUST_USE;

/* Runs until `*stop` is set (by a signal handler) or a failure with action STOP. Then finishes the
 * batch, commits, flushes, leaves: within shutdown.timeout.ms. */
mr_status mr_processor_run(mr_processor *processor, const volatile sig_atomic_t *stop,
                           mr_error *err) MR_MUST_USE;
/* After it ran: a worker does not come back from where it is, so there is no freeing the processor;
 * only the end of the process releases its tasks. What is committed is safe. Thread: poll. */
bool mr_processor_hangs(const mr_processor *processor);
void mr_processor_free(mr_processor *processor);
MR_DEFINE_CLEANUP(mr_processor, mr_processor_free)

/* ---- Any thread ---- */

enum { MR_TASK_INPUTS_MAX = 16 };

typedef struct mr_task_status {
    int32_t number;
    /* "restoring", "replaying", "running", "suspended"; "standby": another member's */
    const char *state;
    int64_t position;                      /* next input offset */
    int64_t positions[MR_TASK_INPUTS_MAX]; /* of each of the stage's inputs; -1: none known */
    int64_t records;
    int64_t dead_letters;
    int64_t duplicates;
    int64_t restored;
    int64_t restore_remaining; /* changelog records, at most; -1: not known yet. A standby's lag */
    int64_t replay_remaining;  /* input offsets, at most; 0: no replay */
} mr_task_status;

static inline bool mr_task_status_is_standby(const mr_task_status *status)
{
    return strcmp(status->state, "standby") == 0;
}

typedef struct mr_processor_status {
    /* "warming", "starting", "rebalancing", "restoring", "replaying", "running", "busy", "stopping"
     */
    const char *state;
    mr_task_status *tasks;
    size_t n_tasks;
    int64_t commits;
    int64_t aborts;
    int64_t rebalances;
    mr_database_usage usage;
} mr_processor_status;

/* A snapshot; free with mr_processor_status_deinit. */
void mr_processor_status_read(mr_processor *processor, mr_processor_status *ret_status);
void mr_processor_status_deinit(mr_processor_status *status);
/* Is every assigned task running? For /readyz. */
bool mr_processor_is_ready(mr_processor *processor);
/* Prometheus text exposition format 0.0.4. */
void mr_processor_metrics(mr_processor *processor, mr_buf *out);
/* Backs the state up as "<above>/<name>" while the workers go on; what they have not yet written to
 * RocksDB is in the changelogs. MR_NOT_FOUND: there is no state, or no more. MR_END: another backup
 * is under way. */
mr_status mr_processor_backup(mr_processor *processor, const char *above, const char *name,
                              mr_backup *ret_backup, mr_error *err) MR_MUST_USE;
/* The tasks' committed rows: see query.h. */
mr_status mr_processor_query(mr_processor *processor, mr_query *query, mr_error *err) MR_MUST_USE;
