#include "kafka/reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/error.h"
#include "kafka/error_codes.h"
#include "kafka/handle.h"
#include "kafka/inbound.h"
#include "kafka/query.h"

/*
 * librdkafka's simple consumer, which needs no group: no coordinator is asked, and no right to a
 * group is needed.
 */
typedef struct started {
    rd_kafka_topic_t *topic;
    int32_t partition;
} started;

struct mr_reader {
    mr_handle handle;
    mr_inbound inbound;
    started *started;
    size_t n_started;
    size_t started_capacity;
    size_t n_checked; /* of them are known to be readable, as far as metadata tells */
    atomic_bool is_woken;
};

/* A reader takes records as fast as they come, so that a full queue has room again at once. */
static mr_status set_queue(const mr_reader_options *options, const mr_conf_source *source,
                           rd_kafka_conf_t *conf, mr_error *err)
{
    MR_TRY(mr_conf_set_queue(source, conf, options->queue_bytes_max, err));
    size_t size = 0;
    if (rd_kafka_conf_get(conf, "fetch.queue.backoff.ms", NULL, &size) == RD_KAFKA_CONF_OK) {
        MR_TRY(mr_conf_prefer(source, conf, "fetch.queue.backoff.ms", "1", err));
    }
    return MR_OK;
}

static mr_status configure(const mr_reader_options *options, const mr_conf_source *source,
                           rd_kafka_conf_t *conf, mr_error *err)
{
    MR_TRY(mr_conf_set(conf, "enable.partition.eof", "true", err));
    MR_TRY(mr_conf_set(conf, "enable.auto.commit", "false", err));
    MR_TRY(mr_conf_set(conf, "auto.offset.reset", "earliest", err));
    MR_TRY(mr_conf_set(conf, "isolation.level",
                       options->read_uncommitted ? "read_uncommitted" : "read_committed", err));
    /* How long a missing topic may still be one that was just made. */
    MR_TRY(mr_conf_prefer(source, conf, "topic.metadata.propagation.max.ms", "5000", err));
    MR_TRY(set_queue(options, source, conf, err));
    if (options->stays) {
        return MR_OK; /* Many short waits would be work for the broker. */
    }
    /* A reader reads to an end, which it is told by a fetch that has waited in vain. */
    return mr_conf_prefer(source, conf, "fetch.wait.max.ms", "10", err);
}

mr_status mr_reader_new(const mr_reader_options *options, mr_reader **ret_reader, mr_error *err)
{
    const mr_conf_source source = {options->properties, options->ours, options->n_ours};
    rd_kafka_conf_t *made = NULL;
    MR_TRY(mr_conf_new(&source, RD_KAFKA_CONSUMER, &made, err));
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *conf = made;
    MR_TRY(configure(options, &source, conf, err));
    MR_CLEANUP(mr_reader_freep) mr_reader *reader = mr_alloc_zero(1, sizeof(*reader));
    MR_TRY(mr_handle_open(&reader->handle, RD_KAFKA_CONSUMER, MR_STEAL(&conf), options->log,
                          options->client_id, err));
    mr_inbound_init(&reader->inbound, reader->handle.rk);
    *ret_reader = MR_STEAL(&reader);
    return MR_OK;
}

static void stop(const started *each)
{
    (void)rd_kafka_consume_stop(each->topic, each->partition);
    rd_kafka_topic_destroy(each->topic);
}

static void stop_all(mr_reader *reader)
{
    for (size_t i = 0; i < reader->n_started; i++) {
        stop(&reader->started[i]);
    }
    mr_inbound_drop(&reader->inbound, NULL, 0);
    reader->n_started = 0;
    reader->n_checked = 0;
}

void mr_reader_free(mr_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->handle.rk != NULL) {
        stop_all(reader);
    }
    free(reader->started);
    mr_inbound_deinit(&reader->inbound);
    mr_handle_close(&reader->handle);
    free(reader);
}

mr_status mr_reader_add(mr_reader *reader, const mr_topic_partition *partitions, size_t n,
                        mr_error *err)
{
    MR_GROW(reader->started, reader->started_capacity, reader->n_started + n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->handle.rk, partitions[i].topic, NULL);
        const int64_t offset =
            partitions[i].offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : partitions[i].offset;
        if (topic == NULL || rd_kafka_consume_start_queue(topic, partitions[i].partition, offset,
                                                          reader->inbound.queue) != 0) {
            const rd_kafka_resp_err_t code = rd_kafka_last_error();
            if (topic != NULL) {
                rd_kafka_topic_destroy(topic);
            }
            return mr_kafka_fail_code(code, MR_STEP_CONSUME, err, "read %s [%" PRId32 "]",
                                      partitions[i].topic, partitions[i].partition);
        }
        reader->started[reader->n_started++] = (started){topic, partitions[i].partition};
    }
    return MR_OK;
}

