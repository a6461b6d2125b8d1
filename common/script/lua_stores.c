#include "script/lua_stores.h"

#include "core/alloc.h"
#include "script/lua_convert.h"
#include "script/lua_freeze.h"
#include "script/lua_session.h"

static const char stores_key[1];

enum {
    OPERATION_UNITS = 20, /* what one access costs, in instructions */
    ROW_UNITS = 20,       /* what a row of a scan costs */
};

typedef struct store_object {
    mr_lua_object object;
    size_t index;
    const mr_store_spec *spec;
    mr_lua_type *type;
} store_object;

/* ---- Arguments ---- */

static const store_object *check_store(lua_State *L, const char *method)
{
    const store_object *store = lua_type(L, 1) == LUA_TUSERDATA ? lua_touserdata(L, 1) : NULL;
    if (store == NULL || store->object != MR_LUA_STORE) {
        (void)luaL_error(L, "write stores.NAME:%s(...), with a colon", method);
        return NULL;
    }
    const mr_lua_session *session = mr_lua_session_of(L);
    if (session->call == NULL) {
        (void)luaL_error(L, "store '%s' was used after " MR_LUA_RETURNED, store->spec->name);
    }
    mr_lua_charge(L, OPERATION_UNITS);
    return store;
}

static const char *kind_name(mr_key_kind kind)
{
    return kind == MR_KEY_STRING ? "string" : "whole number";
}

/* Appends the part of a key at the stack index. */
static void append_part(lua_State *L, const store_object *store, size_t number, int index,
                        mr_buf *key)
{
    mr_key_part part = {.kind =
                            store->spec->key.raw ? MR_KEY_STRING : store->spec->key.kinds[number]};
    const bool right = part.kind == MR_KEY_STRING ? lua_type(L, index) == LUA_TSTRING
                                                  : lua_isinteger(L, index) != 0;
    if (!right) {
        (void)luaL_error(L, "store '%s': part %d of the key is a %s, not a %s", store->spec->name,
                         (int)number + 1, kind_name(part.kind), luaL_typename(L, index));
    }
    if (part.kind == MR_KEY_STRING) {
        part.text = mr_lua_bytes(L, index);
    } else {
        part.number = lua_tointeger(L, index);
    }
    if (store->spec->key.raw) {
        mr_buf_append_bytes(key, part.text);
    } else {
        mr_key_append(key, &part);
    }
}

/* The key of the arguments 2 to `last`, all parts or, for a scan, the first ones. */
static mr_bytes read_key(lua_State *L, const store_object *store, int last, bool whole)
{
    mr_buf *key = &mr_lua_session_of(L)->key;
    const size_t n = last < 2 ? 0 : (size_t)last - 1;
    const size_t n_parts = store->spec->key.raw ? 1 : store->spec->key.n;
    if (whole ? n != n_parts : n > n_parts) {
        (void)luaL_error(L, "store '%s' has keys of %d parts, not of %d", store->spec->name,
                         (int)n_parts, (int)n);
    }
    mr_buf_clear(key);
    for (size_t i = 0; i < n; i++) {
        append_part(L, store, i, (int)i + 2, key);
    }
    return mr_buf_bytes(key);
}

/* ---- Rows ---- */

/* The row's root, whose value is now at `value`; `replaced` when it is not the one it was. */
static mr_lua_root *bind_row(lua_State *L, const store_object *store, mr_bytes key, void *value,
                             bool replaced)
{
    mr_lua_root *root = mr_lua_rows_get(&mr_lua_session_of(L)->rows, store->index, key);
    if (root->value == NULL) {
        mr_lua_root_set(root, store->type, value);
    } else if (root->value != value || replaced) {
        /* Proxies of the row go on, and show what the row is now. */
        root->value = value;
        root->moved++;
        root->shifted += replaced ? 1 : 0;
    }
    return root;
}

static mr_context *context_of(lua_State *L)
{
    return mr_lua_session_of(L)->call->context;
}

static int store_get(lua_State *L)
{
    const store_object *store = check_store(L, "get");
    const mr_bytes key = read_key(L, store, lua_gettop(L), true);
    const void *value;
    mr_error err;
    const mr_status status = mr_context_get(context_of(L), store->index, key, &value, &err);
    if (status < 0) {
        return mr_lua_raise(L, &err);
    }
    if (status == MR_NOT_FOUND) {
        lua_pushnil(L);
        return 1;
    }
    mr_lua_root *root = bind_row(L, store, key, (void *)(uintptr_t)value, false);
    mr_lua_proxy_push(L, root, false);
    return 1;
}

static int store_edit(lua_State *L)
{
    const store_object *store = check_store(L, "edit");
    const mr_bytes key = read_key(L, store, lua_gettop(L), true);
    void *value;
    mr_error err;
    const mr_status status = mr_context_edit(context_of(L), store->index, key, &value, &err);
    if (status < 0) {
        return mr_lua_raise(L, &err);
    }
    if (status == MR_NOT_FOUND) {
        lua_pushnil(L);
        return 1;
    }
    mr_lua_proxy_push(L, bind_row(L, store, key, value, false), true);
    return 1;
}

