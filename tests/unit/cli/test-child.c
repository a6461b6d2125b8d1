/*
 * Goal: a processor is found, given what it needs, and its command line is said once. Method: a
 * script of that name in a directory of PATH, which writes down its arguments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "app/files.h"
#include "cli/child.h"
#include "core/file.h"

static void a_processor_is_started_with_its_arguments(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-child-XXXXXX";
    char path[80];
    char output[80];
    mr_buf script = MR_BUF_NULL;
    mr_buf written = MR_BUF_NULL;
    mr_texts assignments = {0};
    mr_command command;
    mr_error err;
    int status = 0;
    sigset_t mask;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/millrace-juggle", directory);
    (void)snprintf(output, sizeof(output), "%s/output", directory);
    mr_buf_printf(&script, "#!/bin/sh\nprintf '%%s|' \"$0\" \"$@\" >%s\nexit 7\n", output);
    assert_int_equal(mr_file_write(path, mr_buf_bytes(&script), &err), MR_OK);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(setenv("PATH", directory, 1), 0);
    mr_texts_add(&assignments, "a=b c");
    const mr_command_options options = {.kind = "juggle",
                                        .app = "dir",
                                        .stage = "cart",
                                        .version = "v2",
                                        .instance = "3",
                                        .config = "f",
                                        .assignments = &assignments,
                                        .death_signal = SIGKILL};
    assert_int_equal(mr_command_init(&command, &options, &err), MR_OK);
    assert_string_equal(command.path, path);
    assert_string_equal(command.argv[0], "millrace-juggle");
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    const pid_t pid = mr_command_start(&command, &mask);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(mr_file_read(output, 1000, &written, &err), MR_OK);
    assert_non_null(strstr(mr_buf_text(&written),
                           "|--app|dir|--stage|cart|--as|v2|--config|f|-X|a=b c|-X|"
                           "group.instance.id=3|"));
    mr_command_deinit(&command);
    mr_texts_deinit(&assignments);
    mr_buf_deinit(&script);
    mr_buf_deinit(&written);
    assert_int_equal(mr_directory_clear(directory, &err), MR_OK);
    assert_int_equal(rmdir(directory), 0);
}

static void a_missing_processor_is_said(void **state)
{
    (void)state;
    mr_texts assignments = {0};
    mr_command command;
    mr_error err;
    assert_int_equal(setenv("PATH", "/nonexistent:", 1), 0);
    const mr_command_options options = {
        .kind = "juggle", .app = "a", .stage = "s", .instance = "0", .assignments = &assignments};
    assert_int_equal(mr_command_init(&command, &options, &err), MR_ERR_USAGE);
    assert_string_equal(err.message,
                        "stage 's' needs millrace-juggle, which is neither beside this "
                        "program nor in PATH");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_is_started_with_its_arguments),
        cmocka_unit_test(a_missing_processor_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
