#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "evaluation.h"
#include "script/lua_freeze.h"
#include "script/lua_sandbox.h"
#include "script/lua_text.h"

static int evaluate_body(lua_State *L)
{
    evaluation *e = lua_touserdata(L, 1);
    mr_lua_run_file(L, e->files.directory, "app.lua");
    if (e->freeze) {
        mr_lua_freeze(L, -1);
        mr_lua_push_environment(L);
        mr_lua_freeze(L, -1);
        lua_pop(L, 1);
        e->lua->loading = false;
        lua_call(L, 0, 1);
    }
    mr_lua_text(L, -1);
    e->text = mr_strdup(lua_tostring(L, -1));
    return 0;
}

mr_status evaluate_file(evaluation *e)
{
    const mr_lua_limits limits = {0};
    assert_int_equal(mr_lua_new(e->files.directory, &limits, &e->lua, &e->err), MR_OK);
    e->lua->loading = true;
    return mr_lua_run(e->lua, evaluate_body, e, 1000000, &e->err);
}

mr_status evaluate(evaluation *e, const char *code)
{
    script_files_begin(&e->files);
    script_files_add(&e->files, "app.lua", code);
    return evaluate_file(e);
}

void evaluation_reset(evaluation *e)
{
    mr_lua_free(e->lua);
    free(e->text);
    e->lua = NULL;
    e->text = NULL;
}

void evaluation_end(evaluation *e)
{
    evaluation_reset(e);
    script_files_end(&e->files);
}

void evaluate_rows(const evaluation_row *rows, size_t n, bool freeze)
{
    size_t n_wrong = 0;
    for (size_t i = 0; i < n; i++) {
        evaluation e = {.freeze = freeze};
        const mr_status status = evaluate(&e, rows[i].code);
        const bool raises = rows[i].expected[0] == '!';
        const char *actual = status == MR_OK ? e.text : e.err.message;
        if (raises != (status != MR_OK) || strcmp(rows[i].expected + raises, actual) != 0) {
            print_error("%s\n  expected %s\n  actual   %s\n", rows[i].code, rows[i].expected,
                        actual);
            n_wrong++;
        }
        evaluation_end(&e);
    }
    assert_int_equal(n_wrong, 0);
}
