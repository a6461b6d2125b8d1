#include "kafka/query.h"

#include <inttypes.h>

#include "kafka/error.h"
#include "kafka/error_codes.h"
#include "kafka/list.h"

typedef struct question {
    mr_handle *handle;
    const char *topic;
    int32_t partition;
    int64_t ms; /* negative: the ends */
    int64_t low;
    int64_t high;
    int64_t offset; /* negative: no record at or after the time */
} question;

static rd_kafka_resp_err_t ask_time(question *asked, int timeout_ms)
{
    MR_CLEANUP(mr_list_freep)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, asked->topic, asked->partition)->offset = asked->ms;
    const rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(asked->handle->rk, list, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    asked->offset = list->elems[0].offset;
    return list->elems[0].err;
}

static rd_kafka_resp_err_t ask(question *asked, int timeout_ms)
{
    if (asked->ms >= 0) {
        return ask_time(asked, timeout_ms);
    }
    return rd_kafka_query_watermark_offsets(asked->handle->rk, asked->topic, asked->partition,
                                            &asked->low, &asked->high, timeout_ms);
}

static mr_status ask_until(question *asked, int timeout_ms, const char *what, mr_error *err)
{
    enum { AGAIN_MS = 50 };
    mr_clock *clock = mr_clock_system();
    const int64_t deadline_ms = mr_clock_monotonic_ms(clock) + timeout_ms;
    int64_t left_ms = timeout_ms;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    while (left_ms > 0) {
        code = ask(asked, (int)left_ms);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            mr_handle_answered(asked->handle);
            return MR_OK;
        }
        if (mr_kafka_class_of(code) != MR_KAFKA_TRANSIENT) {
            break;
        }
        (void)rd_kafka_poll(asked->handle->rk, AGAIN_MS);
        left_ms = deadline_ms - mr_clock_monotonic_ms(clock);
    }
    (void)mr_kafka_fail_code(code, MR_STEP_QUERY, err, "%s of %s [%" PRId32 "]", what, asked->topic,
                             asked->partition);
    return mr_handle_explain(asked->handle, err);
}

mr_status mr_query_watermarks(mr_handle *handle, const char *topic, int32_t partition,
                              int64_t *ret_low, int64_t *ret_high, int timeout_ms, mr_error *err)
{
    question asked = {.handle = handle, .topic = topic, .partition = partition, .ms = -1};
    MR_TRY(ask_until(&asked, timeout_ms, "first and end offset", err));
    *ret_low = asked.low;
    *ret_high = asked.high;
    return MR_OK;
}

mr_status mr_query_offset_at(mr_handle *handle, const char *topic, int32_t partition, int64_t ms,
                             int64_t *ret_offset, int timeout_ms, mr_error *err)
{
    question asked = {
        .handle = handle, .topic = topic, .partition = partition, .ms = ms < 0 ? 0 : ms};
    MR_TRY(ask_until(&asked, timeout_ms, "offset by time", err));
    if (asked.offset >= 0) {
        *ret_offset = asked.offset;
        return MR_OK;
    }
    int64_t low = 0;
    return mr_query_watermarks(handle, topic, partition, &low, ret_offset, timeout_ms, err);
}
