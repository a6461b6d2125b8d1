/* Goal: a reader reads given partitions to their ends, also where those are control records. */
#include "kit.h"

#include <stdio.h>

static test_kit shared;

static int set_up(void **state)
{
    (void)state;
    kit_init(&shared);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_deinit(&shared);
    return 0;
}

/* The next that is no time-out. */
static mr_status next(mr_reader *reader, mr_record *ret_record)
{
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    mr_error err = {.status = MR_OK};
    mr_status status = MR_TIMED_OUT;
    while (status == MR_TIMED_OUT) {
        assert_true(kit_now_ms() < deadline_ms);
        status = mr_reader_next(reader, 100, ret_record, &err);
    }
    if (status < 0) {
        kit_ok(status, &err);
    }
    return status;
}

static void ends_are_told_once_for_each_partition(void **state)
{
    (void)state;
    char topic[KIT_NAME];
    kit_topic(&shared, "ends", 3, topic);
    kit_fill(&shared, topic, 0, 3000);
    kit_fill(&shared, topic, 1, 10);
    mr_reader *reader = kit_reader(&shared, false);
    const mr_topic_partition all[] = {{topic, 0, -1}, {topic, 1, 4}, {topic, 2, -1}};
    const int expected_records[] = {3000, 6, 0};
    const int64_t expected_ends[] = {3000, 10, 0};
    mr_error err;
    for (int time = 0; time < 2; time++) {
        kit_ok(mr_reader_assign(reader, all, 3, &err), &err);
        int n[3] = {0};
        int n_ends = 0;
        while (n_ends < 3) {
            mr_record record;
            if (next(reader, &record) == MR_END) {
                assert_string_equal(record.topic, topic);
                assert_int_equal(record.offset, expected_ends[record.partition]);
                assert_int_equal(n[record.partition], expected_records[record.partition]);
                n_ends++;
            } else {
                n[record.partition]++;
            }
        }
    }
    /* It may go on after its end. */
    mr_record record;
    kit_fill(&shared, topic, 2, 1);
    assert_int_equal(next(reader, &record), MR_OK);
    assert_int_equal(record.partition, 2);
    assert_int_equal(next(reader, &record), MR_END);
    assert_int_equal(record.offset, 1);
    mr_reader_free(reader);
}

/* Each partition goes on where it was last said, whatever was fetched of it before. */
static void nothing_from_before_a_new_place_arrives(void **state)
{
    (void)state;
    enum { RECORDS = 10000, PLACES = 40, READS = 150, STEP = 237 };
    char topic[KIT_NAME];
    kit_topic(&shared, "places", 2, topic);
    kit_fill(&shared, topic, 0, RECORDS);
    kit_fill(&shared, topic, 1, RECORDS);
    mr_reader *reader = kit_reader(&shared, false);
    mr_topic_partition at[] = {{topic, 0, 0}, {topic, 1, 0}};
    mr_error err;
    for (int i = 0; i < PLACES; i++) {
        at[0].offset = (int64_t)(PLACES - i) * STEP;
        if (i % 2 == 0) {
            at[1].offset = (int64_t)i * STEP;
            kit_ok(mr_reader_assign(reader, at, 2, &err), &err);
        } else {
            mr_reader_remove(reader, topic, 0);
            kit_ok(mr_reader_add(reader, &at[0], 1, &err), &err);
        }
        for (int n = 0; n < READS; n++) {
            mr_record record;
            assert_int_equal(next(reader, &record), MR_OK);
            assert_int_equal(record.offset, at[record.partition].offset);
            at[record.partition].offset++;
        }
    }
    mr_reader_free(reader);
}

static void control_records_at_the_end_are_passed(void **state)
{
    (void)state;
    char topic[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "control", 1, topic);
    kit_name("control", id);
    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    mr_error err;
    kit_send(producer, topic, 0, "0");
    kit_ok(kit_commit(producer, NULL, NULL, 0, 0, &err), &err);
    for (int i = 0; i < 2; i++) {
        kit_send(producer, topic, 0, "aborted");
        kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
        kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    }
    /* Record, end mark, two times an aborted record with its end mark. */
    mr_reader *reader = kit_reader(&shared, false);
    int64_t low = -1, high = -1, end = -1;
    kit_ok(mr_reader_watermarks(reader, topic, 0, &low, &high, KIT_MS, &err), &err);
    assert_int_equal(low, 0);
    assert_int_equal(high, 6);
    assert_int_equal(kit_count(&shared, topic, 0, false, &end), 1);
    assert_int_equal(end, 6);
    /* From behind the last record: the end at once. */
    const mr_topic_partition from = {topic, 0, 3};
    mr_record record;
    kit_ok(mr_reader_assign(reader, &from, 1, &err), &err);
    assert_int_equal(next(reader, &record), MR_END);
    assert_int_equal(record.offset, 6);

    /* An open transaction: who reads committed records ends before it, others see it. */
    kit_send(producer, topic, 0, "open");
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    kit_ok(mr_reader_watermarks(reader, topic, 0, &low, &high, KIT_MS, &err), &err);
    assert_int_equal(high, 6);
    mr_reader *all = kit_reader(&shared, true);
    kit_ok(mr_reader_watermarks(all, topic, 0, &low, &high, KIT_MS, &err), &err);
    assert_int_equal(high, 7);
    assert_int_equal(kit_count(&shared, topic, 0, true, &end), 4);
    assert_int_equal(end, 7);
    assert_int_equal(mr_reader_next(reader, 200, &record, &err), MR_TIMED_OUT);
    kit_ok(kit_commit(producer, NULL, NULL, 0, 0, &err), &err);
    assert_int_equal(next(reader, &record), MR_OK);
    assert_int_equal(record.offset, 6);
    assert_int_equal(next(reader, &record), MR_END);
    assert_int_equal(record.offset, 8);
    mr_reader_free(all);
    mr_reader_free(reader);
    mr_producer_free(producer);
}

