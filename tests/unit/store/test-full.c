/* Goal: a full disk is said to be one, costs nothing that was flushed, and is got over. Method:
 * writes to tables find no space (fault.h), until they do. */
#include "support.h"

#include <string.h>

#include <mr/clock.h>

#include "fault.h"

static void assert_full(mr_status status, const mr_error *err)
{
    assert_int_equal(status, MR_ERR_STORE);
    assert_message(*err, "task-1: cannot ");
    assert_message(*err, "no space left; free some, nothing that was committed is lost");
    assert_int_equal(err->action, MR_ACT_RETRY);
}

/* Writes until it succeeds again: RocksDB tries by itself. */
static void write_until_accepted(mr_partition *partition, const char *value, int64_t offset)
{
    enum { DEADLINE_MS = 20000 };
    mr_error err;
    mr_clock *clock = mr_clock_system();
    const int64_t deadline = mr_clock_monotonic_ms(clock) + DEADLINE_MS;
    while (write_one(partition, "key", value, offset, &err) != MR_OK) {
        assert_full(err.status, &err);
        assert_true(mr_clock_monotonic_ms(clock) < deadline);
    }
}

static void assert_state(mr_partition *partition, const char *expected, int64_t offset)
{
    mr_error err;
    mr_buf value = MR_BUF_NULL;
    mr_progress progress;
    assert_ok(mr_partition_get(partition, 1, mr_bytes_text("key"), &value, &err));
    assert_string_equal(mr_buf_text(&value), expected);
    assert_ok(mr_partition_progress(partition, &progress, &err));
    assert_true(progress.input_offset == offset);
    mr_buf_deinit(&value);
}

/* One row flushed, one in memory, one refused. */
static void fill_disk(const char *path, mr_database **ret_database, mr_partition **ret_partition)
{
    mr_error err;
    assert_ok(open_at(path, ret_database, &err));
    assert_ok(mr_partition_open(*ret_database, 1, ret_partition, &err));
    assert_ok(write_one(*ret_partition, "key", "flushed", 1, &err));
    assert_ok(mr_partition_flush(*ret_partition, &err));
    fault_disk_full(true);
    assert_ok(write_one(*ret_partition, "key", "in memory", 2, &err));
    assert_full(mr_partition_flush(*ret_partition, &err), &err);
    assert_full(write_one(*ret_partition, "key", "refused", 3, &err), &err);
    assert_state(*ret_partition, "in memory", 2);
}

static void a_full_disk_is_got_over_when_space_comes(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    fill_disk(*state, &database, &partition);
    fault_disk_full(false);
    write_until_accepted(partition, "accepted", 3);
    assert_ok(mr_partition_flush(partition, &err));
    mr_partition_close(partition);
    mr_database_free(database);
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 1, &partition, &err));
    assert_state(partition, "accepted", 3);
    mr_partition_close(partition);
    mr_database_free(database);
}

static void a_full_disk_costs_nothing_that_was_flushed(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    fill_disk(*state, &database, &partition);
    mr_partition_close(partition);
    assert_full(mr_database_close(database, &err), &err);
    fault_disk_full(false);
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 1, &partition, &err));
    assert_state(partition, "flushed", 1);
    mr_partition_close(partition);
    mr_database_free(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_disk_is_got_over_when_space_comes, directory_setup,
                                        directory_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_costs_nothing_that_was_flushed, directory_setup,
                                        directory_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
