/*
 * Goal: each built-in operator makes the row that it should, of every type it takes, of nulls, NaN
 * and ties; an overflow is a dead letter and leaves no trace. Method: the driver with a stage that
 * has one fold and no other handler; JSON in, the row as JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/fold.h>

#include "core/alloc.h"
#include "kinds.h"
#include "runtime/driver.h"

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define PRESET(name, type, preset)                                                                 \
    "{\"name\":\"" name "\",\"type\":" type ",\"default\":" preset "}"
#define OPTIONAL(name, type) PRESET(name, "[\"null\",\"" type "\"]", "null")
#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define LIST(items) "{\"type\":\"array\",\"items\":" items "}"

static const char event_json[] =
    "{\"type\":\"record\",\"name\":\"Measured\",\"fields\":["
    "{\"name\":\"Long\",\"type\":\"long\",\"default\":0},"
    "{\"name\":\"Int\",\"type\":\"int\",\"default\":0},"
    "{\"name\":\"Float\",\"type\":\"float\",\"default\":0},"
    "{\"name\":\"Double\",\"type\":\"double\",\"default\":0},"
    "{\"name\":\"Text\",\"type\":\"string\",\"default\":\"\"},"
    "{\"name\":\"Maybe\",\"type\":[\"null\",\"long\"],\"default\":null},"
    "{\"name\":\"Note\",\"type\":[\"null\",\"string\"],\"default\":null},"
    "{\"name\":\"Choice\",\"type\":[\"null\",\"long\",\"string\"],\"default\":null}]}";

enum { RULES_MAX = 3, INPUTS_MAX = 6 };

typedef struct rule {
    const char *to;
    mr_fold_rule rule;
} rule;

typedef struct fixture {
    mr_app *app;
    mr_driver *driver;
    mr_buf json;
} fixture;

/* ---- A stage with one fold ---- */

static mr_status not_handled(mr_handler *handler, mr_handler_group group, mr_call *call,
                             mr_error *err)
{
    (void)handler;
    (void)group;
    (void)call;
    (void)err;
    return MR_NOT_FOUND;
}

static void free_handler(mr_handler *handler)
{
    free(handler);
}

static const mr_handler_ops ops = {.name = "none", .call = not_handled, .free = free_handler};

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

static void check(mr_status status, const mr_error *err)
{
    if (status != MR_OK) {
        fail_msg("%s", err->message);
    }
}

static const mr_schema *add(mr_app *app, const char *json)
{
    const mr_schema *schema = NULL;
    mr_error err;
    check(mr_schemas_add(app->schemas, json, "test", &schema, &err), &err);
    return schema;
}

static void make_app(fixture *f, const char *row_fields, mr_store_key key)
{
    mr_app *app = mr_alloc_zero(1, sizeof(*app));
    app->name = mr_strdup("folds");
    app->directory = mr_strdup(".");
    app->schemas = mr_schemas_new();
    app->partitions = 1;
    app->n_stages = 1;
    app->stages = mr_alloc_zero(1, sizeof(mr_stage));
    mr_stage *stage = &app->stages[0];
    *stage = (mr_stage){
        .app = app,
        .name = mr_strdup("rows"),
        .kind = mr_strdup("project"),
        .from = mr_alloc_zero(1, sizeof(char *)),
        .n_from = 1,
        .input = add(app, event_json),
        .group = mr_strdup("folds-rows"),
        .dead_letters = mr_strdup("folds-rows-dlq"),
        .definition = mr_strdup("test"),
    };
    stage->from[0] = mr_strdup("measured");
    char *json = mr_asprintf(RECORD("Row", "%s"), row_fields);
    (void)mr_stage_add_store(stage, "rows", add(app, json), key, false);
    free(json);
    stage->folds = mr_alloc_zero(1, sizeof(stage->folds[0]));
    stage->folds[stage->n_folds++] = mr_fold_plan_new(stage, 0, stage->input);
    f->app = app;
}

