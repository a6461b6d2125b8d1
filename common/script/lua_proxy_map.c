/* Maps of typed values: m[key], m[key] = v, m[key] = nil. */
#include "core/text.h"
#include "script/lua_convert.h"
#include "script/lua_proxy.h"

static mr_bytes key_of(lua_State *L, const mr_lua_proxy *map)
{
    if (lua_type(L, 2) != LUA_TSTRING) {
        (void)mr_lua_proxy_error(L, map, "keys of a map are strings, not a %s",
                                 luaL_typename(L, 2));
    }
    return mr_lua_bytes(L, 2);
}

int mr_lua_map_index(lua_State *L)
{
    mr_lua_proxy *map = lua_touserdata(L, 1);
    const mr_array *array = mr_lua_proxy_live(L, map);
    const mr_type *type = map->type->type;
    uint8_t *value = mr_map_find(type, array, key_of(L, map));
    if (value == NULL) {
        lua_pushnil(L);
        return 1;
    }
    const size_t offset = (size_t)(value - type->entry_value - array->items);
    mr_lua_proxy_push_below(L, map, value, offset / type->stride);
    return 1;
}

int mr_lua_map_len(lua_State *L)
{
    mr_lua_proxy *map = lua_touserdata(L, 1);
    const mr_array *array = mr_lua_proxy_live(L, map);
    lua_pushinteger(L, (lua_Integer)array->len);
    return 1;
}

static void remove_entry(lua_State *L, mr_lua_proxy *map, mr_bytes key)
{
    mr_array *array = mr_lua_proxy_open(L, map);
    const size_t before = array->len;
    mr_map_remove(map->type->type, array, key);
    if (array->len != before) {
        mr_lua_proxy_shifted(map);
        map->root->entries++;
    }
}

static void set_entry(lua_State *L, mr_lua_proxy *map, mr_bytes key)
{
    const mr_type *type = map->type->type;
    mr_lua_type *items = mr_lua_type_below(L, map->type, 0);
    const mr_lua_place above = {.proxy = map};
    const mr_lua_place place = {.above = &above, .key = key};
    void *scratch = mr_lua_type_scratch(items);
    mr_lua_convert(L, items, scratch, 3, &place);
    mr_array *array = mr_lua_proxy_open(L, map);
    const size_t before = array->len;
    mr_value_swap(type->items, mr_map_at(type, array, key), scratch);
    if (array->len != before) {
        mr_lua_proxy_grown(map);
        map->root->entries++;
    } else {
        mr_lua_proxy_replaced(map, items);
    }
}

int mr_lua_map_newindex(lua_State *L)
{
    mr_lua_proxy *map = lua_touserdata(L, 1);
    (void)mr_lua_proxy_open(L, map);
    const mr_bytes key = key_of(L, map);
    if (!mr_text_is_utf8(key)) {
        return mr_lua_proxy_error(L, map, "keys of a map are UTF-8");
    }
    if (lua_isnil(L, 3)) {
        remove_entry(L, map, key);
    } else {
        set_entry(L, map, key);
    }
    return 0;
}
