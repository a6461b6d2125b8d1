/*
 * Goal: specs of each shape pass when the app does as they say, and tell what is different when
 * not. Method: a small app of one aggregate, one transform and one projection; files of specs; the
 * report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kinds.h"
#include "script/lua_spec.h"
#include "support.h"

static const char app[] =
    "return { name = 'shop', schemas = 'schemas', stages = {\n"
    "  route = { kind = 'transform', from = 'commands', to = 'cart.commands', on = {\n"
    "    Add = function(r, meta) send('cart.commands', meta.subject, r) end } },\n"
    "  cart = { kind = 'aggregate', from = 'cart.commands', to = 'cart.events', state = 'Cart',\n"
    "    decide = { Add = function(cart, c, meta)\n"
    "      if c.Quantity < 0 then return reject('invalid', 'below zero') end\n"
    "      if c.Quantity == 13 then error('unlucky') end\n"
    "      if c.Quantity == 0 then return end\n"
    "      return event.Added { Item = { Id = c.Id, Quantity = c.Quantity } }\n"
    "    end },\n"
    "    evolve = { Added = function(cart, e, meta)\n"
    "      if not cart then return { Id = meta.subject, Items = { e.Item } } end\n"
    "      cart.Items[#cart.Items + 1] = e.Item\n"
    "      return cart\n"
    "    end } },\n"
    "  view = { kind = 'project', from = 'cart.events',\n"
    "    stores = { lines = { key = { 'string', 'long' }, value = 'Line' } },\n"
    "    on = { Added = function(e, meta, stores)\n"
    "      stores.lines:put(meta.subject, meta.sequence, e.Item) end } } } }\n";

typedef struct outcome {
    script_fixture f;
    mr_spec_report report;
} outcome;

static void run(outcome *o, const char *file, const char *text)
{
    *o = (outcome){0};
    if (script_load(&o->f, app) != MR_OK ||
        mr_app_prepare(o->f.app, mr_kinds, &o->f.err) != MR_OK) {
        print_error("%s\n", o->f.err.message);
        fail();
    }
    script_files_add(&o->f.files, file, text);
    assert_int_equal(mr_spec_run(o->f.app, mr_kinds, &o->f.limits, &o->report, &o->f.err), MR_OK);
}

static void end(outcome *o)
{
    mr_spec_report_deinit(&o->report);
    script_close(&o->f);
}

#define ADDED(id, n) "event.Added { Item = { Id = '" id "', Quantity = " n " } }"
#define WHEN(id, n) "when = command.Add { Id = '" id "', Quantity = " n " }"

static void what_is_so_passes(void **state)
{
    (void)state;
    static const char *const specs[] = {
        "stage = 'cart', " WHEN("i", "2") ", expect = { " ADDED("i", "2") " }",
        "stage = 'cart', subject = 'c', given = { " ADDED("a", "1") " }, " WHEN(
            "i", "2") ", expect = { " ADDED("i", "2") " }, state = { Id = 'c', Items = { { Id = "
                                                      "'a' }, { Quantity = 2 } "
                                                      "} }",
        "stage = 'cart', " WHEN("i", "-1") ", rejected = 'invalid'",
        "stage = 'cart', " WHEN("i", "0") ", no_change = true, expect = {}",
        "stage = 'cart', " WHEN("i", "0") ", no_change = true, state = false",
        "stage = 'cart', given = { " ADDED("a", "1") " }, " WHEN(
            "i", "2") ", as = { id = 'x', expected_version = 5 }, rejected = 'version_conflict'",
        "stage = 'cart', given = { " ADDED("a", "1") " }, " WHEN(
            "i", "2") ", as = { expected_version = 0, time = 99 }, expect = { " ADDED("i",
                                                                                      "2") " }",
        "stage = 'cart', given = { " ADDED("a", "1") " }, state = { Items = { {} } }",
        "stage = 'cart', " WHEN("i", "13") ", dead = { ['shop-cart-dlq'] = 1 }",
        "stage = 'route', subject = 'c', " WHEN(
            "i", "2") ", expect = { command.Add { Id = 'i', Quantity = 2 } }",
        "stage = 'view', subject = 'c', when = " ADDED(
            "i", "2") ", rows = { { 'lines', 'c', 0, expect = { Id = "
                      "'i' } }, { 'lines', 'c', 1, expect = false } }",
        "stage = 'view', subject = 'c', given = { " ADDED("a", "1") " }, when = " ADDED(
            "i", "2") ", rows = { { 'view.lines', 'c', 1, expect = { Id = 'i', Quantity = 2, Tags "
                      "= {} } } }",
        ("feed = { { 'commands', subject = 'c', record = command.Add { Id = 'i', Quantity = 2 } }, "
         "{ 'commands', subject = 'c', record = command.Add { Id = 'j', Quantity = 3 }, json = "
         "true "
         "} }, "
         "rows = { { 'lines', 'c', 1, expect = { Id = 'j' } }, { 'cart', 'c', expect = { Items = { "
         "{ Id = 'i' "
         "}, { Id = 'j' } } } }, { 'cart', 'd', expect = false } }, "
         "sent = { ['cart.events'] = { " ADDED("i", "2") ", " ADDED("j", "3") " } }"),
        ("feed = { { 'commands', subject = 'c', type = 'Add', value = '{broken' } }, "
         "dead = { ['shop-route-dlq'] = 1 }"),
    };
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        mr_buf text = MR_BUF_NULL;
        outcome o;
        mr_buf_printf(&text, "return {\n{ 'name', %s } }", specs[i]);
        run(&o, "tests/a.lua", mr_buf_text(&text));
        assert_int_equal(o.report.n, 1);
        if (!o.report.results[0].passed) {
            print_error("%s\n  %s\n", specs[i], o.report.results[0].message);
        }
        assert_true(o.report.results[0].passed);
        assert_string_equal(o.report.results[0].name, "name");
        assert_string_equal(o.report.results[0].file, "tests/a.lua");
        assert_int_equal(o.report.results[0].line, 2);
        end(&o);
        mr_buf_deinit(&text);
    }
}

static const struct {
    const char *spec;
    const char *message; /* its beginning */
} failures[] = {
    {"stage = 'cart', " WHEN("i", "2") ", expect = { " ADDED("i", "3") " }",
     "cart.events, record 1:\n  expected Added "
     "{\"Item\":{\"Id\":\"i\",\"Quantity\":3,\"Tags\":[]}}\n  actual   Added "
     "{\"Item\":{\"Id\":\"i\",\"Quantity\":2,\"Tags\":[]}}"},
    {"stage = 'cart', " WHEN("i", "2") ", expect = { event.Ping {} }",
     "cart.events, record 1:\n  expected Ping {}\n  actual   Added "},
    {"stage = 'cart', " WHEN("i", "2") ", expect = {}",
     "cart.events: expected 0 records, there are 1:\n    Added "},
    {"stage = 'cart', " WHEN("i", "2") ", expect = { " ADDED("i", "2") ", " ADDED("j", "1") " }",
     "cart.events: expected 2 records, there are 1:"},
    {"stage = 'cart', " WHEN("i", "2") ", rejected = 'invalid'",
     "expected the command to be rejected: invalid\n  actual {"},
    {"stage = 'cart', " WHEN("i", "-1") ", rejected = 'other'",
     "expected the command to be rejected: other\n  actual {"},
    {"stage = 'cart', " WHEN("i", "-1") ", expect = { " ADDED("i", "2") " }",
     "expected the command to be accepted\n  actual {"},
    {"stage = 'cart', " WHEN("i", "2") ", no_change = true",
     "expected the command to be no_change\n  actual {"},
    {"stage = 'cart', " WHEN("i", "13") ", expect = {}",
     "shop-cart-dlq: expected 0 dead letters, there are 1:\n    handler: decide Add "
     "(app.lua:5): "
     "app.lua:7: unlucky"},
    {"stage = 'cart', " WHEN("i", "2") ", dead = { ['shop-cart-dlq'] = 1 }",
     "shop-cart-dlq: expected 1 dead letters, there are 0:"},
    {"stage = 'cart', " WHEN("i", "2") ", dead = { nowhere = 1 }",
     "dead: it names a topic that is no stage's dead-letter topic"},
    {"stage = 'cart', " WHEN("i", "2") ", state = { Items = { { Quantity = 3 } } }",
     "state.Items[1].Quantity: expected 3, is 2\n  actual {\"Id\":\"subject\""},
    {"stage = 'cart', " WHEN("i", "2") ", state = { Items = {} }",
     "state.Items: expected 0 elements, there are 1\n  actual {"},
    {"stage = 'cart', " WHEN("i", "2") ", state = { Owner = 'me' }",
     "state.Owner: expected \"me\", is null\n  actual {"},
    {"stage = 'cart', " WHEN("i", "2") ", state = { Ownr = 'me' }",
     "state.Ownr: Cart has no such field; did you mean 'Owner'?\n  actual {"},
    {"stage = 'cart', " WHEN("i", "2") ", state = { Notes = { a = '1' } }",
     "state.Notes[\"a\"]: is not there\n  actual {"},
    {"stage = 'cart', " WHEN("i", "2") ", state = { Count = 'x' }",
     "state.Count: expected int, got string"},
    {"stage = 'cart', " WHEN("i", "2") ", state = false", "state: expected nothing\n  actual {"},
    {"stage = 'cart', " WHEN("i", "0") ", state = {}", "state: there is nothing"},
    {"stage = 'route', " WHEN("i", "0") ", state = {}",
     "stage 'route' is no aggregate: it has no state"},
    {"stage = 'crt', " WHEN("i", "0"), "stage: there is no 'crt'; did you mean 'cart'?"},
    {"stage = 'cart', " WHEN("i", "2"), "the spec expects nothing"},
    {"stage = 'cart', whn = 1", "spec: unknown field 'whn'; did you mean 'when'?"},
    {"stage = 'cart', when = {}, expect = {}",
     "when: expected a record made by event.Name { ... }, got a table"},
    {"stage = 'cart', when = command.Add { Id = 5 }, expect = {}",
     "when.Add.Id: expected string, got number"},
    {"stage = 'cart', given = { event.Ping {} }, " WHEN("i", "2") ", expect = {}",
     "given, record 1: "},
    {"stage = 'cart', as = { idd = 1 }, " WHEN("i", "2") ", expect = {}",
     "as: unknown field 'idd'; did you mean 'id'?"},
    {"stage = 'view', when = " ADDED("i", "2") ", expect = {}",
     "expect: stage 'view' sends nothing; see `rows`"},
    {"stage = 'view', when = " ADDED("i", "2") ", rows = { { 'lnes', 'c', 0, expect = {} } }",
     "app 'shop' has no store 'lnes'; did you mean 'lines'?"},
    {"stage = 'view', when = " ADDED("i", "2") ", rows = { { 'lines', 'c', expect = {} } }",
     "rows: store 'lines' has keys of 2 parts, not of 1"},
    {"stage = 'view', when = " ADDED("i", "2") ", rows = { { 'lines', 'c', '0', expect = {} } }",
     "rows: part 2 of the key of store 'lines' is a whole number"},
    {"stage = 'view', when = " ADDED("i", "2") ", rows = { { 'lines', 'c', 0 } }",
     "rows: store 'lines': `expect` is missing"},
    {"stage = 'view', when = " ADDED("i", "2") ", rows = { { 'lines', 'x', 0, expect = {} } }",
     "lines(x, 0): there is nothing"},
    {"stage = 'view', when = " ADDED(
         "i", "2") ", rows = { { 'lines', 'subject', 0, expect = { Id = 'j' } } }",
     "lines(subject, 0).Id: expected \"j\", is \"i\"\n  actual {"},
    {"feed = { { 'nowhere', record = event.Ping {} } }, sent = {}",
     "feed: the app has no topic 'nowhere'"},
    {"feed = { { 'commands', subjct = 'x', record = event.Ping {} } }, sent = {}",
     "feed: unknown field 'subjct'; did you mean 'subject'?"},
    {"feed = {}, sent = { nowhere = {} }", "sent: the app has no topic 'nowhere'"},
    {"feed = {}, sent = { ['cart.events'] = { event.Ping {} } }",
     "cart.events: expected 1 records, there are 0: nothing"},
    {"feed = 5", "a spec has a `stage`, or a `feed` for the whole topology"},
    {"", "a spec has a `stage`, or a `feed` for the whole topology"},
};

