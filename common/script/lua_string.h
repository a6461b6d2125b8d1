/* The functions of the `string` table that the sandbox has its own of. */
#pragma once

#include <lua.h>

/* Puts them into the table at `index`, over the library's. */
void mr_lua_string_open(lua_State *L, int index);

/* The iterator of gmatch. */
int mr_lua_gmatch_step(lua_State *L);

/* A closure of this runs a library function, its upvalue, after charging for the length of its
 * first argument. */
int mr_lua_charged(lua_State *L);
