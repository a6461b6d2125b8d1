/* Goal: tasks come, stay, are cleared and counted, from several threads too. Method: a directory
 * that is closed and opened again. */
#include "support.h"

#include <stdio.h>
#include <unistd.h>

#include <pthread.h>

#include "store/partition.h"

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

enum { THREADS = 4, THREAD_TASKS = 5, THREAD_ROWS = 200 };

typedef struct {
    mr_database *database;
    int32_t first;
    mr_status status;
    mr_error err;
} worker;

static mr_status work_task(mr_database *database, int32_t number, mr_error *err)
{
    mr_partition *partition = NULL;
    mr_database_usage usage;
    mr_status status = mr_partition_open(database, number, &partition, err);
    for (int i = 0; i < THREAD_ROWS && status == MR_OK; i++) {
        const char key[] = {(char)i, '\0'};
        status = write_one(partition, key, "value", i, err);
    }
    mr_database_usage_read(database, &usage);
    if (status == MR_OK && number % 2 == 0) {
        status = mr_partition_flush(partition, err);
    }
    if (status == MR_OK && number % THREAD_TASKS == 0) {
        status = mr_partition_clear(partition, err);
    }
    mr_partition_close(partition);
    return status;
}

static void *work(void *argument)
{
    worker *self = argument;
    for (int32_t i = 0; i < THREAD_TASKS && self->status == MR_OK; i++) {
        self->status = work_task(self->database, self->first + i, &self->err);
    }
    return NULL;
}

static void threads_with_tasks_of_their_own_do_not_disturb_each_other(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    worker workers[THREADS] = {0};
    pthread_t threads[THREADS];
    assert_ok(open_at(*state, &database, &err));
    for (int i = 0; i < THREADS; i++) {
        workers[i].database = database;
        workers[i].first = i * THREAD_TASKS;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        err = workers[i].err;
        assert_ok(workers[i].status);
    }
    assert_ok(mr_database_close(database, &err));
    assert_ok(open_at(*state, &database, &err));
    for (int32_t i = 0; i < THREADS * THREAD_TASKS; i++) {
        mr_partition *partition = NULL;
        mr_progress progress;
        assert_ok(mr_partition_open(database, i, &partition, &err));
        assert_ok(mr_partition_progress(partition, &progress, &err));
        assert_int_equal(progress.input_offset, i % THREAD_TASKS == 0 ? -1 : THREAD_ROWS - 1);
        mr_partition_close(partition);
    }
    mr_database_free(database);
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

/* What is left of a table that a kill kept from being taken in does no harm and goes. */
static void a_table_of_rows_is_on_disk_at_once(void **state)
{
    const char *directory = *state;
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    assert_ok(open_at(directory, &database, &err));
    assert_ok(mr_partition_open(database, 0, &partition, &err));
    const mr_row row = {1, mr_bytes_text("k"), mr_bytes_text("kept")};
    const mr_progress progress = {.input_offset = 4, .n_stores = 1};
    assert_ok(mr_partition_write_sorted(partition, &row, 1, &progress, &err));
    assert_ok(write_one(partition, "k", "lost", 5, &err));
    mr_partition_close(partition);
    mr_database_free(database);

    char leftover[512];
    (void)snprintf(leftover, sizeof(leftover), "%s/new-task-0", directory);
    FILE *file = fopen(leftover, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_ok(open_at(directory, &database, &err));
    assert_ok(mr_partition_open(database, 0, &partition, &err));
    assert_int_equal(access(leftover, F_OK), -1);
    mr_progress found;
    assert_ok(mr_partition_progress(partition, &found, &err));
    assert_int_equal(found.input_offset, 4);
    assert_value(partition, 1, mr_bytes_text("k"), mr_bytes_text("kept"));
    mr_partition_close(partition);
    mr_database_free(database);
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(a_table_of_rows_is_on_disk_at_once),
        in_directory(clearing_drops_rows_and_progress_for_good),
        in_directory(closing_flushes_and_freeing_does_not),
        in_directory(partitions_are_listed_in_order),
        in_directory(threads_with_tasks_of_their_own_do_not_disturb_each_other),
        cmocka_unit_test(only_canonical_names_are_tasks),
        in_directory(tables_are_compressed_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
