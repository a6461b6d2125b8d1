/*
 * Goal: an aggregate answers a repeated command with its first result and without an event, for
 * exactly the last `remember` commands; two IDs with one hash stay two; a changed `remember` keeps
 * what it can. Method: the driver with an aggregate whose handlers are C; outcomes are read from
 * the topics.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/value.h>

#include "core/alloc.h"
#include "kinds.h"
#include "runtime/driver.h"

static const char step_json[] =
    "{\"type\":\"record\",\"name\":\"Step\",\"fields\":[{\"name\":\"By\",\"type\":\"long\"}]}";
static const char stepped_json[] =
    "{\"type\":\"record\",\"name\":\"Stepped\",\"fields\":[{\"name\":\"By\",\"type\":\"long\"}]}";
static const char place_json[] =
    "{\"type\":\"record\",\"name\":\"Place\",\"fields\":[{\"name\":\"At\",\"type\":\"long\"}]}";

typedef struct fixture {
    mr_app *app;
    mr_driver *driver;
    const mr_schema *step;
    const mr_schema *stepped;
} fixture;

static fixture shared;

/* Step {By}: an event Stepped {By} for another number than 0. */
static mr_status handle(mr_handler *handler, mr_handler_group group, mr_call *call, mr_error *err)
{
    (void)handler;
    (void)err;
    const int64_t by = *(const int64_t *)call->input;
    if (group == MR_DECIDE) {
        if (by != 0) {
            *(int64_t *)mr_decision_add(call->decision, shared.stepped) = by;
        }
        return MR_OK;
    }
    *(int64_t *)call->state += by;
    call->state_exists = true;
    return MR_OK;
}

static void free_handler(mr_handler *handler)
{
    free(handler);
}

static const mr_handler_ops ops = {.name = "walker", .call = handle, .free = free_handler};

static mr_status make_handler(void *argument, const mr_stage *stage, mr_handler **ret_handler,
                              mr_error *err)
{
    (void)argument;
    (void)stage;
    (void)err;
    *ret_handler = mr_alloc_zero(1, sizeof(**ret_handler));
    (*ret_handler)->ops = &ops;
    return MR_OK;
}

static const mr_schema *add(mr_app *app, const char *json)
{
    const mr_schema *schema = NULL;
    mr_error err;
    assert_int_equal(mr_schemas_add(app->schemas, json, "test", &schema, &err), MR_OK);
    return schema;
}

static char **one(const char *text)
{
    char **list = mr_alloc_zero(1, sizeof(*list));
    list[0] = mr_strdup(text);
    return list;
}

static mr_app *make_app(int64_t remember)
{
    mr_app *app = mr_alloc_zero(1, sizeof(*app));
    app->name = mr_strdup("walk");
    app->directory = mr_strdup(".");
    app->schemas = mr_schemas_new();
    app->partitions = 1;
    app->n_stages = 1;
    app->stages = mr_alloc_zero(1, sizeof(mr_stage));
    shared.step = add(app, step_json);
    shared.stepped = add(app, stepped_json);
    app->stages[0] = (mr_stage){
        .app = app,
        .name = mr_strdup("walker"),
        .kind = mr_strdup("aggregate"),
        .from = one("walk.commands"),
        .n_from = 1,
        .to = one("walk.events"),
        .n_to = 1,
        .results = mr_strdup("walk.results"),
        .state = add(app, place_json),
        .remember = remember,
        .group = mr_strdup("walk-walker"),
        .dead_letters = mr_strdup("walk-walker-dlq"),
        .definition = mr_strdup("test"),
    };
    mr_error err;
    if (mr_app_prepare(app, mr_kinds, &err) != MR_OK) {
        fail_msg("%s", err.message);
    }
    return app;
}

static int set_up(void **state)
{
    mr_error err;
    shared.app = make_app(3);
    assert_int_equal(mr_driver_new(shared.app, mr_kinds, make_handler, NULL, &shared.driver, &err),
                     MR_OK);
    *state = &shared;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_driver_free(f->driver);
    mr_app_free(f->app);
    return 0;
}

