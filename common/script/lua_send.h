/* send(topic, key, record, options): what transform stages write. */
#pragma once

#include <lua.h>

/* Within a protected call. Adds the global. */
void mr_lua_send_open(lua_State *L);
