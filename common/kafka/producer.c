#include "kafka/producer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/error.h"
#include "kafka/error_codes.h"
#include "kafka/producer_private.h"
#include "kafka/stray.h"

/* What a batch of one record costs beside key, value and headers (KIP-98's format 2, at most). */
enum { BATCH_OVERHEAD = 61, RECORD_OVERHEAD = 36, HEADER_OVERHEAD = 10 };

/* In the thread of every call that serves delivery reports. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    mr_handle *handle = opaque;
    mr_producer *producer = handle->owner;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int64_t *slot = message->_private;
        if (slot != NULL && message->offset + 1 > *slot) {
            *slot = message->offset + 1;
        }
        mr_handle_answered(handle);
        return;
    }
    if (producer->is_aborting || producer->has_failed) {
        return;
    }
    producer->has_failed = true;
    (void)mr_kafka_fail_code(message->err, MR_STEP_PRODUCE, &producer->failure,
                             "a record for %s was not delivered",
                             rd_kafka_topic_name(message->rkt));
    /* Which record it was is not known any more: it cannot be skipped, or sent alone again. */
    if (producer->failure.action == MR_ACT_SKIP) {
        producer->failure.action = MR_ACT_STOP;
        (void)mr_error_prefix(&producer->failure,
                              "max.message.bytes of the topic is below the producer's");
    } else if (producer->failure.action == MR_ACT_RETRY) {
        producer->failure.action = MR_ACT_ABORT;
    }
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

static mr_status configure(const mr_producer_options *options, const mr_conf_source *source,
                           rd_kafka_conf_t *conf, mr_error *err)
{
    enum { KBYTES_MAX = 2147483647, MESSAGE_MIN = 1000, MESSAGE_MAX = 1000000000 };
    if (options->transactional_id != NULL) {
        MR_TRY(mr_conf_set(conf, "transactional.id", options->transactional_id, err));
        MR_TRY(
            mr_conf_set_int(conf, "transaction.timeout.ms", options->transaction_timeout_ms, err));
        /* Nobody sees a record before the commit, which waits for no linger. librdkafka's thread
         * polls without a pause for the last millisecond of each, of every partition, so they are
         * long; but what lingers takes room in the queue. */
        MR_TRY(mr_conf_prefer(source, conf, "linger.ms", "50", err));
    }
    MR_TRY(mr_conf_set(conf, "enable.idempotence", "true", err));
    MR_TRY(mr_conf_set(conf, "partitioner", "murmur2_random", err));
    /* Small records fill it by their number: the rows of a commit should find room at once. */
    const int64_t messages = clamp(options->queue_bytes_max / 128, 1000, 10000000);
    MR_TRY(mr_conf_prefer_int(source, conf, "queue.buffering.max.messages", messages, err));
    MR_TRY(mr_conf_prefer_int(source, conf, "queue.buffering.max.kbytes",
                              clamp(options->queue_bytes_max / 1024, 1, KBYTES_MAX), err));
    return mr_conf_prefer_int(source, conf, "message.max.bytes",
                              clamp(options->record_bytes_max, MESSAGE_MIN, MESSAGE_MAX), err);
}

/* MR_END: the transaction of whoever had the ID before is being aborted, which takes milliseconds;
 * librdkafka asks again after half a second, a new handle at once. */
