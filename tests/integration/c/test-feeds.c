/*
 * Goal: a worker gets exactly the records it should, in order: nothing before a partition is
 * resumed, nothing from before a seek. Method: many seeks under load, on a real broker.
 */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "kafka/consumer_private.h"

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

static void nothing_arrives_before_resume(void **state)
{
    (void)state;
    enum { PARTITIONS = 4, RECORDS = 500, TIMES = 3 };
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "paused", PARTITIONS, topic);
    kit_name("paused", group);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        kit_fill(&shared, topic, i, RECORDS);
    }
    for (int time = 0; time < TIMES; time++) {
        kit_member member;
        kit_member_open(&shared, &member,
                        &(kit_member_options){.group = group, .topic = topic, .is_paused = true});
        kit_member_wait(&member, PARTITIONS);
        mr_record record;
        mr_error err;
        /* Longer than librdkafka needs for a first fetch. */
        assert_int_equal(kit_member_next(&member, 300, &record), MR_TIMED_OUT);
        assert_int_equal(rd_kafka_queue_length(member.consumer->parking), 0);
        assert_int_equal(mr_consumer_resume(member.consumer, member.held, PARTITIONS, &err),
                         MR_ERR_KAFKA);
        kit_member_start(&member, member.held, PARTITIONS);
        int n = 0;
        int64_t next[PARTITIONS] = {0};
        while (n < PARTITIONS * RECORDS) {
            kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
            assert_int_equal(record.offset, next[record.partition]++);
            n++;
        }
        assert_int_equal(kit_member_next(&member, 50, &record), MR_TIMED_OUT);
        kit_member_close(&member);
    }
}

/* A deterministic stream of numbers. */
static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void nothing_from_before_a_seek_arrives(void **state)
{
    (void)state;
    enum { RECORDS = 20000, SEEKS = 60 };
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "seek", 1, topic);
    kit_name("seek", group);
    kit_fill(&shared, topic, 0, RECORDS);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait(&member, 1);
    uint32_t seed = 20261121;
    for (int i = 0; i < SEEKS; i++) {
        mr_error err;
        mr_topic_partition to = {topic, 0, (int64_t)(next_number(&seed) % (RECORDS - 200))};
        const bool with_pause = i % 3 == 0;
        if (with_pause) {
            kit_ok(mr_consumer_pause(member.consumer, &to, 1, &err), &err);
        }
        kit_ok(mr_consumer_seek(member.consumer, &to, KIT_MS, &err), &err);
        if (with_pause) {
            kit_ok(mr_consumer_resume(member.consumer, &to, 1, &err), &err);
        }
        const int n = 1 + (int)(next_number(&seed) % 150);
        for (int j = 0; j < n; j++) {
            mr_record record;
            kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
            assert_int_equal(record.offset, to.offset + j);
            /* kit_fill wrote the number of the record. */
            char text[16];
            (void)snprintf(text, sizeof(text), "%d", (int)record.offset);
            assert_true(mr_bytes_equal_text(record.value, text));
        }
    }
    kit_member_close(&member);
}

/* A paused partition is silent, and goes on only from where it is sought to. */
static void a_pause_loses_and_repeats_nothing(void **state)
{
    (void)state;
    enum { RECORDS = 5000 };
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "pause", 1, topic);
    kit_name("pause", group);
    kit_fill(&shared, topic, 0, RECORDS);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait(&member, 1);
    for (int64_t expected = 0; expected < RECORDS; expected++) {
        mr_record record;
        mr_error err;
        kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
        assert_int_equal(record.offset, expected);
        if (expected % 500 == 250) {
            kit_ok(mr_consumer_pause(member.consumer, member.held, 1, &err), &err);
            assert_int_equal(kit_member_next(&member, 20, &record), MR_TIMED_OUT);
            assert_int_equal(mr_consumer_resume(member.consumer, member.held, 1, &err),
                             MR_ERR_KAFKA);
            mr_topic_partition next = {topic, 0, expected + 1};
            kit_ok(mr_consumer_seek(member.consumer, &next, KIT_MS, &err), &err);
            kit_ok(mr_consumer_resume(member.consumer, &next, 1, &err), &err);
        }
    }
    kit_member_close(&member);
}

