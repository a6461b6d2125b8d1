/*
 * Goal: orders run once, in order, in the worker; a caller gets its answer or learns why not; what
 * an order carries is dropped exactly once in every case. Method: a worker thread that waits for
 * orders, and callers that give up or come too late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <cmocka.h>

#include "runtime/orders.h"

typedef struct mr_fixture {
    mr_orders *orders;
    pthread_t thread;
    sem_t wakes;
    _Atomic bool ending;
    int log[16];
    int n_log;
} mr_fixture;

typedef struct mr_parcel {
    mr_fixture *fixture;
    int number;
    _Atomic int dropped;
    sem_t *hold; /* the order waits here */
} mr_parcel;

static void wake(void *argument)
{
    mr_fixture *fixture = argument;
    sem_post(&fixture->wakes);
}

static void note(void *worker, void *argument)
{
    mr_fixture *fixture = worker;
    const mr_parcel *parcel = argument;
    if (parcel->hold != NULL) {
        sem_wait(parcel->hold);
    }
    fixture->log[fixture->n_log++] = parcel->number;
}

static void drop(void *argument)
{
    mr_parcel *parcel = argument;
    atomic_fetch_add(&parcel->dropped, 1);
    if (parcel->hold != NULL) {
        sem_post(&parcel->fixture->wakes);
    }
}

static void *work(void *argument)
{
    mr_fixture *fixture = argument;
    while (!atomic_load(&fixture->ending)) {
        sem_wait(&fixture->wakes);
        mr_orders_run(fixture->orders);
    }
    mr_orders_close(fixture->orders);
    return NULL;
}

static void open_fixture(mr_fixture *fixture)
{
    *fixture = (mr_fixture){0};
    sem_init(&fixture->wakes, 0, 0);
    fixture->orders = mr_orders_new(wake, fixture);
    assert_int_equal(pthread_create(&fixture->thread, NULL, work, fixture), 0);
}

static void end_worker(mr_fixture *fixture)
{
    atomic_store(&fixture->ending, true);
    wake(fixture);
    pthread_join(fixture->thread, NULL);
}

static void orders_run_once_and_in_order(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    mr_parcel parcels[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    mr_orders_post(fixture.orders, note, &parcels[0], drop);
    mr_orders_post(fixture.orders, note, &parcels[1], drop);
    assert_int_equal(mr_orders_call(fixture.orders, note, &parcels[2], drop, -1), MR_OK);
    end_worker(&fixture);
    assert_int_equal(fixture.n_log, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture.log[i], i + 1);
        assert_int_equal(atomic_load(&parcels[i].dropped), 1);
    }
    mr_orders_free(fixture.orders);
}

static void a_caller_that_gives_up_leaves_its_parcel_to_the_order(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    sem_t hold;
    sem_init(&hold, 0, 0);
    mr_parcel slow = {.fixture = &fixture, .number = 7, .hold = &hold};
    assert_int_equal(mr_orders_call(fixture.orders, note, &slow, drop, 20), MR_TIMED_OUT);
    assert_int_equal(atomic_load(&slow.dropped), 0);
    sem_post(&hold);
    end_worker(&fixture);
    assert_int_equal(fixture.log[0], 7);
    assert_int_equal(atomic_load(&slow.dropped), 1);
    mr_orders_free(fixture.orders);
}

static void after_the_end_nothing_runs_and_everything_is_dropped(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    end_worker(&fixture);
    mr_parcel parcels[2] = {{.number = 1}, {.number = 2}};
    mr_orders_post(fixture.orders, note, &parcels[0], drop);
    assert_int_equal(mr_orders_call(fixture.orders, note, &parcels[1], drop, -1), MR_END);
    assert_int_equal(fixture.n_log, 0);
    assert_int_equal(atomic_load(&parcels[0].dropped), 1);
    assert_int_equal(atomic_load(&parcels[1].dropped), 1);
    mr_orders_free(fixture.orders);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_run_once_and_in_order),
        cmocka_unit_test(a_caller_that_gives_up_leaves_its_parcel_to_the_order),
        cmocka_unit_test(after_the_end_nothing_runs_and_everything_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
