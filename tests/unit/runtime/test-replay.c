/* Goal: from a changelog only whole commits come back. Method: tables of changelog records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/replay.h"

typedef struct mr_line {
    const char *key;   /* NULL ends the table */
    const char *value; /* NULL: tombstone */
    const char *commit;
    const char *input;
} mr_line;

static mr_replay *read_lines(const mr_line *lines, int64_t commit, int64_t input_offset)
{
    mr_replay *replay = mr_replay_new(NULL, 0, commit, input_offset);
    for (int64_t offset = 0; lines[offset].key != NULL; offset++) {
        const mr_line *line = &lines[offset];
        const mr_header headers[] = {
            {MR_COMMIT_HEADER, mr_bytes_text(line->commit)},
            {MR_INPUT_HEADER, mr_bytes_text(line->input)},
        };
        const mr_record record = {
            .topic = "changelog",
            .offset = offset,
            .key = mr_bytes_text(line->key),
            .value = mr_bytes_text(line->value),
            .headers = headers,
            .n_headers = line->input != NULL    ? 2
                         : line->commit != NULL ? 1
                                                : 0,
        };
        mr_error err;
        assert_int_equal(mr_replay_add(replay, &record, &err), MR_OK);
    }
    return replay;
}

/* "a=1 b=-" in key order. */
static void assert_pile(mr_row_pile *pile, const char *expected)
{
    mr_buf text = MR_BUF_NULL;
    mr_row rows[16];
    const size_t n = mr_row_pile_count(pile);
    assert_true(n <= sizeof(rows) / sizeof(rows[0]));
    mr_row_pile_rows(pile, 1, rows);
    for (size_t i = 0; i < n; i++) {
        const mr_bytes value = mr_bytes_is_null(rows[i].value) ? mr_bytes_text("-") : rows[i].value;
        mr_buf_printf(&text, "%s%.*s=%.*s", i == 0 ? "" : " ", (int)rows[i].key.len,
                      (const char *)rows[i].key.data, (int)value.len, (const char *)value.data);
    }
    assert_string_equal(mr_buf_text(&text), expected);
    mr_buf_deinit(&text);
}

static void assert_rows(mr_replay *replay, const char *expected)
{
    assert_pile(mr_replay_rows(replay), expected);
}

/* After the end; "": none. */
static void assert_unsure(mr_replay *replay, const char *expected)
{
    mr_row_pile *unsure = mr_replay_take_unsure(replay);
    assert_int_equal(unsure == NULL, expected[0] == '\0');
    if (unsure != NULL) {
        assert_pile(unsure, expected);
    }
    mr_row_pile_free(unsure);
}

static void assert_commit(const mr_replay *replay, int64_t attempt, int64_t number)
{
    const mr_commit_id expected = {attempt, number};
    assert_int_equal(mr_commit_id_compare(mr_replay_commit(replay), expected), 0);
}

/* The newest commit that any store of the task has proven. */
static void finish(mr_replay *replay, int64_t attempt, int64_t number, int64_t end)
{
    mr_replay_finish(replay, (mr_commit_id){attempt, number}, end);
}

static void transactional_records_are_rows_at_once(void **state)
{
    (void)state;
    static const mr_line lines[] = {
        {"a", "1", NULL, NULL}, {"b", "2", NULL, NULL}, {"a", NULL, NULL, NULL}, {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    assert_rows(replay, "a=- b=2");
    assert_int_equal(mr_replay_offset(replay), 3);
    mr_replay_free(replay);
}

static void half_a_commit_is_unsure(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"a", "1", "0/1", NULL},
                                    {"m", "", "0/1", "10"}, /* whole */
                                    {"a", "2", "0/2", NULL},
                                    {"b", "2", "0/2", NULL}, /* cut off by a crash */
                                    {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    assert_rows(replay, "a=1");
    assert_int_equal(mr_replay_offset(replay), 1); /* to read the marker again */
    assert_commit(replay, 0, 1);
    finish(replay, 0, 1, 4);
    assert_rows(replay, "a=1");
    assert_unsure(replay, "a=2 b=2");
    assert_int_equal(mr_replay_input_offset(replay), 10);
    assert_int_equal(mr_replay_offset(replay), 2); /* until it is made good */
    mr_replay_free(replay);
}

/* From where that restore has left it, before and after the first commit of the next owner. */
static void half_a_commit_is_found_again_until_it_is_made_good(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"a", "2", "0/2", NULL},  {"b", "2", "0/2", NULL},
                                    {"c", "2", "4/2", NULL}, /* which was cut off as well */
                                    {"a", "1", "5/2", NULL},  {"b", NULL, "5/2", NULL},
                                    {"c", NULL, "5/2", NULL}, {"a", "3", "5/2", NULL},
                                    {"m", "", "5/2", "20"},   {0}};
    mr_line before[8] = {{0}};
    for (size_t n = 2; n <= 7; n++) {
        memcpy(before, lines, n * sizeof(*lines));
        mr_replay *replay = read_lines(before, 1, 10);
        finish(replay, -1, 1, (int64_t)n);
        assert_rows(replay, "");
        assert_unsure(replay, n < 3    ? "a=2 b=2"
                              : n == 3 ? "a=2 b=2 c=2"
                              : n == 4 ? "a=1 b=2 c=2"
                              : n == 5 ? "a=1 b=- c=2"
                              : n == 6 ? "a=1 b=- c=-"
                                       : "a=3 b=- c=-");
        assert_int_equal(mr_replay_offset(replay), 0);
        assert_int_equal(mr_replay_input_offset(replay), 10);
        mr_replay_free(replay);
    }
    mr_replay *replay = read_lines(lines, 1, 10);
    finish(replay, 5, 2, 8);
    assert_rows(replay, "a=3 b=- c=-");
    assert_unsure(replay, "");
    assert_int_equal(mr_replay_offset(replay), 8);
    mr_replay_free(replay);
}

