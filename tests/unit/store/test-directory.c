/* Goal: a directory that cannot be used is refused in a sentence that says what to do, and nothing
 * in it is lost. Method: each kind of damage done to a real directory; then undone, and the row is
 * still there. */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "store/partition.h"

enum { NOBODY = 65534 };

MR_DEFINE_CLEANUP(char, free)

/* ---- Directories and files ---- */

/* The newest file in the directory whose name begins and ends so. */
static char *find_file(const char *path, const char *begin, const char *end)
{
    char *found = NULL;
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        const size_t len = strlen(entry->d_name);
        if (strncmp(entry->d_name, begin, strlen(begin)) != 0 || len < strlen(end) ||
            strcmp(entry->d_name + len - strlen(end), end) != 0) {
            continue;
        }
        char *file = mr_asprintf("%s/%s", path, entry->d_name);
        if (found == NULL || strcmp(file, found) > 0) {
            free(found);
            found = file;
        } else {
            free(file);
        }
    }
    (void)closedir(entries);
    assert_non_null(found);
    return found;
}

static void write_file(const char *file, const char *text)
{
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void rename_file(const char *from, const char *to)
{
    assert_int_equal(rename(from, to), 0);
}

/* ---- Who may open ---- */

static void the_directory_and_those_above_are_made(void **state)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/a/b/c", (char *)*state);
    make_state(path);
    assert_state_is_whole(path);
    MR_CLEANUP(freep) char *slash = mr_asprintf("%s/", path);
    assert_state_is_whole(slash);
}

static void a_directory_in_use_is_refused(void **state)
{
    mr_error err;
    mr_database *first = NULL;
    make_state(*state);
    assert_ok(open_at(*state, &first, &err));
    assert_not_opened(*state, false, MR_ERR_USAGE,
                      "' is in use by another process; stop it or set another "
                      "state.dir/instance.id");
    assert_row(first);
    mr_database_free(first);
    assert_state_is_whole(*state);
}

/* RocksDB's own tools know nothing of our lock. */
static void a_directory_in_use_by_a_tool_is_refused(void **state)
{
    make_state(*state);
    char *failure = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    const rocksdb_options_t *each[] = {options, options};
    const char *names[] = {"default", "task-3"};
    rocksdb_column_family_handle_t *handles[2];
    rocksdb_t *tool =
        rocksdb_open_column_families(options, *state, 2, names, each, handles, &failure);
    assert_null(failure);
    assert_not_opened(*state, false, MR_ERR_USAGE, "is in use by another process");
    rocksdb_column_family_handle_destroy(handles[0]);
    rocksdb_column_family_handle_destroy(handles[1]);
    rocksdb_close(tool);
    rocksdb_options_destroy(options);
    assert_state_is_whole(*state);
}

static void what_is_no_directory_is_refused(void **state)
{
    MR_CLEANUP(freep) char *file = mr_asprintf("%s/file", (char *)*state);
    MR_CLEANUP(freep) char *below = mr_asprintf("%s/below", file);
    MR_CLEANUP(freep) char *missing = mr_asprintf("%s/missing", (char *)*state);
    write_file(file, "text");
    assert_not_opened(file, false, MR_ERR_USAGE, "is not a directory");
    assert_not_opened(file, true, MR_ERR_USAGE, "is not a directory");
    assert_not_opened(below, false, MR_ERR_USAGE, "is not a directory");
    assert_not_opened(missing, true, MR_ERR_USAGE, "does not exist; check state.dir");
    assert_not_opened("", false, MR_ERR_USAGE, "name is empty");
    struct stat info;
    assert_int_equal(stat(missing, &info), -1);
}

/* As root the tests take another user's place for the call. */
static void assert_refused_unprivileged(const char *path, bool read_only, const char *part)
{
    const bool root = geteuid() == 0;
    assert_true(!root || seteuid(NOBODY) == 0);
    assert_not_opened(path, read_only, MR_ERR_USAGE, part);
    assert_true(!root || seteuid(0) == 0);
}

static void missing_permission_is_said(void **state)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/state", (char *)*state);
    MR_CLEANUP(freep) char *inner = mr_asprintf("%s/inner", path);
    MR_CLEANUP(freep) char *lock = mr_asprintf("%s/" MR_DIRECTORY_LOCK, path);
    make_state(path);
    assert_int_equal(chmod(*state, 0755), 0);
    assert_int_equal(chmod(lock, 0444), 0);
    assert_int_equal(chmod(path, 0555), 0);
    assert_refused_unprivileged(path, false, "no permission to write there; give it to the user");
    assert_refused_unprivileged(inner, false, "no permission to make it");
    const bool root = geteuid() == 0;
    assert_true(!root || seteuid(NOBODY) == 0);
    mr_error err;
    mr_database *database = NULL;
    assert_ok(open_read_only(path, &database, &err));
    assert_row(database);
    mr_database_free(database);
    assert_true(!root || seteuid(0) == 0);
    assert_int_equal(chmod(path, 0000), 0);
    assert_refused_unprivileged(path, true, "no permission to read it");
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(chmod(lock, 0644), 0);
    assert_state_is_whole(path);
}

