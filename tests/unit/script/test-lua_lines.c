/*
 * Goal: a field's line is found however the table is written, and a file that is no Lua harms
 * nothing. Method: sources and paths into what they return; random bytes and cut-off sources (fixed
 * seed).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script/lua_lines.h"
#include "support.h"

typedef struct row {
    const char *source;
    const char *path[4]; /* names; "#2" is the second element */
    int line;            /* negative: not exact, the line around it */
} row;

static mr_lua_line find(mr_lua_lines *lines, const char *const *path)
{
    mr_lua_line at = mr_lua_lines_root(lines, "app.lua");
    for (size_t i = 0; i < 4 && path[i] != NULL; i++) {
        const bool positional = path[i][0] == '#';
        at = mr_lua_lines_field(lines, at, positional ? NULL : path[i],
                                positional ? (size_t)(path[i][1] - '0') : 0);
    }
    return at;
}

static void fields_are_found(void **state)
{
    (void)state;
    static const row rows[] = {
        {"return {\n a = 1,\n b = {\n  c = 2 } }", {"b", "c"}, 4},
        {"return {\n a = 1,\n b = {\n  c = 2 } }", {"a"}, 2},
        {"return {\n a = 1 }", {"none"}, -1},
        {"return {\n ['a'] = 1,\n [\"b c\"] = { x = 1 } }", {"b c", "x"}, 3},
        {"return {\n 'x',\n { y = 1 },\n k = 1,\n 'z' }", {"#2", "y"}, 3},
        {"return {\n 'x',\n { y = 1 },\n k = 1,\n 'z' }", {"#3"}, 5},
        {"local t = {\n a = 1 }\nreturn {\n t = t }", {"t", "a"}, 2},
        {"local t = {\n a = 1 }\nreturn t", {"a"}, 2},
        {"local t\nt = {\n a = 1 }\nreturn { t = t, }", {"t", "a"}, 3},
        {"return {\n t = f {\n  a = 1 } }", {"t", "a"}, 3},
        {"local t = f {\n a = 1 }\nreturn {\n t = t }", {"t", "a"}, 2},
        /* Functions in between, with tables, ends and returns of their own. */
        {"return {\n f = function(a)\n  if a then return { q = 1 } end\n  for i = 1, 2 do local t "
         "= { q = 2 "
         "} end\n  repeat local z = 1 until true\n  while a do a = nil end\n end,\n q = 3 }",
         {"q"},
         8},
        {"local function f()\n return { q = 1 }\nend\nreturn {\n q = 2 }", {"q"}, 5},
        {"function m.f() return 1 end\nreturn {\n q = f { a = 1 },\n r = (function() return { r = "
         "5 } end)(),\n"
         " s = 7 }",
         {"s"},
         5},
        {"return {\n a = x == y,\n b = { 1, 2 },\n c = t[5],\n d = #t }", {"d"}, 5},
        {"return { a = 1; b = 2;\n c = 3 }", {"c"}, 2},
        {"return {\n x == 1, y = 2 }", {"y"}, 2},
        {"return {\n a = 1,\n a = 2 }", {"a"}, 3},
        /* Comments and strings that look like code. */
        {"-- return { q = 1 }\n--[[ return {\n q = 2 } ]]\n--[==[\n ]] return { q = 3 "
         "}\n]==]\nreturn {\n q = 4 "
         "}",
         {"q"},
         8},
        {"local s = 'return { q = 1 }'\nlocal l = [[\nreturn {\n q = 2 }]]\nlocal e = "
         "\"\\\"{\"\nreturn {\n q = "
         "3 }",
         {"q"},
         7},
        {"local s = 'a\\\n{'\nreturn {\n q = 3 }", {"q"}, 4},
        {"return {\n a = require('m'),\n b = 1 }", {"b"}, 3},
        {"return setmetatable({}, {})", {"a"}, -1},
        {"return 5", {"a"}, -1},
        {"", {"a"}, -1},
        {"x = {", {"a"}, -1},
        {"local a = b\nlocal b = a\nreturn a", {"x"}, 0},
        {"local a = a\nreturn { a = a }", {"a", "x"}, 0},
    };
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_files files;
        script_files_begin(&files);
        script_files_add(&files, "app.lua", rows[i].source);
        mr_lua_lines *lines = mr_lua_lines_new(files.directory);
        const mr_lua_line line = find(lines, rows[i].path);
        const int actual = line.exact ? line.line : -line.line;
        if (rows[i].line != 0 && actual != rows[i].line) {
            print_error("%s\n  expected %d, is %d\n", rows[i].source, rows[i].line, actual);
            n_wrong++;
        }
        mr_lua_lines_free(lines);
        script_files_end(&files);
    }
    assert_int_equal(n_wrong, 0);
}

static void other_files_are_followed(void **state)
{
    (void)state;
    script_files files;
    script_files_begin(&files);
    script_files_add(&files, "app.lua",
                     "local m = require(\"m\")\nreturn { m = m, n = require 'n', gone = "
                     "require('gone') }");
    script_files_add(&files, "m.lua", "return {\n x = 1 }");
    script_files_add(&files, "n.lua", "local n = {\n\n y = require('n') }\nreturn n");
    mr_lua_lines *lines = mr_lua_lines_new(files.directory);
    const mr_lua_line m = find(lines, (const char *const[4]){"m", "x"});
    assert_string_equal(m.file, "m.lua");
    assert_int_equal(m.line, 2);
    const mr_lua_line n = find(lines, (const char *const[4]){"n", "y", "y", "y"});
    assert_string_equal(n.file, "n.lua");
    assert_int_equal(n.line, 1);
    const mr_lua_line gone = find(lines, (const char *const[4]){"gone", "x"});
    assert_string_equal(gone.file, "app.lua");
    assert_int_equal(gone.line, 2);
    mr_lua_lines_free(lines);
    script_files_end(&files);
}

static void any_bytes_are_scanned(void **state)
{
    (void)state;
    static const char *const pieces[] = {"{",         "}",    "(",       ")",        "[",
                                         "]",         "[[",   "]]",      "'",        "\"",
                                         "\\",        "--",   "=",       "==",       ",",
                                         ";",         "a",    "return ", "local ",   "\n",
                                         "function ", "end ", "do ",     "require ", "repeat ",
                                         "until ",    "if ",  "[==["};
    uint64_t random = 7;
    for (size_t round = 0; round < 3000; round++) {
        mr_buf text = MR_BUF_NULL;
        random = random * UINT64_C(6364136223846793005) + 1;
        const size_t n = (size_t)(random >> 33) % 40;
        for (size_t i = 0; i < n; i++) {
            random = random * UINT64_C(6364136223846793005) + 1;
            mr_buf_append_text(&text,
                               pieces[(random >> 33) % (sizeof(pieces) / sizeof(pieces[0]))]);
        }
        script_files files;
        script_files_begin(&files);
        script_files_add(&files, "app.lua", mr_buf_text(&text));
        mr_lua_lines *lines = mr_lua_lines_new(files.directory);
        (void)find(lines, (const char *const[4]){"a", "#1", "a", "#2"});
        mr_lua_lines_free(lines);
        script_files_end(&files);
        mr_buf_deinit(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(other_files_are_followed),
        cmocka_unit_test(any_bytes_are_scanned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
