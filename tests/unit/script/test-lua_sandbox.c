/*
 * Goal: what an app can reach is what the sandbox gives, it behaves as the manual says, and nothing
 * of it differs between two processes.
 * Method: rows of Lua code and the text it returns or the error it raises, each in a state of its
 * own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "script/lua_freeze.h"
#include "script/lua_sandbox.h"
#include "script/lua_text.h"
#include "support.h"

typedef struct evaluation {
    script_files files;
    mr_lua *lua;
    mr_error err;
    char *text; /* what the chunk returned, with tostring */
    bool freeze;
} evaluation;

static int evaluate_body(lua_State *L)
{
    evaluation *e = lua_touserdata(L, 1);
    mr_lua_run_file(L, e->files.directory, "app.lua");
    if (e->freeze) {
        /* As after loading: what the chunk returned is called when everything is frozen. */
        mr_lua_freeze(L, -1);
        mr_lua_push_environment(L);
        mr_lua_freeze(L, -1);
        lua_pop(L, 1);
        lua_call(L, 0, 1);
    }
    mr_lua_text(L, -1);
    e->text = mr_strdup(lua_tostring(L, -1));
    return 0;
}

static mr_status evaluate(evaluation *e, const char *code)
{
    const mr_lua_limits limits = {0};
    script_files_begin(&e->files);
    script_files_add(&e->files, "app.lua", code);
    assert_int_equal(mr_lua_new(e->files.directory, &limits, &e->lua, &e->err), MR_OK);
    e->lua->loading = true;
    return mr_lua_run(e->lua, evaluate_body, e, 1000000, &e->err);
}

static void end(evaluation *e)
{
    mr_lua_free(e->lua);
    script_files_end(&e->files);
    free(e->text);
    *e = (evaluation){0};
}

typedef struct row {
    const char *code;
    const char *expected; /* what is returned; with a ! first, what is raised */
} row;

static void check_rows(const row *rows, size_t n, bool freeze)
{
    for (size_t i = 0; i < n; i++) {
        evaluation e = {.freeze = freeze};
        const mr_status status = evaluate(&e, rows[i].code);
        const bool raises = rows[i].expected[0] == '!';
        const char *actual = status == MR_OK ? e.text : e.err.message;
        if (raises != (status != MR_OK) || strcmp(rows[i].expected + raises, actual) != 0) {
            print_error("%s\n", rows[i].code);
        }
        assert_string_equal(actual, rows[i].expected + raises);
        assert_int_equal(status != MR_OK, raises);
        end(&e);
    }
}
#define CHECK(rows, freeze) check_rows((rows), sizeof(rows) / sizeof((rows)[0]), (freeze))

#define PURE "handlers depend on their record and state only, so that "

static void what_is_not_pure_is_not_there(void **state)
{
    (void)state;
    static const row rows[] = {
        {"return os", "!app.lua:1: there is no 'os': " PURE "a replay gives the same"},
        {"return io", "!app.lua:1: there is no 'io': " PURE "a replay gives the same"},
        {"return load", "!app.lua:1: there is no 'load': " PURE "a replay gives the same"},
        {"return dofile", "!app.lua:1: there is no 'dofile': " PURE "a replay gives the same"},
        {"return debug", "!app.lua:1: there is no 'debug': " PURE "a replay gives the same"},
        {"return coroutine",
         "!app.lua:1: there is no 'coroutine': " PURE "a replay gives the same"},
        {"return collectgarbage()",
         "!app.lua:1: there is no 'collectgarbage': " PURE "a replay gives the same"},
        {"return math.random()",
         "!app.lua:1: this function is not there: " PURE "a replay gives the same"},
        {"return string.dump(type)",
         "!app.lua:1: this function is not there: " PURE "a replay gives the same"},
        {"return _G", "!app.lua:1: there is no global '_G'"},
        {"return package", "!app.lua:1: there is no global 'package'"},
        {"return tostrin(1)", "!app.lua:1: there is no global 'tostrin'; did you mean 'tostring'?"},
        {"local x <const> = 1\nprint(x)", "!app.lua:2: there is no print: log(...) writes to the "
                                          "debug log, and `millrace test` shows it"},
        {"return log('x', nil, {}, 1)", "nil"},
        {"return _ENV.os", "!app.lua:1: there is no 'os': " PURE "a replay gives the same"},
        {"\x1bLua", "!app.lua:1: attempt to load a binary chunk (mode is 't')"},
    };
    CHECK(rows, false);
}

