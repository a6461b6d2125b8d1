/*
 * Goal: the registry's client and the codec work with a registry server as they do with the
 * scripted one of the unit test. Method: register, then read with clients that know nothing yet.
 * MR_TEST_REGISTRY is its base URL (scripts/registry start); skipped without.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <mr/codec.h>
#include <mr/registry.h>
#include <mr/value.h>

#include "serde/http.h"

enum { TIMEOUT_MS = 20000, SKIP = 77 };

static const char item_1[] = "{\"type\":\"record\",\"name\":\"shop.Item\",\"fields\":["
                             "{\"name\":\"Id\",\"type\":\"string\"}]}";
static const char item_2[] = "{\"type\":\"record\",\"name\":\"shop.Item\",\"fields\":["
                             "{\"name\":\"Id\",\"type\":\"string\"},"
                             "{\"name\":\"Quantity\",\"type\":\"int\",\"default\":1}]}";

typedef struct fixture {
    mr_registry *writer;
    mr_registry *reader; /* knows nothing that the writer knows */
    mr_schemas *old_set;
    mr_schemas *new_set;
    const mr_schema *old_item;
    const mr_schema *new_item;
    char subject[64]; /* new in each run: the server remembers */
    mr_error err;
} fixture;

static mr_registry *open_registry(void)
{
    const mr_registry_options options = {.url = getenv("MR_TEST_REGISTRY"),
                                         .timeout_ms = TIMEOUT_MS};
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
    f->writer = open_registry();
    f->reader = open_registry();
    f->old_set = mr_schemas_new();
    f->new_set = mr_schemas_new();
    assert_int_equal(mr_schemas_add(f->old_set, item_1, "1", &f->old_item, &f->err), MR_OK);
    assert_int_equal(mr_schemas_add(f->new_set, item_2, "2", &f->new_item, &f->err), MR_OK);
    (void)snprintf(f->subject, sizeof(f->subject), "test/%d %%\xc3\xa9-shop.Item", (int)getpid());
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_registry_free(f->writer);
    mr_registry_free(f->reader);
    mr_schemas_free(f->old_set);
    mr_schemas_free(f->new_set);
    free(f);
    return 0;
}

static void must(mr_status status, const mr_error *err)
{
    if (status != MR_OK) {
        fail_msg("status %d: %s", (int)status, err->message);
    }
}

static void what_is_registered_is_read_by_its_id(void **state)
{
    fixture *f = *state;
    int32_t old_id = 0, new_id = 0, again = 0;
    must(mr_registry_register(f->writer, f->subject, f->old_item, &old_id, &f->err), &f->err);
    must(mr_registry_register(f->writer, f->subject, f->new_item, &new_id, &f->err), &f->err);
    assert_int_not_equal(old_id, new_id);
    must(mr_registry_register(f->reader, f->subject, f->old_item, &again, &f->err), &f->err);
    assert_int_equal(again, old_id);
    const mr_schema *schema = NULL;
    must(mr_registry_schema(f->reader, new_id, &schema, &f->err), &f->err);
    assert_true(mr_schema_fingerprint(schema) == mr_schema_fingerprint(f->new_item));
    assert_int_equal(mr_type_field(mr_schema_type(schema), mr_bytes_text("Quantity")), 1);
}

static void an_unknown_id_is_the_records_fault(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = NULL;
    assert_int_equal(mr_registry_schema(f->reader, INT32_MAX, &schema, &f->err), MR_ERR_DATA);
    assert_string_equal(f->err.error_class, "unknown_schema");
    assert_int_equal(f->err.action, MR_ACT_SKIP);
    assert_null(schema);
}

/* POSTs a schema with a reference, which the client itself never does, and returns the ID. */
static int32_t post_cart(fixture *f, const char *path, const char *reference_subject)
{
    mr_http *http =
        mr_http_new(&(mr_http_options){.content_type = "application/vnd.schemaregistry.v1+json",
                                       .timeout_ms = TIMEOUT_MS,
                                       .answer_bytes_max = 4096});
    mr_buf url = MR_BUF_NULL;
    mr_buf body = MR_BUF_NULL;
    mr_buf answer = MR_BUF_NULL;
    mr_buf_printf(&url, "%s/subjects/", getenv("MR_TEST_REGISTRY"));
    mr_http_append_segment(&url, path);
    mr_buf_append_text(&url, "/versions");
    mr_buf_printf(&body,
                  "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"shop.Cart\\\","
                  "\\\"fields\\\":[{\\\"name\\\":\\\"Items\\\",\\\"type\\\":{\\\"type\\\":"
                  "\\\"array\\\",\\\"items\\\":\\\"shop.Item\\\"}}]}\",\"references\":["
                  "{\"name\":\"shop.Item\",\"subject\":\"%s\",\"version\":1}]}",
                  reference_subject);
    int code = 0;
    must(mr_http_request(http, mr_buf_text(&url), mr_buf_bytes(&body), &answer, &code, &f->err),
         &f->err);
    int id = 0;
    if (code != 200 || sscanf(mr_buf_text(&answer), " { \"id\" : %d", &id) != 1) {
        fail_msg("%d: %s", code, mr_buf_text(&answer));
    }
    mr_buf_deinit(&url);
    mr_buf_deinit(&body);
    mr_buf_deinit(&answer);
    mr_http_free(http);
    return id;
}

