/* Goal: partitions move between members as the group says, and who is put out learns it. */
#include "kit.h"

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

static void read_all(kit_member *member, const char *topic, int n, int64_t from)
{
    int64_t next[4] = {from, from, from, from};
    mr_error err;
    for (size_t i = 0; i < member->n_held; i++) {
        const mr_topic_partition to = {topic, member->held[i].partition, from};
        kit_ok(mr_consumer_seek(member->consumer, &to, KIT_MS, &err), &err);
    }
    for (int i = 0; i < n * (int)member->n_held; i++) {
        mr_record record;
        kit_ok(kit_member_next(member, KIT_MS, &record), &err);
        assert_int_equal(record.offset, next[record.partition]++);
    }
}

static void partitions_move_and_come_back(void **state)
{
    (void)state;
    enum { RECORDS = 50 };
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "move", 4, topic);
    kit_name("move", group);
    for (int32_t i = 0; i < 4; i++) {
        kit_fill(&shared, topic, i, RECORDS);
    }
    kit_member a, b;
    kit_member_open(&shared, &a, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait(&a, 4);
    read_all(&a, topic, RECORDS, 0);
    kit_member_open(&shared, &b, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait_both(&a, 2, &b, 2);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
            assert_int_not_equal(a.held[i].partition, b.held[j].partition);
        }
    }
    read_all(&a, topic, RECORDS, 0);
    read_all(&b, topic, RECORDS, 0);
    kit_member_close(&b);
    kit_member_wait(&a, 4);
    /* Partitions that come back are heard again. */
    read_all(&a, topic, RECORDS, 0);
    assert_int_equal(a.n_lost, 0);
    kit_member_close(&a);
}

/* Who gives up partitions hears of the assignment after it, and so does who gets none. */
static void an_empty_assignment_is_told(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "empty", 2, topic);
    kit_name("empty", group);
    kit_member a, b, c;
    const kit_member_options options = {.group = group, .topic = topic};
    kit_member_open(&shared, &a, &options);
    kit_member_wait(&a, 2);
    kit_member_open(&shared, &b, &options);
    kit_member_wait_both(&a, 1, &b, 1);
    kit_member_open(&shared, &c, &options);
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    kit_member *members[] = {&a, &b, &c};
    size_t n_held;
    bool all_told;
    do {
        n_held = 0;
        all_told = true;
        for (size_t i = 0; i < 3; i++) {
            kit_member_poll(members[i], 10);
            n_held += members[i]->n_held;
            all_told = all_told && members[i]->n_assigned > members[i]->n_revoked;
        }
        assert_true(kit_now_ms() < deadline_ms);
    } while (n_held != 2 || !all_told);
    kit_member_close(&c);
    kit_member_close(&b);
    kit_member_close(&a);
}

/* Two partitions as a number, in whatever order they came. */
static int pair_of(const kit_member *member)
{
    assert_int_equal(member->n_held, 2);
    return 1 << member->held[0].partition | 1 << member->held[1].partition;
}

static void a_static_member_restarts_unnoticed(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "static", 4, topic);
    kit_name("static", group);
    kit_member a, b;
    kit_member_options options_a = {.group = group, .topic = topic, .instance_id = "a"};
    kit_member_open(&shared, &a, &options_a);
    kit_member_wait(&a, 4);
    kit_member_open(&shared, &b,
                    &(kit_member_options){.group = group, .topic = topic, .instance_id = "b"});
    kit_member_wait_both(&a, 2, &b, 2);
    const int assigned = b.n_assigned;
    const int revoked = b.n_revoked;
    const int before = pair_of(&a);
    kit_member_close(&a);

    kit_member_open(&shared, &a, &options_a);
    kit_member_wait_both(&a, 2, &b, 2);
    assert_int_equal(b.n_assigned, assigned);
    assert_int_equal(b.n_revoked, revoked);
    assert_int_equal(pair_of(&a), before);
    kit_member_close(&a);
    kit_member_close(&b);
}

static void a_second_process_with_the_same_instance_id_stops_the_first(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "twice", 1, topic);
    kit_name("twice", group);
    const kit_member_options options = {.group = group, .topic = topic, .instance_id = "same"};
    kit_member a, b;
    kit_member_open(&shared, &a, &options);
    kit_member_wait(&a, 1);
    kit_member_open(&shared, &b, &options);
    kit_member_wait(&b, 1);
    mr_error err = {.status = MR_OK};
    mr_status status = MR_OK;
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (status == MR_OK) {
        assert_true(kit_now_ms() < deadline_ms);
        status = mr_consumer_poll(a.consumer, 100, &err);
    }
    assert_int_equal(status, MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, "same group.instance.id"));
    kit_member_close(&a);
    kit_member_poll(&b, 100);
    assert_int_equal(b.n_held, 1);
    kit_member_close(&b);
}

