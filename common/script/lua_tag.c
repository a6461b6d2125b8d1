/* Which schema a plain table was made for. */
#include "script/lua_convert.h"

/* The address is the key of the tag in a tagged table's metatable; Lua code cannot make one. */
static const char tag_key[1];

void mr_lua_tag(lua_State *L, int index, const mr_schema *schema)
{
    index = lua_absindex(L, index);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, schema) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)schema);
        lua_rawsetp(L, -2, tag_key);
        lua_pushstring(L, mr_schema_short_name(schema));
        lua_setfield(L, -2, "__name");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, schema);
    }
    (void)lua_setmetatable(L, index);
}

const mr_schema *mr_lua_tag_of(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) {
        return NULL;
    }
    (void)lua_rawgetp(L, -1, tag_key);
    const mr_schema *schema = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return schema;
}
