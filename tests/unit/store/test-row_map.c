/* Goal: the map says what a plain sorted array says. Method: seeded random operations on both, few
 * distinct keys (so that all of them collide, are replaced and removed), everything compared. */
#include "support.h"

#include "core/alloc.h"
#include "store/row_map.h"

/* ---- The model: a sorted array ---- */

enum { MODEL_MAX = 4096, TEXT_MAX = 12 };

typedef struct model_row {
    uint8_t key[TEXT_MAX];
    size_t key_len;
    uint8_t value[TEXT_MAX];
    size_t value_len;
    bool deleted;
    uint64_t tag;
} model_row;

struct model {
    model_row rows[MODEL_MAX];
    size_t n;
};

static mr_bytes model_key(const model_row *row)
{
    return mr_bytes_of(row->key, row->key_len);
}

static mr_bytes model_value(const model_row *row)
{
    return row->deleted ? MR_BYTES_NULL : mr_bytes_of(row->value, row->value_len);
}

/* Of the first row whose key is not below. */
static size_t model_find(const struct model *model, mr_bytes key)
{
    size_t at = 0;
    while (at < model->n && mr_bytes_compare(model_key(&model->rows[at]), key) < 0) {
        at++;
    }
    return at;
}

static bool model_has(const struct model *model, size_t at, mr_bytes key)
{
    return at < model->n && mr_bytes_compare(model_key(&model->rows[at]), key) == 0;
}

static void model_put(struct model *model, mr_bytes key, mr_bytes value, uint64_t tag)
{
    const size_t at = model_find(model, key);
    if (!model_has(model, at, key)) {
        assert_true(model->n < MODEL_MAX);
        memmove(&model->rows[at + 1], &model->rows[at], (model->n - at) * sizeof(model_row));
        model->n++;
    }
    model_row row = {.key_len = key.len, .tag = tag, .deleted = mr_bytes_is_null(value)};
    memcpy(row.key, key.data, key.len);
    if (!row.deleted) {
        memcpy(row.value, value.data, value.len);
        row.value_len = value.len;
    }
    model->rows[at] = row;
}

static void model_remove(struct model *model, mr_bytes key)
{
    const size_t at = model_find(model, key);
    if (model_has(model, at, key)) {
        memmove(&model->rows[at], &model->rows[at + 1], (model->n - at - 1) * sizeof(model_row));
        model->n--;
    }
}

/* ---- Comparing ---- */

static void compare_get(const struct model *model, const mr_row_map *map, mr_bytes key)
{
    const size_t at = model_find(model, key);
    mr_bytes value = MR_BYTES_NULL;
    uint64_t tag = 0;
    if (!model_has(model, at, key)) {
        assert_int_equal(mr_row_map_get(map, key, &value, &tag), MR_NOT_FOUND);
        return;
    }
    assert_int_equal(mr_row_map_get(map, key, &value, &tag), MR_OK);
    assert_true(mr_bytes_equal(value, model_value(&model->rows[at])));
    assert_true(tag == model->rows[at].tag);
}

static void compare_next(const struct model *model, mr_row_map *map, mr_bytes from, bool inclusive,
                         mr_bytes to)
{
    size_t at = mr_bytes_is_null(from) ? 0 : model_find(model, from);
    if (!mr_bytes_is_null(from) && !inclusive && model_has(model, at, from)) {
        at++;
    }
    const bool end = at == model->n || (!mr_bytes_is_null(to) &&
                                        mr_bytes_compare(model_key(&model->rows[at]), to) >= 0);
    mr_bytes key = MR_BYTES_NULL;
    mr_bytes value = MR_BYTES_NULL;
    assert_int_equal(mr_row_map_next(map, from, inclusive, to, &key, &value), end ? MR_END : MR_OK);
    if (!end) {
        assert_true(mr_bytes_equal(key, model_key(&model->rows[at])));
        assert_true(mr_bytes_equal(value, model_value(&model->rows[at])));
    }
}