static void begin(fixture *f, const char *row_fields, mr_store_key key, const char *const *parts,
                  size_t n_parts, const rule *rules)
{
    mr_error err;
    *f = (fixture){0};
    make_app(f, row_fields, key);
    mr_fold_plan *plan = f->app->stages[0].folds[0];
    check(mr_fold_plan_key(plan, parts, n_parts, &err), &err);
    for (size_t i = 0; i < RULES_MAX && rules[i].to != NULL; i++) {
        check(mr_fold_plan_set(plan, rules[i].to, &rules[i].rule, &err), &err);
    }
    check(mr_app_prepare(f->app, mr_kinds, &err), &err);
    check(mr_driver_new(f->app, mr_kinds, make_handler, NULL, &f->driver, &err), &err);
}

static void end(fixture *f)
{
    mr_driver_free(f->driver);
    mr_app_free(f->app);
    mr_buf_deinit(&f->json);
}

static void feed(fixture *f, const char *key, const char *json)
{
    const mr_record record = {
        .topic = "measured", .key = mr_bytes_text(key), .value = mr_bytes_text(json)};
    mr_error err;
    check(mr_driver_feed(f->driver, &record, &err), &err);
}

static const char *row(fixture *f, mr_bytes key)
{
    const mr_stage *stage = &f->app->stages[0];
    const void *value;
    mr_error err;
    mr_buf_clear(&f->json);
    if (mr_driver_row(f->driver, stage, 0, key, &value, &err) != MR_OK) {
        return "nothing";
    }
    mr_value_to_json(mr_schema_type(stage->stores[0].value), value, &f->json);
    return mr_buf_text(&f->json);
}

static void assert_dead(fixture *f, size_t i, const char *error_class, const char *message)
{
    const mr_record *letter = mr_driver_record(f->driver, "folds-rows-dlq", i);
    assert_true(
        mr_bytes_equal_text(mr_record_header(letter, "__millrace.errors.class"), error_class));
    if (message != NULL) {
        assert_true(
            mr_bytes_equal_text(mr_record_header(letter, "__millrace.errors.message"), message));
    }
}

/* ---- Operators ---- */

#define COUNT(field_name)                                                                          \
    {                                                                                              \
        .operation = MR_FOLD_COUNT, .field = (field_name)                                          \
    }
#define SUM(field_name)                                                                            \
    {                                                                                              \
        .operation = MR_FOLD_SUM, .field = (field_name)                                            \
    }
#define MIN(field_name)                                                                            \
    {                                                                                              \
        .operation = MR_FOLD_MIN, .field = (field_name)                                            \
    }
#define MAX(field_name)                                                                            \
    {                                                                                              \
        .operation = MR_FOLD_MAX, .field = (field_name)                                            \
    }
#define LAST(field_name)                                                                           \
    {                                                                                              \
        .operation = MR_FOLD_LAST, .field = (field_name)                                           \
    }
#define TOP(k, field_name)                                                                         \
    {                                                                                              \
        .operation = MR_FOLD_TOP, .field = (field_name), .limit = (k)                              \
    }
#define LONG_X FIELD("X", "\"long\"")
#define DOUBLE_X FIELD("X", "\"double\"")
#define OPTIONAL_X OPTIONAL("X", "long")
#define PEAKS(fields) FIELD("X", LIST(RECORD("Peak", fields)))

