/*
 * Goal: the embedded broker serves other processes of this host, and what it cannot do is said in
 * bounded time. Method: this program starts itself a second time, to write.
 */
#include "kit.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "kafka/embedded.h"

extern char **environ;

static mr_embedded *broker;
static test_kit shared;
static char *program;

static int set_up(void **state)
{
    (void)state;
    const mr_log log = MR_LOG_NULL;
    mr_error err;
    kit_ok(mr_embedded_new(&log, &broker, &err), &err);
    kit_init_at(&shared, mr_embedded_bootstrap(broker));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_deinit(&shared);
    mr_embedded_free(broker);
    return 0;
}

/* The second process. */
static int write_records(const char *servers)
{
    test_kit kit;
    kit_init_at(&kit, servers);
    kit_fill(&kit, "shared", 2, 100);
    kit_deinit(&kit);
    return 0;
}

static void another_process_writes(void **state)
{
    (void)state;
    mr_error err;
    kit_ok(mr_embedded_create_topic(broker, "shared", 3, &err), &err);
    kit_ok(mr_embedded_create_topic(broker, "shared", 3, &err), &err);
    int32_t partitions = 0;
    kit_ok(mr_admin_partitions(shared.admin, "shared", &partitions, &err), &err);
    assert_int_equal(partitions, 3);

    char write[] = "write";
    char *servers = (char *)(uintptr_t)mr_embedded_bootstrap(broker);
    char *const arguments[] = {program, write, servers, NULL};
    pid_t child = 0;
    assert_int_equal(posix_spawn(&child, program, NULL, NULL, arguments, environ), 0);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);

    kit_member member;
    kit_member_open(&shared, &member, &(kit_member_options){.group = "g", .topic = "shared"});
    kit_member_wait(&member, 3);
    for (int i = 0; i < 100; i++) {
        mr_record record;
        kit_ok(kit_member_next(&member, KIT_MS, &record), &err);
        assert_int_equal(record.partition, 2);
        assert_int_equal(record.offset, i);
    }
    kit_member_close(&member);
    int64_t end = 0;
    assert_int_equal(kit_count(&shared, "shared", 2, false, &end), 100);
    assert_int_equal(end, 100);
}

static void what_it_cannot_do_is_said(void **state)
{
    (void)state;
    const mr_admin_options options = {
        .properties = &shared.properties, .log = &shared.log, .client_id = "a", .timeout_ms = 1000};
    mr_error err;
    mr_admin *admin = NULL;
    mr_group *group = NULL;
    kit_ok(mr_admin_new(&options, &admin, &err), &err);
    const int64_t begin_ms = kit_now_ms();
    assert_int_equal(mr_admin_create_topic(admin, "t", 1, 1, NULL, 0, &err), MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "controller"));
    assert_int_equal(mr_admin_group(admin, "g", &group, &err), MR_ERR_KAFKA);
    assert_non_null(strstr(err.message, "embedded broker"));
    /* A processor asks at its start, and goes on without. */
    int32_t n = 0;
    kit_ok(mr_admin_partitions(admin, "shared", &n, &err), &err);
    const int64_t asked_ms = kit_now_ms();
    MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
    assert_int_equal(mr_admin_topic_config(admin, "shared", "delete.retention.ms", &value, &err),
                     MR_NOT_FOUND);
    assert_true(kit_now_ms() - asked_ms < 500);
    mr_topic_partition asked = {"shared", 0, -1};
    kit_ok(mr_admin_committed(admin, "g", &asked, 1, &err), &err);
    assert_int_equal(asked.offset, -1);
    assert_true(kit_now_ms() - begin_ms < 8000);
    mr_admin_free(admin);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        return write_records(argv[2]);
    }
    program = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_process_writes),
        cmocka_unit_test(what_it_cannot_do_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
