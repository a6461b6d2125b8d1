/*
 * Typed values as Lua sees them: userdata that name a place in a value, read and written there.
 *
 * A root is a value that a call may see: the input, the state, a row. A proxy is a root and a path
 * from it. It finds its place by the pointer of the time it was made; when a list or map of the
 * root has grown since, memory may have moved and the path is walked again; when elements were
 * removed or replaced, a path through a list or map may name something else now, and using the
 * proxy is an error. When the call ends its roots end, and with them every proxy of them.
 *
 * Proxies are taken from a pool of the type and go back when the call ends: reading the same fields
 * of every record allocates nothing.
 */
#pragma once

#include "script/lua_type.h"

/* The first member of every userdata that Lua code can hold. */
typedef enum mr_lua_object {
    MR_LUA_PROXY = 1,
    MR_LUA_STORE,
    MR_LUA_DECLARED, /* what app.lua declares: lua_fold.c */
    MR_LUA_OTHER,
} mr_lua_object;

enum { MR_LUA_PATH_MAX = 12 };

typedef struct mr_lua_root {
    void *value;
    mr_lua_type *type;
    uint32_t generation; /* proxies of another one are dead */
    uint32_t moved;      /* counts changes after which pointers below lists may be wrong */
    uint32_t shifted;    /* of these, changes after which indexes may be wrong too */
    uint32_t entries;    /* changes after which indexes into maps may be wrong */
    const char *ended;   /* why the older proxies are dead */
} mr_lua_root;

typedef struct mr_lua_proxy mr_lua_proxy;
struct mr_lua_proxy {
    mr_lua_object object;
    int ref; /* in the registry; LUA_NOREF: not of the pool */
    mr_lua_type *type;
    void *value;
    mr_lua_root *root;
    uint32_t generation;
    uint32_t moved;
    uint32_t shifted;
    uint32_t entries;
    bool writable;
    bool below_list; /* the path leads through a list, a map or a union */
    bool below_map;
    uint8_t depth;
    uint32_t path[MR_LUA_PATH_MAX]; /* fields and indexes */
    mr_lua_proxy *children[];       /* made by this call, of the pool; NULL */
};

/* ---- Roots: before and after a call ---- */

/* Everything that was made of the root is dead from here on. */
static inline void mr_lua_root_end(mr_lua_root *root, const char *why)
{
    root->generation++;
    root->ended = why;
}
void mr_lua_root_set(mr_lua_root *root, mr_lua_type *type, void *value);

/* ---- Within a protected call ---- */

void mr_lua_proxy_push(lua_State *L, mr_lua_root *root, bool writable);
/* NULL when the value at `index` is no proxy. It may be dead. */
static inline mr_lua_proxy *mr_lua_proxy_at(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA) {
        return NULL;
    }
    mr_lua_proxy *proxy = lua_touserdata(L, index);
    return proxy->object == MR_LUA_PROXY ? proxy : NULL;
}
/* Where its value is now; raises when it is dead. */
void *mr_lua_proxy_live(lua_State *L, mr_lua_proxy *proxy);
/* As mr_lua_proxy_live, to be written: raises when it is read-only. */
void *mr_lua_proxy_open(lua_State *L, mr_lua_proxy *proxy);

/* Pushes the value of a place below `proxy`: scalars as Lua values, the rest as proxies. */
void mr_lua_proxy_push_below(lua_State *L, mr_lua_proxy *proxy, void *value, size_t step);
/* `pairs` and `next`: pushes the next key and its value, or one nil; `key` is a stack index. */
int mr_lua_proxy_next(lua_State *L, mr_lua_proxy *proxy, int key);
/* Pushes its value as JSON. */
void mr_lua_proxy_text(lua_State *L, int index);
/* Pushes "Cart.Items[3]". */
void mr_lua_proxy_path(lua_State *L, const mr_lua_proxy *proxy);
/* Raises "app.lua:3: Cart.Items[3]: <format>". */
int mr_lua_proxy_error(lua_State *L, const mr_lua_proxy *proxy, const char *format, ...);

/* Pushes a metatable for proxies of the type. */
void mr_lua_proxy_metatable(lua_State *L, const mr_lua_type *type);

/* What changed in the root of a proxy. */
static inline void mr_lua_proxy_grown(mr_lua_proxy *proxy)
{
    proxy->root->moved++;
}
static inline void mr_lua_proxy_shifted(mr_lua_proxy *proxy)
{
    proxy->root->moved++;
    proxy->root->shifted++;
}

/* A value of the type was replaced by another one. */
static inline void mr_lua_proxy_replaced(mr_lua_proxy *proxy, const mr_lua_type *type)
{
    if (type->holds_parts) {
        mr_lua_proxy_shifted(proxy);
    }
}

/* ---- Lists (lua_proxy_list.c) ---- */

int mr_lua_list_index(lua_State *L);
int mr_lua_list_newindex(lua_State *L);
int mr_lua_list_len(lua_State *L);
/* table.insert and table.remove; positions from 0, checked. */
void mr_lua_list_insert(lua_State *L, mr_lua_proxy *list, size_t position, int value);
void mr_lua_list_remove(lua_State *L, mr_lua_proxy *list, size_t position);
/* New order: the element that was at order[i] is at i. `memory` has room for all elements. */
void mr_lua_list_permute(lua_State *L, mr_lua_proxy *list, const uint32_t *order, void *memory);

/* ---- Maps (lua_proxy_map.c) ---- */

int mr_lua_map_index(lua_State *L);
int mr_lua_map_newindex(lua_State *L);
int mr_lua_map_len(lua_State *L);
