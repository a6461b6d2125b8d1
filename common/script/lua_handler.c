/*
 * The handlers of one stage for one worker: an mr_handler whose logic is in app.lua.
 */
#include <stdlib.h>

#include <mr/fold.h>

#include "core/alloc.h"
#include "core/text.h"
#include "runtime/native.h"
#include "script/lua_convert.h"
#include "script/lua_definition.h"
#include "script/lua_event.h"
#include "script/lua_freeze.h"
#include "script/lua_meta.h"
#include "script/lua_sandbox.h"
#include "script/lua_send.h"
#include "script/lua_session.h"
#include "script/lua_stores.h"

/* The function for one record type. */
typedef struct lua_function {
    const mr_schema *schema; /* NULL: "*", any other type */
    mr_lua_type *type;       /* of the schema; NULL with "*" */
    int ref;                 /* in the registry */
    int line;
    char file[64];
} lua_function;

typedef struct lua_handler {
    mr_handler base;
    mr_lua *lua;
    const mr_stage *stage;
    mr_lua_session session;
    mr_lua_type *state_type; /* NULL: the stage has no state */
    lua_function *functions[MR_HANDLER_GROUPS];
    size_t n_functions[MR_HANDLER_GROUPS];
} lua_handler;

static const mr_handler_ops lua_handler_ops;

static lua_handler *lua_handler_of(mr_handler *handler)
{
    assert(handler->ops == &lua_handler_ops);
    return (lua_handler *)(void *)handler;
}

/* ---- One call ---- */

typedef struct call_request {
    lua_handler *handler;
    const lua_function *function;
    mr_handler_group group;
    mr_call *call;
} call_request;

/* A value that the call may see, as a proxy of `root` where it has parts. */
static void push_value(lua_State *L, mr_lua_root *root, mr_lua_type *type, void *value,
                       bool writable)
{
    while (value != NULL && type->type->kind == MR_TYPE_UNION) {
        const int branch = ((const mr_union *)value)->branch;
        value = mr_union_payload(type->type, value);
        type = mr_lua_type_below(L, type, (size_t)branch);
    }
    if (value == NULL) {
        lua_pushnil(L);
    } else if (mr_lua_is_scalar(type->type)) {
        mr_lua_push_scalar(L, type->type, value);
    } else {
        mr_lua_root_set(root, type, value);
        mr_lua_proxy_push(L, root, writable);
    }
}

static void push_input(lua_State *L, const call_request *request)
{
    const mr_call *call = request->call;
    mr_lua_type *type = request->function->type;
    if (type == NULL) {
        type = mr_lua_type_of(L, mr_schema_type(call->schema));
    }
    push_value(L, &request->handler->session.input, type, (void *)(uintptr_t)call->input, false);
}

static void push_state(lua_State *L, const call_request *request)
{
    const mr_call *call = request->call;
    assert(request->handler->state_type != NULL);
    push_value(L, &request->handler->session.state, request->handler->state_type,
               call->state_exists ? call->state : NULL, request->group == MR_EVOLVE);
}

static void call_on(lua_State *L, const call_request *request)
{
    push_input(L, request);
    mr_lua_meta_push(L);
    mr_lua_stores_push(L);
    lua_call(L, 3, 0);
}

static void call_decide(lua_State *L, const call_request *request)
{
    const int first = lua_gettop(L);
    push_state(L, request);
    push_input(L, request);
    mr_lua_meta_push(L);
    lua_call(L, 3, LUA_MULTRET);
    if (lua_gettop(L) >= first) {
        mr_lua_decision_read(L, first, request->call->decision);
    }
}

