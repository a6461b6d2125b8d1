/* Goal: of each partition the furthest position counts, in order. Method: positions in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/row_source.h"

static void the_furthest_position_counts(void **state)
{
    (void)state;
    static const struct {
        int32_t partition;
        int64_t offset;
    } rows[] = {{3, 5}, {0, -1}, {3, 4}, {1, 7}, {0, 2}, {3, 9}, {2, 0}, {1, 3}};
    mr_position_list list = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_position_list_put(&list, rows[i].partition, rows[i].offset);
    }
    assert_int_equal(list.n, 4);
    static const int64_t expected[] = {2, 7, 0, 9};
    for (int32_t p = 0; p < 4; p++) {
        assert_int_equal(list.items[p].partition, p);
        assert_int_equal(mr_position_list_find(&list, p), expected[p]);
    }
    assert_int_equal(mr_position_list_find(&list, 4), -1);
    free(list.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_furthest_position_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
