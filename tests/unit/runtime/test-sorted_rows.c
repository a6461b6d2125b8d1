/* Goal: rows come out in the order of their keys, each with its value, and are found by key.
 * Method: keys that begin alike, that are the beginning of others, that differ only in zero bytes
 * or far behind, in an order that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/sorted_rows.h"

enum { STORE = 5 };

static void add(mr_sorted_rows *rows, const char *key, size_t len)
{
    char value[64];
    const int n = snprintf(value, sizeof(value), "value of %zu bytes", len);
    mr_sorted_rows_add(rows, mr_bytes_of(key, len), mr_bytes_of(value, (size_t)n));
}

/* Whether all ascend, each with its own value. */
static void check(mr_sorted_rows *rows, size_t n)
{
    mr_sorted_rows_sort(rows, STORE);
    assert_int_equal(rows->n, n);
    for (size_t i = 0; i < n; i++) {
        char value[64];
        (void)snprintf(value, sizeof(value), "value of %zu bytes", rows->rows[i].key.len);
        assert_int_equal(rows->rows[i].store, STORE);
        assert_true(mr_bytes_equal_text(rows->rows[i].value, value));
        assert_true(i == 0 || mr_bytes_compare(rows->rows[i - 1].key, rows->rows[i].key) < 0);
        assert_ptr_equal(mr_sorted_rows_from(rows, rows->rows[i].key, true), &rows->rows[i]);
        assert_ptr_equal(mr_sorted_rows_from(rows, rows->rows[i].key, false),
                         i + 1 == n ? NULL : &rows->rows[i + 1]);
    }
    mr_sorted_rows_deinit(rows);
}

static void keys_of_every_length_ascend(void **state)
{
    (void)state;
    enum { KEYS = 300, STEP = 7 };
    static const char zeros[KEYS];
    mr_sorted_rows rows = {0};
    for (size_t i = 0; i < KEYS; i++) {
        add(&rows, zeros, i * STEP % KEYS); /* of zero bytes, so that no prefix tells them apart */
    }
    check(&rows, KEYS);
}

static void keys_that_begin_alike_ascend(void **state)
{
    (void)state;
    enum { KEYS = 20000, STEP = 7919 };
    mr_sorted_rows rows = {0};
    for (size_t i = 0; i < KEYS; i++) {
        char key[64];
        const int n = snprintf(key, sizeof(key), "sensor-%zu/of the same name/%zu",
                               i * STEP % KEYS % 10, i * STEP % KEYS);
        add(&rows, key, (size_t)n);
    }
    check(&rows, KEYS);
}

static void one_key_and_the_empty_one(void **state)
{
    (void)state;
    mr_sorted_rows rows = {0};
    add(&rows, "", 0);
    check(&rows, 1);
    add(&rows, "b", 1);
    add(&rows, "", 0);
    check(&rows, 2);
}

static void a_tombstone_is_no_empty_value(void **state)
{
    (void)state;
    mr_sorted_rows rows = {0};
    mr_sorted_rows_add(&rows, mr_bytes_text("gone"), MR_BYTES_NULL);
    mr_sorted_rows_add(&rows, mr_bytes_text("empty"), mr_bytes_of("", 0));
    mr_sorted_rows_sort(&rows, STORE);
    assert_false(mr_bytes_is_null(rows.rows[0].value));
    assert_true(mr_bytes_is_null(rows.rows[1].value));
    mr_sorted_rows_deinit(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_length_ascend),
        cmocka_unit_test(keys_that_begin_alike_ascend),
        cmocka_unit_test(one_key_and_the_empty_one),
        cmocka_unit_test(a_tombstone_is_no_empty_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
