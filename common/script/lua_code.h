/*
 * Compiled Lua functions, looked at for one thing: which variables outside of themselves they
 * assign. The format is that of lua_dump of Lua 5.4.
 */
#pragma once

#include <stdbool.h>

#include <lua.h>

enum { MR_LUA_UPVALUES_MAX = 256 };

/*
 * Sets assigned[i] when the Lua function at `index`, or a function inside it, assigns its upvalue
 * number i (from 0). Raises when this build of Lua writes another format. Within a protected call.
 */
void mr_lua_assigned(lua_State *L, int index, bool assigned[MR_LUA_UPVALUES_MAX]);
