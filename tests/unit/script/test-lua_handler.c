/*
 * Goal: each group of handlers sees what it should, what it returns is checked, a failure leaves no
 * trace, and two states do the same.
 * Method: small apps, one call each; the decision, the state, or the whole error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "support.h"

#define STAGES "return { name = 'a', schemas = 'schemas', stages = { "
#define AGGREGATE(decide, evolve)                                                                  \
    STAGES "s = { kind = 'aggregate', from = 'in', to = 'out', state = 'Cart', decide = "          \
           "{ Add = function(s, c, meta) " decide                                                  \
           "\nend }, evolve = { Added = function(s, e, meta) " evolve "\nend } } } }"
#define TRANSFORM(on)                                                                              \
    STAGES "s = { kind = 'transform', from = 'in', to = {'out', 'other'}, on = { " on " } } } }"

static const char command[] = "{\"Id\":\"i\",\"Quantity\":2}";
static const char event[] = "{\"Item\":{\"Id\":\"e\",\"Quantity\":5,\"Tags\":[\"t\"]}}";

/* ---- decide ---- */

static const struct {
    const char *app;
    size_t n_events;
    const char *first;  /* an event's JSON */
    const char *reason; /* of a rejection */
    const char *text;
    const char *error;
} decisions[] = {
    {AGGREGATE("", "return s"), 0, NULL, NULL, NULL, NULL},
    {AGGREGATE("return nil", "return s"), 0, NULL, NULL, NULL, NULL},
    {AGGREGATE("return {}", "return s"), 0, NULL, NULL, NULL, NULL},
    {AGGREGATE("return event.Added { Item = { Id = c.Id, Quantity = c.Quantity } }", "return s"), 1,
     "{\"Item\":{\"Id\":\"i\",\"Quantity\":2,\"Tags\":[]}}", NULL, NULL, NULL},
    {AGGREGATE("return event.Added { Item = { Id = '1' } }, event.Ping {}, event.Ping()",
               "return s"),
     3, "{\"Item\":{\"Id\":\"1\",\"Quantity\":1,\"Tags\":[]}}", NULL, NULL, NULL},
    {AGGREGATE("return { event.Added { Item = { Id = '1' } }, event.Ping {} }", "return s"), 2,
     "{\"Item\":{\"Id\":\"1\",\"Quantity\":1,\"Tags\":[]}}", NULL, NULL, NULL},
    {AGGREGATE("return c", "return s"), 1, "{\"Id\":\"i\",\"Quantity\":2}", NULL, NULL, NULL},
    {AGGREGATE("return event.Add(c)", "return s"), 1, "{\"Id\":\"i\",\"Quantity\":2}", NULL, NULL,
     NULL},
    {AGGREGATE("return event.Line(c)", "return s"), 1, "{\"Id\":\"i\",\"Quantity\":2,\"Tags\":[]}",
     NULL, NULL, NULL},
    {AGGREGATE("return record.Ping {}, command.Ping {}", "return s"), 2, "{}", NULL, NULL, NULL},
    {AGGREGATE("local t = { Item = { Id = 'x' } } local a, b = event.Added(t), event.Added(t) "
               "return a, b",
               "return s"),
     2, "{\"Item\":{\"Id\":\"x\",\"Quantity\":1,\"Tags\":[]}}", NULL, NULL, NULL},
    {AGGREGATE("return reject('not_found')", "return s"), 0, NULL, "not_found", "", NULL},
    {AGGREGATE("return reject('bad', 'Quantity is ' .. c.Quantity)", "return s"), 0, NULL, "bad",
     "Quantity is 2", NULL},
    {AGGREGATE("return reject('Not found')", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: a reason is one word for machines, such as \"not_found\"; the text for people "
     "is "
     "the second argument of reject"},
    {AGGREGATE("return reject()", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: bad argument #1 to 'reject' (string expected, got no value)"},
    {AGGREGATE("return event.Ping {}, reject('x')", "return s"), 0, NULL, NULL, NULL,
     "decide returns events made by event.Name { ... }, a list of them, reject(...) or "
     "nothing, not "
     "a rejection among others"},
    {AGGREGATE("return 5", "return s"), 0, NULL, NULL, NULL,
     "decide returns events made by event.Name { ... }, a list of them, reject(...) or "
     "nothing, not "
     "a number"},
    {AGGREGATE("return false", "return s"), 0, NULL, NULL, NULL,
     "decide returns events made by event.Name { ... }, a list of them, reject(...) or "
     "nothing, not "
     "a boolean"},
    {AGGREGATE("return { Item = {} }", "return s"), 0, NULL, NULL, NULL,
     "decide returned a table that is neither a list of events nor made by event.Name { ... }"},
    {AGGREGATE("return { event.Ping {}, 5 }", "return s"), 0, NULL, NULL, NULL,
     "decide returns events made by event.Name { ... }, a list of them, reject(...) or "
     "nothing, not "
     "a number"},
    {AGGREGATE("return event.Ping {}, nil", "return s"), 0, NULL, NULL, NULL,
     "decide returns events made by event.Name { ... }, a list of them, reject(...) or "
     "nothing, not "
     "a nil"},
    {AGGREGATE("return event.Added { Item = { Id = 'x', Quantity = '2' } }", "return s"), 0, NULL,
     NULL, NULL, "Added.Item.Quantity: expected int, got string"},
    {AGGREGATE("return event.Added { Itm = {} }", "return s"), 0, NULL, NULL, NULL,
     "Added.Item: is missing"},
    {AGGREGATE("return event.Addedd { }", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: there is no schema 'Addedd'; did you mean 'Added'?"},
    {AGGREGATE("return event[1]", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: schemas have names, not a number"},
    {AGGREGATE("event.X = 1", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: constructors of records cannot be set"},
    {AGGREGATE("return event.Ping(5)", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: bad argument #1 to 'Ping' (table expected, got number)"},
    {AGGREGATE("return event.Ping(setmetatable({}, {}))", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: a Ping is made of a table without a metatable"},
    {AGGREGATE("local l = {} for i = 1, 1024 do l[i] = event.Ping {} end return l", "return s"),
     1024, "{}", NULL, NULL, NULL},
    {AGGREGATE("local l = {} for i = 1, 1025 do l[i] = event.Ping {} end return l", "return s"), 0,
     NULL, NULL, NULL, "decide returned more than 1024 events"},
    {AGGREGATE("local l = {} l[1] = l return l", "return s"), 0, NULL, NULL, NULL,
     "decide returns events made by event.Name { ... }, a list of them, reject(...) or "
     "nothing, not "
     "a table"},
    {AGGREGATE("error('no luck')", "return s"), 0, NULL, NULL, NULL, "app.lua:1: no luck"},
    {AGGREGATE("s.Count = 1", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: Cart: it is read-only here"},
    {AGGREGATE("send('out', 'k', c)", "return s"), 0, NULL, NULL, NULL,
     "app.lua:1: send works only in `on` handlers, of a transform or project stage"},
};

static void what_decide_returns(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
        script_fixture f = {0};
        script_open(&f, decisions[i].app, "s");
        script_set_state(&f, "{\"Id\":\"c\"}");
        const mr_status status = script_call(&f, MR_DECIDE, "Add", command);
        static const char prefix[] = "decide Add (app.lua:1): ";
        const char *message = status == MR_OK ? "" : f.err.message + sizeof(prefix) - 1;
        bool right = f.decision.n_events == decisions[i].n_events &&
                     (status == MR_OK) == (decisions[i].error == NULL) &&
                     f.decision.rejected == (decisions[i].reason != NULL);
        right = right && strcmp(message, decisions[i].error == NULL ? "" : decisions[i].error) == 0;
        if (right && decisions[i].first != NULL) {
            right = strcmp(script_event(&f, 0), decisions[i].first) == 0;
        }
        if (right && decisions[i].reason != NULL) {
            right = strcmp(mr_buf_text(&f.decision.reason), decisions[i].reason) == 0 &&
                    strcmp(mr_buf_text(&f.decision.text), decisions[i].text) == 0;
        }
        if (!right) {
            print_error("%s\n  %d events, %s\n", decisions[i].app, (int)f.decision.n_events,
                        message);
        }
        n_wrong += right ? 0 : 1;
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

static void decide_sees_no_state_before_the_first_event(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(
        &f, AGGREGATE("return reject(tostring(s) .. meta.version .. tostring(c.Id))", "return s"),
        "s");
    f.version = 5;
    assert_int_equal(script_call(&f, MR_DECIDE, "Add", command), MR_OK);
    assert_string_equal(mr_buf_text(&f.decision.reason), "nil5i");
    assert_int_equal(script_call(&f, MR_DECIDE, "Add", NULL), MR_ERR_HANDLER);
    assert_non_null(strstr(f.err.message, "attempt to index a nil value (local 'c')"));
    assert_int_equal(script_call(&f, MR_DECIDE, "Ping", "{}"), MR_NOT_FOUND);
    script_close(&f);
}

/* ---- evolve ---- */

static void what_evolve_returns(void **state)
{
    (void)state;
    static const struct {
        const char *app;
        bool exists;      /* before */
        const char *part; /* of the state afterwards; with a ! first, the error */
    } rows[] = {
        {AGGREGATE("", "s.Count = 7 return s"), true, "\"Count\":7,"},
        {AGGREGATE("", "return record.Cart { Id = e.Item.Id }"), false, "{\"Id\":\"e\","},
        {AGGREGATE("", "return { Id = 'plain', Count = 3 }"), false, "{\"Id\":\"plain\","},
        {AGGREGATE("", "return { Id = 'replaced' }"), true, "{\"Id\":\"replaced\","},
        {AGGREGATE("", "local t = s s.Count = 1 return t"), true, "\"Count\":1,"},
        {AGGREGATE("", "s.Count = 7"), true,
         "!evolve must return the state; it returned nothing or nil"},
        {AGGREGATE("", "return nil"), true,
         "!evolve must return the state; it returned nothing or nil"},
        {AGGREGATE("", "return 5"), true, "!Cart: expected Cart, got number"},
        {AGGREGATE("", "return e"), true, "!Cart: expected Cart, got Added"},
        {AGGREGATE("", "return s.First"), true, "!Cart: expected Cart, got Line"},
        {AGGREGATE("", "return event.Ping {}"), false, "!Cart: expected Cart, got Ping"},
        {AGGREGATE("", "return { Id = 1 }"), false, "!Cart.Id: expected string, got number"},
        {AGGREGATE("", "return { Idd = 'x' }"), false,
         "!Cart.Idd: Cart has no such field; did you mean "
         "'Id'?"},
        {AGGREGATE("", "s.Count = 1 return s"), false,
         "!app.lua:2: attempt to index a nil value (local 's')"},
        {AGGREGATE("", "s.Count = 9 error('after a change')"), true, "!app.lua:2: after a change"},
    };
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_fixture f = {0};
        script_open(&f, rows[i].app, "s");
        if (rows[i].exists) {
            script_set_state(&f, "{\"Id\":\"c\",\"Count\":4}");
        }
        const mr_status status = script_call(&f, MR_EVOLVE, "Added", event);
        static const char prefix[] = "evolve Added (app.lua:1): ";
        const bool raises = rows[i].part[0] == '!';
        const char *actual =
            status == MR_OK ? script_state(&f) : f.err.message + sizeof(prefix) - 1;
        const bool right =
            raises ? status != MR_OK && strcmp(actual, rows[i].part + 1) == 0
                   : status == MR_OK && f.state_exists && strstr(actual, rows[i].part) != NULL;
        if (!right) {
            print_error("%s\n  %s\n", rows[i].app, actual);
        }
        n_wrong += right ? 0 : 1;
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

/* ---- meta ---- */

static void meta_shows_the_record(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(
        &f,
        AGGREGATE("return reject('x', table.concat({meta.id, meta.type, meta.subject, meta.time, "
                  "tostring(meta.sequence), meta.version, tostring(meta.correlation), "
                  "tostring(meta.causation), meta.key, meta.topic, meta.partition, meta.offset, "
                  "meta.timestamp}, ' '))",
                  "return { Id = table.concat({meta.id, meta.type, meta.subject, meta.time, "
                  "meta.sequence, meta.version}, ' ') }"),
        "s");
    f.version = -1;
    assert_int_equal(script_call(&f, MR_DECIDE, "Add", command), MR_OK);
    assert_string_equal(mr_buf_text(&f.decision.text),
                        "id-1 Add cart-1 2000 nil -1 nil nil cart-1 in 3 7 1000");
    f.version = 4;
    assert_int_equal(script_call(&f, MR_EVOLVE, "Added", event), MR_OK);
    assert_non_null(strstr(script_state(&f), "{\"Id\":\"cart-1/4 Added cart-1 2000 4 4\","));
    script_close(&f);
}

static void meta_is_what_the_handler_may_depend_on(void **state)
{
    (void)state;
    static const struct {
        const char *app;
        const char *message;
    } rows[] = {
        {AGGREGATE("", "return { Id = meta.topic }"),
         "app.lua:2: meta.topic is not there in evolve, which depends on the event only"},
        {AGGREGATE("", "return { Id = meta.causation }"),
         "app.lua:2: meta.causation is not there in evolve, which depends on the event only"},
        {AGGREGATE("", "return { Id = meta.subjekt }"),
         "app.lua:2: meta has no field 'subjekt'; did you mean 'subject'?"},
        {AGGREGATE("", "meta.time = 5 return s"), "app.lua:2: meta is read-only"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_fixture f = {0};
        script_open(&f, rows[i].app, "s");
        assert_int_equal(script_call(&f, MR_EVOLVE, "Added", event), MR_ERR_HANDLER);
        if (strstr(f.err.message, rows[i].message) == NULL) {
            print_error("%s\n", f.err.message);
        }
        assert_non_null(strstr(f.err.message, rows[i].message));
        script_close(&f);
    }
}

/* ---- on ---- */

static void the_handler_of_a_type_comes_before_that_of_any(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(&f,
                TRANSFORM("Add = function(r) send('out', 'add', r) end, ['*'] = function(r, meta) "
                          "send('other', meta.type, r) end"),
                "s");
    assert_int_equal(script_call(&f, MR_ON, "Add", command), MR_OK);
    assert_int_equal(f.n_sent, 1);
    assert_string_equal(f.sent[0].topic, "out");
    assert_int_equal(script_call(&f, MR_ON, "Added", event), MR_OK);
    assert_int_equal(f.n_sent, 1);
    assert_string_equal(f.sent[0].topic, "other");
    assert_string_equal(f.sent[0].key, "Added");
    assert_string_equal(f.sent[0].json, event);
    script_close(&f);
}

/* ---- Failures and determinism ---- */

static void a_failed_call_leaves_no_trace(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(
        &f,
        TRANSFORM("Add = function(r) send('out', 'k', r) if r.Quantity > 1 then error('late') end "
                  "end"),
        "s");
    assert_int_equal(script_call(&f, MR_ON, "Add", command), MR_ERR_HANDLER);
    assert_int_equal(f.n_sent, 0);
    assert_string_equal(f.err.error_class, "handler");
    assert_int_equal(script_call(&f, MR_ON, "Add", "{\"Id\":\"i\",\"Quantity\":1}"), MR_OK);
    assert_int_equal(f.n_sent, 1);
    /* Numbers of sent records begin anew: the failed one is not counted. */
    assert_string_equal(f.sent[0].id, "id-1");
    script_close(&f);
}

static void two_states_do_the_same(void **state)
{
    (void)state;
    static const char app[] = AGGREGATE(
        "local t, s2 = {}, '' for i = 1, 40 do t['k' .. (i * 7919 % 97)] = i end "
        "for k, v in pairs(t) do s2 = s2 .. k .. v end "
        "for k, v in pairs(c) do s2 = s2 .. k .. tostring(v) end "
        "for w in s2:gmatch('k(%d+)') do t[#t + 1] = w end table.sort(t) "
        "return reject('x', s2 .. table.concat(t, ',') .. tostring(t) .. tostring(print) .. "
        "('%s %g'):format(c, 1 / 3) .. tostring(next(t)))",
        "return s");
    char *texts[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        script_fixture f = {0};
        script_open(&f, app, "s");
        for (int before = 0; before < i * 10; before++) {
            assert_int_equal(script_call(&f, MR_EVOLVE, "Added", event), MR_ERR_HANDLER);
        }
        assert_int_equal(script_call(&f, MR_DECIDE, "Add", command), MR_OK);
        texts[i] = mr_strdup(mr_buf_text(&f.decision.text));
        script_close(&f);
    }
    assert_string_equal(texts[0], texts[1]);
    assert_non_null(strstr(texts[0], "{\"Id\":\"i\""));
    free(texts[0]);
    free(texts[1]);
}

static void logging_changes_nothing(void **state)
{
    (void)state;
    static const char app[] = AGGREGATE("log('seen', c, nil) return event.Ping {}", "return s");
    char *written = NULL;
    size_t len = 0;
    const mr_log log = {.stream = open_memstream(&written, &len),
                        .clock = mr_clock_system(),
                        .level = MR_LOG_DEBUG};
    script_fixture f = {.limits = {.log = &log}};
    script_open(&f, app, "s");
    assert_int_equal(script_call(&f, MR_DECIDE, "Add", command), MR_OK);
    assert_int_equal(f.decision.n_events, 1);
    script_close(&f);
    assert_int_equal(fclose(log.stream), 0);
    assert_non_null(strstr(written, "app.lua:1: seen {"));
    free(written);
}

static void a_changed_file_is_told(void **state)
{
    (void)state;
    script_fixture f = {0};
    assert_int_equal(script_load(&f, AGGREGATE("", "return s")), MR_OK);
    f.stage = mr_app_stage(f.app, "s");
    mr_handler *handler = NULL;
    script_files_add(&f.files, "app.lua", TRANSFORM("Add = function() end"));
    assert_int_equal(mr_lua_handler_new(f.stage, &f.limits, &handler, &f.err), MR_ERR_USAGE);
    assert_string_equal(
        f.err.message,
        "app.lua has changed since it was loaded: stage 's' no longer has decide.Add");
    script_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_decide_returns),
        cmocka_unit_test(decide_sees_no_state_before_the_first_event),
        cmocka_unit_test(what_evolve_returns),
        cmocka_unit_test(meta_shows_the_record),
        cmocka_unit_test(meta_is_what_the_handler_may_depend_on),
        cmocka_unit_test(the_handler_of_a_type_comes_before_that_of_any),
        cmocka_unit_test(a_failed_call_leaves_no_trace),
        cmocka_unit_test(two_states_do_the_same),
        cmocka_unit_test(logging_changes_nothing),
        cmocka_unit_test(a_changed_file_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
