/*
 * Goal: a native stage whose object or settings are wrong is refused while the app is loaded, with
 * the place in app.lua; handlers that break their contract are failures of their record. Method:
 * an object for each fault (native/), and the whole message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/definition.h"
#include "core/alloc.h"
#include "kinds.h"
#include "support.h"

#define APP(fields)                                                                                \
    "return { name = 'a', schemas = 'schemas', stages = { s = {\n" fields "\n} } }\n"
#define TRANSFORM(fields) APP("kind = 'transform', from = 'in', to = 'out',\n" fields)
#define OBJECT(name) "native = '" OBJECTS "/" name ".so',"

/* The text without the directory of the objects. */
static char *without_directory(const char *text)
{
    static const char directory[] = OBJECTS "/";
    mr_buf kept = MR_BUF_NULL;
    const char *found;
    while ((found = strstr(text, directory)) != NULL) {
        mr_buf_append(&kept, text, (size_t)(found - text));
        text = found + sizeof(directory) - 1;
    }
    mr_buf_append_text(&kept, text);
    return (char *)kept.data;
}

static const struct {
    const char *app;
    const char *message;
} mistakes[] = {
    {TRANSFORM("native = 5,"),
     "app.lua:3: stages.s.native: must be the file of a shared object, not a number"},
    {TRANSFORM(OBJECT("exprt")),
     "app.lua:3: stages.s.native: there is no file 'exprt.so'; did you mean 'export.so'?"},
    {TRANSFORM(OBJECT("export")),
     "app.lua:3: stages.s.native: 'export.so' exports no mr_native_handlers: see mr/native.h"},
    {TRANSFORM(OBJECT("abi")),
     "app.lua:3: stages.s.native: 'abi.so' is compiled for version 7 of mr/native.h, and this "
     "millrace has version 1: compile it again, with the headers of this one"},
    {TRANSFORM(OBJECT("undefined")),
     "app.lua:3: stages.s.native: undefined.so: undefined symbol: mr_undefined"},
    {TRANSFORM(OBJECT("type")),
     "app.lua:3: stages.s.native: 'type.so': unknown record 'Ad'; did you mean 'Add'?"},
    {TRANSFORM(OBJECT("enum")), "app.lua:3: stages.s.native: 'enum.so': 'Status' is no record"},
    {TRANSFORM(OBJECT("twice")),
     "app.lua:3: stages.s.native: 'twice.so': has two MR_ON of 'shop.Add'"},
    {TRANSFORM(OBJECT("null")),
     "app.lua:3: stages.s.native: 'null.so': has a function without group, type or call"},
    {TRANSFORM(OBJECT("none")),
     "app.lua:3: stages.s.native: 'none.so': has no MR_ON, which transform stages need"},
    {TRANSFORM(OBJECT("decide")),
     "app.lua:3: stages.s.native: 'decide.so': has an MR_DECIDE, which transform stages do not "
     "call"},
    {APP("kind = 'aggregate', from = 'in', to = 'out', state = 'Cart',\n" OBJECT("decide")),
     "app.lua:3: stages.s.native: 'decide.so': has no MR_EVOLVE, which aggregate stages need"},
    {TRANSFORM(OBJECT("right") "\non = { Add = function() end },"),
     "app.lua:4: stages.s.on: a stage's handlers are in app.lua or in `native`, not in both"},
    {TRANSFORM("settings = { width = 1 },\non = { Add = function() end },"),
     "app.lua:3: stages.s.settings: only a stage with `native` has settings"},
    {TRANSFORM(OBJECT("right") "\nsettings = { width = 1 },"),
     "app.lua:4: stages.s.settings: 'right.so' takes none"},
    {TRANSFORM(OBJECT("open")), "app.lua:1: stages.s.settings: is missing: 'open.so' needs width"},
    {TRANSFORM(OBJECT("open") "\nsettings = { widht = 1 },"),
     "app.lua:4: stages.s.settings.widht: unknown field; did you mean 'width'?"},
    {TRANSFORM(OBJECT("open") "\nsettings = {\nwidth = 10 },"),
     "app.lua:5: stages.s.settings.width: must be a whole number from 1 to 9"},
    {TRANSFORM(OBJECT("open") "\nsettings = { width = 3 },"),
     "app.lua:1: stage 's': open.so: 3 is too odd"},
    {TRANSFORM(OBJECT("silent")),
     "app.lua:1: stage 's': silent.so: `open` returned 1 and did not say why"},
};

static void mistakes_are_told(void **state)
{
    (void)state;
    size_t n_wrong = 0;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        script_fixture f = {0};
        mr_app *app = NULL;
        (void)script_load(&f, mistakes[i].app); /* makes the files, too */
        const mr_status status =
            mr_definition_load(f.files.directory, &f.limits, mr_kinds, &app, &f.err);
        char *message = without_directory(status == MR_OK ? "OK" : f.err.message);
        if (status != MR_ERR_USAGE || strcmp(message, mistakes[i].message) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", mistakes[i].app, mistakes[i].message,
                        message);
            n_wrong++;
        }
        assert_true(status == MR_OK || f.err.action == MR_ACT_STOP);
        free(message);
        mr_app_free(app);
        script_close(&f);
    }
    assert_int_equal(n_wrong, 0);
}

