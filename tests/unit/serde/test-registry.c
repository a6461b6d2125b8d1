/*
 * Goal: the registry's client tells "try again", "a person must act" and "this record is bad"
 * apart, whatever the server does. Method: a scripted server in this process, rows of answer and
 * outcome. A real registry server is in tests/integration.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/registry.h>

#include "http_server.h"

enum { TIMEOUT_MS = 20000, SHORT_TIMEOUT_MS = 150 };

#define ITEM_7                                                                                     \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"x.Item\\\",\\\"fields\\\":["      \
    "{\\\"name\\\":\\\"Id\\\",\\\"type\\\":\\\"long\\\"}]}\"}"

typedef struct fixture {
    http_server *server;
    mr_registry *registry;
    mr_error err;
} fixture;

static mr_registry *open_registry(const char *url, const char *user_info, int timeout_ms)
{
    const mr_registry_options options = {
        .url = url, .user_info = user_info, .timeout_ms = timeout_ms};
    mr_registry *registry = NULL;
    mr_error err;
    if (mr_registry_new(&options, &registry, &err) != MR_OK) {
        fail_msg("%s", err.message);
    }
    return registry;
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->server = http_server_start();
    f->registry = open_registry(http_server_url(f->server), NULL, TIMEOUT_MS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_registry_free(f->registry);
    http_server_stop(f->server);
    free(f);
    return 0;
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, text);
    }
}

static void assert_last_request(fixture *f, const char *part)
{
    char *request = http_server_last(f->server);
    if (strstr(request, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, request);
    }
    free(request);
}

static void a_schema_is_asked_for_once(void **state)
{
    fixture *f = *state;
    static const http_reply script[] = {{"/schemas/ids/7", 200, ITEM_7, HTTP_ANSWER}};
    http_server_script(f->server, script, 1);
    const mr_schema *schema = NULL;
    const mr_schema *again = NULL;
    assert_int_equal(mr_registry_schema(f->registry, 7, &schema, &f->err), MR_OK);
    assert_string_equal(mr_schema_name(schema), "x.Item");
    assert_int_equal(mr_registry_schema(f->registry, 7, &again, &f->err), MR_OK);
    assert_ptr_equal(schema, again);
    assert_int_equal(http_server_count(f->server), 1);
    assert_last_request(f, "GET /schemas/ids/7 HTTP/1.1\r\n");
    assert_last_request(f, "Accept: application/vnd.schemaregistry.v1+json");
}

typedef struct asker {
    mr_registry *registry;
    const mr_schema *schema;
    mr_status status;
} asker;

static void *ask(void *context)
{
    asker *a = context;
    mr_error err;
    a->status = mr_registry_schema(a->registry, 7, &a->schema, &err);
    return NULL;
}

static void threads_share_one_answer(void **state)
{
    fixture *f = *state;
    enum { THREADS = 8 };
    static const http_reply script[] = {{"/schemas/ids/7", 200, ITEM_7, HTTP_ANSWER}};
    http_server_script(f->server, script, 1);
    asker askers[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (asker){.registry = f->registry};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(askers[i].status, MR_OK);
        assert_ptr_equal(askers[i].schema, askers[0].schema);
    }
    assert_int_equal(http_server_count(f->server), 1);
}

static void references_are_fetched_first(void **state)
{
    fixture *f = *state;
    /* Cart refers to Item and Price, Item to Price too: each is fetched once. */
    static const http_reply script[] = {
        {"/schemas/ids/1", 200,
         "{\"schemaType\":\"AVRO\",\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":"
         "\\\"Cart\\\",\\\"fields\\\":[{\\\"name\\\":\\\"I\\\",\\\"type\\\":\\\"Item\\\"},"
         "{\\\"name\\\":\\\"P\\\",\\\"type\\\":\\\"Price\\\"}]}\",\"references\":["
         "{\"name\":\"Item\",\"subject\":\"item / \xc3\xa9\",\"version\":2},"
         "{\"name\":\"Price\",\"subject\":\"price\",\"version\":1}]}",
         HTTP_ANSWER},
        {"/subjects/item%20%2F%20%C3%A9/versions/2", 200,
         "{\"subject\":\"item\",\"version\":2,\"id\":5,\"schema\":\"{\\\"type\\\":\\\"record\\\","
         "\\\"name\\\":\\\"Item\\\",\\\"fields\\\":[{\\\"name\\\":\\\"P\\\",\\\"type\\\":"
         "\\\"Price\\\"}]}\",\"references\":[{\"name\":\"Price\",\"subject\":\"price\","
         "\"version\":1}]}",
         HTTP_ANSWER},
        {"/subjects/price/versions/1", 200,
         "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Price\\\",\\\"fields\\\":["
         "{\\\"name\\\":\\\"Cents\\\",\\\"type\\\":\\\"long\\\"}]}\",\"references\":null}",
         HTTP_ANSWER},
    };
    http_server_script(f->server, script, 3);
    const mr_schema *schema = NULL;
    if (mr_registry_schema(f->registry, 1, &schema, &f->err) != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    assert_string_equal(mr_schema_name(schema), "Cart");
    const mr_type *type = mr_schema_type(schema);
    assert_string_equal(type->fields[0].type->fields[0].type->name, "Price");
    assert_int_equal(http_server_count(f->server), 3);
}

