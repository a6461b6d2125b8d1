/* Goal: one event is one line, whatever is in it. Method: a log into memory and a clock that
 * stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <mr/log.h>

static int64_t standing_wall(mr_clock *self)
{
    (void)self;
    return 1587414600250;
}

typedef struct fixture {
    mr_clock clock;
    mr_log log;
    FILE *stream;
    char *text;
    size_t len;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->clock.wall_ms = standing_wall;
    f->stream = open_memstream(&f->text, &f->len);
    f->log = (mr_log){
        .stream = f->stream, .clock = &f->clock, .level = MR_LOG_INFO, .component = "worker 1"};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    (void)fclose(f->stream);
    free(f->text);
    free(f);
    return 0;
}

static void an_event_is_a_line(void **state)
{
    fixture *f = *state;
    mr_log_info(&f->log, "assigned partitions=%d", 3);
    mr_log_error(&f->log, "stopped");
    mr_log_warn(&f->log, "no broker, retrying");
    assert_string_equal(f->text, "2020-04-20T20:30:00.250Z info  worker 1: assigned partitions=3\n"
                                 "2020-04-20T20:30:00.250Z error worker 1: stopped\n"
                                 "2020-04-20T20:30:00.250Z warn  worker 1: no broker, retrying\n");
}

static void a_level_keeps_out_what_is_below(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int level = 0; level < 4; level++) {
        mr_log_level parsed;
        assert_int_equal(mr_log_level_parse(names[level], &parsed), MR_OK);
        f->log.level = parsed;
        rewind(f->stream);
        mr_log_error(&f->log, "x");
        mr_log_warn(&f->log, "x");
        mr_log_info(&f->log, "x");
        mr_log_debug(&f->log, "x");
        size_t lines = 0;
        for (size_t i = 0; i < f->len; i++) {
            lines += f->text[i] == '\n';
        }
        assert_int_equal(lines, level + 1);
    }
    mr_log_level unchanged = MR_LOG_WARN;
    assert_int_equal(mr_log_level_parse("Info", &unchanged), MR_NOT_FOUND);
    assert_int_equal(mr_log_level_parse("", &unchanged), MR_NOT_FOUND);
    assert_int_equal(unchanged, MR_LOG_WARN);
}

static void json_is_one_object_a_line(void **state)
{
    fixture *f = *state;
    f->log.json = true;
    mr_log_info(&f->log, "key=\"a\\b\" \xff \xc3\xa9");
    assert_string_equal(f->text, "{\"time\":\"2020-04-20T20:30:00.250Z\",\"level\":\"info\","
                                 "\"component\":\"worker 1\",\"message\":\"key=\\\"a\\\\b\\\" "
                                 "\xef\xbf\xbd \xc3\xa9\"}\n");
}

static void no_message_forges_a_line_or_talks_to_a_terminal(void **state)
{
    fixture *f = *state;
    for (int json = 0; json < 2; json++) {
        f->log.json = json != 0;
        rewind(f->stream);
        mr_log_info(&f->log, "a\nb\r\nc\td\x1b[2Je\x7f");
        assert_non_null(strstr(f->text, "a b  c d [2Je "));
        assert_ptr_equal(strchr(f->text, '\n'), f->text + f->len - 1);
    }
}

static void a_component_is_of_the_copy_and_is_cut(void **state)
{
    fixture *f = *state;
    const mr_log task = mr_log_for(&f->log, "task %d_%d", 0, 3);
    const mr_log again = mr_log_for(&task, "%s restore", task.component);
    char text[200];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const mr_log cut = mr_log_for(&f->log, "%s", text);
    assert_string_equal(f->log.component, "worker 1");
    assert_string_equal(task.component, "task 0_3");
    assert_string_equal(again.component, "task 0_3 restore");
    assert_int_equal(strlen(cut.component), sizeof(cut.component) - 1);
    mr_log_info(&task, "open");
    assert_string_equal(f->text, "2020-04-20T20:30:00.250Z info  task 0_3: open\n");
}

static void a_long_message_is_cut_and_still_a_line(void **state)
{
    fixture *f = *state;
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    mr_log_info(&f->log, "begin %s", text);
    assert_true(f->len < 1200);
    assert_non_null(strstr(f->text, "begin xxx"));
    assert_int_equal(f->text[f->len - 1], '\n');
}

static void a_silent_log_needs_nothing(void **state)
{
    (void)state;
    const mr_log silent = MR_LOG_NULL;
    mr_log_error(&silent, "x");
    const mr_log child = mr_log_for(&silent, "child");
    mr_log_error(&child, "x");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_a_line),
        TEST(a_level_keeps_out_what_is_below),
        TEST(json_is_one_object_a_line),
        TEST(no_message_forges_a_line_or_talks_to_a_terminal),
        TEST(a_component_is_of_the_copy_and_is_cut),
        TEST(a_long_message_is_cut_and_still_a_line),
        TEST(a_silent_log_needs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
