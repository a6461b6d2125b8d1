#include "kafka/error_codes.h"

#include <stddef.h>

typedef struct code_row {
    rd_kafka_resp_err_t code;
    mr_kafka_class class;
    const char *advice;
} code_row;

#define ROW(code, class)                                                                           \
    {                                                                                              \
        RD_KAFKA_RESP_ERR_##code, MR_KAFKA_##class, NULL                                           \
    }
#define ROW_ADVICE(code, class, advice)                                                            \
    {                                                                                              \
        RD_KAFKA_RESP_ERR_##code, MR_KAFKA_##class, advice                                         \
    }

static const code_row code_rows[] = {
    /* Who one is, and what one may do. */
    ROW_ADVICE(_AUTHENTICATION, PERMANENT, "check sasl.* and ssl.*"),
    ROW_ADVICE(SASL_AUTHENTICATION_FAILED, PERMANENT, "check sasl.*"),
    ROW(UNSUPPORTED_SASL_MECHANISM, PERMANENT),
    ROW(ILLEGAL_SASL_STATE, PERMANENT),
    ROW_ADVICE(_SSL, PERMANENT, "check ssl.*"),
    ROW(TOPIC_AUTHORIZATION_FAILED, PERMANENT),
    ROW(GROUP_AUTHORIZATION_FAILED, PERMANENT),
    ROW(CLUSTER_AUTHORIZATION_FAILED, PERMANENT),
    ROW(TRANSACTIONAL_ID_AUTHORIZATION_FAILED, PERMANENT),
    ROW(DELEGATION_TOKEN_AUTHORIZATION_FAILED, PERMANENT),
    ROW(SECURITY_DISABLED, PERMANENT),
    /* What is not there, or set otherwise than it must be. */
    ROW_ADVICE(UNKNOWN_TOPIC_OR_PART, PERMANENT, "create it with `millrace topics apply`"),
    ROW_ADVICE(_UNKNOWN_TOPIC, PERMANENT, "create it with `millrace topics apply`"),
    ROW(_UNKNOWN_PARTITION, PERMANENT),
    ROW(TOPIC_EXCEPTION, PERMANENT),
    ROW(INVALID_TRANSACTION_TIMEOUT, PERMANENT),
    ROW(INVALID_CONFIG, PERMANENT),
    ROW(INVALID_RECORD, PERMANENT),
    ROW(INVALID_REQUEST, PERMANENT),
    ROW(INVALID_TIMESTAMP, PERMANENT),
    ROW(INVALID_REQUIRED_ACKS, PERMANENT),
    ROW(INCONSISTENT_GROUP_PROTOCOL, PERMANENT),
    ROW(INVALID_SESSION_TIMEOUT, PERMANENT),
    ROW(INVALID_GROUP_ID, PERMANENT),
    ROW_ADVICE(GROUP_MAX_SIZE_REACHED, PERMANENT, "the group has its largest allowed size"),
    ROW(UNSUPPORTED_VERSION, PERMANENT),
    ROW(UNSUPPORTED_FOR_MESSAGE_FORMAT, PERMANENT),
    ROW(UNSUPPORTED_COMPRESSION_TYPE, PERMANENT),
    ROW(_UNSUPPORTED_FEATURE, PERMANENT),
    ROW(_NOT_IMPLEMENTED, PERMANENT),
    ROW(_INVALID_ARG, PERMANENT),
    ROW_ADVICE(FENCED_INSTANCE_ID, PERMANENT,
               "another process runs with the same group.instance.id: stop one of the two, or give "
               "each an instance ID of its own (after a long outage: start it again)"),
    /* A record's size. */
    ROW(MSG_SIZE_TOO_LARGE, TOO_LARGE),
    /* Connections and brokers. */
    ROW(_TRANSPORT, TRANSIENT),
    ROW(_RESOLVE, TRANSIENT),
    ROW(_ALL_BROKERS_DOWN, TRANSIENT),
    ROW(_TIMED_OUT, TRANSIENT),
    ROW(_TIMED_OUT_QUEUE, TRANSIENT),
    ROW(_WAIT_COORD, TRANSIENT),
    ROW(_IN_PROGRESS, TRANSIENT),
    ROW(_PREV_IN_PROGRESS, TRANSIENT),
    ROW(_RETRY, TRANSIENT),
    ROW(_QUEUE_FULL, TRANSIENT),
    ROW(_BAD_MSG, TRANSIENT),
    ROW(_MAX_POLL_EXCEEDED, TRANSIENT),
    ROW(_AUTO_OFFSET_RESET, TRANSIENT),
    ROW(REQUEST_TIMED_OUT, TRANSIENT),
    ROW(NETWORK_EXCEPTION, TRANSIENT),
    ROW(LEADER_NOT_AVAILABLE, TRANSIENT),
    ROW(NOT_LEADER_FOR_PARTITION, TRANSIENT),
    ROW(BROKER_NOT_AVAILABLE, TRANSIENT),
    ROW(REPLICA_NOT_AVAILABLE, TRANSIENT),
    ROW(NOT_CONTROLLER, TRANSIENT),
    ROW(KAFKA_STORAGE_ERROR, TRANSIENT),
    ROW(FENCED_LEADER_EPOCH, TRANSIENT),
    ROW(UNKNOWN_LEADER_EPOCH, TRANSIENT),
    ROW(OFFSET_NOT_AVAILABLE, TRANSIENT),
    ROW(NOT_ENOUGH_REPLICAS, TRANSIENT),
    ROW(NOT_ENOUGH_REPLICAS_AFTER_APPEND, TRANSIENT),
    ROW(COORDINATOR_LOAD_IN_PROGRESS, TRANSIENT),
    ROW(COORDINATOR_NOT_AVAILABLE, TRANSIENT),
    ROW(NOT_COORDINATOR, TRANSIENT),
    ROW(CONCURRENT_TRANSACTIONS, TRANSIENT),
    ROW(UNSTABLE_OFFSET_COMMIT, TRANSIENT),
    ROW(THROTTLING_QUOTA_EXCEEDED, TRANSIENT),
    ROW(POLICY_VIOLATION, PERMANENT),
    /* The group. */
    ROW(ILLEGAL_GENERATION, MEMBERSHIP),
    ROW(UNKNOWN_MEMBER_ID, MEMBERSHIP),
    ROW(REBALANCE_IN_PROGRESS, MEMBERSHIP),
    ROW(MEMBER_ID_REQUIRED, MEMBERSHIP),
    ROW(_ASSIGNMENT_LOST, MEMBERSHIP),
    ROW(_NOOP, TRANSIENT),
    /* The transaction, or its producer. */
    ROW(_FENCED, VOID_TRANSACTION),
    ROW(PRODUCER_FENCED, VOID_TRANSACTION),
    ROW(INVALID_PRODUCER_EPOCH, VOID_TRANSACTION),
    ROW(INVALID_PRODUCER_ID_MAPPING, VOID_TRANSACTION),
    ROW(UNKNOWN_PRODUCER_ID, VOID_TRANSACTION),
    ROW(OUT_OF_ORDER_SEQUENCE_NUMBER, VOID_TRANSACTION),
    ROW(DUPLICATE_SEQUENCE_NUMBER, VOID_TRANSACTION),
    ROW(INVALID_TXN_STATE, VOID_TRANSACTION),
    ROW(_MSG_TIMED_OUT, VOID_TRANSACTION),
    ROW(_PURGE_QUEUE, VOID_TRANSACTION),
    ROW(_PURGE_INFLIGHT, VOID_TRANSACTION),
    ROW(_GAPLESS_GUARANTEE, VOID_TRANSACTION),
    ROW(_INCONSISTENT, VOID_TRANSACTION),
    ROW(_STATE, VOID_TRANSACTION),
    ROW(_CONFLICT, VOID_TRANSACTION),
    ROW(_FATAL, VOID_TRANSACTION),
    ROW(_DESTROY, VOID_TRANSACTION),
    ROW(UNKNOWN, VOID_TRANSACTION),
};

static const code_row *row_of(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < sizeof(code_rows) / sizeof(code_rows[0]); i++) {
        if (code_rows[i].code == code) {
            return &code_rows[i];
        }
    }
    return NULL;
}

mr_kafka_class mr_kafka_class_of(rd_kafka_resp_err_t code)
{
    const code_row *row = row_of(code);
    return row == NULL ? MR_KAFKA_OTHER : row->class;
}

const char *mr_kafka_advice(rd_kafka_resp_err_t code)
{
    const code_row *row = row_of(code);
    return row == NULL ? NULL : row->advice;
}
