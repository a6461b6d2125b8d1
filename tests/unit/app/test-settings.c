/*
 * Goal: file, environment and -X come together in that order, in both tables. Method: one name from
 * each source, and what must not be taken for a setting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/files.h"
#include "app/settings.h"

static mr_status load(const char *file, const char *variable, const char *assignment,
                      mr_settings *settings, mr_error *err)
{
    char *environment[] = {(char *)(uintptr_t)variable, NULL};
    mr_texts assignments = {0};
    if (assignment != NULL) {
        mr_texts_add(&assignments, assignment);
    }
    const mr_setting_sources sources = {
        .file = file, .environment = environment, .assignments = &assignments};
    const mr_status status = mr_settings_load(settings, &sources, err);
    mr_texts_deinit(&assignments);
    return status;
}

static void the_last_source_wins(void **state)
{
    (void)state;
    char path[] = "/tmp/test-settings-XXXXXX";
    mr_settings settings;
    mr_error err;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(
        mr_file_write(path, mr_bytes_text("http.port=1\nhttp.host=a\nstate.dir=/from/file\n"),
                      &err),
        MR_OK);
    assert_int_equal(load(path, "MILLRACE_HTTP_HOST=b", "http.port=2", &settings, &err), MR_OK);
    (void)unlink(path);
    assert_int_equal(settings.app.http_port, 2);
    assert_string_equal(settings.app.http_host, "b");
    assert_string_equal(settings.runtime.state_dir, "/from/file");
    assert_int_equal(settings.app.lua_instructions, 1000000);
    mr_settings_set(&settings, "log.level", "debug", "--log-level");
    assert_int_equal(mr_settings_apply(&settings, &err), MR_OK);
    assert_int_equal(mr_settings_log(&settings, "x").level, MR_LOG_DEBUG);
    mr_settings_deinit(&settings);
}

static void every_name_is_in_the_list_of_ours(void **state)
{
    (void)state;
    static const char *const names[] = {"http.port", "log.level", "state.dir", "num.workers",
                                        "schema.registry.url"};
    mr_settings settings;
    mr_error err;
    assert_int_equal(load(NULL, NULL, NULL, &settings, &err), MR_OK);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_non_null(mr_options_find(settings.ours, settings.n_ours, names[i]));
    }
    assert_null(mr_options_find(settings.ours, settings.n_ours, "bootstrap.servers"));
    mr_settings_deinit(&settings);
}

static void a_crash_point_is_no_setting(void **state)
{
    (void)state;
    mr_settings settings;
    mr_error err;
    assert_int_equal(load(NULL, "MILLRACE_CRASH_POINT=after-commit", NULL, &settings, &err), MR_OK);
    assert_int_equal(settings.properties.n, 0);
    mr_settings_deinit(&settings);
    assert_int_equal(load(NULL, "MILLRACE_CRASH_POINTS=x", NULL, &settings, &err), MR_OK);
    assert_int_equal(settings.properties.n, 1);
    mr_settings_deinit(&settings);
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *assignment, *message;
    } rows[] = {
        {"http.port=65536", "-X: http.port is '65536'"},
        {"http.host=", "http.host"},
        {"lua.memory.max=1k", "lua.memory.max"},
        {"log.level=dbug", "did you mean 'debug'?"},
        {"num.workers=0", "num.workers"},
        {"=x", "expected name=value"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_settings settings;
        mr_error err;
        assert_int_equal(load(NULL, NULL, rows[i].assignment, &settings, &err), MR_ERR_USAGE);
        if (strstr(err.message, rows[i].message) == NULL) {
            fail_msg("'%s' is not in '%s'", rows[i].message, err.message);
        }
    }
    mr_settings settings;
    mr_error err;
    assert_int_equal(load("/nonexistent/file", NULL, NULL, &settings, &err), MR_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_source_wins),
        cmocka_unit_test(every_name_is_in_the_list_of_ours),
        cmocka_unit_test(a_crash_point_is_no_setting),
        cmocka_unit_test(wrong_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
