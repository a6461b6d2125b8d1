/*
 * Goal: records come out as they went in, in order, with their offset slots; a batch that was
 * cleared is as new. Method: all of a batch as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/outgoing.h"

static int64_t slots[4];

static void append_field(mr_buf *text, mr_bytes bytes)
{
    if (mr_bytes_is_null(bytes)) {
        mr_buf_append_text(text, "null");
    } else {
        mr_buf_printf(text, "'%.*s'", (int)bytes.len, (const char *)bytes.data);
    }
}

/* All of them as text. */
static void assert_content(mr_outgoing *outgoing, const char *expected)
{
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_text(&text, "");
    for (size_t i = 0; i < mr_outgoing_count(outgoing); i++) {
        mr_record record;
        int64_t *slot = mr_outgoing_at(outgoing, i, &record);
        mr_buf_printf(&text, "%s/%d@%d ", record.topic, (int)record.partition,
                      (int)record.timestamp_ms);
        append_field(&text, record.key);
        append_field(&text, record.value);
        for (size_t j = 0; j < record.n_headers; j++) {
            mr_buf_printf(&text, " %s=", record.headers[j].name);
            append_field(&text, record.headers[j].value);
        }
        if (slot != NULL) {
            mr_buf_printf(&text, " slot %d", (int)(slot - slots));
        }
        mr_buf_append_byte(&text, ';');
    }
    assert_string_equal(mr_buf_text(&text), expected);
    mr_buf_deinit(&text);
}

/* The record's own memory is gone when it is asked for. */
static void add(mr_outgoing *outgoing, const char *topic, const char *key, const char *value,
                size_t n_headers, int64_t *slot)
{
    char texts[2][16] = {"", ""};
    (void)snprintf(texts[0], sizeof(texts[0]), "of-%s", topic);
    const mr_header headers[] = {
        {"a", mr_bytes_text(texts[0])}, {"b", mr_bytes_of(texts[1], 0)}, {"c", MR_BYTES_NULL}};
    char key_text[64] = "";
    char value_text[64] = "";
    (void)snprintf(key_text, sizeof(key_text), "%s", key == NULL ? "" : key);
    (void)snprintf(value_text, sizeof(value_text), "%s", value == NULL ? "" : value);
    const mr_record record = {
        .topic = topic,
        .partition = 3,
        .timestamp_ms = 7,
        .key = key == NULL ? MR_BYTES_NULL : mr_bytes_text(key_text),
        .value = value == NULL ? MR_BYTES_NULL : mr_bytes_text(value_text),
        .headers = headers,
        .n_headers = n_headers,
    };
    mr_outgoing_add(outgoing, &record, slot);
    memset(texts, 'x', sizeof(texts));
    memset(key_text, 'x', sizeof(key_text));
    memset(value_text, 'x', sizeof(value_text));
}

static void records_come_out_as_they_went_in(void **state)
{
    (void)state;
    mr_outgoing *outgoing = mr_outgoing_new();
    for (int round = 0; round < 3; round++) {
        assert_int_equal(mr_outgoing_bytes(outgoing), 0);
        assert_content(outgoing, "");
        add(outgoing, "t", "k", "v", 3, &slots[2]);
        add(outgoing, "u", NULL, NULL, 0, NULL);
        add(outgoing, "v", "", "", 1, &slots[1]);
        assert_true(mr_outgoing_bytes(outgoing) > 0);
        assert_content(outgoing, "t/3@7 'k''v' a='of-t' b='' c=null slot 2;"
                                 "u/3@7 nullnull;v/3@7 '''' a='of-v' slot 1;");
        mr_outgoing_clear(outgoing, round == 0 ? 0 : 1000);
    }
    mr_outgoing_free(outgoing);
}

static void thousands_keep_their_order(void **state)
{
    (void)state;
    enum { RECORDS = 5000 };
    mr_outgoing *outgoing = mr_outgoing_new();
    mr_buf expected = MR_BUF_NULL;
    for (int i = 0; i < RECORDS; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d", i);
        add(outgoing, "t", "k", value, 0, NULL);
        mr_buf_printf(&expected, "t/3@7 'k''%d';", i);
    }
    assert_content(outgoing, mr_buf_text(&expected));
    mr_buf_deinit(&expected);
    mr_outgoing_free(outgoing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(thousands_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
