/* Goal: keys sort as their parts do and come back unchanged; no bytes are misread. Method: vectors
 * written by hand, then random parts against a comparison of the parts themselves. */
#include "support.h"

#include <mr/keys.h>

static mr_key_part text_part(const char *text, size_t len)
{
    return (mr_key_part){.kind = MR_KEY_STRING, .text = mr_bytes_of(text, len)};
}

static mr_key_part long_part(int64_t number)
{
    return (mr_key_part){.kind = MR_KEY_LONG, .number = number};
}

static void parts_have_the_documented_bytes(void **state)
{
    (void)state;
    static const struct {
        mr_key_kind kind;
        const char *text;
        size_t text_len;
        int64_t number;
        const char *bytes;
        size_t len;
    } rows[] = {
        {MR_KEY_STRING, "", 0, 0, "\x02\x00", 2},
        {MR_KEY_STRING, "ab", 2, 0, "\x02\x61\x62\x00", 4},
        {MR_KEY_STRING, "a\0b", 3, 0, "\x02\x61\x00\xff\x62\x00", 6},
        {MR_KEY_STRING, "\0", 1, 0, "\x02\x00\xff\x00", 4},
        {MR_KEY_STRING, "\xff", 1, 0, "\x02\xff\x00", 3},
        {MR_KEY_LONG, "", 0, 0, "\x15\x80\x00\x00\x00\x00\x00\x00\x00", 9},
        {MR_KEY_LONG, "", 0, 1, "\x15\x80\x00\x00\x00\x00\x00\x00\x01", 9},
        {MR_KEY_LONG, "", 0, -1, "\x15\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {MR_KEY_LONG, "", 0, 0x0102030405060708, "\x15\x81\x02\x03\x04\x05\x06\x07\x08", 9},
        {MR_KEY_LONG, "", 0, INT64_MIN, "\x15\x00\x00\x00\x00\x00\x00\x00\x00", 9},
        {MR_KEY_LONG, "", 0, INT64_MAX, "\x15\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_key_part part = {.kind = rows[i].kind,
                                  .text = mr_bytes_of(rows[i].text, rows[i].text_len),
                                  .number = rows[i].number};
        mr_buf key = MR_BUF_NULL;
        mr_key_append(&key, &part);
        assert_int_equal(key.len, rows[i].len);
        assert_memory_equal(key.data, rows[i].bytes, rows[i].len);
        mr_buf_deinit(&key);
    }
}

/* ---- Random parts: short strings of the bytes that matter, and longs near the edges ---- */

enum { TEXT_MAX = 4 };

typedef struct tuple {
    mr_key_part parts[MR_KEY_PARTS_MAX];
    uint8_t texts[MR_KEY_PARTS_MAX][TEXT_MAX];
    size_t n;
} tuple;

static void fill_sample(tuple *sample, size_t n, uint64_t *seed)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0x02, 0x15, 'a', 0xfe, 0xff};
    static const int64_t numbers[] = {INT64_MIN, -257, -1, 0, 1, 255, 256, INT64_MAX};
    sample->n = n;
    for (size_t i = 0; i < n; i++) {
        if (random_below(seed, 2) == 0) {
            sample->parts[i] = long_part(numbers[random_below(seed, 8)]);
            continue;
        }
        const size_t len = random_below(seed, TEXT_MAX + 1);
        for (size_t j = 0; j < len; j++) {
            sample->texts[i][j] = bytes[random_below(seed, sizeof(bytes))];
        }
        sample->parts[i] = text_part((const char *)sample->texts[i], len);
    }
}

/* Strings before longs, as their tags; then a shorter list before a longer one. */
static int compare_samples(const tuple *a, const tuple *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const mr_key_part *x = &a->parts[i];
        const mr_key_part *y = &b->parts[i];
        int order = 0;
        if (x->kind != y->kind) {
            order = x->kind == MR_KEY_STRING ? -1 : 1;
        } else if (x->kind == MR_KEY_LONG) {
            order = (x->number > y->number) - (x->number < y->number);
        } else {
            order = mr_bytes_compare(x->text, y->text);
        }
        if (order != 0) {
            return order;
        }
    }
    return (a->n > b->n) - (a->n < b->n);
}

