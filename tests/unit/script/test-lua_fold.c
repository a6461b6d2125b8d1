/*
 * Goal: a fold is read completely, runs in the place of a function beside others, and every mistake
 * in one is told with line, stage, field and what was probably meant.
 * Method: one stage with one line of it replaced at a time; the whole message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/fold.h>

#include "core/alloc.h"
#include "support.h"

/* One element a line, so that a row can replace it. */
static const char *const right[] = {
    /*  1 */ "local least = min('Maybe')",
    /*  2 */ "return { name = 'shop', schemas = 'schemas', stages = { view = {",
    /*  3 */ "  kind = 'project', from = 'in', versioned = false,",
    /*  4 */ "  stores = {",
    /*  5 */ "    sums = { key = 'string', value = 'Summary' },",
    /*  6 */ "    days = { key = { 'string', 'long' }, value = 'Summary' } },",
    /*  7 */ "  on = {",
    /*  8 */ "    Measured = fold {",
    /*  9 */ "      into = 'days',",
    /* 10 */ "      key = { 'Sensor', 'Day' },",
    /* 11 */ "      set = {",
    /* 12 */ "        Count = sum('Amount'), Least = least, Mean = max('Weight'),",
    /* 13 */ "        Name = last('Sensor'), Top = top(3, 'Amount'), Peaks = top(2, 'Amount'),",
    /* 14 */ "      },",
    /* 15 */ "    },",
    /* 16 */ "    Ping = fold { into = 'sums', set = { Count = count() } },",
    /* 17 */
    "    Add = function(event, meta, stores) stores.sums:put(event.Id, { Count = "
    "math.max(1, 7), Mean = 0, Name = '', Top = {}, Peaks = {}, Marks = {}, Others = {} "
    "}) end,",
    /* 18 */ "    ['*'] = function(event) end,",
    /* 19 */ "  } } } }",
};
enum { LINES = sizeof(right) / sizeof(right[0]) };

static char *app_with(size_t line, const char *replacement)
{
    return script_lines_with(right, LINES, line, replacement);
}

static void a_right_fold_is_read(void **state)
{
    (void)state;
    script_fixture f = {0};
    char *text = app_with(0, NULL);
    script_open(&f, text, "view");
    const mr_stage *stage = f.stage;
    const mr_schemas *schemas = f.app->schemas;
    assert_int_equal(stage->n_folds, 2);
    assert_int_equal(stage->n_handled[MR_ON], 4);
    assert_string_equal(stage->handled[MR_ON][2], "Measured");
    assert_non_null(mr_stage_fold(stage, mr_schemas_find(schemas, mr_bytes_text("Measured"))));
    assert_non_null(mr_stage_fold(stage, mr_schemas_find(schemas, mr_bytes_text("Ping"))));
    assert_null(mr_stage_fold(stage, mr_schemas_find(schemas, mr_bytes_text("Add"))));
    script_close(&f);
    free(text);
}

/* Through mr_handler_on, which decodes the record and chooses. */
static void process(script_fixture *f, const char *type, const char *json)
{
    f->envelope.type = mr_bytes_text(type);
    f->envelope.content_type = mr_bytes_text("application/json");
    f->record.value = mr_bytes_text(json);
    mr_context_begin(f->context, f->tables, &f->record, &f->envelope);
    if (mr_handler_on(f->handler, f->context, &f->err) != MR_OK ||
        mr_context_apply(f->context, NULL, &f->err) != MR_OK) {
        fail_msg("%s: %s", type, f->err.message);
    }
}

static void folds_run_beside_functions(void **state)
{
    (void)state;
    script_fixture f = {0};
    char *text = app_with(0, NULL);
    script_open(&f, text, "view");
    process(&f, "Measured",
            "{\"Sensor\":\"s\",\"Day\":3,\"Amount\":5,\"Weight\":0.5,\"Maybe\":null}");
    process(&f, "Measured",
            "{\"Sensor\":\"s\",\"Day\":3,\"Amount\":7,\"Weight\":0.25,\"Maybe\":8}");
    process(&f, "Ping", "{}");
    process(&f, "Add", "{\"Id\":\"a\"}");
    process(&f, "Line", "{\"Id\":\"l\"}");
    mr_buf key = MR_BUF_NULL;
    mr_key_append(&key, &(mr_key_part){.text = mr_bytes_text("s")});
    mr_key_append(&key, &(mr_key_part){.kind = MR_KEY_LONG, .number = 3});
    assert_string_equal(script_row(&f, "days", mr_buf_bytes(&key)),
                        "{\"Count\":12,\"Least\":8,\"Mean\":0.5,\"Name\":\"s\",\"Top\":[7,5],"
                        "\"Peaks\":[{\"Sensor\":\"s\",\"Amount\":7},{\"Sensor\":\"s\",\"Amount\":5}"
                        "],\"Marks\":[],\"Others\":[]}");
    mr_buf_clear(&key);
    mr_key_append(&key, &(mr_key_part){.text = mr_bytes_text("cart-1")}); /* the record's */
    assert_non_null(strstr(script_row(&f, "sums", mr_buf_bytes(&key)), "{\"Count\":1,"));
    mr_buf_clear(&key);
    mr_key_append(&key, &(mr_key_part){.text = mr_bytes_text("a")});
    assert_non_null(strstr(script_row(&f, "sums", mr_buf_bytes(&key)), "{\"Count\":7,"));
    mr_buf_deinit(&key);
    script_close(&f);
    free(text);
}

