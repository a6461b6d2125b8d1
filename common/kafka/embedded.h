/*
 * The embedded broker: librdkafka's mock cluster in this process, for trying things out. In memory,
 * no transactions, no group description, no admin requests. Other processes on this host can use
 * it.
 */
#pragma once

#include "kafka/client.h"

typedef struct mr_embedded mr_embedded;

mr_status mr_embedded_new(const mr_log *log, mr_embedded **ret_broker, mr_error *err) MR_MUST_USE;
void mr_embedded_free(mr_embedded *broker);
const char *mr_embedded_bootstrap(const mr_embedded *broker); /* "127.0.0.1:port" */
mr_status mr_embedded_create_topic(mr_embedded *broker, const char *topic, int32_t partitions,
                                   mr_error *err) MR_MUST_USE;
