/* One admin request and its answer, for admin.c and group.c. */
#pragma once

#include "kafka/admin.h"
#include "kafka/error.h"
#include "kafka/handle.h"

struct mr_admin {
    mr_handle handle;
    int timeout_ms;
    mr_conf_source source;
    char *client_id;
    mr_handle group;  /* of the last question for committed offsets */
    char *group_name; /* NULL: none */
};

void mr_admin_close_group(mr_admin *admin);

typedef struct mr_admin_call {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
} mr_admin_call;

void mr_admin_call_init(mr_admin_call *call, mr_admin *admin, rd_kafka_admin_op_t operation);
void mr_admin_call_deinit(mr_admin_call *call);
/* Waits for the answer; the request's own error is a failure, those of its items are not looked at.
 */
mr_status mr_admin_call_wait(mr_admin_call *call, mr_admin *admin, const char *what,
                             mr_error *err) MR_MUST_USE;
/* "<what> topic <topic>: <text>", from one item of an answer. */
mr_status mr_admin_fail_topic(rd_kafka_resp_err_t code, const char *text, const char *what,
                              const char *topic, mr_error *err);
