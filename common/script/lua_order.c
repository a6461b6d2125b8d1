#include "script/lua_order.h"

#include <stdlib.h>

#include "script/lua_freeze.h"
#include "script/lua_proxy.h"
#include "script/lua_string.h"

/* A key while they are sorted; the table keeps the text alive. */
typedef struct sort_key {
    bool is_text;
    lua_Integer number;
    mr_bytes text;
} sort_key;

static int compare_keys(const void *a, const void *b)
{
    const sort_key *left = a;
    const sort_key *right = b;
    if (left->is_text != right->is_text) {
        return left->is_text ? 1 : -1;
    }
    if (left->is_text) {
        return mr_bytes_compare(left->text, right->text);
    }
    return (left->number > right->number) - (left->number < right->number);
}

static bool is_sortable(lua_State *L, int index)
{
    return lua_isinteger(L, index) || lua_type(L, index) == LUA_TSTRING;
}

/* Reads the key at the top of the stack. */
static sort_key read_key(lua_State *L)
{
    if (lua_isinteger(L, -1)) {
        return (sort_key){.number = lua_tointeger(L, -1)};
    }
    if (!is_sortable(L, -1)) {
        (void)luaL_error(L,
                         "keys of a table that is walked must be whole numbers or strings, not a "
                         "%s: there is no order of others that is the same in every process",
                         luaL_typename(L, -1));
    }
    return (sort_key){.is_text = true, .text = mr_lua_bytes(L, -1)};
}

static size_t count_entries(lua_State *L, int table)
{
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        n++;
    }
    return n;
}

/* Keys that cannot be sorted are an error with `all`, else they are left out. */
static int push_keys(lua_State *L, int table, bool all)
{
    size_t n = count_entries(L, table);
    mr_lua_charge(L, 4 * n);
    sort_key *keys = lua_newuserdatauv(L, (n + 1) * sizeof(*keys), 0);
    const int memory = lua_gettop(L);
    lua_pushnil(L);
    for (n = 0; lua_next(L, table) != 0;) {
        lua_pop(L, 1);
        if (all || is_sortable(L, -1)) {
            keys[n++] = read_key(L);
        }
    }
    qsort(keys, n, sizeof(*keys), compare_keys);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        if (keys[i].is_text) {
            mr_lua_push_bytes(L, keys[i].text);
        } else {
            lua_pushinteger(L, keys[i].number);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_replace(L, memory);
    return memory;
}

int mr_lua_sorted_keys(lua_State *L, int index)
{
    return push_keys(L, lua_absindex(L, index), true);
}

int mr_lua_sortable_keys(lua_State *L, int index)
{
    return push_keys(L, lua_absindex(L, index), false);
}

/* ---- pairs ---- */

/* Upvalues: the list of keys, the position in it. The table is the iterator's state. */
static int step_sorted(lua_State *L)
{
    mr_lua_content(L, 1);
    const int content = lua_gettop(L);
    for (lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)) + 1;; i++) {
        if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL) {
            return 1;
        }
        lua_pushvalue(L, -1);
        if (lua_rawget(L, content) != LUA_TNIL) {
            lua_pushinteger(L, i);
            lua_replace(L, lua_upvalueindex(2));
            return 2;
        }
        lua_pop(L, 2); /* it was removed during the walk */
    }
}

/* Upvalue: how long the list was. */
static int step_dense(lua_State *L)
{
    mr_lua_content(L, 1);
    const lua_Integer n = lua_tointeger(L, lua_upvalueindex(1));
    for (lua_Integer i = lua_tointeger(L, 2) + 1; i <= n; i++) {
        if (lua_rawgeti(L, -1, i) != LUA_TNIL) {
            lua_pushinteger(L, i);
            lua_insert(L, -2);
            return 2;
        }
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    return 1;
}

/* Whether all keys are from 1 to n, so that they can be walked without sorting. Where Lua keeps a
 * key differs between processes, so nothing less than looking at all of them will do; a table of
 * names ends it at the first one. */
static bool is_dense(lua_State *L, int table, lua_Integer n)
{
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > n) {
            lua_pop(L, 1);
            return false;
        }
    }
    mr_lua_charge(L, (size_t)n);
    return true;
}

static int pairs_of_table(lua_State *L)
{
    mr_lua_content(L, 1);
    const int content = lua_gettop(L);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, content);
    if (is_dense(L, content, n)) {
        lua_pushinteger(L, n);
        lua_pushcclosure(L, step_dense, 1);
        lua_pushvalue(L, 1);
        lua_pushinteger(L, 0);
        return 3;
    }
    (void)mr_lua_sorted_keys(L, content);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step_sorted, 2);
    lua_pushvalue(L, 1);
    return 2;
}

int mr_lua_pairs(lua_State *L)
{
    if (mr_lua_proxy_at(L, 1) != NULL) {
        lua_pushcfunction(L, mr_lua_next);
        lua_pushvalue(L, 1);
        return 2;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    return pairs_of_table(L);
}

bool mr_lua_is_iterator(lua_CFunction function)
{
    return function == step_sorted || function == mr_lua_gmatch_step;
}

/* ---- next ---- */

/* The least key above `after` (NULL: the least of all) by looking at all of them: `next` has no
 * memory of where it was. For whole walks there is `pairs`. */
static int push_least_above(lua_State *L, int table, const sort_key *after)
{
    sort_key least = {0};
    bool found = false;
    size_t n = 0;
    lua_pushnil(L);
    const int kept = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        n++;
        const sort_key key = read_key(L);
        if ((after == NULL || compare_keys(&key, after) > 0) &&
            (!found || compare_keys(&key, &least) < 0)) {
            found = true;
            least = key;
            lua_copy(L, -1, kept);
        }
    }
    mr_lua_charge(L, n);
    if (!found) {
        return 1;
    }
    lua_pushvalue(L, kept);
    (void)lua_rawget(L, table);
    return 2;
}

int mr_lua_next(lua_State *L)
{
    lua_settop(L, 2);
    mr_lua_proxy *proxy = mr_lua_proxy_at(L, 1);
    if (proxy != NULL) {
        return mr_lua_proxy_next(L, proxy, 2);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    mr_lua_content(L, 1);
    const int content = lua_gettop(L);
    if (lua_isnil(L, 2)) {
        return push_least_above(L, content, NULL);
    }
    lua_pushvalue(L, 2);
    const sort_key after = read_key(L);
    return push_least_above(L, content, &after);
}
