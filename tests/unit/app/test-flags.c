/*
 * Goal: command lines fill the struct or are refused with what was meant. Method: rows of arguments
 * and outcome against one table with every kind of option.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/flags.h"

typedef struct target {
    const char *file;
    mr_texts sets;
    int64_t limit;
    bool json;
    bool join;
} target;

static const mr_flag flags[] = {
    {"file", 'f', MR_FLAG_TEXT, offsetof(target, file), 0, 0, 0, "FILE", "A file."},
    {"set", 'X', MR_FLAG_TEXTS, offsetof(target, sets), 0, 0, 0, "NAME=VALUE", "A setting."},
    {"limit", 0, MR_FLAG_NUMBER, offsetof(target, limit), -1, 10, 7, "N", "A number."},
    {"json", 'j', MR_FLAG_SWITCH, offsetof(target, json), 0, 0, 0, NULL, "JSON."},
    {"join", 0, MR_FLAG_SWITCH, offsetof(target, join), 0, 0, 0, NULL, "Join."},
};

enum { ARGUMENTS_MAX = 16 };

/* `line` is split at blanks; "_" stands for an empty argument. */
static mr_status parse(const char *line, target *t, mr_texts *operands, char *storage, size_t size,
                       mr_error *err)
{
    char *argv[ARGUMENTS_MAX + 1] = {NULL};
    static char program[] = "program";
    int argc = 1;
    argv[0] = program;
    assert_true(strlen(line) < size);
    memcpy(storage, line, strlen(line) + 1);
    for (char *word = storage; *word != '\0';) {
        char *end = word + strcspn(word, " ");
        const bool is_last = *end == '\0';
        *end = '\0';
        assert_true(argc < ARGUMENTS_MAX);
        argv[argc++] = strcmp(word, "_") == 0 ? end : word;
        word = is_last ? end : end + 1;
    }
    const mr_flag_group group = {flags, sizeof(flags) / sizeof(flags[0]), t};
    mr_flags_preset(&group);
    return mr_flags_parse(&group, 1, argc, argv, operands, err);
}

static void options_stand_anywhere(void **state)
{
    (void)state;
    target t = {0};
    mr_texts operands = {0};
    mr_error err;
    char storage[200];
    assert_int_equal(parse("a --file x -X p=1 b --json -Xq=2 --limit=-1 -- --json -", &t, &operands,
                           storage, sizeof(storage), &err),
                     MR_OK);
    assert_string_equal(t.file, "x");
    assert_true(t.json);
    assert_false(t.join);
    assert_int_equal(t.limit, -1);
    assert_int_equal(t.sets.n, 2);
    assert_string_equal(t.sets.items[0], "p=1");
    assert_string_equal(t.sets.items[1], "q=2");
    assert_int_equal(operands.n, 4);
    assert_string_equal(operands.items[1], "b");
    assert_string_equal(operands.items[2], "--json");
    assert_string_equal(operands.items[3], "-");
    mr_texts_deinit(&t.sets);
    mr_texts_deinit(&operands);
}

static void what_is_not_given_has_its_preset(void **state)
{
    (void)state;
    target t = {0};
    mr_texts operands = {0};
    mr_error err;
    char storage[10];
    assert_int_equal(parse("", &t, &operands, storage, sizeof(storage), &err), MR_OK);
    assert_int_equal(t.limit, 7);
    assert_null(t.file);
    assert_int_equal(t.sets.n, 0);
    assert_int_equal(operands.n, 0);
}

static void the_last_text_wins_and_may_be_empty(void **state)
{
    (void)state;
    target t = {0};
    mr_texts operands = {0};
    mr_error err;
    char storage[50];
    assert_int_equal(parse("-f one -f two --file _", &t, &operands, storage, sizeof(storage), &err),
                     MR_OK);
    assert_string_equal(t.file, "");
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"--jsn", "unknown option '--jsn'; did you mean '--json'?"},
        {"--flie=x", "unknown option '--flie'; did you mean '--file'?"},
        {"--zzzzzz", "unknown option '--zzzzzz'"},
        {"--j", "'--j' can mean several options"},
        {"-q", "unknown option '-q'"},
        {"-jq", "unknown option '-q'"},
        {"--file", "--file needs a value: FILE"},
        {"-X", "--set needs a value: NAME=VALUE"},
        {"--json=yes", "--json takes no value"},
        {"--limit 11", "--limit is '11', expected a whole number from -1 to 10"},
        {"--limit x", "--limit is 'x'"},
        {"--limit _", "--limit is ''"},
        {"--limit 99999999999999999999", "from -1 to 10"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        target t = {0};
        mr_texts operands = {0};
        mr_error err;
        char storage[100];
        assert_int_equal(parse(rows[i].line, &t, &operands, storage, sizeof(storage), &err),
                         MR_ERR_USAGE);
        if (strstr(err.message, rows[i].message) == NULL) {
            fail_msg("'%s' is not in '%s'", rows[i].message, err.message);
        }
        mr_texts_deinit(&t.sets);
        mr_texts_deinit(&operands);
    }
}

static void help_is_aligned_and_wrapped(void **state)
{
    (void)state;
    static const mr_flag wide[] = {
        {"file", 'f', MR_FLAG_TEXT, 0, 0, 0, 0, "FILE", "A file."},
        {"a-very-long-name", 0, MR_FLAG_TEXT, 0, 0, 0, 0, "VALUE",
         "Words that go on and on until the line is at its end and has to be broken."},
    };
    const mr_flag_group group = {wide, 2, NULL};
    mr_buf out = MR_BUF_NULL;
    mr_flags_help(&group, 1, &out);
    assert_string_equal(
        mr_buf_text(&out),
        "  -f, --file FILE           A file.\n"
        "      --a-very-long-name VALUE\n"
        "                            Words that go on and on until the line is at its end\n"
        "                            and has to be broken.\n");
    mr_buf_deinit(&out);
}

static void lines_have_at_most_80_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wrapped;
    } rows[] = {
        {"", "\n"},
        {"123 567890", "123 567890\n"},
        {"123 5678901",
         "123\n                                                                      5678901\n"},
        {"12345678901234 x", "12345678901234\n                                                    "
                             "                  x\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf out = MR_BUF_NULL;
        mr_text_wrap(rows[i].text, 70, &out);
        assert_string_equal(mr_buf_text(&out), rows[i].wrapped);
        mr_buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(what_is_not_given_has_its_preset),
        cmocka_unit_test(the_last_text_wins_and_may_be_empty),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(help_is_aligned_and_wrapped),
        cmocka_unit_test(lines_have_at_most_80_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
