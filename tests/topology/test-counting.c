/*
 * Goal: the record path without a broker: rows, outputs, a handler that fails leaves no trace,
 * later records of its key are parked, other keys go on. Method: the driver with a C handler; every
 * outcome is read from the topics.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <mr/value.h>

#include "counting.h"
#include "kinds.h"

typedef struct mr_fixture {
    mr_app *app;
    mr_driver *driver;
} mr_fixture;

static int set_up(void **state)
{
    static mr_fixture fixture;
    mr_error err;
    fixture.app = mr_counting_app(1);
    assert_int_equal(mr_app_prepare(fixture.app, mr_kinds, &err), MR_OK);
    assert_int_equal(
        mr_driver_new(fixture.app, mr_kinds, mr_counting_handler, NULL, &fixture.driver, &err),
        MR_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    mr_fixture *fixture = *state;
    mr_driver_free(fixture->driver);
    mr_app_free(fixture->app);
    return 0;
}

static void feed_with(mr_fixture *fixture, const char *key, int64_t value, const char *id,
                      const char *trace)
{
    const mr_envelope envelope = {
        .id = id == NULL ? MR_BYTES_NULL : mr_bytes_text(id),
        .traceparent = trace == NULL ? MR_BYTES_NULL : mr_bytes_text(trace),
        .sequence = MR_VERSION_NONE,
        .expected_version = MR_VERSION_NONE,
        .time_ms = 1,
    };
    mr_error err;
    assert_int_equal(mr_driver_send(fixture->driver, "counting.numbers", mr_bytes_text(key),
                                    &envelope, fixture->app->stages[0].input, &value, &err),
                     MR_OK);
}

static void feed(mr_fixture *fixture, const char *key, int64_t value)
{
    feed_with(fixture, key, value, NULL, NULL);
}

static void assert_total(mr_fixture *fixture, const char *key, int64_t count, int64_t sum)
{
    const mr_stage *stage = &fixture->app->stages[0];
    const mr_type *type = mr_schema_type(stage->stores[0].value);
    const void *row;
    mr_error err;
    assert_int_equal(mr_driver_row(fixture->driver, stage, 0, mr_bytes_text(key), &row, &err),
                     MR_OK);
    assert_int_equal(*(const int64_t *)mr_field_at(type, (void *)(uintptr_t)row, 0), count);
    assert_int_equal(*(const int64_t *)mr_field_at(type, (void *)(uintptr_t)row, 1), sum);
}

static void assert_dead(mr_fixture *fixture, size_t i, const char *error_class, const char *offset)
{
    const mr_record *letter = mr_driver_record(fixture->driver, "counting-counts-dlq", i);
    assert_true(
        mr_bytes_equal_text(mr_record_header(letter, "__millrace.errors.class"), error_class));
    assert_true(mr_bytes_equal_text(mr_record_header(letter, "__millrace.errors.offset"), offset));
    assert_true(mr_bytes_equal_text(mr_record_header(letter, "__millrace.errors.topic"),
                                    "counting.numbers"));
}

static void rows_are_folded_and_sent_on(void **state)
{
    mr_fixture *fixture = *state;
    feed(fixture, "a", 5);
    feed(fixture, "b", 7);
    feed(fixture, "a", 6);
    assert_total(fixture, "a", 2, 11);
    assert_total(fixture, "b", 1, 7);
    assert_int_equal(mr_driver_count(fixture->driver, "counting.totals"), 3);
    const mr_record *last = mr_driver_record(fixture->driver, "counting.totals", 2);
    assert_true(mr_bytes_equal_text(last->key, "a"));
    assert_int_equal(last->n_headers, 0); /* plain, as the record that changed the row */
}

static void assert_header(const mr_record *record, const char *name, const char *value)
{
    assert_true(mr_bytes_equal_text(mr_record_header(record, name), value));
}

static void a_row_is_sent_on_as_what_changed_it(void **state)
{
    mr_fixture *fixture = *state;
    feed_with(fixture, "a", 5, "n-1", NULL);
    feed_with(fixture, "a", 6, NULL, "00-1-2-00");
    const mr_record *event = mr_driver_record(fixture->driver, "counting.totals", 0);
    assert_header(event, "ce_id", "n-1/totals/a");
    assert_header(event, "ce_type", "Total");
    assert_header(event, "ce_subject", "a");
    assert_header(event, "ce_source", "counting-counts");
    assert_header(event, "ce_causationid", "n-1");
    assert_header(event, "ce_correlationid", "n-1");
    assert_header(event, "ce_time", "1970-01-01T00:00:00.001Z");
    const mr_record *plain = mr_driver_record(fixture->driver, "counting.totals", 1);
    assert_int_equal(plain->n_headers, 1);
    assert_header(plain, "traceparent", "00-1-2-00");
}

static void a_failing_record_leaves_no_trace_and_parks_its_key(void **state)
{
    mr_fixture *fixture = *state;
    feed(fixture, "a", 5);
    feed(fixture, "a", -1);
    feed(fixture, "a", 6);
    feed(fixture, "b", 7);
    assert_total(fixture, "a", 1, 5);
    assert_total(fixture, "b", 1, 7);
    assert_int_equal(mr_driver_count(fixture->driver, "counting-counts-dlq"), 2);
    assert_dead(fixture, 0, "handler", "1");
    assert_dead(fixture, 1, "parked", "2");
    assert_int_equal(mr_driver_count(fixture->driver, "counting.totals"), 2);
}

static void bad_bytes_are_dead_letters(void **state)
{
    mr_fixture *fixture = *state;
    const mr_record records[] = {
        {.topic = "counting.numbers", .key = mr_bytes_text("x"), .value = mr_bytes_text("junk")},
        {.topic = "counting.numbers", .value = mr_bytes_text("{\"Value\":1}")},
        {.topic = "counting.numbers",
         .key = mr_bytes_text("y"),
         .value = mr_bytes_text("{\"Valu\":1}")},
        {.topic = "counting.numbers",
         .key = mr_bytes_text("z"),
         .value = mr_bytes_text("{\"Value\":1}")},
    };
    mr_error err;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        assert_int_equal(mr_driver_feed(fixture->driver, &records[i], &err), MR_OK);
    }
    assert_int_equal(mr_driver_count(fixture->driver, "counting-counts-dlq"), 3);
    assert_dead(fixture, 0, "deserialize", "0");
    assert_dead(fixture, 1, "null_key", "1");
    assert_dead(fixture, 2, "validate", "2");
    assert_total(fixture, "z", 1, 1);
}

static void a_value_over_the_limit_is_a_dead_letter_without_its_value(void **state)
{
    mr_fixture *fixture = *state;
    static uint8_t large[1024 * 1024];
    const mr_record record = {.topic = "counting.numbers",
                              .key = mr_bytes_text("x"),
                              .value = mr_bytes_of(large, sizeof(large))};
    mr_error err;
    assert_int_equal(mr_driver_feed(fixture->driver, &record, &err), MR_OK);
    assert_dead(fixture, 0, "too_large", "0");
    const mr_record *letter = mr_driver_record(fixture->driver, "counting-counts-dlq", 0);
    assert_true(mr_bytes_is_null(letter->value));
    assert_true(
        mr_bytes_equal_text(mr_record_header(letter, "__millrace.errors.truncated"), "value"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_folded_and_sent_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_is_sent_on_as_what_changed_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_record_leaves_no_trace_and_parks_its_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bad_bytes_are_dead_letters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_over_the_limit_is_a_dead_letter_without_its_value,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
