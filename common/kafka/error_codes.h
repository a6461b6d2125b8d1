/* What kind of trouble each of librdkafka's codes is, whatever one was doing. Private to error.c
 * and the handles. */
#pragma once

#include <librdkafka/rdkafka.h>

typedef enum mr_kafka_class {
    MR_KAFKA_OTHER = 0,
    MR_KAFKA_PERMANENT,        /* a person must act: authorisation, a missing topic, a setting */
    MR_KAFKA_TRANSIENT,        /* passes by itself: connections, coordinators moving, time-outs */
    MR_KAFKA_MEMBERSHIP,       /* the group has moved on without this member */
    MR_KAFKA_VOID_TRANSACTION, /* what was sent is lost, or its producer is fenced */
    MR_KAFKA_TOO_LARGE,
} mr_kafka_class;

mr_kafka_class mr_kafka_class_of(rd_kafka_resp_err_t code);
/* What to do about it, as the end of a sentence; NULL when there is nothing to say. */
const char *mr_kafka_advice(rd_kafka_resp_err_t code);
