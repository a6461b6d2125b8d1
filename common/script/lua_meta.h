/* `meta`, the second or third argument of a handler: what is known of the record beside its value.
 */
#pragma once

#include <lua.h>

/* Pushes the one object of this state; it shows the running call. */
void mr_lua_meta_push(lua_State *L);
/* Makes it; within a protected call, once. */
void mr_lua_meta_open(lua_State *L);
