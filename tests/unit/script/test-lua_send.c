/*
 * Goal: what a transform stage sends has the IDs, causes and versions that a replay gives again.
 * Method: one record in, what is sent looked at field by field; every wrong call's error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "support.h"

static const char app_begin[] =
    "return { name = 'a', schemas = 'schemas', stages = { s = { kind = 'transform', from = 'in', "
    "to = {'out', 'other'}, on = { Add = function(r, meta) ";
static const char app_end[] = " end } } } }";
static const char command[] = "{\"Id\":\"i\",\"Quantity\":2}";

static void open_with(script_fixture *f, const char *code)
{
    char *text = mr_asprintf("%s%s%s", app_begin, code, app_end);
    script_open(f, text, "s");
    free(text);
}

static const char *or_none(const char *text)
{
    return text == NULL ? "-" : text;
}

/* topic key id type subject correlation causation sequence expected time json */
static char *describe(const script_sent *sent)
{
    return mr_asprintf("%s %s %s %s %s %s %s %lld %lld %lld %s", sent->topic, or_none(sent->key),
                       or_none(sent->id), or_none(sent->type), or_none(sent->subject),
                       or_none(sent->correlation), or_none(sent->causation),
                       (long long)sent->sequence, (long long)sent->expected_version,
                       (long long)sent->time_ms, or_none(sent->json));
}

#define JSON "{\"Id\":\"i\",\"Quantity\":2}"

static void envelopes_of_what_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        const char *sent[3];
    } rows[] = {
        /* The input itself: the same event, elsewhere. */
        {"send('out', meta.subject, r)", {"out cart-1 id-1 Add cart-1 id-1 cause 4 5 2000 " JSON}},
        {"send('out', 'k', r)", {"out k id-1 Add k id-1 cause -2 5 2000 " JSON}},
        {"send('out', 'k', r, { subject = 'cart-1' })",
         {"out k id-1 Add cart-1 id-1 cause 4 5 2000 " JSON}},
        {"send('out', 'a', r) send('other', 'b', r)",
         {"out a id-1 Add a id-1 cause -2 5 2000 " JSON,
          "other b id-1 Add b id-1 cause -2 5 2000 " JSON}},
        {"send('out', nil, r, { subject = 'x' })", {"out - id-1 Add x id-1 cause -2 5 2000 " JSON}},
        /* Anything else is new, and numbered within the record. */
        {"send('out', 'k', r, { type = 'Order' })",
         {"out k id-1/s/0 Order k id-1 id-1 -2 -2 2000 " JSON}},
        {"send('out', 'k', r, { id = 'own' })", {"out k own Add k id-1 id-1 -2 5 2000 " JSON}},
        {"send('out', 'k', r, { expected_version = -1 })",
         {"out k id-1 Add k id-1 cause -2 -1 2000 " JSON}},
        {"send('out', 'k', record.Ping {})", {"out k id-1/s/0 Ping k id-1 id-1 -2 -2 2000 {}"}},
        {"send('out', 'k', record.Ping {}) send('out', 'k', record.Ping {}) send('other', 'l', r)",
         {"out k id-1/s/0 Ping k id-1 id-1 -2 -2 2000 {}",
          "out k id-1/s/1 Ping k id-1 id-1 -2 -2 2000 {}",
          "other l id-1 Add l id-1 cause -2 5 2000 " JSON}},
        {"send('out', 'k', command.Add { Id = r.Id, Quantity = r.Quantity })",
         {"out k id-1/s/0 Add k id-1 id-1 -2 -2 2000 " JSON}},
        {"send('out', 'k', event.Added { Item = event.Line(r) }, { id = 'x', expected_version = 9, "
         "subject "
         "= 'y' })",
         {"out k x Added y id-1 id-1 -2 9 2000 "
          "{\"Item\":{\"Id\":\"i\",\"Quantity\":2,\"Tags\":[]}}"}},
        {"local ok = pcall(send, 'nowhere', 'k', r) send('out', tostring(ok), r)",
         {"out false id-1 Add false id-1 cause -2 5 2000 " JSON}},
    };
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_fixture f = {0};
        open_with(&f, rows[i].code);
        f.envelope.sequence = 4;
        f.envelope.expected_version = 5;
        f.envelope.causation_id = mr_bytes_text("cause");
        const mr_status status = script_call(&f, MR_ON, "Add", command);
        if (status != MR_OK) {
            print_error("%s\n  %s\n", rows[i].code, f.err.message);
        }
        assert_int_equal(status, MR_OK);
        for (size_t s = 0; s < 3; s++) {
            char *actual = s < f.n_sent ? describe(&f.sent[s]) : NULL;
            const char *wanted = rows[i].sent[s];
            if ((actual == NULL) != (wanted == NULL) ||
                (actual != NULL && strcmp(actual, wanted) != 0)) {
                print_error("%s\n  expected %s\n  actual   %s\n", rows[i].code, or_none(wanted),
                            or_none(actual));
                n_wrong++;
            }
            free(actual);
        }
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

