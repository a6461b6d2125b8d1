/* Goal: what a topic is for decides how the broker keeps it. Method: a topic of each role. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/topic_plan.h"

static const char *config(const mr_topic_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (strcmp(plan->configs[i].name, name) == 0) {
            return plan->configs[i].value;
        }
    }
    return NULL;
}

static void events_are_kept_for_ever(void **state)
{
    (void)state;
    const mr_topic topic = {.role = MR_TOPIC_EVENTS, .retention_ms = -1};
    mr_topic_plan plan;
    mr_topic_plan_init(&plan, &topic, 921600);
    assert_string_equal(config(&plan, "cleanup.policy"), "delete");
    assert_string_equal(config(&plan, "retention.ms"), "-1");
    assert_string_equal(config(&plan, "retention.bytes"), "-1");
    assert_null(config(&plan, "max.message.bytes"));
}

static void changelogs_are_compacted(void **state)
{
    (void)state;
    const mr_topic topic = {.role = MR_TOPIC_CHANGELOG, .retention_ms = -1, .compact = true};
    mr_topic_plan plan;
    mr_topic_plan_init(&plan, &topic, 921600);
    assert_string_equal(config(&plan, "cleanup.policy"), "compact");
    assert_string_equal(config(&plan, "min.cleanable.dirty.ratio"), "0.3");
    assert_string_equal(config(&plan, "segment.bytes"), "52428800");
    assert_null(config(&plan, "retention.ms"));
}

static void inputs_are_kept_for_a_time(void **state)
{
    (void)state;
    const mr_topic topic = {.role = MR_TOPIC_INPUT, .retention_ms = 604800000};
    mr_topic_plan plan;
    mr_topic_plan_init(&plan, &topic, 4194304);
    assert_string_equal(config(&plan, "cleanup.policy"), "delete");
    assert_string_equal(config(&plan, "retention.ms"), "604800000");
    assert_null(config(&plan, "retention.bytes"));
    assert_string_equal(config(&plan, "max.message.bytes"), "4259840");
}

static void times_are_said_shortest(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{-1, "for ever"}, {604800000, "7d"}, {90000000, "25h"}, {5400000, "90m"},
                {61000, "61s"},   {1, "1ms"},        {1001, "1001ms"},  {0, "0d"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_buf text = MR_BUF_NULL;
        mr_retention_describe(rows[i].ms, &text);
        assert_string_equal(mr_buf_text(&text), rows[i].text);
        mr_buf_deinit(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_kept_for_ever),
        cmocka_unit_test(changelogs_are_compacted),
        cmocka_unit_test(inputs_are_kept_for_a_time),
        cmocka_unit_test(times_are_said_shortest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
