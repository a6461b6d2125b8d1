#include "kafka/consumer.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/consumer_private.h"

enum {
    VERSION_COOPERATIVE = 0x020a01ff, /* 2.10.1: the first without known faults in the assignor */
    CLOSE_MS = 5000,
};

static mr_status configure(const mr_consumer_options *options, const mr_conf_source *source,
                           rd_kafka_conf_t *conf, mr_error *err)
{
    const char *assignor =
        rd_kafka_version() >= VERSION_COOPERATIVE ? "cooperative-sticky" : "range";
    MR_TRY(mr_conf_set(conf, "group.id", options->group, err));
    if (options->instance_id != NULL) {
        MR_TRY(mr_conf_set(conf, "group.instance.id", options->instance_id, err));
    }
    MR_TRY(mr_conf_set(conf, "partition.assignment.strategy", assignor, err));
    MR_TRY(mr_conf_set(conf, "enable.auto.commit", "false", err));
    MR_TRY(mr_conf_set(conf, "enable.auto.offset.store", "false", err));
    MR_TRY(mr_conf_set(conf, "auto.offset.reset", "earliest", err));
    MR_TRY(mr_conf_set(conf, "isolation.level", "read_committed", err));
    return mr_conf_set_queue(source, conf, options->queue_bytes_max, err);
}

void mr_consumer_release(mr_consumer *consumer)
{
    if (atomic_fetch_sub(&consumer->refs, 1) > 1) {
        return;
    }
    if (consumer->subscribed != NULL) {
        rd_kafka_topic_partition_list_destroy(consumer->subscribed);
    }
    if (consumer->parking != NULL) {
        rd_kafka_queue_destroy(consumer->parking);
    }
    mr_handle_close(&consumer->handle);
    mr_handle_close(&consumer->query);
    pthread_mutex_destroy(&consumer->query_lock);
    pthread_mutex_destroy(&consumer->assigned_lock);
    free(consumer->query_client_id);
    free(consumer->assigned);
    free(consumer);
}

mr_status mr_consumer_new(const mr_consumer_options *options, mr_consumer **ret_consumer,
                          mr_error *err)
{
    const mr_conf_source source = {options->properties, options->ours, options->n_ours};
    rd_kafka_conf_t *made = NULL;
    MR_TRY(mr_conf_new(&source, RD_KAFKA_CONSUMER, &made, err));
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *conf = made;
    MR_TRY(configure(options, &source, conf, err));
    rd_kafka_conf_set_rebalance_cb(conf, mr_consumer_rebalance);

    mr_consumer *consumer = mr_alloc_zero(1, sizeof(*consumer));
    consumer->source = source;
    consumer->listener = options->listener;
    consumer->handle.owner = consumer;
    consumer->query_client_id = mr_asprintf("%s-query", options->client_id);
    atomic_store(&consumer->refs, 1);
    pthread_mutex_init(&consumer->query_lock, NULL);
    pthread_mutex_init(&consumer->assigned_lock, NULL);
    mr_status status = mr_handle_open(&consumer->handle, RD_KAFKA_CONSUMER, MR_STEAL(&conf),
                                      options->log, options->client_id, err);
    if (status == MR_OK) {
        /* Rebalances and errors come by rd_kafka_consumer_poll. */
        (void)rd_kafka_poll_set_consumer(consumer->handle.rk);
        consumer->parking = rd_kafka_queue_new(consumer->handle.rk);
    }
    if (status == MR_OK && options->n_topics > 0) {
        status = mr_consumer_subscribe(consumer, options->topics, options->n_topics, err);
    }
    if (status != MR_OK) {
        mr_consumer_release(consumer);
        return status;
    }
    *ret_consumer = consumer;
    return MR_OK;
}

/* Leaves the group, with the rebalance that belongs to it; false when it did not end in time. */
static bool leave(mr_consumer *consumer, rd_kafka_queue_t *queue)
{
    rd_kafka_t *rk = consumer->handle.rk;
    mr_clock *clock = mr_clock_system();
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(rk, queue);
    if (error != NULL) {
        mr_log_debug(&consumer->handle.log, "close: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        return false;
    }
    int64_t deadline_ms = mr_clock_monotonic_ms(clock) + CLOSE_MS;
    while (rd_kafka_consumer_closed(rk) == 0 && mr_clock_monotonic_ms(clock) < deadline_ms) {
        const size_t n_before = consumer->n_rebalances;
        (void)rd_kafka_queue_poll_callback(queue, 50);
        if (consumer->n_rebalances != n_before) {
            /* The listener's own time does not count. */
            deadline_ms = mr_clock_monotonic_ms(clock) + CLOSE_MS;
        }
    }
    return rd_kafka_consumer_closed(rk) != 0;
}

/*
 * rd_kafka_consumer_close would wait without a limit, for instance for a coordinator that does not
 * answer. What has not ended in time is left to the group's session timeout.
 */
void mr_consumer_close(mr_consumer *consumer)
{
    if (consumer == NULL) {
        return;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->handle.rk);
    if (!leave(consumer, queue)) {
        mr_log_debug(&consumer->handle.log, "the group was not left, its session timeout does it");
    }
    /* After a fatal error there is no rebalance any more. */
    mr_consumer_drop_all(consumer);
    rd_kafka_queue_destroy(queue);
    mr_consumer_release(consumer);
}

static mr_status fail_of_message(mr_consumer *consumer, const rd_kafka_message_t *message,
                                 mr_error *err)
{
    char text[256];
    rd_kafka_resp_err_t code = message->err;
    bool fatal = false;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(consumer->handle.rk, text, sizeof(text));
        fatal = true;
    }
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        mr_consumer_note_missing(consumer);
        return MR_OK;
    }
    if (!fatal && mr_kafka_action(code, false, false, false, MR_STEP_CONSUME) == MR_ACT_RETRY) {
        mr_log_debug(&consumer->handle.log, "consume: %s", rd_kafka_message_errstr(message));
        return MR_OK;
    }
    const char *reason = fatal ? text : rd_kafka_message_errstr(message);
    (void)mr_kafka_fail_text(code, reason, MR_STEP_CONSUME, err, "consume");
    err->action = MR_ACT_STOP;
    return MR_ERR_KAFKA;
}

mr_status mr_consumer_poll(mr_consumer *consumer, int timeout_ms, mr_error *err)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->handle.rk, timeout_ms);
    mr_status status = MR_OK;
    if (message != NULL) {
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            status = fail_of_message(consumer, message, err);
        } else {
            /* Every partition is forwarded and paused before it is assigned. */
            status =
                mr_error_set(err, MR_ERR_KAFKA, "a record of %s [%d] came outside of every feed",
                             rd_kafka_topic_name(message->rkt), (int)message->partition);
        }
        rd_kafka_message_destroy(message);
    }
    if (status == MR_OK && consumer->has_callback_error) {
        *err = consumer->callback_error;
        status = err->status;
    }
    if (status == MR_OK) {
        status = mr_consumer_check_missing(consumer, err);
    }
    return status == MR_OK ? mr_handle_check(&consumer->handle, err) : status;
}

bool mr_consumer_is_lost(mr_consumer *consumer)
{
    return atomic_load(&consumer->is_lost) || rd_kafka_assignment_lost(consumer->handle.rk) != 0;
}
