/*
 * Goal: pages out of several tasks, put together, are all rows once, in key order. Method: rows of
 * three partitions, a page at a time with the cursor of the page before; and bounds that meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/store_page.h"

static char name[] = "rows";
static const mr_store_spec store = {.name = name, .key = {.raw = true}};

static mr_store_page_request request_of(const char *limit, const char *cursor)
{
    return (mr_store_page_request){.limit = mr_bytes_text(limit),
                                   .cursor = mr_bytes_text(cursor),
                                   .limit_preset = 2,
                                   .limit_max = 4};
}

/* What the tasks answer: each its rows from `from` on, at most `limit`. */
static void answer(mr_query *query, const mr_store_page *page)
{
    static const struct {
        int32_t partition;
        const char *key;
    } rows[] = {{0, "a"}, {0, "c"}, {0, "same"}, {1, "b"}, {1, "same"}, {2, "same"}, {2, "z"}};
    size_t taken[3] = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_bytes key = mr_bytes_text(rows[i].key);
        if (mr_bytes_compare(key, mr_buf_bytes(&page->from)) >= 0 &&
            taken[rows[i].partition]++ < page->limit + 2) {
            mr_query_add(query, rows[i].partition, key, mr_bytes_text("v"));
        }
    }
}

static void pages_are_all_rows_once(void **state)
{
    (void)state;
    static const char *const limits[] = {"1", "2", "3", "4"};
    for (size_t l = 0; l < sizeof(limits) / sizeof(limits[0]); l++) {
        mr_buf cursor = MR_BUF_NULL;
        mr_buf seen = MR_BUF_NULL;
        bool more = true;
        while (more) {
            mr_store_page page = {0};
            mr_query query = {0};
            mr_error err;
            const mr_store_page_request request =
                request_of(limits[l], cursor.len == 0 ? NULL : mr_buf_text(&cursor));
            assert_int_equal(mr_store_page_read(&store, &request, &page, &err), MR_OK);
            answer(&query, &page);
            mr_store_page_sort(&query);
            size_t i = mr_store_page_skip(&page, &query);
            for (size_t n = 0; n < page.limit && i < query.n_rows; n++, i++) {
                mr_buf_printf(&seen, "%.*s%d ", (int)query.rows[i].key.len,
                              (const char *)query.rows[i].key.data, (int)query.rows[i].partition);
            }
            more = i < query.n_rows;
            mr_buf_clear(&cursor);
            if (more) {
                mr_store_page_cursor(&query.rows[i - 1], &cursor);
            }
            mr_store_page_deinit(&page);
            mr_query_deinit(&query);
        }
        assert_string_equal(mr_buf_text(&seen), "a0 b1 c0 same0 same1 same2 z2 ");
        mr_buf_deinit(&cursor);
        mr_buf_deinit(&seen);
    }
}

static void bounds_meet(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *from, *to, *wanted_from, *wanted_to;
    } rows[] = {
        {NULL, NULL, NULL, "", NULL},       {"ab", NULL, NULL, "ab", "ac"},
        {"\xff", NULL, NULL, "\xff", NULL}, {"ab", "abc", "abd", "abc", "abd"},
        {"ab", "a", "b", "ab", "ac"},       {NULL, "c", "a", "c", "c"},
        {"ab", "b", NULL, "b", "b"},        {"", NULL, NULL, "", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_store_page page = {0};
        mr_error err;
        mr_store_page_request request = request_of(NULL, NULL);
        request.prefix = mr_bytes_text(rows[i].prefix);
        request.from = mr_bytes_text(rows[i].from);
        request.to = mr_bytes_text(rows[i].to);
        assert_int_equal(mr_store_page_read(&store, &request, &page, &err), MR_OK);
        assert_string_equal(mr_buf_text(&page.from), rows[i].wanted_from);
        assert_int_equal(page.has_to, rows[i].wanted_to != NULL);
        if (page.has_to) {
            assert_string_equal(mr_buf_text(&page.to), rows[i].wanted_to);
        }
        assert_int_equal(page.limit, 2);
        mr_store_page_deinit(&page);
    }
}

static void wrong_limits_and_cursors_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *limit, *cursor;
    } rows[] = {
        {"0", NULL},    {"5", NULL},     {"-1", NULL},   {"x", NULL},
        {"", NULL},     {NULL, ""},      {NULL, "61"},   {NULL, "0-6"},
        {NULL, "0-g0"}, {NULL, "-1-61"}, {NULL, "x-61"}, {NULL, "99999999999999999999-61"},
        {NULL, "-61"},  {NULL, "0-%61"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_store_page page = {0};
        mr_error err;
        const mr_store_page_request request = request_of(rows[i].limit, rows[i].cursor);
        assert_int_equal(mr_store_page_read(&store, &request, &page, &err), MR_ERR_USAGE);
        mr_store_page_deinit(&page);
    }
}

/* The digits are counted, not read until something stops them. */
static void half_a_digit_pair_is_refused(void **state)
{
    (void)state;
    mr_store_page page = {0};
    mr_error err;
    mr_store_page_request request = request_of(NULL, NULL);
    request.cursor = mr_bytes_of("0-6161", 5);
    assert_int_equal(mr_store_page_read(&store, &request, &page, &err), MR_ERR_USAGE);
    mr_store_page_deinit(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_all_rows_once),
        cmocka_unit_test(bounds_meet),
        cmocka_unit_test(wrong_limits_and_cursors_are_refused),
        cmocka_unit_test(half_a_digit_pair_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
