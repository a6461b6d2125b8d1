/*
 * Apps written in Lua: loading a definition, and the handlers of one stage.
 */
#pragma once

#include <mr/app.h>
#include <mr/handler.h>
#include <mr/log.h>

typedef struct mr_lua_limits {
    int64_t instructions; /* of one handler call; 0: 1,000,000 */
    size_t memory_bytes;  /* of one worker's Lua heap; 0: 64 MiB */
    const mr_log *log;    /* where `log(...)` of handlers goes, at debug level; NULL: nowhere */
} mr_lua_limits;

/* Runs app.lua of `directory` in the sandbox and validates everything it declares. MR_ERR_USAGE:
 * "app.lua:12: stages.cart.decide: unknown command 'AddCartItme'; did you mean 'AddCartItem'?" */
mr_status mr_lua_app_load(const char *directory, const mr_lua_limits *limits, mr_app **ret_app,
                          mr_error *err) MR_MUST_USE;

/* A handler object for one stage and one worker: its own Lua state with app.lua loaded again, or
 * what the stage's `native` makes (mr/native.h). */
mr_status mr_lua_handler_new(const mr_stage *stage, const mr_lua_limits *limits,
                             mr_handler **ret_handler, mr_error *err) MR_MUST_USE;
