/* Goal: what is sent is what was added, in order, whatever buffers grew meanwhile; null and empty
 * are told apart; nothing is left after a discard. Method: a collector that keeps copies as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/outbox.h"

typedef struct mr_sent {
    mr_collector collector;
    mr_buf text;
    int fail_at;
    int n;
} mr_sent;

static void append_field(mr_buf *text, mr_bytes bytes)
{
    if (mr_bytes_is_null(bytes)) {
        mr_buf_append_text(text, "-");
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
    mr_buf_printf(&sent->text, "%s ", record->topic);
    append_field(&sent->text, record->key);
    append_field(&sent->text, record->value);
    for (size_t i = 0; i < record->n_headers; i++) {
        mr_buf_printf(&sent->text, " %s=", record->headers[i].name);
        append_field(&sent->text, record->headers[i].value);
    }
    mr_buf_append_byte(&sent->text, '\n');
    return MR_OK;
}

static void records_come_out_as_they_went_in(void **state)
{
    (void)state;
    mr_sent sent = {.collector = {.send = keep}};
    mr_outbox *outbox = mr_outbox_new();
    mr_error err;
    for (int round = 0; round < 3; round++) {
        const mr_header headers[] = {
            {"a", mr_bytes_text("1")}, {"b", MR_BYTES_NULL}, {"c", mr_bytes_of("", 0)}};
        mr_buf_append_text(mr_outbox_add(outbox, "one", mr_bytes_text("key"), 5, headers, 3),
                           "value");
        (void)mr_outbox_add(outbox, "two", MR_BYTES_NULL, 5, NULL, 0);
        mr_outbox_set_tombstone(outbox);
        (void)mr_outbox_add(outbox, "three", mr_bytes_of("", 0), 5, headers, 1);
        mr_buf_append_text(mr_outbox_add(outbox, "four", MR_BYTES_NULL, 5, NULL, 0), "taken back");
        mr_outbox_undo(outbox);
        assert_int_equal(mr_outbox_count(outbox), 3);
        mr_buf_clear(&sent.text);
        assert_int_equal(mr_outbox_send(outbox, &sent.collector, &err), MR_OK);
        assert_string_equal(mr_buf_text(&sent.text), "one 'key''value' a='1' b=- c=''\n"
                                                     "two --\n"
                                                     "three '''' a='1'\n");
        assert_int_equal(mr_outbox_count(outbox), 0);
    }
    mr_outbox_free(outbox);
    mr_buf_deinit(&sent.text);
}

static void what_is_silent_counts_and_is_not_sent(void **state)
{
    (void)state;
    mr_sent sent = {.collector = {.send = keep}};
    mr_outbox *outbox = mr_outbox_new();
    mr_error err;
    for (int round = 0; round < 2; round++) {
        (void)mr_outbox_add(outbox, "one", MR_BYTES_NULL, 0, NULL, 0);
        if (round == 0) {
            mr_outbox_silence(outbox);
        }
        (void)mr_outbox_add(outbox, "two", MR_BYTES_NULL, 0, NULL, 0);
        assert_int_equal(mr_outbox_count(outbox), 2);
        mr_buf_clear(&sent.text);
        assert_int_equal(mr_outbox_send(outbox, &sent.collector, &err), MR_OK);
        assert_string_equal(mr_buf_text(&sent.text),
                            round == 0 ? "two -''\n" : "one -''\ntwo -''\n");
    }
    mr_outbox_free(outbox);
    mr_buf_deinit(&sent.text);
}

static void a_failing_collector_stops_the_sending(void **state)
{
    (void)state;
    mr_sent sent = {.collector = {.send = keep}, .fail_at = 2};
    mr_outbox *outbox = mr_outbox_new();
    mr_error err;
    for (int i = 0; i < 3; i++) {
        (void)mr_outbox_add(outbox, "t", MR_BYTES_NULL, 0, NULL, 0);
    }
    assert_int_equal(mr_outbox_send(outbox, &sent.collector, &err), MR_ERR_KAFKA);
    assert_int_equal(sent.n, 2);
    mr_outbox_clear(outbox);
    assert_int_equal(mr_outbox_send(outbox, &sent.collector, &err), MR_OK);
    assert_int_equal(sent.n, 2);
    mr_outbox_free(outbox);
    mr_buf_deinit(&sent.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_as_they_went_in),
        cmocka_unit_test(what_is_silent_counts_and_is_not_sent),
        cmocka_unit_test(a_failing_collector_stops_the_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