#define FOLD "stages.view.on.Measured"
#define WRONG_SET(line, field, operator, message)                                                  \
    {                                                                                              \
        line, field " = " operator",", "app.lua:" #line ": " FOLD ".set." field ": " message       \
    }

static const struct {
    size_t line;
    const char *replacement;
    const char *message;
} mistakes[] = {
    {9, "", "app.lua:8: " FOLD ".into: is missing"},
    {9, "into = 5,", "app.lua:9: " FOLD ".into: must be the name of a store, not a number"},
    {9, "into = 'dys',",
     "app.lua:9: " FOLD ".into: stage 'view' has no store 'dys'; did you mean 'days'?"},
    {9, "into = 'days', sets = {},",
     "app.lua:9: " FOLD ".sets: unknown field; did you mean 'set'?"},
    {10, "key = 5,",
     "app.lua:10: " FOLD ".key: must be the name of a field or a list of 1 to 8 of them, not a "
     "number"},
    {10, "key = {},",
     "app.lua:10: " FOLD ".key: must be the name of a field or a list of 1 to 8 of them"},
    {10, "key = { 'Sensor', 5 },",
     "app.lua:10: " FOLD ".key: must be the name of a field or a list of 1 to 8 of them, not a "
     "number"},
    {10, "key = 'Sensor',", "app.lua:10: " FOLD ".key: the store has keys of 2 parts, not of 1"},
    {10, "key = { 'Sensr', 'Day' },",
     "app.lua:10: " FOLD ".key: 'Measured' has no field 'Sensr'; did you mean 'Sensor'?"},
    {10, "key = { 'Sensor', 'Sensor' },",
     "app.lua:10: " FOLD ".key: part 2 of the store's key is long, and 'Sensor' of 'Measured' is "
     "string"},
    {10, "key = { 'Day', 'Day' },",
     "app.lua:10: " FOLD ".key: part 1 of the store's key is string, and 'Day' of 'Measured' is "
     "int"},
    {10, "key = { 'Sensor', 'Maybe' },",
     "app.lua:10: " FOLD ".key: 'Maybe' of 'Measured' may be null, and a key may not"},
    {10, "",
     "app.lua:8: " FOLD ": a record's key is one string, and the store's keys are not: name the "
     "fields of 'Measured' that make the row's key"},
    {11, "set = {}, more = {", "app.lua:11: " FOLD ".more: unknown field"},
    {14, "}, set = {}", "app.lua:14: " FOLD ".set: has no field"},
    {14, "}, set = 5", "app.lua:14: " FOLD ".set: must be a table, not a number"},
    WRONG_SET(12, "Coutn", "count()", "'Summary' has no field 'Coutn'; did you mean 'Count'?"),
    WRONG_SET(12, "Count", "count('Amuont')",
              "'Measured' has no field 'Amuont'; did you mean 'Amount'?"),
    WRONG_SET(12, "Count", "'count'",
              "must be count, sum, min, max, last or top of a field, such as sum(\"Amount\"), not "
              "a string"),
    WRONG_SET(12, "Count", "fold {}",
              "must be count, sum, min, max, last or top of a field, such as sum(\"Amount\"), not "
              "a fold"),
    WRONG_SET(12, "Mean", "count()", "count makes long, and 'Mean' of 'Summary' is double"),
    WRONG_SET(12, "Mean", "count('Amount')",
              "count of 'Amount' (long) makes long, and 'Mean' of 'Summary' is double"),
    WRONG_SET(12, "Count", "sum('Sensor')",
              "sum takes int, long, float or double, and 'Sensor' of 'Measured' is string"),
    WRONG_SET(12, "Count", "sum('Weight')",
              "sum of 'Weight' (float) makes double, and 'Count' of 'Summary' is long"),
    WRONG_SET(12, "Mean", "sum('Maybe')",
              "sum of 'Maybe' (long or null) makes long, and 'Mean' of 'Summary' is double"),
    WRONG_SET(12, "Count", "min('Maybe')",
              "'Maybe' of 'Measured' may be null, so 'Count' of 'Summary' must be a union with "
              "null, too"),
    WRONG_SET(13, "Name", "last('Day')",
              "last of 'Day' (int) makes int, and 'Name' of 'Summary' is string"),
    WRONG_SET(12, "Count", "top(3, 'Amount')",
              "top of 'Amount' (long) makes array, and 'Count' of 'Summary' is long"),
    WRONG_SET(13, "Top", "top(3, 'Weight')",
              "'Weight' of 'Measured' is float, and an element of 'Top' is long"),
    WRONG_SET(13, "Peaks", "top(3, 'Day')",
              "the elements of 'Peaks' have no field 'Day', which orders "
              "them"),
    WRONG_SET(12, "Marks", "top(3, 'Amount')",
              "'Maybe' of 'Measured' is long or null, and in the elements of 'Marks' it is long"),
    WRONG_SET(12, "Others", "top(3, 'Amount')",
              "the elements of 'Others' have fields of the event: 'Measured' has no field 'Sensr'; "
              "did you mean 'Sensor'?"),
    /* Where they are declared. */
    {12, "Count = summ('Amount'),", "app.lua:12: there is no global 'summ'; did you mean 'sum'?"},
    {12, "Count = sum(),", "app.lua:12: sum takes the name of a field: sum(\"Amount\")"},
    {12, "Count = count(5),",
     "app.lua:12: count takes nothing or the name of a field: count() or count(\"Amount\")"},
    {12, "Top = top(1001, 'Amount'),",
     "app.lua:12: top takes how many, 1 to 1000, and the name of a field: top(3, \"Amount\")"},
    {12, "Top = top('Amount'),",
     "app.lua:12: top takes how many, 1 to 1000, and the name of a field: top(3, \"Amount\")"},
    {16, "Ping = fold('sums'),",
     "app.lua:16: fold takes a table: fold { into = \"totals\", set = { Sum = sum(\"Amount\") } }"},
    /* Where there can be none. */
    {16, "Pingg = fold {},",
     "app.lua:16: stages.view.on: unknown record 'Pingg'; did you mean 'Ping'?"},
    {16, "Ping = count(),",
     "app.lua:16: stages.view.on.Ping: count stands in `set` of a fold: fold { into = ..., set = { "
     "... } }"},
    {16,
     "['shop.Measured'] = fold { into = 'days', key = { 'Sensor', 'Day' }, set = { Count = count() "
     "} },",
     "app.lua:16: stages.view.on.shop.Measured: records of 'shop.Measured' are handled by "
     "'Measured' already"},
    {18, "['*'] = fold { into = 'sums', set = { Count = count() } },",
     "app.lua:18: stages.view.on.*: a fold takes records of one type: name it"},
    {19, "} }, route = { kind = 'transform', from = 'x', to = 'y', on = {\nPing = fold {} } } } }",
     "app.lua:20: stages.route.on.Ping: a fold changes rows: only `on` of a project stage may have "
     "one"},
    {18, "['*'] = function(event) return max(1, 2) end,",
     "app.lua:18: there is no 'max' in handlers: it declares a fold, while app.lua is loaded"},
};

static void mistakes_are_told(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        script_fixture f = {0};
        char *text = app_with(mistakes[i].line, mistakes[i].replacement);
        const mr_status status = script_load(&f, text);
        if (status != MR_ERR_USAGE || strcmp(f.err.message, mistakes[i].message) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", mistakes[i].replacement,
                        mistakes[i].message, status == MR_OK ? "OK" : f.err.message);
            n_wrong++;
        }
        script_close(&f);
        free(text);
    }
    assert_int_equal(n_wrong, 0);
}

static void an_apps_own_globals_stay(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(&f,
                "function max(a, b) return a > b and a or b end\n"
                "return { name = 'a', schemas = 'schemas', stages = { s = { kind = 'transform', "
                "from = 'in', to = 'out', on = { Add = function(e, m)\n"
                "send('out', tostring(max(2, 1)), e) end } } } }",
                "s");
    assert_int_equal(script_call(&f, MR_ON, "Add", "{}"), MR_OK);
    assert_string_equal(f.sent[0].key, "2");
    script_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_fold_is_read),
        cmocka_unit_test(folds_run_beside_functions),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(an_apps_own_globals_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