static void call_evolve(lua_State *L, const call_request *request)
{
    mr_call *call = request->call;
    push_state(L, request);
    push_input(L, request);
    mr_lua_meta_push(L);
    lua_call(L, 3, 1);
    mr_lua_proxy *proxy = mr_lua_proxy_at(L, -1);
    if (lua_isnil(L, -1)) {
        (void)luaL_error(L, "evolve must return the state; it returned nothing or nil");
    }
    if (proxy != NULL && proxy->root == &request->handler->session.state && proxy->depth == 0) {
        (void)mr_lua_proxy_live(L, proxy); /* changed in place */
        return;
    }
    mr_lua_type *type = request->handler->state_type;
    void *scratch = mr_lua_type_scratch(type);
    const mr_lua_place place = {.field = type->name};
    mr_lua_convert(L, type, scratch, -1, &place);
    mr_value_swap(type->type, call->state, scratch);
    call->state_exists = true;
}

static int call_body(lua_State *L)
{
    const call_request *request = lua_touserdata(L, 1);
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, request->function->ref);
    if (request->group == MR_DECIDE) {
        call_decide(L, request);
    } else if (request->group == MR_EVOLVE) {
        call_evolve(L, request);
    } else {
        call_on(L, request);
    }
    return 0;
}

static const lua_function *find_function(const lua_handler *handler, mr_handler_group group,
                                         const mr_schema *schema)
{
    const lua_function *any = NULL;
    for (size_t i = 0; i < handler->n_functions[group]; i++) {
        const lua_function *function = &handler->functions[group][i];
        if (function->schema == schema) {
            return function;
        }
        any = function->schema == NULL ? function : any;
    }
    return any;
}

/* Messages go into headers and logs: what an app raises may be any bytes, and may have been cut
 * within a character. */
static void make_text(char *message)
{
    const bool is_utf8 = mr_text_is_utf8(mr_bytes_text(message));
    for (char *c = message; *c != '\0'; c++) {
        const bool is_control = (*c >= 0 && *c < ' ' && *c != '\n') || *c == 127;
        if (is_control || (!is_utf8 && (*c & 0x80) != 0)) {
            *c = '?';
        }
    }
}

static mr_status lua_handler_call(mr_handler *base, mr_handler_group group, mr_call *call,
                                  mr_error *err)
{
    static const char *const group_names[] = {
        [MR_ON] = "on", [MR_DECIDE] = "decide", [MR_EVOLVE] = "evolve"};
    lua_handler *handler = lua_handler_of(base);
    mr_lua_session *session = &handler->session;
    call_request request = {.handler = handler, .group = group, .call = call};
    request.function = find_function(handler, group, call->schema);
    if (request.function == NULL) {
        return MR_NOT_FOUND;
    }
    session->call = call;
    session->group = group;
    session->call_number++;
    const mr_status status =
        mr_lua_run(handler->lua, call_body, &request, handler->lua->limits.instructions, err);
    session->call = NULL;
    mr_lua_root_end(&session->input, NULL);
    mr_lua_root_end(&session->state, NULL);
    mr_lua_rows_clear(&session->rows);
    if (status != MR_OK) {
        if (group == MR_DECIDE) {
            mr_decision_clear(call->decision);
        }
        (void)mr_error_prefix(err, "%s %s (%s:%d)", group_names[group],
                              mr_schema_short_name(call->schema), request.function->file,
                              request.function->line);
        make_text(err->message);
        return status;
    }
    return MR_OK;
}

static void lua_handler_free(mr_handler *base)
{
    lua_handler *handler = lua_handler_of(base);
    mr_lua_free(handler->lua);
    mr_lua_rows_deinit(&handler->session.rows);
    mr_buf_deinit(&handler->session.key);
    mr_buf_deinit(&handler->session.to);
    mr_buf_deinit(&handler->session.found);
    for (size_t i = 0; i < MR_HANDLER_GROUPS; i++) {
        free(handler->functions[i]);
    }
    free(handler);
}

/* ---- Making ---- */

