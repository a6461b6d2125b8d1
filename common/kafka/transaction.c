/*
 * How a producer's transactions end: flush, send offsets, commit.
 *
 * librdkafka's commit flushes by itself; it is done before the offsets all the same. Otherwise the
 * broker is asked to add the offsets while it still ends the transaction before, says
 * CONCURRENT_TRANSACTIONS, and librdkafka asks again after 100 ms: measured medians of transactions
 * back to back were 100 ms without the flush, 3 ms (2.15.1) and 25 ms (2.0.2) with it.
 */
#include "core/crash_point.h"
#include "kafka/consumer_private.h"
#include "kafka/error.h"
#include "kafka/producer_private.h"

/* Between two calls of a step that answered "again": delivery reports are served meanwhile. */
enum { AGAIN_MS = 20 };

static void metadata_freep(rd_kafka_consumer_group_metadata_t **metadata)
{
    if (*metadata != NULL) {
        rd_kafka_consumer_group_metadata_destroy(*metadata);
    }
}

typedef struct commit_call {
    mr_producer *producer;
    const rd_kafka_topic_partition_list_t *offsets;
    const rd_kafka_consumer_group_metadata_t *group;
    int64_t deadline_ms;
} commit_call;

typedef rd_kafka_error_t *commit_step(const commit_call *call, int timeout_ms);

static rd_kafka_error_t *send_offsets(const commit_call *call, int timeout_ms)
{
    return rd_kafka_send_offsets_to_transaction(call->producer->handle.rk, call->offsets,
                                                call->group, timeout_ms);
}

static rd_kafka_error_t *commit(const commit_call *call, int timeout_ms)
{
    return rd_kafka_commit_transaction(call->producer->handle.rk, timeout_ms);
}

/* Calls a step until it gives an answer or the transaction's time is over: a retriable error, also
 * a time-out, means that the same call goes on where it was. */
static mr_status run_step(const commit_call *call, commit_step *step, mr_kafka_step kind,
                          const char *what, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    while (true) {
        const int64_t left_ms = call->deadline_ms - mr_clock_monotonic_ms(clock);
        rd_kafka_error_t *error = step(call, left_ms > 1 ? (int)left_ms : 1);
        if (error == NULL) {
            return MR_OK;
        }
        (void)mr_kafka_fail(error, kind, err, "%s", what);
        if (err->action != MR_ACT_RETRY) {
            return err->status;
        }
        if (mr_clock_monotonic_ms(clock) >= call->deadline_ms) {
            err->action = MR_ACT_ABORT;
            call->producer->is_unclear = kind == MR_STEP_COMMIT;
            return err->status;
        }
        mr_log_debug(&call->producer->handle.log, "%s, again", err->message);
        (void)rd_kafka_poll(call->producer->handle.rk, AGAIN_MS);
    }
}

static mr_status send_offsets_of(commit_call *call, mr_consumer *consumer,
                                 const mr_topic_partition *offsets, size_t n, mr_error *err)
{
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(offsets, n);
    rd_kafka_consumer_group_metadata_t *made = NULL;
    MR_TRY(mr_consumer_group_metadata(consumer, &made, err));
    MR_CLEANUP(metadata_freep) rd_kafka_consumer_group_metadata_t *group = made;
    call->offsets = list;
    call->group = group;
    return run_step(call, send_offsets, MR_STEP_SEND_OFFSETS, "send offsets", err);
}

static commit_call call_of(mr_producer *producer)
{
    return (commit_call){
        .producer = producer,
        .deadline_ms =
            mr_clock_monotonic_ms(mr_clock_system()) + producer->options.transaction_timeout_ms,
    };
}

mr_status mr_producer_prepare(mr_producer *producer, mr_consumer *consumer,
                              const mr_topic_partition *offsets, size_t n, mr_error *err)
{
    MR_TRY(mr_producer_begin(producer, err));
    commit_call call = call_of(producer);
    MR_CRASH_POINT("before-flush");
    MR_TRY(mr_producer_flush(producer, (int)producer->options.transaction_timeout_ms, err));
    MR_CRASH_POINT("after-flush");
    if (n > 0) {
        MR_TRY(send_offsets_of(&call, consumer, offsets, n, err));
    }
    MR_CRASH_POINT("after-offsets");
    return MR_OK;
}

