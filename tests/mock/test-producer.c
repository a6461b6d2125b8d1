/*
 * Goal: a producer's errors end in the right move, and every move can be gone on from. Method: the
 * mock cluster answers with errors. It proves nothing about what a reader sees.
 */
#include "cluster.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/producer_private.h"

enum { TXN_MS = 1500 };

static mock_cluster mock;

static int set_up(void **state)
{
    (void)state;
    mock_init(&mock);
    mock_topic(&mock, "out", 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mock_deinit(&mock);
    return 0;
}

static mr_producer *producer_of(const char *id, int64_t queue_bytes_max)
{
    const mr_producer_options options = {
        .properties = &mock.kit.properties,
        .log = &mock.kit.log,
        .client_id = "p",
        .transactional_id = id,
        .transaction_timeout_ms = TXN_MS,
        .queue_bytes_max = queue_bytes_max,
        .record_bytes_max = 100000,
    };
    mr_error err;
    mr_producer *producer = NULL;
    kit_ok(mr_producer_new(&options, KIT_MS, &producer, &err), &err);
    return producer;
}

static mr_status commit(mr_producer *producer, mr_error *err)
{
    return kit_commit(producer, NULL, NULL, 0, 0, err);
}

static void goes_on(mr_producer *producer)
{
    mr_error err;
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    kit_send(producer, "out", 0, "again");
    kit_ok(commit(producer, &err), &err);
}

static void retriable_answers_to_a_commit_are_retried(void **state)
{
    (void)state;
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
    };
    mr_producer *producer = producer_of("retry", 1 << 20);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        mr_error err;
        kit_send(producer, "out", 0, "a");
        mock_fail(&mock, API_END_TXN, 2, codes[i]);
        kit_ok(commit(producer, &err), &err);
    }
    mr_producer_free(producer);
}

static void a_fenced_commit_aborts_and_a_new_handle_goes_on(void **state)
{
    (void)state;
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
        RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
    };
    mr_producer *producer = producer_of("fenced", 1 << 20);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        mr_error err;
        kit_send(producer, "out", 0, "a");
        mock_fail(&mock, API_END_TXN, 1, codes[i]);
        assert_int_equal(commit(producer, &err), MR_ERR_KAFKA);
        assert_int_equal(err.action, MR_ACT_ABORT);
        goes_on(producer);
    }
    mr_producer_free(producer);
}

/* librdkafka's own pace is half a second. The quickest of several, because a machine may be busy.
 */
static void a_transaction_of_before_that_is_being_aborted_is_no_long_wait(void **state)
{
    (void)state;
    enum { TRIES = 3, LIBRDKAFKA_MS = 500 };
    int64_t quickest_ms = INT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        mock_fail(&mock, API_INIT_PRODUCER_ID, 1, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
        const int64_t begin_ms = kit_now_ms();
        mr_producer *producer = producer_of("successor", 1 << 20);
        const int64_t took_ms = kit_now_ms() - begin_ms;
        quickest_ms = took_ms < quickest_ms ? took_ms : quickest_ms;
        mr_error err;
        kit_send(producer, "out", 0, "a");
        kit_ok(commit(producer, &err), &err);
        mr_producer_free(producer);
    }
    assert_in_range(quickest_ms, 0, LIBRDKAFKA_MS - 1);
}