static void append_sample(mr_buf *key, const tuple *sample)
{
    for (size_t i = 0; i < sample->n; i++) {
        mr_key_append(key, &sample->parts[i]);
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void keys_sort_as_their_parts(void **state)
{
    (void)state;
    uint64_t seed = random_seed("keys_sort_as_their_parts");
    mr_buf x = MR_BUF_NULL;
    mr_buf y = MR_BUF_NULL;
    for (int i = 0; i < 50000; i++) {
        tuple a;
        tuple b;
        fill_sample(&a, random_below(&seed, 4), &seed);
        fill_sample(&b, random_below(&seed, 4), &seed);
        mr_buf_clear(&x);
        mr_buf_clear(&y);
        append_sample(&x, &a);
        append_sample(&y, &b);
        assert_int_equal(sign(mr_bytes_compare(mr_buf_bytes(&x), mr_buf_bytes(&y))),
                         sign(compare_samples(&a, &b)));
    }
    mr_buf_deinit(&x);
    mr_buf_deinit(&y);
}

static void keys_are_parsed_back(void **state)
{
    (void)state;
    uint64_t seed = random_seed("keys_are_parsed_back");
    mr_buf key = MR_BUF_NULL;
    mr_buf scratch = MR_BUF_NULL;
    for (int i = 0; i < 20000; i++) {
        tuple sample;
        fill_sample(&sample, random_below(&seed, MR_KEY_PARTS_MAX + 1), &seed);
        mr_buf_clear(&key);
        append_sample(&key, &sample);
        mr_key_part parts[MR_KEY_PARTS_MAX];
        size_t n = 99;
        mr_error err;
        assert_ok(mr_key_parse(mr_buf_bytes(&key), &scratch, parts, &n, &err));
        assert_int_equal(n, sample.n);
        for (size_t j = 0; j < n; j++) {
            assert_int_equal(parts[j].kind, sample.parts[j].kind);
            if (parts[j].kind == MR_KEY_LONG) {
                assert_true(parts[j].number == sample.parts[j].number);
            } else {
                assert_true(mr_bytes_equal(parts[j].text, sample.parts[j].text));
            }
        }
    }
    mr_buf_deinit(&key);
    mr_buf_deinit(&scratch);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *message;
    } rows[] = {
        {"\x00", 1, "byte 0"},
        {"\x01\x61\x00", 3, "begins no part"},
        {"\x02", 1, "ends within"},
        {"\x02\x61", 2, "ends within"},
        {"\x02\x61\x00\xff", 4, "ends within"},
        {"\x02\x00\xff", 3, "ends within"},
        {"\x15", 1, "ends within"},
        {"\x15\x80\x00\x00\x00\x00\x00\x00", 8, "ends within"},
        {"\x02\x61\x00\x15\x80", 5, "byte 3"},
        {"\x02\x61\x00\x00", 4, "byte 3"},
        {"\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00", 18,
         "more than 8"},
    };
    mr_buf scratch = MR_BUF_NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_key_part parts[MR_KEY_PARTS_MAX];
        size_t n = 0;
        mr_error err;
        assert_int_equal(
            mr_key_parse(mr_bytes_of(rows[i].bytes, rows[i].len), &scratch, parts, &n, &err),
            MR_ERR_DATA);
        assert_message(err, rows[i].message);
    }
    mr_buf_deinit(&scratch);
}