static void text_has_no_addresses(void **state)
{
    (void)state;
    static const row rows[] = {
        {"return tostring({})", "table"},
        {"return tostring(print)", "function"},
        {"return tostring(nil) .. tostring(true) .. tostring(1) .. tostring(1.0)", "niltrue11.0"},
        {"return tostring(0/0)", "nan"},
        {"return tostring(-(0/0))", "nan"},
        {"return tostring(setmetatable({}, {__tostring = function() return 'mine' end}))", "mine"},
        {"return tostring(setmetatable({}, {__tostring = function() return 1 end}))",
         "!app.lua:1: '__tostring' must return a string"},
        {"return tostring(setmetatable({}, {__name = 'thing'}))", "table"},
        {"return ('%s %s %d %5.1f %q'):format({}, print, 3, 2.25, 'a\\n')",
         "table function 3   2.2 \"a\\\n\""},
        {"return ('%p'):format({})",
         "!app.lua:1: '%p' writes an address, which differs in every process"},
        {"return ('%10.3s|'):format('abcdef')", "       abc|"},
        {"return ('%%p %s'):format(1)", "%p 1"},
        {"return ('%d'):format('x')",
         "!app.lua:1: bad argument #1 to 'format' (number expected, got string)"},
        {"return error({})", "!app.lua:1: table"},
        {"return error(setmetatable({}, {__tostring = function() return 'e' end}))",
         "!app.lua:1: e"},
        {"return error('x', 0)", "!app.lua:1: x"},
        {"return error('x')", "!app.lua:1: x"},
        {"return error()", "!app.lua:1: nil"},
        {"return {} .. 'x'", "!app.lua:1: attempt to concatenate a table value"},
        {"return type(error) .. type({}) .. type('')", "functiontablestring"},
    };
    CHECK(rows, false);
}

static void tables_are_walked_in_a_fixed_order(void **state)
{
    (void)state;
#define WALK                                                                                       \
    "local s = '' for k, v in pairs(t) do s = s .. k .. '=' .. tostring(v) .. ' ' end return s"
    static const row rows[] = {
        {"local t = {zeta=1, alpha=2, [3]='c', 'a', 'b', [-1]='m', Beta=3} " WALK,
         "-1=m 1=a 2=b 3=c Beta=3 alpha=2 zeta=1 "},
        {"local t = {10, 20, 30} " WALK, "1=10 2=20 3=30 "},
        {"local t = {10, nil, 30} " WALK, "1=10 3=30 "},
        {"local t = {} for i = 1, 5 do t[i] = i end t[2] = nil t[5] = nil " WALK, "1=1 3=3 4=4 "},
        {"local t = {} " WALK, ""},
        {"local t = {[2.0]='x', [1]='y'} " WALK, "1=y 2=x "},
        {"local t = {['a\\0b']=1, ['a\\0a']=2, a=3} local s = '' for k in pairs(t) do s = s .. #k "
         "end return s",
         "133"},
        {"local t = {[true]=1} " WALK, "!app.lua:1: keys of a table that is walked must be whole "
                                       "numbers or strings, not a boolean: there is no order of "
                                       "others that is the same in every process"},
        {"local t = {[1.5]=1} " WALK, "!app.lua:1: keys of a table that is walked must be whole "
                                      "numbers or strings, not a number: there is no order of "
                                      "others that is the same in every process"},
        {"local t = {a=1, b=2, c=3} local s = '' for k in pairs(t) do s = s .. k t[k] = nil t.c = "
         "nil "
         "end return s",
         "ab"},
        {"local t = {1, 2, 3} local s = '' for k in pairs(t) do s = s .. k t[k] = nil end return s",
         "123"},
        {"local t = setmetatable({}, {__pairs = function() return function(_, k) if not k then "
         "return 1, 2 end end, nil, nil end}) " WALK,
         "1=2 "},
        {"local t = {b=1, a=2, 5} local k, v = next(t) local k2 = next(t, k) local k3 = next(t, "
         "k2) "
         "return k .. v .. k2 .. k3 .. tostring(next(t, k3))",
         "15abnil"},
        {"return tostring(next({}))", "nil"},
        {"return pairs(1)", "!app.lua:1: bad argument #1 to 'pairs' (table expected, got number)"},
        {"local s = '' for i, v in ipairs({4, 5, nil, 6}) do s = s .. i .. v end return s", "1425"},
    };
    CHECK(rows, false);
}

