#include "kafka/stray.h"

#include "kafka/error.h"

static const char interceptor_name[] = "millrace-stray";

/* InitProducerId is not among them: a late one fences the producer, which is gone on from. Nor is
 * Produce, whose numbers tell the broker that it has the records already. */
static bool is_of_transaction(int16_t api_key)
{
    enum { ADD_PARTITIONS = 24, ADD_OFFSETS = 25, END_TXN = 26, TXN_OFFSET_COMMIT = 28 };
    return api_key == ADD_PARTITIONS || api_key == ADD_OFFSETS || api_key == END_TXN ||
           api_key == TXN_OFFSET_COMMIT;
}

/* In a thread of librdkafka's, before it asks again. One that was only queued counts, too: nothing
 * tells it from one that was sent. */
static rd_kafka_resp_err_t answered(rd_kafka_t *rk, int socket, const char *broker, int32_t id,
                                    int16_t api_key, int16_t api_version, int32_t correlation,
                                    size_t size, int64_t round_trip_us, rd_kafka_resp_err_t code,
                                    void *opaque)
{
    (void)rk, (void)socket, (void)broker, (void)id, (void)api_version;
    (void)correlation, (void)size, (void)round_trip_us;
    atomic_bool *has_stray = opaque;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && is_of_transaction(api_key)) {
        atomic_store(has_stray, true);
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t watch(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *opaque,
                                 char *text, size_t text_size)
{
    (void)conf, (void)text, (void)text_size;
    return rd_kafka_interceptor_add_on_response_received(rk, interceptor_name, answered, opaque);
}

mr_status mr_stray_watch(rd_kafka_conf_t *conf, atomic_bool *has_stray, mr_error *err)
{
    const rd_kafka_resp_err_t code =
        rd_kafka_conf_interceptor_add_on_new(conf, interceptor_name, watch, has_stray);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : mr_kafka_fail_code(code, MR_STEP_CONFIGURE, err, "watch the answers");
}
