#include "script/lua_proxy.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "script/lua_convert.h"
#include "script/lua_session.h"

/* Proxies of one type that are kept; a call that needs more leaves the rest to the collector. */
enum { POOL_MAX = 256 };

static const char changed[] = "a list or map of this value changed since this part was read; read "
                              "it again";

/* ---- Errors ---- */

void mr_lua_proxy_path(lua_State *L, const mr_lua_proxy *proxy)
{
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    const mr_type *type = proxy->root->type->type;
    luaL_addstring(&buffer, proxy->root->type->name);
    for (size_t i = 0; i < proxy->depth; i++) {
        while (type->kind == MR_TYPE_UNION && mr_type_optional(type) != NULL) {
            type = mr_type_optional(type);
        }
        char number[16];
        if (type->kind == MR_TYPE_RECORD) {
            luaL_addchar(&buffer, '.');
            luaL_addstring(&buffer, type->fields[proxy->path[i]].name);
            type = type->fields[proxy->path[i]].type;
        } else if (type->kind == MR_TYPE_ARRAY || type->kind == MR_TYPE_MAP) {
            (void)snprintf(number, sizeof(number), "[%u]", proxy->path[i] + 1);
            luaL_addstring(&buffer, number);
            type = type->items;
        } else {
            break; /* below a union of several records the names depend on the value */
        }
    }
    luaL_pushresult(&buffer);
}

int mr_lua_proxy_error(lua_State *L, const mr_lua_proxy *proxy, const char *format, ...)
{
    luaL_where(L, 1);
    mr_lua_proxy_path(L, proxy);
    lua_pushliteral(L, ": ");
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    lua_concat(L, 4);
    return lua_error(L);
}

/* ---- Roots ---- */

void mr_lua_root_set(mr_lua_root *root, mr_lua_type *type, void *value)
{
    root->type = type;
    root->value = value;
    root->moved = 0;
    root->shifted = 0;
    root->entries = 0;
}

/* ---- Where a proxy's value is ---- */

/* The value inside unions around it; NULL when one of them is null now. */
static void *inside_unions(const mr_type **type, void *value)
{
    while ((*type)->kind == MR_TYPE_UNION) {
        const mr_type *branch = (*type)->branches[((const mr_union *)value)->branch];
        value = mr_union_payload(*type, value);
        *type = branch;
    }
    return (*type)->kind == MR_TYPE_NULL ? NULL : value;
}

static void *walk(const mr_lua_proxy *proxy)
{
    const mr_type *type = proxy->root->type->type;
    void *value = inside_unions(&type, proxy->root->value);
    for (size_t i = 0; i < proxy->depth && value != NULL; i++) {
        const size_t step = proxy->path[i];
        if (type->kind == MR_TYPE_RECORD) {
            value = mr_field_at(type, value, step);
            type = type->fields[step].type;
        } else {
            const mr_array *array = value;
            if (step >= array->len) {
                return NULL;
            }
            value = mr_array_at(type, array, step);
            value = (uint8_t *)value + (type->kind == MR_TYPE_MAP ? type->entry_value : 0);
            type = type->items;
        }
        value = inside_unions(&type, value);
    }
    return type == proxy->type->type ? value : NULL;
}

static void *find_again(lua_State *L, mr_lua_proxy *proxy)
{
    const mr_lua_root *root = proxy->root;
    if ((proxy->below_list && proxy->shifted != root->shifted) ||
        (proxy->below_map && proxy->entries != root->entries)) {
        (void)mr_lua_proxy_error(L, proxy, "%s", changed);
    }
    proxy->value = walk(proxy);
    if (proxy->value == NULL) {
        (void)mr_lua_proxy_error(L, proxy, "%s", changed);
    }
    proxy->moved = root->moved;
    proxy->shifted = root->shifted;
    proxy->entries = root->entries;
    return proxy->value;
}

void *mr_lua_proxy_live(lua_State *L, mr_lua_proxy *proxy)
{
    const mr_lua_root *root = proxy->root;
    if (proxy->generation != root->generation) {
        (void)luaL_error(L, "a %s was used after %s", proxy->type->name,
                         root->ended == NULL ? MR_LUA_RETURNED : root->ended);
    }
    return proxy->moved == root->moved ? proxy->value : find_again(L, proxy);
}

