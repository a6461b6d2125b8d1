/*
 * Goal: below the end of a replay a view's rows change and its outputs are checked but not sent,
 * from there on they are; a record that could not be processed then cannot be now, and its letter
 * is sent. Method: a task of a project stage whose handler is C, fed by hand.
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
#include "runtime/task.h"

enum { OUTPUTS_MAX = 2, END = 10 };

static const char number_json[] =
    "{\"type\":\"record\",\"name\":\"Number\",\"fields\":[{\"name\":\"By\",\"type\":\"long\"}]}";

typedef struct fixture {
    mr_app *app;
    mr_codec *codec;
    mr_context *context;
    mr_handler handler;
    mr_step *step;
    mr_task *task;
    mr_collector collector;
    int n_letters;
    int n_outputs;
    int n_rows; /* on the projection topic */
    int n_version_rows;
    mr_buf value;
} fixture;

static const mr_schema *number;

/* Number {By}: the row is the sum, and By outputs are sent. */
static mr_status handle(mr_handler *handler, mr_handler_group group, mr_call *call, mr_error *err)
{
    (void)handler;
    (void)group;
    const int64_t by = *(const int64_t *)call->input;
    void *row;
    const mr_status found =
        mr_context_edit(call->context, 0, mr_context_record(call->context)->key, &row, err);
    if (found == MR_NOT_FOUND) {
        MR_TRY(mr_context_put(call->context, 0, mr_context_record(call->context)->key, &row, err));
    }
    *(int64_t *)row += by;
    for (int64_t i = 0; i < by; i++) {
        const mr_output output = {.topic = "sum.out",
                                  .key = MR_BYTES_NULL,
                                  .schema = number,
                                  .value = call->input,
                                  .envelope = MR_ENVELOPE_NULL};
        MR_TRY(mr_context_send(call->context, &output, err));
    }
    return MR_OK;
}

static const mr_handler_ops ops = {.name = "adder", .call = handle};

static mr_status collect(mr_collector *collector, const mr_record *record, mr_error *err)
{
    (void)err;
    fixture *f = (fixture *)(void *)((char *)collector - offsetof(fixture, collector));
    f->n_letters += strcmp(record->topic, "sum-adder-dlq") == 0;
    f->n_outputs += strcmp(record->topic, "sum.out") == 0;
    f->n_rows += strcmp(record->topic, "sum.rows") == 0;
    f->n_version_rows += strcmp(record->topic, "sum.rows-v2") == 0;
    return MR_OK;
}

static char **one(const char *text)
{
    char **list = mr_alloc_zero(1, sizeof(*list));
    list[0] = mr_strdup(text);
    return list;
}

static mr_app *make_app(void)
{
    mr_error err;
    mr_app *app = mr_alloc_zero(1, sizeof(*app));
    app->name = mr_strdup("sum");
    app->directory = mr_strdup(".");
    app->schemas = mr_schemas_new();
    app->partitions = 1;
    app->n_stages = 1;
    app->stages = mr_alloc_zero(1, sizeof(mr_stage));
    assert_int_equal(mr_schemas_add(app->schemas, number_json, "test", &number, &err), MR_OK);
    app->stages[0] = (mr_stage){
        .app = app,
        .name = mr_strdup("adder"),
        .kind = mr_strdup("project"),
        .from = one("sum.in"),
        .n_from = 1,
        .to = one("sum.out"),
        .n_to = 1,
        .input = number,
        .group = mr_strdup("sum-adder"),
        .dead_letters = mr_strdup("sum-adder-dlq"),
        .definition = mr_strdup("test"),
    };
    mr_store_spec *store =
        mr_stage_add_store(&app->stages[0], "sums", number, (mr_store_key){.raw = true}, false);
    store->topic = mr_strdup("sum.rows");
    if (mr_app_prepare(app, mr_kinds, &err) != MR_OK) {
        fail_msg("%s", err.message);
    }
    return app;
}

/* A task of the stage as it is now. */
static void start_again(fixture *f)
{
    const mr_task_tools tools = {
        .stage = &f->app->stages[0],
        .kind = &mr_kind_project,
        .step = f->step,
        .context = f->context,
        .codec = f->codec,
        .collector = &f->collector,
        .record_bytes_max = 1 << 20,
    };
    mr_task_free(f->task);
    f->task = mr_task_new(0, &tools, NULL);
    mr_task_set_position(f->task, 0, 0);
}