/* The function on top of the stack, which is popped. */
static void keep_function(lua_State *L, const mr_stage *stage, const char *name,
                          lua_function *function)
{
    lua_Debug info;
    lua_pushvalue(L, -1);
    (void)lua_getinfo(L, ">S", &info);
    function->line = info.linedefined;
    (void)snprintf(function->file, sizeof(function->file), "%s", info.short_src);
    if (strcmp(name, "*") != 0) {
        function->schema = mr_schemas_find(stage->app->schemas, mr_bytes_text(name));
        assert(function->schema != NULL);
        function->type = mr_lua_type_of(L, mr_schema_type(function->schema));
    }
    function->ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

static bool is_folded(const mr_stage *stage, const char *name)
{
    const mr_schema *schema = mr_schemas_find(stage->app->schemas, mr_bytes_text(name));
    return schema != NULL && mr_stage_fold(stage, schema) != NULL;
}

/* The stage's table is at the top of the stack. */
static void keep_functions(lua_State *L, lua_handler *handler)
{
    const mr_stage *stage = handler->stage;
    const int table = lua_gettop(L);
    for (int group = 0; group < MR_HANDLER_GROUPS; group++) {
        const size_t n = stage->n_handled[group];
        handler->functions[group] = mr_alloc_zero(n, sizeof(lua_function));
        for (size_t i = 0; i < n; i++) {
            const char *name = stage->handled[group][i];
            if (is_folded(stage, name)) {
                continue;
            }
            (void)lua_getfield(L, table, mr_lua_group_names[group]);
            if (!lua_istable(L, -1) || lua_getfield(L, -1, name) != LUA_TFUNCTION) {
                (void)luaL_error(L,
                                 "app.lua has changed since it was loaded: stage '%s' no longer "
                                 "has %s.%s",
                                 stage->name, mr_lua_group_names[group], name);
            }
            mr_lua_freeze(L, -1);
            keep_function(L, stage, name,
                          &handler->functions[group][handler->n_functions[group]++]);
            lua_settop(L, table);
        }
    }
}

static int open_handler(lua_State *L)
{
    lua_handler *handler = lua_touserdata(L, 1);
    mr_lua *lua = handler->lua;
    const mr_stage *stage = handler->stage;
    mr_lua_definition_run(L);
    lua->schemas = stage->app->schemas;
    (void)lua_getfield(L, -1, "stages");
    if (!lua_istable(L, -1) || lua_getfield(L, -1, stage->name) != LUA_TTABLE) {
        return luaL_error(L, "app.lua has changed since it was loaded: it has no stage '%s'",
                          stage->name);
    }
    keep_functions(L, handler);
    mr_lua_push_environment(L);
    mr_lua_freeze(L, -1);
    mr_lua_meta_open(L);
    mr_lua_stores_open(L, stage);
    if (stage->state != NULL) {
        handler->state_type = mr_lua_type_of(L, mr_schema_type(stage->state));
    }
    lua->session = &handler->session;
    return 0;
}

mr_status mr_lua_handler_new(const mr_stage *stage, const mr_lua_limits *limits,
                             mr_handler **ret_handler, mr_error *err)
{
    if (stage->native != NULL) {
        return mr_native_handler_new(stage, ret_handler, err);
    }
    lua_handler *handler = mr_alloc_zero(1, sizeof(*handler));
    handler->base.ops = &lua_handler_ops;
    handler->stage = stage;
    handler->session.stage = stage;
    mr_status status = mr_lua_new(stage->app->directory, limits, &handler->lua, err);
    if (status == MR_OK) {
        status = mr_lua_run(handler->lua, open_handler, handler,
                            handler->lua->limits.instructions * MR_LUA_LOAD_FACTOR, err);
    }
    if (status != MR_OK) {
        lua_handler_free(&handler->base);
        err->status = MR_ERR_USAGE;
        err->action = MR_ACT_STOP;
        return MR_ERR_USAGE;
    }
    (void)lua_gc(handler->lua->L, LUA_GCCOLLECT);
    *ret_handler = &handler->base;
    return MR_OK;
}

static const mr_handler_ops lua_handler_ops = {
    .name = "lua",
    .call = lua_handler_call,
    .free = lua_handler_free,
};
