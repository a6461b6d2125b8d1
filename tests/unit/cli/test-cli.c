/*
 * Goal: exit codes say what happened, and a wrong command line ends with 2 before anything is
 * opened. Method: the whole program, called with command lines that need no app and no broker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"

static int call(const char *const *words, size_t n)
{
    enum { WORDS_MAX = 8 };
    static const mr_kind *const no_kinds[] = {NULL};
    char *argv[WORDS_MAX + 1] = {NULL};
    for (size_t i = 0; i < n && i < WORDS_MAX; i++) {
        argv[i] = (char *)(uintptr_t)words[i];
    }
    return mr_cli_run(no_kinds, (int)n, argv);
}

static void wrong_command_lines_end_with_2(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        size_t n;
    } rows[] = {
        {{"millrace"}, 1},
        {{"millrace", "tset"}, 2},
        {{"millrace", ""}, 2},
        {{"millrace", "--hepl"}, 2},
        {{"millrace", "check"}, 2},
        {{"millrace", "version", "x"}, 3},
        {{"millrace", "check", "/nonexistent"}, 3},
        {{"millrace", "check", "/nonexistent", "--jsn"}, 4},
        {{"millrace", "get", "/nonexistent", "store"}, 4},
        {{"millrace", "topics", "creat", "/nonexistent"}, 4},
        {{"millrace", "emit", "/nonexistent"}, 3},
        {{"millrace", "emit", "/nonexistent", "{}", "{}"}, 5},
        {{"millrace", "emit", "/nonexistent", "t", "--file=f", "{}"}, 6},
        {{"millrace", "lag", "/nonexistent", "--wait", "x"}, 5},
        {{"millrace", "dev", "/nonexistent", "-X", "bootstrap.servers=x"}, 5},
        {{"millrace", "check", "/nonexistent", "-X", "num.workers=0"}, 5},
        {{"millrace", "check", "/nonexistent", "-X", "nonsense"}, 5},
        {{"millrace", "help", "nothing"}, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (call(rows[i].words, rows[i].n) != MR_EXIT_USAGE) {
            fail_msg("row %zu does not end with 2", i);
        }
    }
}

static void help_ends_with_0(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        size_t n;
    } rows[] = {
        {{"millrace", "--help"}, 2},
        {{"millrace", "-h"}, 2},
        {{"millrace", "help"}, 2},
        {{"millrace", "help", "get"}, 3},
        {{"millrace", "help", "settings"}, 3},
        {{"millrace", "get", "--help"}, 3},
        {{"millrace", "--version"}, 2},
        {{"millrace", "version", "--json"}, 3},
        {{"millrace", "help", "--man"}, 3},
        {{"millrace", "help", "--completion"}, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (call(rows[i].words, rows[i].n) != MR_EXIT_OK) {
            fail_msg("row %zu does not end with 0", i);
        }
    }
}

static void statuses_are_exit_codes(void **state)
{
    (void)state;
    static const struct {
        mr_status status;
        mr_action action;
        int exit_code;
    } rows[] = {
        {MR_OK, MR_ACT_STOP, 0},          {MR_END, MR_ACT_STOP, 0},
        {MR_NOT_FOUND, MR_ACT_STOP, 1},   {MR_TIMED_OUT, MR_ACT_STOP, 3},
        {MR_ERR_USAGE, MR_ACT_STOP, 2},   {MR_ERR_USAGE, MR_ACT_RETRY, 2},
        {MR_ERR_KAFKA, MR_ACT_STOP, 3},   {MR_ERR_SYSTEM, MR_ACT_STOP, 1},
        {MR_ERR_SYSTEM, MR_ACT_RETRY, 3}, {MR_ERR_DATA, MR_ACT_SKIP, 1},
        {MR_ERR_STORE, MR_ACT_STOP, 1},   {MR_ERR_HANDLER, MR_ACT_SKIP, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_error err = {.status = rows[i].status, .action = rows[i].action};
        assert_int_equal(mr_cli_exit(rows[i].status, &err), rows[i].exit_code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_command_lines_end_with_2),
        cmocka_unit_test(help_ends_with_0),
        cmocka_unit_test(statuses_are_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