static const struct {
    const char *row_fields;
    rule rules[RULES_MAX];
    const char *inputs[INPUTS_MAX];
    const char *expected;
} cases[] = {
    {LONG_X, {{"X", COUNT(NULL)}}, {"{}", "{}", "{}"}, "{\"X\":3}"},
    {LONG_X, {{"X", COUNT("Maybe")}}, {"{}", "{\"Maybe\":1}", "{\"Maybe\":2}"}, "{\"X\":2}"},
    {LONG_X, {{"X", COUNT("Choice")}}, {"{}", "{\"Choice\":\"c\"}"}, "{\"X\":1}"},
    {OPTIONAL_X, {{"X", COUNT("Note")}}, {"{}"}, "{\"X\":null}"},
    {OPTIONAL_X, {{"X", COUNT("Note")}}, {"{\"Note\":\"\"}"}, "{\"X\":1}"},
    {LONG_X, {{"X", SUM("Long")}}, {"{\"Long\":5}", "{\"Long\":-7}"}, "{\"X\":-2}"},
    {LONG_X, {{"X", SUM("Int")}}, {"{\"Int\":2147483647}", "{\"Int\":1}"}, "{\"X\":2147483648}"},
    {DOUBLE_X, {{"X", SUM("Double")}}, {"{\"Double\":1.5}", "{\"Double\":1}"}, "{\"X\":2.5}"},
    {DOUBLE_X, {{"X", SUM("Float")}}, {"{\"Float\":1.5}", "{\"Float\":0.25}"}, "{\"X\":1.75}"},
    {LONG_X, {{"X", SUM("Maybe")}}, {"{\"Maybe\":3}", "{}", "{\"Maybe\":4}"}, "{\"X\":7}"},
    {OPTIONAL_X, {{"X", SUM("Maybe")}}, {"{}"}, "{\"X\":null}"},
    {OPTIONAL_X, {{"X", SUM("Maybe")}}, {"{}", "{\"Maybe\":3}", "{\"Maybe\":4}"}, "{\"X\":7}"},
    {PRESET("X", "\"long\"", "100"), {{"X", SUM("Long")}}, {"{\"Long\":5}"}, "{\"X\":105}"},
    /* The least and the greatest of what was there, whatever the default. */
    {LONG_X, {{"X", MIN("Long")}}, {"{\"Long\":5}", "{\"Long\":3}", "{\"Long\":4}"}, "{\"X\":3}"},
    {LONG_X, {{"X", MAX("Int")}}, {"{\"Int\":-7}", "{\"Int\":-5}", "{\"Int\":-6}"}, "{\"X\":-5}"},
    {PRESET("X", "[\"long\",\"null\"]", "9"), {{"X", MAX("Maybe")}}, {"{}"}, "{\"X\":null}"},
    {PRESET("X", "[\"long\",\"null\"]", "9"),
     {{"X", MAX("Maybe")}},
     {"{}", "{\"Maybe\":4}", "{}", "{\"Maybe\":6}", "{\"Maybe\":5}"},
     "{\"X\":6}"},
    {DOUBLE_X,
     {{"X", MIN("Double")}},
     {"{\"Double\":\"NaN\"}", "{\"Double\":2}", "{\"Double\":\"NaN\"}", "{\"Double\":3}"},
     "{\"X\":2}"},
    {DOUBLE_X, {{"X", MAX("Float")}}, {"{\"Float\":0.5}", "{\"Float\":\"NaN\"}"}, "{\"X\":0.5}"},
    {FIELD("X", "\"string\""),
     {{"X", LAST("Text")}},
     {"{\"Text\":\"a longer text\"}", "{\"Text\":\"b\"}"},
     "{\"X\":\"b\"}"},
    {FIELD("X", "\"string\""), {{"X", LAST("Note")}}, {"{\"Note\":\"a\"}", "{}"}, "{\"X\":\"a\"}"},
    {OPTIONAL("X", "string"), {{"X", LAST("Text")}}, {"{\"Text\":\"a\"}"}, "{\"X\":\"a\"}"},
    {FIELD("X", "[\"null\",\"long\",\"string\"]"),
     {{"X", LAST("Choice")}},
     {"{\"Choice\":5}", "{\"Choice\":\"a\"}", "{}"},
     "{\"X\":\"a\"}"},
    {LONG_X, {{"X", LAST("Int")}}, {"{\"Int\":5}", "{\"Int\":-6}"}, "{\"X\":-6}"},
    {DOUBLE_X, {{"X", LAST("Float")}}, {"{\"Float\":5.5}"}, "{\"X\":5.5}"},
    {FIELD("X", LIST("\"long\"")),
     {{"X", TOP(2, "Long")}},
     {"{\"Long\":5}", "{\"Long\":9}", "{\"Long\":7}", "{\"Long\":1}"},
     "{\"X\":[9,7]}"},
    {FIELD("X", LIST("\"long\"")),
     {{"X", TOP(3, "Int")}},
     {"{\"Int\":-5}", "{\"Int\":-9}", "{\"Int\":-5}"},
     "{\"X\":[-5,-5,-9]}"},
    {FIELD("X", LIST("\"double\"")),
     {{"X", TOP(3, "Float")}},
     {"{\"Float\":\"NaN\"}", "{\"Float\":0.5}", "{\"Float\":1.5}"},
     "{\"X\":[1.5,0.5]}"},
    {FIELD("X", LIST("\"long\"")),
     {{"X", TOP(1, "Maybe")}},
     {"{}", "{\"Maybe\":-3}", "{}", "{\"Maybe\":-4}"},
     "{\"X\":[-3]}"},
    /* Of equal ones the earlier stays, and stays before. */
    {PEAKS(FIELD("Text", "\"string\"") "," FIELD("Int", "\"long\"")),
     {{"X", TOP(3, "Int")}},
     {"{\"Int\":5,\"Text\":\"a\"}", "{\"Int\":5,\"Text\":\"b\"}", "{\"Int\":7,\"Text\":\"c\"}",
      "{\"Int\":5,\"Text\":\"d\"}", "{\"Int\":6,\"Text\":\"e\"}"},
     "{\"X\":[{\"Text\":\"c\",\"Int\":7},{\"Text\":\"e\",\"Int\":6},{\"Text\":\"a\",\"Int\":5}]}"},
    {PEAKS(OPTIONAL("Note", "string") "," FIELD("Maybe", "\"long\"")),
     {{"X", TOP(2, "Maybe")}},
     {"{\"Maybe\":1,\"Note\":\"a\"}", "{\"Note\":\"b\"}", "{\"Maybe\":2}"},
     "{\"X\":[{\"Note\":null,\"Maybe\":2},{\"Note\":\"a\",\"Maybe\":1}]}"},
    /* What nothing sets: the default, null, or nothing. */
    {LONG_X "," FIELD("Y", "[\"long\",\"null\"]") "," PRESET("Z", "\"string\"",
                                                             "\"z\"") "," FIELD("N", "\"double\""),
     {{"X", COUNT(NULL)}},
     {"{}"},
     "{\"X\":1,\"Y\":null,\"Z\":\"z\",\"N\":0}"},
    {LONG_X "," FIELD("Y", "\"long\"") "," FIELD("Z", "\"long\""),
     {{"X", COUNT(NULL)}, {"Y", SUM("Long")}, {"Z", LAST("Long")}},
     {"{\"Long\":4}", "{\"Long\":5}"},
     "{\"X\":2,\"Y\":9,\"Z\":5}"},
};

