/*
 * Goal: `dev` empties its own directory and nobody else's, and is found while it runs only. Method:
 * a directory in /tmp as state.dir.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/files.h"
#include "cli/dev_files.h"

typedef struct place {
    char base[40];
    char directory[80];
    mr_settings settings;
} place;

static void open_place(place *p, const char *name, const char *value)
{
    mr_texts assignments = {0};
    char assignment[80];
    mr_error err;
    (void)snprintf(p->base, sizeof(p->base), "/tmp/test-dev-XXXXXX");
    assert_non_null(mkdtemp(p->base));
    (void)snprintf(p->directory, sizeof(p->directory), "%s/dev/shop", p->base);
    (void)snprintf(assignment, sizeof(assignment), "state.dir=%s", p->base);
    mr_texts_add(&assignments, assignment);
    const mr_setting_sources sources = {.assignments = &assignments};
    assert_int_equal(mr_settings_load(&p->settings, &sources, &err), MR_OK);
    if (name != NULL) {
        mr_settings_set(&p->settings, name, value, "-X");
        assert_int_equal(mr_settings_apply(&p->settings, &err), MR_OK);
    }
    mr_texts_deinit(&assignments);
}

static void close_place(place *p)
{
    mr_error err;
    assert_int_equal(mr_directory_clear(p->base, &err), MR_OK);
    assert_int_equal(rmdir(p->base), 0);
    mr_settings_deinit(&p->settings);
}

static void write_file(const place *p, const char *name, const char *text)
{
    char path[128];
    mr_error err;
    (void)snprintf(path, sizeof(path), "%s/%s", p->directory, name);
    assert_int_equal(mr_file_write(path, mr_bytes_text(text), &err), MR_OK);
}

static bool has_file(const place *p, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", p->directory, name);
    return access(path, F_OK) == 0;
}

static void the_directory_follows_the_settings(void **state)
{
    (void)state;
    place p;
    char *directory = NULL;
    mr_error err;
    open_place(&p, NULL, NULL);
    assert_int_equal(mr_dev_directory(&p.settings, "shop", &directory, &err), MR_OK);
    assert_string_equal(directory, p.directory);
    free(directory);
    const mr_settings none = {0};
    assert_int_equal(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
    assert_int_equal(mr_dev_directory(&none, "shop", &directory, &err), MR_OK);
    assert_string_equal(directory, "/xdg/millrace/dev/shop");
    free(directory);
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_int_equal(setenv("HOME", "/home/me", 1), 0);
    assert_int_equal(mr_dev_directory(&none, "shop", &directory, &err), MR_OK);
    assert_string_equal(directory, "/home/me/.local/state/millrace/dev/shop");
    free(directory);
    assert_int_equal(unsetenv("HOME"), 0);
    assert_int_equal(mr_dev_directory(&none, "shop", &directory, &err), MR_ERR_USAGE);
    close_place(&p);
}

static void its_own_directory_is_emptied(void **state)
{
    (void)state;
    place p;
    int lock = -1;
    int second = -1;
    mr_error err;
    open_place(&p, NULL, NULL);
    assert_int_equal(mr_dev_claim(p.directory, &lock, &err), MR_OK);
    write_file(&p, "old", "x");
    assert_int_equal(mr_dev_claim(p.directory, &second, &err), MR_ERR_USAGE);
    assert_non_null(strstr(err.message, "runs this app already"));
    assert_true(has_file(&p, "old"));
    (void)close(lock);
    assert_int_equal(mr_dev_claim(p.directory, &lock, &err), MR_OK);
    assert_false(has_file(&p, "old"));
    (void)close(lock);
    close_place(&p);
}

static void another_directory_is_left_alone(void **state)
{
    (void)state;
    place p;
    int lock = -1;
    mr_error err;
    open_place(&p, NULL, NULL);
    assert_int_equal(mr_directory_make(p.directory, &err), MR_OK);
    write_file(&p, "thesis", "x");
    assert_int_equal(mr_dev_claim(p.directory, &lock, &err), MR_ERR_USAGE);
    assert_non_null(strstr(err.message, "it is left alone"));
    assert_true(has_file(&p, "thesis"));
    close_place(&p);
}

static void it_is_found_while_it_runs(void **state)
{
    (void)state;
    place p;
    int lock = -1;
    int64_t pid = 0;
    mr_error err;
    open_place(&p, "num.workers", "3");
    assert_int_equal(mr_dev_find(&p.settings, "shop", &pid, &err), MR_NOT_FOUND);
    assert_int_equal(mr_dev_claim(p.directory, &lock, &err), MR_OK);
    assert_int_equal(mr_dev_find(&p.settings, "shop", &pid, &err), MR_NOT_FOUND);
    write_file(&p, MR_DEV_PROPERTIES,
               "bootstrap.servers=127.0.0.1:1\nstate.dir=/its/own\nnum.workers=1\ndev.pid=42\n");
    assert_int_equal(mr_dev_find(&p.settings, "shop", &pid, &err), MR_OK);
    assert_int_equal(pid, 42);
    assert_string_equal(mr_properties_get(&p.settings.properties, "bootstrap.servers"),
                        "127.0.0.1:1");
    assert_null(mr_properties_get(&p.settings.properties, "dev.pid"));
    assert_string_equal(p.settings.runtime.state_dir, "/its/own");
    assert_int_equal(p.settings.runtime.workers, 3); /* said by the person */
    (void)close(lock);
    mr_settings_set(&p.settings, "state.dir", p.base, "-X");
    assert_int_equal(mr_dev_find(&p.settings, "shop", &pid, &err), MR_NOT_FOUND);
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_directory_follows_the_settings),
        cmocka_unit_test(its_own_directory_is_emptied),
        cmocka_unit_test(another_directory_is_left_alone),
        cmocka_unit_test(it_is_found_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
