/* Goal: what goes wrong while reading and committing without transactions ends in the right move.
 */
#include "cluster.h"

#include <stdio.h>
#include <stdlib.h>

static mock_cluster mock;

static int set_up(void **state)
{
    (void)state;
    mock_init(&mock);
    mock_topic(&mock, "in", 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mock_deinit(&mock);
    return 0;
}

static void commits_without_a_transaction(void **state)
{
    (void)state;
    static const struct {
        rd_kafka_resp_err_t code;
        size_t n;
        mr_status status;
        mr_action action;
    } rows[] = {
        {RD_KAFKA_RESP_ERR_NO_ERROR, 0, MR_OK, MR_ACT_STOP},
        {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, 1, MR_OK, MR_ACT_STOP},
        {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, 1, MR_ERR_KAFKA, MR_ACT_STOP},
        {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, 1, MR_ERR_KAFKA, MR_ACT_STOP},
        {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, 1, MR_ERR_KAFKA, MR_ACT_ABORT},
    };
    kit_member member;
    kit_member_open(&mock.kit, &member, &(kit_member_options){.group = "alo", .topic = "in"});
    kit_member_wait(&member, 2);
    mr_producer *producer = kit_producer(&mock.kit, NULL, KIT_TXN_MS);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_error err = {.status = MR_OK};
        mock_fail(&mock, API_OFFSET_COMMIT, rows[i].n, rows[i].code);
        const mr_status status =
            kit_commit(producer, member.consumer, "in", 0, (int64_t)i + 1, &err);
        if (status != rows[i].status) {
            print_error("row %zu: %s\n", i, err.message);
        }
        assert_int_equal(status, rows[i].status);
        if (status != MR_OK) {
            assert_int_equal(err.action, rows[i].action);
        }
    }
    mr_producer_free(producer);
    kit_member_close(&member);
}

/*
 * librdkafka looks up where a partition without a committed offset begins. If it is sought while
 * that question is under way, the answer is found outdated, asked for again, and then believed:
 * half a second later reading begins anew (2.0.2 and 2.15.1).
 */
static void a_seek_right_after_the_assignment_holds(void **state)
{
    (void)state;
    mock_topic(&mock, "jump", 1);
    kit_fill(&mock.kit, "jump", 0, 10);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 400), 0);
    kit_member member;
    kit_member_open(&mock.kit, &member,
                    &(kit_member_options){.group = "jump", .topic = "jump", .is_paused = true});
    kit_member_wait(&member, 1);
    const mr_topic_partition to = {"jump", 0, 5};
    mr_error err;
    mr_record record;
    /* When librdkafka would be asking where the partition begins. */
    assert_int_equal(kit_member_next(&member, 700, &record), MR_TIMED_OUT);
    kit_ok(mr_consumer_seek(member.consumer, &to, KIT_MS, &err), &err);
    kit_ok(mr_consumer_resume(member.consumer, &to, 1, &err), &err);
    for (int64_t offset = 5; offset < 10; offset++) {
        kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
        assert_int_equal(record.offset, offset);
    }
    assert_int_equal(kit_member_next(&member, 1500, &record), MR_TIMED_OUT);
    kit_member_close(&member);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0), 0);
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

