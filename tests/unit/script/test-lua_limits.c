/*
 * Goal: no code of an app can hold a worker up or take its memory, whatever it tries; afterwards
 * the next record is handled as if nothing had been. Method: hostile handlers, each called under
 * small limits, then an innocent one in the same state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/text.h"
#include "script/lua_sandbox.h"
#include "support.h"

static const mr_lua_limits limits = {.instructions = 200000, .memory_bytes = 8 << 20};

static const char app[] = "local function hostile()\n%s\nend\n"
                          "return { name = 'a', schemas = 'schemas', stages = { s = {\n"
                          "  kind = 'aggregate', from = 'in', to = 'out', state = 'Cart',\n"
                          "  decide = { Ping = function(state) hostile() end,\n"
                          "    Add = function(state, command) return event.Added { Item = { Id = "
                          "command.Id } } end },\n"
                          "  evolve = { Added = function(state) return state end } } } }\n";

static char *app_with(const char *body)
{
    const char *at = strstr(app, "%s");
    mr_buf text = MR_BUF_NULL;
    mr_buf_append(&text, app, (size_t)(at - app));
    mr_buf_append_text(&text, body);
    mr_buf_append_text(&text, at + 2);
    return (char *)text.data;
}

#define ENDLESS "runs longer than the limit of 200000 instructions"
#define MEMORY "needs more than the memory limit of 8388608 bytes"

static const struct {
    const char *body;
    const char *message;
} hostile[] = {
    {"while true do end", ENDLESS},
    {"repeat local x = 1 until false", ENDLESS},
    {"for i = 1, math.maxinteger do end", ENDLESS},
    {"::again:: goto again", ENDLESS},
    {"local function f() return f() end f()", ENDLESS},
    {"local f f = function(g) return g(g) end f(f)", ENDLESS},
    /* A limit is not an error that the app may catch. */
    {"while true do pcall(function() while true do end end) end", ENDLESS},
    {"pcall(function() while true do end end)", ENDLESS},
    {"pcall(pcall, pcall, function() while true do end end)", ENDLESS},
    {"xpcall(function() while true do end end, function(m) while true do end end)", ENDLESS},
    {"xpcall(function() while true do end end, function(m) return m end)", ENDLESS},
    {"local t <close> = setmetatable({}, {__close = function() while true do end end}) while true "
     "do "
     "end",
     ENDLESS},
    {"local t <close> = setmetatable({}, {__close = function() while true do end end})", ENDLESS},
    {"for k in pairs(setmetatable({}, {__pairs = function() return function() return 1 end end})) "
     "do "
     "end",
     ENDLESS},
    {"local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) local x = t[1]",
     NULL},
    {"table.sort({3, 2, 1, 5, 4}, function() while true do end end)", ENDLESS},
    {"('x'):gsub('x', function() while true do end end)", ENDLESS},
    {"tostring(setmetatable({}, {__tostring = function() while true do end end}))", ENDLESS},
    /* Loops in C, which no instruction hook sees. */
    {"local x = (''):rep(math.maxinteger)", ENDLESS},
    {"local x = (''):rep(1e15, '')", ENDLESS},
    {"table.move({}, 1, math.maxinteger - 1, 2)", ENDLESS},
    {"table.move({}, 1, 1e15, 2, {})", ENDLESS},
    {"local s = ('a'):rep(2000) s:find('(.-)(.-)(.-)(.-)b')", ENDLESS},
    {"local s = ('a'):rep(5000) s:match('.-.-.-.-.-b')", ENDLESS},
    {"local s = ('a'):rep(3000) for _ in s:gmatch('a*a*a*b') do end", ENDLESS},
    {"local s = ('a'):rep(3000) s:gsub('a*a*a*b', '')", ENDLESS},
    {"local s = ('('):rep(2000) .. (')'):rep(2000) for i = 1, 1e9 do s:find('%b()', 2) end",
     ENDLESS},
    {"local s = ('x'):rep(1e6) for i = 1, 1e9 do s:find('y', 1, true) end", ENDLESS},
    {"local s = ('x'):rep(1e6) for i = 1, 1e9 do s:upper() end", NULL},
    {"local s = ('x'):rep(1e6) for i = 1, 1e9 do utf8.len(s) end", ENDLESS},
    {"local t = {} for i = 1, 1000 do t['k' .. i] = i end for i = 1, 1e9 do next(t, 'k1') end",
     ENDLESS},
    {"local t = {} for i = 1, 1000 do t['k' .. i] = i end for i = 1, 1e9 do pairs(t) end", NULL},
    /* Memory. */
    {"local x = ('x'):rep(1e9)", NULL},
    {"local s = 'x' while true do s = s .. s end", MEMORY},
    {"local t = {} for i = 1, 1e9 do t[i] = i end", NULL},
    {"local t = {} while true do t = {t, {}, {}, {}, {}, {}, {}, {}, {}} end", NULL},
    {"local t, s = {}, ('x'):rep(1000) for i = 1, 1e9 do t[i] = s .. i end", MEMORY},
    {"local t, s = {}, ('x'):rep(1000) while true do pcall(function() for i = 1, 1e9 do t[#t + 1] "
     "= s .. i "
     "end end) end",
     MEMORY},
    {"local s = ('x'):rep(500000) for i = 1, 1e9 do local y = s .. i end", MEMORY},
    {"local s = ('x'):rep(500000) while true do pcall(function() local y = s .. s end) end",
     MEMORY},
    {"string.format('%s%s%s%s', ('x'):rep(900000), ('x'):rep(900000), 1, 2)", NULL},
    {"(('x'):rep(1000)):gsub('x', ('y'):rep(10000))", NULL},
    {"local t = {} for i = 1, 1e6 do t[i] = i end table.concat(t)", NULL},
    {"local t = {} for i = 1, 5000 do t[i] = ('x'):rep(100) end while true do table.concat(t) end",
     NULL},
    {"table.unpack({}, 1, 1e6)", NULL},
    {"table.unpack({}, 1, 1e9)", NULL},
    {"string.char(table.unpack({}, 1, 1e5))", NULL},
    {"select(-1, table.unpack({}, 1, 1e5))", NULL},
    {"local function f() return 1 + f() end f()", NULL},
    {"local function f() local ok = pcall(f) return ok end while true do f() end", NULL},
    {"local t = {} t.t = setmetatable(t, {__index = t}) local x = t.none", NULL},
    {"local function f(...) return f(1, ...) end f()", NULL},
    {"local e = event.Added { Item = { Id = ('x'):rep(1e6) } } error(e)", NULL},
    {"error(('x'):rep(1e6))", NULL},
    {"error(setmetatable({}, {__tostring = function() error('again') end}))", NULL},
    {"error(setmetatable({}, {__tostring = function() return nil end}))", NULL},
    {"error(nil)", NULL},
    {"string.rep()", NULL},
    {"('x'):rep(-1, 5, 7)('call')", NULL},
};

