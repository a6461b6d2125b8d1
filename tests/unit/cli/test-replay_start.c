/* Goal: a beginning is what Kafka's own tools take for it, and everything else is refused with
 * where and why. Method: tables of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/replay_start.h"

static void times_are_utc_unless_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } lines[] = {
        {"2026-11-21T10:00:00.000", 1795255200000},
        {"2026-11-21T10:00:00.000Z", 1795255200000},
        {"2026-11-21T12:00:00.000+02:00", 1795255200000},
        {"2026-11-21T10:00:00.250", 1795255200250},
        {"2026-11-21T10:00", 1795255200000},
        {"1970-01-01T00:00:00", 0},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int64_t ms = -1;
        assert_int_equal(mr_replay_datetime(lines[i].text, &ms), MR_OK);
        assert_int_equal(ms, lines[i].ms);
    }
    static const char *const wrong[] = {"",
                                        "T",
                                        "2026-11-21",
                                        "2026-11-21 10:00:00",
                                        "2026-13-01T00:00:00",
                                        "2026-11-21T10:00:00.000ZZ",
                                        "2026-11-21T25:00:00"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t ms;
        assert_int_equal(mr_replay_datetime(wrong[i], &ms), MR_NOT_FOUND);
    }
}

static void durations_are_iso_8601(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } lines[] = {
        {"PT0S", 0},     {"PT1H", 3600000}, {"P1D", 86400000},        {"PT90M", 5400000},
        {"PT0.5S", 500}, {"PT1.25S", 1250}, {"P1DT2H3M4S", 93784000}, {"P2DT1S", 172801000},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int64_t ms = -1;
        assert_int_equal(mr_replay_duration(lines[i].text, &ms), MR_OK);
        assert_int_equal(ms, lines[i].ms);
    }
    static const char *const wrong[] = {
        "",       "P",      "PT",    "P1DT", "1H",     "PT1",   "P1H",     "PT1D",         "PTH",
        "PT1M1H", "PT1H1H", "-PT1H", "P1D ", "PT0.5H", "P1T1H", "PT1HT1M", "PT9999999999S"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int64_t ms;
        assert_int_equal(mr_replay_duration(wrong[i], &ms), MR_NOT_FOUND);
    }
}

static void a_file_is_read_as_kafka_writes_it(void **state)
{
    (void)state;
    mr_error err;
    mr_replay_start start = {0};
    const char *text = "orders,0,17\r\n\"orders\",1,0\n\nother.topic,12,9223372036854775807";
    assert_int_equal(mr_replay_read_csv(&start, mr_bytes_text(text), "f", &err), MR_OK);
    assert_int_equal(start.n, 3);
    assert_string_equal(start.partitions[0].topic, "orders");
    assert_int_equal(start.partitions[0].offset, 17);
    assert_string_equal(start.partitions[1].topic, "orders");
    assert_int_equal(start.partitions[1].partition, 1);
    assert_int_equal(start.partitions[2].partition, 12);
    assert_true(start.partitions[2].offset == INT64_MAX);
    mr_replay_start_deinit(&start);

    static const char *const wrong[] = {"orders",
                                        "orders,0",
                                        "orders,0,",
                                        "orders,0,x",
                                        "orders,-1,0",
                                        "orders,0,-1",
                                        ",0,0",
                                        "orders,0,1,2",
                                        "orders,,1",
                                        "orders,0, 1",
                                        "orders,0,1,",
                                        "orders,2147483648,0",
                                        "orders,0,9223372036854775808"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mr_buf lines = MR_BUF_NULL;
        mr_buf_printf(&lines, "orders,0,1\n%s\n", wrong[i]);
        assert_int_equal(mr_replay_read_csv(&start, mr_buf_bytes(&lines), "f.csv", &err),
                         MR_ERR_USAGE);
        assert_non_null(strstr(err.message, "f.csv:2: '"));
        mr_replay_start_deinit(&start);
        mr_buf_deinit(&lines);
    }
}

static mr_replay_choice nothing(void)
{
    return (mr_replay_choice){.offset = -1, .shift = MR_REPLAY_NO_SHIFT};
}

static void there_is_one_beginning(void **state)
{
    (void)state;
    mr_error err;
    mr_replay_start start;
    mr_replay_choice choice = nothing();
    assert_int_equal(mr_replay_start_init(&start, &choice, 0, &err), MR_OK);
    assert_int_equal(start.kind, MR_REPLAY_EARLIEST);
    choice.shift = 0;
    assert_int_equal(mr_replay_start_init(&start, &choice, 0, &err), MR_OK);
    assert_int_equal(start.kind, MR_REPLAY_SHIFT);
    choice.latest = true;
    assert_int_equal(mr_replay_start_init(&start, &choice, 0, &err), MR_ERR_USAGE);
    choice = nothing();
    choice.duration = "PT10S";
    assert_int_equal(mr_replay_start_init(&start, &choice, 60000, &err), MR_OK);
    assert_int_equal(start.kind, MR_REPLAY_TIME);
    assert_int_equal(start.number, 50000);
    choice.offset = 0;
    assert_int_equal(mr_replay_start_init(&start, &choice, 60000, &err), MR_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_utc_unless_they_say),
        cmocka_unit_test(durations_are_iso_8601),
        cmocka_unit_test(a_file_is_read_as_kafka_writes_it),
        cmocka_unit_test(there_is_one_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
