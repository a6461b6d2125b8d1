/*
 * Goal: a directory that was sealed is found out when one bit of it is not as it was; what is not
 * sealed has no name. And a checkpoint is one moment of each task, while its owner writes. Method:
 * a small archive is damaged at every byte; checkpoints are opened and read.
 */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/file.h"
#include "moment.h"
#include "store/archive.h"

MR_DEFINE_CLEANUP(char, free)

/* ---- Archives ---- */

static char *make_archive(const char *base, const char *name)
{
    mr_error err;
    int64_t bytes = 0;
    MR_CLEANUP(freep) char *partial = mr_asprintf("%s/.%s", base, name);
    char *archive = mr_asprintf("%s/%s", base, name);
    assert_int_equal(mkdir(partial, 0750), 0);
    assert_ok(mr_archive_add(partial, "b", mr_bytes_text("second"), &err));
    assert_ok(mr_archive_add(partial, "a", mr_bytes_text("first file"), &err));
    assert_ok(mr_archive_add(partial, "empty", mr_bytes_text(""), &err));
    assert_int_equal(mr_archive_check(partial, &err), MR_ERR_STORE);
    assert_message(err,
                   "XXH128SUMS is missing: it is no backup, or one that did not come to its end");
    assert_ok(mr_archive_seal(partial, archive, &bytes, &err));
    assert_int_equal(bytes, 16);
    assert_int_equal(access(partial, F_OK), -1);
    return archive;
}

static mr_buf read_in(const char *directory, const char *name)
{
    mr_error err;
    mr_buf contents = MR_BUF_NULL;
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, name);
    assert_ok(mr_file_read(path, 1 << 20, &contents, &err));
    return contents;
}

static void replace(const char *directory, const char *name, mr_bytes contents)
{
    mr_error err;
    assert_ok(mr_archive_add(directory, name, contents, &err));
}

static void the_list_is_what_xxh128sum_writes(void **state)
{
    mr_error err;
    MR_CLEANUP(freep) char *archive = make_archive(*state, "x");
    mr_buf sums = read_in(archive, MR_ARCHIVE_SUMS);
    /* The sums are those of python-xxhash. */
    assert_string_equal(mr_buf_text(&sums), "499bc452e1750541052845fd39fcfa96  a\n"
                                            "885b08846244feb4e13dcb4be2a53071  b\n"
                                            "99aa06d3014798d86001c324468d497f  empty\n");
    mr_buf_deinit(&sums);
    assert_ok(mr_archive_check(archive, &err));
}

static void every_flipped_bit_is_found(void **state)
{
    static const char *const names[] = {"a", "b", MR_ARCHIVE_SUMS};
    mr_error err;
    MR_CLEANUP(freep) char *archive = make_archive(*state, "x");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        mr_buf contents = read_in(archive, names[i]);
        for (size_t bit = 0; bit < 8 * contents.len; bit++) {
            contents.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            replace(archive, names[i], mr_buf_bytes(&contents));
            if (mr_archive_check(archive, &err) != MR_ERR_STORE) {
                fail_msg("bit %zu of %s is not found", bit, names[i]);
            }
            assert_message(err, archive);
            contents.data[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        replace(archive, names[i], mr_buf_bytes(&contents));
        assert_ok(mr_archive_check(archive, &err));
        mr_buf_deinit(&contents);
    }
}

static void every_cut_is_found(void **state)
{
    static const char *const names[] = {"a", "b", MR_ARCHIVE_SUMS};
    mr_error err;
    MR_CLEANUP(freep) char *archive = make_archive(*state, "x");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        mr_buf contents = read_in(archive, names[i]);
        for (size_t len = 0; len < contents.len; len++) {
            replace(archive, names[i], mr_bytes_of(contents.data, len));
            assert_int_equal(mr_archive_check(archive, &err), MR_ERR_STORE);
        }
        replace(archive, names[i], mr_buf_bytes(&contents));
        mr_buf_deinit(&contents);
    }
    assert_ok(mr_archive_check(archive, &err));
}

static void what_is_missing_or_not_listed_is_named(void **state)
{
    mr_error err;
    MR_CLEANUP(freep) char *archive = make_archive(*state, "x");
    MR_CLEANUP(freep) char *a = mr_asprintf("%s/a", archive);
    MR_CLEANUP(freep) char *more = mr_asprintf("%s/more", archive);
    replace(archive, "more", mr_bytes_text("x"));
    assert_int_equal(mr_archive_check(archive, &err), MR_ERR_STORE);
    assert_message(err, "more is in no line");
    assert_int_equal(unlink(more), 0);
    assert_ok(mr_archive_check(archive, &err));
    assert_int_equal(unlink(a), 0);
    assert_int_equal(mr_archive_check(archive, &err), MR_ERR_STORE);
    assert_message(err, "a is missing");
}