static void who_may_not_write_stops(void **state)
{
    (void)state;
    mr_producer *producer = producer_of("refused", 1 << 20);
    mr_error err;
    kit_send(producer, "out", 0, "a");
    mock_fail(&mock, API_ADD_PARTITIONS, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(commit(producer, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, "authorization"));
    mr_producer_free(producer);
}

static void a_lost_record_is_told_by_the_next_call(void **state)
{
    (void)state;
    static const struct {
        rd_kafka_resp_err_t code;
        mr_action action;
    } rows[] = {
        {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, MR_ACT_ABORT},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, MR_ACT_STOP},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, MR_ACT_STOP},
        /* Which record was too large for the topic is not known any more: it cannot be skipped. */
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, MR_ACT_STOP},
    };
    for (int transactional = 0; transactional < 2; transactional++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            mr_producer *producer = producer_of(transactional ? "lost" : NULL, 1 << 20);
            mr_error err;
            int64_t slot = -1;
            const mr_record record = {.topic = "out", .partition = 0, .value = mr_bytes_text("a")};
            mock_fail(&mock, API_PRODUCE, 1, rows[i].code);
            kit_ok(mr_producer_send(producer, &record, &slot, &err), &err);
            assert_int_equal(commit(producer, &err), MR_ERR_KAFKA);
            assert_int_equal(err.action, rows[i].action);
            assert_non_null(strstr(err.message, "out"));
            assert_int_equal(slot, -1);
            /* And again, until it is aborted. */
            assert_int_equal(mr_producer_send(producer, &record, &slot, &err), MR_ERR_KAFKA);
            assert_int_equal(err.action, rows[i].action);
            if (rows[i].action == MR_ACT_ABORT) {
                goes_on(producer);
            }
            mr_producer_free(producer);
        }
    }
}

