#include "script/lua_sandbox.h"

#include <lualib.h>

#include "script/lua_convert.h"
#include "script/lua_fold.h"
#include "script/lua_freeze.h"
#include "script/lua_order.h"
#include "script/lua_string.h"
#include "script/lua_table.h"
#include "script/lua_text.h"

/* Keys in the registry. */
static const char environment_key[1];
static const char loaded_key[1];

/* ---- Catching errors: everything but limits ---- */

static int finish_pcall(lua_State *L, int status, int first)
{
    if (status != LUA_OK && mr_lua_is_limit(L, status)) {
        return lua_error(L);
    }
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, first);
    return lua_gettop(L) - first + 1;
}

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    const int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    return finish_pcall(L, status, 1);
}

/* Upvalue: the app's own handler. It does not see limits: an error that a hook raises is handled
 * with hooks switched off, so nothing would stop it. */
static int handle_error(lua_State *L)
{
    lua_settop(L, 1);
    if (mr_lua_of(L)->limit == MR_LUA_WITHIN) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, 1, 1);
    }
    return 1;
}

static int base_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    const int n_arguments = lua_gettop(L) - 2;
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle_error, 1);
    lua_replace(L, 2);
    lua_pushvalue(L, 1);
    lua_insert(L, 3);
    const int status = lua_pcall(L, n_arguments, LUA_MULTRET, 2);
    return finish_pcall(L, status, 3);
}

/* ---- Tables without metamethods ---- */

static int base_rawget(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    lua_settop(L, 2);
    mr_lua_content(L, 1);
    lua_pushvalue(L, 2);
    (void)lua_rawget(L, 3);
    return 1;
}

static int base_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    if (mr_lua_is_frozen(L, 1)) {
        return luaL_error(L, "what app.lua has made does not change, because handlers keep nothing "
                             "between calls");
    }
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 1;
}

static int base_rawlen(lua_State *L)
{
    luaL_argexpected(L, lua_istable(L, 1) || lua_type(L, 1) == LUA_TSTRING, 1, "table or string");
    if (lua_istable(L, 1)) {
        mr_lua_content(L, 1);
    }
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
    return 1;
}

/* ---- Text ---- */

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    mr_lua_text(L, 1);
    return 1;
}

static int base_type(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushstring(L, mr_lua_type_name(L, 1));
    return 1;
}

static int base_print(lua_State *L)
{
    return luaL_error(L, "there is no print: log(...) writes to the debug log, and `millrace test` "
                         "shows it");
}

static int base_log(lua_State *L)
{
    const int n = lua_gettop(L);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (int i = 1; i <= n; i++) {
        if (i > 1) {
            luaL_addchar(&buffer, ' ');
        }
        mr_lua_text(L, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    luaL_where(L, 1);
    const mr_log *log = mr_lua_of(L)->limits.log;
    if (log != NULL) {
        mr_log_debug(log, "%s%s", lua_tostring(L, -1), lua_tostring(L, -2));
    }
    return 0;
}

/* ---- Files of the app ---- */

static void run_chunk(lua_State *L, const char *directory, const char *name)
{
    mr_lua_load_file(L, directory, name);
    mr_lua_push_environment(L);
    if (lua_setupvalue(L, -2, 1) == NULL) {
        lua_pop(L, 1); /* a chunk without any global name */
    }
    lua_call(L, 0, 1);
}

void mr_lua_run_file(lua_State *L, const char *directory, const char *name)
{
    run_chunk(L, directory, name);
}

static const char *check_module_name(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (len == 0 || strspn(name, allowed) != len) {
        (void)luaL_error(L,
                         "require takes the name of a Lua file in the app's directory: letters, "
                         "digits, _ and -, not '%s'",
                         name);
    }
    return name;
}

static int base_require(lua_State *L)
{
    const char *name = check_module_name(L);
    mr_lua *lua = mr_lua_of(L);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, loaded_key);
    const int loaded = lua_gettop(L);
    if (lua_getfield(L, loaded, name) == LUA_TLIGHTUSERDATA) {
        return luaL_error(L, "'%s' requires itself", name);
    }
    if (!lua_isnil(L, -1)) {
        return 1;
    }
    if (!lua->loading) {
        return luaL_error(L, "require works only while app.lua is loaded: call it at the beginning "
                             "of the file");
    }
    lua_pushlightuserdata(L, lua); /* a mark: being loaded */
    lua_setfield(L, loaded, name);
    run_chunk(L, lua->directory, lua_pushfstring(L, "%s.lua", name));
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, loaded, name);
    return 1;
}

/* ---- The environment ---- */

void mr_lua_push_environment(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, environment_key);
}