static void compare_rows(const struct model *model, mr_row_map *map)
{
    enum { STORE = 7 };
    mr_row *rows = NULL;
    mr_row_map_rows(map, STORE, &rows);
    assert_int_equal(mr_row_map_count(map), model->n);
    for (size_t i = 0; i < model->n; i++) {
        assert_int_equal(rows[i].store, STORE);
        assert_true(mr_bytes_equal(rows[i].key, model_key(&model->rows[i])));
        assert_true(mr_bytes_equal(rows[i].value, model_value(&model->rows[i])));
    }
    free(rows);
}

static mr_bytes random_text(uint8_t text[TEXT_MAX], size_t len_max, uint64_t *seed)
{
    static const uint8_t bytes[] = {0x00, 0x01, 'a', 'b', 0xfe, 0xff};
    const size_t len = random_below(seed, len_max + 1);
    for (size_t i = 0; i < len; i++) {
        text[i] = bytes[random_below(seed, sizeof(bytes))];
    }
    return mr_bytes_of(text, len);
}

static mr_bytes random_bound(uint8_t text[TEXT_MAX], size_t len_max, uint64_t *seed)
{
    return random_below(seed, 5) == 0 ? MR_BYTES_NULL : random_text(text, len_max, seed);
}

static void step(struct model *model, mr_row_map *map, size_t key_len_max, bool ordered,
                 uint64_t *seed)
{
    uint8_t key_text[TEXT_MAX];
    uint8_t value_text[TEXT_MAX];
    const mr_bytes key = random_text(key_text, key_len_max, seed);
    const uint64_t choice = random_below(seed, 1000);
    if (choice < 500) {
        const mr_bytes value = random_bound(value_text, TEXT_MAX, seed);
        const uint64_t tag = random_next(seed);
        model_put(model, key, value, tag);
        mr_row_map_put(map, key, value, tag);
    } else if (choice < 700) {
        model_remove(model, key);
        mr_row_map_remove(map, key);
    } else if (choice < 850) {
        compare_get(model, map, key);
    } else if (choice < 990 && ordered) {
        const mr_bytes from = random_bound(value_text, key_len_max, seed);
        compare_next(model, map, from, random_below(seed, 2) == 0, key);
    } else if (choice < 999) {
        compare_rows(model, map);
    } else {
        model->n = 0;
        mr_row_map_clear(map);
        assert_int_equal(mr_row_map_bytes(map), 0);
    }
}

static void the_map_does_as_the_model(void **state)
{
    (void)state;
    uint64_t seed = random_seed("the_map_does_as_the_model");
    static const size_t key_lens[] = {1, 2, 4};
    struct model *model = mr_alloc(sizeof(*model));
    for (size_t i = 0; i < 2 * sizeof(key_lens) / sizeof(key_lens[0]); i++) {
        model->n = 0;
        mr_row_map *map = mr_row_map_new();
        for (int j = 0; j < 10000; j++) {
            step(model, map, key_lens[i / 2], i % 2 == 0, &seed);
        }
        compare_rows(model, map);
        mr_row_map_free(map);
    }
    free(model);
}

/* ---- Single properties ---- */

static void bytes_go_up_and_down_with_the_rows(void **state)
{
    (void)state;
    mr_row_map *map = mr_row_map_new();
    mr_buf value = MR_BUF_NULL;
    while (value.len < 1000) {
        mr_buf_append_byte(&value, 'v');
    }
    assert_int_equal(mr_row_map_bytes(map), 0);
    mr_row_map_put(map, mr_bytes_text("key"), mr_buf_bytes(&value), 1);
    const size_t one = mr_row_map_bytes(map);
    assert_in_range(one, 1003, 1400);
    mr_row_map_put(map, mr_bytes_text("key"), MR_BYTES_NULL, 2);
    assert_int_equal(mr_row_map_bytes(map), one - 1000);
    mr_row_map_put(map, mr_bytes_text("key"), mr_buf_bytes(&value), 3);
    assert_int_equal(mr_row_map_bytes(map), one);
    mr_row_map_put(map, mr_bytes_text("yek"), mr_buf_bytes(&value), 3);
    assert_int_equal(mr_row_map_bytes(map), 2 * one);
    mr_row_map_remove(map, mr_bytes_text("none"));
    mr_row_map_remove(map, mr_bytes_text("key"));
    assert_int_equal(mr_row_map_bytes(map), one);
    mr_row_map_remove(map, mr_bytes_text("yek"));
    assert_int_equal(mr_row_map_bytes(map), 0);
    mr_row_map_free(map);
    mr_buf_deinit(&value);
}

