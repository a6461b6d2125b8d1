/*
 * Goal: nothing that app.lua has made changes afterwards, and what would be wrong in any call is
 * told at load. Method: chunks that return a function; it is called when everything is frozen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evaluation.h"

static void what_app_lua_has_made_does_not_change(void **state)
{
    (void)state;
    static const evaluation_row rows[] = {
        {"x = 1\nreturn function()\n x = 2 end",
         "!app.lua:3: this function assigns the global 'x': handlers keep nothing between calls"},
        {"return function() y = 2 end",
         "!app.lua:1: this function assigns the global 'y': handlers keep nothing between calls"},
        {"x = 1 return function() local e = _ENV e.x = 2 end",
         "!app.lua:1: 'x' cannot be set: what app.lua has made does not change, " KEEP},
        {"return function() local e = _ENV e.y = 2 end",
         "!app.lua:1: 'y' cannot be set: what app.lua has made does not change, " KEEP},
        {"return function() local e = _ENV return e.y end", "!app.lua:1: there is no global 'y'"},
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
         "!app.lua:3: this function assigns 'n', a local outside of it: handlers keep nothing "
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
    };
    EVALUATE(rows, true);
}

static void names_are_looked_at_before_anything_runs(void **state)
{
    (void)state;
    static const evaluation_row rows[] = {
        {"return function(a)\n if a then\n  return tostrin(a) end\n end",
         "!app.lua:3: there is no global 'tostrin'; did you mean 'tostring'?"},
        {"return function()\n return function()\n return xyzzy end end",
         "!app.lua:3: there is no global 'xyzzy'"},
        {"local function f() return\n\n\n os.time() end return function() return f end",
         "!app.lua:4: there is no 'os': " PURE "a replay gives the same"},
        {"local function f(_ENV) return x end return function() return f({x = 7}) end", "7"},
        {"local function f() local _ENV = {x = 7} return (function() return x end)() end return "
         "function() return f() end",
         "7"},
        {"local _ENV = {x = 8} return function() return x end", "8"},
        {"return function() return y end", "!app.lua:1: there is no global 'y'"},
        /* In branches and in functions inside, too. */
        {"return function() return require('m') end",
         "!app.lua:1: require works only while app.lua is loaded: call it at the beginning of the "
         "file"},
    };
    EVALUATE(rows, true);
}

static void frozen_tables_look_like_tables(void **state)
{
    (void)state;
    static const evaluation_row rows[] = {
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
    EVALUATE(rows, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_app_lua_has_made_does_not_change),
        cmocka_unit_test(names_are_looked_at_before_anything_runs),
        cmocka_unit_test(frozen_tables_look_like_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
