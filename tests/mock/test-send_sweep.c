/*
 * Goal: whichever send of a transaction librdkafka refuses, that is told, and after an abort the
 * same records go. Method: the program is linked so that rd_kafka_produceva (the linker's --wrap)
 * comes by here; send number 1, 2, ... of a batch fails, with each kind of answer.
 */
#include "cluster.h"

#include <stdio.h>

#include "kafka/producer.h"

enum { TXN_MS = 5000, BATCH = 8 };

static mock_cluster mock;
static long count;
static long fail_at;
static rd_kafka_resp_err_t fail_code;

rd_kafka_error_t *__real_rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *parts, size_t n);
rd_kafka_error_t *__wrap_rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *parts, size_t n);
rd_kafka_error_t *__wrap_rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *parts, size_t n)
{
    if (++count == fail_at) {
        return rd_kafka_error_new(fail_code, "made by the test");
    }
    return __real_rd_kafka_produceva(rk, parts, n);
}

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

static mr_producer *open_producer(void)
{
    const mr_producer_options options = {
        .properties = &mock.kit.properties,
        .log = &mock.kit.log,
        .client_id = "p",
        .transactional_id = "sweep",
        .transaction_timeout_ms = TXN_MS,
        .queue_bytes_max = 1 << 20,
        .record_bytes_max = 100000,
    };
    mr_error err;
    mr_producer *producer = NULL;
    kit_ok(mr_producer_new(&options, KIT_MS, &producer, &err), &err);
    return producer;
}

/* Every other record has headers, which are somebody's to free. */
static mr_status send_batch(mr_producer *producer, mr_error *err)
{
    const mr_header header = {"name", mr_bytes_text("value")};
    for (int i = 0; i < BATCH; i++) {
        const mr_record record = {.topic = "out",
                                  .partition = i / 2 % 2,
                                  .key = mr_bytes_text("key"),
                                  .value = mr_bytes_text("value"),
                                  .headers = &header,
                                  .n_headers = (size_t)(i % 2)};
        MR_TRY(mr_producer_send(producer, &record, NULL, err));
    }
    return MR_OK;
}

static mr_status play(mr_producer *producer, mr_error *err)
{
    MR_TRY(send_batch(producer, err));
    MR_TRY(kit_commit(producer, NULL, NULL, 0, 0, err));
    MR_TRY(send_batch(producer, err));
    return kit_commit(producer, NULL, NULL, 0, 0, err);
}

static void set_fault(long n, rd_kafka_resp_err_t code)
{
    count = 0;
    fail_at = n;
    fail_code = code;
}

/* Returns how many sends there are. */
static long sweep(mr_producer *producer, rd_kafka_resp_err_t code)
{
    for (long n = 1;; n++) {
        mr_error err = {0};
        set_fault(n, code);
        const mr_status status = play(producer, &err);
        if (count < n) {
            kit_ok(status, &err);
            return n - 1;
        }
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            kit_ok(status, &err); /* waited for */
            continue;
        }
        assert_int_equal(status, MR_ERR_KAFKA);
        assert_non_null(strstr(err.message, "send to out"));
        assert_int_not_equal(err.action, MR_ACT_RETRY);
        kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
        kit_ok(play(producer, &err), &err);
    }
}

static void every_send_may_be_refused(void **state)
{
    (void)state;
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR__TIMED_OUT,         RD_KAFKA_RESP_ERR__STATE,
        RD_KAFKA_RESP_ERR__INVALID_ARG,       RD_KAFKA_RESP_ERR__QUEUE_FULL,
    };
    mr_producer *producer = open_producer();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const long n = sweep(producer, codes[i]);
        print_message("%s: %ld sends\n", rd_kafka_err2name(codes[i]), n);
        assert_int_equal(n, 2 * BATCH);
    }
    mr_producer_free(producer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_send_may_be_refused)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
