/*
 * The names an app can use. Nothing here reaches a clock, randomness, files, other code or memory
 * addresses; what app.lua defines itself is frozen when it has run.
 */
#pragma once

#include <lua.h>

#include "script/lua_state.h"

/* A body for mr_lua_run: makes the environment of a new state. */
int mr_lua_sandbox_open(lua_State *L);

/* Within a protected call. Pushes the environment. */
void mr_lua_push_environment(lua_State *L);
/* Adds a global before app.lua runs; pops the value. */
void mr_lua_set_global(lua_State *L, const char *name);

/* Pushes the message about a global name that there is none of. */
void mr_lua_unknown_global(lua_State *L, const char *name);

/* Loads and runs a file of the directory in the environment, `require` included; pushes what it
 * returned first. */
void mr_lua_run_file(lua_State *L, const char *directory, const char *name);
