/*
 * table.insert, remove, move and sort as the manual of Lua 5.4 has them (section 6.6), for typed
 * lists too, with what they do charged to the call. Sorting is stable, so equal elements stay in
 * their order whatever the algorithm.
 */
#include "script/lua_table.h"

#include <stdint.h>

#include "script/lua_convert.h"
#include "script/lua_freeze.h"
#include "script/lua_proxy.h"

/* The list at stack index 1: a typed list or NULL for a table that may be changed. */
static mr_lua_proxy *check_list(lua_State *L)
{
    mr_lua_proxy *list = mr_lua_proxy_at(L, 1);
    if (list != NULL) {
        if (list->type->type->kind != MR_TYPE_ARRAY) {
            (void)mr_lua_proxy_error(L, list, "it is no list");
        }
        (void)mr_lua_proxy_open(L, list);
        return list;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    if (mr_lua_is_frozen(L, 1)) {
        (void)luaL_error(L, "a list that app.lua has made does not change, because handlers keep "
                            "nothing between calls");
    }
    return NULL;
}

static lua_Integer length_of(lua_State *L, const mr_lua_proxy *list)
{
    return list != NULL ? (lua_Integer)((const mr_array *)list->value)->len : luaL_len(L, 1);
}

/* ---- insert, remove, move ---- */

static int table_insert(lua_State *L)
{
    mr_lua_proxy *list = check_list(L);
    const lua_Integer n = length_of(L, list);
    const int n_arguments = lua_gettop(L);
    if (n_arguments != 2 && n_arguments != 3) {
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    const lua_Integer at = n_arguments == 2 ? n + 1 : luaL_checkinteger(L, 2);
    luaL_argcheck(L, at >= 1 && at <= n + 1, 2, "position out of bounds");
    if (list != NULL) {
        mr_lua_list_insert(L, list, (size_t)at - 1, n_arguments);
        return 0;
    }
    mr_lua_charge(L, (size_t)(n + 1 - at));
    for (lua_Integer i = n; i >= at; i--) {
        (void)lua_geti(L, 1, i);
        lua_seti(L, 1, i + 1);
    }
    lua_pushvalue(L, n_arguments);
    lua_seti(L, 1, at);
    return 0;
}

/* The element at the position, as plain Lua: its place in a typed list is about to go. */
static void push_element(lua_State *L, mr_lua_proxy *list, size_t i)
{
    const mr_type *type = list->type->type;
    mr_lua_push_copy(L, type->items, mr_array_at(type, mr_lua_proxy_live(L, list), i));
}

static int table_remove(lua_State *L)
{
    mr_lua_proxy *list = check_list(L);
    const lua_Integer n = length_of(L, list);
    const lua_Integer at = luaL_optinteger(L, 2, n);
    if (n == 0 && (at == 0 || at == n)) {
        lua_pushnil(L);
        return 1;
    }
    luaL_argcheck(L, (at >= 1 && at <= n) || (list == NULL && at == n + 1), 2,
                  "position out of bounds");
    if (list != NULL) {
        push_element(L, list, (size_t)at - 1);
        mr_lua_list_remove(L, list, (size_t)at - 1);
        return 1;
    }
    mr_lua_charge(L, (size_t)(n - at + 1));
    (void)lua_geti(L, 1, at);
    for (lua_Integer i = at; i < n; i++) {
        (void)lua_geti(L, 1, i + 1);
        lua_seti(L, 1, i);
    }
    if (at <= n) {
        lua_pushnil(L);
        lua_seti(L, 1, n);
    }
    return 1;
}

static int table_move(lua_State *L)
{
    const lua_Integer from = luaL_checkinteger(L, 2);
    const lua_Integer last = luaL_checkinteger(L, 3);
    const lua_Integer to = luaL_checkinteger(L, 4);
    const int target = lua_isnoneornil(L, 5) ? 1 : 5;
    if (last >= from) {
        luaL_argcheck(L, from > 0 || last < LUA_MAXINTEGER + from, 3, "too many elements to move");
        const lua_Integer n = last - from + 1;
        luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
        mr_lua_charge(L, (size_t)n);
        const bool overlaps =
            to > from && to <= last && (target == 1 || lua_compare(L, 1, target, LUA_OPEQ));
        for (lua_Integer i = 0; i < n; i++) {
            const lua_Integer step = overlaps ? n - 1 - i : i;
            (void)lua_geti(L, 1, from + step);
            lua_seti(L, target, to + step);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

/* ---- sort ---- */

typedef struct sorter {
    lua_State *L;
    uint32_t *order; /* positions of the elements, being sorted */
    uint32_t *other; /* of the same size */
    size_t n;
} sorter;

/* Whether the element at position `a` comes before that at `b`, by the function at stack index 2 or
 * by the operator. */
static bool is_before(lua_State *L, uint32_t a, uint32_t b)
{
    mr_lua_charge(L, 4);
    const bool by_function = !lua_isnil(L, 2);
    if (by_function) {
        lua_pushvalue(L, 2);
    }
    (void)lua_geti(L, 1, (lua_Integer)a + 1);
    (void)lua_geti(L, 1, (lua_Integer)b + 1);
    bool before;
    if (by_function) {
        lua_call(L, 2, 1);
        before = lua_toboolean(L, -1) != 0;
        lua_pop(L, 1);
    } else {
        before = lua_compare(L, -2, -1, LUA_OPLT) != 0;
        lua_pop(L, 2);
    }
    return before;
}

static void merge(sorter *s, size_t from, size_t middle, size_t to)
{
    size_t left = from;
    size_t right = middle;
    for (size_t i = from; i < to; i++) {
        const bool take_right =
            left == middle || (right < to && is_before(s->L, s->order[right], s->order[left]));
        s->other[i] = take_right ? s->order[right++] : s->order[left++];
    }
}

static void sort_order(sorter *s)
{
    for (size_t width = 1; width < s->n; width *= 2) {
        for (size_t from = 0; from < s->n; from += 2 * width) {
            const size_t middle = from + width < s->n ? from + width : s->n;
            const size_t to = from + 2 * width < s->n ? from + 2 * width : s->n;
            merge(s, from, middle, to);
        }
        uint32_t *sorted = s->other;
        s->other = s->order;
        s->order = sorted;
    }
}

static void reorder_table(sorter *s)
{
    lua_State *L = s->L;
    lua_createtable(L, (int)s->n, 0);
    for (size_t i = 0; i < s->n; i++) {
        (void)lua_geti(L, 1, (lua_Integer)s->order[i] + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    for (size_t i = 0; i < s->n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i + 1);
        lua_seti(L, 1, (lua_Integer)i + 1);
    }
}

static int table_sort(lua_State *L)
{
    mr_lua_proxy *list = check_list(L);
    const lua_Integer n = length_of(L, list);
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    lua_settop(L, 2);
    if (n < 2) {
        return 0;
    }
    luaL_argcheck(L, n < INT32_MAX / 16, 1, "array too big");
    mr_lua_charge(L, (size_t)n);
    sorter s = {.L = L, .n = (size_t)n};
    s.order = lua_newuserdatauv(L, 2 * s.n * sizeof(s.order[0]), 0);
    s.other = s.order + s.n;
    for (size_t i = 0; i < s.n; i++) {
        s.order[i] = (uint32_t)i;
    }
    sort_order(&s);
    if (length_of(L, list) != n) {
        return luaL_error(L, "the list changed while it was sorted");
    }
    if (list != NULL) {
        void *memory = lua_newuserdatauv(L, s.n * list->type->type->stride, 0);
        mr_lua_list_permute(L, list, s.order, memory);
    } else {
        reorder_table(&s);
    }
    return 0;
}

void mr_lua_table_open(lua_State *L, int index)
{
    static const luaL_Reg own[] = {
        {"insert", table_insert},
        {"remove", table_remove},
        {"move", table_move},
        {"sort", table_sort},
        {NULL, NULL},
    };
    lua_pushvalue(L, index);
    luaL_setfuncs(L, own, 0);
    lua_pop(L, 1);
}
