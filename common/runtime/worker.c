#include "runtime/worker.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/thread.h"
#include "runtime/worker_impl.h"

enum {
    IDLE_WAIT_MS = 100,
    RECORDS_PER_ROUND = 512,
    UNSENT_MS_MAX = 10,
};

/* ---- Life ---- */

static mr_status collect(mr_collector *collector, const mr_record *record, mr_error *err)
{
    mr_worker *worker = mr_worker_of_collector(collector);
    MR_TRY(mr_producer_check_size(worker->producer, record, err));
    mr_sender_add(worker->sender, record, NULL);
    return MR_OK;
}

static void wake(void *argument)
{
    mr_worker *worker = argument;
    mr_feed_wake(worker->feed);
}

static mr_status open_producer(mr_worker *worker, mr_error *err)
{
    const mr_processor_options *processor = worker->options.processor;
    const mr_runtime_options *runtime = processor->runtime;
    char *transactional_id = mr_asprintf("%s-%s-%zu", processor->stage->group, runtime->instance_id,
                                         worker->options.index);
    const mr_producer_options options = {
        .properties = processor->properties,
        .ours = processor->ours,
        .n_ours = processor->n_ours,
        .log = &worker->log,
        .client_id = processor->client_id,
        .transactional_id = mr_worker_is_exactly_once(worker) ? transactional_id : NULL,
        .transaction_timeout_ms = runtime->transaction_timeout_ms,
        .queue_bytes_max = (int64_t)worker->budget.producer_queue,
        .record_bytes_max = runtime->record_bytes_max,
    };
    const mr_status status =
        mr_producer_new(&options, (int)runtime->transaction_timeout_ms, &worker->producer, err);
    free(transactional_id);
    return status;
}

static mr_status open_sender(mr_worker *worker, mr_error *err)
{
    const mr_sender_options options = {
        .producer = worker->producer,
        .consumer = worker->options.consumer,
        .queue_bytes_max = worker->budget.sender_queue,
        .wake = wake,
        .argument = worker,
    };
    return mr_sender_new(&options, &worker->sender, err);
}

static mr_status open_parts(mr_worker *worker, mr_error *err)
{
    const mr_processor_options *processor = worker->options.processor;
    MR_TRY(
        processor->handlers(processor->handlers_argument, processor->stage, &worker->handler, err));
    MR_TRY(processor->kind->open(processor->stage, worker->handler, &worker->step, err));
    MR_TRY(open_producer(worker, err));
    return open_sender(worker, err);
}

mr_status mr_worker_new(const mr_worker_options *options, mr_worker **ret_worker, mr_error *err)
{
    const mr_processor_options *processor = options->processor;
    mr_worker *worker = mr_alloc_zero(1, sizeof(*worker));
    worker->options = *options;
    worker->log =
        mr_log_for(processor->log, "%s worker %zu", processor->stage->group, options->index);
    worker->clock = processor->clock;
    worker->budget = mr_budget_split(processor->runtime);
    worker->collector.send = collect;
    pthread_mutex_init(&worker->failure_mutex, NULL);
    worker->feed = mr_feed_new(options->consumer);
    worker->orders = mr_orders_new(wake, worker);
    worker->codec =
        mr_codec_new(processor->stage->app->schemas, processor->registry,
                     processor->registry == NULL ? MR_FRAMING_SINGLE_OBJECT : MR_FRAMING_CONFLUENT);
    const mr_context_limits limits = {
        .record_bytes_max = (size_t)processor->runtime->record_bytes_max,
        .outputs_max = (size_t)processor->runtime->outputs_max,
    };
    worker->context = mr_context_new(processor->stage, worker->codec, &limits);
    const mr_status status = open_parts(worker, err);
    if (status != MR_OK) {
        mr_worker_free(worker);
        return status;
    }
    *ret_worker = worker;
    return MR_OK;
}

