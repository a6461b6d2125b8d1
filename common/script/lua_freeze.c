#include "script/lua_freeze.h"

#include "script/lua_code.h"
#include "script/lua_order.h"
#include "script/lua_sandbox.h"
#include "script/lua_state.h"
#include "script/lua_text.h"

/* The address is the key of the hidden content in a frozen table's metatable. */
static const char content_key[1];

/* ---- Frozen tables ---- */

static bool push_content(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    if (lua_rawgetp(L, -1, content_key) == LUA_TTABLE) {
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 2);
    return false;
}

void mr_lua_content(lua_State *L, int index)
{
    if (!push_content(L, index)) {
        lua_pushvalue(L, index);
    }
}

bool mr_lua_is_frozen(lua_State *L, int index)
{
    const bool frozen = push_content(L, index);
    lua_pop(L, frozen ? 1 : 0);
    return frozen;
}

static int refuse_write(lua_State *L)
{
    mr_lua_text(L, 2);
    return luaL_error(L,
                      "'%s' cannot be set: what app.lua has made does not change, because "
                      "handlers keep nothing between calls",
                      lua_tostring(L, -1));
}

/* __index of the content of a frozen table whose own metatable has a function for what is missing;
 * upvalues: the frozen table, the function. The content itself is never shown. */
static int index_missing(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

static int length_of_frozen(lua_State *L)
{
    mr_lua_content(L, 1);
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

/* The content answers, and what it does not have comes from where it came from before: the old
 * __index, on top of the stack, which is popped. */
static void set_index(lua_State *L, int table, int content, int hidden)
{
    lua_pushvalue(L, content);
    lua_setfield(L, hidden, "__index");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (lua_isfunction(L, -1)) {
        lua_pushvalue(L, table);
        lua_insert(L, -2);
        lua_pushcclosure(L, index_missing, 2);
    }
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    (void)lua_setmetatable(L, content);
}

static void move_entries(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
    lua_pushnil(L);
    while (lua_next(L, from) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, from); /* an existing entry may be cleared while walking */
    }
}

static void copy_entries(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

static void freeze_table(lua_State *L, int table)
{
    const int content = lua_gettop(L) + 1;
    const int hidden = content + 1;
    lua_newtable(L);
    lua_newtable(L);
    move_entries(L, table, content);
    if (lua_getmetatable(L, table)) {
        copy_entries(L, lua_gettop(L), hidden);
        lua_pop(L, 1);
    }
    lua_pushliteral(L, "__index");
    (void)lua_rawget(L, hidden);
    set_index(L, table, content, hidden);
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, hidden, "__newindex");
    lua_pushliteral(L, "__len");
    if (lua_rawget(L, hidden) == LUA_TNIL) {
        lua_pushcfunction(L, length_of_frozen);
        lua_setfield(L, hidden, "__len");
    }
    lua_pushvalue(L, content);
    lua_rawsetp(L, hidden, content_key);
    lua_settop(L, hidden);
    (void)lua_setmetatable(L, table);
    lua_settop(L, content - 1);
}

/* ---- Everything reachable ---- */

/* Appends the value on top of the stack to the list of what is to be looked at, unless it was. */
static void visit(lua_State *L, int list, int seen)
{
    if (lua_type(L, -1) != LUA_TTABLE && lua_type(L, -1) != LUA_TFUNCTION) {
        lua_pop(L, 1);
        return;
    }
    lua_pushvalue(L, -1);
    if (lua_rawget(L, seen) != LUA_TNIL) {
        lua_pop(L, 2);
        return;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, seen);
    lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
}

/* In a fixed order, so that of several mistakes the same one is told each time. */
static void visit_entries(lua_State *L, int table, int list, int seen)
{
    const int keys = mr_lua_sortable_keys(L, table);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, keys);
    for (lua_Integer i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, keys, i);
        (void)lua_rawget(L, table);
        visit(L, list, seen);
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        visit(L, list, seen);
        lua_pushvalue(L, -1);
        visit(L, list, seen);
    }
}

typedef struct checked_function {
    int index;
    const char *file;
    bool in_environment; /* its _ENV is the app's */
} checked_function;

static void refuse_assignment(lua_State *L, void *argument, int upvalue, int line)
{
    const checked_function *function = argument;
    const char *name = lua_getupvalue(L, function->index, upvalue + 1);
    (void)luaL_error(L,
                     "%s:%d: this function assigns '%s', a local outside of it: handlers keep "
                     "nothing between calls",
                     function->file, line, name == NULL ? "?" : name);
}

static void check_global(lua_State *L, void *argument, const mr_lua_global_use *use)
{
    const checked_function *function = argument;
    if (!function->in_environment) {
        return;
    }
    mr_lua_push_environment(L);
    mr_lua_content(L, -1);
    lua_pushstring(L, use->name);
    const bool exists = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 3);
    if (use->assigned) {
        (void)luaL_error(L,
                         "%s:%d: this function assigns the global '%s': handlers keep nothing "
                         "between calls",
                         function->file, use->line, use->name);
    }
    if (!exists) {
        mr_lua_unknown_global(L, use->name);
        (void)luaL_error(L, "%s:%d: %s", function->file, use->line, lua_tostring(L, -1));
    }
}

/* Whether an upvalue of the function is the environment. */
static bool has_environment(lua_State *L, int function)
{
    mr_lua_push_environment(L);
    bool has = false;
    for (int i = 1; !has && lua_getupvalue(L, function, i) != NULL; i++) {
        has = lua_rawequal(L, -1, -2) != 0;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return has;
}

/* What a function of the app would do wrong whenever it is called. */
static void check_function(lua_State *L, int index)
{
    if (lua_iscfunction(L, index)) {
        if (mr_lua_is_iterator(lua_tocfunction(L, index))) {
            (void)luaL_error(L, "an iterator was kept, which would go on between calls: call "
                                "pairs or gmatch where it is used");
        }
        return;
    }
    lua_Debug info;
    lua_pushvalue(L, index);
    (void)lua_getinfo(L, ">S", &info);
    checked_function function = {.index = index,
                                 .file = lua_pushstring(L, info.short_src),
                                 .in_environment = has_environment(L, index)};
    const mr_lua_code_visitor visitor = {
        .assigned = refuse_assignment, .global = check_global, .argument = &function};
    mr_lua_code_visit(L, index, &visitor);
    lua_pop(L, 1);
}

static void visit_upvalues(lua_State *L, int function, int list, int seen)
{
    for (int i = 1; lua_getupvalue(L, function, i) != NULL; i++) {
        visit(L, list, seen);
    }
}

void mr_lua_freeze(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 20, "freezing");
    lua_newtable(L);
    const int list = lua_gettop(L);
    lua_newtable(L);
    const int seen = lua_gettop(L);
    const int object = seen + 1;
    lua_pushvalue(L, index);
    visit(L, list, seen);
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
        if (lua_type(L, object) == LUA_TFUNCTION) {
            check_function(L, object);
            visit_upvalues(L, object, list, seen);
        } else if (!mr_lua_is_frozen(L, object)) {
            visit_entries(L, object, list, seen);
            if (lua_getmetatable(L, object)) {
                visit_entries(L, object + 1, list, seen);
            }
            lua_settop(L, object);
            freeze_table(L, object);
        }
        lua_settop(L, seen);
    }
    lua_settop(L, list - 1);
}
