#include "script/lua_app.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "script/lua_definition.h"
#include "script/lua_freeze.h"
#include "script/lua_sandbox.h"

typedef struct load_request {
    mr_app *app;
    mr_lua_lines *lines;
} load_request;

static int load_body(lua_State *L)
{
    const load_request *request = lua_touserdata(L, 1);
    mr_lua_definition_run(L);
    mr_lua_definition_read(L, request->app, request->lines);
    /* The handlers' own states do the same: what is wrong with it is said here already. */
    mr_lua_freeze(L, -1);
    return 0;
}

mr_status mr_lua_app_load(const char *directory, const mr_lua_limits *limits, mr_app **ret_app,
                          mr_error *err)
{
    MR_CLEANUP(mr_app_freep) mr_app *app = mr_alloc_zero(1, sizeof(*app));
    MR_CLEANUP(mr_lua_lines_freep) mr_lua_lines *lines = mr_lua_lines_new(directory);
    MR_CLEANUP(mr_lua_freep) mr_lua *lua = NULL;
    app->directory = mr_strdup(directory);
    MR_TRY(mr_lua_new(directory, limits, &lua, err));
    load_request request = {.app = app, .lines = lines};
    if (mr_lua_run(lua, load_body, &request, lua->limits.instructions * MR_LUA_LOAD_FACTOR, err) !=
        MR_OK) {
        err->status = MR_ERR_USAGE;
        err->action = MR_ACT_STOP;
        err->error_class = NULL;
        return MR_ERR_USAGE;
    }
    *ret_app = MR_STEAL(&app);
    return MR_OK;
}