void mr_lua_set_global(lua_State *L, const char *name)
{
    mr_lua_push_environment(L);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* Every name of the environment, for a suggestion. */
static const char *nearest_global(lua_State *L, const char *name)
{
    mr_lua_push_environment(L);
    mr_lua_content(L, -1);
    const int keys = mr_lua_sorted_keys(L, -1);
    const size_t n = (size_t)lua_rawlen(L, keys);
    const char **names = lua_newuserdatauv(L, (n + 1) * sizeof(*names), 0);
    size_t n_names = 0;
    for (size_t i = 1; i <= n; i++) {
        if (lua_rawgeti(L, keys, (lua_Integer)i) == LUA_TSTRING) {
            names[n_names++] = lua_tostring(L, -1); /* the list keeps it alive */
        }
        lua_pop(L, 1);
    }
    return mr_lua_suggestion(L, name, names, n_names, sizeof(names[0]));
}

void mr_lua_unknown_global(lua_State *L, const char *name)
{
    static const char absent[] =
        " io os debug coroutine load loadstring loadfile dofile collectgarbage ";
    const char *padded = lua_pushfstring(L, " %s ", name);
    if (strstr(absent, padded) != NULL) {
        lua_pushfstring(L,
                        "there is no '%s': handlers depend on their record and state only, so "
                        "that a replay gives the same",
                        name);
    } else if (mr_lua_is_fold_global(name)) {
        lua_pushfstring(
            L, "there is no '%s' in handlers: it declares a fold, while app.lua is loaded", name);
    } else {
        lua_pushfstring(L, "there is no global '%s'%s", name, nearest_global(L, name));
    }
}

static int unknown_global(lua_State *L)
{
    mr_lua_text(L, 2);
    mr_lua_unknown_global(L, lua_tostring(L, -1));
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

/* From the library's table at the top of the stack to the environment's at `target`. */
static void copy_functions(lua_State *L, const char *const *names, int target)
{
    for (; *names != NULL; names++) {
        (void)lua_getfield(L, -1, *names);
        lua_setfield(L, target, *names);
    }
}

static int absent_function(lua_State *L)
{
    return luaL_error(L, "this function is not there: handlers depend on their record and state "
                         "only, so that a replay gives the same");
}

static void add_absent(lua_State *L, const char *name, int table)
{
    lua_pushcfunction(L, absent_function);
    lua_setfield(L, table, name);
}

static void charge_functions(lua_State *L, const char *const *names, int table)
{
    for (; *names != NULL; names++) {
        (void)lua_getfield(L, table, *names);
        lua_pushcclosure(L, mr_lua_charged, 1);
        lua_setfield(L, table, *names);
    }
}

static void open_base(lua_State *L, int environment)
{
    static const char *const kept[] = {"assert",   "error",    "ipairs", "select",
                                       "tonumber", "rawequal", NULL};
    static const luaL_Reg own[] = {
        {"pcall", base_pcall},
        {"xpcall", base_xpcall},
        {"rawget", base_rawget},
        {"rawset", base_rawset},
        {"rawlen", base_rawlen},
        {"tostring", base_tostring},
        {"type", base_type},
        {"print", base_print},
        {"log", base_log},
        {"require", base_require},
        {"pairs", mr_lua_pairs},
        {"next", mr_lua_next},
        {"setmetatable", mr_lua_setmetatable},
        {"getmetatable", mr_lua_getmetatable},
        {NULL, NULL},
    };
    luaL_requiref(L, LUA_GNAME, luaopen_base, 0);
    copy_functions(L, kept, environment);
    lua_pop(L, 1);
    lua_pushvalue(L, environment);
    luaL_setfuncs(L, own, 0);
    lua_pop(L, 1);
}

/* Strings answer methods from the string table of the environment. */
static void set_string_methods(lua_State *L, int table)
{
    lua_pushliteral(L, "");
    (void)lua_getmetatable(L, -1);
    lua_pushvalue(L, table);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

static void open_libraries(lua_State *L, int environment)
{
    static const char *const strings[] = {"byte", "char", "len",      "lower",  "upper",  "reverse",
                                          "sub",  "pack", "packsize", "unpack", "format", NULL};
    static const char *const charged_strings[] = {"byte", "lower", "upper", "reverse", "sub", NULL};
    static const char *const tables[] = {"concat", "pack", "unpack", NULL};
    static const char *const numbers[] = {
        "abs", "ceil", "floor", "max", "min",  "fmod",       "modf",       "sqrt",      "exp",
        "log", "sin",  "cos",   "tan", "asin", "acos",       "atan",       "tointeger", "type",
        "ult", "pi",   "huge",  "deg", "rad",  "maxinteger", "mininteger", NULL};
    static const char *const texts[] = {"char", "charpattern", "codepoint", "codes",
                                        "len",  "offset",      NULL};
    static const char *const charged_texts[] = {"codepoint", "len", "offset", NULL};
    const struct {
        const char *name;
        lua_CFunction open;
        const char *const *functions;
    } libraries[] = {{LUA_STRLIBNAME, luaopen_string, strings},
                     {LUA_TABLIBNAME, luaopen_table, tables},
                     {LUA_MATHLIBNAME, luaopen_math, numbers},
                     {LUA_UTF8LIBNAME, luaopen_utf8, texts}};
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        lua_newtable(L);
        const int table = lua_gettop(L);
        luaL_requiref(L, libraries[i].name, libraries[i].open, 0);
        copy_functions(L, libraries[i].functions, table);
        lua_pop(L, 1);
        if (libraries[i].functions == numbers) {
            add_absent(L, "random", table);
            add_absent(L, "randomseed", table);
        } else if (libraries[i].functions == strings) {
            add_absent(L, "dump", table);
            mr_lua_string_open(L, table);
            charge_functions(L, charged_strings, table);
            set_string_methods(L, table);
        } else if (libraries[i].functions == tables) {
            mr_lua_table_open(L, table);
        } else if (libraries[i].functions == texts) {
            charge_functions(L, charged_texts, table);
        }
        lua_setfield(L, environment, libraries[i].name);
    }
}

int mr_lua_sandbox_open(lua_State *L)
{
    lua_newtable(L);
    const int environment = lua_gettop(L);
    lua_pushvalue(L, environment);
    lua_rawsetp(L, LUA_REGISTRYINDEX, environment_key);
    open_base(L, environment);
    open_libraries(L, environment);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, loaded_key);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, unknown_global);
    lua_setfield(L, -2, "__index");
    (void)lua_setmetatable(L, environment);
    return 0;
}
