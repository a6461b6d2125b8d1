/* One queue that is read record by record: what feeds and readers have in common. */
#pragma once

#include <librdkafka/rdkafka.h>

#include <mr/record.h>

typedef struct mr_inbound {
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *message; /* owns what the last record points to */
    mr_header *headers;
    size_t headers_capacity;
} mr_inbound;

void mr_inbound_deinit(mr_inbound *inbound);
/* The next message, also one that is an error (message->err); NULL: none in time, or woken.
 * Valid until the next call. */
const rd_kafka_message_t *mr_inbound_next(mr_inbound *inbound, int timeout_ms);
/* A message as a record that borrows from it. */
void mr_inbound_record(mr_inbound *inbound, const rd_kafka_message_t *message,
                       mr_record *ret_record);
