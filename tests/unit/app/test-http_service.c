/*
 * Goal: every path is answered in the documented form, also before there is a processor. Method:
 * the handler is called without a server, for a stage made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/http_service.h"

static char shop[] = "shop";
static char cart[] = "cart";
static char aggregate[] = "aggregate";
static char state_name[] = "state";
static char lines[] = "lines";
static char parked[] = "parked";

typedef struct fixture {
    mr_app app;
    mr_store_spec stores[3];
    mr_stage stage;
    mr_http_service service;
} fixture;

static void open_fixture(fixture *f)
{
    const mr_schema *schema = NULL;
    mr_error err;
    *f = (fixture){.app = {.name = shop}};
    f->app.schemas = mr_schemas_new();
    assert_int_equal(mr_schemas_add(f->app.schemas,
                                    "{\"type\":\"record\",\"name\":\"Cart\",\"namespace\":\"shop\","
                                    "\"fields\":[{\"name\":\"N\",\"type\":\"int\"}]}",
                                    "here", &schema, &err),
                     MR_OK);
    f->stores[0] = (mr_store_spec){.name = state_name, .value = schema, .key = {.raw = true}};
    f->stores[1] = (mr_store_spec){
        .name = lines, .value = schema, .key = {.kinds = {MR_KEY_STRING, MR_KEY_LONG}, .n = 2}};
    f->stores[2] =
        (mr_store_spec){.name = parked, .value = schema, .key = {.raw = true}, .internal = true};
    f->stage = (mr_stage){
        .app = &f->app, .name = cart, .kind = aggregate, .stores = f->stores, .n_stores = 3};
    f->service.stage = &f->stage;
}

static void every_path_is_answered(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        int status;
        const char *body; /* what is in it */
    } rows[] = {
        {"/healthz", 200, "ok\n"},
        {"/readyz", 503, "not ready\n"},
        {"/metrics", 200, ""},
        {"/status", 200, "\"stage\":\"cart\",\"kind\":\"aggregate\""},
        {"/status", 200, "\"ready\":false,\"state\":\"starting\"}\n"},
        {"/stores", 200,
         "{\"stores\":[{\"store\":\"state\",\"key\":\"string\",\"value\":\"shop.Cart\"},{\"store\":"
         "\"lines\",\"key\":\"string/long\",\"value\":\"shop.Cart\"}]}\n"},
        {"/stores/stat", 404, "did you mean 'state'?"},
        {"/stores/parked", 404, "stage 'cart' has no store 'parked'"},
        {"/stores/%00", 404, "has no store ''"},
        {"/stores/", 404, "has no store ''"},
        {"/stores/state", 503, "starting"},
        {"/stores/state/c-1", 503, "starting"},
        {"/stores/state/", 503, "starting"},
        {"/stores/lines/a/1", 503, "starting"},
        {"/stores/lines/a", 400, "a key of store 'lines' is string/long: 2 parts, not 1"},
        {"/stores/lines/a/x", 400, "is a whole number, not 'x'"},
        {"/stores/lines?prefix=a/x", 400, "is a whole number, not 'x'"},
        {"/stores/lines?from=a/1/2", 400, "2 parts, not 3"},
        {"/stores/state?limit=10001", 400, "limit is a whole number from 1 to 10000"},
        {"/stores/state?cursor=x", 400, "cursor is none"},
        {"/stores/state?limt=1", 400, "unknown parameter 'limt'"},
        {"/", 404, "there are /stores"},
        {"/healthz/", 404, "there are /stores"},
        {"/readyz/x", 404, "there are /stores"},
        {"/a%", 400, "two hexadecimal digits"},
        {"nonsense", 400, "does not begin with '/'"},
    };
    fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_http_answer answer = {.status = 200, .content_type = "application/json"};
        mr_http_service_answer(&f.service, "GET", rows[i].target, &answer);
        if (answer.status != rows[i].status ||
            strstr(mr_buf_text(&answer.body), rows[i].body) == NULL) {
            fail_msg("%s: %d %s", rows[i].target, answer.status, mr_buf_text(&answer.body));
        }
        mr_buf_deinit(&answer.body);
    }
    mr_schemas_free(f.app.schemas);
}

static void methods_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *target;
        int status;
        const char *body; /* what is in it */
        const char *allow;
    } rows[] = {
        {"POST", "/backup?name=a", 503, "starting", NULL},
        {"POST", "/backup", 400, "POST /backup?name=NAME", NULL},
        {"POST", "/backup?name=", 400, "'' cannot name a backup", NULL},
        {"POST", "/backup?name=..%2Fa", 400, "'../a' cannot name a backup", NULL},
        {"POST", "/backup?name=.a", 400, "'.a' cannot name a backup", NULL},
        {"POST", "/backup?name=a%00b", 400, "zero byte", NULL},
        {"POST", "/backup/a?name=a", 405, "only GET, HEAD", "GET, HEAD"},
        {"GET", "/backup?name=a", 405, "only POST", "POST"},
        {"HEAD", "/backup?name=a", 405, "only POST", "POST"},
        {"POST", "/status", 405, "only GET, HEAD", "GET, HEAD"},
        {"DELETE", "/stores/state/c-1", 405, "only GET, HEAD", "GET, HEAD"},
        {"HEAD", "/healthz", 200, "ok\n", NULL},
    };
    fixture f;
    open_fixture(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_http_answer answer = {.status = 200};
        mr_http_service_answer(&f.service, rows[i].method, rows[i].target, &answer);
        if (answer.status != rows[i].status ||
            strstr(mr_buf_text(&answer.body), rows[i].body) == NULL) {
            fail_msg("%s %s: %d %s", rows[i].method, rows[i].target, answer.status,
                     mr_buf_text(&answer.body));
        }
        if (rows[i].allow == NULL) {
            assert_null(answer.allow);
        } else {
            assert_string_equal(answer.allow, rows[i].allow);
        }
        mr_buf_deinit(&answer.body);
    }
    mr_schemas_free(f.app.schemas);
}

static void failures_are_json(void **state)
{
    (void)state;
    mr_http_answer answer = {.status = 200, .content_type = "text/plain"};
    mr_buf_append_text(&answer.body, "half an answer");
    mr_http_fail(&answer, 418, "a \"%s\"", "quote\n");
    assert_int_equal(answer.status, 418);
    assert_string_equal(answer.content_type, "application/json");
    assert_string_equal(mr_buf_text(&answer.body), "{\"error\":\"a \\\"quote\\u000a\\\"\"}\n");
    mr_buf_deinit(&answer.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_is_answered),
        cmocka_unit_test(methods_are_checked),
        cmocka_unit_test(failures_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
