/* Goal: rows, ranges and progress of a task come back as written, and only they. Method: on disk
 * and in memory; ranges against a sorted model; damage written below the interface. */
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

static void write_row(mr_partition *partition, uint8_t store, mr_bytes key, mr_bytes value)
{
    mr_error err;
    const mr_row row = {.store = store, .key = key, .value = value};
    const mr_progress progress = {.input_offset = 1};
    assert_ok(mr_partition_write(partition, &row, 1, &progress, &err));
}

static void assert_value(mr_partition *partition, uint8_t store, mr_bytes key, mr_bytes expected)
{
    mr_error err;
    mr_buf value = MR_BUF_NULL;
    const mr_status status = mr_partition_get(partition, store, key, &value, &err);
    if (mr_bytes_is_null(expected)) {
        assert_int_equal(status, MR_NOT_FOUND);
    } else {
        assert_int_equal(status, MR_OK);
        assert_true(mr_bytes_equal(mr_buf_bytes(&value), expected));
    }
    mr_buf_deinit(&value);
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

static void a_batch_holds_only_its_own_rows(void **state)
{
    const struct fixture *fixture = *state;
    mr_error err;
    mr_buf big = MR_BUF_NULL;
    mr_buf_reserve(&big, 5 << 20);
    memset(big.data, 'x', 5 << 20);
    big.len = 5 << 20;
    write_row(fixture->partition, 1, mr_bytes_text("big"), mr_buf_bytes(&big));
    write_row(fixture->partition, 1, mr_bytes_text("big"), MR_BYTES_NULL);
    const mr_progress progress = {.input_offset = 2};
    assert_ok(mr_partition_write(fixture->partition, NULL, 0, &progress, &err));
    assert_value(fixture->partition, 1, mr_bytes_text("big"), MR_BYTES_NULL);
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

/* ---- Life of a partition ---- */

static void clearing_drops_rows_and_progress_for_good(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    mr_partition *kept = NULL;
    mr_partition *cleared = NULL;
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 1, &kept, &err));
    assert_ok(mr_partition_open(database, 2, &cleared, &err));
    assert_ok(write_one(kept, "k", "v", 1, &err));
    assert_ok(write_one(cleared, "k", "v", 1, &err));
    assert_ok(mr_partition_flush(cleared, &err));
    assert_ok(mr_partition_clear(cleared, &err));
    assert_value(cleared, 1, mr_bytes_text("k"), MR_BYTES_NULL);
    assert_ok(write_one(cleared, "after", "v", 2, &err));
    mr_partition_close(kept);
    mr_partition_close(cleared);
    assert_ok(mr_database_close(database, &err));

    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 1, &kept, &err));
    assert_ok(mr_partition_open(database, 2, &cleared, &err));
    assert_value(kept, 1, mr_bytes_text("k"), mr_bytes_text("v"));
    assert_value(cleared, 1, mr_bytes_text("k"), MR_BYTES_NULL);
    assert_value(cleared, 1, mr_bytes_text("after"), mr_bytes_text("v"));
    mr_progress progress;
    assert_ok(mr_partition_progress(cleared, &progress, &err));
    assert_true(progress.input_offset == 2);
    assert_ok(mr_partition_clear(cleared, &err));
    assert_ok(mr_partition_progress(cleared, &progress, &err));
    assert_true(progress.input_offset == -1);
    mr_partition_close(kept);
    mr_partition_close(cleared);
    mr_database_free(database);
}

static void closing_flushes_and_freeing_does_not(void **state)
{
    mr_error err;
    for (int flushed = 0; flushed < 2; flushed++) {
        mr_database *database = NULL;
        mr_partition *partition = NULL;
        assert_ok(open_at(*state, &database, &err));
        assert_ok(mr_partition_open(database, flushed, &partition, &err));
        assert_ok(write_one(partition, "k", "v", 1, &err));
        mr_partition_close(partition);
        if (flushed == 1) {
            assert_ok(mr_database_close(database, &err));
        } else {
            mr_database_free(database);
        }
        assert_ok(open_at(*state, &database, &err));
        assert_ok(mr_partition_open(database, flushed, &partition, &err));
        assert_value(partition, 1, mr_bytes_text("k"),
                     flushed == 1 ? mr_bytes_text("v") : MR_BYTES_NULL);
        mr_partition_close(partition);
        mr_database_free(database);
    }
}

