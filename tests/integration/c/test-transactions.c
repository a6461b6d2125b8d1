/*
 * Goal: what a transaction promises, on a real broker: all or nothing for records and offsets, and
 * every way in which one ends badly can be gone on from.
 */
#include "kit.h"

#include <stdio.h>

#include "kafka/consumer_private.h"
#include "kafka/producer_private.h"

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

static int64_t committed(kit_member *member, const char *topic, int32_t partition)
{
    mr_error err;
    mr_topic_partition asked = {topic, partition, 7};
    kit_ok(mr_consumer_committed(member->consumer, &asked, 1, KIT_MS, &err), &err);
    return asked.offset;
}

static void commit_shows_all_and_abort_nothing(void **state)
{
    (void)state;
    char in[KIT_NAME], out[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "in", 1, in);
    kit_topic(&shared, "out", 2, out);
    kit_name("txn", id);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = id, .topic = in});
    kit_member_wait(&member, 1);
    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    mr_error err;
    assert_int_equal(committed(&member, in, 0), -1);

    int64_t slots[2] = {-1, -1};
    for (int i = 0; i < 4; i++) {
        const mr_record record = {.topic = out, .partition = i % 2, .value = mr_bytes_text("a")};
        kit_ok(mr_producer_send(producer, &record, &slots[i % 2], &err), &err);
    }
    kit_ok(kit_commit(producer, member.consumer, in, 0, 5, &err), &err);
    assert_int_equal(slots[0], 2);
    assert_int_equal(slots[1], 2);
    assert_int_equal(committed(&member, in, 0), 5);

    kit_send(producer, out, 0, "b");
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    assert_int_equal(committed(&member, in, 0), 5);

    /* Records at 0, 1, end mark at 2, the aborted one at 3, end mark at 4. */
    int64_t end = 0;
    assert_int_equal(kit_count(&shared, out, 0, false, &end), 2);
    assert_int_equal(end, 5);
    assert_int_equal(kit_count(&shared, out, 0, true, &end), 3);

    /* Offsets alone are a transaction too; nothing at all is none. */
    kit_ok(kit_commit(producer, member.consumer, in, 0, 6, &err), &err);
    assert_int_equal(committed(&member, in, 0), 6);
    kit_ok(kit_commit(producer, member.consumer, NULL, 0, 0, &err), &err);
    mr_producer_free(producer);
    kit_member_close(&member);
}