static const mr_store_key by_text = {.kinds = {MR_KEY_STRING}, .n = 1};

static mr_bytes text_key(mr_buf *key, const char *text)
{
    mr_buf_clear(key);
    mr_key_append(key, &(mr_key_part){.text = mr_bytes_text(text)});
    return mr_buf_bytes(key);
}

static void operators_make_their_rows(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    mr_buf key = MR_BUF_NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture f;
        begin(&f, cases[i].row_fields, by_text, NULL, 0, cases[i].rules);
        for (size_t k = 0; k < INPUTS_MAX && cases[i].inputs[k] != NULL; k++) {
            feed(&f, "k", cases[i].inputs[k]);
        }
        const char *actual = row(&f, text_key(&key, "k"));
        if (strcmp(actual, cases[i].expected) != 0) {
            print_error("case %zu\n  expected %s\n  actual   %s\n", i, cases[i].expected, actual);
            n_wrong++;
        }
        end(&f);
    }
    mr_buf_deinit(&key);
    assert_int_equal(n_wrong, 0);
}

/* ---- Keys ---- */

static void rows_are_found_by_fields_of_the_event(void **state)
{
    (void)state;
    static const char *const parts[] = {"Text", "Int"};
    static const rule rules[RULES_MAX] = {{"X", SUM("Long")}};
    const mr_store_key key = {.kinds = {MR_KEY_STRING, MR_KEY_LONG}, .n = 2};
    fixture f;
    begin(&f, LONG_X, key, parts, 2, rules);
    feed(&f, "p", "{\"Text\":\"a\",\"Int\":-1,\"Long\":3}");
    feed(&f, "q", "{\"Text\":\"a\",\"Int\":-1,\"Long\":4}");
    feed(&f, "p", "{\"Text\":\"a\",\"Int\":2,\"Long\":5}");
    mr_buf bytes = MR_BUF_NULL;
    mr_key_append(&bytes, &(mr_key_part){.text = mr_bytes_text("a")});
    mr_key_append(&bytes, &(mr_key_part){.kind = MR_KEY_LONG, .number = -1});
    assert_string_equal(row(&f, mr_buf_bytes(&bytes)), "{\"X\":7}");
    mr_buf_deinit(&bytes);
    end(&f);
}