static void partitions_are_listed_in_order(void **state)
{
    mr_error err;
    static const int32_t made[] = {10, 2, 0, INT32_MAX, 9};
    static const int32_t sorted[] = {0, 2, 9, 10, INT32_MAX};
    mr_database *database = NULL;
    int32_t *numbers = NULL;
    size_t n = 7;
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_database_partitions(database, &numbers, &n, &err));
    assert_int_equal(n, 0);
    free(numbers);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        mr_partition *partition = NULL;
        assert_ok(mr_partition_open(database, made[i], &partition, &err));
        mr_partition_close(partition);
    }
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_ok(mr_database_partitions(database, &numbers, &n, &err));
        assert_int_equal(n, sizeof(sorted) / sizeof(sorted[0]));
        assert_memory_equal(numbers, sorted, sizeof(sorted));
        free(numbers);
        mr_database_free(database);
        database = NULL;
        if (reopened == 0) {
            assert_ok(open_at(*state, &database, &err));
        }
    }
}

static void only_canonical_names_are_tasks(void **state)
{
    (void)state;
    static const char *const rows[] = {"default", "task-",   "task-01", "task--1",
                                       "task-1x", "task- 1", "Task-1",  "task-2147483648"};
    int32_t number = 7;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mr_family_number(rows[i], &number), MR_NOT_FOUND);
        assert_int_equal(number, 7);
    }
    assert_int_equal(mr_family_number("task-0", &number), MR_OK);
    assert_int_equal(number, 0);
    assert_int_equal(mr_family_number("task-2147483647", &number), MR_OK);
    assert_int_equal(number, INT32_MAX);
}

static void tables_are_compressed_and_counted(void **state)
{
    enum { ROWS = 2000, VALUE_BYTES = 1000 };
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 1, &partition, &err));
    static uint8_t value[VALUE_BYTES];
    mr_database_usage before;
    mr_database_usage_read(database, &before);
    for (int i = 0; i < ROWS; i++) {
        const uint8_t key[] = {(uint8_t)(i >> 8), (uint8_t)i};
        write_row(partition, 1, mr_bytes_of(key, sizeof(key)), mr_bytes_of(value, sizeof(value)));
    }
    mr_database_usage written;
    mr_database_usage_read(database, &written);
    assert_in_range(written.memtable_bytes, before.memtable_bytes + ROWS * VALUE_BYTES, 4 << 20);
    assert_ok(mr_partition_flush(partition, &err));
    mr_database_usage flushed;
    mr_database_usage_read(database, &flushed);
    assert_in_range(flushed.memtable_bytes, 0, 1 << 20);
    assert_in_range(flushed.disk_bytes, before.disk_bytes + 1, ROWS * VALUE_BYTES / 4);
    assert_value(partition, 1, mr_bytes_text("\1\1"), mr_bytes_of(value, sizeof(value)));
    mr_database_usage_read(database, &flushed);
    assert_in_range(flushed.cache_bytes, 1, 4 << 20);
    mr_partition_close(partition);
    mr_database_free(database);
}

#define on_disk(test) cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)
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
        in_memory(progress_is_none_at_first_and_then_the_last_written),
        in_memory(a_damaged_progress_record_is_named),
        on_disk(clearing_drops_rows_and_progress_for_good),
        on_disk(closing_flushes_and_freeing_does_not),
        on_disk(partitions_are_listed_in_order),
        cmocka_unit_test(only_canonical_names_are_tasks),
        on_disk(tables_are_compressed_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