static mr_status init_transactions(mr_producer *producer, int64_t deadline_ms, bool may_renew,
                                   mr_error *err)
{
    enum { LOOK_MS = 20 };
    mr_clock *clock = mr_clock_system();
    int64_t left_ms = deadline_ms - mr_clock_monotonic_ms(clock);
    while (true) {
        const int wait_ms = (int)(left_ms < 1                      ? 1
                                  : may_renew && left_ms > LOOK_MS ? LOOK_MS
                                                                   : left_ms);
        rd_kafka_error_t *error = rd_kafka_init_transactions(producer->handle.rk, wait_ms);
        if (error == NULL) {
            mr_handle_answered(&producer->handle);
            return MR_OK;
        }
        const bool retriable = rd_kafka_error_is_retriable(error) != 0;
        const bool is_aborting =
            rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
        left_ms = deadline_ms - mr_clock_monotonic_ms(clock);
        (void)mr_kafka_fail(error, MR_STEP_INIT_TRANSACTIONS, err, "begin as transactional ID %s",
                            producer->options.transactional_id);
        if (!retriable || left_ms <= 0) {
            return mr_handle_explain(&producer->handle, err);
        }
        if (is_aborting && may_renew) {
            return MR_END;
        }
    }
}

static mr_status open_handle(mr_producer *producer, mr_error *err)
{
    const mr_producer_options *options = &producer->options;
    const mr_conf_source source = {options->properties, options->ours, options->n_ours};
    rd_kafka_conf_t *made = NULL;
    MR_TRY(mr_conf_new(&source, RD_KAFKA_PRODUCER, &made, err));
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *conf = made;
    MR_TRY(configure(options, &source, conf, err));
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    if (options->transactional_id != NULL) {
        MR_TRY(mr_stray_watch(conf, &producer->has_stray, err));
    }
    producer->handle.owner = producer;
    return mr_handle_open(&producer->handle, RD_KAFKA_PRODUCER, MR_STEAL(&conf), options->log,
                          options->client_id, err);
}

mr_status mr_producer_open(mr_producer *producer, int timeout_ms, mr_error *err)
{
    /* Afterwards it is left to librdkafka's own pace. */
    enum { RENEWALS_MAX = 5 };
    const int64_t deadline_ms = mr_clock_monotonic_ms(mr_clock_system()) + timeout_ms;
    for (int i = 0;; i++) {
        MR_TRY(open_handle(producer, err));
        if (producer->options.transactional_id == NULL) {
            return MR_OK;
        }
        mr_handle_connect(&producer->handle, timeout_ms);
        const mr_status status = init_transactions(producer, deadline_ms, i < RENEWALS_MAX, err);
        if (status == MR_OK) {
            return MR_OK;
        }
        mr_producer_close_handle(producer);
        if (status != MR_END) {
            return status;
        }
    }
}

void mr_producer_close_handle(mr_producer *producer)
{
    for (size_t i = 0; i < producer->n_topics; i++) {
        rd_kafka_topic_destroy(producer->topics[i]);
    }
    producer->n_topics = 0;
    mr_handle_close(&producer->handle);
    producer->in_transaction = false;
    producer->is_unclear = false;
    producer->has_failed = false;
    atomic_store(&producer->has_stray, false);
}

mr_status mr_producer_new(const mr_producer_options *options, int timeout_ms,
                          mr_producer **ret_producer, mr_error *err)
{
    mr_producer *producer = mr_alloc_zero(1, sizeof(*producer));
    producer->options = *options;
    producer->options.client_id = mr_strdup(options->client_id);
    if (options->transactional_id != NULL) {
        producer->options.transactional_id = mr_strdup(options->transactional_id);
    }
    const mr_status status = mr_producer_open(producer, timeout_ms, err);
    if (status != MR_OK) {
        mr_producer_free(producer);
        return status;
    }
    *ret_producer = producer;
    return MR_OK;
}

void mr_producer_free(mr_producer *producer)
{
    enum { ABORT_MS = 1000 };
    if (producer == NULL) {
        return;
    }
    if (producer->in_transaction && producer->handle.rk != NULL) {
        producer->is_aborting = true;
        rd_kafka_error_t *error = rd_kafka_abort_transaction(producer->handle.rk, ABORT_MS);
        if (error != NULL) {
            /* The broker ends it, at the latest when it times out. */
            rd_kafka_error_destroy(error);
        }
    }
    mr_producer_close_handle(producer);
    free(producer->topics);
    free((char *)(uintptr_t)producer->options.client_id);
    free((char *)(uintptr_t)producer->options.transactional_id);
    free(producer);
}

