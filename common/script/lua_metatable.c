/*
 * setmetatable and getmetatable of the sandbox.
 *
 * What Lua gets as the metatable of a table is a hidden copy of the metamethods in the app's own
 * one. So a metatable cannot become one with __gc or __mode after it was checked: both show when
 * memory is collected, which differs between two runs.
 */
#include <string.h>

#include "script/lua_convert.h"
#include "script/lua_freeze.h"
#include "script/lua_state.h"

const char mr_lua_origin_key[1];
/* In the registry: from metatables to their hidden copies. */
static const char copies_key[1];

/* Pushes the table from metatables to copies; it keeps neither alive. */
static void push_copies(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, copies_key) == LUA_TTABLE) {
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    (void)lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, copies_key);
}

/* Pushes the hidden copy of the metatable at `index`, empty when it is a new one. */
static void push_copy(lua_State *L, int index)
{
    push_copies(L);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        lua_remove(L, -2);
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, mr_lua_origin_key);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    lua_remove(L, -2);
}

/* Copies the metamethods of the table at `from` to the one at `to`. */
static void copy_metamethods(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "__gc") == 0 || strcmp(name, "__mode") == 0) {
            (void)luaL_error(L,
                             "a metatable with '%s' would show when memory is collected, which "
                             "differs between two runs of the same records",
                             name);
        }
        if (strncmp(name, "__", 2) == 0) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, to);
        } else {
            lua_pop(L, 1);
        }
    }
}

static void check_may_change(lua_State *L)
{
    if (mr_lua_is_frozen(L, 1)) {
        (void)luaL_error(L, "the metatable cannot be set: what app.lua has made does not change, "
                            "because handlers keep nothing between calls");
    }
    if (mr_lua_tag_of(L, 1) != NULL) {
        (void)luaL_error(L, "a %s has no metatable of the app's own",
                         mr_schema_short_name(mr_lua_tag_of(L, 1)));
    }
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
        (void)luaL_error(L, "cannot change a protected metatable");
    }
}

int mr_lua_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    lua_settop(L, 2);
    check_may_change(L);
    if (lua_isnil(L, 2)) {
        (void)lua_setmetatable(L, 1);
        return 1;
    }
    mr_lua_content(L, 2);
    push_copy(L, 2);
    copy_metamethods(L, 3, 4);
    (void)lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

/* Only metatables that the app has set itself are seen. */
int mr_lua_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_type(L, 1) != LUA_TTABLE || !lua_getmetatable(L, 1)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushliteral(L, "__metatable");
    if (lua_rawget(L, -2) != LUA_TNIL) {
        return 1;
    }
    (void)lua_rawgetp(L, -2, mr_lua_origin_key);
    return 1;
}
