/*
 * Goal: the exactly-once policy, row by row: what librdkafka answered, doing what, and the next
 * move. The rows are what was seen against Kafka 4.1.1, and what its protocol allows besides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kafka/error.h"

#define CODE(name) RD_KAFKA_RESP_ERR_##name

typedef struct row {
    rd_kafka_resp_err_t code;
    bool fatal;
    bool retriable;
    bool abortable;
    mr_kafka_step step;
    mr_action action;
} row;

static const row rows[] = {
    /* Offsets with the membership before a rebalance. */
    {CODE(ILLEGAL_GENERATION), 0, 0, 1, MR_STEP_SEND_OFFSETS, MR_ACT_ABORT},
    {CODE(ILLEGAL_GENERATION), 0, 0, 1, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(UNKNOWN_MEMBER_ID), 0, 0, 1, MR_STEP_SEND_OFFSETS, MR_ACT_ABORT},
    {CODE(REBALANCE_IN_PROGRESS), 0, 0, 1, MR_STEP_SEND_OFFSETS, MR_ACT_ABORT},
    /* The same from a commit without a transaction: bare codes. */
    {CODE(ILLEGAL_GENERATION), 0, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(UNKNOWN_MEMBER_ID), 0, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(REBALANCE_IN_PROGRESS), 0, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(_ASSIGNMENT_LOST), 0, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    /* Told to a consumer they are librdkafka's own business. */
    {CODE(ILLEGAL_GENERATION), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_RETRY},
    {CODE(_MAX_POLL_EXCEEDED), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_RETRY},
    /* Fenced, or timed out on the broker: the same code. */
    {CODE(_FENCED), 1, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(_FENCED), 1, 0, 0, MR_STEP_SEND_OFFSETS, MR_ACT_ABORT},
    {CODE(_FENCED), 1, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(_FENCED), 1, 0, 0, MR_STEP_ABORT, MR_ACT_ABORT},
    {CODE(_FENCED), 1, 0, 0, MR_STEP_INIT_TRANSACTIONS, MR_ACT_RETRY},
    {CODE(_FENCED), 0, 0, 1, MR_STEP_SEND_OFFSETS, MR_ACT_ABORT},
    {CODE(INVALID_PRODUCER_EPOCH), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(PRODUCER_FENCED), 1, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(_FATAL), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(OUT_OF_ORDER_SEQUENCE_NUMBER), 1, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(UNKNOWN_PRODUCER_ID), 0, 0, 1, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(INVALID_TXN_STATE), 1, 0, 0, MR_STEP_COMMIT, MR_ACT_ABORT},
    {CODE(_STATE), 0, 0, 0, MR_STEP_ABORT, MR_ACT_ABORT},
    /* Records that were not delivered. */
    {CODE(_MSG_TIMED_OUT), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(_PURGE_QUEUE), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(_PURGE_INFLIGHT), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_ABORT},
    {CODE(MSG_SIZE_TOO_LARGE), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_SKIP},
    {CODE(MSG_SIZE_TOO_LARGE), 0, 0, 0, MR_STEP_COMMIT, MR_ACT_STOP},
    {CODE(INVALID_RECORD), 0, 0, 1, MR_STEP_PRODUCE, MR_ACT_STOP},
    /* The same call again goes on where it was. */
    {CODE(_TIMED_OUT), 0, 1, 0, MR_STEP_COMMIT, MR_ACT_RETRY},
    {CODE(_TIMED_OUT), 0, 1, 0, MR_STEP_ABORT, MR_ACT_RETRY},
    {CODE(_TIMED_OUT), 0, 1, 0, MR_STEP_INIT_TRANSACTIONS, MR_ACT_RETRY},
    {CODE(CONCURRENT_TRANSACTIONS), 0, 1, 0, MR_STEP_SEND_OFFSETS, MR_ACT_RETRY},
    {CODE(CONCURRENT_TRANSACTIONS), 0, 0, 0, MR_STEP_INIT_TRANSACTIONS, MR_ACT_RETRY},
    {CODE(COORDINATOR_LOAD_IN_PROGRESS), 0, 1, 0, MR_STEP_COMMIT, MR_ACT_RETRY},
    {CODE(_QUEUE_FULL), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_RETRY},
    {CODE(_TRANSPORT), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_RETRY},
    {CODE(_ALL_BROKERS_DOWN), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_RETRY},
    {CODE(_TIMED_OUT), 0, 0, 0, MR_STEP_QUERY, MR_ACT_RETRY},
    {CODE(UNSTABLE_OFFSET_COMMIT), 0, 0, 0, MR_STEP_QUERY, MR_ACT_RETRY},
    {CODE(NOT_LEADER_FOR_PARTITION), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_RETRY},
    /* A retriable error that needs an abort is not called again. */
    {CODE(_TIMED_OUT), 0, 1, 1, MR_STEP_COMMIT, MR_ACT_ABORT},
    /* A second instance, and what a person must mend, whatever the flags say. */
    {CODE(FENCED_INSTANCE_ID), 1, 0, 0, MR_STEP_CONSUME, MR_ACT_STOP},
    {CODE(FENCED_INSTANCE_ID), 0, 0, 1, MR_STEP_SEND_OFFSETS, MR_ACT_STOP},
    {CODE(_AUTHENTICATION), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_STOP},
    {CODE(SASL_AUTHENTICATION_FAILED), 0, 1, 0, MR_STEP_QUERY, MR_ACT_STOP},
    {CODE(TOPIC_AUTHORIZATION_FAILED), 0, 0, 1, MR_STEP_PRODUCE, MR_ACT_STOP},
    {CODE(TOPIC_AUTHORIZATION_FAILED), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_STOP},
    {CODE(GROUP_AUTHORIZATION_FAILED), 0, 0, 1, MR_STEP_SEND_OFFSETS, MR_ACT_STOP},
    {CODE(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), 1, 0, 0, MR_STEP_INIT_TRANSACTIONS, MR_ACT_STOP},
    {CODE(CLUSTER_AUTHORIZATION_FAILED), 1, 0, 0, MR_STEP_COMMIT, MR_ACT_STOP},
    {CODE(UNKNOWN_TOPIC_OR_PART), 0, 0, 0, MR_STEP_CONSUME, MR_ACT_STOP},
    {CODE(UNKNOWN_TOPIC_OR_PART), 0, 0, 1, MR_STEP_PRODUCE, MR_ACT_STOP},
    {CODE(_UNKNOWN_TOPIC), 0, 0, 0, MR_STEP_PRODUCE, MR_ACT_STOP},
    {CODE(INVALID_TRANSACTION_TIMEOUT), 1, 0, 0, MR_STEP_INIT_TRANSACTIONS, MR_ACT_STOP},
    {CODE(UNSUPPORTED_VERSION), 1, 0, 0, MR_STEP_COMMIT, MR_ACT_STOP},
    {CODE(_UNSUPPORTED_FEATURE), 0, 0, 0, MR_STEP_QUERY, MR_ACT_STOP},
    /* A consumer's other fatal errors, what is not known here, and every mistake in the settings.
     */
    {CODE(UNKNOWN), 1, 0, 0, MR_STEP_CONSUME, MR_ACT_STOP},
    {CODE(TOPIC_DELETION_DISABLED), 0, 0, 0, MR_STEP_QUERY, MR_ACT_STOP},
    {CODE(_TIMED_OUT), 0, 1, 0, MR_STEP_CONFIGURE, MR_ACT_STOP},
};