static void a_handler_is_stopped_and_the_next_record_is_handled(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        script_fixture f = {.limits = limits};
        char *text = app_with(hostile[i].body);
        script_open(&f, text, "s");
        for (int round = 0; round < 2; round++) {
            const mr_status status = script_call(&f, MR_DECIDE, "Ping", "{}");
            const bool told =
                hostile[i].message == NULL || strstr(f.err.message, hostile[i].message) != NULL;
            if (status != MR_ERR_HANDLER || !told) {
                print_error("%s: %s\n", hostile[i].body, status == MR_OK ? "OK" : f.err.message);
            }
            assert_int_equal(status, MR_ERR_HANDLER);
            assert_true(told);
            assert_int_equal(f.err.action, MR_ACT_SKIP);
            assert_non_null(f.err.error_class);
            if (hostile[i].message != NULL) {
                assert_string_equal(f.err.error_class, "limit");
            }
            /* The state is usable, and has its memory back. */
            assert_int_equal(script_call(&f, MR_DECIDE, "Add", "{\"Id\":\"i\"}"), MR_OK);
            assert_string_equal(script_event(&f, 0),
                                "{\"Item\":{\"Id\":\"i\",\"Quantity\":1,\"Tags\":[]}}");
        }
        script_close(&f);
        free(text);
    }
}

static void the_line_that_runs_on_is_told(void **state)
{
    (void)state;
    script_fixture f = {.limits = limits};
    char *text = app_with("local x = 1\nwhile true do\n  x = x + 1\nend");
    script_open(&f, text, "s");
    assert_int_equal(script_call(&f, MR_DECIDE, "Ping", "{}"), MR_ERR_HANDLER);
    const char *at = strstr(f.err.message, "app.lua:");
    assert_non_null(at);
    assert_non_null(strstr(f.err.message, "decide Ping (app.lua:"));
    assert_non_null(strstr(f.err.message, "stopped: the call runs longer"));
    script_close(&f);
    free(text);
}