static int store_put(lua_State *L)
{
    const store_object *store = check_store(L, "put");
    const int last = lua_gettop(L);
    if (last < 2) {
        return luaL_error(L, "store '%s': put takes a key and a row", store->spec->name);
    }
    const mr_bytes key = read_key(L, store, last - 1, true);
    /* Converted first: an error that the app catches leaves the row as it was. */
    void *scratch = mr_lua_type_scratch(store->type);
    const mr_lua_place place = {.field = store->type->name};
    mr_lua_convert(L, store->type, scratch, last, &place);
    void *value;
    mr_error err;
    if (mr_context_put(context_of(L), store->index, key, &value, &err) != MR_OK) {
        return mr_lua_raise(L, &err);
    }
    mr_value_swap(store->type->type, value, scratch);
    mr_lua_proxy_push(L, bind_row(L, store, key, value, true), true);
    return 1;
}

static int store_delete(lua_State *L)
{
    const store_object *store = check_store(L, "delete");
    const mr_bytes key = read_key(L, store, lua_gettop(L), true);
    mr_error err;
    if (mr_context_delete(context_of(L), store->index, key, &err) != MR_OK) {
        return mr_lua_raise(L, &err);
    }
    mr_lua_root *root = mr_lua_rows_get(&mr_lua_session_of(L)->rows, store->index, key);
    mr_lua_root_end(root, "its row was deleted");
    root->value = NULL;
    return 0;
}

/* ---- Scans: the keys first, then each row when the loop comes to it ---- */

typedef struct key_list {
    mr_buf *keys;
    int64_t fuel; /* for as many keys as the call may still read */
    bool exhausted;
} key_list;

static mr_status collect_key(void *argument, mr_bytes key, const void *value, mr_error *err)
{
    (void)value;
    (void)err;
    key_list *list = argument;
    list->fuel -= ROW_UNITS + (int64_t)(key.len / 16);
    if (list->fuel <= 0) {
        list->exhausted = true;
        return MR_END;
    }
    mr_buf_append(list->keys, &key.len, sizeof(key.len));
    mr_buf_append_bytes(list->keys, key);
    return MR_OK;
}

/* Pushes the list of keys in [from, to). */
static void push_keys(lua_State *L, const store_object *store, mr_bytes from, mr_bytes to)
{
    mr_lua *lua = mr_lua_of(L);
    mr_buf *found = &lua->session->found;
    key_list list = {.keys = found, .fuel = lua->fuel};
    mr_buf_clear(found);
    mr_error err;
    const mr_status status =
        mr_context_scan(context_of(L), store->index, from, to, collect_key, &list, &err);
    if (status < 0) {
        (void)mr_lua_raise(L, &err);
    }
    mr_lua_charge(L, list.exhausted ? SIZE_MAX : (size_t)(lua->fuel - list.fuel));
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t at = 0; at < found->len;) {
        size_t len;
        memcpy(&len, found->data + at, sizeof(len));
        at += sizeof(len);
        lua_pushlstring(L, (const char *)found->data + at, len);
        lua_rawseti(L, -2, ++n);
        at += len;
    }
}

/* Pushes the parts of a key and returns how many. */
static int push_parts(lua_State *L, const store_object *store, mr_bytes key)
{
    if (store->spec->key.raw) {
        mr_lua_push_bytes(L, key);
        return 1;
    }
    mr_key_part parts[MR_KEY_PARTS_MAX];
    size_t n;
    mr_error err;
    mr_buf *scratch = &mr_lua_session_of(L)->to;
    mr_buf_clear(scratch);
    if (mr_key_parse(key, scratch, parts, &n, &err) != MR_OK) {
        return mr_lua_raise(L, &err);
    }
    luaL_checkstack(L, (int)n, "too many parts");
    for (size_t i = 0; i < n; i++) {
        if (parts[i].kind == MR_KEY_STRING) {
            mr_lua_push_bytes(L, parts[i].text);
        } else {
            lua_pushinteger(L, parts[i].number);
        }
    }
    return (int)n;
}

/* Upvalues: the store, the keys, how many were visited. Rows deleted meanwhile are passed over. */
static int scan_step(lua_State *L)
{
    const store_object *store = lua_touserdata(L, lua_upvalueindex(1));
    if (mr_lua_session_of(L)->call == NULL) {
        return luaL_error(L, "a scan was used after " MR_LUA_RETURNED);
    }
    for (lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1;; i++) {
        if (lua_rawgeti(L, lua_upvalueindex(2), i) == LUA_TNIL) {
            return 1;
        }
        const mr_bytes key = mr_lua_bytes(L, -1);
        const void *value;
        mr_error err;
        const mr_status status = mr_context_get(context_of(L), store->index, key, &value, &err);
        if (status < 0) {
            return mr_lua_raise(L, &err);
        }
        if (status == MR_OK) {
            lua_pushinteger(L, i);
            lua_replace(L, lua_upvalueindex(3));
            mr_lua_root *root = bind_row(L, store, key, (void *)(uintptr_t)value, false);
            mr_lua_proxy_push(L, root, false);
            return 1 + push_parts(L, store, key);
        }
        lua_pop(L, 1);
    }
}

