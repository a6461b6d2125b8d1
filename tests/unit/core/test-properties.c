/*
 * Goal: properties files are read as Java reads them, and precedence is the order of setting.
 * Method: files written into a temporary directory, beside what must come out of them.
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

typedef struct fixture {
    char directory[64];
    char path[96];
    mr_properties properties;
    mr_error err;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-properties-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/app.properties", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    (void)unlink(f->path);
    (void)rmdir(f->directory);
    mr_properties_deinit(&f->properties);
    free(f);
    return 0;
}

static mr_status load(fixture *f, const void *contents, size_t len)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(contents, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    mr_properties_deinit(&f->properties);
    return mr_properties_load(&f->properties, f->path, &f->err);
}

static void assert_message(const fixture *f, const char *part)
{
    if (strstr(f->err.message, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, f->err.message);
    }
}

static void a_line_is_a_name_and_a_value(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *contents, *name, *value;
    } rows[] = {
        {"a=b", "a", "b"},
        {"a = b\n", "a", "b"},
        {"a:b", "a", "b"},
        {"a b", "a", "b"},
        {"\t a \t:\f b c  \r\n", "a", "b c"},
        {"a==b", "a", "=b"},
        {"a : = b", "a", "= b"},
        {"a=", "a", ""},
        {"a", "a", ""},
        {"a=b#c", "a", "b#c"},
        {"a=http://x:1/?y=z", "a", "http://x:1/?y=z"},
        {"#x=1\n!y=2\n  # z\\\na=b", "a", "b"},
        {"a=1\na=2", "a", "2"},
        {"a=1\rb=2", "b", "2"},
        {"\r\n\r\n\na=1", "a", "1"},
        {"a=one\\\n   two", "a", "onetwo"},
        {"a=one\\\r\n\t two", "a", "onetwo"},
        {"a=one\\\n#two", "a", "one#two"},
        {"a=one\\\\\nb=2", "a", "one\\"},
        {"a=one\\", "a", "one"},
        {"na\\\n  me=v", "name", "v"},
        {"a\\\n = \\\n b", "a", "b"},
        {"a\\=\\:\\ b=c", "a=:b", NULL},
        {"a\\=\\:\\ b=c", "a=: b", "c"},
        {"a=\\t\\n\\r\\f\\q\\\\", "a", "\t\n\r\fq\\"},
        {"a= x\\ \\  ", "a", "x  "},
        {"a=\\u00e9\\u20AC", "a", "\xc3\xa9\xe2\x82\xac"},
        {"a=\\ud83c\\udfab", "a", "\xf0\x9f\x8e\xab"},
        {"\xef\xbb\xbfgr\xc3\xbc\xc3\x9f=\xc3\xa9", "gr\xc3\xbc\xc3\x9f", "\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(load(f, rows[i].contents, strlen(rows[i].contents)), MR_OK);
        const char *value = mr_properties_get(&f->properties, rows[i].name);
        if (rows[i].value == NULL) {
            assert_null(value);
        } else if (value == NULL) {
            fail_msg("row %zu: nothing is named '%s'", i, rows[i].name);
        } else {
            assert_string_equal(value, rows[i].value);
        }
    }
}

static void comments_and_empty_lines_are_nothing(void **state)
{
    fixture *f = *state;
    static const char contents[] = "# a=1\n! b=2\n\t # c=3\\\n\n  \n\r\n!d\n#";
    assert_int_equal(load(f, contents, strlen(contents)), MR_OK);
    assert_int_equal(f->properties.n, 0);
}

static void a_bad_line_is_named(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *contents, *message;
    } rows[] = {
        {"a=1\n = x", "app.properties:2: there is no name"},
        {"a=\\u12", "app.properties:1: '\\u'"},
        {"a=1\\\n\\u00zz", "app.properties:2: '\\u'"},
        {"a=\\u0000", "'\\u'"},
        {"a=\\ud800", "'\\u'"},
        {"a=\\ud800\\u0041", "'\\u'"},
        {"a=\\udc00", "'\\u'"},
        {"a=\xff", "no UTF-8 text"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(load(f, rows[i].contents, strlen(rows[i].contents)), MR_ERR_USAGE);
        assert_message(f, rows[i].message);
    }
    assert_int_equal(load(f, "a=b\0c=d", 7), MR_ERR_USAGE);
    assert_message(f, "no UTF-8 text");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    fixture *f = *state;
    assert_int_equal(mr_properties_load(&f->properties, f->path, &f->err), MR_ERR_USAGE);
    assert_message(f, "there is no configuration file");
    assert_message(f, f->path);
    assert_int_equal(mr_properties_load(&f->properties, f->directory, &f->err), MR_ERR_SYSTEM);
    assert_message(f, "no regular file");
    const size_t len = (1 << 20) + 1;
    char *large = malloc(len);
    memset(large, '#', len);
    assert_int_equal(load(f, large, len), MR_ERR_SYSTEM);
    assert_message(f, "larger than");
    large[len - 1] = '\0';
    assert_int_equal(load(f, large, len - 1), MR_OK);
    free(large);
}

static void what_is_set_later_wins_and_says_where_it_is_from(void **state)
{
    fixture *f = *state;
    static const char contents[] = "#\nstate.dir=file\nbootstrap.servers=file";
    assert_int_equal(load(f, contents, strlen(contents)), MR_OK);
    assert_string_equal(f->properties.items[0].origin + strlen(f->path), ":2");
    char directory[] = "MILLRACE_STATE_DIR=a=b";
    char *const environment[] = {(char[]){"HOME=/"},
                                 (char[]){"MILLRACE_"},
                                 (char[]){"MILLRACE_=x"},
                                 directory,
                                 (char[]){"MILLRACENOT=1"},
                                 (char[]){"MILLRACE_X"},
                                 NULL};
    mr_properties_load_environment(&f->properties, environment);
    assert_int_equal(f->properties.n, 2);
    assert_string_equal(mr_properties_get(&f->properties, "state.dir"), "a=b");
    assert_string_equal(f->properties.items[0].origin, "MILLRACE_STATE_DIR");
    assert_int_equal(mr_properties_parse(&f->properties, "state.dir=-X=", &f->err), MR_OK);
    assert_string_equal(mr_properties_get(&f->properties, "state.dir"), "-X=");
    assert_string_equal(f->properties.items[0].origin, "-X");
    assert_string_equal(mr_properties_get(&f->properties, "bootstrap.servers"), "file");
    mr_properties_load_environment(&f->properties, NULL);
}

static void an_assignment_needs_a_name_and_a_value(void **state)
{
    fixture *f = *state;
    static const char *const rows[] = {"", "a", "=b"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(mr_properties_parse(&f->properties, rows[i], &f->err), MR_ERR_USAGE);
        assert_message(f, "name=value");
    }
    assert_int_equal(mr_properties_parse(&f->properties, "a=", &f->err), MR_OK);
    assert_string_equal(mr_properties_get(&f->properties, "a"), "");
}

static void a_property_may_be_set_from_itself(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "name.%d", i);
        mr_properties_set(&f->properties, name, name, "test");
    }
    const mr_property *first = &f->properties.items[0];
    mr_properties_set(&f->properties, first->name, first->value, first->origin);
    assert_int_equal(f->properties.n, 100);
    assert_string_equal(mr_properties_get(&f->properties, "name.0"), "name.0");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_a_name_and_a_value),
        TEST(comments_and_empty_lines_are_nothing),
        TEST(a_bad_line_is_named),
        TEST(a_file_that_cannot_be_read_is_named),
        TEST(what_is_set_later_wins_and_says_where_it_is_from),
        TEST(an_assignment_needs_a_name_and_a_value),
        TEST(a_property_may_be_set_from_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