void *mr_lua_proxy_open(lua_State *L, mr_lua_proxy *proxy)
{
    void *value = mr_lua_proxy_live(L, proxy);
    if (!proxy->writable) {
        (void)mr_lua_proxy_error(L, proxy, "it is read-only here");
    }
    return value;
}

/* ---- Making proxies ---- */

/* Pushes a proxy of the type that nothing else refers to. */
static mr_lua_proxy *push_free_proxy(lua_State *L, mr_lua_type *type)
{
    mr_lua *lua = mr_lua_of(L);
    if (type->call != lua->session->call_number) {
        type->call = lua->session->call_number;
        type->n_used = 0;
    }
    if (type->n_used < type->n_pool) {
        mr_lua_proxy *proxy = type->pool[type->n_used++];
        lua_rawgeti(L, LUA_REGISTRYINDEX, proxy->ref);
        return proxy;
    }
    const size_t size = sizeof(mr_lua_proxy) + type->n_children * sizeof(mr_lua_proxy *);
    mr_lua_proxy *proxy = lua_newuserdatauv(L, size, 0);
    proxy->object = MR_LUA_OTHER; /* until it is complete */
    proxy->ref = LUA_NOREF;
    lua_rawgeti(L, LUA_REGISTRYINDEX, type->metatable);
    (void)lua_setmetatable(L, -2);
    if (type->n_pool < POOL_MAX) {
        if (type->pool == NULL) {
            type->pool = mr_alloc_zero(POOL_MAX, sizeof(type->pool[0]));
        }
        lua_pushvalue(L, -1);
        proxy->ref = luaL_ref(L, LUA_REGISTRYINDEX);
        type->pool[type->n_pool++] = proxy;
        type->n_used = type->n_pool;
    }
    return proxy;
}

static void bind(mr_lua_proxy *proxy, mr_lua_type *type, mr_lua_root *root, void *value)
{
    proxy->object = MR_LUA_PROXY;
    proxy->type = type;
    proxy->value = value;
    proxy->root = root;
    proxy->generation = root->generation;
    proxy->moved = root->moved;
    proxy->shifted = root->shifted;
    proxy->entries = root->entries;
    proxy->below_list = false;
    proxy->below_map = false;
    proxy->depth = 0;
    if (type->n_children > 0) {
        memset(proxy->children, 0, type->n_children * sizeof(proxy->children[0]));
    }
}

void mr_lua_proxy_push(lua_State *L, mr_lua_root *root, bool writable)
{
    mr_lua_proxy *proxy = push_free_proxy(L, root->type);
    bind(proxy, root->type, root, root->value);
    proxy->writable = writable;
}

/* The child that was made for this step and still is what it was, NULL. */
static mr_lua_proxy *known_child(const mr_lua_proxy *proxy, mr_lua_proxy *child, size_t step,
                                 const mr_lua_type *type)
{
    const bool same = child != NULL && child->type == type && child->path[proxy->depth] == step &&
                      child->shifted == proxy->root->shifted &&
                      child->entries == proxy->root->entries;
    return same ? child : NULL;
}

static void push_child(lua_State *L, mr_lua_proxy *proxy, mr_lua_type *type, void *value,
                       size_t step, bool through_union)
{
    const mr_type_kind kind = proxy->type->type->kind;
    const size_t place = kind == MR_TYPE_RECORD ? proxy->type->places[step] : 0;
    mr_lua_proxy *known = known_child(proxy, proxy->children[place], step, type);
    if (known != NULL) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, known->ref);
        return;
    }
    if (proxy->depth == MR_LUA_PATH_MAX) {
        (void)mr_lua_proxy_error(L, proxy, "nested more than %d deep", (int)MR_LUA_PATH_MAX);
    }
    mr_lua_proxy *child = push_free_proxy(L, type);
    bind(child, type, proxy->root, value);
    child->writable = proxy->writable;
    child->below_list = proxy->below_list || through_union || kind != MR_TYPE_RECORD;
    child->below_map = proxy->below_map || kind == MR_TYPE_MAP;
    child->depth = (uint8_t)(proxy->depth + 1);
    memcpy(child->path, proxy->path, proxy->depth * sizeof(child->path[0]));
    child->path[proxy->depth] = (uint32_t)step;
    if (child->ref != LUA_NOREF) {
        proxy->children[place] = child;
    }
}

