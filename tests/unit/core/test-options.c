/*
 * Goal: a table fills its struct or names what is wrong. Method: one table with every kind of
 * option, and rows of name, value and outcome.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <mr/config.h>

typedef struct target {
    const char *directory;
    const char *url;
    const char *password;
    int64_t workers;
    int64_t offset;
    int64_t interval_ms;
    int64_t budget_bytes;
    bool strict;
    int mode;
} target;

static const char *const modes[] = {"exactly_once", "at_least_once", NULL};

static const mr_option options[] = {
    {"state.dir", MR_OPTION_TEXT, offsetof(target, directory), "state", 1, 100, NULL, false, ""},
    {"schema.registry.url", MR_OPTION_TEXT, offsetof(target, url), NULL, 0, 0, NULL, false, ""},
    {"password", MR_OPTION_TEXT, offsetof(target, password), NULL, 4, 8, NULL, true, ""},
    {"workers", MR_OPTION_INT, offsetof(target, workers), "2", 1, 64, NULL, false, ""},
    {"offset", MR_OPTION_INT, offsetof(target, offset), NULL, 0, 0, NULL, false, ""},
    {"commit.interval", MR_OPTION_DURATION, offsetof(target, interval_ms), "100ms", 1, 60000, NULL,
     false, ""},
    {"memory.budget", MR_OPTION_SIZE, offsetof(target, budget_bytes), "256m", 0, 0, NULL, false,
     ""},
    {"strict", MR_OPTION_BOOL, offsetof(target, strict), "true", 0, 0, NULL, false, ""},
    {"mode", MR_OPTION_CHOICE, offsetof(target, mode), NULL, 0, 0, modes, false, ""},
};
enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

static mr_status apply(const char *name, const char *value, target *ret_target, mr_error *err)
{
    static mr_properties none;
    mr_properties properties = none;
    if (name != NULL) {
        mr_properties_set(&properties, name, value, "here");
    }
    const mr_status status = mr_options_apply(options, N_OPTIONS, &properties, ret_target, err);
    mr_properties_deinit(&properties);
    return status;
}

static void without_properties_the_presets_hold(void **state)
{
    (void)state;
    target t;
    mr_error err;
    memset(&t, 0xff, sizeof(t));
    assert_int_equal(apply(NULL, NULL, &t, &err), MR_OK);
    assert_string_equal(t.directory, "state");
    assert_null(t.url);
    assert_null(t.password);
    assert_int_equal(t.workers, 2);
    assert_int_equal(t.offset, 0);
    assert_int_equal(t.interval_ms, 100);
    assert_int_equal(t.budget_bytes, 268435456);
    assert_true(t.strict);
    assert_int_equal(t.mode, 0);
}

static void numbers_and_words_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        size_t offset;
        int64_t number;
    } rows[] = {
        {"workers", "64", offsetof(target, workers), 64},
        {"offset", "-9223372036854775808", offsetof(target, offset), INT64_MIN},
        {"commit.interval", "1", offsetof(target, interval_ms), 1},
        {"commit.interval", "250ms", offsetof(target, interval_ms), 250},
        {"commit.interval", "5s", offsetof(target, interval_ms), 5000},
        {"commit.interval", "1m", offsetof(target, interval_ms), 60000},
        {"memory.budget", "0", offsetof(target, budget_bytes), 0},
        {"memory.budget", "64k", offsetof(target, budget_bytes), 65536},
        {"memory.budget", "3g", offsetof(target, budget_bytes), 3221225472},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        target t;
        mr_error err;
        assert_int_equal(apply(rows[i].name, rows[i].value, &t, &err), MR_OK);
        assert_true(*(const int64_t *)((const uint8_t *)&t + rows[i].offset) == rows[i].number);
    }
    target t;
    mr_error err;
    assert_int_equal(apply("strict", "false", &t, &err), MR_OK);
    assert_false(t.strict);
    assert_int_equal(apply("mode", "at_least_once", &t, &err), MR_OK);
    assert_int_equal(t.mode, 1);
    assert_int_equal(apply("schema.registry.url", "", &t, &err), MR_OK);
    assert_null(t.url);
    assert_int_equal(apply("no.name.of.ours", "x", &t, &err), MR_OK);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *message;
    } rows[] = {
        {"state.dir", "", "here: state.dir is '', expected a text of 1 to 100 bytes"},
        {"workers", "0", "here: workers is '0', expected a whole number from 1 to 64"},
        {"workers", "65", "from 1 to 64"},
        {"workers", "two", "a whole number"},
        {"workers", "2 ", "is '2 '"},
        {"workers", "9223372036854775808", "a whole number"},
        {"commit.interval", "0", "from 1ms to 1m"},
        {"commit.interval", "61s", "from 1ms to 1m"},
        {"commit.interval", "1.5s", "a duration such as"},
        {"commit.interval", "5 s", "a duration such as"},
        {"commit.interval", "5S", "a duration such as"},
        {"commit.interval", "s", "a duration such as"},
        {"commit.interval", "9223372036854775807d", "a duration such as"},
        /* These two would be in range if the product wrapped around. */
        {"commit.interval", "8825400613783079d", "a duration such as"},
        {"memory.budget", "17179869185g", "a size in bytes"},
        {"commit.interval", "00000000000000000000000000000001", "a duration such as"},
        {"commit.interval", "--1", "a duration such as"},
        {"memory.budget", "-1", "a size in bytes"},
        {"memory.budget", "9223372036854775807g", "a size in bytes"},
        {"memory.budget", "1kb", "a size in bytes"},
        {"memory.budget", "", "a size in bytes"},
        {"strict", "yes", "expected true or false"},
        {"strict", "True", "expected true or false"},
        {"mode", "exacty_once",
         "expected one of exactly_once, at_least_once; did you mean 'exactly_once'?"},
        {"mode", "batch", "expected one of exactly_once, at_least_once"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        target t;
        mr_error err;
        assert_int_equal(apply(rows[i].name, rows[i].value, &t, &err), MR_ERR_USAGE);
        assert_int_equal(err.action, MR_ACT_STOP);
        if (strstr(err.message, rows[i].message) == NULL) {
            fail_msg("'%s' is not in '%s'", rows[i].message, err.message);
        }
    }
}

