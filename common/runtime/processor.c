#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/admin.h"
#include "runtime/processor_impl.h"
#include "runtime/stage_database.h"

enum { POLL_MS = 100 };

/* ---- Before anything is consumed ---- */

static mr_status check_topic(mr_admin *admin, const mr_topic *topic, mr_error *err)
{
    int32_t partitions;
    const mr_status status = mr_admin_partitions(admin, topic->name, &partitions, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "topic '%s' does not exist; make it with `millrace topics apply`",
                            topic->name);
    }
    if (status == MR_OK && partitions != topic->partitions) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "topic '%s' has %d partitions, the app declares %d: keys would be on "
                            "other partitions than their state",
                            topic->name, partitions, topic->partitions);
    }
    return status;
}

static mr_status check_named(mr_admin *admin, const mr_app *app, const char *name, mr_error *err)
{
    const mr_topic *topic = mr_app_topic(app, name);
    assert(topic != NULL);
    return check_topic(admin, topic, err);
}

static mr_status check_stage_topics(mr_admin *admin, const mr_stage *stage, mr_error *err)
{
    for (size_t i = 0; i < stage->n_from; i++) {
        MR_TRY(check_named(admin, stage->app, stage->from[i], err));
    }
    for (size_t i = 0; i < stage->n_to; i++) {
        MR_TRY(check_named(admin, stage->app, stage->to[i], err));
    }
    if (stage->results != NULL) {
        MR_TRY(check_named(admin, stage->app, stage->results, err));
    }
    for (size_t i = 0; i < stage->n_stores; i++) {
        MR_TRY(check_named(admin, stage->app, stage->stores[i].changelog, err));
        if (stage->stores[i].topic != NULL) {
            MR_TRY(check_named(admin, stage->app, stage->stores[i].topic, err));
        }
    }
    return check_named(admin, stage->app, stage->dead_letters, err);
}

/* Who may not ask works as before, without the check. */
static mr_status read_kept(mr_processor *processor, mr_admin *admin, mr_error *err)
{
    const mr_status status =
        mr_deletions_kept_read(admin, processor->options.stage, &processor->kept, err);
    if (status == MR_OK || err->action == MR_ACT_RETRY) {
        return status;
    }
    mr_log_warn(
        &processor->log,
        "%s: it is not known how long deletions are kept, state on disk is trusted whatever "
        "its age",
        err->message);
    mr_deletions_kept_unknown(&processor->kept);
    return MR_OK;
}

static mr_status check_topics(mr_processor *processor, mr_error *err)
{
    const mr_processor_options *options = &processor->options;
    const mr_admin_options admin_options = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = &processor->log,
        .client_id = options->client_id,
        .timeout_ms = (int)options->runtime->broker_timeout_ms,
    };
    mr_admin *admin;
    MR_TRY(mr_admin_new(&admin_options, &admin, err));
    mr_status status = check_stage_topics(admin, options->stage, err);
    if (status == MR_OK) {
        status = read_kept(processor, admin, err);
    }
    mr_admin_free(admin);
    return status;
}

/* ---- Rebalances: in the poll thread, inside mr_consumer_poll ---- */

/* The partitions of one worker, out of all. */
static size_t pick(const mr_processor *processor, const mr_worker *worker,
                   const mr_topic_partition *partitions, size_t n, mr_topic_partition *ret_picked)
{
    size_t n_picked = 0;
    for (size_t i = 0; i < n; i++) {
        if (mr_processor_worker_of(processor, partitions[i].partition) == worker) {
            ret_picked[n_picked++] = partitions[i];
        }
    }
    return n_picked;
}

static void on_assigned(void *context, const mr_topic_partition *partitions, size_t n)
{
    mr_processor *processor = context;
    mr_topic_partition *picked = mr_alloc_zero(n, sizeof(*picked));
    for (size_t i = 0; i < n; i++) {
        mr_worker *worker = mr_processor_worker_of(processor, partitions[i].partition);
        mr_error err;
        if (mr_consumer_feed(processor->consumer, partitions[i].topic, partitions[i].partition,
                             mr_worker_feed(worker), &err) != MR_OK) {
            mr_log_error(&processor->log, "%s", err.message);
        }
    }
    for (size_t w = 0; w < processor->n_workers; w++) {
        const size_t n_picked = pick(processor, processor->workers[w], partitions, n, picked);
        mr_worker_assign(processor->workers[w], picked, n_picked);
        mr_worker_prune(processor->workers[w]);
    }
    free(picked);
    atomic_fetch_add(&processor->rebalances, 1);
    atomic_store(&processor->assigned_once, true);
    mr_log_info(&processor->log, "assigned partitions=%zu", n);
}