static void references_are_resolved(void **state)
{
    fixture *f = *state;
    int32_t id = 0;
    (void)snprintf(f->subject, sizeof(f->subject), "test-%d-reference", (int)getpid());
    must(mr_registry_register(f->writer, f->subject, f->old_item, &id, &f->err), &f->err);
    char cart[64];
    (void)snprintf(cart, sizeof(cart), "test-%d-cart", (int)getpid());
    const mr_schema *schema = NULL;
    must(mr_registry_schema(f->reader, post_cart(f, cart, f->subject), &schema, &f->err), &f->err);
    assert_string_equal(mr_schema_name(schema), "shop.Cart");
    assert_string_equal(mr_schema_type(schema)->fields[0].type->items->name, "shop.Item");
}

static void a_value_goes_from_codec_to_codec(void **state)
{
    fixture *f = *state;
    mr_codec *writing = mr_codec_new(f->old_set, f->writer, MR_FRAMING_CONFLUENT);
    mr_codec *reading = mr_codec_new(f->new_set, f->reader, MR_FRAMING_CONFLUENT);
    const mr_type *old_type = mr_schema_type(f->old_item);
    const mr_type *new_type = mr_schema_type(f->new_item);
    void *sent = mr_value_new(old_type);
    void *received = mr_value_new(new_type);
    mr_buf bytes = MR_BUF_NULL;
    mr_buf json = MR_BUF_NULL;
    char topic[64];
    (void)snprintf(topic, sizeof(topic), "test-%d", (int)getpid());
    must(mr_value_from_json(old_type, mr_bytes_text("{\"Id\":\"a\"}"), sent, &f->err), &f->err);
    for (int i = 0; i < 2; i++) {
        mr_buf_clear(&bytes);
        mr_buf_clear(&json);
        must(mr_codec_encode(writing, topic, f->old_item, sent, &bytes, &f->err), &f->err);
        assert_int_equal(bytes.data[0], 0);
        must(mr_codec_decode(reading, mr_buf_bytes(&bytes), f->new_item, received, &f->err),
             &f->err);
        mr_value_to_json(new_type, received, &json);
        assert_string_equal(mr_buf_text(&json), "{\"Id\":\"a\",\"Quantity\":1}");
    }
    mr_buf_deinit(&bytes);
    mr_buf_deinit(&json);
    mr_value_free(old_type, sent);
    mr_value_free(new_type, received);
    mr_codec_free(writing);
    mr_codec_free(reading);
}

typedef struct member {
    fixture *fixture;
    mr_registry *registry;
    int32_t id;
    mr_status status;
} member;

static void *register_item(void *context)
{
    member *m = context;
    mr_error err;
    m->status =
        mr_registry_register(m->registry, m->fixture->subject, m->fixture->new_item, &m->id, &err);
    return NULL;
}

static void all_get_the_same_id(void **state)
{
    fixture *f = *state;
    enum { MEMBERS = 8 };
    member members[MEMBERS];
    pthread_t threads[MEMBERS];
    for (size_t i = 0; i < MEMBERS; i++) {
        members[i] = (member){.fixture = f, .registry = i % 2 == 0 ? f->writer : f->reader};
        assert_int_equal(pthread_create(&threads[i], NULL, register_item, &members[i]), 0);
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(members[i].status, MR_OK);
        assert_int_equal(members[i].id, members[0].id);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    if (getenv("MR_TEST_REGISTRY") == NULL) {
        (void)fprintf(stderr, "MR_TEST_REGISTRY is not set, there is no schema registry\n");
        return SKIP;
    }
    (void)setenv("no_proxy", "*", 1);
    mr_error err;
    if (mr_registry_prepare_process(&err) != MR_OK) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        TEST(what_is_registered_is_read_by_its_id),
        TEST(an_unknown_id_is_the_records_fault),
        TEST(references_are_resolved),
        TEST(a_value_goes_from_codec_to_codec),
        TEST(all_get_the_same_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