/* After it was opened; RocksDB's own words are what tells. */
static void permission_that_is_taken_away_is_said(void **state)
{
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    const bool root = geteuid() == 0;
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 3, &partition, &err));
    assert_ok(write_one(partition, "key", "value", 1, &err));
    assert_int_equal(chmod(*state, 0555), 0);
    assert_true(!root || seteuid(NOBODY) == 0);
    assert_int_equal(mr_partition_flush(partition, &err), MR_ERR_STORE);
    assert_true(!root || seteuid(0) == 0);
    assert_message(err, "task-3: cannot flush: not permitted; give the directory to the user");
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_int_equal(chmod(*state, 0755), 0);
    mr_partition_close(partition);
    mr_database_free(database);
}

/* ---- Damage ---- */

static void a_missing_current_is_damage(void **state)
{
    MR_CLEANUP(freep) char *current = mr_asprintf("%s/CURRENT", (char *)*state);
    MR_CLEANUP(freep) char *aside = mr_asprintf("%s/aside", (char *)*state);
    make_state(*state);
    rename_file(current, aside);
    assert_not_opened(*state, false, MR_ERR_STORE,
                      "the file CURRENT is missing; `millrace restore`");
    assert_not_opened(*state, true, MR_ERR_STORE,
                      "the file CURRENT is missing; `millrace restore`");
    rename_file(aside, current);
    assert_state_is_whole(*state);
}

static void a_garbled_current_is_damage(void **state)
{
    static const char *const garbage[] = {
        "", "\n", "garbage", "MANIFEST-999999\n", "../../x\n", "MANIFEST-000001"};
    MR_CLEANUP(freep) char *current = mr_asprintf("%s/CURRENT", (char *)*state);
    MR_CLEANUP(freep) char *aside = mr_asprintf("%s/aside", (char *)*state);
    make_state(*state);
    rename_file(current, aside);
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        write_file(current, garbage[i]);
        assert_not_opened(*state, false, MR_ERR_STORE, "the files are damaged; `millrace restore`");
        assert_not_opened(*state, true, MR_ERR_STORE, "the files are damaged; `millrace restore`");
    }
    rename_file(aside, current);
    assert_state_is_whole(*state);
}

static void a_missing_table_is_damage(void **state)
{
    make_state(*state);
    MR_CLEANUP(freep) char *table = find_file(*state, "", ".sst");
    MR_CLEANUP(freep) char *aside = mr_asprintf("%s/aside", (char *)*state);
    rename_file(table, aside);
    assert_not_opened(*state, false, MR_ERR_STORE, "the files are damaged; `millrace restore`");
    assert_not_opened(*state, true, MR_ERR_STORE, "the files are damaged; `millrace restore`");
    rename_file(aside, table);
    assert_state_is_whole(*state);
}

static void a_cut_table_is_damage(void **state)
{
    make_state(*state);
    MR_CLEANUP(freep) char *table = find_file(*state, "", ".sst");
    struct stat info;
    assert_int_equal(stat(table, &info), 0);
    assert_int_equal(truncate(table, info.st_size / 2), 0);
    assert_not_opened(*state, false, MR_ERR_STORE, "the files are damaged; `millrace restore`");
    assert_not_opened(*state, true, MR_ERR_STORE, "the files are damaged; `millrace restore`");
}

static void a_garbled_manifest_is_damage(void **state)
{
    make_state(*state);
    MR_CLEANUP(freep) char *manifest = find_file(*state, "MANIFEST-", "");
    write_file(manifest, "this is no manifest, but it is long enough to hold a record's header");
    assert_not_opened(*state, false, MR_ERR_STORE, "the files are damaged; `millrace restore`");
    assert_not_opened(*state, true, MR_ERR_STORE, "the files are damaged; `millrace restore`");
}

static void a_flipped_byte_is_found_when_it_is_read(void **state)
{
    make_state(*state);
    MR_CLEANUP(freep) char *table = find_file(*state, "", ".sst");
    const int fd = open(table, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    uint8_t byte = 0;
    assert_int_equal(pread(fd, &byte, 1, 4), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, 4), 1);
    assert_int_equal(close(fd), 0);
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    mr_cursor *cursor = NULL;
    mr_buf value = MR_BUF_NULL;
    assert_ok(open_at(*state, &database, &err));
    assert_ok(mr_partition_open(database, 3, &partition, &err));
    assert_int_equal(mr_partition_get(partition, 1, mr_bytes_text("key"), &value, &err),
                     MR_ERR_STORE);
    assert_message(err,
                   "task-3: cannot read a row: the files are damaged; `millrace restore` puts");
    assert_ok(mr_cursor_open(partition, 1, MR_BYTES_NULL, MR_BYTES_NULL, &cursor, &err));
    mr_bytes row[2];
    assert_int_equal(mr_cursor_next(cursor, &row[0], &row[1], &err), MR_ERR_STORE);
    assert_message(err, "task-3: cannot scan rows: the files are damaged");
    mr_cursor_close(cursor);
    mr_partition_close(partition);
    mr_database_free(database);
}

