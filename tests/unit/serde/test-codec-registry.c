/*
 * Goal: Confluent's framing carries the registry's IDs, the registry is asked once, and its
 * failures keep what to do about them. Method: a scripted server in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/registry.h>

#include "http_server.h"
#include "schema_fixture.h"

typedef struct fixture {
    http_server *server;
    mr_registry *registry;
    mr_schemas *schemas;
    const mr_schema *schema;
    mr_codec *codec;
    mr_buf out;
    mr_error err;
} fixture;

static const char schema_json[] =
    "{'type':'record','name':'x.Item','fields':[{'name':'n','type':'long'}]}";

static int set_up(void **state)
{
    enum { TIMEOUT_MS = 20000 };
    fixture *f = calloc(1, sizeof(*f));
    f->server = http_server_start();
    const mr_registry_options options = {.url = http_server_url(f->server),
                                         .timeout_ms = TIMEOUT_MS};
    if (mr_registry_new(&options, &f->registry, &f->err) != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    f->schemas = mr_schemas_new();
    f->schema = must_add(f->schemas, schema_json);
    f->codec = mr_codec_new(f->schemas, f->registry, MR_FRAMING_CONFLUENT);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_codec_free(f->codec);
    mr_schemas_free(f->schemas);
    mr_registry_free(f->registry);
    http_server_stop(f->server);
    mr_buf_deinit(&f->out);
    free(f);
    return 0;
}

static void the_id_is_asked_for_once_for_a_topic(void **state)
{
    fixture *f = *state;
    static const http_reply script[] = {
        {"/subjects/carts-x.Item/versions", 200, "{\"id\":16909060}", HTTP_ANSWER},
        {"/subjects/other-x.Item/versions", 200, "{\"id\":5}", HTTP_ANSWER},
    };
    http_server_script(f->server, script, N_ROWS(script));
    const int64_t value = -1;
    for (int i = 0; i < 3; i++) {
        mr_buf_clear(&f->out);
        assert_int_equal(mr_codec_encode(f->codec, "carts", f->schema, &value, &f->out, &f->err),
                         MR_OK);
        assert_int_equal(f->out.len, 6);
        assert_memory_equal(f->out.data, "\x00\x01\x02\x03\x04\x01", 6);
    }
    assert_int_equal(http_server_count(f->server), 1);
    mr_buf_clear(&f->out);
    assert_int_equal(mr_codec_encode(f->codec, "other", f->schema, &value, &f->out, &f->err),
                     MR_OK);
    assert_memory_equal(f->out.data, "\x00\x00\x00\x00\x05\x01", 6);
}

static void the_schema_is_asked_for_once_and_resolved(void **state)
{
    fixture *f = *state;
    static const http_reply script[] = {
        {"/schemas/ids/7", 200,
         "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"x.Item\\\",\\\"fields\\\":["
         "{\\\"name\\\":\\\"n\\\",\\\"type\\\":\\\"int\\\"},"
         "{\\\"name\\\":\\\"gone\\\",\\\"type\\\":\\\"string\\\"}]}\"}",
         HTTP_ANSWER}};
    http_server_script(f->server, script, N_ROWS(script));
    for (int i = 0; i < 3; i++) {
        int64_t value = 0;
        assert_int_equal(mr_codec_decode(f->codec, mr_bytes_of("\x00\x00\x00\x00\x07\x0e\x02z", 8),
                                         f->schema, &value, &f->err),
                         MR_OK);
        assert_int_equal(value, 7);
    }
    const mr_schema *writer = NULL;
    assert_int_equal(
        mr_codec_writer(f->codec, mr_bytes_of("\x00\x00\x00\x00\x07", 5), &writer, &f->err), MR_OK);
    assert_string_equal(mr_schema_name(writer), "x.Item");
    assert_int_equal(http_server_count(f->server), 1);
}

static void single_object_encoding_is_read_too(void **state)
{
    fixture *f = *state;
    http_server_script(f->server, NULL, 0);
    append_framed(&f->out, f->schema, mr_bytes_text("\x0e"));
    int64_t value = 0;
    assert_int_equal(mr_codec_decode(f->codec, mr_buf_bytes(&f->out), f->schema, &value, &f->err),
                     MR_OK);
    assert_int_equal(value, 7);
    assert_int_equal(http_server_count(f->server), 0);
}

static void failures_keep_their_action(void **state)
{
    fixture *f = *state;
    static const http_reply down[] = {{NULL, 503, "busy", HTTP_ANSWER}};
    static const http_reply unknown[] = {
        {NULL, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}", HTTP_ANSWER}};
    const mr_bytes framed = mr_bytes_of("\x00\x00\x00\x00\x09\x02", 6);
    int64_t value = 0;
    http_server_script(f->server, down, 1);
    assert_true(mr_codec_decode(f->codec, framed, f->schema, &value, &f->err) < 0);
    assert_int_equal(f->err.action, MR_ACT_RETRY);
    assert_true(mr_codec_encode(f->codec, "t", f->schema, &value, &f->out, &f->err) < 0);
    assert_int_equal(f->err.action, MR_ACT_RETRY);
    assert_int_equal(f->out.len, 0);
    http_server_script(f->server, unknown, 1);
    assert_int_equal(mr_codec_decode(f->codec, framed, f->schema, &value, &f->err), MR_ERR_DATA);
    assert_int_equal(f->err.action, MR_ACT_SKIP);
    assert_string_equal(f->err.error_class, "unknown_schema");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_id_is_asked_for_once_for_a_topic, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_schema_is_asked_for_once_and_resolved, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(single_object_encoding_is_read_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_keep_their_action, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
