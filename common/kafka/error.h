/*
 * The one place that turns librdkafka's answers into what to do next. This table is the
 * exactly-once policy. Private to common/kafka.
 */
#pragma once

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

#include <mr/error.h>

/* What the caller was doing: the same code can mean different moves. */
typedef enum mr_kafka_step {
    MR_STEP_CONFIGURE,
    MR_STEP_CONSUME,
    MR_STEP_PRODUCE,
    MR_STEP_INIT_TRANSACTIONS,
    MR_STEP_SEND_OFFSETS,
    MR_STEP_COMMIT,
    MR_STEP_ABORT,
    MR_STEP_QUERY, /* metadata, watermarks, committed offsets, admin */
} mr_kafka_step;

/* Fills `err` from a librdkafka error object and destroys the object. */
mr_status mr_kafka_fail(rd_kafka_error_t *error, mr_kafka_step step, mr_error *err,
                        const char *format, ...) MR_PRINTF(4, 5);
/* The same from a bare code. */
mr_status mr_kafka_fail_code(rd_kafka_resp_err_t code, mr_kafka_step step, mr_error *err,
                             const char *format, ...) MR_PRINTF(4, 5);
/* The same with librdkafka's own text of it, where that says more than the code's; NULL or "": the
 * code's. */
mr_status mr_kafka_fail_text(rd_kafka_resp_err_t code, const char *text, mr_kafka_step step,
                             mr_error *err, const char *format, ...) MR_PRINTF(5, 6);
/* The table itself, for its test: flags as librdkafka's error object has them. */
mr_action mr_kafka_action(rd_kafka_resp_err_t code, bool fatal, bool retriable, bool abortable,
                          mr_kafka_step step);