static void records_without_an_id_are_named_by_their_place(void **state)
{
    (void)state;
    script_fixture f = {0};
    open_with(&f, "send('out', 'k', r)");
    f.envelope.id = MR_BYTES_NULL;
    assert_int_equal(script_call(&f, MR_ON, "Add", command), MR_OK);
    char *actual = describe(&f.sent[0]);
    assert_string_equal(actual, "out k in/3/7/s/0 Add k - - -2 -2 2000 " JSON);
    free(actual);
    f.envelope.id = mr_bytes_text("x");
    f.envelope.correlation_id = mr_bytes_text("first");
    assert_int_equal(script_call(&f, MR_ON, "Add", command), MR_OK);
    assert_string_equal(f.sent[0].correlation, "first");
    script_close(&f);
}

static void tombstones_are_passed_on(void **state)
{
    (void)state;
    script_fixture f = {0};
    open_with(&f, "send('out', 'k', r) send('out', tostring(r), nil)");
    assert_int_equal(script_call(&f, MR_ON, "Add", NULL), MR_OK);
    assert_int_equal(f.n_sent, 2);
    assert_null(f.sent[0].json);
    assert_string_equal(f.sent[1].key, "nil");
    script_close(&f);
}

static void wrong_calls_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        const char *message;
    } rows[] = {
        {"send('ot', 'k', r)",
         "stage 's' does not declare topic 'ot' in `to`; did you mean 'out'?"},
        {"send('in', 'k', r)", "stage 's' does not declare topic 'in' in `to`"},
        {"send()", "bad argument #1 to 'send' (string expected, got nil)"},
        {"send('out', 5, r)", "the key of a record is a string, not a number"},
        {"send('out', 'k', {})",
         "what is sent is the record itself or made by record.Name { ... }, not a table"},
        {"send('out', 'k', 'text')",
         "what is sent is the record itself or made by record.Name { ... }, not a string"},
        {"send('out', 'k', record.Added { Item = {} })", "Added.Item.Id: is missing"},
        {"send('out', 'k', r, { expect_version = 1 })",
         "send has no option 'expect_version'; did you mean 'expected_version'?"},
        {"send('out', 'k', r, { zz = 1, aa = 2 })", "send has no option 'aa'"},
        {"send('out', 'k', r, 'x')", "bad argument #4 to 'send' (table expected, got string)"},
        {"send('out', 'k', r, { id = '' })", "send: option 'id' is a text that is not empty"},
        {"send('out', 'k', r, { id = 5 })", "send: option 'id' is a text that is not empty"},
        {"send('out', 'k', r, { id = '\\255' })", "send: option 'id' is a text that is not empty"},
        {"send('out', 'k', r, { expected_version = 'x' })",
         "send: option 'expected_version' is -1 (must not exist) or a version"},
        {"send('out', 'k', r, { expected_version = -2 })",
         "send: option 'expected_version' is -1 (must not exist) or a version"},
    };
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_fixture f = {0};
        open_with(&f, rows[i].code);
        assert_int_equal(script_call(&f, MR_ON, "Add", command), MR_ERR_HANDLER);
        static const char prefix[] = "on Add (app.lua:1): app.lua:1: ";
        if (strncmp(f.err.message, prefix, sizeof(prefix) - 1) != 0 ||
            strcmp(f.err.message + sizeof(prefix) - 1, rows[i].message) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", rows[i].code, rows[i].message,
                        f.err.message);
            n_wrong++;
        }
        assert_int_equal(f.n_sent, 0);
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

static void what_is_too_large_is_no_matter_of_the_app(void **state)
{
    (void)state;
    script_fixture f = {0};
    open_with(&f, "pcall(send, 'out', 'k', record.Add { Id = ('x'):rep(2000000) })");
    assert_int_equal(script_call(&f, MR_ON, "Add", command), MR_ERR_HANDLER);
    assert_string_equal(f.err.error_class, "too_large");
    assert_int_equal(f.err.action, MR_ACT_SKIP);
    assert_non_null(strstr(f.err.message, "is over max.record.bytes="));
    assert_int_equal(f.n_sent, 0);
    script_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_of_what_is_sent),
        cmocka_unit_test(records_without_an_id_are_named_by_their_place),
        cmocka_unit_test(tombstones_are_passed_on),
        cmocka_unit_test(wrong_calls_are_told),
        cmocka_unit_test(what_is_too_large_is_no_matter_of_the_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