static void a_commit_without_an_answer_is_unclear(void **state)
{
    (void)state;
    mr_producer *producer = producer_of("unclear", 1 << 20);
    mr_error err;
    kit_send(producer, "out", 0, "a");
    kit_ok(mr_producer_prepare(producer, NULL, NULL, 0, &err), &err);
    assert_int_equal(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    const int64_t begin_ms = kit_now_ms();
    assert_int_equal(commit(producer, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    assert_in_range(kit_now_ms() - begin_ms, TXN_MS - 100, 3 * TXN_MS);
    /* Nothing goes before it is aborted, and that needs the broker. */
    const mr_record record = {.topic = "out", .partition = 0, .value = mr_bytes_text("a")};
    assert_int_equal(mr_producer_send(producer, &record, NULL, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    assert_int_equal(mr_producer_abort(producer, 300, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    assert_int_equal(mr_producer_send(producer, &record, NULL, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    assert_int_equal(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    goes_on(producer);
    mr_producer_free(producer);
}

/* What one transaction asked for in vain must not reach the broker within the next one. */
static void after_a_request_without_an_answer_the_next_transaction_has_a_new_handle(void **state)
{
    (void)state;
    static const int16_t apis[] = {API_ADD_PARTITIONS, API_END_TXN};
    mr_producer *producer = producer_of("stray", 1 << 20);
    mr_error err;
    for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++) {
        kit_send(producer, "out", 0, "a");
        kit_ok(commit(producer, &err), &err);
        char before[KIT_NAME];
        (void)snprintf(before, sizeof(before), "%s", rd_kafka_name(producer->handle.rk));
        mock_fail(&mock, apis[i], 1, RD_KAFKA_RESP_ERR__TRANSPORT);
        kit_send(producer, "out", 0, "b");
        kit_ok(commit(producer, &err), &err);
        assert_true(atomic_load(&producer->has_stray));
        assert_string_equal(rd_kafka_name(producer->handle.rk), before);
        kit_send(producer, "out", 0, "c");
        assert_false(atomic_load(&producer->has_stray));
        assert_string_not_equal(rd_kafka_name(producer->handle.rk), before);
        kit_ok(commit(producer, &err), &err);
    }
    /* An answer that says no is an answer. */
    mock_fail(&mock, API_END_TXN, 1, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    kit_send(producer, "out", 0, "d");
    kit_ok(commit(producer, &err), &err);
    assert_false(atomic_load(&producer->has_stray));
    mr_producer_free(producer);
}

static void a_new_handle_that_cannot_be_made_aborts(void **state)
{
    (void)state;
    mr_producer *producer = producer_of("stray-down", 1 << 20);
    mr_error err;
    kit_send(producer, "out", 0, "a");
    mock_fail(&mock, API_END_TXN, 1, RD_KAFKA_RESP_ERR__TRANSPORT);
    kit_ok(commit(producer, &err), &err);
    assert_int_equal(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    const mr_record record = {.topic = "out", .partition = 0, .value = mr_bytes_text("b")};
    assert_int_equal(mr_producer_send(producer, &record, NULL, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    assert_int_equal(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    goes_on(producer);
    mr_producer_free(producer);
}

/* 200 records of 1,000 bytes into a queue of 64 kB. */
static mr_status send_many(mr_producer *producer, mr_error *err)
{
    char *value = mr_alloc_zero(1, 1000);
    const mr_record record = {.topic = "out", .partition = 1, .value = mr_bytes_of(value, 1000)};
    mr_status status = MR_OK;
    for (int i = 0; i < 200 && status == MR_OK; i++) {
        status = mr_producer_send(producer, &record, NULL, err);
    }
    free(value);
    return status;
}

static void a_full_queue_is_waited_for_but_not_for_ever(void **state)
{
    (void)state;
    mr_producer *producer = producer_of(NULL, 64 << 10);
    mr_error err;
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 50), 0);
    kit_ok(send_many(producer, &err), &err);
    kit_ok(commit(producer, &err), &err);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0), 0);
    assert_int_equal(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    const int64_t begin_ms = kit_now_ms();
    assert_int_equal(send_many(producer, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    assert_in_range(kit_now_ms() - begin_ms, TXN_MS - 100, 3 * TXN_MS);
    assert_int_equal(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    goes_on(producer);
    mr_producer_free(producer);
}

static void a_large_record_is_skipped_and_others_go_on(void **state)
{
    (void)state;
    mr_producer *producer = producer_of("large", 1 << 20);
    char *value = mr_alloc_zero(1, 200000);
    mr_error err;
    const struct {
        size_t value_len;
        size_t header_len;
        mr_status status;
    } rows[] = {
        {99000, 0, MR_OK},           {100000, 0, MR_ERR_DATA}, {50000, 49000, MR_OK},
        {50000, 50000, MR_ERR_DATA}, {200000, 0, MR_ERR_DATA},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_header header = {"h", mr_bytes_of(value, rows[i].header_len)};
        const mr_record record = {.topic = "out",
                                  .partition = -1,
                                  .key = mr_bytes_text("k"),
                                  .value = mr_bytes_of(value, rows[i].value_len),
                                  .headers = &header,
                                  .n_headers = 1};
        assert_int_equal(mr_producer_send(producer, &record, NULL, &err), rows[i].status);
        if (rows[i].status != MR_OK) {
            assert_int_equal(err.action, MR_ACT_SKIP);
            assert_string_equal(err.error_class, "too_large");
        }
    }
    kit_ok(commit(producer, &err), &err);
    free(value);
    mr_producer_free(producer);
}

static void slots_get_the_offset_behind_the_last_record(void **state)
{
    (void)state;
    mock_topic(&mock, "slots", 1);
    mr_producer *producer = producer_of(NULL, 1 << 20);
    int64_t slot = -1;
    mr_error err;
    const mr_record record = {.topic = "slots", .partition = 0, .value = mr_bytes_text("a")};
    for (int i = 0; i < 10; i++) {
        kit_ok(mr_producer_send(producer, &record, i == 9 ? NULL : &slot, &err), &err);
    }
    kit_ok(commit(producer, &err), &err);
    assert_int_equal(slot, 9);
    mr_producer_free(producer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retriable_answers_to_a_commit_are_retried),
        cmocka_unit_test(a_fenced_commit_aborts_and_a_new_handle_goes_on),
        cmocka_unit_test(a_transaction_of_before_that_is_being_aborted_is_no_long_wait),
        cmocka_unit_test(who_may_not_write_stops),
        cmocka_unit_test(a_lost_record_is_told_by_the_next_call),
        cmocka_unit_test(a_commit_without_an_answer_is_unclear),
        cmocka_unit_test(after_a_request_without_an_answer_the_next_transaction_has_a_new_handle),
        cmocka_unit_test(a_new_handle_that_cannot_be_made_aborts),
        cmocka_unit_test(a_full_queue_is_waited_for_but_not_for_ever),
        cmocka_unit_test(a_large_record_is_skipped_and_others_go_on),
        cmocka_unit_test(slots_get_the_offset_behind_the_last_record),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
