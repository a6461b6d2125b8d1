/*
 * Compiled Lua functions, looked at before they run: which variables outside of themselves they
 * assign, and which global names they use. The format is that of lua_dump of Lua 5.4.
 */
#pragma once

#include <stdbool.h>

#include <lua.h>

enum { MR_LUA_UPVALUES_MAX = 256 };

/* A place where a global name is read or assigned: ENV.name with a constant name. */
typedef struct mr_lua_global_use {
    const char *name;
    int line;
    bool assigned;
} mr_lua_global_use;

typedef struct mr_lua_code_visitor {
    /* The function, or one inside it, assigns its upvalue number `upvalue` (from 0). */
    void (*assigned)(lua_State *L, void *argument, int upvalue, int line);
    /* A use of the upvalue that is named _ENV, in the order of the code. May raise. */
    void (*global)(lua_State *L, void *argument, const mr_lua_global_use *use);
    void *argument;
} mr_lua_code_visitor;

/* Looks through the Lua function at `index` and all functions inside it. Raises when this build of
 * Lua writes another format. Within a protected call. */
void mr_lua_code_visit(lua_State *L, int index, const mr_lua_code_visitor *visitor);
