#include "kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"

void kit_init(test_kit *kit)
{
    const char *brokers = getenv("MR_TEST_BROKERS");
    if (brokers == NULL || brokers[0] == '\0') {
        (void)fprintf(stderr, "MR_TEST_BROKERS is not set: no real broker to test with\n");
        exit(77);
    }
    kit_init_at(kit, brokers);
}

void kit_init_at(test_kit *kit, const char *servers)
{
    *kit = (test_kit){0};
    mr_properties_set(&kit->properties, "bootstrap.servers", servers, "test");
    /* For a person who looks for a fault: librdkafka's `debug`. */
    if (getenv("MR_TEST_LOG") != NULL) {
        mr_properties_set(&kit->properties, "debug", getenv("MR_TEST_LOG"), "MR_TEST_LOG");
        kit->log = (mr_log){.stream = stderr, .clock = mr_clock_system(), .level = MR_LOG_DEBUG};
    }
    const mr_admin_options options = {
        .properties = &kit->properties, .log = &kit->log, .client_id = "kit", .timeout_ms = KIT_MS};
    mr_error err;
    kit_ok(mr_admin_new(&options, &kit->admin, &err), &err);
}

void kit_deinit(test_kit *kit)
{
    mr_admin_free(kit->admin);
    mr_properties_deinit(&kit->properties);
}

int64_t kit_now_ms(void)
{
    return mr_clock_monotonic_ms(mr_clock_system());
}

void kit_name(const char *what, char ret_name[KIT_NAME])
{
    mr_clock *clock = mr_clock_system();
    const int len = snprintf(ret_name, KIT_NAME, "%s-%d-%" PRIx64, what, (int)getpid(),
                             (uint64_t)clock->monotonic_us(clock));
    assert_in_range(len, 1, KIT_NAME - 1);
}

void kit_topic(test_kit *kit, const char *what, int32_t partitions, char ret_name[KIT_NAME])
{
    mr_error err;
    kit_name(what, ret_name);
    kit_ok(mr_admin_create_topic(kit->admin, ret_name, partitions, -1, NULL, 0, &err), &err);
}

void kit_check(mr_status status, const mr_error *err, const char *file, int line)
{
    if (status != MR_OK) {
        print_error("%s:%d: status %d: %s (code %d, action %d)\n", file, line, (int)status,
                    status < 0 ? err->message : "an outcome", status < 0 ? err->native : 0,
                    status < 0 ? (int)err->action : 0);
        _fail(file, line);
    }
}

mr_producer *kit_producer(test_kit *kit, const char *transactional_id, int64_t timeout_ms)
{
    const mr_producer_options options = {
        .properties = &kit->properties,
        .log = &kit->log,
        .client_id = "kit-producer",
        .transactional_id = transactional_id,
        .transaction_timeout_ms = timeout_ms,
        .queue_bytes_max = 16 << 20,
        .record_bytes_max = 1000000,
    };
    mr_error err;
    mr_producer *producer = NULL;
    kit_ok(mr_producer_new(&options, KIT_MS, &producer, &err), &err);
    return producer;
}

void kit_send(mr_producer *producer, const char *topic, int32_t partition, const char *value)
{
    const mr_record record = {.topic = topic,
                              .partition = partition,
                              .key = mr_bytes_text("key"),
                              .value = mr_bytes_text(value)};
    mr_error err;
    kit_ok(mr_producer_send(producer, &record, NULL, &err), &err);
}

mr_status kit_commit(mr_producer *producer, mr_consumer *consumer, const char *topic,
                     int32_t partition, int64_t offset, mr_error *err)
{
    const mr_topic_partition next = {topic, partition, offset};
    return mr_producer_commit(producer, consumer, &next, topic == NULL ? 0 : 1, err);
}

void kit_fill(test_kit *kit, const char *topic, int32_t partition, int n)
{
    mr_producer *producer = kit_producer(kit, NULL, KIT_TXN_MS);
    mr_error err;
    for (int i = 0; i < n; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d", i);
        kit_send(producer, topic, partition, value);
    }
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    mr_producer_free(producer);
}

mr_reader *kit_reader(test_kit *kit, bool read_uncommitted)
{
    const mr_reader_options options = {.properties = &kit->properties,
                                       .log = &kit->log,
                                       .client_id = "kit-reader",
                                       .read_uncommitted = read_uncommitted,
                                       .queue_bytes_max = 8 << 20};
    mr_error err;
    mr_reader *reader = NULL;
    kit_ok(mr_reader_new(&options, &reader, &err), &err);
    return reader;
}

