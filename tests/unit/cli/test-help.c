/*
 * Goal: help, man page and completion name every verb and option, and the tables are sound. Method:
 * they are printed into memory; every row of every table is looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/cli.h"

static char *print(void (*printer)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    printer(out);
    (void)fclose(out);
    return text;
}

static void assert_has(const char *text, const char *format, const char *name)
{
    char wanted[120];
    const size_t len = strcspn(format, "@");
    (void)snprintf(wanted, sizeof(wanted), "%.*s%s%s", (int)len, format, name, format + len + 1);
    if (strstr(text, wanted) == NULL) {
        fail_msg("'%s' is missing", wanted);
    }
}

static void every_verb_is_told_of(void **state)
{
    (void)state;
    static const char *const expected[] = {"dev",    "run",     "check",  "test",    "topics",
                                           "emit",   "get",     "scan",   "history", "state",
                                           "status", "lag",     "verify", "replay",  "rebuild",
                                           "backup", "restore", "help",   "version"};
    char *help = print(mr_help_program);
    char *man = print(mr_help_man);
    char *completion = print(mr_help_completion);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_non_null(mr_cli_verb(expected[i]));
        assert_has(help, "\n  @ ", expected[i]);
        assert_has(man, "\n.SS @ ", expected[i]);
        assert_has(completion, "    @) options='", expected[i]);
    }
    assert_null(mr_cli_verb("ru"));
    assert_null(mr_cli_verb(""));
    free(help);
    free(man);
    free(completion);
}

static void verbs_about_one_stage_have_versions(void **state)
{
    (void)state;
    static const char *const names[] = {"get",    "scan",    "status", "lag",
                                        "verify", "rebuild", "restore"};
    char *completion = print(mr_help_completion);
    char *man = print(mr_help_man);
    size_t n = 0;
    for (size_t v = 0; mr_verbs[v] != NULL; v++) {
        n += mr_verbs[v]->has_version ? 1 : 0;
    }
    assert_int_equal(n, sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < n; i++) {
        assert_true(mr_cli_verb(names[i])->has_version);
    }
    size_t n_in_completion = 0;
    for (const char *at = completion; (at = strstr(at, " --as")) != NULL; at++) {
        n_in_completion++;
    }
    size_t n_in_man = 0;
    for (const char *at = man; (at = strstr(at, "\\-\\-as VERSION\n")) != NULL; at++) {
        n_in_man++;
    }
    assert_int_equal(n_in_completion, n);
    assert_int_equal(n_in_man, n);
    free(completion);
    free(man);
}

static void every_option_is_told_of(void **state)
{
    (void)state;
    char *completion = print(mr_help_completion);
    for (size_t v = 0; mr_verbs[v] != NULL; v++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        mr_help_verb(mr_verbs[v], out);
        (void)fclose(out);
        for (size_t i = 0; i < mr_verbs[v]->n_flags; i++) {
            assert_has(text, "--@", mr_verbs[v]->flags[i].name);
            assert_has(completion, " --@", mr_verbs[v]->flags[i].name);
        }
        assert_has(text, "--@", "json");
        assert_int_equal(mr_verbs[v]->has_version, strstr(text, "--as VERSION") != NULL);
        for (const char *line = text; *line != '\0';) {
            const size_t len = strcspn(line, "\n");
            assert_true(len <= 80);
            line += len + (line[len] == '\n');
        }
        free(text);
    }
    free(completion);
}

static void check_flags(const mr_flag_group *group, size_t options_bytes)
{
    for (size_t i = 0; i < group->n; i++) {
        const mr_flag *flag = &group->flags[i];
        assert_true(flag->offset + sizeof(bool) <= options_bytes);
        assert_int_equal(flag->argument == NULL, flag->kind == MR_FLAG_SWITCH);
        assert_non_null(flag->text);
        assert_true(flag->kind != MR_FLAG_NUMBER || flag->min < flag->max);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(flag->name, group->flags[j].name);
            assert_true(flag->letter == '\0' || flag->letter != group->flags[j].letter);
        }
    }
}

static void the_tables_are_sound(void **state)
{
    (void)state;
    const mr_flag_group common = mr_cli_flags(NULL);
    check_flags(&common, sizeof(mr_cli));
    for (size_t v = 0; mr_verbs[v] != NULL; v++) {
        const mr_verb *verb = mr_verbs[v];
        const mr_flag_group own = {verb->flags, verb->n_flags, NULL};
        check_flags(&own, verb->options_bytes);
        for (size_t i = 0; i < own.n; i++) {
            for (size_t j = 0; j < common.n; j++) {
                assert_string_not_equal(own.flags[i].name, common.flags[j].name);
                assert_true(own.flags[i].letter == '\0' ||
                            own.flags[i].letter != common.flags[j].letter);
            }
        }
        assert_non_null(verb->run);
        assert_true(verb->operands_min <= verb->operands_max);
    }
}

static void roff_is_not_steered_by_text(void **state)
{
    (void)state;
    char *man = print(mr_help_man);
    assert_non_null(strstr(man, ".TH MILLRACE 1"));
    assert_null(strstr(man, "\n'"));
    assert_null(strstr(man, "\n..."));
    assert_non_null(strstr(man, "\\-\\-json"));
    free(man);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_is_told_of),
        cmocka_unit_test(verbs_about_one_stage_have_versions),
        cmocka_unit_test(every_option_is_told_of),
        cmocka_unit_test(the_tables_are_sound),
        cmocka_unit_test(roff_is_not_steered_by_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
