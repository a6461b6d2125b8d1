/*
 * Nothing of an app lives from one call to the next.
 *
 * After app.lua has run, every table that a handler can reach is frozen: its content moves to a
 * hidden table, and the visible one answers from there and refuses writes. A function that assigns
 * a local of a file, which would be a memory of its own, is refused at load. What is left reachable
 * cannot change, so a call can depend on its record and on the state only.
 *
 * Frozen tables look like tables: the library functions of the sandbox see through.
 */
#pragma once

#include <stdbool.h>

#include <lua.h>

/* Pushes the table that holds the entries of the table at `index`: itself unless it is frozen. */
void mr_lua_content(lua_State *L, int index);
bool mr_lua_is_frozen(lua_State *L, int index);

/* Freezes everything that can be reached from the table at `index`, itself included. Raises
 * "app.lua:7: ..." for functions that keep memory. */
void mr_lua_freeze(lua_State *L, int index);

/* Pushes a list of the keys of the table at `index` in the fixed order, integers first, then
 * strings bytewise, and returns its stack index. Raises when there are other keys. (lua_order.c) */
int mr_lua_sorted_keys(lua_State *L, int index);
/* The same without other keys. */
int mr_lua_sortable_keys(lua_State *L, int index);

/* setmetatable's view of metatables (lua_metatable.c). */
int mr_lua_setmetatable(lua_State *L);
int mr_lua_getmetatable(lua_State *L);
/* The key under which a hidden metatable keeps the app's own one. */
extern const char mr_lua_origin_key[1];
