/*
 * Goal: a commit goes on in the committer's thread while its owner does something else, and its end
 * is told once, good or bad. Method: the mock cluster takes its time, and answers with an error.
 */
#include "cluster.h"

#include <pthread.h>

#include <mr/clock.h>

#include "runtime/committer.h"

enum { TXN_MS = 5000, SLOW_MS = 300 };

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

static mr_producer *open_producer(void)
{
    const mr_producer_options options = {
        .properties = &mock.kit.properties,
        .log = &mock.kit.log,
        .client_id = "p",
        .transactional_id = "committer",
        .transaction_timeout_ms = TXN_MS,
        .queue_bytes_max = 1 << 20,
        .record_bytes_max = 100000,
    };
    mr_error err;
    mr_producer *producer = NULL;
    kit_ok(mr_producer_new(&options, KIT_MS, &producer, &err), &err);
    return producer;
}

static void a_commit_goes_on_beside_its_owner(void **state)
{
    (void)state;
    mr_waker waker = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    mr_error err;
    mr_committer *committer = NULL;
    mock_init(&mock);
    mock_topic(&mock, "out", 1);
    mr_producer *producer = open_producer();
    kit_ok(mr_committer_new(wake, &waker, &committer, &err), &err);
    assert_false(mr_committer_is_busy(committer));
    assert_false(mr_committer_is_busy(NULL));

    kit_send(producer, "out", 0, "first");
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, SLOW_MS), 0);
    mr_committer_submit(committer, producer, NULL, NULL, 0);
    assert_true(mr_committer_is_busy(committer));
    assert_int_equal(mr_committer_take(committer, false, &err), MR_TIMED_OUT);
    assert_true(mr_committer_is_busy(committer));
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0), 0);
    wait_for_wakes(&waker, 1);
    kit_ok(mr_committer_take(committer, false, &err), &err);
    assert_false(mr_committer_is_busy(committer));

    kit_send(producer, "out", 0, "second");
    mock_fail(&mock, API_END_TXN, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    mr_committer_submit(committer, producer, NULL, NULL, 0);
    assert_int_equal(mr_committer_take(committer, true, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    assert_false(mr_committer_is_busy(committer));
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);

    kit_send(producer, "out", 0, "third");
    mr_committer_submit(committer, producer, NULL, NULL, 0);
    mr_committer_free(committer); /* waits for it */
    assert_int_equal(waker.n, 3);
    mr_producer_free(producer);
    mock_deinit(&mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_commit_goes_on_beside_its_owner)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