static void metatables_are_what_lua_has_but_show_no_collection(void **state)
{
    (void)state;
    static const row rows[] = {
        {"local C = {} C.__index = C function C.f() return 'm' end return setmetatable({}, C).f()",
         "m"},
        {"local C = {} return tostring(getmetatable(setmetatable({}, C)) == C)", "true"},
        {"local t = setmetatable({}, {__add = function(a, b) return 7 end}) return t + 1", "7"},
        {"local t = setmetatable({}, {__call = function(self, x) return x end}) return t(3)", "3"},
        {"local t = setmetatable({}, {__len = function() return 9 end}) return #t", "9"},
        {"local t = setmetatable({}, {__metatable = 'locked'}) return getmetatable(t)", "locked"},
        {"local t = setmetatable({}, {__metatable = 'locked'}) setmetatable(t, nil)",
         "!app.lua:1: cannot change a protected metatable"},
        {"local t = setmetatable({}, {__index = {a = 1}}) setmetatable(t, nil) return "
         "tostring(t.a)",
         "nil"},
        {"setmetatable({}, {__gc = function() end})",
         "!app.lua:1: a metatable with '__gc' would show when memory is collected, which differs "
         "between two runs of the same records"},
        {"setmetatable({}, {__mode = 'k'})",
         "!app.lua:1: a metatable with '__mode' would show when memory is collected, which differs "
         "between two runs of the same records"},
        /* Later than the check: without effect. 400000 tables are more than one collection. */
        {"local mt = {} local t = setmetatable({}, mt) mt.__mode = 'k' t[{}] = 1 for i = 1, 100000 "
         "do "
         "local x = {} end local n = 0 for i = 1, 1 do if rawlen(t) == 0 then n = 1 end end return "
         "n",
         "1"},
        {"return tostring(getmetatable('x'))", "nil"},
        {"return tostring(getmetatable(1)) .. tostring(getmetatable({}))", "nilnil"},
        {"setmetatable('x', {})",
         "!app.lua:1: bad argument #1 to 'setmetatable' (table expected, got string)"},
        {"setmetatable({}, 1)",
         "!app.lua:1: bad argument #2 to 'setmetatable' (nil or table expected, got number)"},
        {"local t = {a = 1} return rawget(t, 'a') .. rawlen({1, 2}) .. tostring(rawequal(t, t)) .. "
         "rawset(t, 'b', 5).b",
         "12true5"},
    };
    CHECK(rows, false);
}

