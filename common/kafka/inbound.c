#include "kafka/inbound.h"

#include <stdlib.h>

#include "core/alloc.h"

static void forget(mr_inbound *inbound)
{
    if (inbound->event != NULL) {
        rd_kafka_event_destroy(inbound->event);
        inbound->event = NULL;
    }
}

void mr_inbound_deinit(mr_inbound *inbound)
{
    forget(inbound);
    if (inbound->queue != NULL) {
        rd_kafka_queue_destroy(inbound->queue);
    }
    free(inbound->headers);
    *inbound = (mr_inbound){0};
}

/*
 * One message an event: librdkafka's batch call loses and repeats messages around seek, pause and
 * rebalance before 2.1.0. Messages from before a seek or pause are dropped by librdkafka when they
 * leave the queue.
 */
const rd_kafka_message_t *mr_inbound_next(mr_inbound *inbound, int timeout_ms,
                                          rd_kafka_resp_err_t *ret_code)
{
    forget(inbound);
    *ret_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    inbound->event = rd_kafka_queue_poll(inbound->queue, timeout_ms);
    if (inbound->event == NULL) {
        return NULL;
    }
    if (rd_kafka_event_type(inbound->event) == RD_KAFKA_EVENT_FETCH) {
        const rd_kafka_message_t *message = rd_kafka_event_message_next(inbound->event);
        if (message != NULL) {
            *ret_code = message->err;
        }
        return message;
    }
    *ret_code = rd_kafka_event_error(inbound->event);
    return NULL;
}

static void take_headers(mr_inbound *inbound, const rd_kafka_message_t *message,
                         mr_record *ret_record)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    const size_t n = rd_kafka_header_cnt(headers);
    MR_GROW(inbound->headers, inbound->headers_capacity, n);
    for (size_t i = 0; i < n; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &len) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            break;
        }
        inbound->headers[i] = (mr_header){name, mr_bytes_of(value, len)};
        ret_record->n_headers = i + 1;
    }
    ret_record->headers = inbound->headers;
}

void mr_inbound_record(mr_inbound *inbound, const rd_kafka_message_t *message,
                       mr_record *ret_record)
{
    *ret_record = (mr_record){
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = mr_bytes_of(message->key, message->key_len),
        .value = mr_bytes_of(message->payload, message->len),
    };
    take_headers(inbound, message, ret_record);
}