static void a_name_that_is_taken_stays(void **state)
{
    mr_error err;
    int64_t bytes = 0;
    MR_CLEANUP(freep) char *archive = make_archive(*state, "x");
    MR_CLEANUP(freep) char *second = mr_asprintf("%s/.second", (char *)*state);
    assert_int_equal(mkdir(second, 0750), 0);
    assert_int_equal(mr_archive_seal(second, archive, &bytes, &err), MR_ERR_SYSTEM);
    assert_message(err, archive);
    assert_ok(mr_archive_check(archive, &err));
    assert_ok(mr_archive_remove(second, &err));
    assert_int_equal(access(second, F_OK), -1);
    assert_ok(mr_archive_remove(second, &err));
}

static void a_copy_has_the_files_without_the_list(void **state)
{
    mr_error err;
    MR_CLEANUP(freep) char *archive = make_archive(*state, "x");
    MR_CLEANUP(freep) char *copy = mr_asprintf("%s/copy", (char *)*state);
    MR_CLEANUP(freep) char *sums = mr_asprintf("%s/" MR_ARCHIVE_SUMS, copy);
    assert_ok(mr_archive_copy(archive, copy, &err));
    mr_buf a = read_in(copy, "a");
    assert_string_equal(mr_buf_text(&a), "first file");
    mr_buf_deinit(&a);
    assert_int_equal(access(sums, F_OK), -1);
    assert_int_equal(mr_archive_copy(archive, copy, &err), MR_ERR_SYSTEM);
    assert_message(err, copy);
}

/* ---- Checkpoints ---- */

enum { TASKS = 2, CHECKPOINTS = 10 };

typedef struct owner {
    mr_partition *partitions[TASKS];
    atomic_llong written; /* to all tasks */
    atomic_bool stop;
} owner;

static void *write_all_the_time(void *argument)
{
    owner *self = argument;
    for (int64_t number = 1; !atomic_load(&self->stop); number++) {
        mr_error err;
        for (int task = 0; task < TASKS; task++) {
            if (moment_write(self->partitions[task], number, &err) != MR_OK) {
                return self;
            }
        }
        atomic_store(&self->written, number);
    }
    return NULL;
}

static void check_checkpoint(const char *directory, int64_t least)
{
    mr_error err;
    mr_database *database = NULL;
    assert_ok(open_read_only(directory, &database, &err));
    for (int task = 0; task < TASKS; task++) {
        mr_partition *partition = NULL;
        assert_ok(mr_partition_open(database, task, &partition, &err));
        const int64_t moment = moment_read(partition);
        assert_true(moment >= least);
        mr_partition_close(partition);
    }
    mr_database_free(database);
}

static void a_checkpoint_is_one_moment_while_the_owner_writes(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    owner self = {0};
    pthread_t thread;
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/state", (char *)*state);
    assert_ok(open_at(directory, &database, &err));
    for (int task = 0; task < TASKS; task++) {
        assert_ok(mr_partition_open(database, task, &self.partitions[task], &err));
    }
    assert_int_equal(pthread_create(&thread, NULL, write_all_the_time, &self), 0);
    for (int i = 0; i < CHECKPOINTS; i++) {
        const int64_t least = atomic_load(&self.written);
        MR_CLEANUP(freep) char *copy = mr_asprintf("%s/copy-%d", (char *)*state, i);
        assert_ok(mr_database_checkpoint(database, copy, &err));
        check_checkpoint(copy, least);
    }
    atomic_store(&self.stop, true);
    void *failed = NULL;
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    for (int task = 0; task < TASKS; task++) {
        mr_partition_close(self.partitions[task]);
    }
    mr_database_free(database);
}

static void a_checkpoint_replaces_nothing(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/state", (char *)*state);
    MR_CLEANUP(freep) char *nowhere = mr_asprintf("%s/missing/copy", (char *)*state);
    assert_ok(open_at(directory, &database, &err));
    assert_int_equal(mr_database_checkpoint(database, *state, &err), MR_ERR_STORE);
    assert_message(err, "make the checkpoint");
    assert_message(err, "exists");
    assert_int_equal(mr_database_checkpoint(database, nowhere, &err), MR_ERR_STORE);
    assert_message(err, nowhere);
    assert_ok(mr_database_close(database, &err));
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(the_list_is_what_xxh128sum_writes),
        in_directory(every_flipped_bit_is_found),
        in_directory(every_cut_is_found),
        in_directory(what_is_missing_or_not_listed_is_named),
        in_directory(a_name_that_is_taken_stays),
        in_directory(a_copy_has_the_files_without_the_list),
        in_directory(a_checkpoint_is_one_moment_while_the_owner_writes),
        in_directory(a_checkpoint_replaces_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