static rd_kafka_topic_t *topic_of(mr_producer *producer, const char *name)
{
    for (size_t i = 0; i < producer->n_topics; i++) {
        if (strcmp(rd_kafka_topic_name(producer->topics[i]), name) == 0) {
            return producer->topics[i];
        }
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->handle.rk, name, NULL);
    if (topic != NULL) {
        MR_GROW(producer->topics, producer->topics_capacity, producer->n_topics + 1);
        producer->topics[producer->n_topics++] = topic;
    }
    return topic;
}

mr_status mr_producer_check_size(const mr_producer *producer, const mr_record *record,
                                 mr_error *err)
{
    size_t size = BATCH_OVERHEAD + RECORD_OVERHEAD + record->key.len + record->value.len;
    for (size_t i = 0; i < record->n_headers; i++) {
        size += HEADER_OVERHEAD + strlen(record->headers[i].name) + record->headers[i].value.len;
    }
    if (size <= (size_t)producer->options.record_bytes_max) {
        return MR_OK;
    }
    return mr_error_record(err, MR_ERR_DATA, "too_large",
                           "a record for %s is larger than %" PRId64 " bytes", record->topic,
                           producer->options.record_bytes_max);
}

static rd_kafka_headers_t *copy_headers(const mr_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->n_headers);
    for (size_t i = 0; i < record->n_headers; i++) {
        const mr_header *header = &record->headers[i];
        /* Fails for read-only headers only, which these are not. */
        (void)rd_kafka_header_add(headers, header->name, -1, header->value.data,
                                  (ssize_t)header->value.len);
    }
    return headers;
}

