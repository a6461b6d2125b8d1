/* Goal: a pile says what a plain reading of the puts says. Method: seeded random puts into both:
 * few and many keys, zero bytes, long common beginnings, values that grow, shrink and vanish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "row_model.h"
#include "runtime/row_pile.h"

enum { STORE = 3 };

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *seed, size_t bound)
{
    return (size_t)(next_random(seed) % bound);
}

static void assert_same(mr_bytes a, mr_bytes b)
{
    assert_true(mr_bytes_equal(a, b));
}

static void compare(mr_row_pile *pile, row_model *model)
{
    mr_row *expected = NULL;
    const size_t n = row_model_rows(model, &expected);
    assert_int_equal(mr_row_pile_count(pile), n);
    mr_row *rows = mr_alloc((n + 1) * sizeof(*rows));
    mr_row_pile_rows(pile, STORE, rows);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rows[i].store, STORE);
        assert_same(rows[i].key, expected[i].key);
        assert_same(rows[i].value, expected[i].value);
    }
    free(rows);
    free(expected);
}

/* How keys are made. */
typedef struct keys {
    const char *prefix; /* of every key */
    size_t n_bytes;     /* different values that a byte of the rest has */
    size_t len_max;     /* of the rest */
    size_t value_max;
    size_t n_puts;
} keys;

static void put_random(const keys *shape, uint64_t *seed, mr_row_pile *pile, row_model *model)
{
    uint8_t key[256];
    static const uint8_t value[256 * 1024];
    const size_t prefix_len = strlen(shape->prefix);
    const size_t len = below(seed, shape->len_max + 1);
    memcpy(key, shape->prefix, prefix_len);
    for (size_t i = 0; i < len; i++) {
        key[prefix_len + i] = (uint8_t)below(seed, shape->n_bytes);
    }
    const mr_bytes key_bytes = mr_bytes_of(key, prefix_len + len);
    uint8_t own[8];
    mr_bytes value_bytes = mr_bytes_of(value, below(seed, shape->value_max));
    if (value_bytes.len <= sizeof(own)) {
        memset(own, (int)below(seed, 256), sizeof(own));
        value_bytes.data = own;
    }
    if (below(seed, 8) == 0) {
        value_bytes = MR_BYTES_NULL;
    }
    mr_row_pile_put(pile, key_bytes, value_bytes);
    row_model_put(model, key_bytes, value_bytes);
}

static void a_pile_says_what_was_put(void **state)
{
    (void)state;
    static const keys shapes[] = {
        {"", 2, 3, 20, 2000},
        {"", 256, 2, 20, 5000},
        {"", 256, 12, 60, 20000},
        {"customer/0000/", 10, 6, 30, 50000},
        /* Alike in more bytes than are compared at first, and shorter than those. */
        {"x", 2, 12, 10, 20000},
        {"", 2, 2, 200000, 300}, /* a row larger than a chunk */
        {"k", 4, 200, 4, 500},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        uint64_t seed = i + 1;
        mr_row_pile *pile = mr_row_pile_new();
        row_model *model = row_model_new();
        for (size_t n = 0; n < shapes[i].n_puts; n++) {
            put_random(&shapes[i], &seed, pile, model);
            if (n == shapes[i].n_puts / 2 || n == 3) {
                compare(pile, model);
            }
        }
        compare(pile, model);
        mr_row_pile_free(pile);
        row_model_free(model);
    }
}

static void a_pile_takes_all_of_another(void **state)
{
    (void)state;
    static const keys shape = {"", 4, 5, 20, 400};
    uint64_t seed = 9;
    row_model *model = row_model_new();
    mr_row_pile *first = mr_row_pile_new();
    mr_row_pile *second = mr_row_pile_new();
    for (size_t n = 0; n < shape.n_puts; n++) {
        put_random(&shape, &seed, first, model);
    }
    for (size_t n = 0; n < shape.n_puts; n++) {
        put_random(&shape, &seed, second, model);
    }
    mr_row_pile_put_all(first, second);
    compare(first, model);
    mr_row_pile_free(second);
    mr_row_pile_clear(first);
    row_model_free(model);
    model = row_model_new();
    compare(first, model);
    put_random(&shape, &seed, first, model);
    compare(first, model);
    mr_row_pile_free(first);
    row_model_free(model);
}

/* What is replaced by something longer, too: memory that is not counted is not bounded. */
static void bytes_count_everything(void **state)
{
    (void)state;
    static const uint8_t value[20000];
    mr_row_pile *pile = mr_row_pile_new();
    assert_int_equal(mr_row_pile_bytes(pile), 0);
    size_t put = 0;
    for (size_t len = 0; len < sizeof(value); len += 100) {
        mr_row_pile_put(pile, mr_bytes_text("same"), mr_bytes_of(value, len));
        put += len;
    }
    assert_int_equal(mr_row_pile_count(pile), 1);
    assert_true(mr_row_pile_bytes(pile) >= put);
    mr_row_pile_clear(pile);
    assert_int_equal(mr_row_pile_bytes(pile), 0);
    for (int i = 0; i < 10000; i++) {
        mr_row_pile_put(pile, mr_bytes_text("same"), mr_bytes_of(value, 10));
    }
    assert_true(mr_row_pile_bytes(pile) < 200000); /* in place */
    mr_row_pile_free(pile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pile_says_what_was_put),
        cmocka_unit_test(a_pile_takes_all_of_another),
        cmocka_unit_test(bytes_count_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
