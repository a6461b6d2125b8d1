/*
 * Goal: a version of a stage writes nowhere where the live one writes, and is refused where that
 * cannot be. Method: an app put together by hand, as it is once it was prepared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/app.h>

#include "core/alloc.h"

static const struct {
    const char *name;
    const char *kind;
} stages[] = {{"sales", "project"}, {"sales-v9", "project"}, {"cart", "aggregate"}};
enum { N_STAGES = sizeof(stages) / sizeof(stages[0]), SALES = 0 };

static void add_store(mr_app *app, mr_stage *stage, const char *name, const char *topic)
{
    mr_store_spec *store =
        mr_stage_add_store(stage, name, NULL, (mr_store_key){.raw = true}, false);
    store->changelog = mr_asprintf("%s-%s-changelog", stage->group, name);
    mr_app_add_topic(app, store->changelog, MR_TOPIC_CHANGELOG, 6);
    if (topic != NULL) {
        store->topic = mr_strdup(topic);
        mr_app_add_topic(app, topic, MR_TOPIC_PROJECTION, 3);
    }
}

static mr_app *make_app(void)
{
    mr_app *app = mr_alloc_zero(1, sizeof(*app));
    app->name = mr_strdup("shop");
    app->stages = mr_alloc_zero(N_STAGES, sizeof(app->stages[0]));
    for (size_t i = 0; i < N_STAGES; i++) {
        mr_stage *stage = &app->stages[app->n_stages++];
        stage->app = app;
        stage->name = mr_strdup(stages[i].name);
        stage->kind = mr_strdup(stages[i].kind);
        stage->group = mr_asprintf("shop-%s", stage->name);
        stage->dead_letters = mr_asprintf("%s-dlq", stage->group);
        mr_app_add_topic(app, stage->dead_letters, MR_TOPIC_DEAD, 1);
        stage->from = mr_alloc_zero(1, sizeof(stage->from[0]));
        stage->from[stage->n_from++] = mr_strdup("shop.events");
        mr_app_add_topic(app, "shop.events", MR_TOPIC_INPUT, 6);
    }
    /* Two stores may have one projection topic. */
    add_store(app, &app->stages[SALES], "days", "shop.sales");
    add_store(app, &app->stages[SALES], "weeks", "shop.sales");
    add_store(app, &app->stages[SALES], "parts", NULL);
    return app;
}

static void everything_it_writes_has_a_name_of_its_own(void **state)
{
    (void)state;
    mr_app *app = make_app();
    mr_error err;
    const mr_stage *stage = &app->stages[SALES];
    assert_null(mr_stage_version(stage));
    char *place = mr_stage_place(stage);
    assert_string_equal(place, "shop/sales");
    free(place);
    assert_int_equal(mr_app_set_version(app, "sales", "v2", &err), MR_OK);
    place = mr_stage_place(stage);
    assert_string_equal(place, "shop/sales-v2");
    free(place);
    assert_string_equal(mr_stage_version(stage), "v2");
    assert_string_equal(stage->name, "sales");
    assert_string_equal(stage->from[0], "shop.events");
    assert_string_equal(stage->group, "shop-sales-v2");
    assert_string_equal(stage->dead_letters, "shop-sales-v2-dlq");
    assert_string_equal(stage->stores[0].changelog, "shop-sales-v2-days-changelog");
    assert_string_equal(stage->stores[0].topic, "shop.sales-v2");
    assert_string_equal(stage->stores[1].changelog, "shop-sales-v2-weeks-changelog");
    assert_string_equal(stage->stores[1].topic, "shop.sales-v2");
    assert_string_equal(stage->stores[2].changelog, "shop-sales-v2-parts-changelog");
    assert_null(stage->stores[2].topic);
    /* The others stay. */
    assert_null(mr_stage_version(&app->stages[1]));
    assert_string_equal(app->stages[1].group, "shop-sales-v9");
    mr_app_free(app);
}

static void its_topics_have_the_settings_of_the_live_ones(void **state)
{
    (void)state;
    static const struct {
        const char *live;
        const char *version;
    } rows[] = {
        {"shop.sales", "shop.sales-v2"},
        {"shop-sales-parts-changelog", "shop-sales-v2-parts-changelog"},
        {"shop-sales-dlq", "shop-sales-v2-dlq"},
    };
    mr_app *app = make_app();
    mr_error err;
    mr_topic *said = (mr_topic *)(uintptr_t)mr_app_topic(app, "shop.sales");
    said->retention_ms = 1234;
    said->compact = false;
    assert_int_equal(mr_app_set_version(app, "sales", "v2", &err), MR_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_topic *live = mr_app_topic(app, rows[i].live);
        const mr_topic *version = mr_app_topic(app, rows[i].version);
        assert_non_null(live);
        assert_non_null(version);
        assert_int_equal(version->role, live->role);
        assert_int_equal(version->partitions, live->partitions);
        assert_int_equal(version->retention_ms, live->retention_ms);
        assert_int_equal(version->compact, live->compact);
        assert_false(version->external);
    }
    assert_int_equal(mr_app_topic(app, "shop.sales-v2")->retention_ms, 1234);
    mr_app_free(app);
}

static void names_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *stage;
        const char *version;
        const char *error;
    } rows[] = {
        {"sales", "", "version '' is to be 1 to 32 of the characters a-z, 0-9 and '-'"},
        {"sales", "V2", "version 'V2' is to be"},
        {"sales", "a/b", "version 'a/b' is to be"},
        {"sales", "a.b", "version 'a.b' is to be"},
        {"sales", "012345678901234567890123456789012", "is to be 1 to 32"},
        {"sales", "v9", "version 'v9' of stage 'sales' would be what stage 'sales-v9' is"},
        {"sales", "old",
         "instead of topic shop.sales the version would write shop.sales-old, which the app has"},
        {"cart", "v2", "stage 'cart' is of kind aggregate and has no versions side by side: its"},
        {"move", "v2", "stage 'move' is of kind transform and has no versions side by side: it"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_app *app = make_app();
        mr_error err;
        mr_app_add_topic(app, "shop.sales-old", MR_TOPIC_INPUT, 3);
        free(app->stages[1].kind);
        app->stages[1].kind = mr_strdup("transform");
        if (strcmp(rows[i].stage, "move") == 0) {
            free(app->stages[1].name);
            free(app->stages[1].group);
            app->stages[1].name = mr_strdup("move");
            app->stages[1].group = mr_strdup("shop-move");
        }
        assert_int_equal(mr_app_set_version(app, rows[i].stage, rows[i].version, &err),
                         MR_ERR_USAGE);
        assert_non_null(strstr(err.message, rows[i].error));
        mr_app_free(app);
    }
}

static void names_as_long_as_may_be_are_taken(void **state)
{
    (void)state;
    static const char *const rows[] = {"v2", "2", "-", "a-b-c", "01234567890123456789012345678901"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_app *app = make_app();
        mr_error err;
        assert_int_equal(mr_app_set_version(app, "sales", rows[i], &err), MR_OK);
        assert_string_equal(mr_stage_version(&app->stages[SALES]), rows[i]);
        mr_app_free(app);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_it_writes_has_a_name_of_its_own),
        cmocka_unit_test(its_topics_have_the_settings_of_the_live_ones),
        cmocka_unit_test(names_that_cannot_be_are_refused),
        cmocka_unit_test(names_as_long_as_may_be_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