static void partitions_go_to_their_feeds(void **state)
{
    (void)state;
    enum { RECORDS = 100 };
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "feeds", 2, topic);
    kit_name("feeds", group);
    kit_fill(&shared, topic, 0, RECORDS);
    kit_fill(&shared, topic, 1, RECORDS);
    kit_member member;
    kit_member_open(&shared, &member,
                    &(kit_member_options){.group = group, .topic = topic, .is_paused = true});
    kit_member_wait(&member, 2);
    mr_feed *other = mr_feed_new(member.consumer);
    mr_error err;
    kit_ok(mr_consumer_feed(member.consumer, topic, 1, other, &err), &err);
    assert_int_equal(mr_consumer_feed(member.consumer, topic, 2, other, &err), MR_ERR_KAFKA);
    kit_member_start(&member, member.held, 2);
    for (int i = 0; i < RECORDS; i++) {
        mr_record record;
        kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
        assert_int_equal(record.partition, 0);
        mr_status status = MR_TIMED_OUT;
        while (status == MR_TIMED_OUT) {
            status = mr_feed_next(other, 100, &record, &err);
        }
        kit_ok(status, &err);
        assert_int_equal(record.partition, 1);
    }
    mr_feed_free(other);
    kit_member_close(&member);
}

static void a_feed_is_woken(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "wake", 1, topic);
    kit_name("wake", group);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    const int64_t begin_ms = kit_now_ms();
    mr_record record;
    mr_error err;
    mr_feed_wake(member.feed);
    assert_int_equal(mr_feed_next(member.feed, KIT_MS, &record, &err), MR_TIMED_OUT);
    assert_true(kit_now_ms() - begin_ms < KIT_MS / 2);
    kit_member_close(&member);
}

static void a_record_arrives_as_it_was_sent(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "exact", 1, topic);
    kit_name("exact", group);
    static const uint8_t binary[] = {0, 1, 255, 0};
    const mr_header headers[] = {
        {"a", mr_bytes_text("1")},
        {"a", mr_bytes_of(binary, sizeof(binary))},
        {"null", MR_BYTES_NULL},
        {"empty", mr_bytes_text("")},
    };
    const mr_record sent[] = {
        {.topic = topic,
         .timestamp_ms = 1587414600250,
         .key = mr_bytes_text("k"),
         .value = mr_bytes_of(binary, sizeof(binary)),
         .headers = headers,
         .n_headers = 4},
        {.topic = topic, .timestamp_ms = 1, .key = mr_bytes_text(""), .value = mr_bytes_text("")},
        {.topic = topic, .timestamp_ms = 2, .key = MR_BYTES_NULL, .value = MR_BYTES_NULL},
    };
    mr_error err;
    mr_producer *producer = kit_producer(&shared, NULL, KIT_TXN_MS);
    for (size_t i = 0; i < 3; i++) {
        kit_ok(mr_producer_send(producer, &sent[i], NULL, &err), &err);
    }
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    mr_producer_free(producer);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait(&member, 1);
    for (size_t i = 0; i < 3; i++) {
        mr_record got;
        kit_ok(kit_member_next(&member, KIT_MS, &got), &err);
        assert_string_equal(got.topic, topic);
        assert_int_equal(got.offset, i);
        assert_int_equal(got.timestamp_ms, sent[i].timestamp_ms);
        assert_true(mr_bytes_equal(got.key, sent[i].key));
        assert_true(mr_bytes_equal(got.value, sent[i].value));
        assert_int_equal(got.n_headers, sent[i].n_headers);
        for (size_t j = 0; j < got.n_headers; j++) {
            assert_string_equal(got.headers[j].name, headers[j].name);
            assert_true(mr_bytes_equal(got.headers[j].value, headers[j].value));
        }
    }
    kit_member_close(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_arrives_before_resume),
        cmocka_unit_test(nothing_from_before_a_seek_arrives),
        cmocka_unit_test(a_pause_loses_and_repeats_nothing),
        cmocka_unit_test(partitions_go_to_their_feeds),
        cmocka_unit_test(a_feed_is_woken),
        cmocka_unit_test(a_record_arrives_as_it_was_sent),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
