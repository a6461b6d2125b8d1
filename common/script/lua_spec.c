#include "script/lua_spec.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "script/lua_event.h"
#include "script/lua_lines.h"
#include "script/lua_sandbox.h"
#include "script/lua_spec_run.h"

/* A spec may do as much work as this many handler calls. */
enum { SPEC_CALLS = 100 };

/* ---- Handlers: made once for all specs; they keep nothing between calls ---- */

typedef struct handler_pool {
    const mr_app *app;
    const mr_lua_limits *limits;
    mr_handler **handlers; /* one a stage; NULL until needed */
} handler_pool;

typedef struct pooled_handler {
    mr_handler base;
    handler_pool *pool;
    size_t stage;
} pooled_handler;

static mr_status pooled_call(mr_handler *base, mr_handler_group group, mr_call *call, mr_error *err)
{
    pooled_handler *handler = (pooled_handler *)(void *)base;
    mr_handler **real = &handler->pool->handlers[handler->stage];
    if (*real == NULL) {
        MR_TRY(mr_lua_handler_new(&handler->pool->app->stages[handler->stage],
                                  handler->pool->limits, real, err));
    }
    return mr_handler_call(*real, group, call, err);
}

static void pooled_free(mr_handler *base)
{
    free(base);
}

static const mr_handler_ops pooled_handler_ops = {
    .name = "pooled",
    .call = pooled_call,
    .free = pooled_free,
};

static mr_status make_handler(void *argument, const mr_stage *stage, mr_handler **ret_handler,
                              mr_error *err)
{
    (void)err;
    handler_pool *pool = argument;
    pooled_handler *handler = mr_alloc_zero(1, sizeof(*handler));
    handler->base.ops = &pooled_handler_ops;
    handler->pool = pool;
    handler->stage = (size_t)(stage - pool->app->stages);
    *ret_handler = &handler->base;
    return MR_OK;
}

/* ---- The report ---- */

void mr_spec_report_deinit(mr_spec_report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        free(report->results[i].name);
        free(report->results[i].file);
        free(report->results[i].message);
    }
    free(report->results);
    *report = (mr_spec_report){0};
}

static void add_result(mr_spec_report *report, const char *file, int line, const char *name,
                       const char *message)
{
    MR_GROW(report->results, report->capacity, report->n + 1);
    report->results[report->n++] = (mr_spec_result){
        .name = mr_strdup(name),
        .file = mr_strdup(file),
        .line = line,
        .passed = message == NULL,
        .message = message == NULL ? NULL : mr_strdup(message),
    };
    report->n_failed += message == NULL ? 0 : 1;
}

/* ---- One file ---- */

typedef struct spec_file {
    const mr_app *app;
    const mr_kind *const *kinds;
    handler_pool *pool;
    mr_spec_report *report;
    const char *name; /* "tests/cart.lua" */
    mr_lua *lua;
    mr_lua_lines *lines;
    int *refs; /* the specs, in the registry */
    char **names;
    size_t n;
} spec_file;

/* A body for mr_lua_run: runs the file and keeps its specs. */
static int load_body(lua_State *L)
{
    spec_file *file = lua_touserdata(L, 1);
    mr_lua *lua = mr_lua_of(L);
    mr_lua_event_open(L);
    lua->loading = true;
    mr_lua_run_file(L, file->app->directory, file->name);
    if (!lua_istable(L, -1)) {
        return luaL_error(L, "%s must return a list of specs, not a %s", file->name,
                          luaL_typename(L, -1));
    }
    const size_t n = (size_t)lua_rawlen(L, -1);
    file->refs = mr_alloc_zero(n, sizeof(file->refs[0]));
    file->names = mr_alloc_zero(n, sizeof(file->names[0]));
    for (size_t i = 0; i < n; i++) {
        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TTABLE) {
            return luaL_error(L, "%s: spec %d is a %s, not a table", file->name, (int)i + 1,
                              luaL_typename(L, -1));
        }
        if (lua_rawgeti(L, -1, 1) != LUA_TSTRING) {
            return luaL_error(L, "%s: spec %d has no name: its first element is a text", file->name,
                              (int)i + 1);
        }
        file->names[i] = mr_strdup(lua_tostring(L, -1));
        file->n++;
        lua_pop(L, 1);
        file->refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return 0;
}

