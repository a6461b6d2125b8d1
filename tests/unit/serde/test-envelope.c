/*
 * Goal: CloudEvents headers are read as the Kafka binding says, and written in one order. Method:
 * records of a few headers, and a round trip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mr/envelope.h>

enum { RECORD_TIME = 1000 };

static mr_record record_of(const mr_header *headers, size_t n)
{
    return (mr_record){.timestamp_ms = RECORD_TIME, .headers = headers, .n_headers = n};
}

static mr_header header(const char *name, const char *value)
{
    return (mr_header){name, mr_bytes_text(value)};
}

static void the_last_header_of_a_name_counts(void **state)
{
    (void)state;
    const mr_header headers[] = {header("a", "1"), header("b", "2"),  header("a", "3"),
                                 header("c", "4"), header("c", NULL), header("d", "")};
    const mr_record record = record_of(headers, 6);
    assert_true(mr_bytes_equal_text(mr_record_header(&record, "a"), "3"));
    assert_true(mr_bytes_is_null(mr_record_header(&record, "c")));
    assert_false(mr_bytes_is_null(mr_record_header(&record, "d")));
    assert_true(mr_bytes_is_null(mr_record_header(&record, "A")));
    const mr_record none = record_of(NULL, 0);
    assert_true(mr_bytes_is_null(mr_record_header(&none, "a")));
}

static void a_record_without_headers_has_its_own_time_only(void **state)
{
    (void)state;
    const mr_record record = record_of(NULL, 0);
    mr_envelope e;
    mr_error err;
    assert_int_equal(mr_envelope_read(&record, &e, &err), MR_OK);
    assert_int_equal(e.time_ms, RECORD_TIME);
    assert_int_equal(e.sequence, MR_VERSION_NONE);
    assert_int_equal(e.expected_version, MR_VERSION_NONE);
    assert_true(mr_bytes_is_null(e.id) && mr_bytes_is_null(e.type) && mr_bytes_is_null(e.source));
    assert_int_equal(mr_envelope_require(&e, &err), MR_ERR_DATA);
    assert_string_equal(err.message, "header ce_id is missing");
}

static void foreign_and_short_names_are_passed_over(void **state)
{
    (void)state;
    const mr_header headers[] = {header("", "x"),      header("c", "x"),     header("ce", "x"),
                                 header("ce_", "x"),   header("ce_i", "x"),  header("ce_idx", "x"),
                                 header("CE_ID", "x"), header("ce_id", "a"), header("\xff", "\xff"),
                                 header("ce_id", "b")};
    const mr_record record = record_of(headers, sizeof(headers) / sizeof(headers[0]));
    mr_envelope e;
    mr_error err;
    assert_int_equal(mr_envelope_read(&record, &e, &err), MR_OK);
    assert_true(mr_bytes_equal_text(e.id, "b"));
    assert_true(mr_bytes_is_null(e.type));
}

static void a_bad_header_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"ce_id", "\xff"},
        {"ce_type", "\xc0\x80"},
        {"ce_subject", "12345678\xed\xa0\x80"},
        {"traceparent", "\x80"},
        {"content-type", "\xf5"},
        {"ce_time", ""},
        {"ce_time", "yesterday"},
        {"ce_time", "2020-04-20T20:30:00"},
        {"ce_sequence", ""},
        {"ce_sequence", "-1"},
        {"ce_sequence", "1 "},
        {"ce_sequence", "0x1"},
        {"ce_sequence", "9223372036854775808"},
        {"ce_sequence", "000000000000000000000000000000"},
        {"ce_expectedversion", "-2"},
        {"ce_expectedversion", "any"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_header headers[] = {header(rows[i].name, rows[i].value)};
        const mr_record record = record_of(headers, 1);
        mr_envelope e = {.sequence = 77};
        mr_error err;
        assert_int_equal(mr_envelope_read(&record, &e, &err), MR_ERR_DATA);
        assert_int_equal(err.action, MR_ACT_SKIP);
        assert_string_equal(err.error_class, "validate");
        assert_non_null(strstr(err.message, rows[i].name));
        assert_int_equal(e.sequence, 77);
    }
    const mr_header zero[] = {{"ce_sequence", mr_bytes_of("1\0002", 3)}};
    const mr_record record = record_of(zero, 1);
    mr_envelope e;
    mr_error err;
    assert_int_equal(mr_envelope_read(&record, &e, &err), MR_ERR_DATA);
}

static void three_headers_are_required(void **state)
{
    (void)state;
    static const char *const names[] = {"ce_id", "ce_type", "ce_subject"};
    for (size_t missing = 0; missing < 3; missing++) {
        for (int empty = 0; empty < 2; empty++) {
            mr_header headers[3];
            for (size_t i = 0; i < 3; i++) {
                headers[i] = header(names[i], i != missing ? "x" : empty ? "" : NULL);
            }
            const mr_record record = record_of(headers, 3);
            mr_envelope e;
            mr_error err;
            assert_int_equal(mr_envelope_read(&record, &e, &err), MR_OK);
            assert_int_equal(mr_envelope_require(&e, &err), MR_ERR_DATA);
            assert_string_equal(err.error_class, "missing_header");
            assert_non_null(strstr(err.message, names[missing]));
            assert_non_null(strstr(err.message, empty ? "empty" : "missing"));
        }
    }
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    const mr_envelope full = {.id = mr_bytes_text("cart-1/0"),
                              .type = mr_bytes_text("CartCreated"),
                              .source = mr_bytes_text("/tickets/cart"),
                              .subject = mr_bytes_text("cart-1"),
                              .correlation_id = mr_bytes_text("c"),
                              .causation_id = mr_bytes_text(""),
                              .traceparent = mr_bytes_text("00-1-2-00"),
                              .content_type = mr_bytes_text("application/avro"),
                              .time_ms = 1587414600250,
                              .sequence = INT64_MAX,
                              .expected_version = -1};
    static const char *const order[][2] = {
        {"ce_specversion", "1.0"},
        {"ce_id", "cart-1/0"},
        {"ce_source", "/tickets/cart"},
        {"ce_type", "CartCreated"},
        {"ce_time", "2020-04-20T20:30:00.250Z"},
        {"ce_subject", "cart-1"},
        {"ce_sequence", "9223372036854775807"},
        {"ce_expectedversion", "-1"},
        {"ce_correlationid", "c"},
        {"ce_causationid", ""},
        {"traceparent", "00-1-2-00"},
        {"content-type", "application/avro"},
    };
    mr_envelope_headers headers;
    mr_envelope_write(&full, &headers);
    assert_int_equal(headers.n, sizeof(order) / sizeof(order[0]));
    for (size_t i = 0; i < headers.n; i++) {
        assert_string_equal(headers.headers[i].name, order[i][0]);
        assert_true(mr_bytes_equal_text(headers.headers[i].value, order[i][1]));
    }
    const mr_record record = record_of(headers.headers, headers.n);
    mr_envelope again;
    mr_error err;
    assert_int_equal(mr_envelope_read(&record, &again, &err), MR_OK);
    assert_int_equal(mr_envelope_require(&again, &err), MR_OK);
    assert_true(again.time_ms == full.time_ms && again.sequence == full.sequence &&
                again.expected_version == full.expected_version);
    assert_true(mr_bytes_equal(again.causation_id, full.causation_id));

    const mr_envelope bare = {.sequence = MR_VERSION_NONE, .expected_version = MR_VERSION_NONE};
    mr_envelope_write(&bare, &headers);
    assert_int_equal(headers.n, 2);
    assert_string_equal(headers.headers[1].name, "ce_time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_header_of_a_name_counts),
        cmocka_unit_test(a_record_without_headers_has_its_own_time_only),
        cmocka_unit_test(foreign_and_short_names_are_passed_over),
        cmocka_unit_test(a_bad_header_is_named),
        cmocka_unit_test(three_headers_are_required),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
