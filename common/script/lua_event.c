#include "script/lua_event.h"

#include "core/text.h"
#include "script/lua_convert.h"
#include "script/lua_freeze.h"
#include "script/lua_proxy.h"
#include "script/lua_sandbox.h"

/* In the registry: from names to constructors. */
static const char constructors_key[1];
/* In the registry: the metatable of rejections, which nothing else has. */
static const char rejection_key[1];

enum { REASON_MAX = 100 };

/* ---- Constructors ---- */

static const mr_schema *find_schema(lua_State *L, const char *name)
{
    const mr_schemas *schemas = mr_lua_of(L)->schemas;
    if (schemas == NULL) {
        (void)luaL_error(L, "a %s cannot be made while app.lua is loaded, only in handlers", name);
    }
    const mr_schema *schema = mr_schemas_find(schemas, mr_bytes_text(name));
    if (schema == NULL) {
        const char *nearest = mr_schemas_nearest(schemas, name);
        (void)luaL_error(L, "there is no schema '%s'%s%s%s", name,
                         nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                         nearest == NULL ? "" : "'?");
    }
    if (mr_schema_type(schema)->kind != MR_TYPE_RECORD) {
        (void)luaL_error(L, "'%s' is no record", name);
    }
    return schema;
}

/* Replaces the value at index 1 by a new table with its entries. */
static void copy_entries(lua_State *L)
{
    mr_lua_content(L, 1);
    lua_newtable(L);
    lua_pushnil(L);
    size_t n = 0;
    while (lua_next(L, 2) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, 3);
        n++;
    }
    mr_lua_charge(L, n);
    lua_replace(L, 1);
    lua_settop(L, 1);
}

/* The same for the fields of a record. */
static void copy_fields(lua_State *L, mr_lua_proxy *proxy)
{
    const mr_type *type = proxy->type->type;
    if (type->kind != MR_TYPE_RECORD) {
        (void)luaL_error(L, "a record is made of a table or another record, not of a %s",
                         proxy->type->name);
    }
    uint8_t *value = mr_lua_proxy_live(L, proxy);
    lua_createtable(L, 0, (int)type->n_fields);
    for (size_t i = 0; i < type->n_fields; i++) {
        lua_pushstring(L, type->fields[i].name);
        mr_lua_proxy_push_below(L, proxy, value + type->fields[i].offset, i);
        lua_rawset(L, -3);
    }
    lua_replace(L, 1);
}

/* Upvalue: the schema, or until it is first called its name. */
static int construct(lua_State *L)
{
    lua_settop(L, 1);
    if (lua_type(L, lua_upvalueindex(1)) == LUA_TSTRING) {
        const mr_schema *found = find_schema(L, lua_tostring(L, lua_upvalueindex(1)));
        lua_pushlightuserdata(L, (void *)(uintptr_t)found);
        lua_replace(L, lua_upvalueindex(1));
    }
    const mr_schema *schema = lua_touserdata(L, lua_upvalueindex(1));
    mr_lua_proxy *proxy = mr_lua_proxy_at(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    } else if (proxy != NULL) {
        copy_fields(L, proxy);
    } else {
        luaL_checktype(L, 1, LUA_TTABLE);
        if (mr_lua_is_frozen(L, 1) || mr_lua_tag_of(L, 1) != NULL) {
            copy_entries(L);
        } else if (lua_getmetatable(L, 1)) {
            return luaL_error(L, "a %s is made of a table without a metatable",
                              mr_schema_short_name(schema));
        }
    }
    mr_lua_tag(L, 1, schema);
    return 1;
}

/* __index of the table of constructors: makes the one that is asked for. */
static int make_constructor(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    if (name == NULL) {
        return luaL_error(L, "schemas have names, not a %s", luaL_typename(L, 2));
    }
    if (mr_lua_of(L)->schemas != NULL) {
        (void)find_schema(L, name);
    }
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, construct, 1);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, constructors_key);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return 1;
}

