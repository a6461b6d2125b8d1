#include "script/lua_text.h"

#include <lauxlib.h>

#include "script/lua_proxy.h"

const char *mr_lua_type_name(lua_State *L, int index)
{
    return mr_lua_proxy_at(L, index) != NULL ? "table" : luaL_typename(L, index);
}

static void push_number(lua_State *L, int index)
{
    const lua_Number number = lua_tonumber(L, index);
    if (!lua_isinteger(L, index) && number != number) {
        lua_pushliteral(L, "nan"); /* its sign, which C prints, differs between machines */
        return;
    }
    lua_pushvalue(L, index);
    (void)lua_tostring(L, -1);
}

void mr_lua_text(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        lua_pushvalue(L, index);
        return;
    case LUA_TNUMBER:
        push_number(L, index);
        return;
    case LUA_TNIL:
        lua_pushliteral(L, "nil");
        return;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
        return;
    case LUA_TUSERDATA:
        if (mr_lua_proxy_at(L, index) != NULL) {
            mr_lua_proxy_text(L, index);
            return;
        }
        break;
    case LUA_TTABLE:
        if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
            lua_pushvalue(L, index);
            lua_call(L, 1, 1);
            if (lua_type(L, -1) != LUA_TSTRING) {
                luaL_error(L, "'__tostring' must return a string");
            }
            return;
        }
        break;
    default:
        break;
    }
    lua_pushstring(L, luaL_typename(L, index));
}
