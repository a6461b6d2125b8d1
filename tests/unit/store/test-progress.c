/* Goal: progress comes back as written, and a damaged record is never believed. Method: one vector
 * by hand, extremes, then every truncation and every flipped bit. */
#include "support.h"

#include "store/progress.h"

static mr_progress full_progress(void)
{
    mr_progress progress = mr_progress_none();
    progress.input_offset = INT64_MAX;
    progress.commit = INT64_C(0x0102030405060708);
    progress.n_stores = MR_STORES_MAX;
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        progress.changelog_offset[i] = (int64_t)i * 1000000007 - 1;
    }
    return progress;
}

static void assert_same(const mr_progress *a, const mr_progress *b)
{
    assert_true(a->input_offset == b->input_offset);
    assert_true(a->commit == b->commit);
    assert_int_equal(a->n_stores, b->n_stores);
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        assert_true(a->changelog_offset[i] == b->changelog_offset[i]);
    }
}

static void the_bytes_are_as_documented(void **state)
{
    (void)state;
    /* The check sum is zlib's crc32 of what stands before it. */
    static const uint8_t expected[] = {1,    1,    2,    0,    0,    0,    0,    0,    0,    0,
                                       3,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x23, 0xf0, 0xef, 0x59};
    mr_progress progress = mr_progress_none();
    progress.input_offset = 2;
    progress.commit = 3;
    progress.n_stores = 1;
    mr_buf bytes = MR_BUF_NULL;
    mr_progress_encode(&progress, &bytes);
    assert_int_equal(bytes.len, sizeof(expected));
    assert_memory_equal(bytes.data, expected, sizeof(expected));
    mr_buf_deinit(&bytes);
}

static void progress_comes_back(void **state)
{
    (void)state;
    const mr_progress rows[] = {mr_progress_none(), full_progress()};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf bytes = MR_BUF_NULL;
        mr_progress_encode(&rows[i], &bytes);
        mr_progress read = {0};
        mr_error err;
        assert_ok(mr_progress_decode(mr_buf_bytes(&bytes), &read, &err));
        assert_same(&read, &rows[i]);
        mr_buf_deinit(&bytes);
    }
}

static void assert_refused(mr_bytes bytes)
{
    mr_progress read = {.commit = 77};
    mr_error err;
    assert_int_equal(mr_progress_decode(bytes, &read, &err), MR_ERR_STORE);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_int_equal(read.commit, 77);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    const mr_progress progress = full_progress();
    mr_buf bytes = MR_BUF_NULL;
    mr_progress_encode(&progress, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_refused(mr_bytes_of(bytes.data, len));
    }
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_refused(mr_buf_bytes(&bytes));
        bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    mr_buf_append_byte(&bytes, 0);
    assert_refused(mr_buf_bytes(&bytes));
    mr_buf_deinit(&bytes);
}

/* The check sum as zlib's crc32 has it, so that only the lengths are wrong. */
static void seal(mr_buf *bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes->len; i++) {
        crc ^= bytes->data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc % 2 == 1 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    for (int i = 0; i < 4; i++) {
        mr_buf_append_byte(bytes, (uint8_t)(~crc >> (8 * i)));
    }
}

static void lengths_that_do_not_fit_are_refused_with_a_right_check_sum(void **state)
{
    (void)state;
    static const struct {
        uint8_t version;
        uint8_t n_stores;
        size_t numbers;
        mr_status status;
    } rows[] = {
        {1, 0, 2, MR_OK},          {1, 16, 18, MR_OK},
        {1, 17, 19, MR_ERR_STORE}, {1, 255, 257, MR_ERR_STORE},
        {1, 1, 2, MR_ERR_STORE},   {1, 0, 3, MR_ERR_STORE},
        {1, 0, 0, MR_ERR_STORE},   {2, 0, 2, MR_ERR_STORE},
        {0, 0, 2, MR_ERR_STORE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf bytes = MR_BUF_NULL;
        mr_buf_append_byte(&bytes, rows[i].version);
        mr_buf_append_byte(&bytes, rows[i].n_stores);
        for (size_t j = 0; j < 8 * rows[i].numbers; j++) {
            mr_buf_append_byte(&bytes, 0);
        }
        seal(&bytes);
        mr_progress read;
        mr_error err;
        assert_int_equal(mr_progress_decode(mr_buf_bytes(&bytes), &read, &err), rows[i].status);
        mr_buf_deinit(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_as_documented),
        cmocka_unit_test(progress_comes_back),
        cmocka_unit_test(damaged_bytes_are_refused),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused_with_a_right_check_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
