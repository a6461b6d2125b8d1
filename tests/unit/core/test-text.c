/* Goal: numbers, times and suggestions as people write them. Method: tables of text and result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/text.h"

static void times_are_parsed_and_printed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2020-04-20T20:30:00Z", 1587414600000},
        {"2020-04-20T22:30:00.250+02:00", 1587414600250},
        {"2020-02-29", 1582934400000},
        {"2000-02-29T00:00:00+00:00", 951782400000},
        {"2020-04-20t20:30:00.1234567z", 1587414600123},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2024-12-31T23:59:60Z", 1735689600000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 0;
        assert_int_equal(mr_time_parse(mr_bytes_text(rows[i].text), &ms), MR_OK);
        assert_int_equal(ms, rows[i].ms);
    }
    char text[MR_TIME_TEXT_SIZE];
    mr_time_format(1587414600250, text);
    assert_string_equal(text, "2020-04-20T20:30:00.250Z");
    mr_time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    static const int64_t last[] = {MR_TIME_MS_MAX, MR_TIME_MS_MAX + 1, INT64_MAX};
    static const int64_t first[] = {MR_TIME_MS_MIN, MR_TIME_MS_MIN - 1, INT64_MIN};
    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
        mr_time_format(last[i], text);
        assert_string_equal(text, "9999-12-31T23:59:59.999Z");
        mr_time_format(first[i], text);
        assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "2020",
                                       "2020-13-01",
                                       "2020-01-01T25:00:00Z",
                                       "2020-01-01T00:00:00",
                                       "2020-01-01T00:00:00.Z",
                                       "2020-01-01T00:00:00Zx",
                                       "x020-01-01",
                                       "2020-00-01",
                                       "2020-04-31",
                                       "2021-02-29",
                                       "1900-02-29",
                                       "2020-01-00",
                                       "2020-01-01T00:00:00+24:00",
                                       "2020-01-01T00:00:00+01:60",
                                       "2020-01-01T00:60:00Z",
                                       "2020-01-01T00:00:61Z"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 7;
        assert_int_equal(mr_time_parse(mr_bytes_text(rows[i]), &ms), MR_NOT_FOUND);
        assert_int_equal(ms, 7);
    }
}

static void numbers_are_whole_or_refused(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_int_equal(mr_parse_int64("-9223372036854775808", &value), MR_OK);
    assert_true(value == INT64_MIN);
    static const char *const rows[] = {"",    " 1", "1 ", "1.5", "9223372036854775808",
                                       "0x1", "+1", "-"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mr_parse_int64(rows[i], &value), MR_NOT_FOUND);
    }
}

static void a_near_name_is_suggested(void **state)
{
    (void)state;
    static const char *const names[] = {"CreateCart", "AddCartItem", "CheckOutCart"};
    assert_string_equal(mr_text_nearest("AddCartItme", names, 3, sizeof(names[0])), "AddCartItem");
    assert_string_equal(mr_text_nearest("checkoutcart", names, 3, sizeof(names[0])),
                        "CheckOutCart");
    assert_null(mr_text_nearest("Publish", names, 3, sizeof(names[0])));
}

static void json_text_is_escaped_and_always_utf8(void **state)
{
    (void)state;
    mr_buf buf = MR_BUF_NULL;
    mr_text_append_json(&buf, mr_bytes_text("a\"b\\\n\xc3\xa9\xff"));
    assert_string_equal(mr_buf_text(&buf), "\"a\\\"b\\\\\\u000a\xc3\xa9\xef\xbf\xbd\"");
    mr_buf_deinit(&buf);
    assert_false(mr_text_is_utf8(mr_bytes_text("\xed\xa0\x80")));
    assert_false(mr_text_is_utf8(mr_bytes_text("\xc0\x80")));
    assert_true(mr_text_is_utf8(mr_bytes_text("\xf0\x9f\x8e\xab")));
}

static void utf8_is_checked_at_every_place(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff",
                                      "\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xe2\x82"};
    for (size_t before = 0; before < 20; before++) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            for (size_t after = 0; after < 20; after++) {
                mr_buf text = MR_BUF_NULL;
                mr_buf_printf(&text, "%.*s%s%.*s", (int)before, "aaaaaaaaaaaaaaaaaaaa", bad[i],
                              (int)after, "aaaaaaaaaaaaaaaaaaaa");
                assert_false(mr_text_is_utf8(mr_buf_bytes(&text)));
                mr_buf_deinit(&text);
            }
        }
    }
    assert_true(mr_text_is_utf8(MR_BYTES_NULL));
    assert_true(mr_text_is_utf8(mr_bytes_text("aaaaaaa\xc3\xa9"
                                              "aaaaaaa\xe2\x82\xac")));
}

static void code_points_are_encoded(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        const char *text;
    } rows[] = {{0x41, "A"},
                {0x7f, "\x7f"},
                {0x80, "\xc2\x80"},
                {0x7ff, "\xdf\xbf"},
                {0x800, "\xe0\xa0\x80"},
                {0xd7ff, "\xed\x9f\xbf"},
                {0xffff, "\xef\xbf\xbf"},
                {0x10000, "\xf0\x90\x80\x80"},
                {0x10ffff, "\xf4\x8f\xbf\xbf"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf text = MR_BUF_NULL;
        mr_text_append_code_point(&text, rows[i].code);
        assert_string_equal(mr_buf_text(&text), rows[i].text);
        assert_true(mr_text_is_utf8(mr_buf_bytes(&text)));
        mr_buf_deinit(&text);
    }
}

static void integers_are_written_as_printf_writes_them(void **state)
{
    (void)state;
    static const int64_t rows[] = {0,         1,         -1,  9,       10,
                                   -10,       99,        100, 4294967, 123456789,
                                   INT64_MAX, INT64_MIN, -99, -100,    7000000000};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[MR_INTEGER_TEXT_SIZE];
        char text[MR_INTEGER_TEXT_SIZE];
        (void)snprintf(expected, sizeof(expected), "%lld", (long long)rows[i]);
        assert_int_equal(mr_integer_format(rows[i], text), strlen(expected));
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_as_printf_writes_them),
        cmocka_unit_test(times_are_parsed_and_printed),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(a_near_name_is_suggested),
        cmocka_unit_test(json_text_is_escaped_and_always_utf8),
        cmocka_unit_test(utf8_is_checked_at_every_place),
        cmocka_unit_test(code_points_are_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
