/*
 * Goal: a thread runs with its argument, and has its name for whoever looks from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/thread.h"

/* Until the barrier lets it go, so that its name can be read. */
static void *wait_at(void *barrier)
{
    (void)pthread_barrier_wait(barrier);
    return barrier;
}

static void a_thread_has_its_name(void **state)
{
    (void)state;
    pthread_barrier_t barrier;
    pthread_t thread;
    mr_error err;
    char name[16] = "";
    void *returned = NULL;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(mr_thread_start("sender", wait_at, &barrier, &thread, &err), MR_OK);
    assert_int_equal(pthread_getname_np(thread, name, sizeof(name)), 0);
    (void)pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_join(thread, &returned), 0);
    assert_string_equal(name, "sender");
    assert_ptr_equal(returned, &barrier);
    (void)pthread_barrier_destroy(&barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_thread_has_its_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