static void on_revoked(void *context, const mr_topic_partition *partitions, size_t n, bool lost)
{
    mr_processor *processor = context;
    mr_topic_partition *picked = mr_alloc_zero(n, sizeof(*picked));
    for (size_t w = 0; w < processor->n_workers; w++) {
        const size_t n_picked = pick(processor, processor->workers[w], partitions, n, picked);
        if (n_picked > 0) {
            mr_worker_revoke(processor->workers[w], picked, n_picked, lost);
        }
    }
    free(picked);
    mr_log_info(&processor->log, "%s partitions=%zu", lost ? "lost" : "revoked", n);
}

/* ---- Making ---- */

static mr_status open_database(mr_processor *processor, mr_error *err)
{
    const mr_budget budget = mr_budget_split(processor->options.runtime);
    const mr_database_options options = {
        .directory = processor->options.state_directory,
        .cache_bytes = budget.block_cache,
        .memtable_bytes = budget.memtables,
    };
    return mr_stage_database_open(processor->options.stage, &options, &processor->log,
                                  &processor->database, err);
}

static mr_status open_consumer(mr_processor *processor, mr_error *err)
{
    const mr_processor_options *options = &processor->options;
    const mr_consumer_options consumer = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = &processor->log,
        .client_id = options->client_id,
        .group = options->stage->group,
        .instance_id = options->runtime->instance_id,
        .topics = (const char *const *)options->stage->from,
        /* A standby joins when it is warm. */
        .n_topics = options->standby ? 0 : options->stage->n_from,
        .queue_bytes_max = (int64_t)mr_budget_split(options->runtime).consumer_queue,
        .listener = {.context = processor, .assigned = on_assigned, .revoked = on_revoked},
    };
    return mr_consumer_new(&consumer, &processor->consumer, err);
}

static mr_status open_restorer(mr_processor *processor, mr_error *err)
{
    const mr_processor_options *options = &processor->options;
    const mr_restorer_options restorer = {
        .stage = options->stage,
        .consumer = processor->consumer,
        .runtime = options->runtime,
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .clock = options->clock,
        .client_id = options->client_id,
        .has_follower = options->standby,
        .kept = &processor->kept,
    };
    return mr_restorer_new(&restorer, &processor->restorer, err);
}

static mr_status open_follower(mr_processor *processor, mr_error *err)
{
    const mr_processor_options *options = &processor->options;
    const mr_follower_options follower = {
        .stage = options->stage,
        .database = processor->database,
        .runtime = options->runtime,
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .clock = options->clock,
        .client_id = options->client_id,
        .kept = &processor->kept,
    };
    atomic_store(&processor->warming, true);
    return mr_follower_new(&follower, &processor->follower, err);
}

static mr_status open_workers(mr_processor *processor, mr_error *err)
{
    const size_t wanted = (size_t)processor->options.runtime->workers;
    processor->workers = mr_alloc_zero(wanted, sizeof(mr_worker *));
    for (size_t i = 0; i < wanted; i++) {
        const mr_worker_options options = {
            .index = i,
            .processor = &processor->options,
            .consumer = processor->consumer,
            .database = processor->database,
            .flusher = processor->flusher,
            .restorer = processor->restorer,
            .follower = processor->follower,
        };
        MR_TRY(mr_worker_new(&options, &processor->workers[i], err));
        processor->n_workers++;
    }
    return MR_OK;
}

static mr_status open_parts(mr_processor *processor, mr_error *err)
{
    MR_TRY(check_topics(processor, err));
    if (processor->options.kind->stateful) {
        MR_TRY(open_database(processor, err));
        MR_TRY(mr_flusher_new(&processor->flusher, err));
    }
    MR_TRY(open_consumer(processor, err));
    if (processor->options.kind->stateful) {
        MR_TRY(open_restorer(processor, err));
    }
    if (processor->options.standby) {
        MR_TRY(open_follower(processor, err));
    }
    return open_workers(processor, err);
}

mr_status mr_processor_new(const mr_processor_options *options, mr_processor **ret_processor,
                           mr_error *err)
{
    mr_processor *processor = mr_alloc_zero(1, sizeof(*processor));
    processor->options = *options;
    (void)pthread_rwlock_init(&processor->database_lock, NULL);
    processor->log = mr_log_for(options->log, "%s", options->stage->group);
    const mr_status status = open_parts(processor, err);
    if (status != MR_OK) {
        mr_processor_free(processor);
        return status;
    }
    *ret_processor = processor;
    return MR_OK;
}

void mr_processor_free(mr_processor *processor)
{
    if (processor == NULL) {
        return;
    }
    mr_restorer_free(processor->restorer);
    for (size_t i = 0; i < processor->n_workers; i++) {
        mr_worker_free(processor->workers[i]);
    }
    free(processor->workers);
    processor->n_workers = 0; /* closing the consumer revokes, and there is nobody left to tell */
    mr_follower_free(processor->follower);
    mr_consumer_close(processor->consumer);
    mr_flusher_free(processor->flusher);
    mr_database_free(processor->database);
    (void)pthread_rwlock_destroy(&processor->database_lock);
    free(processor);
}

