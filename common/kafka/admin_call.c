#include "kafka/admin_private.h"

void mr_admin_call_init(mr_admin_call *call, mr_admin *admin, rd_kafka_admin_op_t operation)
{
    char text[128];
    call->event = NULL;
    call->queue = rd_kafka_queue_new(admin->handle.rk);
    call->options = rd_kafka_AdminOptions_new(admin->handle.rk, operation);
    /* Fails only for a time-out out of range. */
    (void)rd_kafka_AdminOptions_set_request_timeout(call->options, admin->timeout_ms, text,
                                                    sizeof(text));
}

void mr_admin_call_deinit(mr_admin_call *call)
{
    if (call->event != NULL) {
        rd_kafka_event_destroy(call->event);
    }
    rd_kafka_AdminOptions_destroy(call->options);
    rd_kafka_queue_destroy(call->queue);
}

mr_status mr_admin_call_wait(mr_admin_call *call, mr_admin *admin, const char *what, mr_error *err)
{
    /* librdkafka answers by itself at the time-out; the margin is for a request without a handler,
     * which the embedded broker never answers. */
    enum { MARGIN_MS = 500 };
    call->event = rd_kafka_queue_poll(call->queue, admin->timeout_ms + MARGIN_MS);
    if (call->event == NULL) {
        (void)mr_kafka_fail_code(RD_KAFKA_RESP_ERR__TIMED_OUT, MR_STEP_QUERY, err, "%s", what);
        return mr_handle_explain(&admin->handle, err);
    }
    const rd_kafka_resp_err_t code = rd_kafka_event_error(call->event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)mr_kafka_fail_text(code, rd_kafka_event_error_string(call->event), MR_STEP_QUERY, err,
                                 "%s", what);
        return mr_handle_explain(&admin->handle, err);
    }
    return MR_OK;
}

mr_status mr_admin_fail_topic(rd_kafka_resp_err_t code, const char *text, const char *what,
                              const char *topic, mr_error *err)
{
    return mr_kafka_fail_text(code, text, MR_STEP_QUERY, err, "%s topic %s", what, topic);
}