static void every_answer_has_its_move(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_action action = mr_kafka_action(rows[i].code, rows[i].fatal, rows[i].retriable,
                                                 rows[i].abortable, rows[i].step);
        if (action != rows[i].action) {
            print_error("row %zu, %s in step %d\n", i, rd_kafka_err2name(rows[i].code),
                        (int)rows[i].step);
        }
        assert_int_equal(action, rows[i].action);
    }
}

/* No code that a transactional call can return without flags leads to going on as if it were well.
 */
static void nothing_is_skipped_but_a_large_record(void **state)
{
    (void)state;
    for (int code = RD_KAFKA_RESP_ERR__BEGIN + 1; code < 200; code++) {
        for (int step = MR_STEP_CONFIGURE; step <= MR_STEP_QUERY; step++) {
            for (int flags = 0; flags < 8; flags++) {
                const mr_action action =
                    mr_kafka_action((rd_kafka_resp_err_t)code, (flags & 4) != 0, (flags & 2) != 0,
                                    (flags & 1) != 0, (mr_kafka_step)step);
                const bool may_skip =
                    code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && step == MR_STEP_PRODUCE;
                assert_true(action != MR_ACT_SKIP || may_skip);
            }
        }
    }
}

static void an_error_says_what_and_why(void **state)
{
    (void)state;
    mr_error err;
    assert_int_equal(mr_kafka_fail_code(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, MR_STEP_CONSUME, &err,
                                        "consume as %s", "a"),
                     MR_ERR_KAFKA);
    assert_int_equal(err.status, MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_int_equal(err.native, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    assert_non_null(strstr(err.message, "consume as a: "));
    assert_non_null(strstr(err.message, "stop one of the two"));
    assert_null(err.error_class);
    (void)mr_kafka_fail_code(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, MR_STEP_PRODUCE, &err, "send");
    assert_string_equal(err.error_class, "too_large");
    rd_kafka_error_t *error = rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "not in %d ms", 7);
    assert_int_equal(mr_kafka_fail(error, MR_STEP_COMMIT, &err, "commit"), MR_ERR_KAFKA);
    assert_string_equal(err.message, "commit: not in 7 ms");
    assert_int_equal(err.action, MR_ACT_RETRY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_move),
        cmocka_unit_test(nothing_is_skipped_but_a_large_record),
        cmocka_unit_test(an_error_says_what_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
