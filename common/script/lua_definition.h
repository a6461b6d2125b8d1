/*
 * From the table that app.lua returns to an mr_app: every field is read by a row of a table, so
 * what a kind of stage knows can be read in one place, and everything is checked before a record
 * is.
 */
#pragma once

#include <lua.h>

#include <mr/app.h>

#include "script/lua_lines.h"

/* "on", "decide", "evolve" */
extern const char *const mr_lua_group_names[MR_HANDLER_GROUPS];

/* Within a protected call, in a new state: runs app.lua and pushes the table that it returns. */
void mr_lua_definition_run(lua_State *L);

/* Reads the definition at the top of the stack into `app`, whose directory is set, and loads its
 * schemas. Raises "app.lua:12: stages.cart.from: is missing". */
void mr_lua_definition_read(lua_State *L, mr_app *app, mr_lua_lines *lines);