/* Sends a command; returns how many events it made. */
static size_t send(fixture *f, const char *id, int64_t by)
{
    const size_t before = mr_driver_count(f->driver, "walk.events");
    const size_t results = mr_driver_count(f->driver, "walk.results");
    const mr_envelope envelope = {.id = mr_bytes_text(id),
                                  .type = mr_bytes_text("Step"),
                                  .source = mr_bytes_text("test"),
                                  .subject = mr_bytes_text("w"),
                                  .sequence = MR_VERSION_NONE,
                                  .expected_version = MR_VERSION_NONE,
                                  .time_ms = 1};
    mr_error err;
    assert_int_equal(mr_driver_send(f->driver, "walk.commands", mr_bytes_text("w"), &envelope,
                                    f->step, &by, &err),
                     MR_OK);
    assert_int_equal(mr_driver_count(f->driver, "walk.results"), results + 1);
    assert_int_equal(mr_driver_count(f->driver, "walk-walker-dlq"), 0);
    return mr_driver_count(f->driver, "walk.events") - before;
}

static mr_bytes last_result(fixture *f)
{
    return mr_driver_record(f->driver, "walk.results",
                            mr_driver_count(f->driver, "walk.results") - 1)
        ->value;
}

static void a_repeated_command_gets_its_first_answer(void **state)
{
    fixture *f = *state;
    assert_int_equal(send(f, "a", 1), 1);
    const mr_bytes first = last_result(f);
    assert_int_equal(send(f, "b", 0), 0);
    assert_int_equal(send(f, "a", 7), 0);
    assert_true(mr_bytes_equal(last_result(f), first));
    assert_int_equal(send(f, "b", 7), 0);
}

static void what_is_older_is_decided_again(void **state)
{
    fixture *f = *state;
    assert_int_equal(send(f, "a", 1), 1);
    assert_int_equal(send(f, "b", 1), 1);
    assert_int_equal(send(f, "c", 1), 1);
    assert_int_equal(send(f, "a", 1), 0); /* a repetition makes nothing younger */
    assert_int_equal(send(f, "d", 1), 1);
    assert_int_equal(send(f, "b", 1), 0);
    assert_int_equal(send(f, "c", 1), 0);
    assert_int_equal(send(f, "a", 1), 1);
    assert_int_equal(send(f, "b", 1), 1);
    assert_int_equal(send(f, "d", 1), 0);
}

static void ids_with_one_hash_are_two(void **state)
{
    /* Known to have the same FNV-1a of 32 bits. */
    fixture *f = *state;
    assert_int_equal(send(f, "costarring", 1), 1);
    assert_int_equal(send(f, "liquid", 1), 1);
    assert_int_equal(send(f, "liquid", 1), 0);
    assert_int_equal(send(f, "costarring", 1), 0);
}

static void another_number_keeps_what_it_can(void **state)
{
    fixture *f = *state;
    mr_stage *stage = &f->app->stages[0];
    assert_int_equal(send(f, "a", 1), 1);
    assert_int_equal(send(f, "b", 1), 1);
    assert_int_equal(send(f, "c", 1), 1);
    stage->remember = 2; /* of aggregates to come: what is remembered stays so */
    assert_int_equal(send(f, "a", 1), 0);
    assert_int_equal(send(f, "d", 1), 1);
    assert_int_equal(send(f, "b", 1), 0);
    assert_int_equal(send(f, "c", 1), 0);
    assert_int_equal(send(f, "a", 1), 1); /* in the place of b */
    stage->remember = 4;
    assert_int_equal(send(f, "e", 1), 1); /* in the place of c: the round is over */
    assert_int_equal(send(f, "g", 1), 1); /* one more */
    assert_int_equal(send(f, "d", 1), 0);
    assert_int_equal(send(f, "a", 1), 0);
    assert_int_equal(send(f, "e", 1), 0);
    assert_int_equal(send(f, "g", 1), 0);
    assert_int_equal(send(f, "h", 1), 1);
    assert_int_equal(send(f, "d", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_repeated_command_gets_its_first_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_older_is_decided_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ids_with_one_hash_are_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_number_keeps_what_it_can, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