static void a_row_may_be_put_from_its_own_value(void **state)
{
    (void)state;
    mr_row_map *map = mr_row_map_new();
    mr_row_map_put(map, mr_bytes_text("key"), mr_bytes_text("abcdef"), 1);
    mr_bytes value = MR_BYTES_NULL;
    assert_int_equal(mr_row_map_get(map, mr_bytes_text("key"), &value, NULL), MR_OK);
    mr_row_map_put(map, mr_bytes_text("key"), mr_bytes_of(value.data + 2, 3), 2);
    assert_int_equal(mr_row_map_get(map, mr_bytes_text("key"), &value, NULL), MR_OK);
    assert_true(mr_bytes_equal_text(value, "cde"));
    mr_row_map_free(map);
}

static void an_empty_value_is_no_tombstone(void **state)
{
    (void)state;
    mr_row_map *map = mr_row_map_new();
    mr_row_map_put(map, mr_bytes_text(""), mr_bytes_text(""), 1);
    mr_row_map_put(map, mr_bytes_text("gone"), MR_BYTES_NULL, 2);
    mr_bytes value = MR_BYTES_NULL;
    uint64_t tag = 0;
    assert_int_equal(mr_row_map_get(map, mr_bytes_text(""), &value, &tag), MR_OK);
    assert_true(!mr_bytes_is_null(value) && value.len == 0 && tag == 1);
    assert_int_equal(mr_row_map_get(map, mr_bytes_text("gone"), &value, &tag), MR_OK);
    assert_true(mr_bytes_is_null(value) && tag == 2);
    mr_row_map_free(map);
}

/* Each step removes the row that the walk stands on and puts one behind and one before it. */
static void a_walk_goes_on_while_rows_change(void **state)
{
    (void)state;
    mr_row_map *map = mr_row_map_new();
    static const char *const keys[] = {"b", "d", "f", "h"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        mr_row_map_put(map, mr_bytes_text(keys[i]), mr_bytes_text("v"), 0);
    }
    mr_buf seen = MR_BUF_NULL;
    mr_buf at = MR_BUF_NULL;
    mr_bytes key = MR_BYTES_NULL;
    mr_bytes value = MR_BYTES_NULL;
    const mr_bytes to = mr_bytes_text("h");
    mr_status status = mr_row_map_next(map, MR_BYTES_NULL, true, to, &key, &value);
    while (status == MR_OK) {
        mr_buf_append_bytes(&seen, key);
        mr_buf_clear(&at);
        mr_buf_append_bytes(&at, key);
        mr_row_map_remove(map, mr_buf_bytes(&at));
        if (at.data[0] % 2 == 0) {
            const uint8_t around[] = {(uint8_t)(at.data[0] - 1), (uint8_t)(at.data[0] + 1)};
            mr_row_map_put(map, mr_bytes_of(&around[0], 1), mr_bytes_text("v"), 0);
            mr_row_map_put(map, mr_bytes_of(&around[1], 1), mr_bytes_text("v"), 0);
        }
        status = mr_row_map_next(map, mr_buf_bytes(&at), false, to, &key, &value);
    }
    assert_int_equal(status, MR_END);
    assert_string_equal(mr_buf_text(&seen), "bcdefg");
    mr_buf_deinit(&seen);
    mr_buf_deinit(&at);
    mr_row_map_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_does_as_the_model),
        cmocka_unit_test(bytes_go_up_and_down_with_the_rows),
        cmocka_unit_test(a_row_may_be_put_from_its_own_value),
        cmocka_unit_test(an_empty_value_is_no_tombstone),
        cmocka_unit_test(a_walk_goes_on_while_rows_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