/* ---- Running ---- */

static mr_status start_workers(mr_processor *processor, mr_error *err)
{
    for (size_t i = 0; i < processor->n_workers; i++) {
        MR_TRY(mr_worker_start(processor->workers[i], err));
    }
    return MR_OK;
}

static mr_status check_workers(mr_processor *processor, mr_error *err)
{
    for (size_t i = 0; i < processor->n_workers; i++) {
        const mr_status status = mr_worker_failure(processor->workers[i], err);
        if (status != MR_OK) {
            return status;
        }
    }
    return MR_OK;
}

/* A worker that hangs must not keep its tasks. Neither it nor its thread can be ended, so the
 * process is, and the group takes them away. */
static bool is_making_progress(const mr_processor *processor)
{
    mr_clock *clock = processor->options.clock;
    const int64_t now_us = clock->monotonic_us(clock);
    for (size_t i = 0; i < processor->n_workers; i++) {
        const int64_t beat_us = atomic_load(&mr_worker_metrics_of(processor->workers[i])->beat_us);
        if (now_us - beat_us > processor->options.runtime->hang_timeout_ms * 1000) {
            return false;
        }
    }
    return true;
}

/* Before it joins: a member that is cold would be given tasks, and a warm one lose them. */
static mr_status warm_up(mr_processor *processor, const volatile sig_atomic_t *stop, mr_error *err)
{
    mr_status status = MR_TIMED_OUT;
    while (!*stop && status == MR_TIMED_OUT) {
        status = mr_follower_wait_warm(processor->follower, POLL_MS, err);
    }
    if (status < 0 || *stop) {
        return status < 0 ? status : MR_OK;
    }
    atomic_store(&processor->warming, false);
    mr_log_info(&processor->log, "joining the group");
    const mr_stage *stage = processor->options.stage;
    return mr_consumer_subscribe(processor->consumer, (const char *const *)stage->from,
                                 stage->n_from, err);
}

static mr_status poll_until_stopped(mr_processor *processor, const volatile sig_atomic_t *stop,
                                    mr_error *err)
{
    if (processor->follower != NULL) {
        MR_TRY(warm_up(processor, stop, err));
    }
    while (!*stop) {
        MR_TRY(check_workers(processor, err));
        MR_TRY(mr_follower_failure(processor->follower, err));
        if (!is_making_progress(processor)) {
            processor->hangs = true;
            return mr_error_set(err, MR_ERR_HANDLER,
                                "a worker made no progress for max.poll.interval.ms=%lld: its "
                                "tasks go to other members",
                                (long long)processor->options.runtime->hang_timeout_ms);
        }
        MR_TRY(mr_consumer_poll(processor->consumer, POLL_MS, err));
    }
    return MR_OK;
}

/* Leaves the group's work in order: revoke (commit, suspend), close tasks to disk, close. */
static mr_status wind_down(mr_processor *processor, mr_error *err)
{
    atomic_store(&processor->stopping, true);
    for (size_t i = 0; i < processor->n_workers; i++) {
        mr_worker_stop(processor->workers[i]);
    }
    MR_TRY(check_workers(processor, err));
    if (processor->database == NULL) {
        return MR_OK;
    }
    mr_restorer_free(processor->restorer);
    processor->restorer = NULL;
    mr_follower_stop(processor->follower); /* status may still be asked for */
    (void)pthread_rwlock_wrlock(&processor->database_lock);
    mr_database *database = MR_STEAL(&processor->database);
    (void)pthread_rwlock_unlock(&processor->database_lock);
    return mr_database_close(database, err);
}

mr_status mr_processor_run(mr_processor *processor, const volatile sig_atomic_t *stop,
                           mr_error *err)
{
    MR_TRY(start_workers(processor, err));
    mr_log_info(&processor->log, "started workers=%zu guarantee=%s", processor->n_workers,
                processor->options.runtime->guarantee == MR_EXACTLY_ONCE ? "exactly_once"
                                                                         : "at_least_once");
    const mr_status ran = poll_until_stopped(processor, stop, err);
    if (processor->hangs) {
        return ran; /* there is no waiting for that worker */
    }
    mr_error winding_err;
    const mr_status wound = wind_down(processor, &winding_err);
    if (ran == MR_OK && wound != MR_OK) {
        *err = winding_err;
        return wound;
    }
    mr_log_info(&processor->log, "stopped");
    return ran;
}

bool mr_processor_hangs(const mr_processor *processor)
{
    return processor->hangs;
}
