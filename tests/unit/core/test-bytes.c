/* Goal: null, empty and order are told apart; a buffer grows and stays a text. Method: tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mr/bytes.h>

static void null_is_not_empty(void **state)
{
    (void)state;
    const mr_bytes null = MR_BYTES_NULL;
    const mr_bytes empty = mr_bytes_text("");
    assert_true(mr_bytes_is_null(null));
    assert_false(mr_bytes_is_null(empty));
    assert_true(mr_bytes_equal(null, null));
    assert_true(mr_bytes_equal(empty, empty));
    assert_false(mr_bytes_equal(null, empty));
    assert_false(mr_bytes_equal(empty, null));
    assert_true(mr_bytes_is_null(mr_bytes_text(NULL)));
    assert_true(mr_bytes_equal_text(empty, ""));
    assert_false(mr_bytes_equal_text(null, ""));
    assert_true(mr_bytes_equal_text(null, NULL));
}

static void order_is_unsigned_and_shorter_first(void **state)
{
    (void)state;
    /* Each is before all that follow. */
    static const struct {
        const char *data;
        size_t len;
    } rows[] = {{"", 0},      {"\0", 1}, {"\0\0", 2}, {"a", 1},    {"a\0", 2},
                {"a\xff", 2}, {"b", 1},  {"\x7f", 1}, {"\x80", 1}, {"\xff", 1}};
    const size_t n = sizeof(rows) / sizeof(rows[0]);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const mr_bytes a = mr_bytes_of(rows[i].data, rows[i].len);
            const mr_bytes b = mr_bytes_of(rows[j].data, rows[j].len);
            const int order = mr_bytes_compare(a, b);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(mr_bytes_equal(a, b), i == j);
        }
    }
    assert_int_equal(mr_bytes_compare(MR_BYTES_NULL, mr_bytes_text("")), 0);
}

static void a_prefix_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *text, *prefix;
        bool starts;
    } rows[] = {{"abc", "", true},      {"abc", "ab", true}, {"abc", "abc", true},
                {"abc", "abcd", false}, {"abc", "b", false}, {"", "", true},
                {"", "a", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            mr_bytes_starts_with(mr_bytes_text(rows[i].text), mr_bytes_text(rows[i].prefix)),
            rows[i].starts);
    }
    /* What lies behind the end does not count. */
    assert_false(mr_bytes_starts_with(mr_bytes_of("abcd", 3), mr_bytes_text("abcd")));
    assert_true(mr_bytes_starts_with(MR_BYTES_NULL, MR_BYTES_NULL));
    assert_true(mr_bytes_starts_with(mr_bytes_text("a"), MR_BYTES_NULL));
}

static void a_buffer_is_a_text_at_every_length(void **state)
{
    (void)state;
    mr_buf buf = MR_BUF_NULL;
    assert_string_equal(mr_buf_text(&buf), "");
    assert_false(mr_bytes_is_null(mr_buf_bytes(&buf)));
    mr_buf_clear(&buf);
    for (size_t len = 0; len < 1000; len++) {
        assert_int_equal(buf.len, len);
        assert_int_equal(strlen(mr_buf_text(&buf)), len);
        mr_buf_append_byte(&buf, (uint8_t)('a' + len % 26));
    }
    assert_memory_equal(buf.data, "abcdefghijklmnopqrstuvwxyzab", 28);
    const size_t capacity = buf.capacity;
    mr_buf_clear(&buf);
    assert_string_equal(mr_buf_text(&buf), "");
    assert_int_equal(buf.capacity, capacity);
    mr_buf_deinit(&buf);
    assert_null(buf.data);
    mr_buf_deinit(&buf);
}

static void print_and_append_join(void **state)
{
    (void)state;
    mr_buf buf = MR_BUF_NULL;
    mr_buf_append(&buf, NULL, 0);
    assert_string_equal(mr_buf_text(&buf), "");
    mr_buf_printf(&buf, "%s", "");
    mr_buf_append_text(&buf, "a");
    mr_buf_append_bytes(&buf, mr_bytes_of("\0b", 2));
    mr_buf_append_bytes(&buf, MR_BYTES_NULL);
    mr_buf_printf(&buf, "-%d-%s", 7, "c");
    assert_true(mr_bytes_equal(mr_buf_bytes(&buf), mr_bytes_of("a\0b-7-c", 7)));
    /* Every length around the points where the memory grows. */
    for (int width = 1; width < 300; width++) {
        mr_buf_deinit(&buf);
        mr_buf_append_text(&buf, "x");
        mr_buf_printf(&buf, "%*d", width, 7);
        assert_int_equal(buf.len, (size_t)width + 1);
        assert_int_equal(buf.data[buf.len - 1], '7');
        assert_int_equal(buf.data[buf.len], 0);
    }
    mr_buf_deinit(&buf);
}

static void reserved_memory_is_not_moved(void **state)
{
    (void)state;
    mr_buf buf = MR_BUF_NULL;
    mr_buf_reserve(&buf, 5000);
    const uint8_t *data = buf.data;
    assert_true(buf.capacity > 5000);
    for (int i = 0; i < 5000; i++) {
        mr_buf_append_byte(&buf, 'x');
    }
    assert_ptr_equal(buf.data, data);
    mr_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_not_empty),
        cmocka_unit_test(order_is_unsigned_and_shorter_first),
        cmocka_unit_test(a_prefix_is_found),
        cmocka_unit_test(a_buffer_is_a_text_at_every_length),
        cmocka_unit_test(print_and_append_join),
        cmocka_unit_test(reserved_memory_is_not_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