static const row library[] = {
    {"return ('ab'):rep(3, '-') .. ('x'):rep(0) .. ('x'):rep(-1) .. (''):rep(5)", "ab-ab-ab"},
    {"return ('hello world'):find('o w') .. ('hello'):find('l+')", "53"},
    {"return select(2, ('a.b'):find('.', 1, true))", "2"},
    {"return tostring(('abc'):find('b', -1)) .. tostring(('abc'):find('', 10))", "nilnil"},
    {"return table.concat({('key = value'):match('^(%w+)%s*=%s*(%w+)$')}, ',')", "key,value"},
    {"return ('abc'):match('()b()')", "2"},
    {"local s = '' for w in ('one two  three'):gmatch('%a+') do s = s .. w .. '|' end return s",
     "one|two|three|"},
    {"local s = '' for k, v in ('a=1,b=2'):gmatch('(%w+)=(%w+)') do s = s .. k .. v end return "
     "s",
     "a1b2"},
    {"local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n", "4"},
    {"return (('abc'):gsub('', '-'))", "-a-b-c-"},
    {"return ('hello'):gsub('l', 'L')", "heLLo"},
    {"return select(2, ('hello'):gsub('l', 'L', 1))", "1"},
    {"return (('hello world'):gsub('(%w+) (%w+)', '%2 %1 %0 %%'))", "world hello hello world %"},
    {"return (('$x $y'):gsub('%$(%w+)', {x = 1}))", "1 $y"},
    {"return (('abc'):gsub('%w', function(c) if c == 'b' then return c:upper() end end))", "aBc"},
    {"return (('abc'):gsub('^a', 'x'))", "xbc"},
    {"return (('abc'):gsub('b', '%2'))",
     "!app.lua:1: invalid capture index %2 in replacement string"},
    {"return (('abc'):gsub('b', '%'))", "!app.lua:1: invalid use of '%' in replacement string"},
    {"return (('abc'):gsub('b', function() return {} end))",
     "!app.lua:1: invalid replacement value (a table)"},
    {"return ('x'):find('[')", "!app.lua:1: malformed pattern (missing ']')"},
    {"return ('Ab'):upper() .. ('Ab'):lower() .. ('abc'):reverse() .. ('abc'):sub(-2) .. "
     "#'abc'",
     "ABabcbabc3"},
    {"return utf8.len('h\xc3\xa9') .. utf8.char(233) .. utf8.codepoint('\xc3\xa9')", "2\xc3\xa9"
                                                                                     "233"},
    {"local t = {3, 1, 2} table.sort(t) return table.concat(t, ',')", "1,2,3"},
    {"local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return "
     "table.concat(t)",
     "321"},
    {"local t = {'b1', 'a1', 'b2', 'a2'} table.sort(t, function(a, b) return a:sub(1, 1) < "
     "b:sub(1, 1) end) return table.concat(t, ' ')",
     "a1 a2 b1 b2"},
    {"local t = {1, 'a'} table.sort(t)", "!app.lua:1: attempt to compare string with number"},
    /* An order that is none ends too, always the same way. */
    {"local t = {3, 1, 2} table.sort(t, function() return true end) return table.concat(t)", "213"},
    {"local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) return table.concat(t) .. "
     "table.remove(t) .. table.remove(t, 1) .. table.concat(t)",
     "01233012"},
    {"table.insert({}, 3, 1)", "!app.lua:1: bad argument #2 to 'insert' (position out of bounds)"},
    {"table.insert({}, 1, 2, 3)", "!app.lua:1: wrong number of arguments to 'insert'"},
    {"return tostring(table.remove({})) .. tostring(table.remove({}, 0))", "nilnil"},
    {"return table.concat(table.move({1, 2, 3}, 2, 3, 1), ',')", "2,3,3"},
    {"return table.concat(table.move({1, 2, 3}, 1, 2, 2), ',')", "1,1,2"},
    {"return table.concat(table.move({1, 2}, 1, 2, 1, {}), ',') .. select('#', "
     "table.unpack({1, 2}))"
     " .. table.pack(1, nil).n",
     "1,222"},
    {"return math.floor(2.7) .. math.max(1, 5) .. math.type(1) .. math.tointeger(3.0) .. 7 // "
     "2",
     "25integer33"},
    {"return tostring(pcall(error, 'x')) .. tostring(select(2, pcall(error, 'x', 0)))", "falsex"},
    {"return select(2, xpcall(error, function(m) return 'h:' .. m end, 'x', 0))", "h:x"},
    {"return select(2, pcall(function() return 1 end)) .. select('#', pcall(function() return "
     "1, 2 "
     "end))",
     "13"},
    {"local t = {} t[nil] = 1", "!app.lua:1: table index is nil"},
    {"local t t.x = 1", "!app.lua:1: attempt to index a nil value (local 't')"},
    {"return 1 // 0", "!app.lua:1: attempt to divide by zero"},
    {"return ((", "!app.lua:1: unexpected symbol near <eof>"},
};

static void library_functions_do_as_the_manual_says(void **state)
{
    (void)state;
    CHECK(library, false);
}

#define KEEP "because handlers keep nothing between calls"