static void references_in_a_circle_end(void **state)
{
    fixture *f = *state;
    static const char circle[] =
        "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"A\\\",\\\"fields\\\":["
        "{\\\"name\\\":\\\"B\\\",\\\"type\\\":\\\"B\\\"}]}\","
        "\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}";
    static const http_reply script[] = {{NULL, 200, circle, HTTP_ANSWER}};
    http_server_script(f->server, script, 1);
    const mr_schema *schema = NULL;
    assert_int_equal(mr_registry_schema(f->registry, 1, &schema, &f->err), MR_ERR_DATA);
    assert_string_equal(f->err.error_class, "unknown_schema");
    assert_null(schema);
    assert_int_equal(http_server_count(f->server), 2);
}

static const struct {
    http_reply reply;
    mr_status status;
    mr_action action;
    const char *message;
} refusals[] = {
    {{NULL, 404, "{\"error_code\":40403,\"message\":\"Schema 9 not found\"}", HTTP_ANSWER},
     MR_ERR_DATA,
     MR_ACT_SKIP,
     "does not know it: Schema 9 not found"},
    {{NULL, 404, "{\"error_code\":40401}", HTTP_ANSWER},
     MR_ERR_DATA,
     MR_ACT_SKIP,
     "does not know it"},
    {{NULL, 404, "<html></html>", HTTP_ANSWER},
     MR_ERR_USAGE,
     MR_ACT_STOP,
     "answered 404, is the path in schema.registry.url right?"},
    {{NULL, 404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}", HTTP_ANSWER},
     MR_ERR_USAGE,
     MR_ACT_STOP,
     "HTTP 404 Not Found, is the path"},
    {{NULL, 401, "", HTTP_ANSWER},
     MR_ERR_USAGE,
     MR_ACT_STOP,
     "answered 401, is basic.auth.user.info right?"},
    {{NULL, 403, "[]", HTTP_ANSWER}, MR_ERR_USAGE, MR_ACT_STOP, "answered 403"},
    {{NULL, 301, "", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "answered 301"},
    {{NULL, 400, "{\"message\":7}", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "answered 400"},
    {{NULL, 408, "", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_RETRY, "answered 408"},
    {{NULL, 429, "", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_RETRY, "answered 429"},
    {{NULL, 500, "{\"error_code\":50001,\"message\":\"store\"}", HTTP_ANSWER},
     MR_ERR_SYSTEM,
     MR_ACT_RETRY,
     "answered 500: store"},
    {{NULL, 503, "<html>", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_RETRY, "answered 503"},
    {{NULL, 200, "<html>log in</html>", HTTP_ANSWER},
     MR_ERR_SYSTEM,
     MR_ACT_STOP,
     "the answer is not JSON at byte"},
    {{NULL, 200, "", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "the answer is not JSON"},
    {{NULL, 200, "[]", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "has no schema"},
    {{NULL, 200, "{\"schema\":{}}", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "has no schema"},
    {{NULL, 200, "{\"schema\":\"\\\"int\\\"\",\"references\":[{}]}", HTTP_ANSWER},
     MR_ERR_SYSTEM,
     MR_ACT_STOP,
     "has no subject and version in a reference"},
    {{NULL, 200, "{\"schema\":\"x\",\"schemaType\":\"PROTOBUF\"}", HTTP_ANSWER},
     MR_ERR_DATA,
     MR_ACT_SKIP,
     "of the type PROTOBUF, expected AVRO"},
    {{NULL, 200, "{\"schema\":\"{\\\"type\\\":\\\"nonsense\\\"}\"}", HTTP_ANSWER},
     MR_ERR_DATA,
     MR_ACT_SKIP,
     "nonsense"},
    {{NULL, 200, "{\"schema\":\"\\\"int\\\"\"}", HTTP_CUT},
     MR_ERR_SYSTEM,
     MR_ACT_RETRY,
     "schema ID 9: schema registry http://127.0.0.1:"},
    {{NULL, 200, "{\"schema\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", HTTP_ENDLESS},
     MR_ERR_SYSTEM,
     MR_ACT_STOP,
     "the answer is too large"},
    {{NULL, 200, "SSH-2.0-OpenSSH_9.2\r\n", HTTP_NOT_HTTP}, MR_ERR_SYSTEM, MR_ACT_STOP, "HTTP/0.9"},
    {{NULL, 0, "", HTTP_HANG_UP}, MR_ERR_SYSTEM, MR_ACT_RETRY, "schema ID 9"},
};

static void a_refusal_says_what_to_do(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        http_server_script(f->server, &refusals[i].reply, 1);
        const mr_schema *schema = NULL;
        const mr_status status = mr_registry_schema(f->registry, 9, &schema, &f->err);
        if (status != refusals[i].status || f->err.action != refusals[i].action) {
            fail_msg("row %zu: status %d, action %d: %s", i, status, (int)f->err.action,
                     status == MR_OK ? "" : f->err.message);
        }
        assert_contains(f->err.message, refusals[i].message);
        assert_null(schema);
        if (status == MR_ERR_DATA) {
            assert_string_equal(f->err.error_class, "unknown_schema");
        }
    }
    /* None of this was remembered. */
    static const http_reply good[] = {{"/schemas/ids/9", 200, ITEM_7, HTTP_ANSWER}};
    http_server_script(f->server, good, 1);
    const mr_schema *schema = NULL;
    assert_int_equal(mr_registry_schema(f->registry, 9, &schema, &f->err), MR_OK);
}

static void a_silent_server_times_out(void **state)
{
    fixture *f = *state;
    static const http_reply script[] = {{NULL, 0, "", HTTP_SILENT}};
    http_server_script(f->server, script, 1);
    mr_registry *registry = open_registry(http_server_url(f->server), NULL, SHORT_TIMEOUT_MS);
    const mr_schema *schema = NULL;
    assert_int_equal(mr_registry_schema(registry, 7, &schema, &f->err), MR_ERR_SYSTEM);
    assert_int_equal(f->err.action, MR_ACT_RETRY);
    assert_contains(f->err.message, "timed out");
    mr_registry_free(registry);
}

/* An address that nothing listens on any more. */
static void copy_dead_url(char *url, size_t size)
{
    http_server *dead = http_server_start();
    (void)snprintf(url, size, "%s", http_server_url(dead));
    http_server_stop(dead);
}

static void an_unreachable_server_is_asked_again_later(void **state)
{
    fixture *f = *state;
    char url[64];
    copy_dead_url(url, sizeof(url));
    mr_registry *registry = open_registry(url, NULL, TIMEOUT_MS);
    const mr_schema *schema = NULL;
    int32_t id;
    assert_int_equal(mr_registry_schema(registry, 7, &schema, &f->err), MR_ERR_SYSTEM);
    assert_int_equal(f->err.action, MR_ACT_RETRY);
    assert_contains(f->err.message, url);
    static const http_reply script[] = {{"/schemas/ids/7", 200, ITEM_7, HTTP_ANSWER}};
    http_server_script(f->server, script, 1);
    assert_int_equal(mr_registry_schema(f->registry, 7, &schema, &f->err), MR_OK);
    assert_int_equal(mr_registry_register(registry, "s", schema, &id, &f->err), MR_ERR_SYSTEM);
    assert_int_equal(f->err.action, MR_ACT_RETRY);
    mr_registry_free(registry);
}

static void of_several_servers_the_next_is_asked(void **state)
{
    fixture *f = *state;
    char dead[64];
    copy_dead_url(dead, sizeof(dead));
    http_server *failing = http_server_start();
    static const http_reply failure[] = {{NULL, 500, "{}", HTTP_ANSWER}};
    http_server_script(failing, failure, 1);
    static const http_reply script[] = {{"/apis/v7/schemas/ids/7", 200, ITEM_7, HTTP_ANSWER},
                                        {"/apis/v7/schemas/ids/8", 200, ITEM_7, HTTP_ANSWER}};
    http_server_script(f->server, script, 2);
    char urls[256];
    (void)snprintf(urls, sizeof(urls), "%s , %s/, %s/apis/v7//,", dead, http_server_url(failing),
                   http_server_url(f->server));
    mr_registry *registry = open_registry(urls, NULL, TIMEOUT_MS);
    const mr_schema *schema = NULL;
    if (mr_registry_schema(registry, 7, &schema, &f->err) != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    assert_int_equal(http_server_count(failing), 1);
    /* The one that answered is asked first from then on. */
    assert_int_equal(mr_registry_schema(registry, 8, &schema, &f->err), MR_OK);
    assert_int_equal(http_server_count(failing), 1);
    assert_int_equal(http_server_count(f->server), 2);
    mr_registry_free(registry);
    http_server_stop(failing);
}

static void credentials_go_into_the_header_only(void **state)
{
    fixture *f = *state;
    static const http_reply script[] = {{NULL, 401, "", HTTP_ANSWER}};
    http_server_script(f->server, script, 1);
    mr_registry *registry = open_registry(http_server_url(f->server), "me:hunter2:x", TIMEOUT_MS);
    const mr_schema *schema = NULL;
    assert_int_equal(mr_registry_schema(registry, 7, &schema, &f->err), MR_ERR_USAGE);
    assert_null(strstr(f->err.message, "hunter2"));
    assert_last_request(f, "Authorization: Basic bWU6aHVudGVyMjp4\r\n");
    mr_registry_free(registry);
    assert_int_equal(mr_registry_schema(f->registry, 7, &schema, &f->err), MR_ERR_USAGE);
    char *request = http_server_last(f->server);
    assert_null(strstr(request, "Authorization"));
    free(request);
}

static const mr_schema *item_schema(fixture *f)
{
    static const http_reply script[] = {{"/schemas/ids/7", 200, ITEM_7, HTTP_ANSWER}};
    http_server_script(f->server, script, 1);
    const mr_schema *schema = NULL;
    assert_int_equal(mr_registry_schema(f->registry, 7, &schema, &f->err), MR_OK);
    return schema;
}

static void a_schema_is_registered_once(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = item_schema(f);
    static const http_reply script[] = {
        {"/subjects/tickets.cart-x.Item%2F/versions", 200, "{\"id\":2147483647}", HTTP_ANSWER},
        {"/subjects/other/versions", 200, "{\"id\":3}", HTTP_ANSWER}};
    http_server_script(f->server, script, 2);
    int32_t id = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            mr_registry_register(f->registry, "tickets.cart-x.Item/", schema, &id, &f->err), MR_OK);
        assert_int_equal(id, INT32_MAX);
        assert_int_equal(http_server_count(f->server), 1);
    }
    assert_last_request(f, "POST /subjects/tickets.cart-x.Item%2F/versions HTTP/1.1\r\n");
    assert_last_request(f, "Content-Type: application/vnd.schemaregistry.v1+json\r\n");
    assert_last_request(f, "\r\n\r\n{\"schema\":\"{\\\"");
    assert_last_request(f, "x.Item");
    assert_int_equal(mr_registry_register(f->registry, "other", schema, &id, &f->err), MR_OK);
    assert_int_equal(id, 3);
}

static void a_refused_registration_names_the_subject(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = item_schema(f);
    static const struct {
        http_reply reply;
        mr_status status;
        mr_action action;
        const char *message;
    } rows[] = {
        {{NULL, 409, "{\"error_code\":409,\"message\":\"incompatible with version 1\"}",
          HTTP_ANSWER},
         MR_ERR_USAGE,
         MR_ACT_STOP,
         "answered 409: incompatible with version 1"},
        {{NULL, 422, "{\"error_code\":42201,\"message\":\"Invalid Avro schema\"}", HTTP_ANSWER},
         MR_ERR_USAGE,
         MR_ACT_STOP,
         "answered 422: Invalid Avro schema"},
        {{NULL, 500, "", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_RETRY, "answered 500"},
        {{NULL, 200, "{}", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "has no id"},
        {{NULL, 200, "{\"id\":\"7\"}", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "has no id"},
        {{NULL, 200, "{\"id\":-1}", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "has no id"},
        {{NULL, 200, "{\"id\":2147483648}", HTTP_ANSWER}, MR_ERR_SYSTEM, MR_ACT_STOP, "has no id"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http_server_script(f->server, &rows[i].reply, 1);
        int32_t id = -7;
        assert_int_equal(mr_registry_register(f->registry, "cart-value", schema, &id, &f->err),
                         rows[i].status);
        assert_int_equal(f->err.action, rows[i].action);
        assert_contains(f->err.message, "register x.Item under subject 'cart-value'");
        assert_contains(f->err.message, rows[i].message);
        assert_int_equal(id, -7);
    }
}

static void an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {NULL,
                                       "",
                                       " ",
                                       ",",
                                       "127.0.0.1:8081",
                                       "http://",
                                       "ftp://x",
                                       "file:///etc/passwd",
                                       "http://me:hunter2@x",
                                       "http://x?y",
                                       "http://x#y",
                                       "http://x y",
                                       "http://x,nonsense"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_registry_options options = {.url = rows[i], .timeout_ms = TIMEOUT_MS};
        mr_registry *registry = NULL;
        mr_error err;
        assert_int_equal(mr_registry_new(&options, &registry, &err), MR_ERR_USAGE);
        assert_contains(err.message, "schema.registry.url");
        assert_null(strstr(err.message, "hunter2"));
        assert_null(registry);
    }
    mr_registry_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    /* The loopback interface is never behind a proxy. */
    (void)setenv("no_proxy", "*", 1);
    mr_error err;
    if (mr_registry_prepare_process(&err) != MR_OK) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        TEST(a_schema_is_asked_for_once),
        TEST(threads_share_one_answer),
        TEST(references_are_fetched_first),
        TEST(references_in_a_circle_end),
        TEST(a_refusal_says_what_to_do),
        TEST(a_silent_server_times_out),
        TEST(an_unreachable_server_is_asked_again_later),
        TEST(of_several_servers_the_next_is_asked),
        TEST(credentials_go_into_the_header_only),
        TEST(a_schema_is_registered_once),
        TEST(a_refused_registration_names_the_subject),
        cmocka_unit_test(an_address_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