static void what_is_not_so_is_told(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        mr_buf text = MR_BUF_NULL;
        outcome o;
        mr_buf_printf(&text, "return { { 'name', %s } }", failures[i].spec);
        run(&o, "tests/a.lua", mr_buf_text(&text));
        assert_int_equal(o.report.n, 1);
        const mr_spec_result *result = &o.report.results[0];
        if (result->passed ||
            strncmp(result->message, failures[i].message, strlen(failures[i].message)) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", failures[i].spec, failures[i].message,
                        result->passed ? "passed" : result->message);
            n_wrong++;
        }
        assert_int_equal(o.report.n_failed, 1);
        end(&o);
        mr_buf_deinit(&text);
    }
    assert_int_equal(n_wrong, 0);
}

static void files_that_are_no_specs_are_failures(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"return (", "tests/a.lua:1: unexpected symbol near <eof>"},
        {"return 5", "tests/a.lua must return a list of specs, not a number"},
        {"return { 5 }", "tests/a.lua: spec 1 is a number, not a table"},
        {"return { {} }", "tests/a.lua: spec 1 has no name: its first element is a text"},
        {"return { { 'x', when = event.Nope {} } }",
         "tests/a.lua:1: there is no schema 'Nope'; did you mean 'Node'?"},
        {"while true do end", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        outcome o;
        run(&o, "tests/a.lua", rows[i].text);
        assert_int_equal(o.report.n, 1);
        assert_int_equal(o.report.n_failed, 1);
        assert_string_equal(o.report.results[0].name, "tests/a.lua");
        if (rows[i].message != NULL) {
            assert_string_equal(o.report.results[0].message, rows[i].message);
        }
        end(&o);
    }
}

static void specs_do_not_see_each_other(void **state)
{
    (void)state;
    outcome o;
    run(&o, "tests/a.lua",
        "local function one(name) return { name, stage = 'cart', " WHEN(
            "i", "2") ", expect = { " ADDED("i",
                                            "2") " }, state = { Items = { {} } } } end\nreturn { "
                                                 "one 'a', one 'b',\n one 'c' }");
    assert_int_equal(o.report.n, 3);
    assert_int_equal(o.report.n_failed, 0);
    assert_string_equal(o.report.results[2].name, "c");
    end(&o);
    run(&o, "nothing.lua", "return 1");
    assert_int_equal(o.report.n, 0);
    end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_so_passes),
        cmocka_unit_test(what_is_not_so_is_told),
        cmocka_unit_test(files_that_are_no_specs_are_failures),
        cmocka_unit_test(specs_do_not_see_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