/* What a worker does that has asked for the membership before a rebalance and commits after it. */
static void an_old_generation_is_refused_and_gone_on_from(void **state)
{
    (void)state;
    char in[KIT_NAME], out[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "in", 2, in);
    kit_topic(&shared, "out", 1, out);
    kit_name("generation", id);
    kit_member a, b;
    kit_member_open(&shared, &a, &(kit_member_options){.group = id, .topic = in});
    kit_member_wait(&a, 2);
    mr_error err;
    rd_kafka_consumer_group_metadata_t *old = NULL;
    kit_ok(mr_consumer_group_metadata(a.consumer, &old, &err), &err);
    kit_member_open(&shared, &b, &(kit_member_options){.group = id, .topic = in});
    kit_member_wait_both(&a, 1, &b, 1);

    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    kit_send(producer, out, 0, "before");
    const mr_topic_partition next = {in, 0, 1};
    rd_kafka_topic_partition_list_t *list = mr_list_new(&next, 1);
    rd_kafka_error_t *error =
        rd_kafka_send_offsets_to_transaction(producer->handle.rk, list, old, KIT_MS);
    assert_non_null(error);
    assert_int_equal(rd_kafka_error_code(error), RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    (void)mr_kafka_fail(error, MR_STEP_SEND_OFFSETS, &err, "old");
    assert_int_equal(err.action, MR_ACT_ABORT);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_group_metadata_destroy(old);
    assert_int_equal(kit_commit(producer, a.consumer, in, 0, 1, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);

    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    assert_int_equal(committed(&b, in, 0), -1);
    kit_send(producer, out, 0, "after");
    kit_ok(kit_commit(producer, a.consumer, in, 0, 1, &err), &err);
    assert_int_equal(committed(&b, in, 0), 1);
    int64_t end = 0;
    assert_int_equal(kit_count(&shared, out, 0, false, &end), 1);
    mr_producer_free(producer);
    kit_member_close(&a);
    kit_member_close(&b);
}

/* A broker takes a transactional commit without generation and member ID from anybody. */
static void who_is_no_member_cannot_commit(void **state)
{
    (void)state;
    char in[KIT_NAME], out[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "in", 1, in);
    kit_topic(&shared, "out", 1, out);
    kit_name("stranger", id);
    kit_member member, stranger;
    kit_member_open(&shared, &member, &(kit_member_options){.group = id, .topic = in});
    kit_member_wait(&member, 1);
    /* One that finds no broker does not get to join. */
    char brokers[256];
    const char *servers = mr_properties_get(&shared.properties, "bootstrap.servers");
    (void)snprintf(brokers, sizeof(brokers), "%s", servers);
    mr_properties_set(&shared.properties, "bootstrap.servers", "127.0.0.1:1", "test");
    kit_member_open(&shared, &stranger, &(kit_member_options){.group = id, .topic = in});
    mr_properties_set(&shared.properties, "bootstrap.servers", brokers, "test");
    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    mr_error err;
    kit_send(producer, out, 0, "x");
    assert_int_equal(kit_commit(producer, stranger.consumer, in, 0, 9, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    assert_int_equal(committed(&member, in, 0), -1);
    mr_producer_free(producer);
    kit_member_close(&stranger);
    kit_member_close(&member);
}

static void a_fenced_producer_aborts_and_goes_on(void **state)
{
    (void)state;
    char out[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "out", 1, out);
    kit_name("fence", id);
    mr_producer *old = kit_producer(&shared, id, KIT_TXN_MS);
    mr_error err;
    kit_send(old, out, 0, "old");
    kit_ok(mr_producer_flush(old, KIT_MS, &err), &err);
    mr_producer *young = kit_producer(&shared, id, KIT_TXN_MS);
    kit_send(young, out, 0, "young");
    kit_ok(kit_commit(young, NULL, NULL, 0, 0, &err), &err);

    assert_int_equal(kit_commit(old, NULL, NULL, 0, 0, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    /* The old one takes its place back, and now the young one is fenced. */
    kit_ok(mr_producer_abort(old, KIT_MS, &err), &err);
    kit_send(old, out, 0, "old again");
    kit_ok(kit_commit(old, NULL, NULL, 0, 0, &err), &err);
    kit_send(young, out, 0, "young again");
    assert_int_equal(kit_commit(young, NULL, NULL, 0, 0, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    int64_t end = 0;
    assert_int_equal(kit_count(&shared, out, 0, false, &end), 2);
    mr_producer_free(young);
    mr_producer_free(old);
}

static void a_transaction_that_timed_out_is_begun_anew(void **state)
{
    (void)state;
    char out[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "out", 1, out);
    kit_name("timeout", id);
    mr_producer *producer = kit_producer(&shared, id, 1000);
    mr_error err;
    kit_send(producer, out, 0, "too slow");
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    /* The broker looks for old transactions every ten seconds: wait until its end mark is there. */
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    mr_reader *reader = kit_reader(&shared, false);
    int64_t low = 0, high = 0;
    while (high < 2) {
        assert_true(kit_now_ms() < deadline_ms);
        kit_ok(mr_reader_watermarks(reader, out, 0, &low, &high, KIT_MS, &err), &err);
        mr_record record;
        assert_int_equal(mr_reader_next(reader, 100, &record, &err), MR_TIMED_OUT);
    }
    mr_reader_free(reader);
    assert_int_equal(kit_commit(producer, NULL, NULL, 0, 0, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    kit_send(producer, out, 0, "in time");
    kit_ok(kit_commit(producer, NULL, NULL, 0, 0, &err), &err);
    int64_t end = 0;
    assert_int_equal(kit_count(&shared, out, 0, false, &end), 1);
    mr_producer_free(producer);
}

/* KIP-447: who asks for a committed offset waits for a transaction that is about to change it. */
static void committed_offsets_wait_for_a_pending_transaction(void **state)
{
    (void)state;
    char in[KIT_NAME], out[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "in", 1, in);
    kit_topic(&shared, "out", 1, out);
    kit_name("stable", id);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = id, .topic = in});
    kit_member_wait(&member, 1);
    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    mr_error err;
    kit_ok(kit_commit(producer, member.consumer, in, 0, 3, &err), &err);
    /* Offsets sent, commit not asked for. */
    kit_send(producer, out, 0, "pending");
    mr_topic_partition pending = {in, 0, 4};
    kit_ok(mr_producer_prepare(producer, member.consumer, &pending, 1, &err), &err);

    mr_topic_partition asked = {in, 0, -1};
    assert_int_equal(mr_consumer_committed(member.consumer, &asked, 1, 700, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    assert_int_equal(committed(&member, in, 0), 3);
    kit_ok(mr_producer_prepare(producer, member.consumer, &pending, 1, &err), &err);
    kit_ok(kit_commit(producer, member.consumer, in, 0, 5, &err), &err);
    assert_int_equal(committed(&member, in, 0), 5);
    mr_producer_free(producer);
    kit_member_close(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_shows_all_and_abort_nothing),
        cmocka_unit_test(an_old_generation_is_refused_and_gone_on_from),
        cmocka_unit_test(who_is_no_member_cannot_commit),
        cmocka_unit_test(a_fenced_producer_aborts_and_goes_on),
        cmocka_unit_test(a_transaction_that_timed_out_is_begun_anew),
        cmocka_unit_test(committed_offsets_wait_for_a_pending_transaction),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