static void a_second_attempt_replaces_the_first(void **state)
{
    (void)state;
    static const mr_line lines[] = {
        {"a", "1", "0/1", NULL}, {"stale", "1", "0/1", NULL}, /* crash: never finished */
        {"a", "1", "2/1", NULL}, {"m", "", "2/1", "7"},       /* done again, with another cut */
        {"b", "1", "2/2", NULL}, {"m", "", "2/2", "9"},       {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    finish(replay, 2, 2, 6);
    assert_rows(replay, "a=1 b=1");
    assert_unsure(replay, "");
    assert_int_equal(mr_replay_input_offset(replay), 9);
    assert_int_equal(mr_replay_offset(replay), 6);
    mr_replay_free(replay);
}

/* Compaction keeps the newest marker of a changelog, and the newest row of each key. */
static void rows_whose_marker_is_compacted_are_there(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"a", "1", "0/1", NULL},
                                    {"b", "2", "0/2", NULL},
                                    {"c", "3", "7/5", NULL},
                                    {"m", "", "7/6", "20"},
                                    {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    assert_rows(replay, "a=1 b=2 c=3");
    assert_commit(replay, 7, 6);
    finish(replay, 7, 6, 4);
    assert_rows(replay, "a=1 b=2 c=3");
    assert_unsure(replay, "");
    assert_int_equal(mr_replay_input_offset(replay), 20);
    mr_replay_free(replay);
}

/* What is held does not grow with what was compacted. */
static void a_later_row_proves_a_commit(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"a", "1", "0/1", NULL}, /* 2 was begun, but not so early */
                                    {"b", "2", "5/4", NULL},
                                    {"c", "3", "9/7", NULL},
                                    {"d", "4", "9/8", NULL}, /* so 7 was complete */
                                    {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    assert_rows(replay, "a=1 b=2 c=3");
    assert_int_equal(mr_replay_offset(replay), 3);
    finish(replay, 9, 7, 4); /* its marker was in another changelog, or is on disk */
    assert_rows(replay, "a=1 b=2 c=3");
    assert_unsure(replay, "d=4");
    assert_int_equal(mr_replay_offset(replay), 3);
    mr_replay_free(replay);
}

static void a_marker_in_another_changelog_proves_a_commit(void **state)
{
    (void)state;
    static const mr_line lines[] = {
        {"a", "1", "0/1", NULL}, {"m", "", "0/1", "10"}, {"a", "2", "0/2", NULL}, {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    finish(replay, 0, 2, 3);
    assert_rows(replay, "a=2");
    assert_unsure(replay, "");
    assert_int_equal(mr_replay_offset(replay), 3);
    mr_replay_free(replay);
}

/* The next owner did not see the marker of commit 2 and did it again, and that was cut off, or not.
 */
static void a_commit_done_again_counts_once(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"x", "2", "0/2", NULL}, {"y", "9", "4/2", NULL}, {0}};
    mr_replay *replay = read_lines(lines, 1, 10);
    finish(replay, 0, 2, 2);
    assert_rows(replay, "x=2");
    assert_unsure(replay, "y=9");
    mr_replay_free(replay);
    replay = read_lines(lines, 1, 10);
    finish(replay, 4, 2, 2);
    assert_rows(replay, "y=9");
    assert_unsure(replay, "");
    mr_replay_free(replay);
}

/* As after a switch of the guarantee: they are newer than all before them. */
static void rows_of_no_commit_end_what_is_held(void **state)
{
    (void)state;
    static const mr_line lines[] = {
        {"a", "1", "0/1", NULL}, {"b", "1", "0/1", NULL}, {"a", "2", NULL, NULL}, {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    assert_rows(replay, "a=2 b=1");
    assert_int_equal(mr_replay_offset(replay), 3);
    mr_replay_free(replay);
}

/* Whoever goes on from the offset must find out that there was commit 2. */
static void a_commit_without_rows_is_read_again(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"a", "1", "0/1", NULL},
                                    {"m", "", "0/1", "10"},
                                    {"m", "", "0/2", "20"}, /* another store has its rows */
                                    {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    assert_rows(replay, "a=1");
    assert_commit(replay, 0, 2);
    assert_int_equal(mr_replay_offset(replay), 2);
    finish(replay, 0, 2, 3);
    assert_rows(replay, "a=1");
    assert_int_equal(mr_replay_input_offset(replay), 20);
    assert_int_equal(mr_replay_offset(replay), 3);
    mr_replay_free(replay);
}

/* As rewrite.c writes it behind commits that are known, and behind half of one. */
static void a_rewrite_between_two_markers_is_certain(void **state)
{
    (void)state;
    static const mr_line lines[] = {{"a", "1", "0/1", NULL},
                                    {"b", "1", "0/1", NULL},
                                    {"m", "", "0/1", "10"},
                                    {"c", "2", "0/2", NULL},
                                    {"m", "", "99/2", "10"},
                                    {"a", NULL, NULL, NULL},
                                    {"b", NULL, NULL, NULL},
                                    {"m", "", "99/3", "0"},
                                    {"a", "7", "120/4", NULL},
                                    {"m", "", "120/4", "4"},
                                    {0}};
    mr_replay *replay = read_lines(lines, 0, -1);
    finish(replay, 120, 4, 10);
    assert_rows(replay, "a=7 b=-");
    assert_unsure(replay, "");
    assert_commit(replay, 120, 4);
    assert_int_equal(mr_replay_input_offset(replay), 4);
    mr_replay_free(replay);
}

static void damaged_headers_are_named(void **state)
{
    (void)state;
    static const char *const commits[] = {
        "",    "1",    "x/y",  "1/",
        "x/1", "-1/1", "1/-1", "11111111111111111111111111111111111111111111111111/1"};
    for (size_t i = 0; i < sizeof(commits) / sizeof(commits[0]); i++) {
        mr_replay *replay = mr_replay_new(NULL, 0, 0, -1);
        const mr_header header = {MR_COMMIT_HEADER, mr_bytes_text(commits[i])};
        const mr_record record = {.key = mr_bytes_text("k"), .headers = &header, .n_headers = 1};
        mr_error err;
        assert_int_equal(mr_replay_add(replay, &record, &err), MR_ERR_STORE);
        mr_replay_free(replay);
    }
}

static void a_record_without_a_key_is_none_of_ours(void **state)
{
    (void)state;
    mr_replay *replay = mr_replay_new(NULL, 0, 0, -1);
    mr_error err;
    const mr_record record = {
        .topic = "changelog", .key = MR_BYTES_NULL, .value = mr_bytes_text("1")};
    assert_int_equal(mr_replay_add(replay, &record, &err), MR_ERR_STORE);
    assert_non_null(strstr(err.message, "no key"));
    assert_int_equal(mr_replay_offset(replay), 0);
    mr_replay_free(replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactional_records_are_rows_at_once),
        cmocka_unit_test(half_a_commit_is_unsure),
        cmocka_unit_test(half_a_commit_is_found_again_until_it_is_made_good),
        cmocka_unit_test(a_second_attempt_replaces_the_first),
        cmocka_unit_test(rows_whose_marker_is_compacted_are_there),
        cmocka_unit_test(a_later_row_proves_a_commit),
        cmocka_unit_test(a_marker_in_another_changelog_proves_a_commit),
        cmocka_unit_test(a_commit_done_again_counts_once),
        cmocka_unit_test(rows_of_no_commit_end_what_is_held),
        cmocka_unit_test(a_commit_without_rows_is_read_again),
        cmocka_unit_test(a_rewrite_between_two_markers_is_certain),
        cmocka_unit_test(damaged_headers_are_named),
        cmocka_unit_test(a_record_without_a_key_is_none_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
