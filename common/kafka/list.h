/* librdkafka's lists of partitions. */
#pragma once

#include <librdkafka/rdkafka.h>

#include "kafka/client.h"
#include "kafka/error.h"

/* -1 becomes RD_KAFKA_OFFSET_INVALID; marks of replays become metadata. */
rd_kafka_topic_partition_list_t *mr_list_new(const mr_topic_partition *partitions, size_t n);
void mr_list_freep(rd_kafka_topic_partition_list_t **list);
/* The first element's error, with its name. */
mr_status mr_list_check(const rd_kafka_topic_partition_list_t *list, mr_kafka_step step,
                        const char *what, mr_error *err) MR_MUST_USE;
/* Copies the offsets back with their marks of replays, -1 where there is none. The lists have the
 * same order. */
void mr_list_offsets(const rd_kafka_topic_partition_list_t *list, mr_topic_partition *partitions,
                     size_t n);
