/*
 * Goal: typed values are read and written as tables are, every mistake is told with its path, and
 * no proxy ever shows memory that is not its own any more. Method: rows of handler code that change
 * a state; what becomes of the state, or the error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "support.h"

static const char app_begin[] = "return { name = 'a', schemas = 'schemas', stages = { s = {\n"
                                "kind = 'aggregate', from = 'in', to = 'out', state = 'Cart',\n"
                                "decide = { Ping = function(state, command) end },\n"
                                "evolve = { Added = function(s, e, meta)\n";
static const char app_end[] = "\nreturn s end } } } }\n";

static const char initial[] =
    "{\"Id\":\"c\",\"Items\":[{\"Id\":\"i1\",\"Quantity\":1,\"Tags\":[\"x\",\"y\"]},{\"Id\":\"i2\","
    "\"Quantity\":2},{\"Id\":\"i3\",\"Quantity\":3}],\"Notes\":{\"b\":\"2\",\"a\":\"1\"},"
    "\"Shelves\":"
    "{\"top\":{\"Id\":\"t\",\"Quantity\":9}},\"Numbers\":[3,1,2],\"Main\":{\"Id\":\"m\"},\"Tree\":["
    "{"
    "\"Name\":\"r\",\"Children\":[{\"Name\":\"k\"}]}]}";
static const char event[] = "{\"Item\":{\"Id\":\"e\",\"Quantity\":5,\"Tags\":[\"t\"]}}";

typedef struct row {
    const char *code;
    const char *expected; /* a part of the state's JSON; with a ! first the whole error */
} row;

static void open_with(script_fixture *f, const char *code)
{
    char *text = mr_asprintf("%s%s%s", app_begin, code, app_end);
    script_open(f, text, "s");
    free(text);
    script_set_state(f, initial);
}

