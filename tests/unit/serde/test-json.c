/*
 * Goal: JSON without a schema is printed right, read right, or refused. Method: texts and what they
 * become; what is no JSON, with the reason.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/json.h>

static void a_writer_puts_the_commas(void **state)
{
    (void)state;
    mr_buf out = MR_BUF_NULL;
    mr_json_writer w = mr_json_writer_on(&out);
    mr_json_open_object(&w);
    mr_json_put_name(&w, "a\"");
    mr_json_open_array(&w);
    mr_json_close_array(&w);
    mr_json_put_name(&w, "b");
    mr_json_open_array(&w);
    mr_json_put_integer(&w, INT64_MIN);
    mr_json_put_boolean(&w, true);
    mr_json_put_null(&w);
    mr_json_open_object(&w);
    mr_json_close_object(&w);
    mr_json_put_text(&w, NULL);
    mr_json_put_text(&w, "");
    mr_json_put_bytes(&w, mr_bytes_of("x\0\xff", 3));
    mr_json_close_array(&w);
    mr_json_put_name(&w, "c");
    mr_json_put_raw(&w, mr_bytes_text("[1, 2]"));
    mr_json_put_name(&w, "d");
    mr_json_put_boolean(&w, false);
    mr_json_close_object(&w);
    mr_json_finish(&w);
    assert_string_equal(mr_buf_text(&out),
                        "{\"a\\\"\":[],\"b\":[-9223372036854775808,true,null,{},null,\"\","
                        "\"x\\u0000\xef\xbf\xbd\"],\"c\":[1, 2],\"d\":false}");
    mr_buf_deinit(&out);
}

static void a_writer_nests_to_its_limit(void **state)
{
    (void)state;
    mr_buf out = MR_BUF_NULL;
    mr_json_writer w = mr_json_writer_on(&out);
    for (int depth = 0; depth < MR_JSON_DEPTH_MAX; depth++) {
        if (depth % 2 == 0) {
            mr_json_open_object(&w);
            mr_json_put_name(&w, "n");
        } else {
            mr_json_open_array(&w);
        }
    }
    for (int depth = MR_JSON_DEPTH_MAX; depth > 0; depth--) {
        if (depth % 2 == 1) {
            mr_json_close_object(&w);
        } else {
            mr_json_close_array(&w);
        }
    }
    mr_json_finish(&w);
    mr_json *json;
    mr_error err;
    assert_int_equal(mr_json_parse(mr_buf_bytes(&out), &json, &err), MR_OK);
    mr_json_free(json);
    mr_buf_deinit(&out);
}

static void numbers_are_printed_shortest_and_exact(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1.0, "1"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e21, "1e+21"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {5e-324, "4.94065645841247e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {(double)NAN, "\"NaN\""},
        {HUGE_VAL, "\"Infinity\""},
        {-HUGE_VAL, "\"-Infinity\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf out = MR_BUF_NULL;
        mr_json_writer w = mr_json_writer_on(&out);
        mr_json_put_number(&w, rows[i].number);
        mr_json_finish(&w);
        assert_string_equal(mr_buf_text(&out), rows[i].text);
        mr_buf_deinit(&out);
    }
}

static void a_tree_gives_what_was_written(void **state)
{
    (void)state;
    static const char text[] =
        " {\"topic\" : \"t\\u00e9\\ud83c\\udfab\\u0000.\", \"n\": 9223372036854775807,\n"
        "\"f\":1.50e2,\"yes\":true,\"no\":false,\"nil\":null,\"\":7,"
        "\"list\":[1,[],{}, \"x\"],\"value\":{\"z\":123456789012345678901234567890,\"a\":-0.0}}\t";
    mr_json *json;
    mr_error err;
    assert_int_equal(mr_json_parse(mr_bytes_text(text), &json, &err), MR_OK);
    assert_int_equal(mr_json_kind_of(json), MR_JSON_OBJECT);
    assert_int_equal(mr_json_count(json), 9);
    assert_true(mr_bytes_is_null(mr_json_name_of(json)));
    mr_bytes string;
    assert_int_equal(mr_json_string(mr_json_get(json, "topic"), &string), MR_OK);
    assert_true(mr_bytes_equal(string, mr_bytes_of("t\xc3\xa9\xf0\x9f\x8e\xab\0.", 9)));
    int64_t whole;
    double number;
    bool boolean;
    assert_int_equal(mr_json_integer(mr_json_get(json, "n"), &whole), MR_OK);
    assert_true(whole == INT64_MAX);
    assert_int_equal(mr_json_integer(mr_json_get(json, ""), &whole), MR_OK);
    assert_int_equal(whole, 7);
    assert_int_equal(mr_json_number(mr_json_get(json, "f"), &number), MR_OK);
    assert_true(number == 150.0);
    assert_int_equal(mr_json_boolean(mr_json_get(json, "yes"), &boolean), MR_OK);
    assert_true(boolean);
    assert_int_equal(mr_json_boolean(mr_json_get(json, "no"), &boolean), MR_OK);
    assert_false(boolean);
    assert_int_equal(mr_json_kind_of(mr_json_get(json, "nil")), MR_JSON_NULL);

    static const mr_json_kind kinds[] = {MR_JSON_NUMBER, MR_JSON_ARRAY, MR_JSON_OBJECT,
                                         MR_JSON_STRING};
    const mr_json *item = mr_json_first(mr_json_get(json, "list"));
    for (size_t i = 0; i < 4; i++, item = mr_json_next(item)) {
        assert_int_equal(mr_json_kind_of(item), kinds[i]);
    }
    assert_null(item);

    mr_buf raw = MR_BUF_NULL;
    mr_json_raw(mr_json_get(json, "value"), &raw);
    assert_string_equal(mr_buf_text(&raw), "{\"z\":123456789012345678901234567890,\"a\":-0.0}");
    mr_buf_clear(&raw);
    mr_json_raw(json, &raw);
    mr_json *again;
    assert_int_equal(mr_json_parse(mr_buf_bytes(&raw), &again, &err), MR_OK);
    mr_buf raw_again = MR_BUF_NULL;
    mr_json_raw(again, &raw_again);
    assert_string_equal(mr_buf_text(&raw), mr_buf_text(&raw_again));
    mr_buf_deinit(&raw);
    mr_buf_deinit(&raw_again);
    mr_json_free(again);
    mr_json_free(json);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    mr_json *json;
    mr_error err;
    assert_int_equal(mr_json_parse(mr_bytes_text("{\"s\":\"1\",\"f\":1.0,\"l\":[]}"), &json, &err),
                     MR_OK);
    mr_bytes string;
    int64_t whole;
    double number;
    bool boolean;
    assert_null(mr_json_get(json, "S"));
    assert_null(mr_json_get(mr_json_get(json, "none"), "none"));
    assert_null(mr_json_get(mr_json_get(json, "l"), "s"));
    assert_null(mr_json_first(mr_json_get(json, "l")));
    assert_null(mr_json_first(NULL));
    assert_int_equal(mr_json_count(NULL), 0);
    assert_int_equal(mr_json_string(NULL, &string), MR_NOT_FOUND);
    assert_int_equal(mr_json_string(mr_json_get(json, "f"), &string), MR_NOT_FOUND);
    assert_int_equal(mr_json_integer(mr_json_get(json, "f"), &whole), MR_NOT_FOUND);
    assert_int_equal(mr_json_integer(mr_json_get(json, "s"), &whole), MR_NOT_FOUND);
    assert_int_equal(mr_json_number(mr_json_get(json, "s"), &number), MR_NOT_FOUND);
    assert_int_equal(mr_json_boolean(mr_json_get(json, "s"), &boolean), MR_NOT_FOUND);
    mr_json_free(json);
    mr_json_free(NULL);
}

static void assert_refused(mr_bytes text, const char *reason)
{
    mr_json *json = NULL;
    mr_error err;
    if (mr_json_parse(text, &json, &err) != MR_ERR_DATA) {
        fail_msg("'%.*s' was read", (int)text.len, (const char *)text.data);
    }
    assert_null(json);
    assert_int_equal(err.action, MR_ACT_SKIP);
    assert_string_equal(err.error_class, "deserialize");
    if (strstr(err.message, reason) == NULL) {
        fail_msg("'%s' is not in '%s'", reason, err.message);
    }
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"", "empty"},
        {" ", "premature EOF"},
        {"{", "premature EOF"},
        {"[1,", "at byte 3: premature EOF"},
        {"\"abc", "premature EOF"},
        {"tru", "not JSON at byte 3"},
        {"1 2", "trailing garbage"},
        {"{}x", "trailing garbage"},
        {"[1]]", "trailing garbage"},
        {"[1,]", "not JSON at byte 4"},
        {"[,1]", "not JSON at byte"},
        {"{\"a\":1,}", "not JSON at byte"},
        {"{\"a\" 1}", "not JSON at byte"},
        {"{a:1}", "not JSON at byte"},
        {"{'a':1}", "not JSON at byte"},
        {"01", "trailing garbage"},
        {"+1", "not JSON at byte"},
        {".5", "not JSON at byte"},
        {"1.", "not JSON at byte"},
        {"1e", "not JSON at byte"},
        {"-", "not JSON at byte"},
        {"NaN", "not JSON at byte"},
        {"/* */1", "not JSON at byte"},
        {"\xef\xbb\xbf{}", "not JSON at byte"},
        {"\"\t\"", "not JSON at byte"},
        {"\"\\x\"", "not JSON at byte"},
        {"\"\\u12\"", "not JSON at byte"},
        {"\"\xff\"", "not JSON at byte"},
        {"\"\xc0\x80\"", "no UTF-8"},
        {"\"\xed\xa0\x80\"", "no UTF-8"},
        {"{\"\xf4\x90\x80\x80\":1}", "no UTF-8"},
        {"\"\\ud800\"", "at byte 1: half of a surrogate pair"},
        {"\"\\ud800\\u0041\"", "half of a surrogate pair"},
        {"\"\\ud83c\\ud83c\\udfab\"", "half of a surrogate pair"},
        {"\"x\\\\\\udfab\"", "at byte 4: half of a surrogate pair"},
        {"\"\\udfab\"", "half of a surrogate pair"},
        {"\"\\ud800", "half of a surrogate pair"},
        {"{\"a\":1,\"b\":{},\"a\":2}", "the name 'a' twice"},
        {"[{\"\":1,\"\":2}]", "the name '' twice"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_refused(mr_bytes_text(rows[i].text), rows[i].reason);
    }
    assert_refused(mr_bytes_of("[1\0]", 4), "not JSON at byte");
    assert_refused(mr_bytes_of("1\0", 2), "trailing garbage");
}