static mr_status run_spec(spec_file *file, size_t i, mr_error *err)
{
    mr_spec spec = {.L = file->lua->L, .app = file->app};
    MR_TRY(mr_driver_new(file->app, file->kinds, make_handler, file->pool, &spec.driver, err));
    mr_spec_request request = {.spec = &spec, .ref = file->refs[i]};
    const mr_status status = mr_lua_run(file->lua, mr_spec_body, &request,
                                        file->lua->limits.instructions * SPEC_CALLS, err);
    const mr_lua_line root = mr_lua_lines_root(file->lines, file->name);
    const mr_lua_line line = mr_lua_lines_field(file->lines, root, NULL, i + 1);
    add_result(file->report, file->name, line.table >= 0 ? line.line : 0, file->names[i],
               status != MR_OK ? err->message
               : spec.failed   ? mr_buf_text(&spec.message)
                               : NULL);
    mr_spec_deinit(&spec);
    return MR_OK;
}

static mr_status run_specs(spec_file *file, mr_error *err)
{
    for (size_t i = 0; i < file->n; i++) {
        MR_TRY(run_spec(file, i, err));
    }
    return MR_OK;
}

static mr_status run_file(spec_file *file, const mr_lua_limits *limits, mr_error *err)
{
    MR_TRY(mr_lua_new(file->app->directory, limits, &file->lua, err));
    file->lua->schemas = file->app->schemas;
    file->lines = mr_lua_lines_new(file->app->directory);
    mr_status status = MR_OK;
    if (mr_lua_run(file->lua, load_body, file, file->lua->limits.instructions * SPEC_CALLS, err) !=
        MR_OK) {
        add_result(file->report, file->name, 0, file->name, err->message);
    } else {
        status = run_specs(file, err);
    }
    for (size_t i = 0; i < file->n; i++) {
        free(file->names[i]);
    }
    free(file->names);
    free(file->refs);
    mr_lua_lines_free(file->lines);
    mr_lua_free(file->lua);
    return status;
}

/* ---- All files ---- */

static int is_spec(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

mr_status mr_spec_run(const mr_app *app, const mr_kind *const *kinds, const mr_lua_limits *limits,
                      mr_spec_report *ret_report, mr_error *err)
{
    char *directory = mr_asprintf("%s/tests", app->directory);
    struct dirent **entries = NULL;
    const int n = scandir(directory, &entries, is_spec, compare_entries);
    const int native = errno;
    free(directory);
    *ret_report = (mr_spec_report){0};
    if (n < 0 && native != ENOENT) {
        char text[128];
        return mr_error_set(err, MR_ERR_SYSTEM, "read '%s/tests': %s", app->directory,
                            strerror_r(native, text, sizeof(text)));
    }
    handler_pool pool = {.app = app, .limits = limits};
    pool.handlers = mr_alloc_zero(app->n_stages, sizeof(pool.handlers[0]));
    mr_status status = MR_OK;
    for (int i = 0; i < n; i++) {
        char *name = mr_asprintf("tests/%s", entries[i]->d_name);
        spec_file file = {
            .app = app, .kinds = kinds, .pool = &pool, .report = ret_report, .name = name};
        if (status == MR_OK) {
            status = run_file(&file, limits, err);
        }
        free(name);
        free(entries[i]);
    }
    free(entries);
    for (size_t i = 0; i < app->n_stages; i++) {
        mr_handler_free(pool.handlers[i]);
    }
    free(pool.handlers);
    if (status != MR_OK) {
        mr_spec_report_deinit(ret_report);
    }
    return status;
}