void mr_worker_free(mr_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    mr_worker_stop(worker);
    for (size_t i = 0; i < worker->n_slots; i++) {
        if (worker->slots[i] != NULL) {
            free(worker->slots[i]->assigned);
            free(worker->slots[i]);
        }
    }
    free(worker->slots);
    free(worker->offsets);
    mr_orders_free(worker->orders);
    mr_feed_free(worker->feed);
    mr_sender_free(worker->sender);
    mr_producer_free(worker->producer);
    mr_context_free(worker->context);
    mr_codec_free(worker->codec);
    if (worker->step != NULL) {
        worker->options.processor->kind->close(worker->step);
    }
    mr_handler_free(worker->handler);
    pthread_mutex_destroy(&worker->failure_mutex);
    free(worker);
}

mr_feed *mr_worker_feed(mr_worker *worker)
{
    return worker->feed;
}

const mr_worker_metrics *mr_worker_metrics_of(const mr_worker *worker)
{
    return &worker->metrics;
}

/* ---- Failure ---- */

void mr_worker_fail(mr_worker *worker, const mr_error *err)
{
    pthread_mutex_lock(&worker->failure_mutex);
    if (worker->failure_status == MR_OK) {
        worker->failure_status = err->status;
        worker->failure = *err;
    }
    pthread_mutex_unlock(&worker->failure_mutex);
    atomic_store(&worker->stopping, true);
}

mr_status mr_worker_failure(mr_worker *worker, mr_error *ret_err)
{
    pthread_mutex_lock(&worker->failure_mutex);
    const mr_status status = worker->failure_status;
    if (status != MR_OK) {
        *ret_err = worker->failure;
    }
    pthread_mutex_unlock(&worker->failure_mutex);
    return status;
}

/* A store that takes no rows, mostly of a full disk, takes none later either: RocksDB 7.8 refuses
 * all until it has tried by itself, every five seconds, and in Debian's build that attempt can end
 * in an assertion. Whoever starts the process again is the backoff. */
static bool may_come_back(const mr_error *err)
{
    return err->status != MR_ERR_STORE;
}

void mr_worker_decide(mr_worker *worker, const mr_error *cause)
{
    mr_error err = *cause;
    while (!atomic_load(&worker->stopping) && may_come_back(&err) &&
           (err.action == MR_ACT_ABORT || err.action == MR_ACT_RETRY)) {
        const mr_error again = err;
        if (mr_worker_recover(worker, &again, &err) == MR_OK) {
            return;
        }
    }
    mr_worker_fail(worker, &err);
}

/* ---- Loop ---- */

static int64_t now_us(const mr_worker *worker)
{
    return worker->clock->monotonic_us(worker->clock);
}

static mr_status process_record(mr_worker *worker, const mr_record *record, mr_error *err)
{
    mr_slot *slot = mr_worker_slot(worker, record->partition);
    if (slot == NULL || slot->task == NULL || !mr_slot_is_assigned(slot) ||
        mr_task_state_of(slot->task) != MR_TASK_RUNNING) {
        return MR_OK; /* fetched before a revoke or pause: it is read again where it is needed */
    }
    MR_TRY(mr_task_process(slot->task, record, err));
    worker->uncommitted++;
    return MR_OK;
}

/* The time for one that comes while the last one is under way is when that is over. */
static bool is_commit_due(const mr_worker *worker)
{
    return worker->uncommitted >= worker->options.processor->runtime->commit_records ||
           (worker->uncommitted > 0 && now_us(worker) >= worker->commit_at_us &&
            !mr_sender_is_committing(worker->sender));
}

/* The sender wakes it, too. */
static int wait_ms(const mr_worker *worker)
{
    if (worker->uncommitted == 0) {
        return IDLE_WAIT_MS;
    }
    const int max_ms = mr_sender_has_unsent(worker->sender) ? UNSENT_MS_MAX : IDLE_WAIT_MS;
    if (mr_sender_is_committing(worker->sender)) {
        return max_ms;
    }
    const int64_t left_ms = (worker->commit_at_us - now_us(worker) + 999) / 1000;
    return left_ms < 0 ? 0 : left_ms > max_ms ? max_ms : (int)left_ms;
}

/* Between records, when the producer is not in use. What fills no batch goes on all the same: with
 * at_least_once at once, because readers see it; with exactly_once soon, so that a commit waits for
 * the last records only. */
