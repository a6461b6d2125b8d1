/* Goal: topics and groups as an operator sees them. */
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

static void expect_config(const char *topic, const char *name, const char *value)
{
    mr_buf got = MR_BUF_NULL;
    mr_error err;
    kit_ok(mr_admin_topic_config(shared.admin, topic, name, &got, &err), &err);
    assert_string_equal(mr_buf_text(&got), value);
    mr_buf_deinit(&got);
}

static void topics_are_made_described_and_changed(void **state)
{
    (void)state;
    char topic[KIT_NAME];
    kit_name("admin", topic);
    mr_error err;
    int32_t partitions = 0;
    mr_buf value = MR_BUF_NULL;
    assert_int_equal(mr_admin_partitions(shared.admin, topic, &partitions, &err), MR_NOT_FOUND);
    assert_int_equal(mr_admin_partitions(shared.admin, topic, &partitions, &err), MR_NOT_FOUND);
    assert_int_equal(mr_admin_topic_config(shared.admin, topic, "cleanup.policy", &value, &err),
                     MR_NOT_FOUND);
    static const mr_topic_config made[] = {{"cleanup.policy", "compact"},
                                           {"segment.bytes", "1048576"}};
    kit_ok(mr_admin_create_topic(shared.admin, topic, 5, 1, made, 2, &err), &err);
    assert_int_equal(mr_admin_create_topic(shared.admin, topic, 5, 1, made, 2, &err), MR_END);
    kit_ok(mr_admin_partitions(shared.admin, topic, &partitions, &err), &err);
    assert_int_equal(partitions, 5);

    /* Changing one keeps the others, and what the broker's own settings say stays theirs. */
    static const mr_topic_config changed[] = {{"retention.ms", "86400000"},
                                              {"cleanup.policy", "compact,delete"}};
    kit_ok(mr_admin_set_topic_configs(shared.admin, topic, changed, 2, &err), &err);
    expect_config(topic, "retention.ms", "86400000");
    expect_config(topic, "cleanup.policy", "compact,delete");
    expect_config(topic, "segment.bytes", "1048576");
    assert_int_equal(mr_admin_topic_config(shared.admin, topic, "no.such", &value, &err),
                     MR_NOT_FOUND);
    mr_buf_deinit(&value);
}

static void what_cannot_be_is_said(void **state)
{
    (void)state;
    char topic[KIT_NAME];
    mr_error err;
    assert_int_equal(mr_admin_create_topic(shared.admin, "bad/name", 1, -1, NULL, 0, &err),
                     MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "bad/name"));
    assert_int_equal(err.action, MR_ACT_STOP);
    kit_name("config", topic);
    static const mr_topic_config bad = {"cleanup.policy", "sometimes"};
    assert_int_equal(mr_admin_create_topic(shared.admin, topic, 1, -1, &bad, 1, &err),
                     MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "sometimes"));
    assert_int_equal(mr_admin_create_topic(shared.admin, topic, 1, 9, NULL, 0, &err), MR_ERR_KAFKA);
    assert_int_equal(mr_admin_set_topic_configs(shared.admin, topic, &bad, 1, &err), MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "does not exist"));
}

static void groups_are_described(void **state)
{
    (void)state;
    char topic[KIT_NAME], group[KIT_NAME];
    kit_topic(&shared, "described", 4, topic);
    kit_name("described", group);
    mr_error err;
    mr_group *described = NULL;
    assert_int_equal(mr_admin_group(shared.admin, group, &described, &err), MR_NOT_FOUND);
    mr_topic_partition asked[] = {{topic, 1, 0}, {topic, 0, 0}};
    kit_ok(mr_admin_committed(shared.admin, group, asked, 2, &err), &err);
    assert_int_equal(asked[0].offset, -1);

    kit_member a, b;
    kit_member_open(&shared, &a,
                    &(kit_member_options){.group = group, .topic = topic, .instance_id = "a"});
    kit_member_wait(&a, 4);
    kit_member_open(&shared, &b, &(kit_member_options){.group = group, .topic = topic});
    kit_member_wait_both(&a, 2, &b, 2);
    const mr_topic_partition next[] = {{topic, 1, 11}};
    kit_ok(mr_consumer_commit(a.consumer, next, 1, &err), &err);
    const int64_t deadline_ms = kit_now_ms() + KIT_MS;
    bool is_stable = false;
    while (!is_stable) {
        assert_true(kit_now_ms() < deadline_ms);
        kit_member_poll(&a, 10);
        kit_member_poll(&b, 10);
        mr_group_free(described);
        kit_ok(mr_admin_group(shared.admin, group, &described, &err), &err);
        is_stable = strcmp(described->state, "Stable") == 0;
    }
    assert_int_equal(described->n_members, 2);
    int seen = 0;
    for (size_t i = 0; i < 2; i++) {
        const mr_group_member *member = &described->members[i];
        const kit_member *expected = member->instance_id != NULL ? &a : &b;
        assert_string_equal(member->client_id, "kit-member");
        assert_non_null(member->host);
        assert_int_equal(member->n_partitions, 2);
        for (size_t j = 0; j < 2; j++) {
            assert_string_equal(member->partitions[j].topic, topic);
            assert_true(member->partitions[j].partition == expected->held[0].partition ||
                        member->partitions[j].partition == expected->held[1].partition);
            seen |= 1 << member->partitions[j].partition;
        }
    }
    assert_int_equal(seen, 15);
    mr_group_free(described);
    kit_ok(mr_admin_committed(shared.admin, group, asked, 2, &err), &err);
    assert_int_equal(asked[0].offset, 11);
    assert_int_equal(asked[1].offset, -1);
    kit_member_close(&b);
    kit_member_close(&a);
}

static void a_probe_without_a_broker_names_it(void **state)
{
    (void)state;
    mr_properties properties = {0};
    mr_properties_set(&properties, "bootstrap.servers", "127.0.0.1:1", "test");
    mr_error err;
    assert_int_equal(mr_client_probe(&properties, NULL, 0, 1500, &shared.log, &err), MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "bootstrap.servers=127.0.0.1:1"));
    assert_non_null(strstr(err.message, "refused"));
    assert_int_equal(err.action, MR_ACT_STOP);
    mr_properties_deinit(&properties);
    kit_ok(mr_client_probe(&shared.properties, NULL, 0, KIT_MS, &shared.log, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_made_described_and_changed),
        cmocka_unit_test(what_cannot_be_is_said),
        cmocka_unit_test(groups_are_described),
        cmocka_unit_test(a_probe_without_a_broker_names_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
