/*
 * Goal: files are replaced in one step, and clearing a directory never leaves it. Method: a
 * directory in /tmp with links that point outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "app/files.h"
#include "core/file.h"

static bool exists(const char *directory, const char *name)
{
    char path[128];
    struct stat found;
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return lstat(path, &found) == 0;
}

static void make(const char *directory, const char *name, const char *text)
{
    char path[128];
    mr_error err;
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(mr_file_write(path, mr_bytes_text(text), &err), MR_OK);
}

static void a_file_is_replaced(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-files-XXXXXX";
    char path[64];
    mr_buf text = MR_BUF_NULL;
    mr_error err;
    assert_non_null(mkdtemp(directory));
    make(directory, "a", "a longer text than the next one");
    make(directory, "a", "short");
    (void)snprintf(path, sizeof(path), "%s/a", directory);
    assert_int_equal(mr_file_read(path, 100, &text, &err), MR_OK);
    assert_string_equal(mr_buf_text(&text), "short");
    assert_false(exists(directory, "a.new"));
    (void)snprintf(path, sizeof(path), "%s/none/a", directory);
    assert_int_equal(mr_file_write(path, mr_bytes_text("x"), &err), MR_ERR_SYSTEM);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(mr_directory_clear(directory, &err), MR_OK);
    assert_int_equal(rmdir(directory), 0);
    mr_buf_deinit(&text);
}

static void clearing_stays_inside(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-files-XXXXXX";
    char outside[] = "/tmp/test-files-XXXXXX";
    char path[64];
    mr_error err;
    assert_non_null(mkdtemp(directory));
    assert_non_null(mkdtemp(outside));
    make(outside, "keep", "k");
    (void)snprintf(path, sizeof(path), "%s/a/b/c", directory);
    assert_int_equal(mr_directory_make(path, &err), MR_OK);
    assert_int_equal(mr_directory_make(path, &err), MR_OK);
    make(directory, "a/b/c/file", "x");
    make(directory, "file", "x");
    (void)snprintf(path, sizeof(path), "%s/link", directory);
    assert_int_equal(symlink(outside, path), 0);
    (void)snprintf(path, sizeof(path), "%s/a/up", directory);
    assert_int_equal(symlink("..", path), 0);
    assert_int_equal(mr_directory_clear(directory, &err), MR_OK);
    assert_true(exists(outside, "keep"));
    assert_int_equal(rmdir(directory), 0); /* it is empty */
    assert_int_equal(mr_directory_clear(outside, &err), MR_OK);
    assert_int_equal(rmdir(outside), 0);
    assert_int_equal(mr_directory_clear(outside, &err), MR_ERR_SYSTEM);
}

static void a_file_in_the_way_is_said(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-files-XXXXXX";
    char path[64];
    mr_error err;
    assert_non_null(mkdtemp(directory));
    make(directory, "file", "x");
    (void)snprintf(path, sizeof(path), "%s/file/below", directory);
    assert_int_equal(mr_directory_make(path, &err), MR_ERR_SYSTEM);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(mr_directory_clear(directory, &err), MR_OK);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced),
        cmocka_unit_test(clearing_stays_inside),
        cmocka_unit_test(a_file_in_the_way_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