static void what_app_lua_has_made_does_not_change(void **state)
{
    (void)state;
    static const row rows[] = {
        {"x = 1\nreturn function()\n x = 2 end",
         "!app.lua:3: this function assigns the global 'x': handlers keep nothing between calls"},
        {"return function() y = 2 end",
         "!app.lua:1: this function assigns the global 'y': handlers keep nothing between calls"},
        {"x = 1 return function() local e = _ENV e.x = 2 end",
         "!app.lua:1: 'x' cannot be set: what app.lua has made does not change, " KEEP},
        {"return function() local e = _ENV e.y = 2 end",
         "!app.lua:1: 'y' cannot be set: what app.lua has made does not change, " KEEP},
        {"return function() local e = _ENV return e.y end", "!app.lua:1: there is no global 'y'"},
        /* Names are looked at before anything runs, also in branches and inner functions. */
        {"return function(a)\n if a then\n  return tostrin(a) end\n end",
         "!app.lua:3: there is no global 'tostrin'; did you mean 'tostring'?"},
        {"return function()\n return function()\n return nothing end end",
         "!app.lua:3: there is no global 'nothing'"},
        {"local function f() return\n\n\n os.time() end return function() return f end",
         "!app.lua:4: there is no 'os': " PURE "a replay gives the same"},
        {"local function f(_ENV) return x end return function() return f({x = 7}) end", "7"},
        {"local function f() local _ENV = {x = 7} return (function() return x end)() end return "
         "function() return f() end",
         "7"},
        {"local _ENV = {x = 8} return function() return x end", "8"},
        {"return function() return y end", "!app.lua:1: there is no global 'y'"},
        {"return function() string.rep = nil end",
         "!app.lua:1: 'rep' cannot be set: what app.lua has made does not change, " KEEP},
        {"local t = {a = {b = 1}} return function() t.a.b = 2 end",
         "!app.lua:1: 'b' cannot be set: what app.lua has made does not change, " KEEP},
        {"local t = {} return function() t[1] = 2 end",
         "!app.lua:1: '1' cannot be set: what app.lua has made does not change, " KEEP},
        {"local t = {} return function() rawset(t, 1, 2) end",
         "!app.lua:1: what app.lua has made does not change, " KEEP},
        {"local t = {} return function() table.insert(t, 2) end",
         "!app.lua:1: a list that app.lua has made does not change, " KEEP},
        {"local t = {2, 1} return function() table.sort(t) end",
         "!app.lua:1: a list that app.lua has made does not change, " KEEP},
        {"local t = {} return function() setmetatable(t, {}) end",
         "!app.lua:1: the metatable cannot be set: what app.lua has made does not change, " KEEP},
        {"local mt = {} local t = setmetatable({}, mt) return function() getmetatable(t).__index = "
         "{} "
         "end",
         "!app.lua:1: '__index' cannot be set: what app.lua has made does not change, " KEEP},
        {"local n = 0\nreturn function() n = n + 1 return n end",
         "!app.lua:2: this function assigns 'n', a local outside of it: handlers keep nothing "
         "between "
         "calls"},
        {"local n = 0\nlocal function inc()\n n = n + 1 end\nreturn function() inc() end",
         "!app.lua:2: this function assigns 'n', a local outside of it: handlers keep nothing "
         "between "
         "calls"},
        {"local function counter() local n = 0 return function() n = n + 1 return n end end\n"
         "local c = counter() return function() return c() end",
         "!app.lua:1: this function assigns 'n', a local outside of it: handlers keep nothing "
         "between "
         "calls"},
        {"local n\nreturn function() return (function() n = 1 end)() end",
         "!app.lua:2: this function assigns 'n', a local outside of it: handlers keep nothing "
         "between "
         "calls"},
        {"return function() _ENV = {} end",
         "!app.lua:1: this function assigns '_ENV', a local outside of it: handlers keep nothing "
         "between calls"},
        {"local f = pairs({b = 1}) return function() return f end",
         "!an iterator was kept, which would go on between calls: call pairs or gmatch where it "
         "is used"},
        {"local f = ('a'):gmatch('a') return function() return f end",
         "!an iterator was kept, which would go on between calls: call pairs or gmatch where it "
         "is used"},
        /* Locals of the call itself are its own. */
        {"return function() local n = 0 local function f() n = n + 1 end f() f() return n end",
         "2"},
        {"local n = 0 for i = 1, 3 do n = n + i end return function() return n end", "6"},
        {"return function() local t = {} t.x = 1 t[1] = 2 return t.x + t[1] end", "3"},
        {"return function() return require('m') end",
         "!app.lua:1: require works only while app.lua is loaded: call it at the beginning of the "
         "file"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strstr(rows[i].code, "require") == NULL) {
            check_rows(&rows[i], 1, true);
        }
    }
}

