/*
 * Goal: every mistake in a definition is told with file, line, field and, where there is one, what
 * was probably meant; a right one is read completely. Method: a right definition with one line of
 * it replaced at a time; the whole message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "support.h"

/* One element a line, so that a row can replace it. */
static const char *const right[] = {
    /*  1 */ "local route = {",
    /*  2 */ "  kind = 'transform',",
    /*  3 */ "  from = 'in',",
    /*  4 */ "  to = { 'cart.commands', 'other' },",
    /*  5 */ "  on = { Add = function() end, ['*'] = function() end },",
    /*  6 */ "}",
    /*  7 */ "local decide = {}",
    /*  8 */ "function decide.Add() end",
    /*  9 */ "return {",
    /* 10 */ "  name = 'shop',",
    /* 11 */ "  schemas = 'schemas',",
    /* 12 */ "  partitions = 4,",
    /* 13 */
    ("  topics = { ['in'] = { partitions = 8, retention = '12h' }, ['cart.rows'] = { compact = "
     "false } },"),
    /* 14 */ "  stages = {",
    /* 15 */ "    route = route,",
    /* 16 */ "    cart = {",
    /* 17 */ "      kind = 'aggregate',",
    /* 18 */ "      from = 'cart.commands',",
    /* 19 */ "      to = 'cart.events',",
    /* 20 */ "      state = 'Cart',",
    /* 21 */ "      remember = 10,",
    /* 22 */ "      decide = decide,",
    /* 23 */ "      evolve = { ['shop.Added'] = function(s) return s end },",
    /* 24 */ "    },",
    /* 25 */ "    view = {",
    /* 26 */ "      kind = 'project', from = 'cart.events', versioned = false, input = 'Added',",
    /* 27 */ "      stores = {",
    /* 28 */ "        rows = { key = { 'string', 'long' }, value = 'Line', topic = 'cart.rows' },",
    /* 29 */ "        a_first = { key = 'long', value = 'Cart' },",
    /* 30 */ "      },",
    /* 31 */ "      on = { Added = function() end },",
    /* 32 */ "    },",
    /* 33 */ "  },",
    /* 34 */ "}",
};
enum { LINES = sizeof(right) / sizeof(right[0]) };

static char *app_with(size_t line, const char *replacement)
{
    return script_lines_with(right, LINES, line, replacement);
}

static void a_right_definition_is_read(void **state)
{
    (void)state;
    script_fixture f = {0};
    char *text = app_with(0, NULL);
    assert_int_equal(script_load(&f, text), MR_OK);
    const mr_app *app = f.app;
    assert_string_equal(app->name, "shop");
    assert_int_equal(app->partitions, 4);
    assert_int_equal(app->n_stages, 3);
    const mr_stage *route = mr_app_stage(app, "route");
    assert_string_equal(route->kind, "transform");
    assert_string_equal(route->definition, "app.lua:1");
    assert_string_equal(route->group, "shop-route");
    assert_string_equal(route->dead_letters, "shop-route-dlq");
    assert_int_equal(route->n_to, 2);
    assert_string_equal(route->to[1], "other");
    assert_int_equal(route->n_handled[MR_ON], 2);
    assert_string_equal(route->handled[MR_ON][0], "*");
    assert_string_equal(route->handled[MR_ON][1], "Add");
    const mr_stage *cart = mr_app_stage(app, "cart");
    assert_string_equal(cart->results, "cart.results");
    assert_string_equal(cart->definition, "app.lua:16");
    assert_string_equal(mr_schema_name(cart->state), "shop.Cart");
    assert_int_equal(cart->remember, 10);
    assert_string_equal(cart->handled[MR_EVOLVE][0], "shop.Added");
    const mr_stage *view = mr_app_stage(app, "view");
    assert_false(view->versioned);
    assert_string_equal(mr_schema_short_name(view->input), "Added");
    assert_int_equal(view->n_stores, 2);
    assert_string_equal(view->stores[0].name, "a_first");
    assert_int_equal(view->stores[0].key.n, 1);
    assert_int_equal(view->stores[0].key.kinds[0], MR_KEY_LONG);
    assert_false(view->stores[0].key.raw);
    assert_string_equal(view->stores[1].topic, "cart.rows");
    assert_int_equal(view->stores[1].key.kinds[1], MR_KEY_LONG);
    const mr_topic *in = mr_app_topic(app, "in");
    assert_int_equal(in->partitions, 8);
    assert_int_equal(in->retention_ms, 12 * 3600000);
    assert_true(in->partitions_said && in->retention_said && !in->compact_said);
    assert_true(mr_app_topic(app, "cart.rows")->compact_said);
    assert_null(mr_app_topic(app, "cart.events"));
    script_close(&f);
    free(text);
}

