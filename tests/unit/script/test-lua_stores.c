/*
 * Goal: rows are read, changed, walked in key order and never seen after they are gone; a failing
 * handler changes no row.
 * Method: a project stage over real tables in memory; a handler's code, then the rows.
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
    "return { name = 'a', schemas = 'schemas', stages = { s = { kind = 'project', from = 'in', "
    "stores = "
    "{ lines = { key = 'string', value = 'Line' }, "
    "pairs = { key = { 'string', 'long' }, value = 'Line' }, "
    "carts = { key = 'long', value = 'Cart' } }, on = { Add = function(r, meta, stores)\n";
static const char app_end[] = "\nend } } } }";

static void open_with(script_fixture *f, const char *code)
{
    char *text = mr_asprintf("%s%s%s", app_begin, code, app_end);
    script_open(f, text, "s");
    free(text);
}

/* What the code logs by calling error(text, 0) at its end. */
static const char *run(script_fixture *f, const char *code)
{
    open_with(f, code);
    if (script_call(f, MR_ON, "Add", "{}") == MR_OK) {
        return "OK";
    }
    static const char prefix[] = "on Add (app.lua:1): app.lua:2: ";
    const size_t len = sizeof(prefix) - 1;
    return strncmp(f->err.message, prefix, len) == 0 ? f->err.message + len : f->err.message;
}

#define FILL                                                                                       \
    "for _, k in ipairs {{'b', 1}, {'a', 2}, {'a', -1}, {'a', 10}, {'ab', 0}} do "                 \
    "stores.pairs:put(k[1], k[2], { Id = k[1] .. k[2] }) end "
#define SEEN "local s = '' for row, k1, k2 in "
#define SHOW " do s = s .. row.Id .. '=' .. k1 .. tostring(k2) .. ' ' end error(s, 0)"