void mr_lua_event_check(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, constructors_key);
    const int keys = mr_lua_sorted_keys(L, -1);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, keys, (lua_Integer)i);
        (void)find_schema(L, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

static int refuse_write(lua_State *L)
{
    return luaL_error(L, "constructors of records cannot be set");
}

/* ---- reject ---- */

static int reject(lua_State *L)
{
    size_t len;
    const char *reason = luaL_checklstring(L, 1, &len);
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (len == 0 || len > REASON_MAX || strspn(reason, allowed) != len) {
        return luaL_error(L,
                          "a reason is one word for machines, such as \"not_found\"; the text for "
                          "people is the second argument of reject");
    }
    const char *text = luaL_optlstring(L, 2, "", &len);
    if (!mr_text_is_utf8(mr_bytes_of(text, len))) {
        return luaL_error(L, "the text of reject must be UTF-8");
    }
    lua_settop(L, 2);
    lua_createtable(L, 2, 0);
    lua_insert(L, 1);
    lua_rawseti(L, 1, 2);
    lua_rawseti(L, 1, 1);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, rejection_key);
    (void)lua_setmetatable(L, 1);
    return 1;
}

static bool is_rejection(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) {
        return false;
    }
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, rejection_key);
    const bool is = lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 2);
    return is;
}

void mr_lua_event_open(lua_State *L)
{
    lua_newtable(L); /* constructors, and what makes a missing one */
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, constructors_key);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, make_constructor);
    lua_setfield(L, -2, "__index");
    (void)lua_setmetatable(L, -2);
    /* What Lua code holds is a userdata, so that it can change none of this. */
    mr_lua_object *object = lua_newuserdatauv(L, sizeof(*object), 0);
    *object = MR_LUA_OTHER;
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    (void)lua_setmetatable(L, -2);
    static const char *const names[] = {"event", "command", "record"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        lua_pushvalue(L, -1);
        mr_lua_set_global(L, names[i]);
    }
    lua_pop(L, 2);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "rejection");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, rejection_key);
    lua_pushcfunction(L, reject);
    mr_lua_set_global(L, "reject");
}

/* ---- What decide returned ---- */

static int wrong_result(lua_State *L, int index)
{
    return luaL_error(L,
                      "decide returns events made by event.Name { ... }, a list of them, "
                      "reject(...) or nothing, not a %s",
                      is_rejection(L, index) ? "rejection among others" : luaL_typename(L, index));
}

static void read_event(lua_State *L, int index, mr_decision *decision)
{
    const mr_lua_proxy *proxy = mr_lua_proxy_at(L, index);
    const mr_schema *schema = proxy != NULL ? proxy->type->schema : mr_lua_tag_of(L, index);
    if (schema == NULL) {
        (void)wrong_result(L, index);
    }
    void *value = mr_decision_add(decision, schema);
    if (value == NULL) {
        (void)luaL_error(L, "decide returned more than %d events", (int)MR_EVENTS_MAX);
    }
    mr_lua_type *type = mr_lua_type_of(L, mr_schema_type(schema));
    const mr_lua_place place = {.field = type->name};
    mr_lua_convert(L, type, value, index, &place);
}

static void read_list(lua_State *L, int index, mr_decision *decision)
{
    mr_lua_content(L, index);
    const int list = lua_gettop(L);
    lua_Integer n = 0;
    lua_pushnil(L);
    while (lua_next(L, list) != 0) {
        lua_pop(L, 1);
        n++;
    }
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, list, i) == LUA_TNIL) {
            (void)luaL_error(L, "decide returned a table that is neither a list of events nor made "
                                "by event.Name { ... }");
        }
        read_event(L, list + 1, decision);
        lua_settop(L, list);
    }
}

static void read_rejection(lua_State *L, int index, mr_decision *decision)
{
    decision->rejected = true;
    (void)lua_rawgeti(L, index, 1);
    (void)lua_rawgeti(L, index, 2);
    mr_buf_append_bytes(&decision->reason, mr_lua_bytes(L, -2));
    if (lua_type(L, -1) == LUA_TSTRING) {
        mr_buf_append_bytes(&decision->text, mr_lua_bytes(L, -1));
    }
    lua_pop(L, 2);
}

void mr_lua_decision_read(lua_State *L, int first, mr_decision *decision)
{
    const int last = lua_gettop(L);
    luaL_checkstack(L, 10, "too many results");
    if (last == first && lua_isnil(L, first)) {
        return;
    }
    if (last == first && is_rejection(L, first)) {
        read_rejection(L, first, decision);
        return;
    }
    if (last == first && lua_istable(L, first) && mr_lua_tag_of(L, first) == NULL) {
        read_list(L, first, decision);
        return;
    }
    for (int i = first; i <= last; i++) {
        read_event(L, i, decision);
    }
}
