/*
 * Goal: stores and topics of an app are found and merged as their header says.
 * Method: apps put together by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/handler.h>

#include "core/alloc.h"

static const char *const stage_names[] = {"cart", "left", "right"};

static mr_app *make_app(void)
{
    enum { N = sizeof(stage_names) / sizeof(stage_names[0]) };
    mr_app *app = mr_alloc_zero(1, sizeof(*app));
    app->name = mr_strdup("shop");
    app->stages = mr_alloc_zero(N, sizeof(app->stages[0]));
    for (size_t i = 0; i < N; i++) {
        mr_stage *stage = &app->stages[app->n_stages++];
        stage->app = app;
        stage->name = mr_strdup(stage_names[i]);
        stage->kind = mr_strdup(i == 0 ? "aggregate" : "project");
    }
    const mr_store_key key = {.raw = true};
    (void)mr_stage_add_store(&app->stages[0], "state", NULL, key, false);
    (void)mr_stage_add_store(&app->stages[1], "versions", NULL, key, true);
    (void)mr_stage_add_store(&app->stages[1], "rows", NULL, key, false);
    (void)mr_stage_add_store(&app->stages[1], "only", NULL, key, false);
    (void)mr_stage_add_store(&app->stages[2], "rows", NULL, key, false);
    (void)mr_stage_add_store(&app->stages[2], "versions", NULL, key, true);
    return app;
}

static void stores_are_found_by_what_people_call_them(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *stage;
        const char *store;
        const char *error;
    } rows[] = {
        {"only", "left", "only", NULL},
        {"left.only", "left", "only", NULL},
        {"right.rows", "right", "rows", NULL},
        {"left.versions", "left", "versions", NULL},
        {"cart", "cart", "state", NULL},
        {"state", "cart", "state", NULL},
        {"cart.state", "cart", "state", NULL},
        {"rows", NULL, NULL,
         "stages 'left' and 'right' both have a store 'rows': say 'left.rows' or 'right.rows'"},
        {"versions", NULL, NULL, "app 'shop' has no store 'versions'"},
        {"onyl", NULL, NULL, "app 'shop' has no store 'onyl'; did you mean 'only'?"},
        {"left.row", NULL, NULL, "app 'shop' has no store 'left.row'; did you mean 'left.rows'?"},
        {"crt", NULL, NULL, "app 'shop' has no store 'crt'; did you mean 'cart'?"},
        {"left", NULL, NULL, "app 'shop' has no store 'left'"},
        {"nowhere.rows", NULL, NULL, "app 'shop' has no store 'nowhere.rows'"},
        {"", NULL, NULL, "app 'shop' has no store ''"},
    };
    mr_app *app = make_app();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_stage *stage = NULL;
        const mr_store_spec *store = NULL;
        mr_error err;
        const mr_status status = mr_app_find_store(app, rows[i].name, &stage, &store, &err);
        if (rows[i].error != NULL) {
            assert_int_equal(status, MR_ERR_USAGE);
            assert_string_equal(err.message, rows[i].error);
            continue;
        }
        assert_int_equal(status, MR_OK);
        assert_string_equal(stage->name, rows[i].stage);
        assert_string_equal(store->name, rows[i].store);
    }
    mr_app_free(app);
}

static void stores_of_the_runtime_come_last(void **state)
{
    (void)state;
    mr_app *app = make_app();
    const mr_stage *stage = mr_app_stage(app, "left");
    assert_string_equal(stage->stores[0].name, "rows");
    assert_string_equal(stage->stores[1].name, "only");
    assert_string_equal(stage->stores[2].name, "versions");
    assert_true(stage->stores[2].internal);
    assert_null(mr_stage_store(stage, "none"));
    assert_null(mr_app_stage(app, "none"));
    mr_app_free(app);
}

static void topics_have_the_settings_of_their_role(void **state)
{
    (void)state;
    static const struct {
        mr_topic_role role;
        int64_t days; /* -1: for ever */
        bool compact;
    } rows[] = {{MR_TOPIC_INPUT, 7, false},     {MR_TOPIC_EVENTS, -1, false},
                {MR_TOPIC_RESULTS, 7, false},   {MR_TOPIC_PROJECTION, -1, true},
                {MR_TOPIC_CHANGELOG, -1, true}, {MR_TOPIC_DEAD, 30, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_app *app = make_app();
        mr_app_add_topic(app, "z", rows[i].role, 3);
        mr_app_add_topic(app, "a", rows[i].role, 4);
        mr_app_add_topic(app, "z", MR_TOPIC_INPUT, 9); /* read as well: nothing changes */
        assert_int_equal(app->n_topics, 2);
        assert_string_equal(app->topics[0].name, "a");
        const mr_topic *topic = mr_app_topic(app, "z");
        assert_int_equal(topic->role, rows[i].role);
        assert_int_equal(topic->partitions, rows[i].role == MR_TOPIC_INPUT ? 9 : 3);
        assert_true(topic->retention_ms == (rows[i].days < 0 ? -1 : rows[i].days * 86400000));
        assert_int_equal(topic->compact, rows[i].compact);
        assert_int_equal(topic->external, rows[i].role == MR_TOPIC_INPUT);
        assert_null(mr_app_topic(app, "m"));
        mr_app_free(app);
    }
}

