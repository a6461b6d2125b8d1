/* Goal: rows, ranges and progress of a task come back as written, and only they. Method: in memory;
 * ranges against all keys filtered; damage written below the interface. */
#include "support.h"

#include "store/partition.h"

struct fixture {
    mr_database *database;
    mr_partition *partition;
};

static int memory_setup(void **state)
{
    mr_error err;
    mr_database_options options = options_of(NULL);
    options.in_memory = true;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (mr_database_open(&options, &MR_LOG_NULL, &fixture->database, &err) != MR_OK ||
        mr_partition_open(fixture->database, 3, &fixture->partition, &err) != MR_OK) {
        return -1;
    }
    *state = fixture;
    return 0;
}

static int memory_teardown(void **state)
{
    struct fixture *fixture = *state;
    mr_partition_close(fixture->partition);
    mr_database_free(fixture->database);
    free(fixture);
    return 0;
}

/* ---- Rows ---- */

static void rows_are_written_replaced_and_deleted(void **state)
{
    const struct fixture *fixture = *state;
    const mr_bytes key = mr_bytes_text("key");
    assert_value(fixture->partition, 1, key, MR_BYTES_NULL);
    write_row(fixture->partition, 1, key, mr_bytes_text("one"));
    assert_value(fixture->partition, 1, key, mr_bytes_text("one"));
    write_row(fixture->partition, 1, key, mr_bytes_text(""));
    assert_value(fixture->partition, 1, key, mr_bytes_text(""));
    write_row(fixture->partition, 1, key, MR_BYTES_NULL);
    assert_value(fixture->partition, 1, key, MR_BYTES_NULL);
}

static void the_same_key_is_another_row_in_another_store(void **state)
{
    const struct fixture *fixture = *state;
    static const uint8_t stores[] = {1, 2, 3, MR_STORE_MAX};
    for (size_t i = 0; i < sizeof(stores); i++) {
        write_row(fixture->partition, stores[i], mr_bytes_text("k"), mr_bytes_of(&stores[i], 1));
    }
    write_row(fixture->partition, 2, mr_bytes_text("k"), MR_BYTES_NULL);
    assert_value(fixture->partition, 1, mr_bytes_text("k"), mr_bytes_of(&stores[0], 1));
    assert_value(fixture->partition, 2, mr_bytes_text("k"), MR_BYTES_NULL);
    assert_value(fixture->partition, MR_STORE_MAX, mr_bytes_text("k"), mr_bytes_of(&stores[3], 1));
}

static void keys_and_values_of_any_length_come_back(void **state)
{
    const struct fixture *fixture = *state;
    static const size_t lens[] = {0, 1, 254, 255, 256, 257, 5000, 1 << 20};
    mr_buf text = MR_BUF_NULL;
    mr_buf_reserve(&text, 1 << 20);
    while (text.len < 1 << 20) {
        mr_buf_append_byte(&text, (uint8_t)(text.len * 31));
    }
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        const mr_bytes key = mr_bytes_of(text.data, lens[i] > 70000 ? 70000 : lens[i]);
        write_row(fixture->partition, 1, key, mr_bytes_of(text.data, lens[i]));
    }
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        const mr_bytes key = mr_bytes_of(text.data, lens[i] > 70000 ? 70000 : lens[i]);
        assert_value(fixture->partition, 1, key, mr_bytes_of(text.data, lens[i]));
    }
    mr_buf_deinit(&text);
}

static void a_value_replaces_what_the_buffer_had_and_absence_does_not(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    mr_buf value = MR_BUF_NULL;
    mr_buf_append_text(&value, "before");
    write_row(fixture->partition, 1, mr_bytes_text("k"), mr_bytes_text("v"));
    assert_int_equal(mr_partition_get(fixture->partition, 1, mr_bytes_text("no"), &value, &err),
                     MR_NOT_FOUND);
    assert_string_equal(mr_buf_text(&value), "before");
    assert_ok(mr_partition_get(fixture->partition, 1, mr_bytes_text("k"), &value, &err));
    assert_string_equal(mr_buf_text(&value), "v");
    mr_buf_deinit(&value);
}

static void a_later_row_of_a_batch_wins(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    const mr_bytes key = mr_bytes_text("k");
    const mr_row rows[] = {{1, key, mr_bytes_text("1")},
                           {1, key, MR_BYTES_NULL},
                           {1, key, mr_bytes_text("2")},
                           {2, key, mr_bytes_text("3")},
                           {2, key, MR_BYTES_NULL}};
    const mr_progress progress = {.input_offset = 1};
    assert_ok(mr_partition_write(fixture->partition, rows, 5, &progress, &err));
    assert_value(fixture->partition, 1, key, mr_bytes_text("2"));
    assert_value(fixture->partition, 2, key, MR_BYTES_NULL);
}