static void who_does_not_poll_is_put_out_and_comes_back(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "slow", 1, topic);
    kit_name("slow", group);
    mr_properties_set(&shared.properties, "max.poll.interval.ms", "1500", "test");
    kit_member a, b;
    kit_member_open(
        &shared, &a,
        &(kit_member_options){.group = group, .topic = topic, .session_timeout_ms = "1500"});
    mr_properties_set(&shared.properties, "max.poll.interval.ms", "300000", "test");
    kit_member_wait(&a, 1);
    kit_member_open(&shared, &b, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait(&b, 1);
    /* `a` was not polled meanwhile and believes that it still holds the partition. */
    assert_int_equal(a.n_held, 1);
    mr_producer *producer = kit_producer(&shared, group, KIT_TXN_MS);
    mr_error err;
    kit_send(producer, topic, 0, "x");
    assert_int_equal(kit_commit(producer, a.consumer, topic, 0, 1, &err), MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_ABORT);
    kit_ok(mr_producer_abort(producer, KIT_MS, &err), &err);
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (a.n_lost == 0) {
        assert_true(kit_now_ms() < deadline_ms);
        kit_member_poll(&a, 50);
    }
    assert_int_equal(a.n_held, 0);
    assert_true(mr_consumer_is_lost(a.consumer));
    mr_producer_free(producer);
    kit_member_close(&b);
    kit_member_wait(&a, 1);
    assert_false(mr_consumer_is_lost(a.consumer));
    kit_member_close(&a);
}

/* A topic that is made a moment after somebody subscribes to it is found; one that is not, is told.
 */
static void a_topic_may_come_a_little_later(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_name("later", topic);
    kit_name("later", group);
    mr_error err;
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    const int64_t until_ms = kit_now_ms() + 1000;
    while (kit_now_ms() < until_ms) {
        kit_member_poll(&member, 50);
    }
    kit_ok(mr_admin_create_topic(shared.admin, topic, 2, -1, NULL, 0, &err), &err);
    const int64_t begin_ms = kit_now_ms();
    kit_member_wait(&member, 2);
    assert_true(kit_now_ms() - begin_ms < KIT_MS / 3);
    kit_member_close(&member);

    kit_name("never", topic);
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    mr_status status = MR_OK;
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    while (status == MR_OK) {
        assert_true(kit_now_ms() < deadline_ms);
        status = mr_consumer_poll(member.consumer, 100, &err);
    }
    assert_int_equal(status, MR_ERR_KAFKA);
    assert_int_equal(err.action, MR_ACT_STOP);
    assert_non_null(strstr(err.message, topic));
    assert_non_null(strstr(err.message, "topics apply"));
    kit_member_close(&member);
}

typedef struct at_least_once {
    mr_producer *producer;
    mr_status status;
} at_least_once;

static void commit_two(kit_member *member)
{
    at_least_once *at = member->context;
    mr_error err;
    at->status = kit_commit(at->producer, member->consumer, member->topic, 0, 2, &err);
}

static void at_least_once_commits_also_while_revoked(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "alo", 1, topic);
    kit_name("alo", group);
    at_least_once at = {.producer = kit_producer(&shared, NULL, KIT_TXN_MS), .status = MR_END};
    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = group, .topic = topic});
    member.on_revoke = commit_two;
    member.context = &at;
    kit_member_wait(&member, 1);
    mr_error err;
    kit_send(at.producer, topic, 0, "a");
    kit_ok(kit_commit(at.producer, member.consumer, topic, 0, 1, &err), &err);
    mr_topic_partition asked = {topic, 0, -1};
    kit_ok(mr_admin_committed(shared.admin, group, &asked, 1, &err), &err);
    assert_int_equal(asked.offset, 1);
    kit_member_close(&member);
    assert_int_equal(at.status, MR_OK);
    kit_ok(mr_admin_committed(shared.admin, group, &asked, 1, &err), &err);
    assert_int_equal(asked.offset, 2);
    mr_producer_free(at.producer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_move_and_come_back),
        cmocka_unit_test(an_empty_assignment_is_told),
        cmocka_unit_test(a_static_member_restarts_unnoticed),
        cmocka_unit_test(a_second_process_with_the_same_instance_id_stops_the_first),
        cmocka_unit_test(who_does_not_poll_is_put_out_and_comes_back),
        cmocka_unit_test(a_topic_may_come_a_little_later),
        cmocka_unit_test(at_least_once_commits_also_while_revoked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