static int push_scan(lua_State *L, const store_object *store, mr_bytes from, mr_bytes to)
{
    lua_pushvalue(L, 1);
    push_keys(L, store, from, to);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, scan_step, 3);
    return 1;
}

static int store_scan(lua_State *L)
{
    const store_object *store = check_store(L, "scan");
    mr_lua_session *session = mr_lua_session_of(L);
    const mr_bytes from = read_key(L, store, lua_gettop(L), false);
    mr_bytes to = MR_BYTES_NULL;
    mr_buf_clear(&session->to);
    if (from.len > 0 && mr_key_successor(from, &session->to) == MR_OK) {
        to = mr_buf_bytes(&session->to);
    }
    return push_scan(L, store, from, to);
}

/* The first parts of a key, as a list at the stack index. */
static void read_bound(lua_State *L, const store_object *store, int index, mr_buf *bound)
{
    luaL_checktype(L, index, LUA_TTABLE);
    mr_lua_content(L, index);
    const size_t n = (size_t)lua_rawlen(L, -1);
    const size_t n_parts = store->spec->key.raw ? 1 : store->spec->key.n;
    if (n > n_parts) {
        (void)luaL_error(L, "store '%s' has keys of %d parts, not of %d", store->spec->name,
                         (int)n_parts, (int)n);
    }
    mr_buf_clear(bound);
    for (size_t i = 0; i < n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i + 1);
        append_part(L, store, i, -1, bound);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int store_range(lua_State *L)
{
    const store_object *store = check_store(L, "range");
    mr_lua_session *session = mr_lua_session_of(L);
    lua_settop(L, 3);
    read_bound(L, store, 2, &session->key);
    mr_bytes to = MR_BYTES_NULL;
    if (!lua_isnil(L, 3)) {
        read_bound(L, store, 3, &session->to);
        to = session->to.len > 0 ? mr_buf_bytes(&session->to) : MR_BYTES_NULL;
    }
    return push_scan(L, store, mr_buf_bytes(&session->key), to);
}

/* ---- The objects ---- */

static int unknown_store(lua_State *L)
{
    const mr_stage *stage = mr_lua_session_of(L)->stage;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    const char *hint =
        mr_lua_suggestion(L, name, (const char *const *)(const void *)&stage->stores[0].name,
                          stage->n_stores, sizeof(stage->stores[0]));
    return luaL_error(L, "stage '%s' has no store '%s'%s", stage->name, name, hint);
}

static int unknown_method(lua_State *L)
{
    static const char *const names[] = {"get", "edit", "put", "delete", "scan", "range"};
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    return luaL_error(
        L, "stores have no '%s'%s", name,
        mr_lua_suggestion(L, name, names, sizeof(names) / sizeof(names[0]), sizeof(names[0])));
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "rows are written with put, edit and delete, and stores cannot be set");
}

/* Pushes a hidden metatable whose __index is the table below it, which is popped; what is missing
 * there is asked of `missing`. */
static void push_metatable(lua_State *L, const char *name, lua_CFunction missing)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, missing);
    lua_setfield(L, -2, "__index");
    (void)lua_setmetatable(L, -2);
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
}

void mr_lua_stores_open(lua_State *L, const mr_stage *stage)
{
    static const luaL_Reg methods[] = {
        {"get", store_get},   {"edit", store_edit},   {"put", store_put}, {"delete", store_delete},
        {"scan", store_scan}, {"range", store_range}, {NULL, NULL},
    };
    const int top = lua_gettop(L);
    if (stage->n_stores == 0) {
        return;
    }
    luaL_newlib(L, methods);
    push_metatable(L, "store", unknown_method);
    lua_newtable(L);
    for (size_t i = 0; i < stage->n_stores; i++) {
        const mr_store_spec *spec = &stage->stores[i];
        if (spec->internal) {
            continue;
        }
        store_object *store = lua_newuserdatauv(L, sizeof(*store), 0);
        *store = (store_object){.object = MR_LUA_STORE,
                                .index = i,
                                .spec = spec,
                                .type = mr_lua_type_of(L, mr_schema_type(spec->value))};
        lua_pushvalue(L, top + 1);
        (void)lua_setmetatable(L, -2);
        lua_setfield(L, -2, spec->name);
    }
    push_metatable(L, "stores", unknown_store);
    mr_lua_object *stores = lua_newuserdatauv(L, sizeof(*stores), 0);
    *stores = MR_LUA_OTHER;
    lua_insert(L, -2);
    (void)lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, stores_key);
    lua_settop(L, top);
}

void mr_lua_stores_push(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, stores_key);
}