static const struct {
    size_t line;
    const char *replacement;
    const char *message;
} mistakes[] = {
    {10, "", "app.lua:9: name: is missing"},
    {10, "name = 5,", "app.lua:10: name: must be a name, not a number"},
    {10, "name = 'a b',", "app.lua:10: name: 'a b' is not a name: 1 to 64 letters, digits, _ -"},
    {10, "nmae = 'shop',", "app.lua:10: nmae: unknown field; did you mean 'name'?"},
    {10, "name = 'shop', [5] = 1,", "app.lua:9: has an entry without a name"},
    {11, "schemas = 5,", "app.lua:11: schemas: must be a directory, not a number"},
    {11, "schemas = 'nowhere',", NULL},
    {12, "partitions = 0,", "app.lua:12: partitions: must be a whole number from 1 to 10000"},
    {12, "partitions = '4',", "app.lua:12: partitions: must be a whole number, not a string"},
    {12, "partitions = 1.5,", "app.lua:12: partitions: must be a whole number from 1 to 10000"},
    {13, "topics = 5,", "app.lua:13: topics: must be a table, not a number"},
    {13, "topics = { nothing = {} },",
     "app.lua:13: topics.nothing: no stage reads or writes this topic"},
    {13, "topics = { other = 5 },", "app.lua:13: topics.other: must be a table, not a number"},
    {13, "topics = { other = { partitons = 4 } },",
     "app.lua:13: topics.other.partitons: unknown field; did you mean 'partitions'?"},
    {13, "topics = { other = { retention = '7 days' } },",
     "app.lua:13: topics.other.retention: must be a duration such as \"12h\" or \"7d\" (units "
     "ms, s, "
     "m, h, d), or \"forever\""},
    {13, "topics = { other = { retention = 7 } },",
     "app.lua:13: topics.other.retention: must be a duration such as \"12h\" or \"7d\" (units "
     "ms, s, "
     "m, h, d), or \"forever\""},
    {13, "topics = { other = { compact = 1 } },",
     "app.lua:13: topics.other.compact: must be true or false, not a number"},
    {15, "route = 5,", "app.lua:15: stages.route: must be a table, not a number"},
    {15, "['a.b'] = route,",
     "app.lua:1: stages.a.b: 'a.b' is not a name: 1 to 64 letters, digits, _ -"},
    {2, "", "app.lua:1: stages.route.kind: is missing"},
    {2, "kind = 'tranform',",
     "app.lua:2: stages.route.kind: unknown kind 'tranform'; did you mean 'transform'?"},
    {2, "kind = {},", "app.lua:2: stages.route.kind: must be a text, not a table"},
    {3, "", "app.lua:1: stages.route.from: is missing"},
    {3, "from = {},", "app.lua:3: stages.route.from: is empty"},
    {3, "from = 5,",
     "app.lua:3: stages.route.from: must be the name of a topic or a list of them, not a "
     "number"},
    {3, "from = 'a/b',",
     "app.lua:3: stages.route.from: 'a/b' is not the name of a topic: 1 to 249 "
     "letters, digits, _ - ."},
    {3, "from = { 'x', 'x' },", "app.lua:3: stages.route.from: 'x' is there twice"},
    {3, "from = { 'x', 5 },",
     "app.lua:3: stages.route.from: must be the name of a topic, not a number"},
    {3, "form = 'in',", "app.lua:3: stages.route.form: unknown field; did you mean 'from'?"},
    {4, "to = 'in',",
     "app.lua:4: stages.route.to: 'in' is also in `from`: the stage would read what it "
     "writes"},
    {5, "", "app.lua:1: stages.route.on: is missing"},
    {5, "on = {},", "app.lua:5: stages.route.on: has no handlers"},
    {5, "on = function() end,", "app.lua:5: stages.route.on: must be a table, not a function"},
    {5, "on = { Add = 5 },", "app.lua:5: stages.route.on.Add: must be a function, not a number"},
    {5, "on = { Addd = function() end },",
     "app.lua:5: stages.route.on: unknown record 'Addd'; did you mean 'Add'?"},
    {5, "on = { function() end },", "app.lua:5: stages.route.on: has an entry without a name"},
    {23,
     "evolve = { Added = function(s) return s end, ['shop.Added'] = function(s) return s end },",
     "app.lua:23: stages.cart.evolve.shop.Added: records of 'shop.Added' are handled by 'Added' "
     "already"},
    {5, "on = { Add = function() end }, decide = {},",
     "app.lua:5: stages.route.decide: unknown field"},
    {5, "on = { Add = function() end }, state = 'Cart',",
     "app.lua:5: stages.route.state: unknown field"},
    /* In a table of its own: the function says where. */
    {8, "\nfunction decide.Adz() end",
     "app.lua:9: stages.cart.decide: unknown command 'Adz'; did you mean 'Add'?"},
    {8, "decide.Add = 5", "app.lua:7: stages.cart.decide.Add: must be a function, not a number"},
    {8, "decide['*'] = function() end", "app.lua:8: stages.cart.decide: unknown command '*'"},
    {18, "from = { 'cart.commands', 'more' }, to = 'in' }, view2 = {",
     "app.lua:16: stages.cart.state: is missing"},
    {19, "to = { 'cart.events', 'more' },",
     "app.lua:19: stages.cart.to: an aggregate has one topic of events"},
    {20, "", "app.lua:16: stages.cart.state: is missing"},
    {20, "state = 'Crt',",
     "app.lua:20: stages.cart.state: unknown schema 'Crt'; did you mean 'Cart'?"},
    {20, "state = 'Status',", NULL},
    {20, "state = {},", "app.lua:20: stages.cart.state: must be the name of a schema, not a table"},
    {21, "remember = 0,",
     "app.lua:21: stages.cart.remember: must be a whole number from 1 to 10000"},
    {23, "evolve = { Added = function() end, ['shop.Adde'] = function() end },",
     "app.lua:23: stages.cart.evolve: unknown event 'shop.Adde'; did you mean 'shop.Add'?"},
    {26, "kind = 'project', from = 'cart.events', versioned = 1,",
     "app.lua:26: stages.view.versioned: must be true or false, not a number"},
    {26, "kind = 'project', from = 'cart.events', results = 'x',",
     "app.lua:26: stages.view.results: unknown field"},
    {26, "kind = 'project', from = 'cart.events', to = 'cart.events',",
     "app.lua:26: stages.view.to: 'cart.events' is also in `from`: the stage would read what it "
     "writes"},
    {27, "stores = {}, more = {", "app.lua:27: stages.view.more: unknown field"},
    {28, "rows = { value = 'Line' },", "app.lua:28: stages.view.stores.rows.key: is missing"},
    {28, "rows = { key = 'string' },", "app.lua:28: stages.view.stores.rows.value: is missing"},
    {28, "rows = { key = {}, value = 'Line' },",
     "app.lua:28: stages.view.stores.rows.key: must be "
     "\"string\", \"long\" or a list of 1 to 8 of these"},
    {28, "rows = { key = 'int', value = 'Line' },",
     "app.lua:28: stages.view.stores.rows.key: part 1 of a key is \"string\" or \"long\", not "
     "'int'"},
    {28, "rows = { key = { 'long', 5 }, value = 'Line' },",
     "app.lua:28: stages.view.stores.rows.key: part 2 of a key is \"string\" or \"long\", not "
     "'?'"},
    {28, "rows = { key = 'long', value = 'Lin' },",
     "app.lua:28: stages.view.stores.rows.value: unknown schema 'Lin'; did you mean 'Line'?"},
    {28, "['r w'] = { key = 'long', value = 'Line' },",
     "app.lua:28: stages.view.stores.r w: 'r w' is not a name: 1 to 64 letters, digits, _ -"},
    {28, "rows = 5,", "app.lua:28: stages.view.stores.rows: must be a table, not a number"},
    {24,
     "}, cart2 = { kind = 'aggregate', from = 'x', to = 'cart.events', state = 'Cart', decide "
     "= "
     "decide, evolve = { Added = function(s) end } },",
     "app.lua:24: stages.cart2.to: stage 'cart' writes its events to 'cart.events' already"},
    {33, "},\nstages = {}", "app.lua:34: stages: has no stage"},
    {33, "},\nstages = 5", "app.lua:34: stages: must be a table, not a number"},
    {7, "local decide = { Add = function() x = 1 end } local n function decide.Ping() n = 1 end",
     "app.lua:7: this function assigns 'n', a local outside of it: handlers keep nothing "
     "between "
     "calls"},
    {1, "local route = { (", "app.lua:2: ')' expected (to close '(' at line 1) near '='"},
    {1, "error('stop') local route = {", "app.lua:1: stop"},
    {1, "local made = event.Ping {} local route = {",
     "app.lua:1: a Ping cannot be made while app.lua is loaded, only in handlers"},
    {1, "local make = event.Pingg local route = {",
     "there is no schema 'Pingg'; did you mean 'Ping'?"},
    {1, "send('out', 'k', {}) local route = {",
     "app.lua:1: send works only in `on` handlers, of a transform or project stage"},
};

