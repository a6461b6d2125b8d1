/* A topic from its beginning to its end now, as a read_committed consumer sees it. */
#pragma once

#include "client.h"

typedef void (*bench_take)(void *argument, const rd_kafka_message_t *message);

/* Calls `take` for each record. Returns the partitions, each with the offset after its last record;
 * rd_kafka_topic_partition_list_destroy frees them. */
rd_kafka_topic_partition_list_t *bench_read(const char *brokers, const char *topic, bench_take take,
                                            void *argument);