/* The item of a list or map, the field of a record. */
static mr_lua_type *type_of_step(lua_State *L, mr_lua_proxy *proxy, size_t step)
{
    return mr_lua_type_below(L, proxy->type, proxy->type->type->kind == MR_TYPE_RECORD ? step : 0);
}

void mr_lua_proxy_push_below(lua_State *L, mr_lua_proxy *proxy, void *value, size_t step)
{
    const mr_type *holder = proxy->type->type;
    const mr_type *type =
        holder->kind == MR_TYPE_RECORD ? holder->fields[step].type : holder->items;
    if (mr_lua_is_scalar(type)) {
        mr_lua_push_scalar(L, type, value);
        return;
    }
    mr_lua_type *below = type_of_step(L, proxy, step);
    const bool through_union = type->kind == MR_TYPE_UNION;
    while (type->kind == MR_TYPE_UNION) {
        const int branch = ((const mr_union *)value)->branch;
        value = mr_union_payload(type, value);
        type = type->branches[branch];
        if (mr_lua_is_scalar(type)) {
            mr_lua_push_scalar(L, type, value);
            return;
        }
        below = mr_lua_type_below(L, below, (size_t)branch);
    }
    push_child(L, proxy, below, value, step, through_union);
}

/* ---- Records ---- */

static int unknown_field(lua_State *L, const mr_lua_proxy *proxy)
{
    if (lua_type(L, 2) != LUA_TSTRING) {
        return mr_lua_proxy_error(L, proxy, "fields of a record have names, not a %s",
                                  luaL_typename(L, 2));
    }
    const mr_type *type = proxy->type->type;
    const char *name = lua_tostring(L, 2);
    const char *hint = mr_lua_field_suggestion(L, type, name);
    return mr_lua_proxy_error(L, proxy, "there is no field '%s'%s", name, hint);
}

static int record_index(lua_State *L)
{
    mr_lua_proxy *proxy = lua_touserdata(L, 1);
    void *value = mr_lua_proxy_live(L, proxy);
    const mr_lua_type *type = proxy->type;
    const int field = mr_lua_find_key(L, 2, type->keys, type->type->n_fields);
    if (field < 0) {
        return unknown_field(L, proxy);
    }
    mr_lua_proxy_push_below(L, proxy, mr_field_at(type->type, value, (size_t)field), (size_t)field);
    return 1;
}

static int record_newindex(lua_State *L)
{
    mr_lua_proxy *proxy = lua_touserdata(L, 1);
    void *value = mr_lua_proxy_open(L, proxy);
    mr_lua_type *type = proxy->type;
    const int field = mr_lua_find_key(L, 2, type->keys, type->type->n_fields);
    if (field < 0) {
        return unknown_field(L, proxy);
    }
    const mr_type *field_type = type->type->fields[field].type;
    void *at = mr_field_at(type->type, value, (size_t)field);
    const mr_lua_place above = {.proxy = proxy};
    const mr_lua_place place = {.above = &above, .field = type->type->fields[field].name};
    if (mr_lua_is_scalar(field_type)) {
        mr_lua_convert(L, mr_lua_type_below(L, type, (size_t)field), at, 3, &place);
        return 0;
    }
    /* Into scratch first: an error that the app catches leaves the field as it was, and the new
     * value may be part of the old one. */
    mr_lua_type *below = mr_lua_type_below(L, type, (size_t)field);
    void *scratch = mr_lua_type_scratch(below);
    mr_lua_convert(L, below, scratch, 3, &place);
    mr_value_swap(field_type, at, scratch);
    mr_lua_proxy_replaced(proxy, below);
    return 0;
}

/* ---- What all proxies have ---- */

static int proxy_equal(lua_State *L)
{
    mr_lua_proxy *a = mr_lua_proxy_at(L, 1);
    mr_lua_proxy *b = mr_lua_proxy_at(L, 2);
    lua_pushboolean(L, a != NULL && b != NULL && a->type == b->type &&
                           mr_lua_proxy_live(L, a) == mr_lua_proxy_live(L, b));
    return 1;
}