static rd_kafka_error_t *produce(mr_producer *producer, rd_kafka_topic_t *topic,
                                 const mr_record *record, int64_t *offset_slot)
{
    rd_kafka_headers_t *headers = record->n_headers == 0 ? NULL : copy_headers(record);
    /* One by one: an initialiser would zero the 64 bytes of padding that each of them has. */
    rd_kafka_vu_t parts[8];
    size_t n = 0;
    parts[n].vtype = RD_KAFKA_VTYPE_RKT;
    parts[n++].u.rkt = topic;
    parts[n].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[n++].u.i32 = record->partition;
    parts[n].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[n].u.mem.ptr = (void *)(uintptr_t)record->value.data;
    parts[n++].u.mem.size = record->value.len;
    parts[n].vtype = RD_KAFKA_VTYPE_KEY;
    parts[n].u.mem.ptr = (void *)(uintptr_t)record->key.data;
    parts[n++].u.mem.size = record->key.len;
    parts[n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[n++].u.i64 = record->timestamp_ms > 0 ? record->timestamp_ms : 0;
    parts[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[n++].u.i = RD_KAFKA_MSG_F_COPY;
    parts[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[n++].u.ptr = offset_slot;
    if (headers != NULL) {
        parts[n].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[n++].u.headers = headers;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(producer->handle.rk, parts, n);
    if (error != NULL && headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return error;
}

/* With the next epoch, from before which the broker takes nothing more. */
static mr_status leave_stray(mr_producer *producer, mr_error *err)
{
    mr_log_info(&producer->handle.log, "a request of the last transaction was not answered, and "
                                       "may be late: the producer begins anew");
    mr_producer_close_handle(producer);
    const mr_status status =
        mr_producer_open(producer, (int)producer->options.transaction_timeout_ms, err);
    if (status != MR_OK && err->action == MR_ACT_RETRY) {
        err->action = MR_ACT_ABORT;
    }
    return status;
}

mr_status mr_producer_begin(mr_producer *producer, mr_error *err)
{
    if (producer->in_transaction || producer->options.transactional_id == NULL) {
        return MR_OK;
    }
    if (atomic_load(&producer->has_stray)) {
        MR_TRY(leave_stray(producer, err));
    }
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->handle.rk);
    if (error != NULL) {
        return mr_kafka_fail(error, MR_STEP_PRODUCE, err, "begin a transaction");
    }
    producer->in_transaction = true;
    return MR_OK;
}

/*
 * A record that librdkafka threw away says only that; why, is in the transaction's state, which
 * every transactional call out of turn tells without doing anything.
 */
static void ask_why(mr_producer *producer)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->handle.rk);
    assert(error != NULL);
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__STATE) {
        rd_kafka_error_destroy(error);
        return;
    }
    mr_error why;
    (void)mr_kafka_fail(error, MR_STEP_PRODUCE, &why, "write");
    if (why.action == MR_ACT_STOP || why.action == MR_ACT_ABORT) {
        producer->failure = why;
    }
}

/* A handle without success left, and records that were lost, are told before more is done. */
static mr_status check(mr_producer *producer, mr_error *err)
{
    if (producer->has_failed) {
        const int code = producer->failure.native;
        if (producer->in_transaction &&
            (code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)) {
            ask_why(producer);
        }
        *err = producer->failure;
        return err->status;
    }
    if (producer->handle.rk == NULL || producer->is_unclear) {
        (void)mr_error_set(err, MR_ERR_KAFKA, "the last transaction must be aborted first");
        err->action = MR_ACT_ABORT;
        return MR_ERR_KAFKA;
    }
    return mr_handle_check(&producer->handle, err);
}

mr_status mr_producer_send(mr_producer *producer, const mr_record *record, int64_t *offset_slot,
                           mr_error *err)
{
    enum { ROOM_MS = 10 };
    MR_TRY(check(producer, err));
    MR_TRY(mr_producer_check_size(producer, record, err));
    /* First, as it may make the handle anew that topics belong to. */
    MR_TRY(mr_producer_begin(producer, err));
    rd_kafka_topic_t *topic = topic_of(producer, record->topic);
    if (topic == NULL) {
        return mr_kafka_fail_code(rd_kafka_last_error(), MR_STEP_CONFIGURE, err, "topic '%s'",
                                  record->topic);
    }
    mr_clock *clock = mr_clock_system();
    int64_t deadline_ms = 0;
    while (true) {
        rd_kafka_error_t *error = produce(producer, topic, record, offset_slot);
        if (error == NULL) {
            return MR_OK;
        }
        const bool is_full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        const int64_t now_ms = mr_clock_monotonic_ms(clock);
        if (deadline_ms == 0) {
            deadline_ms = now_ms + producer->options.transaction_timeout_ms;
        }
        (void)mr_kafka_fail(error, MR_STEP_PRODUCE, err, "send to %s", record->topic);
        if (!is_full || now_ms >= deadline_ms) {
            err->action = err->action == MR_ACT_RETRY ? MR_ACT_ABORT : err->action;
            return err->status;
        }
        /* Not poll: what lingers makes no room. */
        (void)rd_kafka_flush(producer->handle.rk, ROOM_MS);
        MR_TRY(check(producer, err));
    }
}

void mr_producer_poll(mr_producer *producer)
{
    if (producer->handle.rk != NULL) {
        (void)rd_kafka_poll(producer->handle.rk, 0);
    }
}

mr_status mr_producer_flush(mr_producer *producer, int timeout_ms, mr_error *err)
{
    MR_TRY(check(producer, err));
    const rd_kafka_resp_err_t code = rd_kafka_flush(producer->handle.rk, timeout_ms);
    MR_TRY(check(producer, err));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)mr_kafka_fail_code(code, MR_STEP_PRODUCE, err, "wait for %d records to be written",
                                 rd_kafka_outq_len(producer->handle.rk));
        return mr_handle_explain(&producer->handle, err);
    }
    return MR_OK;
}
