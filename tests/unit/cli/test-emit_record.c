/*
 * Goal: what a person writes for `millrace emit` is read, or refused with what was meant, before
 * anything is sent. Method: rows of JSON; a small app with one topic, one stage and one schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/emit_record.h"

/* ---- Parsing ---- */

static void a_line_is_read(void **state)
{
    (void)state;
    mr_emit_record r = {0};
    mr_error err;
    mr_emit_record_clear(&r);
    assert_int_equal(
        mr_emit_record_parse(
            mr_bytes_text("{\"type\":\"AddItem\",\"subject\":\"c-1\",\"id\":\"x\",\"key\":\"\","
                          "\"time\":\"2020-04-20T20:30:00Z\",\"expectedversion\":-1,"
                          "\"data\":{\"A\":[1, 2.50]}}"),
            &r, &err),
        MR_OK);
    assert_string_equal(mr_buf_text(&r.type), "AddItem");
    assert_string_equal(mr_buf_text(&r.subject), "c-1");
    assert_string_equal(mr_buf_text(&r.id), "x");
    assert_true(r.has_key);
    assert_int_equal(r.key.len, 0);
    assert_int_equal(r.time_ms, 1587414600000);
    assert_int_equal(r.expected_version, -1);
    assert_string_equal(mr_buf_text(&r.data), "{\"A\":[1,2.50]}");
    mr_emit_record_clear(&r);
    assert_int_equal(mr_emit_record_parse(mr_bytes_text("{\"time\":5}"), &r, &err), MR_OK);
    assert_int_equal(r.time_ms, 5);
    assert_false(r.has_key);
    assert_int_equal(r.id.len, 0);
    assert_int_equal(r.data.len, 0);
    assert_int_equal(r.expected_version, MR_VERSION_NONE);
    mr_emit_record_deinit(&r);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"", ""},
        {"{", ""},
        {"{} {}", ""},
        {"[]", "expected an object"},
        {"\"x\"", "expected an object"},
        {"{\"type\":1}", "\"type\" is no string"},
        {"{\"subject\":null}", "\"subject\" is no string"},
        {"{\"subjet\":\"x\"}", "unknown member \"subjet\"; did you mean \"subject\"?"},
        {"{\"zzzz\":1}", "unknown member \"zzzz\""},
        {"{\"id\":\"a\",\"id\":\"b\"}", ""},
        {"{\"time\":\"yesterday\"}", "\"time\" is no time"},
        {"{\"time\":-1}", "\"time\" is no time"},
        {"{\"time\":1.5}", "\"time\" is no time"},
        {"{\"expectedversion\":-2}", "\"expectedversion\" is no version"},
        {"{\"expectedversion\":\"1\"}", "\"expectedversion\" is no version"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_emit_record r = {0};
        mr_error err;
        mr_emit_record_clear(&r);
        assert_int_equal(mr_emit_record_parse(mr_bytes_text(rows[i].line), &r, &err), MR_ERR_USAGE);
        if (strstr(err.message, rows[i].message) == NULL) {
            fail_msg("'%s' is not in '%s'", rows[i].message, err.message);
        }
        mr_emit_record_deinit(&r);
    }
}

/* ---- Checking ---- */

typedef struct shop {
    mr_app app;
    mr_topic topics[3];
    mr_stage stage;
} shop;

static char commands[] = "shop.commands";
static char events[] = "shop.events";
static char other[] = "other.commands";
static char shop_name[] = "shop";
static char transform[] = "transform";
static char *from[] = {commands};
static const char *handled[] = {"AddItem"};