mr_status mr_reader_assign(mr_reader *reader, const mr_topic_partition *partitions, size_t n,
                           mr_error *err)
{
    stop_all(reader);
    return mr_reader_add(reader, partitions, n, err);
}

void mr_reader_remove(mr_reader *reader, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < reader->n_started; i++) {
        const started *each = &reader->started[i];
        if (each->partition != partition || strcmp(rd_kafka_topic_name(each->topic), topic) != 0) {
            continue;
        }
        stop(each);
        mr_inbound_drop(&reader->inbound, topic, partition);
        memmove(&reader->started[i], &reader->started[i + 1],
                (reader->n_started - i - 1) * sizeof(*reader->started));
        reader->n_started--;
        reader->n_checked -= i < reader->n_checked ? 1 : 0;
        return;
    }
}

/*
 * librdkafka says nothing of a topic that may not be read: it asks again for ever. So when nothing
 * comes, the topics are asked for, one a call.
 */
static mr_status check_next(mr_reader *reader, mr_error *err)
{
    enum { ASK_MS = 1000 };
    if (reader->n_checked == reader->n_started) {
        return MR_OK;
    }
    const struct started *next = &reader->started[reader->n_checked];
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(reader->handle.rk, 0, next->topic, &metadata, ASK_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return MR_OK; /* Asked again the next time. */
    }
    const rd_kafka_resp_err_t code =
        metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_metadata_destroy(metadata);
    /* That a topic is missing, librdkafka does say, when it is sure. */
    if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
        mr_kafka_class_of(code) == MR_KAFKA_PERMANENT) {
        return mr_kafka_fail_code(code, MR_STEP_CONSUME, err, "read %s [%" PRId32 "]",
                                  rd_kafka_topic_name(next->topic), next->partition);
    }
    reader->n_checked++;
    return MR_OK;
}

mr_status mr_reader_next(mr_reader *reader, int timeout_ms, mr_record *ret_record, mr_error *err)
{
    const rd_kafka_message_t *message = mr_inbound_next(&reader->inbound, timeout_ms);
    if (message == NULL && atomic_exchange(&reader->is_woken, false)) {
        return MR_TIMED_OUT;
    }
    if (message == NULL) {
        mr_handle_serve(&reader->handle);
        MR_TRY(mr_handle_check(&reader->handle, err));
        MR_TRY(check_next(reader, err));
        return MR_TIMED_OUT;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        mr_handle_answered(&reader->handle);
        mr_inbound_record(&reader->inbound, message, ret_record);
        return MR_OK;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        *ret_record = (mr_record){.topic = rd_kafka_topic_name(message->rkt),
                                  .partition = message->partition,
                                  .offset = message->offset,
                                  .timestamp_ms = -1};
        return MR_END;
    }
    if (mr_kafka_action(message->err, false, false, false, MR_STEP_CONSUME) == MR_ACT_RETRY) {
        mr_log_debug(&reader->handle.log, "fetch: %s", rd_kafka_message_errstr(message));
        return MR_TIMED_OUT;
    }
    return mr_kafka_fail_text(message->err, rd_kafka_message_errstr(message), MR_STEP_CONSUME, err,
                              "read %s [%" PRId32 "]",
                              message->rkt == NULL ? "?" : rd_kafka_topic_name(message->rkt),
                              message->partition);
}

void mr_reader_wake(mr_reader *reader)
{
    atomic_store(&reader->is_woken, true);
    rd_kafka_queue_yield(reader->inbound.queue);
}

mr_status mr_reader_watermarks(mr_reader *reader, const char *topic, int32_t partition,
                               int64_t *ret_low, int64_t *ret_high, int timeout_ms, mr_error *err)
{
    return mr_query_watermarks(&reader->handle, topic, partition, ret_low, ret_high, timeout_ms,
                               err);
}

mr_status mr_reader_offset_at(mr_reader *reader, const char *topic, int32_t partition, int64_t ms,
                              int64_t *ret_offset, int timeout_ms, mr_error *err)
{
    return mr_query_offset_at(&reader->handle, topic, partition, ms, ret_offset, timeout_ms, err);
}

mr_status mr_reader_ends(mr_reader *reader, mr_topic_partition *partitions, size_t n,
                         int timeout_ms, mr_error *err)
{
    return mr_query_ends(&reader->handle, partitions, n, timeout_ms, err);
}

mr_status mr_reader_offsets_at(mr_reader *reader, mr_topic_partition *partitions, size_t n,
                               int timeout_ms, mr_error *err)
{
    return mr_query_offsets_at(&reader->handle, partitions, n, timeout_ms, err);
}
