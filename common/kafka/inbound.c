#include "kafka/inbound.h"

#include <stdlib.h>

#include "core/alloc.h"

static void forget(mr_inbound *inbound)
{
    if (inbound->message != NULL) {
        rd_kafka_message_destroy(inbound->message);
        inbound->message = NULL;
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
 * One message a call: librdkafka's batch call loses and repeats messages around seek, pause and
 * rebalance before 2.1.0. Messages from before a seek or pause are dropped by librdkafka when they
 * leave the queue.
 */
const rd_kafka_message_t *mr_inbound_next(mr_inbound *inbound, int timeout_ms)
{
    forget(inbound);
    inbound->message = rd_kafka_consume_queue(inbound->queue, timeout_ms);
    return inbound->message;
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
