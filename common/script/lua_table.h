/* The functions of the `table` table that the sandbox has its own of: they take typed lists too. */
#pragma once

#include <lua.h>

/* Puts insert, remove, move and sort into the table at `index`, over the library's. */
void mr_lua_table_open(lua_State *L, int index);