/* The batch is used again, or given back when it was large. */
static void a_batch_holds_only_its_own_rows(void **state)
{
    const struct fixture *fixture = *state;
    mr_partition *partition = fixture->partition;
    mr_buf big = MR_BUF_NULL;
    mr_buf_reserve(&big, 5 << 20);
    memset(big.data, 'x', 5 << 20);
    static const size_t lens[] = {1, 5 << 20, 2};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        write_row(partition, 1, mr_bytes_text("big"), mr_bytes_of(big.data, lens[i]));
        assert_int_equal(rocksdb_writebatch_count(partition->batch), 0);
        assert_value(partition, 1, mr_bytes_text("big"), mr_bytes_of(big.data, lens[i]));
    }
    mr_buf_deinit(&big);
}

/* ---- Ranges ---- */

enum { KEYS = 7 };

static mr_bytes range_key(size_t i)
{
    static const struct {
        const char *text;
        size_t len;
    } keys[KEYS] = {{"", 0},  {"\0", 1},   {"a", 1},       {"a\0", 2},
                    {"b", 1}, {"\xff", 1}, {"\xff\xff", 2}};
    return mr_bytes_of(keys[i].text, keys[i].len);
}

static void assert_range(const struct fixture *fixture, uint8_t store, mr_bytes from, mr_bytes to)
{
    mr_error err;
    mr_cursor *cursor = NULL;
    assert_ok(mr_cursor_open(fixture->partition, store, from, to, &cursor, &err));
    mr_bytes key = MR_BYTES_NULL;
    mr_bytes value = MR_BYTES_NULL;
    for (size_t i = 0; i < KEYS; i++) {
        const mr_bytes expected = range_key(i);
        if (mr_bytes_compare(expected, from) < 0 ||
            (!mr_bytes_is_null(to) && mr_bytes_compare(expected, to) >= 0)) {
            continue;
        }
        assert_ok(mr_cursor_next(cursor, &key, &value, &err));
        assert_true(mr_bytes_equal(key, expected));
        assert_int_equal(value.len, 1);
        assert_int_equal(value.data[0], store);
    }
    assert_int_equal(mr_cursor_next(cursor, &key, &value, &err), MR_END);
    assert_int_equal(mr_cursor_next(cursor, &key, &value, &err), MR_END);
    mr_cursor_close(cursor);
}

static void a_cursor_gives_the_keys_of_its_range_in_order(void **state)
{
    const struct fixture *fixture = *state;
    static const uint8_t stores[] = {1, 2, 249, 250};
    for (size_t i = 0; i < sizeof(stores); i++) {
        for (size_t j = KEYS; j > 0; j--) {
            write_row(fixture->partition, stores[i], range_key(j - 1), mr_bytes_of(&stores[i], 1));
        }
    }
    for (size_t i = 0; i < sizeof(stores); i++) {
        for (size_t from = 0; from <= KEYS; from++) {
            for (size_t to = 0; to <= KEYS; to++) {
                assert_range(fixture, stores[i], from == KEYS ? MR_BYTES_NULL : range_key(from),
                             to == KEYS ? MR_BYTES_NULL : range_key(to));
            }
        }
    }
    assert_range(fixture, 1, mr_bytes_text("aa"), mr_bytes_text("zzz"));
}

static void a_cursor_of_an_empty_store_ends_at_once(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    write_row(fixture->partition, 1, mr_bytes_text("k"), mr_bytes_text("v"));
    write_row(fixture->partition, 3, mr_bytes_text("k"), mr_bytes_text("v"));
    mr_cursor *cursor = NULL;
    assert_ok(mr_cursor_open(fixture->partition, 2, MR_BYTES_NULL, MR_BYTES_NULL, &cursor, &err));
    mr_bytes key = MR_BYTES_NULL;
    mr_bytes value = MR_BYTES_NULL;
    assert_int_equal(mr_cursor_next(cursor, &key, &value, &err), MR_END);
    mr_cursor_close(cursor);
}

