/*
 * Goal: records and commits go on in the sender's thread while its owner does something else; they
 * keep their order; a full queue is waited for; a failure is told, and nothing behind it is sent.
 * Method: the mock cluster takes its time, and answers with errors.
 */
#include "cluster.h"

#include <pthread.h>

#include <mr/clock.h>

#include "runtime/sender.h"

enum { TXN_MS = 5000, SLOW_MS = 300, QUEUE_BYTES = 64 * 1024 };

static mock_cluster mock;

typedef struct mr_waker {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int n;
} mr_waker;

static void wake(void *argument)
{
    mr_waker *waker = argument;
    pthread_mutex_lock(&waker->mutex);
    waker->n++;
    pthread_cond_broadcast(&waker->changed);
    pthread_mutex_unlock(&waker->mutex);
}

static void wait_for_wakes(mr_waker *waker, int n)
{
    mr_clock *clock = mr_clock_system();
    const time_t until = (time_t)((clock->wall_ms(clock) + KIT_MS) / 1000 + 1);
    const struct timespec deadline = {.tv_sec = until};
    pthread_mutex_lock(&waker->mutex);
    while (waker->n < n) {
        assert_int_equal(pthread_cond_timedwait(&waker->changed, &waker->mutex, &deadline), 0);
    }
    pthread_mutex_unlock(&waker->mutex);
}

static mr_waker waker;

static mr_producer *open_producer(void)
{
    const mr_producer_options options = {
        .properties = &mock.kit.properties,
        .log = &mock.kit.log,
        .client_id = "p",
        .transactional_id = "sender",
        .transaction_timeout_ms = TXN_MS,
        .queue_bytes_max = 1 << 20,
        .record_bytes_max = 100000,
    };
    mr_error err;
    mr_producer *producer = NULL;
    kit_ok(mr_producer_new(&options, KIT_MS, &producer, &err), &err);
    return producer;
}

/* Its offset slot is `slot`. */
static void add(mr_sender *sender, const char *value, int64_t *slot)
{
    const mr_record record = {
        .topic = "out", .key = mr_bytes_text("k"), .value = mr_bytes_text(value)};
    mr_sender_add(sender, &record, slot);
}

static mr_sender *open_sender(mr_producer *producer)
{
    waker = (mr_waker){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    const mr_sender_options options = {
        .producer = producer, .queue_bytes_max = QUEUE_BYTES, .wake = wake, .argument = &waker};
    mr_error err;
    mr_sender *sender = NULL;
    kit_ok(mr_sender_new(&options, &sender, &err), &err);
    return sender;
}

static void a_commit_goes_on_beside_its_owner(void **state)
{
    (void)state;
    mr_error err;
    int64_t slots[3] = {0};
    mock_init(&mock);
    mock_topic(&mock, "out", 1);
    mr_producer *producer = open_producer();
    mr_sender *sender = open_sender(producer);
    assert_true(mr_sender_is_idle(sender));
    assert_int_equal(mr_sender_take(sender, true, &err), MR_NOT_FOUND);

    add(sender, "first", &slots[0]);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, SLOW_MS), 0);
    mr_sender_commit(sender, NULL, 0);
    add(sender, "of the next transaction", &slots[1]);
    assert_true(mr_sender_is_committing(sender));
    assert_int_equal(mr_sender_take(sender, false, &err), MR_TIMED_OUT);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0), 0);
    wait_for_wakes(&waker, 1);
    kit_ok(mr_sender_take(sender, false, &err), &err);
    assert_false(mr_sender_is_committing(sender));
    assert_int_equal(slots[0], 1);
    assert_int_equal(slots[1], 0);
    assert_int_equal(mr_sender_take(sender, false, &err), MR_NOT_FOUND);

    mr_sender_commit(sender, NULL, 0);
    kit_ok(mr_sender_take(sender, true, &err), &err);
    assert_int_equal(slots[1], 2);

    add(sender, "the last", &slots[2]);
    mr_sender_commit(sender, NULL, 0);
    mr_sender_free(sender); /* waits for it */
    assert_int_equal(slots[2], 3);
    mr_producer_free(producer);
    mock_deinit(&mock);
}