static void offsets_are_found_by_time(void **state)
{
    (void)state;
    char topic[KIT_NAME];
    char other[KIT_NAME];
    kit_topic(&shared, "time", 2, topic);
    kit_topic(&shared, "other-time", 2, other);
    mr_producer *producer = kit_producer(&shared, NULL, KIT_TXN_MS);
    mr_error err;
    for (int i = 0; i < 6; i++) {
        const mr_record record = {.topic = i % 2 == 0 ? topic : other,
                                  .timestamp_ms = 1000 * (i / 2 + 1),
                                  .value = mr_bytes_text("v")};
        kit_ok(mr_producer_send(producer, &record, NULL, &err), &err);
        kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    }
    mr_producer_free(producer);
    static const struct {
        int64_t ms;
        int64_t offset;
    } rows[] = {{-1, 0}, {0, 0}, {1000, 0}, {1001, 1}, {2000, 1}, {3000, 2}, {3001, 3}};
    mr_reader *reader = kit_reader(&shared, false);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t offset = -7;
        kit_ok(mr_reader_offset_at(reader, topic, 0, rows[i].ms, &offset, KIT_MS, &err), &err);
        assert_int_equal(offset, rows[i].offset);
    }
    int64_t offset = -7;
    assert_int_equal(mr_reader_offset_at(reader, topic, 9, 0, &offset, KIT_MS, &err), MR_ERR_KAFKA);
    assert_int_equal(offset, -7);
    /* Of many at once, each at a time of its own. */
    mr_topic_partition many[] = {
        {topic, 1, 0}, {topic, 0, 1001}, {other, 0, 3000}, {other, 1, 3001}};
    kit_ok(mr_reader_offsets_at(reader, many, 4, KIT_MS, &err), &err);
    static const int64_t found[] = {-1, 1, 2, -1};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(many[i].offset, found[i]);
    }
    mr_topic_partition missing[] = {{topic, 0, 0}, {topic, 9, 0}};
    assert_int_equal(mr_reader_offsets_at(reader, missing, 2, KIT_MS, &err), MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "[9]"));
    assert_int_equal(missing[0].offset, 0);
    mr_reader_free(reader);
}

static void a_missing_topic_is_an_error(void **state)
{
    (void)state;
    char name[KIT_NAME];
    kit_name("missing", name);
    mr_reader *reader = kit_reader(&shared, false);
    const mr_topic_partition from = {name, 0, -1};
    mr_error err;
    mr_record record;
    kit_ok(mr_reader_assign(reader, &from, 1, &err), &err);
    mr_status status = MR_TIMED_OUT;
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (status == MR_TIMED_OUT) {
        assert_true(kit_now_ms() < deadline_ms);
        status = mr_reader_next(reader, 100, &record, &err);
    }
    assert_int_equal(status, MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, name));
    mr_reader_free(reader);
}

/* Deleted records: reading from below the first offset begins there; a stage's first offset too. */
static void reading_begins_at_the_first_offset_there_is(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    static const mr_topic_config config[] = {{"retention.bytes", "1"},
                                             {"segment.bytes", "1048576"}};
    mr_error err;
    kit_name("deleted", topic);
    kit_name("deleted", group);
    kit_ok(mr_admin_create_topic(shared.admin, topic, 1, -1, config, 2, &err), &err);
    kit_fill(&shared, topic, 0, 10);
    kit_ok(mr_admin_delete_before(shared.admin, topic, 0, 4, &err), &err);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait(&member, 1);
    mr_topic_partition first = {topic, 0, -1};
    kit_ok(mr_consumer_beginning(member.consumer, &first, KIT_MS, &err), &err);
    assert_int_equal(first.offset, 4);
    mr_record record;
    kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
    assert_int_equal(record.offset, 4);
    /* The question does not wait behind the fetch that is under way. */
    while (kit_member_next(&member, 100, &record) == MR_OK) {
    }
    const int64_t begin_ms = kit_now_ms();
    for (int i = 0; i < 10; i++) {
        kit_ok(mr_consumer_beginning(member.consumer, &first, KIT_MS, &err), &err);
    }
    assert_true(kit_now_ms() - begin_ms < 500);
    kit_member_close(&member);
    mr_reader *reader = kit_reader(&shared, false);
    const mr_topic_partition from = {topic, 0, 1};
    kit_ok(mr_reader_assign(reader, &from, 1, &err), &err);
    assert_int_equal(next(reader, &record), MR_OK);
    assert_int_equal(record.offset, 4);
    mr_reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_told_once_for_each_partition),
        cmocka_unit_test(nothing_from_before_a_new_place_arrives),
        cmocka_unit_test(control_records_at_the_end_are_passed),
        cmocka_unit_test(offsets_are_found_by_time),
        cmocka_unit_test(a_missing_topic_is_an_error),
        cmocka_unit_test(reading_begins_at_the_first_offset_there_is),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