static const struct {
    const char *code;
    const char *expected; /* OK or what is raised */
} changes[] = {
    {"error(tostring(stores.lines:get('x')), 0)", "nil"},
    {"error(tostring(stores.lines:edit('x')), 0)", "nil"},
    {"stores.lines:put('x', { Id = 'l' }) error(stores.lines:get('x').Id, 0)", "l"},
    {"local row = stores.lines:put('x', { Id = 'l' }) row.Quantity = 8 "
     "error(stores.lines:get('x').Quantity, 0)",
     "8"},
    {"stores.lines:put('x', { Id = 'l' }) local e = stores.lines:edit('x') e.Tags[1] = 't' "
     "error(stores.lines:get('x').Tags[1], 0)",
     "t"},
    {"stores.lines:put('x', { Id = 'l' }) stores.lines:delete('x') error(tostring("
     "stores.lines:get('x')), 0)",
     "nil"},
    {"stores.lines:delete('none')", "OK"},
    {"stores.lines:put('x', { Id = 'l', Quantity = 4 }) stores.lines:put('y', "
     "stores.lines:get('x')) "
     "error(stores.lines:get('y').Quantity, 0)",
     "4"},
    {"stores.lines:put('x', { Id = 'l', Quantity = 4 }) stores.lines:put('x', "
     "stores.lines:get('x')) "
     "error(stores.lines:get('x').Quantity, 0)",
     "4"},
    {"stores.carts:put(5, { Id = 'c', Items = {{ Id = 'i' }} }) stores.lines:put('x', "
     "stores.carts:get(5).Items[1]) error(stores.lines:get('x').Id, 0)",
     "i"},
    /* A proxy of a row is the row as it is now. */
    {"stores.lines:put('x', { Id = 'old' }) local a = stores.lines:get('x') local b = "
     "stores.lines:edit('x') b.Id = 'new' error(a.Id .. b.Id, 0)",
     "newnew"},
    {"stores.lines:put('x', { Id = 'old' }) local a = stores.lines:get('x') "
     "stores.lines:put('x', { "
     "Id = 'new' }) error(a.Id, 0)",
     "new"},
    {"stores.lines:put('x', { Id = 'old' }) local a = stores.lines:get('x') "
     "stores.lines:delete('x') "
     "error(a.Id, 0)",
     "a Line was used after its row was deleted"},
    {"stores.lines:put('x', { Id = 'old' }) local a = stores.lines:get('x') "
     "stores.lines:delete('x') "
     "stores.lines:put('x', { Id = 'new' }) error(a.Id, 0)",
     "a Line was used after its row was deleted"},
    {"stores.carts:put(5, { Items = {{ Id = 'i' }} }) local i = stores.carts:get(5).Items[1] "
     "stores.carts:put(5, {}) error(i.Id, 0)",
     "Cart.Items[1]: a list or map of this value changed since this part was read; read it "
     "again"},
    {"stores.carts:put(5, { Items = {{ Id = 'i' }} }) local i = stores.carts:get(5).Items[1] "
     "local e "
     "= stores.carts:edit(5) e.Items[2] = { Id = 'j' } error(i.Id, 0)",
     "i"},
    {"stores.lines:put('x', { Id = 'l' }) stores.lines:get('x').Id = 'y'",
     "Line: it is read-only here"},
    {"stores.lines:put('x', { Id = 1 })", "Line.Id: expected string, got number"},
    {"stores.lines:put('x', { Id = 'old' }) pcall(stores.lines.put, stores.lines, 'x', { Id = "
     "'n', "
     "Tags = 5 }) error(stores.lines:get('x').Id, 0)",
     "old"},
    {"stores.lines:put('x', nil)", "Line: expected Line, got nil"},
    {"stores.lines:put('x')", "store 'lines' has keys of 1 parts, not of 0"},
    {"stores.lines:put()", "store 'lines': put takes a key and a row"},
    {"stores.lines:get()", "store 'lines' has keys of 1 parts, not of 0"},
    {"stores.lines:get('a', 'b')", "store 'lines' has keys of 1 parts, not of 2"},
    {"stores.lines:get(1)", "store 'lines': part 1 of the key is a string, not a number"},
    {"stores.pairs:get('a', '1')",
     "store 'pairs': part 2 of the key is a whole number, not a string"},
    {"stores.pairs:get('a', 1.5)",
     "store 'pairs': part 2 of the key is a whole number, not a number"},
    {"stores.pairs:get('a', nil)", "store 'pairs': part 2 of the key is a whole number, not a nil"},
    {"stores.lines.get('x')", "write stores.NAME:get(...), with a colon"},
    {"stores.lnes:get('x')", "stage 's' has no store 'lnes'; did you mean 'lines'?"},
    {"stores.lines:fetch('x')", "stores have no 'fetch'"},
    {"stores.lines:puts('x')", "stores have no 'puts'; did you mean 'put'?"},
    {"stores.lines = 1", "rows are written with put, edit and delete, and stores cannot be set"},
    {"stores.lines.x = 1", "rows are written with put, edit and delete, and stores cannot be set"},
    {"send('out', 'k', r)", "stage 's' does not declare topic 'out' in `to`"},
    {"while true do stores.lines:get('x') end",
     "stopped: the call runs longer than the limit of 1000000 instructions"},
    {"for i = 1, 1e9 do stores.carts:put(i, {}) end", NULL},
};

static void rows_are_read_and_changed(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        script_fixture f = {0};
        const char *actual = run(&f, changes[i].code);
        if (changes[i].expected == NULL ? strcmp(actual, "OK") == 0
                                        : strcmp(actual, changes[i].expected) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", changes[i].code, changes[i].expected,
                        actual);
            n_wrong++;
        }
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