static void serve_producer(mr_worker *worker)
{
    if (!mr_sender_is_idle(worker->sender)) {
        return;
    }
    mr_producer_poll(worker->producer);
    if (!mr_sender_has_unsent(worker->sender)) {
        worker->unsent_since_us = 0;
        return;
    }
    const int64_t us = now_us(worker);
    if (worker->unsent_since_us == 0) {
        worker->unsent_since_us = us;
    }
    if (!mr_worker_is_exactly_once(worker) ||
        us - worker->unsent_since_us >= INT64_C(1000) * UNSENT_MS_MAX) {
        mr_sender_push(worker->sender);
        worker->unsent_since_us = 0;
    }
}

/* A bounded number of records, so that orders and the commit interval get their turn. */
static mr_status process_round(mr_worker *worker, mr_error *err)
{
    for (int i = 0; i < RECORDS_PER_ROUND; i++) {
        mr_record record;
        const mr_status status =
            mr_feed_next(worker->feed, i == 0 ? wait_ms(worker) : 0, &record, err);
        if (status == MR_TIMED_OUT) {
            break;
        }
        if (status != MR_OK) {
            return status;
        }
        mr_worker_expect_upcoming(worker);
        if (worker->uncommitted == 0) {
            worker->commit_at_us =
                now_us(worker) + worker->options.processor->runtime->commit_interval_ms * 1000;
        }
        MR_TRY(process_record(worker, &record, err));
    }
    serve_producer(worker);
    return MR_OK;
}

static mr_status take_flushes(mr_worker *worker, mr_error *err)
{
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        if (slot != NULL && slot->flush != NULL) {
            const mr_status status = mr_worker_take_flush(slot, false, err);
            if (status < 0) {
                return status;
            }
        }
    }
    return MR_OK;
}

static mr_status round_of_loop(mr_worker *worker, mr_error *err)
{
    MR_TRY(take_flushes(worker, err));
    MR_TRY(mr_worker_take_commit(worker, false, err));
    MR_TRY(process_round(worker, err));
    return is_commit_due(worker) ? mr_worker_begin_commit(worker, err) : MR_OK;
}

/* Commits what is done and leaves the state on disk, so that the next start restores nothing. After
 * a failure nothing is kept: rows may have been encoded for a commit that never was. */
static void finish(mr_worker *worker)
{
    mr_error err;
    if (worker->failure_status == MR_OK && mr_worker_commit(worker, &err) != MR_OK) {
        mr_worker_fail(worker, &err);
    }
    mr_worker_drop_unsent(worker);
    for (size_t i = 0; i < worker->n_slots; i++) {
        mr_slot *slot = worker->slots[i];
        const bool keep = worker->failure_status == MR_OK;
        if (slot != NULL && mr_slot_close(slot, keep, &err) != MR_OK) {
            mr_worker_fail(worker, &err);
        }
    }
}

static void *run(void *argument)
{
    mr_worker *worker = argument;
    while (!atomic_load_explicit(&worker->stopping, memory_order_relaxed)) {
        atomic_store_explicit(&worker->metrics.beat_us, now_us(worker), memory_order_relaxed);
        mr_orders_run(worker->orders);
        mr_error err;
        if (round_of_loop(worker, &err) != MR_OK) {
            mr_worker_decide(worker, &err);
        }
    }
    mr_orders_run(worker->orders);
    mr_orders_close(worker->orders);
    finish(worker);
    return NULL;
}

mr_status mr_worker_start(mr_worker *worker, mr_error *err)
{
    atomic_store(&worker->metrics.beat_us, now_us(worker));
    MR_TRY(mr_thread_start("worker", run, worker, &worker->thread, err));
    worker->started = true;
    return MR_OK;
}

void mr_worker_stop(mr_worker *worker)
{
    if (!worker->started) {
        return;
    }
    atomic_store(&worker->stopping, true);
    mr_feed_wake(worker->feed);
    pthread_join(worker->thread, NULL);
    worker->started = false;
}