static void frozen_tables_look_like_tables(void **state)
{
    (void)state;
    static const row rows[] = {
        {"local t = {5, 6, 7, k = 'v'} return function() return #t .. t[2] .. t.k .. rawlen(t) .. "
         "rawget(t, 1) .. tostring(t.none) .. type(t) end",
         "36v35niltable"},
        {"local t = {b = 1, a = 2, 9} return function() local s = '' for k, v in pairs(t) do s = s "
         ".. k "
         ".. v end for i, v in ipairs(t) do s = s .. i .. v end return s .. next(t) end",
         "19a2b1191"},
        {"local t = {3, 4} return function() return table.concat(t, ',') .. select('#', "
         "table.unpack(t)) end",
         "3,42"},
        {"local C = {} C.__index = C function C:name() return self.n end local o = setmetatable({n "
         "= "
         "'o'}, C) return function() return o:name() .. tostring(getmetatable(o) == C) end",
         "otrue"},
        {"local C = {} C.__index = C function C:f() return 'f' end return function() return "
         "setmetatable({}, C):f() end",
         "f"},
        {"local B = {b = 'base'} local D = setmetatable({}, {__index = B}) D.__index = D return "
         "function() return setmetatable({}, D).b end",
         "base"},
        /* The function sees the frozen table, not what is hidden in it. */
        {"local t = setmetatable({a = 1}, {__index = function(self, k) self[k] = 1 return 2 end}) "
         "return function() return t.x end",
         "!app.lua:1: 'x' cannot be set: what app.lua has made does not change, " KEEP},
        {"local t = setmetatable({a = 1}, {__index = function(self, k) return k .. self.a end}) "
         "return "
         "function() return t.x .. t.a end",
         "x11"},
        {"local t = setmetatable({}, {__call = function(_, x) return x end, __len = function() "
         "return 4 "
         "end, __tostring = function() return 'T' end, __eq = function() return true end}) return "
         "function() return t(1) .. #t .. tostring(t) end",
         "14T"},
        {"local t = {} t.self = t return function() return tostring(t.self.self == t) end", "true"},
        {"local s = 'x' return function() return s:rep(3) .. ('%d'):format(3) end", "xxx3"},
        {"greeting = 'hi' function greet() return greeting end return function() return greet() "
         "end",
         "hi"},
    };
    CHECK(rows, true);
}

static void files_are_required_once_and_from_the_app_only(void **state)
{
    (void)state;
    evaluation e = {0};
    script_files_begin(&e.files);
    script_files_add(&e.files, "m.lua", "local t = {n = 1} return t");
    script_files_add(&e.files, "loop.lua", "return require('loop')");
    script_files_add(&e.files, "bad.lua", "return (");
    script_files_add(&e.files, "nothing.lua", "local x = 1");
    static const row rows[] = {
        {"return require('m').n .. tostring(require('m') == require('m'))", "1true"},
        {"return tostring(require('nothing'))", "true"},
        {"return require('loop')", "!loop.lua:1: 'loop' requires itself"},
        {"return require('bad')", "!bad.lua:1: unexpected symbol near <eof>"},
        {"return require('../m')", "!app.lua:1: require takes the name of a Lua file in the app's "
                                   "directory: letters, digits, _ and -, not '../m'"},
        {"return require('/etc/passwd')", "!app.lua:1: require takes the name of a Lua file in the "
                                          "app's directory: letters, digits, _ "
                                          "and -, not '/etc/passwd'"},
        {"return require('m.lua')", "!app.lua:1: require takes the name of a Lua file in the app's "
                                    "directory: letters, digits, _ and -, not 'm.lua'"},
        {"return require('')", "!app.lua:1: require takes the name of a Lua file in the app's "
                               "directory: letters, digits, _ and -, not ''"},
        {"return require('m\\0x')", "!app.lua:1: require takes the name of a Lua file in the app's "
                                    "directory: letters, digits, _ and -, not 'm'"},
    };
    const mr_lua_limits limits = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_files_add(&e.files, "app.lua", rows[i].code);
        assert_int_equal(mr_lua_new(e.files.directory, &limits, &e.lua, &e.err), MR_OK);
        e.lua->loading = true;
        const mr_status status = mr_lua_run(e.lua, evaluate_body, &e, 1000000, &e.err);
        const bool raises = rows[i].expected[0] == '!';
        assert_string_equal(status == MR_OK ? e.text : e.err.message, rows[i].expected + raises);
        free(e.text);
        e.text = NULL;
        mr_lua_free(e.lua);
        e.files.n--;
        free(e.files.paths[e.files.n]);
    }
    script_files_add(&e.files, "app.lua", "return require('nosuch')");
    assert_int_equal(mr_lua_new(e.files.directory, &limits, &e.lua, &e.err), MR_OK);
    e.lua->loading = true;
    assert_int_equal(mr_lua_run(e.lua, evaluate_body, &e, 1000000, &e.err), MR_ERR_HANDLER);
    assert_non_null(strstr(e.err.message, "there is no file '"));
    end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_pure_is_not_there),
        cmocka_unit_test(text_has_no_addresses),
        cmocka_unit_test(tables_are_walked_in_a_fixed_order),
        cmocka_unit_test(metatables_are_what_lua_has_but_show_no_collection),
        cmocka_unit_test(library_functions_do_as_the_manual_says),
        cmocka_unit_test(what_app_lua_has_made_does_not_change),
        cmocka_unit_test(frozen_tables_look_like_tables),
        cmocka_unit_test(files_are_required_once_and_from_the_app_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