static void nothing_behind_a_failure_is_sent(void **state)
{
    (void)state;
    mr_error err;
    int64_t slots[3] = {0};
    mock_init(&mock);
    mock_topic(&mock, "out", 1);
    mr_producer *producer = open_producer();
    mr_sender *sender = open_sender(producer);

    add(sender, "of a commit that fails", &slots[0]);
    mock_fail(&mock, API_END_TXN, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    mr_sender_commit(sender, NULL, 0);
    add(sender, "behind it", &slots[1]);
    mr_sender_push(sender);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mr_sender_take(sender, true, &err), MR_ERR_KAFKA);
        assert_int_equal(err.action, MR_ACT_ABORT);
    }
    add(sender, "thrown away, too", &slots[1]);
    assert_false(mr_sender_drop(sender));
    assert_false(mr_sender_is_committing(sender));
    assert_int_equal(mr_sender_take(sender, true, &err), MR_NOT_FOUND);
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    assert_int_equal(slots[1], 0);

    add(sender, "again", &slots[2]);
    mr_sender_commit(sender, NULL, 0);
    kit_ok(mr_sender_take(sender, true, &err), &err);
    assert_true(slots[2] > slots[0]);
    assert_int_equal(slots[1], 0);

    const int before = waker.n;
    mr_sender_commit(sender, NULL, 0);
    wait_for_wakes(&waker, before + 1);
    assert_true(mr_sender_drop(sender)); /* a commit that is done stays done */

    mr_sender_free(sender);
    mr_producer_free(producer);
    mock_deinit(&mock);
}

static void what_is_dropped_is_not_sent(void **state)
{
    (void)state;
    mr_error err;
    int64_t slots[3] = {0};
    mock_init(&mock);
    mock_topic(&mock, "out", 1);
    mr_producer *producer = open_producer();
    mr_sender *sender = open_sender(producer);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, SLOW_MS), 0);
    add(sender, "before it", NULL);
    assert_true(mr_sender_has_unsent(sender));
    mr_sender_commit(sender, NULL, 0);
    assert_false(mr_sender_has_unsent(sender));
    add(sender, "behind the commit", &slots[0]);
    mr_sender_push(sender);
    assert_false(mr_sender_has_unsent(sender));
    add(sender, "in no full batch", &slots[1]);
    (void)mr_sender_drop(sender);
    assert_false(mr_sender_has_unsent(sender));
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0), 0);

    add(sender, "the only one", &slots[2]);
    mr_sender_commit(sender, NULL, 0);
    kit_ok(mr_sender_take(sender, true, &err), &err);
    assert_int_equal(slots[0], 0);
    assert_int_equal(slots[1], 0);
    assert_true(slots[2] > 0);
    mr_sender_free(sender);
    mr_producer_free(producer);
    mock_deinit(&mock);
}

/* More than the queue takes, behind a commit that takes its time: adding waits for it, and batches
 * are sent without a push. */
static void a_full_queue_is_waited_for(void **state)
{
    (void)state;
    enum { RECORDS = 500, VALUE = 1024 };
    mr_error err;
    int64_t slot = 0;
    char value[VALUE + 1] = "";
    memset(value, 'v', VALUE);
    mock_init(&mock);
    mock_topic(&mock, "out", 1);
    mr_producer *producer = open_producer();
    mr_sender *sender = open_sender(producer);
    add(sender, value, NULL);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, SLOW_MS), 0);
    mr_sender_commit(sender, NULL, 0);
    for (int i = 1; i < RECORDS; i++) {
        add(sender, value, &slot);
    }
    kit_ok(mr_sender_take(sender, false, &err), &err);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0), 0);
    kit_ok(mr_sender_drain(sender, &err), &err);
    assert_true(mr_sender_is_idle(sender));
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    assert_int_equal(slot, RECORDS);
    mr_sender_free(sender);
    mr_producer_free(producer);
    mock_deinit(&mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_goes_on_beside_its_owner),
        cmocka_unit_test(nothing_behind_a_failure_is_sent),
        cmocka_unit_test(what_is_dropped_is_not_sent),
        cmocka_unit_test(a_full_queue_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
