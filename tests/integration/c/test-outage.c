/*
 * Goal: a broker that does not answer never makes a program hang, and loses nothing. Method: the
 * broker's process is stopped (SIGSTOP) and continued. Needs the right to signal it: else skipped.
 */
#include "kit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "listener.h"

/* What closing one handle may take when no broker answers. */
enum { CLOSE_MS = 8000 };

static test_kit shared;
static pid_t broker;

static void carry_on(void)
{
    (void)kill(broker, SIGCONT);
}

static int set_up(void **state)
{
    (void)state;
    kit_init(&shared);
    const char *brokers = mr_properties_get(&shared.properties, "bootstrap.servers");
    broker = strchr(brokers, ',') == NULL ? kit_listener(brokers) : -1;
    if (broker < 0 || kill(broker, 0) != 0 || atexit(carry_on) != 0) {
        (void)fprintf(stderr, "the process of %s cannot be signalled\n", brokers);
        exit(77);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    carry_on();
    kit_deinit(&shared);
    return 0;
}

static void closed_in_time(const char *what, int64_t *begin_ms)
{
    const int64_t now_ms = kit_now_ms();
    print_message("close of the %s took %d ms\n", what, (int)(now_ms - *begin_ms));
    assert_true(now_ms - *begin_ms < CLOSE_MS);
    *begin_ms = now_ms;
}

static void admin_questions_end(const char *topic, int64_t *begin_ms)
{
    const mr_admin_options options = {.properties = &shared.properties,
                                      .log = &shared.log,
                                      .client_id = "outage",
                                      .timeout_ms = 500};
    mr_error err;
    mr_admin *admin = NULL;
    mr_group *group = NULL;
    int32_t partitions = 0;
    mr_buf value = MR_BUF_NULL;
    mr_topic_partition asked = {topic, 0, -1};
    kit_ok(mr_admin_new(&options, &admin, &err), &err);
    assert_int_equal(mr_admin_partitions(admin, topic, &partitions, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    assert_int_equal(mr_admin_group(admin, "g", &group, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    assert_int_equal(mr_admin_committed(admin, "g", &asked, 1, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    assert_int_equal(mr_admin_topic_config(admin, topic, "x", &value, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    assert_int_equal(mr_admin_create_topic(admin, topic, 1, 1, NULL, 0, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    assert_int_equal(mr_admin_delete_before(admin, topic, 0, 1, &err), MR_ERR_KAFKA);
    closed_in_time("six questions of an administrator", begin_ms);
    mr_admin_free(admin);
    closed_in_time("administrator", begin_ms);
}

static void everything_closes_without_a_broker(void **state)
{
    (void)state;
    char topic[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "outage", 2, topic);
    kit_name("outage", id);
    kit_fill(&shared, topic, 0, 100);
    kit_member member, fixed, joining;
    kit_member_open(&shared, &member, &(kit_member_options){.group = id, .topic = topic});
    kit_member_wait(&member, 2);
    char other[KIT_NAME];
    kit_name("fixed", other);
    kit_member_open(&shared, &fixed,
                    &(kit_member_options){.group = other, .topic = topic, .instance_id = "i"});
    kit_member_wait(&fixed, 2);
    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    kit_send(producer, topic, 0, "flushed");
    mr_error err;
    kit_ok(mr_producer_flush(producer, KIT_MS, &err), &err);
    mr_producer *plain = kit_producer(&shared, NULL, KIT_TXN_MS);
    mr_reader *reader = kit_reader(&shared, false);
    const mr_topic_partition from = {topic, 0, -1};
    kit_ok(mr_reader_assign(reader, &from, 1, &err), &err);

    assert_int_equal(kill(broker, SIGSTOP), 0);
    kit_member_open(&shared, &joining, &(kit_member_options){.group = id, .topic = topic});
    kit_send(producer, topic, 0, "queued");
    kit_send(plain, topic, 1, "queued");
    mr_topic_partition asked = {topic, 0, 0};
    int64_t begin_ms = kit_now_ms();
    assert_int_equal(mr_consumer_committed(member.consumer, &asked, 1, 500, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_RETRY);
    closed_in_time("question for committed offsets", &begin_ms);
    mr_producer_free(producer);
    closed_in_time("producer with a transaction", &begin_ms);
    mr_producer_free(plain);
    closed_in_time("plain producer", &begin_ms);
    mr_reader_free(reader);
    closed_in_time("reader", &begin_ms);
    kit_member_close(&fixed);
    closed_in_time("static member", &begin_ms);
    kit_member_close(&member);
    closed_in_time("member", &begin_ms);
    kit_member_close(&joining);
    closed_in_time("member that never joined", &begin_ms);
    assert_int_equal(mr_client_probe(&shared.properties, NULL, 0, 500, &shared.log, &err),
                     MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, "bootstrap.servers="));
    closed_in_time("probe", &begin_ms);
    admin_questions_end(topic, &begin_ms);
    carry_on();
    kit_ok(mr_client_probe(&shared.properties, NULL, 0, KIT_MS, &shared.log, &err), &err);
}

typedef struct committing {
    mr_producer *producer;
    mr_consumer *consumer;
    const char *topic;
    mr_status status;
    mr_error err;
} committing;

static void *commit(void *argument)
{
    committing *call = argument;
    call->status = kit_commit(call->producer, call->consumer, call->topic, 0, 7, &call->err);
    return NULL;
}

static void a_commit_outlives_a_stopped_broker(void **state)
{
    (void)state;
    char topic[KIT_NAME], id[KIT_NAME];
    kit_topic(&shared, "stall", 1, topic);
    kit_name("stall", id);
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = id, .topic = topic});
    kit_member_wait(&member, 1);
    mr_producer *producer = kit_producer(&shared, id, KIT_TXN_MS);
    kit_send(producer, topic, 0, "a");
    committing call = {.producer = producer, .consumer = member.consumer, .topic = topic};
    assert_int_equal(kill(broker, SIGSTOP), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, commit, &call), 0);
    const struct timespec until = {
        .tv_sec = (time_t)(mr_clock_system()->wall_ms(mr_clock_system()) / 1000 + 2)};
    assert_int_not_equal(pthread_timedjoin_np(thread, NULL, &until), 0);
    carry_on();
    assert_int_equal(pthread_join(thread, NULL), 0);
    kit_ok(call.status, &call.err);
    mr_error err;
    mr_topic_partition asked = {topic, 0, -1};
    kit_ok(mr_consumer_committed(member.consumer, &asked, 1, KIT_MS, &err), &err);
    assert_int_equal(asked.offset, 7);
    int64_t end = 0;
    assert_int_equal(kit_count(&shared, topic, 0, false, &end), 1);
    mr_producer_free(producer);
    kit_member_close(&member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_closes_without_a_broker),
        cmocka_unit_test(a_commit_outlives_a_stopped_broker),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
