/* Goal: an error says what, where and what next, and fits its struct. Method: one row a status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <mr/bytes.h>
#include <mr/error.h>

static void a_forgotten_action_fails_safe(void **state)
{
    (void)state;
    static const struct {
        mr_status status;
        mr_action action;
    } rows[] = {
        {MR_ERR_USAGE, MR_ACT_STOP}, {MR_ERR_DATA, MR_ACT_SKIP},  {MR_ERR_HANDLER, MR_ACT_SKIP},
        {MR_ERR_KAFKA, MR_ACT_STOP}, {MR_ERR_STORE, MR_ACT_STOP}, {MR_ERR_SYSTEM, MR_ACT_STOP},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_error err;
        memset(&err, 0xff, sizeof(err));
        assert_int_equal(mr_error_set(&err, rows[i].status, "%s %d", "text", 7), rows[i].status);
        assert_int_equal(err.status, rows[i].status);
        assert_int_equal(err.action, rows[i].action);
        assert_string_equal(err.message, "text 7");
        assert_int_equal(err.native, 0);
        assert_null(err.error_class);
        assert_non_null(strstr(err.file, "test-error.c"));
        assert_true(err.line > 0);
    }
    const mr_error zero = {0};
    assert_int_equal(zero.action, MR_ACT_STOP);
}

static void a_records_error_is_skipped_and_has_a_class(void **state)
{
    (void)state;
    mr_error err;
    assert_int_equal(mr_error_record(&err, MR_ERR_KAFKA, "too_large", "record of %d bytes", 9),
                     MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_SKIP);
    assert_string_equal(err.error_class, "too_large");
    assert_string_equal(err.message, "record of 9 bytes");
}

static void a_prefix_keeps_the_rest(void **state)
{
    (void)state;
    mr_error err;
    (void)mr_error_record(&err, MR_ERR_DATA, "validate", "no %s", "name");
    err.native = 42;
    assert_int_equal(mr_error_prefix(&err, "task %d", 3), MR_ERR_DATA);
    assert_int_equal(mr_error_prefix(&err, "worker"), MR_ERR_DATA);
    assert_string_equal(err.message, "worker: task 3: no name");
    assert_string_equal(err.error_class, "validate");
    assert_int_equal(err.native, 42);
    assert_int_equal(err.action, MR_ACT_SKIP);
}

static void a_long_message_keeps_its_beginning(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    mr_error err;
    (void)mr_error_set(&err, MR_ERR_STORE, "begin %s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_memory_equal(err.message, "begin xxx", 9);
    (void)mr_error_prefix(&err, "here");
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_memory_equal(err.message, "here: begin xxx", 15);
    /* A prefix that is too long itself leaves room for what it stands before. */
    (void)mr_error_set(&err, MR_ERR_STORE, "reason");
    (void)mr_error_prefix(&err, "%s", text);
    assert_non_null(strstr(err.message, "x: reason"));
    assert_memory_equal(err.message, "xxx", 3);
}

static mr_status forward(mr_status status, int *steps, mr_error *err)
{
    (*steps)++;
    MR_TRY(status == MR_OK ? MR_OK : mr_error_set(err, status, "x"));
    (*steps)++;
    return MR_OK;
}

static void a_failure_is_forwarded_at_once(void **state)
{
    (void)state;
    mr_error err = {0};
    int steps = 0;
    assert_int_equal(forward(MR_OK, &steps, &err), MR_OK);
    assert_int_equal(steps, 2);
    assert_int_equal(forward(MR_ERR_SYSTEM, &steps, &err), MR_ERR_SYSTEM);
    assert_int_equal(steps, 3);
}

static void count_free(int **pointer)
{
    if (*pointer != NULL) {
        ++**pointer;
    }
}

static void what_is_handed_over_is_not_freed(void **state)
{
    (void)state;
    int kept = 0;
    int freed = 0;
    int *taken = NULL;
    {
        MR_CLEANUP(count_free) int *first = &kept;
        MR_CLEANUP(count_free) int *second = &freed;
        taken = MR_STEAL(&first);
        assert_null(first);
        (void)second;
    }
    assert_ptr_equal(taken, &kept);
    assert_int_equal(kept, 0);
    assert_int_equal(freed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forgotten_action_fails_safe),
        cmocka_unit_test(a_records_error_is_skipped_and_has_a_class),
        cmocka_unit_test(a_prefix_keeps_the_rest),
        cmocka_unit_test(a_long_message_keeps_its_beginning),
        cmocka_unit_test(a_failure_is_forwarded_at_once),
        cmocka_unit_test(what_is_handed_over_is_not_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
