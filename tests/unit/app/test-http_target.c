/*
 * Goal: a request's target is split before it is decoded, and hostile ones are refused. Method:
 * rows of target and parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/http_target.h"

static void parts_are_split_then_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *parts; /* joined with | */
    } rows[] = {
        {"/", ""},
        {"/stores", "stores|"},
        {"/stores/", "stores||"},
        {"/stores/a%2Fb", "stores|a/b|"},
        {"/stores/a/b?x=1", "stores|a|b|"},
        {"//", "||"},
        {"/%E2%82%AC", "\xe2\x82\xac|"},
        {"/a+b", "a+b|"},
        {"/..%2f", "../|"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_http_target target;
        mr_buf joined = MR_BUF_NULL;
        mr_error err;
        assert_int_equal(mr_http_target_parse(rows[i].raw, &target, &err), MR_OK);
        for (size_t s = 0; s < target.n_segments; s++) {
            mr_buf_printf(&joined, "%s|", mr_buf_text(&target.segments[s]));
        }
        assert_string_equal(mr_buf_text(&joined), rows[i].parts);
        mr_buf_deinit(&joined);
        mr_http_target_deinit(&target);
    }
}

static void parameters_are_found_by_name(void **state)
{
    (void)state;
    mr_http_target target;
    mr_error err;
    assert_int_equal(
        mr_http_target_parse("/s?prefix=a%26b%3Dc+d&&limit=5&empty=&bare", &target, &err), MR_OK);
    assert_int_equal(target.n_parameters, 4);
    assert_true(mr_bytes_equal_text(mr_http_target_parameter(&target, "prefix"), "a&b=c d"));
    assert_true(mr_bytes_equal_text(mr_http_target_parameter(&target, "limit"), "5"));
    assert_true(mr_bytes_equal_text(mr_http_target_parameter(&target, "empty"), ""));
    assert_true(mr_bytes_equal_text(mr_http_target_parameter(&target, "bare"), ""));
    assert_true(mr_bytes_is_null(mr_http_target_parameter(&target, "other")));
    assert_true(mr_http_target_is(&target, 0, "s"));
    assert_false(mr_http_target_is(&target, 1, "s"));
    mr_http_target_deinit(&target);
}

static void hostile_targets_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "stores",
        "http://x/stores",
        "?a=b",
        "/a%",
        "/a%2",
        "/a%zz",
        "/?a=%",
        "/?a=1&a=2",
        "/?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_http_target target;
        mr_error err;
        assert_int_equal(mr_http_target_parse(rows[i], &target, &err), MR_ERR_USAGE);
        mr_http_target_deinit(&target);
    }
    char *long_target = malloc(MR_TARGET_BYTES_MAX + 2);
    assert_non_null(long_target);
    memset(long_target, 'a', MR_TARGET_BYTES_MAX + 1);
    long_target[0] = '/';
    long_target[MR_TARGET_BYTES_MAX + 1] = '\0';
    mr_http_target target;
    mr_error err;
    assert_int_equal(mr_http_target_parse(long_target, &target, &err), MR_ERR_USAGE);
    mr_http_target_deinit(&target);
    free(long_target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_split_then_decoded),
        cmocka_unit_test(parameters_are_found_by_name),
        cmocka_unit_test(hostile_targets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