/* ---- Putting aside ---- */

static void assert_aside(const char *path, const char *number)
{
    mr_error err;
    char *moved = NULL;
    assert_ok(mr_directory_put_aside(path, &moved, &err));
    MR_CLEANUP(freep) char *aside = moved;
    MR_CLEANUP(freep) char *end = mr_asprintf("/.state.aside-%s", number);
    assert_string_equal(strrchr(aside, '/'), end);
    assert_state_is_whole(aside);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_directory_is_put_aside_whole_and_beside_those_before(void **state)
{
    mr_error err;
    char *moved = NULL;
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/state", (char *)*state);
    MR_CLEANUP(freep) char *third = mr_asprintf("%s/.state.aside-3", (char *)*state);
    assert_int_equal(mr_directory_put_aside(path, &moved, &err), MR_NOT_FOUND);
    make_state(path);
    assert_aside(path, "1");
    make_state(path);
    assert_aside(path, "2");
    /* Whatever has the next name is left alone. */
    write_file(third, "mine");
    make_state(path);
    assert_aside(path, "4");
    assert_null(moved);
}

static void a_directory_in_use_is_not_put_aside(void **state)
{
    mr_error err;
    mr_database *owner = NULL;
    char *moved = NULL;
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/state", (char *)*state);
    make_state(path);
    assert_ok(open_at(path, &owner, &err));
    assert_int_equal(mr_directory_put_aside(path, &moved, &err), MR_ERR_USAGE);
    assert_message(err, "is in use by another process");
    assert_null(moved);
    assert_row(owner);
    mr_database_free(owner);
    assert_state_is_whole(path);
}

/* ---- Beginnings ---- */

static void a_directory_without_state_is_new_or_said_to_be(void **state)
{
    assert_not_opened(*state, true, MR_ERR_USAGE, "holds no state yet");
    make_state(*state);
    assert_state_is_whole(*state);
}

/* The process was killed after RocksDB had made its files and before our record was in them. */
static void an_interrupted_beginning_is_begun_again(void **state)
{
    char *failure = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_t *begun = rocksdb_open(options, *state, &failure);
    assert_null(failure);
    rocksdb_close(begun);
    rocksdb_options_destroy(options);
    assert_not_opened(*state, true, MR_ERR_USAGE, "holds no state yet");
    make_state(*state);
    assert_state_is_whole(*state);
}

/* With a column family of its own, or with a row in the default one. */
static void make_other(const char *path, bool with_family)
{
    char *failure = NULL;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_writeoptions_t *write = rocksdb_writeoptions_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_t *other = rocksdb_open(options, path, &failure);
    assert_null(failure);
    if (with_family) {
        rocksdb_column_family_handle_destroy(
            rocksdb_create_column_family(other, options, "theirs", &failure));
    } else {
        rocksdb_put(other, write, "k", 1, "v", 1, &failure);
    }
    assert_null(failure);
    rocksdb_close(other);
    rocksdb_writeoptions_destroy(write);
    rocksdb_options_destroy(options);
}

static void the_database_of_another_program_is_refused(void **state)
{
    for (int with_family = 0; with_family < 2; with_family++) {
        MR_CLEANUP(freep) char *path = mr_asprintf("%s/%d", (char *)*state, with_family);
        make_other(path, with_family == 1);
        assert_not_opened(path, false, MR_ERR_USAGE,
                          "holds a RocksDB database that millrace did not");
        assert_not_opened(path, true, MR_ERR_USAGE,
                          "holds a RocksDB database that millrace did not");
    }
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(the_directory_and_those_above_are_made),
        in_directory(a_directory_in_use_is_refused),
        in_directory(a_directory_in_use_by_a_tool_is_refused),
        in_directory(what_is_no_directory_is_refused),
        in_directory(missing_permission_is_said),
        in_directory(permission_that_is_taken_away_is_said),
        in_directory(a_directory_is_put_aside_whole_and_beside_those_before),
        in_directory(a_directory_in_use_is_not_put_aside),
        in_directory(a_missing_current_is_damage),
        in_directory(a_garbled_current_is_damage),
        in_directory(a_missing_table_is_damage),
        in_directory(a_cut_table_is_damage),
        in_directory(a_garbled_manifest_is_damage),
        in_directory(a_flipped_byte_is_found_when_it_is_read),
        in_directory(a_directory_without_state_is_new_or_said_to_be),
        in_directory(an_interrupted_beginning_is_begun_again),
        in_directory(the_database_of_another_program_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
