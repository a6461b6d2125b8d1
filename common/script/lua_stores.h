/* `stores`, the third argument of a project stage's handlers. */
#pragma once

#include <lua.h>

#include <mr/app.h>

/* Within a protected call. Makes the objects for the stage's own stores; the schemas are known. */
void mr_lua_stores_open(lua_State *L, const mr_stage *stage);
/* Pushes the object, nil when the stage has no stores. */
void mr_lua_stores_push(lua_State *L);