static int set_up(void **state)
{
    mr_error err;
    static const mr_context_limits limits = {.record_bytes_max = 1 << 20,
                                             .outputs_max = OUTPUTS_MAX + 1};
    fixture *f = mr_alloc_zero(1, sizeof(*f));
    f->app = make_app();
    f->codec = mr_codec_new(f->app->schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    f->context = mr_context_new(&f->app->stages[0], f->codec, &limits);
    f->handler.ops = &ops;
    f->collector.send = collect;
    assert_int_equal(mr_kind_project.open(&f->app->stages[0], &f->handler, &f->step, &err), MR_OK);
    start_again(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_task_free(f->task);
    mr_kind_project.close(f->step);
    mr_context_free(f->context);
    mr_codec_free(f->codec);
    mr_app_free(f->app);
    mr_buf_deinit(&f->value);
    mr_buf_deinit(&f->handler.fold_key);
    free(f);
    return 0;
}

static void feed(fixture *f, int64_t offset, const char *key, int64_t by)
{
    mr_error err;
    mr_buf_clear(&f->value);
    assert_int_equal(mr_codec_encode(f->codec, "sum.in", number, &by, &f->value, &err), MR_OK);
    const mr_record record = {.topic = "sum.in",
                              .offset = offset,
                              .key = mr_bytes_text(key),
                              .value = mr_buf_bytes(&f->value)};
    if (mr_task_process(f->task, &record, &err) != MR_OK) {
        fail_msg("%s", err.message);
    }
}

static int64_t sum_of(fixture *f, const char *key)
{
    mr_error err;
    mr_entry *entry;
    assert_int_equal(mr_table_find(mr_task_table(f->task, 0), mr_bytes_text(key), &entry, &err),
                     MR_OK);
    return mr_entry_value(entry) == NULL ? -1 : *(const int64_t *)mr_entry_value(entry);
}

static mr_topic_partition offset_of(fixture *f)
{
    mr_topic_partition offset;
    assert_int_equal(mr_task_offsets(f->task, &offset), 1);
    return offset;
}

/* The live stage sends what is to be sent. */
static void a_version_sends_nothing_but_rows(void **state)
{
    fixture *f = *state;
    mr_error err;
    assert_int_equal(mr_app_set_version(f->app, "adder", "v2", &err), MR_OK);
    start_again(f);
    feed(f, 0, "a", 1);
    assert_int_equal(f->n_outputs, 0);
    assert_int_equal(f->n_rows, 0);
    assert_int_equal(f->n_version_rows, 1);
    assert_int_equal(sum_of(f, "a"), 1);
}

static void outputs_begin_where_the_replay_ends(void **state)
{
    fixture *f = *state;
    mr_task_set_replay(f->task, END, false);
    assert_int_equal(mr_task_replay_left(f->task), END);
    feed(f, END - 2, "a", 1);
    feed(f, END - 1, "b", 2);
    assert_int_equal(f->n_outputs, 0);
    assert_int_equal(f->n_rows, 2);
    assert_int_equal(mr_task_replay_left(f->task), 0);
    feed(f, END, "a", 1);
    assert_int_equal(f->n_outputs, 1);
    assert_int_equal(sum_of(f, "a"), 2);
    assert_int_equal(sum_of(f, "b"), 2);
}

static void the_mark_goes_with_the_offsets(void **state)
{
    fixture *f = *state;
    mr_task_set_replay(f->task, END, true);
    feed(f, 3, "a", 1);
    const mr_topic_partition offset = offset_of(f);
    assert_int_equal(offset.offset, 4);
    assert_int_equal(offset.replay_below, END);
    assert_true(offset.replay_sends);
}

static void with_sends_it_sends(void **state)
{
    fixture *f = *state;
    mr_task_set_replay(f->task, END, true);
    feed(f, 0, "a", 2);
    assert_int_equal(f->n_outputs, 2);
}

/* Too many outputs are too many, sent or not: the same record fails, and the same rows stay. */
static void what_failed_fails_again(void **state)
{
    fixture *f = *state;
    mr_task_set_replay(f->task, END, false);
    feed(f, 0, "a", 1);
    feed(f, 1, "a", OUTPUTS_MAX + 2);
    feed(f, 2, "a", 1); /* parked behind it */
    assert_int_equal(f->n_letters, 2);
    assert_int_equal(f->n_outputs, 0);
    assert_int_equal(sum_of(f, "a"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_version_sends_nothing_but_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(outputs_begin_where_the_replay_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_mark_goes_with_the_offsets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_sends_it_sends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_failed_fails_again, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