static void open_shop(shop *s)
{
    mr_error err;
    const mr_schema *schema;
    *s = (shop){
        .app = {.name = shop_name, .n_topics = 2, .n_stages = 1},
        .topics = {{.name = commands, .role = MR_TOPIC_INPUT, .external = true},
                   {.name = events, .role = MR_TOPIC_EVENTS},
                   {.name = other, .role = MR_TOPIC_INPUT, .external = true}},
        .stage = {.kind = transform, .from = from, .n_from = 1},
    };
    s->app.topics = s->topics;
    s->app.stages = &s->stage;
    s->stage.handled[MR_ON] = handled;
    s->stage.n_handled[MR_ON] = 1;
    s->app.schemas = mr_schemas_new();
    assert_int_equal(
        mr_schemas_add(s->app.schemas,
                       "{\"type\":\"record\",\"name\":\"AddItem\",\"namespace\":\"shop\","
                       "\"fields\":[{\"name\":\"Quantity\",\"type\":\"int\"}]}",
                       "here", &schema, &err),
        MR_OK);
}

static void records_are_checked_against_the_app(void **state)
{
    (void)state;
    static const struct {
        const char *line, *topic, *message; /* NULL: fine */
    } rows[] = {
        {"{\"type\":\"AddItem\",\"subject\":\"c\",\"data\":{\"Quantity\":1}}", commands, NULL},
        {"{\"type\":\"AddItem\",\"subject\":\"c\",\"data\":{\"Quantity\":1}}", events, NULL},
        {"{\"subject\":\"c\",\"data\":{}}", commands, "\"type\" is missing"},
        {"{\"type\":\"AddItem\",\"data\":{}}", commands, "\"subject\" is missing"},
        {"{\"type\":\"AddItem\",\"subject\":\"c\"}", commands, "\"data\" is missing"},
        {"{\"type\":\"AddItme\",\"subject\":\"c\",\"data\":{}}", commands,
         "no stage that reads shop.commands knows the type 'AddItme'; did you mean 'AddItem'?"},
        {"{\"type\":\"Zzz\",\"subject\":\"c\",\"data\":{}}", events, "there is no schema 'Zzz'"},
        {"{\"type\":\"AddItem\",\"subject\":\"c\",\"data\":{\"Quantity\":\"1\"}}", commands,
         "data: "},
        {"{\"type\":\"AddItem\",\"subject\":\"c\",\"data\":{\"Quantiy\":1}}", commands,
         "did you mean 'Quantity'?"},
    };
    shop s;
    open_shop(&s);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_emit_record r = {0};
        mr_error err;
        mr_emit_record_clear(&r);
        assert_int_equal(mr_emit_record_parse(mr_bytes_text(rows[i].line), &r, &err), MR_OK);
        const mr_status status = mr_emit_record_check(&r, &s.app, rows[i].topic, &err);
        assert_int_equal(status, rows[i].message == NULL ? MR_OK : MR_ERR_USAGE);
        if (status != MR_OK && strstr(err.message, rows[i].message) == NULL) {
            fail_msg("'%s' is not in '%s'", rows[i].message, err.message);
        }
        mr_emit_record_deinit(&r);
    }
    mr_schemas_free(s.app.schemas);
}

static void the_topic_is_the_one_from_outside(void **state)
{
    (void)state;
    shop s;
    const char *topic = NULL;
    mr_error err;
    open_shop(&s);
    assert_int_equal(mr_emit_topic(&s.app, &topic, &err), MR_OK);
    assert_string_equal(topic, commands);
    s.app.n_topics = 3;
    assert_int_equal(mr_emit_topic(&s.app, &topic, &err), MR_ERR_USAGE);
    assert_non_null(strstr(err.message, "(shop.commands, other.commands): which one?"));
    s.app.n_topics = 0;
    assert_int_equal(mr_emit_topic(&s.app, &topic, &err), MR_ERR_USAGE);
    mr_schemas_free(s.app.schemas);
}

static void a_uuid_says_its_version(void **state)
{
    (void)state;
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    static const uint8_t zeros[16] = {0};
    char text[MR_UUID_SIZE];
    mr_uuid_format(ones, text);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    mr_uuid_format(zeros, text);
    assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(records_are_checked_against_the_app),
        cmocka_unit_test(the_topic_is_the_one_from_outside),
        cmocka_unit_test(a_uuid_says_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