static void check_rows(const row *rows, size_t n)
{
    size_t n_wrong = 0;
    for (size_t i = 0; i < n; i++) {
        script_fixture f = {0};
        open_with(&f, rows[i].code);
        const mr_status status = script_call(&f, MR_EVOLVE, "Added", event);
        const bool raises = rows[i].expected[0] == '!';
        const char *actual = status == MR_OK ? script_state(&f) : f.err.message;
        const char *wanted = rows[i].expected + raises;
        if (raises) {
            static const char prefix[] = "evolve Added (app.lua:4): app.lua:5: ";
            if (strncmp(actual, prefix, sizeof(prefix) - 1) == 0) {
                actual += sizeof(prefix) - 1;
            }
        }
        const bool right = raises ? status != MR_OK && strcmp(actual, wanted) == 0
                                  : status == MR_OK && strstr(actual, wanted) != NULL;
        if (!right) {
            print_error("%s\n  expected %s\n  actual   %s\n", rows[i].code, wanted, actual);
        }
        n_wrong += right ? 0 : 1;
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}
#define CHECK(rows) check_rows((rows), sizeof(rows) / sizeof((rows)[0]))

/* Puts the text of an expression where it can be seen. */
#define SHOW(expression) "s.Id = tostring(" expression ")"

static void fields_are_read(void **state)
{
    (void)state;
    static const row rows[] = {
        {SHOW("s.Id .. s.Count .. tostring(s.Open) .. s.Status .. tostring(s.Owner)"),
         "\"Id\":\"c0falseOPENnil\""},
        {SHOW("#s.Items .. s.Items[1].Id .. s.Items[3].Quantity .. tostring(s.Items[4]) .. "
              "tostring(s.Items[0]) .. tostring(s.Items[-1])"),
         "\"Id\":\"3i13nilnilnil\""},
        {SHOW("s.Items[1].Tags[2] .. #s.Items[2].Tags"), "\"Id\":\"y0\""},
        {SHOW("s.Notes.a .. s.Notes['b'] .. tostring(s.Notes.none) .. #s.Notes"),
         "\"Id\":\"12nil2\""},
        {SHOW("s.Shelves.top.Quantity .. s.Main.Id .. s.First.Id"), "\"Id\":\"9m\""},
        {SHOW("s.Tree[1].Children[1].Name .. #s.Tree[1].Children[1].Children"), "\"Id\":\"k0\""},
        {SHOW("math.type(s.Total) .. math.type(s.Ratio) .. s.Hash .. #s.Blob"),
         "\"Id\":\"integerfloat00000\""},
        {SHOW("e.Item.Id .. e.Item.Quantity .. e.Item.Tags[1]"), "\"Id\":\"e5t\""},
        {"local n = '' for i, item in ipairs(s.Items) do n = n .. i .. item.Id end s.Id = n",
         "\"Id\":\"1i12i23i3\""},
        {"local n = '' for k, v in pairs(s.Notes) do n = n .. k .. v end s.Id = n",
         "\"Id\":\"a1b2\""},
        {"local n = '' for k, v in pairs(s.Items[1]) do n = n .. k .. ' ' end s.Id = n",
         "\"Id\":\"Id Quantity Tags \""},
        {"local n = '' for i, v in pairs(s.Numbers) do n = n .. i .. v end s.Id = n",
         "\"Id\":\"132132\""},
        {SHOW("next(s.Notes) .. next(s.Notes, 'a') .. tostring(next(s.Notes, 'b')) .. "
              "next(s.Numbers)"),
         "\"Id\":\"abnil1\""},
        {"local n = 0 for k in pairs(s) do n = n + 1 end s.Count = n", "\"Count\":17"},
        {SHOW("table.concat(s.Numbers, ',') .. select('#', table.unpack(s.Numbers))"),
         "\"Id\":\"3,1,23\""},
        {SHOW("type(s) .. type(s.Items) .. type(s.Notes)"), "\"Id\":\"tabletabletable\""},
        {SHOW("s.Items[2]"),
         "\"Id\":\"{\\\"Id\\\":\\\"i2\\\",\\\"Quantity\\\":2,\\\"Tags\\\":[]}\""},
        {SHOW("tostring(s.Items == s.Items) .. tostring(s.Items[1] == s.Items[1]) .. "
              "tostring(s.Items[1] "
              "== s.Items[2]) .. tostring(s == e) .. tostring(s == 1)"),
         "\"Id\":\"truetruefalsefalsefalse\""},
        {SHOW("rawequal(s.Items, s.Items)"), "\"Id\":\"true\""},
        {SHOW("tostring(getmetatable(s)) .. tostring(pcall(setmetatable, s, {})) .. "
              "tostring(pcall(rawget, "
              "s, 'Id')) .. tostring(pcall(rawset, s, 'Id', 1))"),
         "\"Id\":\"nilfalsefalsefalse\""},
    };
    CHECK(rows);
}

static const row writes[] = {
    {"s.Id = 'x' s.Count = -5 s.Total = 1 << 40 s.Ratio = 1 s.Rate = 0.5 s.Open = true "
     "s.Status = "
     "'CLOSED' s.Hash = 'abcd' s.Blob = '\\255\\0'",
     "\"Count\":-5,\"Total\":1099511627776,\"Ratio\":1,\"Rate\":0.5,\"Open\":true,\"Status\":"
     "\"CLOSED\",\"Hash\":\"abcd\",\"Blob\":\"\\u00ff\\u0000\""},
    {"s.Owner = 'o'", "\"Owner\":\"o\""},
    {"s.Owner = 'o' s.Owner = nil", "\"Owner\":null"},
    {"s.Main = nil", "\"Main\":null"},
    {"s.Main = nil s.Main = {Id = 'n'}", "\"Main\":{\"Id\":\"n\",\"Quantity\":1,\"Tags\":[]}"},
    {"s.Main.Quantity = 4", "\"Main\":{\"Id\":\"m\",\"Quantity\":4,\"Tags\":[]}"},
    {"s.Choice = 7", "\"Choice\":7"},
    {"s.Choice = 'seven'", "\"Choice\":\"seven\""},
    {"s.Choice = {Id = 'l'} s.Choice.Quantity = 2",
     "\"Choice\":{\"Id\":\"l\",\"Quantity\":2,\"Tags\":[]}"},
    {"s.Choice = {Id = 'l'} s.Choice = nil", "\"Choice\":null"},
    {"s.First = {Id = 'f', Quantity = 3, Tags = {'p'}}",
     "\"First\":{\"Id\":\"f\",\"Quantity\":3,\"Tags\":[\"p\"]}"},
    {"s.Items[1].Quantity = 10 s.Items[1].Tags[3] = 'z'",
     "\"Items\":[{\"Id\":\"i1\",\"Quantity\":10,\"Tags\":[\"x\",\"y\",\"z\"]}"},
    {"s.Items[#s.Items + 1] = {Id = 'i4'} s.Items[#s.Items + 1] = e.Item",
     "{\"Id\":\"i4\",\"Quantity\":1,\"Tags\":[]},{\"Id\":\"e\",\"Quantity\":5,\"Tags\":[\"t\"]}"
     "]"},
    {"s.Items[3] = nil s.Items[2] = nil",
     "\"Items\":[{\"Id\":\"i1\",\"Quantity\":1,\"Tags\":[\"x\",\"y\"]}],"},
    {"s.Items = {}", "\"Items\":[],"},
    {"s.Items = {{Id = 'only'}}", "\"Items\":[{\"Id\":\"only\",\"Quantity\":1,\"Tags\":[]}],"},
    {"table.remove(s.Items, 1)", "\"Items\":[{\"Id\":\"i2\""},
    {"local gone = table.remove(s.Items) s.Id = gone.Id .. #s.Items .. #gone.Tags",
     "\"Id\":\"i320\""},
    {"local gone = table.remove(s.Items, 1) s.Items[#s.Items + 1] = gone",
     "{\"Id\":\"i1\",\"Quantity\":1,\"Tags\":[\"x\",\"y\"]}],"},
    {"table.insert(s.Items, 1, {Id = 'i0'})",
     "\"Items\":[{\"Id\":\"i0\",\"Quantity\":1,\"Tags\":[]},"
     "{\"Id\":\"i1\""},
    {"table.insert(s.Numbers, 9)", "\"Numbers\":[3,1,2,9]"},
    {"table.insert(s.Numbers, 2, 9)", "\"Numbers\":[3,9,1,2]"},
    {"table.sort(s.Numbers)", "\"Numbers\":[1,2,3]"},
    {"table.sort(s.Items, function(a, b) return a.Quantity > b.Quantity end)",
     "\"Items\":[{\"Id\":\"i3\",\"Quantity\":3,\"Tags\":[]},{\"Id\":\"i2\",\"Quantity\":2,"
     "\"Tags\":[]},"
     "{\"Id\":\"i1\",\"Quantity\":1,\"Tags\":[\"x\",\"y\"]}]"},
    {"s.Notes.c = '3' s.Notes.a = nil s.Notes.none = nil", "\"Notes\":{\"b\":\"2\",\"c\":\"3\"}"},
    {"s.Notes = {z = 'z', a = 'a'}", "\"Notes\":{\"a\":\"a\",\"z\":\"z\"}"},
    {"s.Shelves.low = e.Item s.Shelves.top.Quantity = 1",
     "\"Shelves\":{\"low\":{\"Id\":\"e\",\"Quantity\":5,\"Tags\":[\"t\"]},\"top\":{\"Id\":"
     "\"t\","
     "\"Quantity\":1,\"Tags\":[]}}"},
    {"for i, item in ipairs(s.Items) do item.Quantity = item.Quantity * 2 end",
     "\"Quantity\":6,\"Tags\":[]}]"},
    {"s.Maybe = {1, 2, 3} s.Maybe[2] = nil", "\"Maybe\":[1,null,3]"},
    {"s.Tree[1].Children[1].Children[1] = {Name = 'deep', Children = {{Name = 'er'}}}",
     "\"Children\":[{\"Name\":\"deep\",\"Children\":[{\"Name\":\"er\",\"Children\":[]}]}]"},
    /* Parts of the same value. */
    {"s.Items[#s.Items + 1] = s.Items[1] s.Items[1].Id = 'changed'",
     "{\"Id\":\"i1\",\"Quantity\":1,\"Tags\":[\"x\",\"y\"]}],"},
    {"s.Tree = s.Tree[1].Children", "\"Tree\":[{\"Name\":\"k\",\"Children\":[]}]"},
    {"s.Tree[1] = s.Tree[1].Children[1]", "\"Tree\":[{\"Name\":\"k\",\"Children\":[]}]"},
    {"s.Main = s.Items[2]", "\"Main\":{\"Id\":\"i2\",\"Quantity\":2,\"Tags\":[]}"},
    {"s.Items = s.Items", "\"Items\":[{\"Id\":\"i1\""},
    {"for i = 1, 1000 do s.Numbers[#s.Numbers + 1] = i end s.Count = #s.Numbers", "\"Count\":1003"},
    {"for i = 1, 1000 do s.Items[#s.Items + 1] = {Id = 'n' .. i} end local n = 0 for _, item "
     "in "
     "ipairs(s.Items) do n = n + item.Quantity end s.Count = n",
     "\"Count\":1006"},
};

static void fields_are_written(void **state)
{
    (void)state;
    CHECK(writes);
}

static const row mistakes[] = {
    {"s.Nmae = 1", "!Cart: there is no field 'Nmae'"},
    {"local x = s.Itms", "!Cart: there is no field 'Itms'; did you mean 'Items'?"},
    {"local x = s.Items[2].Quantiy",
     "!Cart.Items[2]: there is no field 'Quantiy'; did you mean 'Quantity'?"},
    {"local x = s[1]", "!Cart: fields of a record have names, not a number"},
    {"s.Count = 'x'", "!Cart.Count: expected int, got string"},
    {"s.Count = '1'", "!Cart.Count: expected int, got string"},
    {"s.Count = 1.5", "!Cart.Count: expected int, got 1.5, which has no whole value of 64 bits"},
    {"s.Count = 2.0", "\"Count\":2,"},
    {"s.Count = 1 << 31", "!Cart.Count: 2147483648 does not fit an int (32 bits)"},
    {"s.Count = -(1 << 31) - 1", "!Cart.Count: -2147483649 does not fit an int (32 bits)"},
    {"s.Count = -(1 << 31)", "\"Count\":-2147483648,"},
    {"s.Count = nil", "!Cart.Count: expected int, got nil"},
    {"s.Total = 2^63", "!Cart.Total: expected long, got 9.2233720368548e+18, which has no whole "
                       "value of 64 bits"},
    {"s.Total = math.huge", "!Cart.Total: expected long, got inf, which has no whole value of 64 "
                            "bits"},
    {"s.Total = math.maxinteger", "\"Total\":9223372036854775807,"},
    {"s.Ratio = 0/0", "!Cart.Ratio: a double must be a finite number"},
    {"s.Ratio = -math.huge", "!Cart.Ratio: a double must be a finite number"},
    {"s.Ratio = 'x'", "!Cart.Ratio: expected double, got string"},
    {"s.Rate = 1e300", "!Cart.Rate: 1e+300 does not fit a float (32 bits)"},
    {"s.Open = 1", "!Cart.Open: expected boolean, got number"},
    {"s.Open = nil", "!Cart.Open: expected boolean, got nil"},
    {"s.Id = 1", "!Cart.Id: expected string, got number"},
    {"s.Id = '\\255'", "!Cart.Id: a string must be UTF-8"},
    {"s.Id = {}", "!Cart.Id: expected string, got table"},
    {"s.Status = 'CLSED'", "!Cart.Status: 'CLSED' is no Status; did you mean 'CLOSED'?"},
    {"s.Hash = 'abc'", "!Cart.Hash: expected 4 bytes, got 3"},
    {"s.Owner = 1", "!Cart.Owner: expected string, got number"},
    {"s.Choice = true", "!Cart.Choice: a boolean fits no type of the union"},
    {"s.Choice = 1.5", "!Cart.Choice: a number fits no type of the union"},
    {"s.First = nil", "!Cart.First: expected Line, got nil"},
    {"s.First = {}", "!Cart.First.Id: is missing"},
    {"s.First = {Id = 'x', Quantiy = 1}",
     "!Cart.First.Quantiy: Line has no such field; did you mean 'Quantity'?"},
    {"s.First = {Id = 'x', b = 1, a = 2}", "!Cart.First.a: Line has no such field"},
    {"s.First = {Id = 'x', 1}",
     "!Cart.First: expected Line, got a table with a key that is a number"},
    {"s.First = {Id = 'x', Tags = {1}}", "!Cart.First.Tags[1]: expected string, got number"},
    {"s.First = {Id = 'x', Tags = {'a', nil, 'c'}}",
     "!Cart.First.Tags: expected a list, got a table with other keys than 1, 2, 3 without a "
     "hole"},
    {"s.First = {Id = 'x', Tags = {k = 'a'}}", "!Cart.First.Tags: expected a list, got a table "
                                               "with other keys than 1, 2, 3 without a hole"},
    {"s.First = {Id = 'x', Tags = 'a'}", "!Cart.First.Tags: expected a list, got string"},
    {"s.First = s", "!Cart.First: expected Line, got Cart"},
    {"s.First = event.Added {Item = {Id = 'x'}}", "!Cart.First: expected Line, got Added"},
    {"s.Items = s.Tree", "!Cart.Items: expected a list of Line, got one of Node"},
    {"s.Items = s.Notes", "!Cart.Items: expected a list, got a map"},
    {"s.Items[5] = {Id = 'x'}", "!Cart.Items: index 5 is out of range: the list has 3 elements"},
    {"s.Items[0] = {Id = 'x'}", "!Cart.Items: index 0 is out of range: the list has 3 elements"},
    {"s.Items[1] = nil", "!Cart.Items: only the last element can be set to nil; use table.remove"},
    {"s.Items[#s.Items + 1] = {Id = 1}", "!Cart.Items[4].Id: expected string, got number"},
    {"s.Items[2] = {Id = 1}", "!Cart.Items[2].Id: expected string, got number"},
    {"s.Items.x = 1", "!Cart.Items: a list has whole numbers as indexes, not a string"},
    {"local x = s.Items['1']", "!Cart.Items: a list has whole numbers as indexes, not a string"},
    {"local x = s.Items[1.5]", "!Cart.Items: a list has whole numbers as indexes, not a number"},
    {"s.Items[2].Tags[1] = 5", "!Cart.Items[2].Tags[1]: expected string, got number"},
    {"s.Notes[1] = 'x'", "!Cart.Notes: keys of a map are strings, not a number"},
    {"s.Notes['\\255'] = 'x'", "!Cart.Notes: keys of a map are UTF-8"},
    {"s.Notes.k = 1", "!Cart.Notes[\"k\"]: expected string, got number"},
    {"s.Notes = {k = 'v', b = 1, a = 2}", "!Cart.Notes[\"a\"]: expected string, got number"},
    {"s.Notes = {'v'}", "!Cart.Notes: keys of a map are UTF-8 strings, not a number"},
    {"s.Shelves.k = {Id = 'x', Tags = {{}}}",
     "!Cart.Shelves[\"k\"].Tags[1]: expected string, got table"},
    {"e.Item.Quantity = 1", "!Added.Item: it is read-only here"},
    {"e.Item = {Id = 'x'}", "!Added: it is read-only here"},
    {"table.insert(e.Item.Tags, 'x')", "!Added.Item.Tags: it is read-only here"},
    {"table.sort(e.Item.Tags)", "!Added.Item.Tags: it is read-only here"},
    {"table.insert(s.Notes, 'x')", "!Cart.Notes: it is no list"},
    {"table.remove(s.Items, 9)", "!bad argument #2 to 'remove' (position out of bounds)"},
    {"meta.x = 1", "!meta is read-only"},
    {"local x = s + 1", "!attempt to perform arithmetic on a Cart value (local 's')"},
    {"local x = #s", "!attempt to get length of a Cart value (local 's')"},
    {"local x = s < s", "!attempt to compare two Cart values"},
    {"local x = s()", "!attempt to call a Cart value (local 's')"},
    {"local x = 'x' .. s.Items", "!attempt to concatenate a list value (field 'Items')"},
    {"local x = next(s.Items[1], 'Nope')", "!Cart.Items[1]: 'next' with no field of it"},
    {"s.Tree = {{Name = 1}}", "!Cart.Tree[1].Name: expected string, got number"},
    {"local t = {Name = 'x'} t.Children = {t} s.Tree = {t}", NULL},
    {"local t = {} t[1] = t s.Items = t", "!Cart.Items[1].Id: is missing"},
};

static void mistakes_are_told_with_their_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        if (mistakes[i].expected != NULL) {
            check_rows(&mistakes[i], 1);
            continue;
        }
        script_fixture f = {0};
        open_with(&f, mistakes[i].code);
        assert_int_equal(script_call(&f, MR_EVOLVE, "Added", event), MR_ERR_HANDLER);
        assert_non_null(strstr(f.err.message, "tables are nested more than 64 deep"));
        script_close(&f);
    }
}