static void a_secret_is_never_shown(void **state)
{
    (void)state;
    target t;
    mr_error err;
    assert_int_equal(apply("password", "hunter2hunter2", &t, &err), MR_ERR_USAGE);
    assert_null(strstr(err.message, "hunter2"));
    assert_non_null(strstr(err.message, "password is '********'"));
    t = (target){.password = "hunter2"};
    mr_buf text = MR_BUF_NULL;
    mr_options_dump(options, N_OPTIONS, &t, &text);
    assert_null(strstr(mr_buf_text(&text), "hunter2"));
    assert_non_null(strstr(mr_buf_text(&text), "password=********\n"));
    mr_buf_deinit(&text);
    assert_true(mr_property_is_secret("sasl.password"));
    assert_true(mr_property_is_secret("ssl.key.pem"));
    assert_true(mr_property_is_secret("basic.auth.user.info"));
    assert_false(mr_property_is_secret("sasl.username"));
    assert_false(mr_property_is_secret("bootstrap.servers"));
}

static void a_dump_that_is_loaded_gives_the_same(void **state)
{
    (void)state;
    const target odd = {.directory = " a\\b\t\n=: \xc3\xa9 ",
                        .url = "=http://x",
                        .workers = 7,
                        .offset = INT64_MIN,
                        .interval_ms = 59999,
                        .budget_bytes = 3221225473,
                        .mode = 1};
    mr_buf text = MR_BUF_NULL;
    mr_options_dump(options, N_OPTIONS, &odd, &text);
    char path[] = "/tmp/test-options-XXXXXX";
    const int fd = mkstemp(path);
    assert_int_equal(write(fd, text.data, text.len), text.len);
    (void)close(fd);
    mr_properties properties = {0};
    mr_error err;
    assert_int_equal(mr_properties_load(&properties, path, &err), MR_OK);
    (void)unlink(path);
    target t;
    assert_int_equal(mr_options_apply(options, N_OPTIONS, &properties, &t, &err), MR_OK);
    assert_string_equal(t.directory, odd.directory);
    assert_string_equal(t.url, odd.url);
    assert_null(t.password);
    assert_int_equal(t.workers, 7);
    assert_true(t.offset == INT64_MIN);
    assert_int_equal(t.interval_ms, 59999);
    assert_true(t.budget_bytes == odd.budget_bytes);
    assert_false(t.strict);
    assert_int_equal(t.mode, 1);
    mr_properties_deinit(&properties);
    mr_buf_deinit(&text);
}

static void a_near_option_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(mr_options_nearest(options, N_OPTIONS, "comit.interval"),
                        "commit.interval");
    assert_null(mr_options_nearest(options, N_OPTIONS, "bootstrap.servers"));
    assert_null(mr_options_nearest(NULL, 0, "mode"));
    assert_ptr_equal(mr_options_find(options, N_OPTIONS, "mode"), &options[N_OPTIONS - 1]);
    assert_null(mr_options_find(options, N_OPTIONS, "Mode"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_properties_the_presets_hold),
        cmocka_unit_test(numbers_and_words_are_read),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(a_dump_that_is_loaded_gives_the_same),
        cmocka_unit_test(a_near_option_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