static void mistakes_are_told(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        script_fixture f = {0};
        char *text = app_with(mistakes[i].line, mistakes[i].replacement);
        const mr_status status = script_load(&f, text);
        if (status != MR_ERR_USAGE ||
            (mistakes[i].message != NULL && strcmp(f.err.message, mistakes[i].message) != 0)) {
            print_error("%s\n  expected %s\n  actual   %s\n", mistakes[i].replacement,
                        mistakes[i].message, status == MR_OK ? "OK" : f.err.message);
            n_wrong++;
        }
        assert_true(status == MR_OK || f.err.action == MR_ACT_STOP);
        script_close(&f);
        free(text);
    }
    assert_int_equal(n_wrong, 0);
}

static void stages_in_other_files_are_found_there(void **state)
{
    (void)state;
    script_fixture f = {0};
    static const char cart[] = "local decide = {}\n\nfunction decide.Add() end\n\nreturn {\n"
                               "  kind = 'aggregate',\n  from = 'in',\n  to = 'out',\n"
                               "  state = 'Crat',\n  decide = decide, evolve = decide,\n}\n";
    assert_int_equal(script_load(&f, "return 1"), MR_ERR_USAGE);
    script_files_add(&f.files, "cart.lua", cart);
    script_files_add(&f.files, "app.lua",
                     "return { name = 'a', schemas = 'schemas', stages = { cart = "
                     "require('cart') } }");
    assert_int_equal(mr_lua_app_load(f.files.directory, &f.limits, &f.app, &f.err), MR_ERR_USAGE);
    assert_string_equal(
        f.err.message,
        "cart.lua:9: stages.cart.state: unknown schema 'Crat'; did you mean 'Cart'?");
    script_close(&f);
}

static void an_app_that_is_not_there_is_told(void **state)
{
    (void)state;
    mr_app *app = NULL;
    mr_error err;
    const mr_lua_limits limits = {0};
    assert_int_equal(mr_lua_app_load("/nonexistent", &limits, &app, &err), MR_ERR_USAGE);
    assert_string_equal(err.message, "there is no file '/nonexistent/app.lua'");
    assert_null(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_definition_is_read),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(stages_in_other_files_are_found_there),
        cmocka_unit_test(an_app_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