/* One line when all brokers are away, one when one is back; nothing is lost or said twice. */
static void an_outage_is_told_once(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    test_kit *kit = &mock.kit;
    const mr_log before = kit->log;
    kit_member member;
    kit->log = (mr_log){.stream = stream, .clock = mr_clock_system(), .level = MR_LOG_INFO};
    kit_member_open(kit, &member, &(kit_member_options){.group = "outage", .topic = "in"});
    kit->log = before;
    kit_member_wait(&member, 2);
    assert_int_equal(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    const int64_t until_ms = kit_now_ms() + 1500;
    do {
        assert_true(kit_now_ms() < deadline_ms);
        kit_member_poll(&member, 20);
        assert_int_equal(fflush(stream), 0);
    } while (count(text, "no Kafka broker answers, retrying") == 0 || kit_now_ms() < until_ms);
    assert_int_equal(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    kit_fill(kit, "in", 0, 3);
    for (int i = 0; i < 3; i++) {
        mr_record record;
        mr_error err;
        kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
        assert_int_equal(record.offset, i);
    }
    kit_member_close(&member);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(count(text, "no Kafka broker answers, retrying"), 1);
    assert_int_equal(count(text, "a Kafka broker answers again"), 1);
    assert_int_equal(count(text, " error "), 0);
    assert_int_equal(count(text, "\n"), 2);
    free(text);
}

static void reads_to_the_ends(mr_reader *reader, size_t n, size_t n_records)
{
    size_t n_read = 0;
    size_t n_ended = 0;
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (n_ended < n || n_read < n_records) {
        mr_record record;
        mr_error err;
        assert_true(kit_now_ms() < deadline_ms);
        const mr_status status = mr_reader_next(reader, 100, &record, &err);
        assert_true(status >= 0);
        n_read += status == MR_OK ? 1 : 0;
        n_ended += status == MR_END ? 1 : 0;
    }
    assert_int_equal(n_read, n_records);
}

static void partitions_come_and_go_while_others_are_read(void **state)
{
    (void)state;
    mock_topic(&mock, "many", 3);
    kit_fill(&mock.kit, "many", 0, 2);
    kit_fill(&mock.kit, "many", 2, 3);
    mr_reader *reader = kit_reader(&mock.kit, false);
    mr_topic_partition all[] = {{"many", 0, -1}, {"many", 1, -1}, {"many", 2, -1}};
    mr_error err;
    kit_ok(mr_reader_ends(reader, all, 3, KIT_MS, &err), &err);
    assert_int_equal(all[0].offset, 2);
    assert_int_equal(all[1].offset, 0);
    assert_int_equal(all[2].offset, 3);
    const mr_topic_partition first = {"many", 0, -1};
    const mr_topic_partition others[] = {{"many", 1, -1}, {"many", 2, 1}};
    kit_ok(mr_reader_add(reader, &first, 1, &err), &err);
    reads_to_the_ends(reader, 1, 2);
    kit_ok(mr_reader_add(reader, others, 2, &err), &err);
    reads_to_the_ends(reader, 2, 2);
    mr_reader_remove(reader, "many", 2);
    mr_reader_remove(reader, "many", 2); /* is not read any more */
    kit_fill(&mock.kit, "many", 2, 4);
    kit_fill(&mock.kit, "many", 0, 1);
    reads_to_the_ends(reader, 1, 1);
    mr_record record;
    mr_reader_wake(reader);
    const int64_t begin_ms = kit_now_ms();
    assert_int_equal(mr_reader_next(reader, KIT_MS, &record, &err), MR_TIMED_OUT);
    assert_in_range(kit_now_ms() - begin_ms, 0, KIT_MS / 2);
    mr_reader_free(reader);
}

static void who_may_not_read_stops(void **state)
{
    (void)state;
    mock_topic(&mock, "secret", 2);
    rd_kafka_mock_topic_set_error(mock.cluster, "secret",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    mr_reader *reader = kit_reader(&mock.kit, false);
    const mr_topic_partition from = {"secret", 1, -1};
    mr_error err;
    mr_record record;
    kit_ok(mr_reader_assign(reader, &from, 1, &err), &err);
    mr_status status = MR_TIMED_OUT;
    int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (status == MR_TIMED_OUT) {
        assert_true(kit_now_ms() < deadline_ms);
        status = mr_reader_next(reader, 100, &record, &err);
    }
    assert_int_equal(status, MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, "secret [1]"));
    mr_reader_free(reader);

    kit_member member;
    kit_member_open(&mock.kit, &member, &(kit_member_options){.group = "no", .topic = "secret"});
    status = MR_OK;
    deadline_ms = kit_now_ms() + KIT_MS;
    while (status == MR_OK) {
        assert_true(kit_now_ms() < deadline_ms);
        status = mr_consumer_poll(member.consumer, 100, &err);
    }
    assert_int_equal(status, MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, "secret"));
    kit_member_close(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_without_a_transaction),
        cmocka_unit_test(a_seek_right_after_the_assignment_holds),
        cmocka_unit_test(an_outage_is_told_once),
        cmocka_unit_test(partitions_come_and_go_while_others_are_read),
        cmocka_unit_test(who_may_not_read_stops),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
