/* Goal: a reader sees what was flushed, disturbs nobody and is not disturbed. Method: an owner and
 * a reader of one directory in one process; the directory is compared byte by byte. */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "store/directory.h"
#include "store/partition.h"

MR_DEFINE_CLEANUP(char, free)

enum { TASKS = 40 }; /* more than RocksDB opens by itself */

static void write_tasks(mr_database *database, const char *value)
{
    mr_error err;
    for (int i = 0; i < TASKS; i++) {
        mr_partition *partition = NULL;
        assert_ok(mr_partition_open(database, i, &partition, &err));
        assert_ok(write_one(partition, "key", value, 1, &err));
        assert_ok(mr_partition_flush(partition, &err));
        mr_partition_close(partition);
    }
}

static void assert_task(mr_database *database, int32_t number, const char *expected)
{
    mr_error err;
    mr_partition *partition = NULL;
    mr_buf value = MR_BUF_NULL;
    assert_ok(mr_partition_open(database, number, &partition, &err));
    assert_ok(mr_partition_get(partition, 1, mr_bytes_text("key"), &value, &err));
    assert_string_equal(mr_buf_text(&value), expected);
    mr_buf_deinit(&value);
    mr_partition_close(partition);
}

static void a_reader_sees_what_was_flushed_before(void **state)
{
    mr_error err;
    mr_database *owner = NULL;
    mr_database *reader = NULL;
    mr_partition *partition = NULL;
    assert_ok(open_at(*state, &owner, &err));
    assert_ok(mr_partition_open(owner, 3, &partition, &err));
    assert_ok(write_one(partition, "key", "flushed", 1, &err));
    assert_ok(mr_partition_flush(partition, &err));
    assert_ok(write_one(partition, "key", "in memory", 2, &err));
    assert_ok(open_read_only(*state, &reader, &err));
    assert_ok(mr_partition_flush(partition, &err));
    assert_task(reader, 3, "flushed");
    mr_partition *absent = NULL;
    assert_int_equal(mr_partition_open(reader, 4, &absent, &err), MR_NOT_FOUND);
    assert_null(absent);
    assert_ok(mr_database_close(reader, &err));
    assert_ok(open_read_only(*state, &reader, &err));
    assert_task(reader, 3, "in memory");
    mr_database_free(reader);
    mr_partition_close(partition);
    assert_ok(mr_database_close(owner, &err));
}

static void a_reader_goes_on_when_the_owner_replaces_the_tables(void **state)
{
    mr_error err;
    mr_database *owner = NULL;
    mr_database *reader = NULL;
    assert_ok(open_at(*state, &owner, &err));
    write_tasks(owner, "old");
    assert_ok(open_read_only(*state, &reader, &err));
    write_tasks(owner, "new");
    for (size_t i = 0; i < owner->n_families; i++) {
        rocksdb_compact_range_cf(owner->rocks, owner->families[i]->handle, NULL, 0, NULL, 0);
    }
    for (int i = 0; i < TASKS; i++) {
        assert_task(reader, i, "old");
        assert_task(owner, i, "new");
    }
    mr_database_free(reader);
    mr_database_free(owner);
}

/* Name, size and time of change of every file, and of the directory itself, but not of the one
 * above, where other programs work. */
static char *list(const char *path)
{
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, NULL, alphasort);
    assert_true(n > 0);
    mr_buf text = MR_BUF_NULL;
    for (int i = 0; i < n; i++) {
        MR_CLEANUP(freep) char *file = mr_asprintf("%s/%s", path, entries[i]->d_name);
        struct stat info;
        assert_int_equal(stat(file, &info), 0);
        if (strcmp(entries[i]->d_name, "..") != 0) {
            mr_buf_printf(&text, "%s %lld %lld.%09ld\n", entries[i]->d_name,
                          (long long)info.st_size, (long long)info.st_mtim.tv_sec,
                          info.st_mtim.tv_nsec);
        }
        free(entries[i]);
    }
    free(entries);
    return (char *)text.data;
}

static void a_reader_changes_nothing(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    assert_ok(open_at(*state, &database, &err));
    write_tasks(database, "value");
    mr_database_free(database);
    MR_CLEANUP(freep) char *before = list(*state);
    assert_ok(open_read_only(*state, &database, &err));
    assert_task(database, 3, "value");
    assert_ok(mr_database_close(database, &err));
    MR_CLEANUP(freep) char *after = list(*state);
    assert_string_equal(before, after);
}

static void a_directory_says_whether_it_is_in_use(void **state)
{
    mr_error err;
    mr_database *owner = NULL;
    mr_database *reader = NULL;
    assert_false(mr_directory_in_use("/nowhere"));
    assert_false(mr_directory_in_use(*state));
    assert_ok(open_at(*state, &owner, &err));
    assert_true(mr_directory_in_use(*state));
    assert_true(mr_directory_in_use(*state)); /* asking does not drop it */
    assert_ok(open_read_only(*state, &reader, &err));
    mr_database_free(owner);
    assert_false(mr_directory_in_use(*state));
    mr_database_free(reader);
}

/* Seen while the owner lives, missing tables are its work, and nobody is told to move anything. */
static void tables_that_vanish_under_an_owner_are_no_damage(void **state)
{
    mr_error err;
    mr_database *owner = NULL;
    mr_database *reader = NULL;
    assert_ok(open_at(*state, &owner, &err));
    write_tasks(owner, "value");
    MR_CLEANUP(freep) char *manifest = mr_asprintf("%s/CURRENT", (char *)*state);
    FILE *stream = fopen(manifest, "w");
    assert_non_null(stream);
    assert_true(fputs("MANIFEST-999999\n", stream) >= 0);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(open_read_only(*state, &reader, &err), MR_ERR_STORE);
    assert_message(err, "is being changed by the process that owns it; try again");
    assert_int_equal(err.action, MR_ACT_RETRY);
    mr_database_free(owner);
    assert_int_equal(open_read_only(*state, &reader, &err), MR_ERR_STORE);
    assert_message(err, "the files are damaged");
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(a_reader_sees_what_was_flushed_before),
        in_directory(a_reader_goes_on_when_the_owner_replaces_the_tables),
        in_directory(a_reader_changes_nothing),
        in_directory(a_directory_says_whether_it_is_in_use),
        in_directory(tables_that_vanish_under_an_owner_are_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