static mr_status commit_transaction(mr_producer *producer, mr_consumer *consumer,
                                    const mr_topic_partition *offsets, size_t n, mr_error *err)
{
    MR_TRY(mr_producer_prepare(producer, consumer, offsets, n, err));
    const commit_call call = call_of(producer);
    MR_TRY(run_step(&call, commit, MR_STEP_COMMIT, "commit the transaction", err));
    /* The flush above returned with the last delivery report: the caller's offset slots are filled.
     */
    producer->in_transaction = false;
    MR_CRASH_POINT("after-commit");
    return MR_OK;
}

static mr_status commit_at_least_once(mr_producer *producer, mr_consumer *consumer,
                                      const mr_topic_partition *offsets, size_t n, mr_error *err)
{
    MR_CRASH_POINT("before-flush");
    MR_TRY(mr_producer_flush(producer, (int)producer->options.transaction_timeout_ms, err));
    MR_CRASH_POINT("after-flush");
    if (n > 0) {
        MR_TRY(mr_consumer_commit(consumer, offsets, n, err));
    }
    MR_CRASH_POINT("after-commit");
    return MR_OK;
}

mr_status mr_producer_commit(mr_producer *producer, mr_consumer *consumer,
                             const mr_topic_partition *offsets, size_t n, mr_error *err)
{
    assert(n == 0 || consumer != NULL);
    mr_status status = MR_OK;
    if (producer->options.transactional_id == NULL) {
        status = commit_at_least_once(producer, consumer, offsets, n, err);
    } else if (producer->in_transaction || n > 0) {
        status = commit_transaction(producer, consumer, offsets, n, err);
    }
    if (status != MR_OK && err->action == MR_ACT_RETRY) {
        err->action = MR_ACT_ABORT;
    }
    return status;
}

bool mr_producer_is_unclear(const mr_producer *producer)
{
    return producer->is_unclear;
}

static mr_status make_anew(mr_producer *producer, int timeout_ms, mr_error *err)
{
    mr_log_debug(&producer->handle.log, "the producer's handle is made anew");
    mr_producer_close_handle(producer);
    return mr_producer_open(producer, timeout_ms, err);
}

static mr_status abort_transaction(mr_producer *producer, int timeout_ms, bool *ret_beyond,
                                   mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    const int64_t deadline_ms = mr_clock_monotonic_ms(clock) + timeout_ms;
    *ret_beyond = false;
    while (true) {
        const int64_t left_ms = deadline_ms - mr_clock_monotonic_ms(clock);
        rd_kafka_error_t *error =
            rd_kafka_abort_transaction(producer->handle.rk, left_ms > 1 ? (int)left_ms : 1);
        if (error == NULL) {
            return MR_OK;
        }
        (void)mr_kafka_fail(error, MR_STEP_ABORT, err, "abort the transaction");
        if (err->action == MR_ACT_ABORT) {
            *ret_beyond = true;
            return err->status;
        }
        if (err->action != MR_ACT_RETRY || mr_clock_monotonic_ms(clock) >= deadline_ms) {
            return mr_handle_explain(&producer->handle, err);
        }
        (void)rd_kafka_poll(producer->handle.rk, AGAIN_MS);
    }
}

mr_status mr_producer_abort(mr_producer *producer, int timeout_ms, mr_error *err)
{
    if (producer->handle.rk == NULL) {
        return mr_producer_open(producer, timeout_ms, err);
    }
    char text[256];
    const bool is_fatal =
        rd_kafka_fatal_error(producer->handle.rk, text, sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (is_fatal || producer->is_unclear) {
        return make_anew(producer, timeout_ms, err);
    }
    if (producer->options.transactional_id == NULL) {
        /* Purging an idempotent producer leaves a gap in its numbers: a new one has none. */
        const bool is_clean = !producer->has_failed && rd_kafka_outq_len(producer->handle.rk) == 0;
        return is_clean ? MR_OK : make_anew(producer, timeout_ms, err);
    }
    if (!producer->in_transaction) {
        producer->has_failed = false;
        return MR_OK;
    }
    bool beyond = false;
    producer->is_aborting = true;
    const mr_status status = abort_transaction(producer, timeout_ms, &beyond, err);
    producer->is_aborting = false;
    if (status == MR_OK) {
        producer->in_transaction = false;
        producer->has_failed = false;
        return MR_OK;
    }
    return beyond ? make_anew(producer, timeout_ms, err) : status;
}