int kit_count(test_kit *kit, const char *topic, int32_t partition, bool read_uncommitted,
              int64_t *ret_end)
{
    mr_reader *reader = kit_reader(kit, read_uncommitted);
    const mr_topic_partition from = {topic, partition, -1};
    mr_error err;
    kit_ok(mr_reader_assign(reader, &from, 1, &err), &err);
    int n = 0;
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (true) {
        mr_record record;
        const mr_status status = mr_reader_next(reader, 1000, &record, &err);
        if (status == MR_END) {
            *ret_end = record.offset;
            break;
        }
        if (status == MR_TIMED_OUT) {
            assert_true(kit_now_ms() < deadline_ms);
            continue;
        }
        kit_ok(status, &err);
        n++;
    }
    mr_reader_free(reader);
    return n;
}

static void assigned(void *context, const mr_topic_partition *partitions, size_t n)
{
    kit_member *member = context;
    mr_error err;
    member->n_assigned++;
    for (size_t i = 0; i < n; i++) {
        assert_true(member->n_held < KIT_MEMBER_MAX);
        member->held[member->n_held++] =
            (mr_topic_partition){member->topic, partitions[i].partition, -1};
        kit_ok(mr_consumer_feed(member->consumer, partitions[i].topic, partitions[i].partition,
                                member->feed, &err),
               &err);
    }
    if (member->resumes) {
        kit_member_start(member, partitions, n);
    }
}

void kit_member_start(kit_member *member, const mr_topic_partition *partitions, size_t n)
{
    mr_error err;
    for (size_t i = 0; i < n; i++) {
        mr_topic_partition to = partitions[i];
        kit_ok(mr_consumer_committed(member->consumer, &to, 1, KIT_MS, &err), &err);
        if (to.offset < 0) {
            kit_ok(mr_consumer_beginning(member->consumer, &to, KIT_MS, &err), &err);
        }
        kit_ok(mr_consumer_seek(member->consumer, &to, KIT_MS, &err), &err);
    }
    kit_ok(mr_consumer_resume(member->consumer, partitions, n, &err), &err);
}

static void revoked(void *context, const mr_topic_partition *partitions, size_t n, bool lost)
{
    kit_member *member = context;
    member->n_revoked++;
    member->n_lost += lost;
    if (member->on_revoke != NULL) {
        member->on_revoke(member);
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < member->n_held && member->held[at].partition != partitions[i].partition) {
            at++;
        }
        assert_true(at < member->n_held);
        member->held[at] = member->held[--member->n_held];
    }
}

void kit_member_open(test_kit *kit, kit_member *member, const kit_member_options *options)
{
    *member = (kit_member){.resumes = !options->is_paused};
    (void)snprintf(member->topic, sizeof(member->topic), "%s", options->topic);
    mr_properties_set(&kit->properties, "session.timeout.ms",
                      options->session_timeout_ms == NULL ? "10000" : options->session_timeout_ms,
                      "test");
    mr_properties_set(&kit->properties, "heartbeat.interval.ms", "200", "test");
    const char *topics[] = {member->topic};
    const mr_consumer_options consumer = {
        .properties = &kit->properties,
        .log = &kit->log,
        .client_id = "kit-member",
        .group = options->group,
        .instance_id = options->instance_id,
        .topics = topics,
        .n_topics = 1,
        .queue_bytes_max = 8 << 20,
        .listener = {.context = member, .assigned = assigned, .revoked = revoked},
    };
    mr_error err;
    kit_ok(mr_consumer_new(&consumer, &member->consumer, &err), &err);
    member->feed = mr_feed_new(member->consumer);
}

void kit_member_close(kit_member *member)
{
    mr_consumer_close(member->consumer);
    mr_feed_free(member->feed);
    member->consumer = NULL;
    member->feed = NULL;
}

void kit_member_poll(kit_member *member, int timeout_ms)
{
    mr_error err;
    kit_ok(mr_consumer_poll(member->consumer, timeout_ms, &err), &err);
}

void kit_member_wait(kit_member *member, size_t n)
{
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (member->n_held != n) {
        assert_true(kit_now_ms() < deadline_ms);
        kit_member_poll(member, 10);
    }
}

void kit_member_wait_both(kit_member *a, size_t n_a, kit_member *b, size_t n_b)
{
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (a->n_held != n_a || b->n_held != n_b) {
        assert_true(kit_now_ms() < deadline_ms);
        kit_member_poll(a, 10);
        kit_member_poll(b, 10);
    }
}

mr_status kit_member_next(kit_member *member, int timeout_ms, mr_record *ret_record)
{
    const int64_t deadline_ms = kit_now_ms() + timeout_ms;
    while (true) {
        mr_error err;
        kit_member_poll(member, 0);
        const mr_status status = mr_feed_next(member->feed, 10, ret_record, &err);
        if (status == MR_OK) {
            return MR_OK;
        }
        assert_int_equal(status, MR_TIMED_OUT);
        if (kit_now_ms() >= deadline_ms) {
            return MR_TIMED_OUT;
        }
    }
}
