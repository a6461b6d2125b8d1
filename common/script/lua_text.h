/* How values are written for people: the same text in every process, so no addresses. */
#pragma once

#include <lua.h>

/* Pushes the text of the value at `index`: strings and numbers as Lua writes them, typed values as
 * JSON, tables by their __tostring or else as the word "table". May raise. */
void mr_lua_text(lua_State *L, int index);

/* `type` of the sandbox: typed records, arrays and maps are "table". */
const char *mr_lua_type_name(lua_State *L, int index);