static void a_cursor_sees_the_moment_it_was_opened(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    write_row(fixture->partition, 1, mr_bytes_text("a"), mr_bytes_text("old"));
    mr_cursor *cursor = NULL;
    assert_ok(mr_cursor_open(fixture->partition, 1, MR_BYTES_NULL, MR_BYTES_NULL, &cursor, &err));
    write_row(fixture->partition, 1, mr_bytes_text("a"), mr_bytes_text("new"));
    write_row(fixture->partition, 1, mr_bytes_text("b"), mr_bytes_text("new"));
    assert_ok(mr_partition_flush(fixture->partition, &err));
    mr_bytes key = MR_BYTES_NULL;
    mr_bytes value = MR_BYTES_NULL;
    assert_ok(mr_cursor_next(cursor, &key, &value, &err));
    assert_true(mr_bytes_equal_text(key, "a") && mr_bytes_equal_text(value, "old"));
    assert_int_equal(mr_cursor_next(cursor, &key, &value, &err), MR_END);
    mr_cursor_close(cursor);
}

static void a_table_of_rows_comes_after_what_was_written_before(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    write_row(fixture->partition, 1, mr_bytes_text("a"), mr_bytes_text("old"));
    write_row(fixture->partition, 1, mr_bytes_text("b"), mr_bytes_text("old"));
    const mr_row rows[] = {
        {1, mr_bytes_text("a"), mr_bytes_text("new")},
        {1, mr_bytes_text("b"), MR_BYTES_NULL},
        {2, mr_bytes_text("a"), mr_bytes_text("")},
    };
    mr_progress progress = {.input_offset = 9, .commit = 8, .changelog_offset = {7}, .n_stores = 1};
    assert_ok(mr_partition_write_sorted(fixture->partition, rows, 3, &progress, &err));
    progress = (mr_progress){0};
    assert_ok(mr_partition_progress(fixture->partition, &progress, &err));
    assert_true(progress.input_offset == 9 && progress.changelog_offset[0] == 7);
    assert_value(fixture->partition, 1, mr_bytes_text("a"), mr_bytes_text("new"));
    assert_value(fixture->partition, 1, mr_bytes_text("b"), MR_BYTES_NULL);
    assert_value(fixture->partition, 2, mr_bytes_text("a"), mr_bytes_text(""));
    write_row(fixture->partition, 1, mr_bytes_text("a"), mr_bytes_text("newest"));
    assert_value(fixture->partition, 1, mr_bytes_text("a"), mr_bytes_text("newest"));
}

/* ---- Progress ---- */

static void progress_is_none_at_first_and_then_the_last_written(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    mr_progress progress = {.commit = 77};
    assert_ok(mr_partition_progress(fixture->partition, &progress, &err));
    assert_true(progress.input_offset == -1 && progress.commit == 0 && progress.n_stores == 0);
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        assert_true(progress.changelog_offset[i] == -1);
    }
    assert_ok(write_one(fixture->partition, "k", "v", 5, &err));
    assert_ok(write_one(fixture->partition, "k", "v", 6, &err));
    assert_ok(mr_partition_progress(fixture->partition, &progress, &err));
    assert_true(progress.input_offset == 6 && progress.commit == 6 && progress.n_stores == 1);
    assert_true(progress.changelog_offset[0] == 6 && progress.changelog_offset[1] == -1);
}

static void a_damaged_progress_record_is_named(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    char *failure = NULL;
    rocksdb_put_cf(fixture->database->rocks, fixture->database->tuning.write,
                   fixture->partition->family->handle, "\0p", 2, "\1\1 garbage", 10, &failure);
    assert_null(failure);
    mr_progress progress;
    assert_int_equal(mr_partition_progress(fixture->partition, &progress, &err), MR_ERR_STORE);
    assert_message(err, "task-3: the progress record is damaged");
    assert_message(err, "state directory '");
    assert_message(err, "10 bytes for 1 stores");
}

#define in_memory(test) cmocka_unit_test_setup_teardown(test, memory_setup, memory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_memory(rows_are_written_replaced_and_deleted),
        in_memory(the_same_key_is_another_row_in_another_store),
        in_memory(keys_and_values_of_any_length_come_back),
        in_memory(a_value_replaces_what_the_buffer_had_and_absence_does_not),
        in_memory(a_later_row_of_a_batch_wins),
        in_memory(a_batch_holds_only_its_own_rows),
        in_memory(a_cursor_gives_the_keys_of_its_range_in_order),
        in_memory(a_cursor_of_an_empty_store_ends_at_once),
        in_memory(a_cursor_sees_the_moment_it_was_opened),
        in_memory(a_table_of_rows_comes_after_what_was_written_before),
        in_memory(progress_is_none_at_first_and_then_the_last_written),
        in_memory(a_damaged_progress_record_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
