/* Lists of typed values: a[i], a[#a + 1] = v, and what table.insert, remove and sort need. */
#include <stdlib.h>

#include "script/lua_convert.h"
#include "script/lua_proxy.h"

static const mr_type *items_of(const mr_lua_proxy *list)
{
    return list->type->type->items;
}

/* The index at stack position 2, from 0; the list's length or more when it is out of range. */
static size_t index_of(lua_State *L, const mr_lua_proxy *list)
{
    int whole = 0;
    const lua_Integer i = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &whole) : 0;
    if (!whole) {
        (void)mr_lua_proxy_error(L, list, "a list has whole numbers as indexes, not a %s",
                                 luaL_typename(L, 2));
    }
    return i < 1 ? SIZE_MAX : (size_t)i - 1;
}

int mr_lua_list_index(lua_State *L)
{
    mr_lua_proxy *list = lua_touserdata(L, 1);
    const mr_array *array = mr_lua_proxy_live(L, list);
    const size_t i = index_of(L, list);
    if (i >= array->len) {
        lua_pushnil(L);
        return 1;
    }
    mr_lua_proxy_push_below(L, list, mr_array_at(list->type->type, array, i), i);
    return 1;
}

int mr_lua_list_len(lua_State *L)
{
    mr_lua_proxy *list = lua_touserdata(L, 1);
    const mr_array *array = mr_lua_proxy_live(L, list);
    lua_pushinteger(L, (lua_Integer)array->len);
    return 1;
}

/* A value of the items' type, converted from the Lua value at `index`. Nothing of the list has
 * changed when that fails, and the value may be a part of the list itself. */
static void *converted(lua_State *L, mr_lua_proxy *list, size_t i, int index)
{
    mr_lua_type *items = mr_lua_type_below(L, list->type, 0);
    const mr_lua_place above = {.proxy = list};
    const mr_lua_place place = {.above = &above, .index = i + 1};
    void *scratch = mr_lua_type_scratch(items);
    mr_lua_convert(L, items, scratch, index, &place);
    return scratch;
}

static void set_item(lua_State *L, mr_lua_proxy *list, size_t i, int index)
{
    void *scratch = converted(L, list, i, index);
    const mr_array *array = mr_lua_proxy_open(L, list);
    mr_value_swap(items_of(list), mr_array_at(list->type->type, array, i), scratch);
    mr_lua_proxy_replaced(list, mr_lua_type_below(L, list->type, 0));
}

static void append_item(lua_State *L, mr_lua_proxy *list, int index)
{
    mr_array *array = mr_lua_proxy_open(L, list);
    void *scratch = converted(L, list, array->len, index);
    mr_value_swap(items_of(list), mr_array_push(list->type->type, array), scratch);
    mr_lua_proxy_grown(list);
}

int mr_lua_list_newindex(lua_State *L)
{
    mr_lua_proxy *list = lua_touserdata(L, 1);
    const mr_array *array = mr_lua_proxy_open(L, list);
    const size_t i = index_of(L, list);
    if (i > array->len) {
        return mr_lua_proxy_error(L, list, "index %I is out of range: the list has %d elements",
                                  lua_tointeger(L, 2), (int)array->len);
    }
    if (lua_isnil(L, 3) && i + 1 >= array->len) {
        if (i < array->len) {
            mr_lua_list_remove(L, list, i);
        }
        return 0;
    }
    if (i == array->len) {
        append_item(L, list, 3);
        return 0;
    }
    if (lua_isnil(L, 3) && items_of(list)->kind != MR_TYPE_UNION) {
        return mr_lua_proxy_error(L, list,
                                  "only the last element can be set to nil; use "
                                  "table.remove");
    }
    set_item(L, list, i, 3);
    return 0;
}

void mr_lua_list_insert(lua_State *L, mr_lua_proxy *list, size_t position, int value)
{
    append_item(L, list, value);
    mr_array *array = mr_lua_proxy_open(L, list);
    const mr_type *type = list->type->type;
    mr_lua_charge(L, array->len - position);
    for (size_t i = array->len - 1; i > position; i--) {
        mr_value_swap(type->items, mr_array_at(type, array, i), mr_array_at(type, array, i - 1));
    }
    if (position + 1 < array->len) {
        mr_lua_proxy_shifted(list);
    }
}

void mr_lua_list_remove(lua_State *L, mr_lua_proxy *list, size_t position)
{
    mr_array *array = mr_lua_proxy_open(L, list);
    mr_array_remove(list->type->type, array, position);
    mr_lua_proxy_shifted(list);
}

void mr_lua_list_permute(lua_State *L, mr_lua_proxy *list, const uint32_t *order, void *memory)
{
    mr_array *array = mr_lua_proxy_open(L, list);
    const size_t stride = list->type->type->stride;
    uint8_t *sorted = memory;
    for (size_t i = 0; i < array->len; i++) {
        memcpy(sorted + i * stride, array->items + order[i] * stride, stride);
    }
    if (array->len > 0) {
        memcpy(array->items, sorted, array->len * stride);
    }
    mr_lua_proxy_shifted(list);
}