#define CHANGED "a list or map of this value changed since this part was read; read it again"

static void parts_that_are_gone_are_never_shown(void **state)
{
    (void)state;
    static const row rows[] = {
        /* Growing moves memory, but the place is the same. */
        {"local i = s.Items[1] for n = 1, 100 do s.Items[#s.Items + 1] = {Id = 'n'} end i.Quantity "
         "= 77",
         "{\"Id\":\"i1\",\"Quantity\":77,"},
        {"local t = s.Items[1].Tags for n = 1, 100 do s.Items[#s.Items + 1] = {Id = 'n'} end t[1] "
         "= 'T'",
         "\"Tags\":[\"T\",\"y\"]"},
        {"local items = s.Items table.remove(items, 1) s.Count = #items", "\"Count\":2"},
        {"local i = s.Items[2] table.remove(s.Items, 1) s.Id = i.Id", "!Cart.Items[2]: " CHANGED},
        {"local i = s.Items[3] table.remove(s.Items) s.Id = i.Id", "!Cart.Items[3]: " CHANGED},
        {"local i = s.Items[1] table.insert(s.Items, 1, {Id = 'x'}) s.Id = i.Id",
         "!Cart.Items[1]: " CHANGED},
        {"local i = s.Items[1] table.sort(s.Items, function(a, b) return a.Id > b.Id end) i.Id = "
         "'x'",
         "!Cart.Items[1]: " CHANGED},
        {"local i = s.Items[1] s.Items = {} s.Id = i.Id", "!Cart.Items[1]: " CHANGED},
        {"local m = s.Main s.Main = nil s.Id = m.Id", "!Cart.Main: " CHANGED},
        {"local m = s.Main s.Main = nil s.Main = {Id = 'other'} s.Id = m.Id",
         "!Cart.Main: " CHANGED},
        {"s.Choice = {Id = 'x'} local c = s.Choice s.Choice = 5 s.Id = c.Id",
         "!Cart.Choice: " CHANGED},
        {"local t = s.Shelves.top s.Shelves.a = {Id = 'a'} s.Id = t.Id",
         "!Cart.Shelves[1]: " CHANGED},
        {"local t = s.Shelves.top s.Shelves.top = nil s.Id = t.Id", "!Cart.Shelves[1]: " CHANGED},
        {"local k = s.Tree[1].Children[1] s.Tree = {} s.Id = k.Name",
         "!Cart.Tree[1].Children[1]: " CHANGED},
        /* Records inside are places that stay. */
        {"local f = s.First s.First = {Id = 'new'} s.Id = f.Id", "\"Id\":\"new\""},
        {"local i = s.Items[1] s.Items[1] = {Id = 'new', Tags = {'q'}} s.Id = i.Id",
         "!Cart.Items[1]: " CHANGED},
        {"local i = s.Items[2] s.Owner = 'o' s.Notes.x = 'y' s.Count = 5 s.Id = i.Id",
         "\"Id\":\"i2\""},
        {"for i, item in ipairs(s.Items) do if item.Id == 'i2' then table.remove(s.Items, i) break "
         "end end",
         "\"Items\":[{\"Id\":\"i1\",\"Quantity\":1,\"Tags\":[\"x\",\"y\"]},{\"Id\":\"i3\""},
        {"for i = #s.Items, 1, -1 do if s.Items[i].Quantity ~= 2 then table.remove(s.Items, i) end "
         "end",
         "\"Items\":[{\"Id\":\"i2\",\"Quantity\":2,\"Tags\":[]}]"},
        {"table.sort(s.Items, function(a, b) table.remove(s.Items) return false end)", NULL},
        {"local n = 0 for i, item in ipairs(s.Items) do n = n + 1 if n < 50 then s.Items[#s.Items "
         "+ 1] = "
         "{Id = 'more'} end end s.Count = n",
         "\"Count\":52"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].expected != NULL) {
            check_rows(&rows[i], 1);
            continue;
        }
        script_fixture f = {0};
        open_with(&f, rows[i].code);
        assert_int_equal(script_call(&f, MR_EVOLVE, "Added", event), MR_ERR_HANDLER);
        script_close(&f);
    }
}