static void escaped_backslashes_are_no_escapes(void **state)
{
    (void)state;
    mr_json *json;
    mr_error err;
    assert_int_equal(mr_json_parse(mr_bytes_text("\"\\\\ud800\\\\\""), &json, &err), MR_OK);
    mr_bytes text;
    assert_int_equal(mr_json_string(json, &text), MR_OK);
    assert_true(mr_bytes_equal_text(text, "\\ud800\\"));
    mr_json_free(json);
}

static void nesting_is_limited(void **state)
{
    (void)state;
    enum { HOSTILE = 100000 };
    char *text = malloc(HOSTILE);
    memset(text, '[', HOSTILE);
    assert_refused(mr_bytes_of(text, HOSTILE), "nested deeper than 64");
    memset(text + MR_JSON_DEPTH_MAX, ']', MR_JSON_DEPTH_MAX);
    mr_json *json;
    mr_error err;
    assert_int_equal(mr_json_parse(mr_bytes_of(text, 2 * MR_JSON_DEPTH_MAX), &json, &err), MR_OK);
    mr_json_free(json);
    free(text);
}

/* Takes a fraction of a second; would take minutes if it grew with the square of the number. */
static void an_object_may_have_very_many_names(void **state)
{
    (void)state;
    enum { NAMES = 200000 };
    mr_buf text = MR_BUF_NULL;
    for (int i = NAMES; i > 0; i--) {
        mr_buf_printf(&text, "%c\"%d\":0", i == NAMES ? '{' : ',', i);
    }
    mr_buf_append_text(&text, ",\"77\":1");
    mr_json *json;
    mr_error err;
    assert_refused(mr_bytes_of(text.data, text.len), "premature EOF");
    mr_buf_append_text(&text, "}");
    assert_refused(mr_buf_bytes(&text), "the name '77' twice");
    memcpy(text.data + text.len - strlen("\"77\":1}"), "\"7x\":1}", strlen("\"77\":1}"));
    assert_int_equal(mr_json_parse(mr_buf_bytes(&text), &json, &err), MR_OK);
    assert_int_equal(mr_json_count(json), NAMES + 1);
    mr_json_free(json);
    mr_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_puts_the_commas),
        cmocka_unit_test(a_writer_nests_to_its_limit),
        cmocka_unit_test(numbers_are_printed_shortest_and_exact),
        cmocka_unit_test(a_tree_gives_what_was_written),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(escaped_backslashes_are_no_escapes),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(an_object_may_have_very_many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
