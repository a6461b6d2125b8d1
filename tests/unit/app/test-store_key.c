/*
 * Goal: keys that people and URLs write become the store's bytes and back. Method: rows of text and
 * encoded key for a raw key, a one-part key and one of two parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/store_key.h"

static char raw_name[] = "raw";
static char one_name[] = "one";
static char two_name[] = "two";
static const mr_store_spec raw = {.name = raw_name, .key = {.raw = true}};
static const mr_store_spec one = {.name = one_name, .key = {.kinds = {MR_KEY_STRING}, .n = 1}};
static const mr_store_spec two = {.name = two_name,
                                  .key = {.kinds = {MR_KEY_STRING, MR_KEY_LONG}, .n = 2}};

static void assert_bytes(const mr_buf *buf, const char *expected, size_t len)
{
    if (!mr_bytes_equal(mr_buf_bytes(buf), mr_bytes_of(expected, len))) {
        fail_msg("the bytes are not those of '%s'", expected);
    }
}

static void whole_keys_need_every_part(void **state)
{
    (void)state;
    const mr_bytes parts[] = {mr_bytes_text("a/b"), mr_bytes_text("-1")};
    mr_buf key = MR_BUF_NULL;
    mr_error err;
    assert_int_equal(mr_store_key_encode(&raw, parts, 1, &key, &err), MR_OK);
    assert_bytes(&key, "a/b", 3);
    mr_buf_clear(&key);
    assert_int_equal(mr_store_key_encode(&two, parts, 2, &key, &err), MR_OK);
    assert_bytes(&key,
                 "\x02"
                 "a/b\0\x15\x7f\xff\xff\xff\xff\xff\xff\xff",
                 14);
    assert_int_equal(mr_store_key_encode(&two, parts, 1, &key, &err), MR_ERR_USAGE);
    assert_string_equal(err.message, "a key of store 'two' is string/long: 2 parts, not 1");
    assert_int_equal(mr_store_key_encode(&one, parts, 2, &key, &err), MR_ERR_USAGE);
    assert_int_equal(mr_store_key_encode(&raw, parts, 0, &key, &err), MR_ERR_USAGE);
    mr_buf_deinit(&key);
}

static void numbers_are_whole(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "x", "1.5", "9223372036854775808", "1 ", "0x1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const mr_bytes parts[] = {mr_bytes_text("a"), mr_bytes_text(wrong[i])};
        mr_buf key = MR_BUF_NULL;
        mr_error err;
        assert_int_equal(mr_store_key_encode(&two, parts, 2, &key, &err), MR_ERR_USAGE);
        assert_non_null(strstr(err.message, "part 2 of a key of store 'two' is a whole number"));
        mr_buf_deinit(&key);
    }
    const mr_bytes hidden[] = {mr_bytes_text("a"), mr_bytes_of("1\0x", 3)};
    mr_buf key = MR_BUF_NULL;
    mr_error err;
    assert_int_equal(mr_store_key_encode(&two, hidden, 2, &key, &err), MR_ERR_USAGE);
    mr_buf_deinit(&key);
}

static void prefixes_are_open_at_their_end(void **state)
{
    (void)state;
    static const struct {
        const mr_store_spec *store;
        const char *text, *key;
        size_t len;
    } rows[] = {
        {&raw, "", "", 0},
        {&raw, "a%2Fb", "a%2Fb", 5},
        {&one, "", "\x02", 1},
        {&one, "a/b",
         "\x02"
         "a/b",
         4},
        {&two, "", "\x02", 1},
        {&two, "a",
         "\x02"
         "a",
         2},
        {&two, "a/",
         "\x02"
         "a\0",
         3},
        {&two, "a%2fb%25/",
         "\x02"
         "a/b%\0",
         6},
        {&two, "a/1",
         "\x02"
         "a\0\x15\x80\0\0\0\0\0\0\x01",
         12},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf key = MR_BUF_NULL;
        mr_error err;
        assert_int_equal(
            mr_store_key_prefix(rows[i].store, mr_bytes_text(rows[i].text), &key, &err), MR_OK);
        assert_bytes(&key, rows[i].key, rows[i].len);
        mr_buf_deinit(&key);
    }
}

static void bounds_are_first_parts(void **state)
{
    (void)state;
    mr_buf key = MR_BUF_NULL;
    mr_error err;
    assert_int_equal(mr_store_key_bound(&two, mr_bytes_text("a"), &key, &err), MR_OK);
    assert_bytes(&key,
                 "\x02"
                 "a\0",
                 3);
    mr_buf_clear(&key);
    assert_int_equal(mr_store_key_bound(&two, mr_bytes_text("a/x"), &key, &err), MR_ERR_USAGE);
    assert_int_equal(mr_store_key_bound(&two, mr_bytes_text("a/1/2"), &key, &err), MR_ERR_USAGE);
    assert_int_equal(mr_store_key_bound(&two, mr_bytes_text("a%2"), &key, &err), MR_ERR_USAGE);
    assert_int_equal(mr_store_key_bound(&two, mr_bytes_text("%zz"), &key, &err), MR_ERR_USAGE);
    mr_buf_deinit(&key);
}

static void keys_go_to_json_and_back(void **state)
{
    (void)state;
    const mr_bytes parts[] = {mr_bytes_of("\xc3\xa9\0\"", 4),
                              mr_bytes_text("-9223372036854775808")};
    mr_buf key = MR_BUF_NULL;
    mr_buf text = MR_BUF_NULL;
    mr_buf again = MR_BUF_NULL;
    mr_json *json = NULL;
    mr_error err;
    assert_int_equal(mr_store_key_encode(&two, parts, 2, &key, &err), MR_OK);
    mr_json_writer writer = mr_json_writer_on(&text);
    assert_int_equal(mr_store_key_to_json(&two, mr_buf_bytes(&key), &writer, &err), MR_OK);
    assert_string_equal(mr_buf_text(&text), "[\"\xc3\xa9\\u0000\\\"\",-9223372036854775808]");
    assert_int_equal(mr_json_parse(mr_buf_bytes(&text), &json, &err), MR_OK);
    assert_int_equal(mr_store_key_from_json(&two, json, &again, &err), MR_OK);
    assert_bytes(&again, (const char *)key.data, key.len);
    assert_int_equal(mr_store_key_from_json(&one, json, &again, &err), MR_ERR_USAGE);
    mr_json_free(json);
    assert_int_equal(mr_json_parse(mr_bytes_text("[\"a\",\"1\"]"), &json, &err), MR_OK);
    assert_int_equal(mr_store_key_from_json(&two, json, &again, &err), MR_ERR_DATA);
    mr_json_free(json);
    mr_buf_clear(&text);
    writer = mr_json_writer_on(&text);
    assert_int_equal(mr_store_key_to_json(&two, mr_bytes_text("\x07"), &writer, &err), MR_ERR_DATA);
    mr_buf_deinit(&key);
    mr_buf_deinit(&text);
    mr_buf_deinit(&again);
}

static void percent_encoding_is_undone(void **state)
{
    (void)state;
    mr_buf encoded = MR_BUF_NULL;
    mr_buf decoded = MR_BUF_NULL;
    mr_error err;
    uint8_t all[256];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (uint8_t)i;
    }
    mr_percent_encode(mr_bytes_of(all, sizeof(all)), &encoded);
    assert_null(strpbrk(mr_buf_text(&encoded), "/?#&=+ "));
    assert_int_equal(mr_percent_decode(mr_buf_bytes(&encoded), true, &decoded, &err), MR_OK);
    assert_bytes(&decoded, (const char *)all, sizeof(all));
    mr_buf_clear(&decoded);
    assert_int_equal(mr_percent_decode(mr_bytes_text("a+b"), true, &decoded, &err), MR_OK);
    assert_int_equal(mr_percent_decode(mr_bytes_text("a+b"), false, &decoded, &err), MR_OK);
    assert_string_equal(mr_buf_text(&decoded), "a ba+b");
    assert_int_equal(mr_percent_decode(mr_bytes_text("%4"), true, &decoded, &err), MR_ERR_USAGE);
    assert_int_equal(mr_percent_decode(mr_bytes_text("%"), true, &decoded, &err), MR_ERR_USAGE);
    mr_buf_deinit(&encoded);
    mr_buf_deinit(&decoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_keys_need_every_part),
        cmocka_unit_test(numbers_are_whole),
        cmocka_unit_test(prefixes_are_open_at_their_end),
        cmocka_unit_test(bounds_are_first_parts),
        cmocka_unit_test(keys_go_to_json_and_back),
        cmocka_unit_test(percent_encoding_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
