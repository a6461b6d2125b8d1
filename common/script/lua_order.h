/*
 * Walking tables in an order that is the same in every process. Lua's own depends on a seed that
 * each process draws.
 */
#pragma once

#include <stdbool.h>

#include <lua.h>

int mr_lua_pairs(lua_State *L);
int mr_lua_next(lua_State *L);

/* Whether the function holds a position in a table or text. */
bool mr_lua_is_iterator(lua_CFunction function);