static void raw_keys_are_taken_as_they_are(void **state)
{
    (void)state;
    static const rule rules[RULES_MAX] = {{"X", COUNT(NULL)}};
    fixture f;
    begin(&f, LONG_X, (mr_store_key){.raw = true}, NULL, 0, rules);
    feed(&f, "k", "{}");
    assert_string_equal(row(&f, mr_bytes_text("k")), "{\"X\":1}");
    end(&f);
}

/* ---- Failures ---- */

static void an_overflow_leaves_no_trace_and_parks_its_key(void **state)
{
    (void)state;
    static const rule rules[RULES_MAX] = {{"X", COUNT(NULL)}, {"Y", SUM("Long")}};
    fixture f;
    mr_buf key = MR_BUF_NULL;
    begin(&f, LONG_X "," FIELD("Y", "\"long\""), by_text, NULL, 0, rules);
    feed(&f, "k", "{\"Long\":9223372036854775807}");
    feed(&f, "k", "{\"Long\":1}");
    feed(&f, "k", "{\"Long\":-1}");
    feed(&f, "other", "{\"Long\":1}");
    assert_string_equal(row(&f, text_key(&key, "k")), "{\"X\":1,\"Y\":9223372036854775807}");
    assert_string_equal(row(&f, text_key(&key, "other")), "{\"X\":1,\"Y\":1}");
    assert_int_equal(mr_driver_count(f.driver, "folds-rows-dlq"), 2);
    assert_dead(&f, 0, "overflow", "on Measured: Y of 'rows' would be more than a long holds");
    assert_dead(&f, 1, "parked", NULL);
    mr_buf_deinit(&key);
    end(&f);
}

static void a_count_that_overflows_makes_no_row(void **state)
{
    (void)state;
    static const rule rules[RULES_MAX] = {{"X", COUNT(NULL)}};
    fixture f;
    mr_buf key = MR_BUF_NULL;
    begin(&f, PRESET("X", "\"long\"", "9223372036854775807"), by_text, NULL, 0, rules);
    feed(&f, "k", "{}");
    assert_string_equal(row(&f, text_key(&key, "k")), "nothing");
    assert_dead(&f, 0, "overflow", "on Measured: X of 'rows' would be more than a long holds");
    mr_buf_deinit(&key);
    end(&f);
}

static void a_tombstone_is_a_dead_letter(void **state)
{
    (void)state;
    static const rule rules[RULES_MAX] = {{"X", COUNT(NULL)}};
    fixture f;
    begin(&f, LONG_X, by_text, NULL, 0, rules);
    feed(&f, "k", NULL);
    assert_dead(&f, 0, "validate", "on Measured: a tombstone (no value) has no fields to fold");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_make_their_rows),
        cmocka_unit_test(rows_are_found_by_fields_of_the_event),
        cmocka_unit_test(raw_keys_are_taken_as_they_are),
        cmocka_unit_test(an_overflow_leaves_no_trace_and_parks_its_key),
        cmocka_unit_test(a_count_that_overflows_makes_no_row),
        cmocka_unit_test(a_tombstone_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
