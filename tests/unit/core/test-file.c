/* Goal: a file is read whole or named with the reason. Method: files of all kinds in a directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"

typedef struct fixture {
    char directory[64];
    char path[96];
    mr_buf contents;
    mr_error err;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-file-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/file", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    (void)unlink(f->path);
    (void)rmdir(f->directory);
    mr_buf_deinit(&f->contents);
    free(f);
    return 0;
}

static void write_file(const fixture *f, const char *data, size_t len)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void contents_are_appended(void **state)
{
    fixture *f = *state;
    write_file(f, "a\0b", 3);
    mr_buf_append_text(&f->contents, ">");
    assert_int_equal(mr_file_read(f->path, 3, &f->contents, &f->err), MR_OK);
    assert_int_equal(mr_file_read(f->path, 3, &f->contents, &f->err), MR_OK);
    assert_true(mr_bytes_equal(mr_buf_bytes(&f->contents), mr_bytes_of(">a\0ba\0b", 7)));
    write_file(f, "", 0);
    mr_buf_clear(&f->contents);
    assert_int_equal(mr_file_read(f->path, 0, &f->contents, &f->err), MR_OK);
    assert_string_equal(mr_buf_text(&f->contents), "");
}

static void a_large_file_is_read_to_its_limit(void **state)
{
    fixture *f = *state;
    enum { LEN = 100001 };
    char *data = malloc(LEN);
    memset(data, 'x', LEN);
    write_file(f, data, LEN);
    assert_int_equal(mr_file_read(f->path, LEN, &f->contents, &f->err), MR_OK);
    assert_true(mr_bytes_equal(mr_buf_bytes(&f->contents), mr_bytes_of(data, LEN)));
    assert_int_equal(mr_file_read(f->path, LEN - 1, &f->contents, &f->err), MR_ERR_SYSTEM);
    assert_non_null(strstr(f->err.message, "larger than 100000 bytes"));
    free(data);
}

static void what_is_no_file_is_named(void **state)
{
    fixture *f = *state;
    assert_int_equal(mr_file_read(f->path, 9, &f->contents, &f->err), MR_NOT_FOUND);
    assert_int_equal(mr_file_read(f->directory, 9, &f->contents, &f->err), MR_ERR_SYSTEM);
    assert_non_null(strstr(f->err.message, f->directory));
    /* Nobody writes to it: reading must not wait for ever. */
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(mr_file_read(f->path, 9, &f->contents, &f->err), MR_ERR_SYSTEM);
    assert_non_null(strstr(f->err.message, "no regular file"));
    char below[128];
    (void)snprintf(below, sizeof(below), "%s/below", f->path);
    assert_int_equal(mr_file_read(below, 9, &f->contents, &f->err), MR_NOT_FOUND);
}

static void the_systems_reason_is_said(void **state)
{
    fixture *f = *state;
    /* A link to itself cannot be opened, by root neither. */
    assert_int_equal(symlink(f->path, f->path), 0);
    assert_int_equal(mr_file_read(f->path, 9, &f->contents, &f->err), MR_ERR_SYSTEM);
    assert_non_null(strstr(f->err.message, "Too many levels of symbolic links"));
    assert_true(f->err.native != 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(contents_are_appended),
        TEST(a_large_file_is_read_to_its_limit),
        TEST(what_is_no_file_is_named),
        TEST(the_systems_reason_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
