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
#include "evaluation.h"

static void what_is_not_pure_is_not_there(void **state)
{
    (void)state;
    static const evaluation_row rows[] = {
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
    EVALUATE(rows, false);
}

static void text_has_no_addresses(void **state)
{
    (void)state;
    static const evaluation_row rows[] = {
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
    EVALUATE(rows, false);
}

static void tables_are_walked_in_a_fixed_order(void **state)
{
    (void)state;
#define WALK                                                                                       \
    "local s = '' for k, v in pairs(t) do s = s .. k .. '=' .. tostring(v) .. ' ' end return s"
    static const evaluation_row rows[] = {
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
    EVALUATE(rows, false);
}

static void metatables_are_what_lua_has_but_show_no_collection(void **state)
{
    (void)state;
    static const evaluation_row rows[] = {
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
    EVALUATE(rows, false);
}

static const evaluation_row library[] = {
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
    EVALUATE(library, false);
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
    static const evaluation_row rows[] = {
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
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_files_add(&e.files, "app.lua", rows[i].code);
        const mr_status status = evaluate_file(&e);
        const bool raises = rows[i].expected[0] == '!';
        assert_string_equal(status == MR_OK ? e.text : e.err.message, rows[i].expected + raises);
        evaluation_reset(&e);
        free(e.files.paths[--e.files.n]);
    }
    script_files_add(&e.files, "app.lua", "return require('nosuch')");
    assert_int_equal(evaluate_file(&e), MR_ERR_HANDLER);
    assert_non_null(strstr(e.err.message, "there is no file '"));
    evaluation_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_pure_is_not_there),
        cmocka_unit_test(text_has_no_addresses),
        cmocka_unit_test(tables_are_walked_in_a_fixed_order),
        cmocka_unit_test(metatables_are_what_lua_has_but_show_no_collection),
        cmocka_unit_test(library_functions_do_as_the_manual_says),
        cmocka_unit_test(files_are_required_once_and_from_the_app_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