static void what_is_no_object_is_told(void **state)
{
    (void)state;
    script_fixture f = {0};
    (void)script_load(&f, TRANSFORM("native = 'text.so',"));
    script_files_add(&f.files, "text.so", "text");
    mr_app *app = NULL;
    assert_int_equal(mr_lua_app_load(f.files.directory, &f.limits, &app, &f.err), MR_ERR_USAGE);
    assert_non_null(strstr(f.err.message, "app.lua:3: stages.s.native: "));
    assert_non_null(strstr(f.err.message, "/text.so: "));
    script_close(&f);
}

static void a_right_stage_has_its_types(void **state)
{
    (void)state;
    script_fixture f = {0};
    assert_int_equal(script_load(&f, TRANSFORM(OBJECT("transform"))), MR_OK);
    const mr_stage *stage = mr_app_stage(f.app, "s");
    assert_int_equal(stage->n_handled[MR_ON], 2);
    assert_string_equal(stage->handled[MR_ON][0], "*");
    assert_string_equal(stage->handled[MR_ON][1], "Add");
    assert_int_equal(stage->n_handled[MR_DECIDE], 0);
    script_close(&f);
}

/* ---- Calls ---- */

static void assert_failure(script_fixture *f, mr_status status, const char *error_class,
                           const char *message)
{
    char *actual = without_directory(f->err.message);
    assert_true(status < 0);
    assert_string_equal(actual, message);
    assert_string_equal(f->err.error_class, error_class);
    assert_int_equal(f->err.action, MR_ACT_SKIP);
    free(actual);
}

static void what_is_sent_derives_from_the_input(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(&f, TRANSFORM(OBJECT("transform")), "s");
    assert_int_equal(script_call(&f, MR_ON, "Add", "{\"Quantity\":4}"), MR_OK);
    assert_int_equal(f.n_sent, 2);
    assert_string_equal(f.sent[0].id, "id-1");
    assert_null(f.sent[0].causation);
    assert_string_equal(f.sent[0].json, "{\"Id\":\"\",\"Quantity\":4}");
    assert_string_equal(f.sent[1].id, "id-1/s/1");
    assert_string_equal(f.sent[1].type, "Ping");
    assert_string_equal(f.sent[1].causation, "id-1");
    assert_int_equal(script_call(&f, MR_ON, "Added", "{\"Item\":{\"Id\":\"i\"}}"), MR_OK);
    assert_int_equal(f.n_sent, 1);
    assert_string_equal(f.sent[0].type, "Added");
    script_close(&f);
}

static void a_broken_contract_is_a_failure(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(&f, TRANSFORM(OBJECT("transform")), "s");
    assert_failure(&f, script_call(&f, MR_ON, "Add", "{\"Quantity\":1}"), "handler",
                   "MR_ON Add (transform.so): it returned 1, and no error of that status: only "
                   "MR_OK and failures that are told are returned");
    assert_failure(&f, script_call(&f, MR_ON, "Add", "{\"Quantity\":2}"), "handler",
                   "MR_ON Add (transform.so): it returned -2, and no error of that status: only "
                   "MR_OK and failures that are told are returned");
    assert_failure(&f, script_call(&f, MR_ON, "Add", "{\"Quantity\":3}"), "odd",
                   "MR_ON Add (transform.so): this is odd");
    script_close(&f);
}

static void deciding_changes_nothing_else(void **state)
{
    (void)state;
    script_fixture f = {0};
    script_open(
        &f,
        APP("kind = 'aggregate', from = 'in', to = 'out', state = 'Cart',\n" OBJECT("aggregate")),
        "s");
    assert_int_equal(script_call(&f, MR_DECIDE, "Add", "{}"), MR_OK);
    assert_int_equal(f.decision.n_events, 1);
    assert_failure(&f, script_call(&f, MR_DECIDE, "Add", "{\"Quantity\":3}"), "odd",
                   "MR_DECIDE Add (aggregate.so): this is odd");
    assert_int_equal(f.decision.n_events, 0);
    assert_failure(&f, script_call(&f, MR_DECIDE, "Add", "{\"Quantity\":4}"), "handler",
                   "MR_DECIDE Add (aggregate.so): it changed rows or sent records, which only "
                   "MR_ON may");
    assert_int_equal(script_call(&f, MR_DECIDE, "Ping", "{}"), MR_NOT_FOUND);
    script_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(what_is_no_object_is_told),
        cmocka_unit_test(a_right_stage_has_its_types),
        cmocka_unit_test(what_is_sent_derives_from_the_input),
        cmocka_unit_test(a_broken_contract_is_a_failure),
        cmocka_unit_test(deciding_changes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
