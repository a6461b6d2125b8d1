/* Goal: pauses double up to a limit and are forgotten after a long life. Method: a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/backoff.h"

static void pauses_double_up_to_a_limit(void **state)
{
    (void)state;
    static const int64_t expected[] = {200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    int64_t pause = 0;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        pause = mr_backoff_next(pause, 5);
        assert_int_equal(pause, expected[i]);
    }
}

static void a_long_life_is_a_new_beginning(void **state)
{
    (void)state;
    assert_int_equal(mr_backoff_next(10000, 29999), 10000);
    assert_int_equal(mr_backoff_next(10000, 30000), 200);
    assert_int_equal(mr_backoff_next(400, INT64_MAX), 200);
    assert_int_equal(mr_backoff_next(0, 0), 200);
    assert_int_equal(mr_backoff_next(-1, 0), 200);
    assert_int_equal(mr_backoff_next(INT64_MAX, 0), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_a_limit),
        cmocka_unit_test(a_long_life_is_a_new_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
