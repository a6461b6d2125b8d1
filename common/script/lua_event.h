/*
 * event.Name { ... }, command.Name { ... }, record.Name { ... }: three names for one thing, a plain
 * table that says which schema it is to be checked against; and reject(reason, text).
 */
#pragma once

#include <lua.h>

#include <mr/handler.h>

/* Within a protected call. Adds the globals. */
void mr_lua_event_open(lua_State *L);
/* Raises when app.lua has asked for a name that no schema has. Once the schemas are known. */
void mr_lua_event_check(lua_State *L);

/* What decide returned, from stack index `first` to the top, into the decision. Raises what is
 * wrong with it. */
void mr_lua_decision_read(lua_State *L, int first, mr_decision *decision);
