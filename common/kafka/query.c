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
    /* Many instead of topic and partition: their ends, or what comes at the times in their offsets.
     */
    const mr_topic_partition *partitions;
    size_t n;
    rd_kafka_topic_partition_list_t *many; /* as they were asked last */
} question;

/* The first error of all. The offsets are times before, and offsets afterwards. */
static rd_kafka_resp_err_t ask_times(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
                                     int timeout_ms)
{
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        code = list->elems[i].err;
    }
    return code;
}

static rd_kafka_resp_err_t ask_time(question *asked, int timeout_ms)
{
    MR_CLEANUP(mr_list_freep)
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, asked->topic, asked->partition)->offset = asked->ms;
    const rd_kafka_resp_err_t code = ask_times(asked->handle->rk, list, timeout_ms);
    asked->offset = list->elems[0].offset;
    return code;
}

/* The protocol's own name for the end is a time. */
static rd_kafka_resp_err_t ask_many(question *asked, int timeout_ms)
{
    const bool ends = asked->ms < 0;
    mr_list_freep(&asked->many);
    asked->many = mr_list_new(asked->partitions, asked->n);
    for (int i = 0; ends && i < asked->many->cnt; i++) {
        asked->many->elems[i].offset = RD_KAFKA_OFFSET_END;
    }
    const rd_kafka_resp_err_t code = ask_times(asked->handle->rk, asked->many, timeout_ms);
    for (int i = 0; ends && i < asked->many->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (asked->many->elems[i].offset < 0) {
            return RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE; /* Every partition has an end. */
        }
    }
    return code;
}

static rd_kafka_resp_err_t ask(question *asked, int timeout_ms)
{
    if (asked->partitions != NULL) {
        return ask_many(asked, timeout_ms);
    }
    if (asked->ms >= 0) {
        return ask_time(asked, timeout_ms);
    }
    return rd_kafka_query_watermark_offsets(asked->handle->rk, asked->topic, asked->partition,
                                            &asked->low, &asked->high, timeout_ms);
}

/* Of many, the first partition with that error is named. */
static mr_status fail(const question *asked, rd_kafka_resp_err_t code, const char *what,
                      mr_error *err)
{
    const rd_kafka_topic_partition_t *named = NULL;
    for (int i = 0; asked->many != NULL && i < asked->many->cnt && named == NULL; i++) {
        named = asked->many->elems[i].err == code ? &asked->many->elems[i] : NULL;
    }
    if (asked->many != NULL && named == NULL) {
        (void)mr_kafka_fail_code(code, MR_STEP_QUERY, err, "%s of %d partitions", what,
                                 asked->many->cnt);
    } else {
        (void)mr_kafka_fail_code(code, MR_STEP_QUERY, err, "%s of %s [%" PRId32 "]", what,
                                 named != NULL ? named->topic : asked->topic,
                                 named != NULL ? named->partition : asked->partition);
    }
    return mr_handle_explain(asked->handle, err);
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
    return fail(asked, code, what, err);
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

static mr_status query_many(question *asked, mr_topic_partition *partitions, int timeout_ms,
                            const char *what, mr_error *err)
{
    const mr_status status = ask_until(asked, timeout_ms, what, err);
    if (status == MR_OK) {
        mr_list_offsets(asked->many, partitions, asked->n);
    }
    mr_list_freep(&asked->many);
    return status;
}

mr_status mr_query_ends(mr_handle *handle, mr_topic_partition *partitions, size_t n, int timeout_ms,
                        mr_error *err)
{
    question asked = {.handle = handle, .ms = -1, .partitions = partitions, .n = n};
    return query_many(&asked, partitions, timeout_ms, "end offset", err);
}

mr_status mr_query_offsets_at(mr_handle *handle, mr_topic_partition *partitions, size_t n,
                              int timeout_ms, mr_error *err)
{
    question asked = {.handle = handle, .partitions = partitions, .n = n};
    return query_many(&asked, partitions, timeout_ms, "offset by time", err);
}