/* Whatever is accepted is exactly what would be written: no two byte strings mean the same key. */
static void hostile_bytes_are_refused_or_canonical(void **state)
{
    (void)state;
    uint64_t seed = random_seed("hostile_bytes_are_refused_or_canonical");
    static const uint8_t bytes[] = {0x00, 0x02, 0x15, 0x80, 'a', 0xff};
    mr_buf scratch = MR_BUF_NULL;
    mr_buf again = MR_BUF_NULL;
    size_t accepted = 0;
    for (int i = 0; i < 100000; i++) {
        uint8_t key[24];
        const size_t len = random_below(&seed, sizeof(key) + 1);
        for (size_t j = 0; j < len; j++) {
            key[j] = bytes[random_below(&seed, sizeof(bytes))];
        }
        mr_key_part parts[MR_KEY_PARTS_MAX];
        size_t n = 0;
        mr_error err;
        if (mr_key_parse(mr_bytes_of(key, len), &scratch, parts, &n, &err) != MR_OK) {
            continue;
        }
        mr_buf_clear(&again);
        for (size_t j = 0; j < n; j++) {
            mr_key_append(&again, &parts[j]);
        }
        assert_true(mr_bytes_equal(mr_buf_bytes(&again), mr_bytes_of(key, len)));
        accepted++;
    }
    assert_in_range(accepted, 1000, 100000);
    mr_buf_deinit(&scratch);
    mr_buf_deinit(&again);
}

static void an_open_string_is_a_prefix_of_all_that_begin_so(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        size_t prefix_len;
        const char *text;
        size_t len;
        bool begins;
    } rows[] = {
        {"", 0, "", 0, true},
        {"", 0, "abc", 3, true},
        {"ab", 2, "ab", 2, true},
        {"ab", 2, "abc", 3, true},
        {"ab", 2, "a", 1, false},
        {"ab", 2, "ac", 2, false},
        {"a\0", 2, "a\0b", 3, true},
        {"a\0", 2, "a", 1, false},
        {"a\0", 2, "a\xff", 2, false},
        {"a", 1, "a\0", 2, true},
        {"\xff", 1, "\xff\xff", 2, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf prefix = MR_BUF_NULL;
        mr_buf key = MR_BUF_NULL;
        const mr_key_part part = text_part(rows[i].text, rows[i].len);
        mr_key_append_open(&prefix, mr_bytes_of(rows[i].prefix, rows[i].prefix_len));
        mr_key_append(&key, &part);
        assert_int_equal(mr_bytes_starts_with(mr_buf_bytes(&key), mr_buf_bytes(&prefix)),
                         rows[i].begins);
        mr_buf_deinit(&prefix);
        mr_buf_deinit(&key);
    }
}

static void the_successor_ends_a_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        size_t len;
        const char *successor;
        size_t successor_len;
    } rows[] = {
        {"a", 1, "b", 1},         {"a\x00", 2, "a\x01", 2},   {"a\xff", 2, "b", 1},
        {"a\xff\xff", 3, "b", 1}, {"\xfe\xff", 2, "\xff", 1}, {"a\xff\x01", 3, "a\xff\x02", 3},
    };
    mr_buf successor = MR_BUF_NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mr_key_successor(mr_bytes_of(rows[i].prefix, rows[i].len), &successor),
                         MR_OK);
        assert_true(mr_bytes_equal(mr_buf_bytes(&successor),
                                   mr_bytes_of(rows[i].successor, rows[i].successor_len)));
    }
    assert_int_equal(mr_key_successor(mr_bytes_text(""), &successor), MR_END);
    assert_int_equal(mr_key_successor(mr_bytes_text("\xff\xff"), &successor), MR_END);
    assert_int_equal(successor.len, 0);
    mr_buf_deinit(&successor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_the_documented_bytes),
        cmocka_unit_test(keys_sort_as_their_parts),
        cmocka_unit_test(keys_are_parsed_back),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(hostile_bytes_are_refused_or_canonical),
        cmocka_unit_test(an_open_string_is_a_prefix_of_all_that_begin_so),
        cmocka_unit_test(the_successor_ends_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