static void what_app_lua_says_of_a_topic_stays(void **state)
{
    (void)state;
    mr_app *app = make_app();
    mr_app_add_topic(app, "t", MR_TOPIC_INPUT, 1);
    mr_topic *topic = &app->topics[0];
    topic->partitions = 8;
    topic->partitions_said = true;
    topic->compact = false;
    topic->compact_said = true;
    mr_app_add_topic(app, "t", MR_TOPIC_PROJECTION, 2);
    topic = &app->topics[0];
    assert_int_equal(topic->role, MR_TOPIC_PROJECTION);
    assert_int_equal(topic->partitions, 8);
    assert_false(topic->compact);
    assert_int_equal(topic->retention_ms, -1);
    mr_app_free(app);
}

static void what_a_stage_writes_is_not_external(void **state)
{
    (void)state;
    mr_app *app = make_app();
    mr_stage *stage = &app->stages[1];
    stage->to = mr_alloc_zero(1, sizeof(stage->to[0]));
    stage->to[stage->n_to++] = mr_strdup("between");
    stage->results = mr_strdup("answers");
    mr_app_add_topic(app, "between", MR_TOPIC_INPUT, 1);
    mr_app_add_topic(app, "answers", MR_TOPIC_INPUT, 1);
    mr_app_add_topic(app, "outside", MR_TOPIC_INPUT, 1);
    assert_false(mr_app_topic(app, "between")->external);
    assert_false(mr_app_topic(app, "answers")->external);
    assert_true(mr_app_topic(app, "outside")->external);
    mr_app_free(app);
}

static void decisions_keep_their_memory(void **state)
{
    (void)state;
    static const char *const json[] = {
        "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"s\",\"type\":\"string\"}]}",
        "{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"n\",\"type\":\"long\"}]}"};
    mr_schemas *schemas = mr_schemas_new();
    const mr_schema *types[2];
    mr_error err;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mr_schemas_add(schemas, json[i], "test", &types[i], &err), MR_OK);
    }
    mr_decision decision = {0};
    mr_string *text = mr_decision_add(&decision, types[0]);
    mr_string_set(text, mr_bytes_text("filled"));
    mr_decision_clear(&decision);
    assert_int_equal(decision.n_events, 0);
    /* The same slot and memory, but empty again. */
    assert_ptr_equal(mr_decision_add(&decision, types[0]), text);
    assert_int_equal(text->len, 0);
    mr_decision_clear(&decision);
    assert_non_null(mr_decision_add(&decision, types[1]));
    assert_ptr_equal(decision.events[0].schema, types[1]);
    mr_decision_clear(&decision);
    for (size_t i = 0; i < MR_EVENTS_MAX; i++) {
        assert_non_null(mr_decision_add(&decision, types[i % 2]));
    }
    assert_null(mr_decision_add(&decision, types[0]));
    assert_int_equal(decision.n_events, MR_EVENTS_MAX);
    decision.rejected = true;
    mr_buf_append_text(&decision.reason, "x");
    mr_decision_clear(&decision);
    assert_false(decision.rejected);
    assert_int_equal(decision.reason.len, 0);
    mr_decision_deinit(&decision);
    mr_schemas_free(schemas);
    mr_handler_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_are_found_by_what_people_call_them),
        cmocka_unit_test(stores_of_the_runtime_come_last),
        cmocka_unit_test(topics_have_the_settings_of_their_role),
        cmocka_unit_test(what_app_lua_says_of_a_topic_stays),
        cmocka_unit_test(what_a_stage_writes_is_not_external),
        cmocka_unit_test(decisions_keep_their_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
