/* Goal: the set says what a plain sorted array says. Method: seeded random keys, few distinct ones,
 * so that most of them come again; each key of both is asked for from every bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "row_model.h"
#include "runtime/key_set.h"

enum { KEY_MAX = 3, ADDS = 300 };

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return *seed >> 33;
}

static mr_bytes random_key(uint8_t key[KEY_MAX], uint64_t *seed)
{
    static const uint8_t bytes[] = {0x00, 0x01, 'a', 0xfe, 0xff};
    const size_t len = next_random(seed) % (KEY_MAX + 1);
    for (size_t i = 0; i < len; i++) {
        key[i] = bytes[next_random(seed) % sizeof(bytes)];
    }
    return mr_bytes_of(key, len);
}

/* The first of the rows that a walk from the bound would see; n: none. */
static size_t expected_from(const mr_row *rows, size_t n, mr_bytes from, bool inclusive,
                            mr_bytes to)
{
    size_t i = 0;
    while (i < n && !mr_bytes_is_null(from) &&
           mr_bytes_compare(rows[i].key, from) < (inclusive ? 0 : 1)) {
        i++;
    }
    return i < n && !mr_bytes_is_null(to) && mr_bytes_compare(rows[i].key, to) >= 0 ? n : i;
}

static void compare(const mr_key_set *set, const mr_row *rows, size_t n, mr_bytes from, mr_bytes to)
{
    for (int inclusive = 0; inclusive < 2; inclusive++) {
        mr_bytes key = MR_BYTES_NULL;
        const mr_status status = mr_key_set_next(set, from, inclusive != 0, to, &key);
        const size_t expected = expected_from(rows, n, from, inclusive != 0, to);
        assert_int_equal(status, expected == n ? MR_END : MR_OK);
        assert_true(expected == n || mr_bytes_equal(key, rows[expected].key));
    }
}

static void the_set_does_as_the_model(void **state)
{
    (void)state;
    uint64_t seed = 7;
    mr_key_set *set = mr_key_set_new();
    row_model *model = row_model_new();
    for (int i = 0; i < ADDS; i++) {
        uint8_t memory[KEY_MAX];
        uint8_t bound[KEY_MAX];
        const mr_bytes key = random_key(memory, &seed);
        mr_key_set_add(set, key);
        row_model_put(model, key, MR_BYTES_NULL);
        mr_row *rows = NULL;
        const size_t n = row_model_rows(model, &rows);
        compare(set, rows, n, MR_BYTES_NULL, MR_BYTES_NULL);
        compare(set, rows, n, MR_BYTES_NULL, key);
        for (size_t at = 0; at < n; at++) {
            compare(set, rows, n, rows[at].key, random_key(bound, &seed));
            compare(set, rows, n, random_key(bound, &seed), rows[at].key);
            compare(set, rows, n, rows[at].key, MR_BYTES_NULL);
        }
        free(rows);
    }
    row_model_free(model);
    mr_key_set_free(set);
}

/* Each step adds a key behind and one before the key that the walk stands on. */
static void a_walk_goes_on_while_keys_are_added(void **state)
{
    (void)state;
    mr_key_set *set = mr_key_set_new();
    mr_buf seen = MR_BUF_NULL;
    mr_bytes at = MR_BYTES_NULL;
    static const char *const keys[] = {"h", "b", "f", "d"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        mr_key_set_add(set, mr_bytes_text(keys[i]));
    }
    const mr_bytes to = mr_bytes_text("h");
    while (seen.len < 10 && mr_key_set_next(set, at, false, to, &at) == MR_OK) {
        mr_buf_append_bytes(&seen, at);
        if (at.data[0] % 2 == 0) {
            const uint8_t around[] = {(uint8_t)(at.data[0] - 1), (uint8_t)(at.data[0] + 1)};
            mr_key_set_add(set, mr_bytes_of(&around[0], 1));
            mr_key_set_add(set, mr_bytes_of(&around[1], 1));
        }
    }
    assert_string_equal(mr_buf_text(&seen), "bcdefg");
    mr_buf_deinit(&seen);
    mr_key_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_set_does_as_the_model),
        cmocka_unit_test(a_walk_goes_on_while_keys_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
