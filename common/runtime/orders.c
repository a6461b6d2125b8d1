#include "runtime/orders.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <mr/clock.h>

#include "core/alloc.h"

typedef struct mr_order {
    struct mr_order *next;
    mr_order_fn function;
    void *argument;
    void (*drop)(void *argument);
    bool waited_for; /* a caller waits; it frees the order */
    bool over;
    bool ran;
} mr_order;

struct mr_orders {
    void (*wake)(void *worker);
    void *worker;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    pthread_cond_t came;
    mr_order *first;
    mr_order **last;
    bool closed;
};

mr_orders *mr_orders_new(void (*wake)(void *worker), void *worker)
{
    mr_orders *orders = mr_alloc_zero(1, sizeof(*orders));
    orders->wake = wake;
    orders->worker = worker;
    orders->last = &orders->first;
    pthread_mutex_init(&orders->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&orders->over, &attributes);
    pthread_cond_init(&orders->came, &attributes);
    pthread_condattr_destroy(&attributes);
    return orders;
}

void mr_orders_free(mr_orders *orders)
{
    if (orders == NULL) {
        return;
    }
    mr_orders_close(orders);
    pthread_cond_destroy(&orders->over);
    pthread_cond_destroy(&orders->came);
    pthread_mutex_destroy(&orders->mutex);
    free(orders);
}

/* With the mutex held. */
static void append(mr_orders *orders, mr_order *order)
{
    *orders->last = order;
    orders->last = &order->next;
    pthread_cond_signal(&orders->came);
}

static mr_order *make(mr_order_fn function, void *argument, void (*drop)(void *argument))
{
    mr_order *order = mr_alloc_zero(1, sizeof(*order));
    order->function = function;
    order->argument = argument;
    order->drop = drop;
    return order;
}

static void discard(mr_order *order)
{
    if (order->drop != NULL) {
        order->drop(order->argument);
    }
    free(order);
}

void mr_orders_post(mr_orders *orders, mr_order_fn function, void *argument,
                    void (*drop)(void *argument))
{
    mr_order *order = make(function, argument, drop);
    pthread_mutex_lock(&orders->mutex);
    const bool closed = orders->closed;
    if (!closed) {
        append(orders, order);
    }
    pthread_mutex_unlock(&orders->mutex);
    if (closed) {
        discard(order);
    } else {
        orders->wake(orders->worker);
    }
}

static struct timespec deadline_after(int timeout_ms)
{
    const int64_t at_us =
        mr_clock_system()->monotonic_us(mr_clock_system()) + (int64_t)timeout_ms * 1000;
    return (struct timespec){.tv_sec = (time_t)(at_us / 1000000),
                             .tv_nsec = (long)(at_us % 1000000 * 1000)};
}

mr_status mr_orders_call(mr_orders *orders, mr_order_fn function, void *argument,
                         void (*drop)(void *argument), int timeout_ms)
{
    mr_order *order = make(function, argument, drop);
    order->waited_for = true;
    pthread_mutex_lock(&orders->mutex);
    if (orders->closed) {
        pthread_mutex_unlock(&orders->mutex);
        discard(order);
        return MR_END;
    }
    append(orders, order);
    orders->wake(orders->worker);
    const struct timespec deadline = deadline_after(timeout_ms);
    int waited = 0;
    while (!order->over && waited != ETIMEDOUT) {
        waited = timeout_ms < 0 ? pthread_cond_wait(&orders->over, &orders->mutex)
                                : pthread_cond_timedwait(&orders->over, &orders->mutex, &deadline);
    }
    const bool over = order->over;
    const bool ran = order->ran;
    order->waited_for = false; /* when it is not over, the worker frees it */
    pthread_mutex_unlock(&orders->mutex);
    if (!over) {
        return MR_TIMED_OUT;
    }
    discard(order);
    return ran ? MR_OK : MR_END;
}

/* Takes the first order out of the queue; NULL when there is none. */
static mr_order *take(mr_orders *orders)
{
    pthread_mutex_lock(&orders->mutex);
    mr_order *order = orders->first;
    if (order != NULL) {
        orders->first = order->next;
        if (orders->first == NULL) {
            orders->last = &orders->first;
        }
    }
    pthread_mutex_unlock(&orders->mutex);
    return order;
}

static void finish(mr_orders *orders, mr_order *order, bool ran)
{
    pthread_mutex_lock(&orders->mutex);
    order->over = true;
    order->ran = ran;
    const bool waited_for = order->waited_for;
    pthread_cond_broadcast(&orders->over);
    pthread_mutex_unlock(&orders->mutex);
    if (!waited_for) {
        discard(order);
    }
}

void mr_orders_run(mr_orders *orders)
{
    for (mr_order *order = take(orders); order != NULL; order = take(orders)) {
        order->function(orders->worker, order->argument);
        finish(orders, order, true);
    }
}

void mr_orders_wait(mr_orders *orders, int timeout_ms)
{
    const struct timespec deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&orders->mutex);
    int waited = 0;
    while (orders->first == NULL && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&orders->came, &orders->mutex, &deadline);
    }
    pthread_mutex_unlock(&orders->mutex);
}

void mr_orders_close(mr_orders *orders)
{
    pthread_mutex_lock(&orders->mutex);
    orders->closed = true;
    pthread_mutex_unlock(&orders->mutex);
    for (mr_order *order = take(orders); order != NULL; order = take(orders)) {
        finish(orders, order, false);
    }
}