static void rows_are_walked_in_key_order(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        const char *expected;
    } rows[] = {
        {FILL SEEN "stores.pairs:scan()" SHOW, "a-1=a-1 a2=a2 a10=a10 ab0=ab0 b1=b1 "},
        {FILL SEEN "stores.pairs:scan('a')" SHOW, "a-1=a-1 a2=a2 a10=a10 "},
        {FILL SEEN "stores.pairs:scan('a', 2)" SHOW, "a2=a2 "},
        {FILL SEEN "stores.pairs:scan('none')" SHOW, ""},
        {FILL SEEN "stores.pairs:range({'a', 2}, {'ab'})" SHOW, "a2=a2 a10=a10 "},
        {FILL SEEN "stores.pairs:range({'a', 3})" SHOW, "a10=a10 ab0=ab0 b1=b1 "},
        {FILL SEEN "stores.pairs:range({}, {'a', 10})" SHOW, "a-1=a-1 a2=a2 "},
        {FILL SEEN "stores.pairs:range({'b'}, {'a'})" SHOW, ""},
        {FILL SEEN "stores.lines:scan()" SHOW, ""},
        /* Rows changed during the walk. */
        {FILL
         "local s = '' for row, k1, k2 in stores.pairs:scan('a') do s = s .. row.Id .. ' ' "
         "stores.pairs:delete('a', 2) stores.pairs:put('a', 99, { Id = 'new' }) end error(s, 0)",
         "a-1 a10 "},
        {FILL "for row, k1, k2 in stores.pairs:scan() do stores.pairs:edit(k1, k2).Quantity = 7 "
              "end " SEEN "stores.pairs:scan()"
              " do s = s .. row.Quantity end error(s, 0)",
         "77777"},
        {FILL "local first for row in stores.pairs:scan() do first = first or row end "
              "error(first.Id, 0)",
         "a-1"},
        {FILL
         "local n = 0 for a in stores.pairs:scan() do for b in stores.pairs:scan('a') do n = n + 1 "
         "end end error(n, 0)",
         "15"},
        {FILL "for row in stores.pairs:scan() do row.Id = 'x' end", "Line: it is read-only here"},
        {"stores.pairs:scan('a', 1, 2)", "store 'pairs' has keys of 2 parts, not of 3"},
        {"stores.pairs:scan(1)", "store 'pairs': part 1 of the key is a string, not a number"},
        {"stores.pairs:range('a')", "bad argument #1 to 'range' (table expected, got string)"},
        {"stores.pairs:range({1})", "store 'pairs': part 1 of the key is a string, not a number"},
        {"for i = 1, 3000 do stores.pairs:put('x', i, { Id = 'l' }) end for i = 1, 1e9 do local n "
         "= 0 for "
         "row in stores.pairs:scan('x') do n = n + 1 end end",
         "stopped: the call runs longer than the limit of 1000000 instructions"},
    };
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_fixture f = {0};
        const char *actual = run(&f, rows[i].code);
        if (strcmp(actual, rows[i].expected) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", rows[i].code, rows[i].expected,
                        actual);
            n_wrong++;
        }
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

static mr_bytes key_of(mr_buf *key, const char *text)
{
    const mr_key_part part = {.kind = MR_KEY_STRING, .text = mr_bytes_text(text)};
    mr_buf_clear(key);
    mr_key_append(key, &part);
    return mr_buf_bytes(key);
}

static void rows_live_from_record_to_record(void **state)
{
    (void)state;
    script_fixture f = {0};
    mr_buf key = MR_BUF_NULL;
    open_with(
        &f,
        "local row = stores.lines:edit('x') if not row then stores.lines:put('x', { Id = 'n' }) "
        "else row.Quantity = row.Quantity + r.Quantity end "
        "if r.Quantity == 13 then error('no') end");
    assert_int_equal(script_call(&f, MR_ON, "Add", "{\"Quantity\":2}"), MR_OK);
    assert_int_equal(script_call(&f, MR_ON, "Add", "{\"Quantity\":2}"), MR_OK);
    assert_int_equal(script_call(&f, MR_ON, "Add", "{\"Quantity\":13}"), MR_ERR_HANDLER);
    assert_string_equal(script_row(&f, "lines", key_of(&key, "x")),
                        "{\"Id\":\"n\",\"Quantity\":3,\"Tags\":[]}");
    assert_string_equal(script_row(&f, "lines", key_of(&key, "y")), "nothing");
    mr_buf_deinit(&key);
    script_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_and_changed),
        cmocka_unit_test(rows_are_walked_in_key_order),
        cmocka_unit_test(rows_live_from_record_to_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
