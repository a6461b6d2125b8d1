/*
 * Goal: held records come out as they went in, in order, and once; after a failure nothing is left.
 * Method: a collector that keeps copies as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/held.h"

typedef struct mr_sent {
    mr_collector collector;
    mr_buf text;
    int n;
    int fail_at;
} mr_sent;

static void append_field(mr_buf *text, mr_bytes bytes)
{
    if (mr_bytes_is_null(bytes)) {
        mr_buf_append_text(text, "null");
    } else {
        mr_buf_printf(text, "'%.*s'", (int)bytes.len, (const char *)bytes.data);
    }
}

static mr_status keep(mr_collector *collector, const mr_record *record, mr_error *err)
{
    mr_sent *sent = (mr_sent *)(void *)collector;
    if (++sent->n == sent->fail_at) {
        return mr_error_set(err, MR_ERR_KAFKA, "planted");
    }
    mr_buf_printf(&sent->text, "%s/%d@%d ", record->topic, (int)record->partition,
                  (int)record->timestamp_ms);
    append_field(&sent->text, record->key);
    append_field(&sent->text, record->value);
    for (size_t i = 0; i < record->n_headers; i++) {
        mr_buf_printf(&sent->text, " %s=", record->headers[i].name);
        append_field(&sent->text, record->headers[i].value);
    }
    mr_buf_append_byte(&sent->text, ';');
    return MR_OK;
}

/* The record's own memory is gone when it is sent. */
static void hold(mr_held *held, const char *topic, const char *key, const char *value,
                 size_t n_headers)
{
    char texts[2][16] = {"", ""};
    (void)snprintf(texts[0], sizeof(texts[0]), "of-%s", topic);
    const mr_header headers[] = {
        {"a", mr_bytes_text(texts[0])}, {"b", mr_bytes_of(texts[1], 0)}, {"c", MR_BYTES_NULL}};
    char key_text[64] = "";
    char value_text[64] = "";
    (void)snprintf(key_text, sizeof(key_text), "%s", key == NULL ? "" : key);
    (void)snprintf(value_text, sizeof(value_text), "%s", value == NULL ? "" : value);
    mr_held_add(held,
                &(mr_record){.topic = topic,
                             .partition = 3,
                             .timestamp_ms = 7,
                             .key = key == NULL ? MR_BYTES_NULL : mr_bytes_text(key_text),
                             .value = value == NULL ? MR_BYTES_NULL : mr_bytes_text(value_text),
                             .headers = headers,
                             .n_headers = n_headers});
    memset(texts, 'x', sizeof(texts));
    memset(key_text, 'x', sizeof(key_text));
    memset(value_text, 'x', sizeof(value_text));
}

static void records_come_out_as_they_went_in(void **state)
{
    (void)state;
    mr_sent sent = {.collector = {.send = keep}};
    mr_held *held = mr_held_new();
    mr_error err;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(mr_held_bytes(held), 0);
        hold(held, "t", "k", "v", 3);
        hold(held, "u", NULL, NULL, 0);
        hold(held, "v", "", "", 1);
        assert_true(mr_held_bytes(held) > 0);
        assert_int_equal(mr_held_send(held, &sent.collector, &err), MR_OK);
        assert_string_equal(mr_buf_text(&sent.text), "t/3@7 'k''v' a='of-t' b='' c=null;"
                                                     "u/3@7 nullnull;v/3@7 '''' a='of-v';");
        mr_buf_clear(&sent.text);
    }
    mr_buf_deinit(&sent.text);
    mr_held_free(held);
}

static void thousands_keep_their_order(void **state)
{
    (void)state;
    enum { RECORDS = 5000 };
    mr_sent sent = {.collector = {.send = keep}};
    mr_held *held = mr_held_new();
    mr_error err;
    mr_buf expected = MR_BUF_NULL;
    for (int i = 0; i < RECORDS; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d", i);
        hold(held, "t", "k", value, 0);
        mr_buf_printf(&expected, "t/3@7 'k''%d';", i);
    }
    assert_int_equal(mr_held_send(held, &sent.collector, &err), MR_OK);
    assert_string_equal(mr_buf_text(&sent.text), mr_buf_text(&expected));
    mr_buf_deinit(&expected);
    mr_buf_deinit(&sent.text);
    mr_held_free(held);
}

static void nothing_is_left_after_a_failure(void **state)
{
    (void)state;
    mr_sent sent = {.collector = {.send = keep}, .fail_at = 2};
    mr_held *held = mr_held_new();
    mr_error err;
    for (int i = 0; i < 3; i++) {
        hold(held, "t", "k", "v", 0);
    }
    assert_int_equal(mr_held_send(held, &sent.collector, &err), MR_ERR_KAFKA);
    assert_int_equal(sent.n, 2);
    assert_int_equal(mr_held_bytes(held), 0);
    assert_int_equal(mr_held_send(held, &sent.collector, &err), MR_OK);
    assert_int_equal(sent.n, 2);
    mr_buf_deinit(&sent.text);
    mr_held_free(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(thousands_keep_their_order),
        cmocka_unit_test(nothing_is_left_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