void mr_lua_proxy_text(lua_State *L, int index)
{
    mr_lua_proxy *proxy = lua_touserdata(L, index);
    const void *value = mr_lua_proxy_live(L, proxy);
    mr_buf *scratch = &mr_lua_of(L)->scratch;
    mr_buf_clear(scratch);
    mr_value_to_json(proxy->type->type, value, scratch);
    mr_lua_charge(L, scratch->len / 16);
    lua_pushlstring(L, mr_buf_text(scratch), scratch->len);
}

/* From which step on `next` goes, given the key at index `key`. */
static ptrdiff_t step_after(lua_State *L, mr_lua_proxy *proxy, const void *value, int key)
{
    const mr_type *type = proxy->type->type;
    if (lua_isnoneornil(L, key)) {
        return 0;
    }
    if (type->kind == MR_TYPE_RECORD) {
        const int field = mr_lua_find_key(L, key, proxy->type->keys, type->n_fields);
        return field < 0 ? mr_lua_proxy_error(L, proxy, "'next' with no field of it") : field + 1;
    }
    if (type->kind == MR_TYPE_ARRAY) {
        const lua_Integer i = lua_tointeger(L, key);
        return i < 0 ? 0 : (ptrdiff_t)i;
    }
    const mr_array *map = value;
    const mr_bytes last = lua_type(L, key) == LUA_TSTRING ? mr_lua_bytes(L, key) : MR_BYTES_NULL;
    size_t from = 0;
    size_t to = map->len;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const mr_string *entry = mr_array_at(type, map, middle);
        if (mr_bytes_compare(mr_string_bytes(entry), last) <= 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return (ptrdiff_t)from;
}

/* Pushes key and value of the step. */
static void push_pair(lua_State *L, mr_lua_proxy *proxy, void *value, size_t step)
{
    const mr_type *type = proxy->type->type;
    if (type->kind == MR_TYPE_RECORD) {
        lua_pushstring(L, type->fields[step].name);
        mr_lua_proxy_push_below(L, proxy, mr_field_at(type, value, step), step);
        return;
    }
    uint8_t *item = mr_array_at(type, value, step);
    if (type->kind == MR_TYPE_ARRAY) {
        lua_pushinteger(L, (lua_Integer)step + 1);
        mr_lua_proxy_push_below(L, proxy, item, step);
        return;
    }
    mr_lua_push_bytes(L, mr_string_bytes((const mr_string *)(const void *)item));
    mr_lua_proxy_push_below(L, proxy, item + type->entry_value, step);
}

int mr_lua_proxy_next(lua_State *L, mr_lua_proxy *proxy, int key)
{
    void *value = mr_lua_proxy_live(L, proxy);
    const mr_type *type = proxy->type->type;
    const size_t n = type->kind == MR_TYPE_RECORD ? type->n_fields : ((const mr_array *)value)->len;
    for (size_t i = (size_t)step_after(L, proxy, value, key); i < n; i++) {
        push_pair(L, proxy, value, i);
        if (!lua_isnil(L, -1)) {
            return 2;
        }
        lua_pop(L, 2); /* as in a table, what is nil is not there */
    }
    lua_pushnil(L);
    return 1;
}

void mr_lua_proxy_metatable(lua_State *L, const mr_lua_type *type)
{
    static const luaL_Reg record[] = {{"__index", record_index},
                                      {"__newindex", record_newindex},
                                      {"__eq", proxy_equal},
                                      {NULL, NULL}};
    static const luaL_Reg list[] = {{"__index", mr_lua_list_index},
                                    {"__newindex", mr_lua_list_newindex},
                                    {"__len", mr_lua_list_len},
                                    {"__eq", proxy_equal},
                                    {NULL, NULL}};
    static const luaL_Reg map[] = {{"__index", mr_lua_map_index},
                                   {"__newindex", mr_lua_map_newindex},
                                   {"__len", mr_lua_map_len},
                                   {"__eq", proxy_equal},
                                   {NULL, NULL}};
    lua_createtable(L, 0, 6);
    luaL_setfuncs(L,
                  type->type->kind == MR_TYPE_RECORD  ? record
                  : type->type->kind == MR_TYPE_ARRAY ? list
                                                      : map,
                  0);
    lua_pushstring(L, type->name);
    lua_setfield(L, -2, "__name");
}
