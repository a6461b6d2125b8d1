/*
 * Orders: functions that other threads want a worker to run between two records.
 */
#pragma once

#include <mr/error.h>

typedef struct mr_orders mr_orders;
typedef void (*mr_order_fn)(void *worker, void *argument);

/* `wake` is called after each new order, so that a waiting worker looks. */
mr_orders *mr_orders_new(void (*wake)(void *worker), void *worker);
void mr_orders_free(mr_orders *orders);

/* Runs `function(worker, argument)` later; `drop(argument)` runs in any case afterwards (NULL:
 * none), also when the order never ran because the orders were closed. */
void mr_orders_post(mr_orders *orders, mr_order_fn function, void *argument,
                    void (*drop)(void *argument));
/* As post, but returns when it ran: MR_OK; MR_END when the worker takes no orders any more;
 * MR_TIMED_OUT after timeout_ms (-1: never): it may run later, so `argument` must be one that
 * `drop` frees. */
mr_status mr_orders_call(mr_orders *orders, mr_order_fn function, void *argument,
                         void (*drop)(void *argument), int timeout_ms) MR_MUST_USE;

/* The worker: runs what is there. */
void mr_orders_run(mr_orders *orders);
/* The worker: waits at most timeout_ms for an order to come. For backing off without going deaf. */
void mr_orders_wait(mr_orders *orders, int timeout_ms);
/* The worker: takes no more; what is queued is dropped, callers are released. */
void mr_orders_close(mr_orders *orders);