static void loading_is_limited_too(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"while true do end", "app.lua:1: stopped: the call runs longer than the limit of 2000000 "
                              "instructions"},
        {"local t, s = {}, ('x'):rep(10000) for i = 1, 1e9 do t[i] = s .. i end",
         "stopped: the call " MEMORY},
        {"local function f() return 1 + f() end f()", "stopped: the call " MEMORY},
        {"return {}", "app.lua:1: name: is missing"},
        {"return 1", "app.lua must return the app's definition, a table, not a number"},
        {"", "app.lua must return the app's definition, a table, not a nil"},
        {"return setmetatable({}, {__index = function() while true do end end})",
         "app.lua:1: name: is missing"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_fixture f = {.limits = limits};
        assert_int_equal(script_load(&f, rows[i].text), MR_ERR_USAGE);
        assert_string_equal(f.err.message, rows[i].message);
        assert_int_equal(f.err.action, MR_ACT_STOP);
        script_close(&f);
    }
}

/* What goes wrong below the app is not the app's to catch, and comes out as it went in. */
static int fail_below(lua_State *L)
{
    mr_error err;
    (void)mr_error_set(&err, MR_ERR_STORE, "disk on fire");
    err.action = MR_ACT_RETRY;
    err.native = 5;
    return mr_lua_raise(L, &err);
}

static int catch_body(lua_State *L)
{
    const script_files *files = lua_touserdata(L, 1);
    lua_pushcfunction(L, fail_below);
    mr_lua_set_global(L, "f");
    mr_lua_run_file(L, files->directory, "app.lua");
    return 0;
}

static void failures_below_pass_through(void **state)
{
    (void)state;
    static const struct {
        const char *code;
    } rows[] = {
        {"f()"},
        {"pcall(f)"},
        {"xpcall(f, function(m) return m end)"},
        {"local t = {__close = function() error('other') end}\n"
         "local x <close> = setmetatable({}, t) f()"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_files files;
        mr_lua *lua = NULL;
        mr_error err;
        script_files_begin(&files);
        script_files_add(&files, "app.lua", rows[i].code);
        assert_int_equal(mr_lua_new(files.directory, &limits, &lua, &err), MR_OK);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(mr_lua_run(lua, catch_body, &files, 100000, &err), MR_ERR_STORE);
            assert_int_equal(err.action, MR_ACT_RETRY);
            assert_int_equal(err.native, 5);
            assert_non_null(strstr(err.message, "disk on fire"));
        }
        mr_lua_free(lua);
        script_files_end(&files);
    }
}

static void messages_are_text(void **state)
{
    (void)state;
    script_fixture f = {.limits = limits};
    char *text = app_with("error('a\\255b\\1\\0c')");
    script_open(&f, text, "s");
    assert_int_equal(script_call(&f, MR_DECIDE, "Ping", "{}"), MR_ERR_HANDLER);
    assert_non_null(strstr(f.err.message, "app.lua:2: a?b?"));
    script_close(&f);
    free(text);
    text = app_with("error(('\\xc3\\xa9'):rep(600))");
    script_open(&f, text, "s");
    assert_int_equal(script_call(&f, MR_DECIDE, "Ping", "{}"), MR_ERR_HANDLER);
    assert_true(mr_text_is_utf8(mr_bytes_text(f.err.message)));
    script_close(&f);
    free(text);
}

/* The work of a call is counted, not timed: the same call is stopped or not, always. */
static void the_same_work_is_always_allowed(void **state)
{
    (void)state;
    char *text = app_with("for i = 1, 20000 do local x = {i} end\n"
                          "local t = {} for i = 1, 300 do t['k' .. i] = i end\n"
                          "for k, v in pairs(t) do local y = k:upper():find('K%d+') end");
    int64_t least = 0;
    for (int round = 0; round < 3; round++) {
        int64_t low = 1000;
        int64_t high = 10000000;
        while (low < high) {
            const int64_t middle = (low + high) / 2;
            script_fixture f = {.limits = {.instructions = middle}};
            script_open(&f, text, "s");
            /* Another history of the state changes nothing. */
            for (int before = 0; before < round; before++) {
                (void)script_call(&f, MR_DECIDE, "Add", "{\"Id\":\"i\"}");
            }
            if (script_call(&f, MR_DECIDE, "Ping", "{}") == MR_OK) {
                high = middle;
            } else {
                low = middle + 1;
            }
            script_close(&f);
        }
        assert_true(round == 0 || low == least);
        least = low;
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_is_stopped_and_the_next_record_is_handled),
        cmocka_unit_test(the_line_that_runs_on_is_told),
        cmocka_unit_test(loading_is_limited_too),
        cmocka_unit_test(failures_below_pass_through),
        cmocka_unit_test(messages_are_text),
        cmocka_unit_test(the_same_work_is_always_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