static void what_fails_and_is_caught_changes_nothing(void **state)
{
    (void)state;
    static const row rows[] = {
        {"pcall(function() s.First = {Id = 'x', Tags = {1}} end)",
         "\"First\":{\"Id\":\"\",\"Quantity\":1"},
        {"pcall(function() s.Items[#s.Items + 1] = {Id = 'x', Tags = {1}} end) s.Count = #s.Items",
         "\"Count\":3"},
        {"pcall(function() s.Items[1] = {Id = 'x', Tags = {1}} end)", "\"Items\":[{\"Id\":\"i1\""},
        {"pcall(function() s.Items = {{Id = 'x'}, {}} end)", "\"Items\":[{\"Id\":\"i1\""},
        {"pcall(function() s.Shelves.top = {} end)", "\"Shelves\":{\"top\":{\"Id\":\"t\""},
        {"pcall(function() s.Shelves.new = {} end)",
         "\"Shelves\":{\"top\":{\"Id\":\"t\",\"Quantity\":9,"
         "\"Tags\":[]}}"},
        {"pcall(function() s.Main = {} end)", "\"Main\":{\"Id\":\"m\""},
        {"pcall(function() s.Choice = {} end)", "\"Choice\":null"},
        {"pcall(function() s.Count = 'x' end)", "\"Count\":0"},
    };
    CHECK(rows);
}

/* Nothing of one call is there in the next, also where the app tries to keep it. */
static void proxies_end_with_the_call(void **state)
{
    (void)state;
    static const char text[] =
        "return { name = 'a', schemas = 'schemas', stages = { s = {\n"
        "kind = 'aggregate', from = 'in', to = 'out', state = 'Cart',\n"
        "decide = { Ping = function(state, command) end },\n"
        "evolve = { Added = function(s, e)\n"
        "  for i = 1, 300 do local x = s.Items[1].Tags; local y = e.Item.Tags end\n"
        "  s.Count = s.Count + 1\n"
        "  return s end } } } }\n";
    script_fixture f = {0};
    script_open(&f, text, "s");
    script_set_state(&f, initial);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(script_call(&f, MR_EVOLVE, "Added", event), MR_OK);
    }
    assert_non_null(strstr(script_state(&f), "\"Count\":100,"));
    script_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(fields_are_written),
        cmocka_unit_test(mistakes_are_told_with_their_path),
        cmocka_unit_test(parts_that_are_gone_are_never_shown),
        cmocka_unit_test(what_fails_and_is_caught_changes_nothing),
        cmocka_unit_test(proxies_end_with_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
