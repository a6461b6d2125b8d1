#include "script/lua_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/file.h"
#include "script/lua_sandbox.h"
#include "script/lua_text.h"
#include "script/lua_type.h"

enum {
    /* The hook runs this often; it costs nothing that could be measured from here on. */
    HOOK_PERIOD = 1000,
    /* No string or table part is larger than this share of the heap: comparing and copying strings
     * is one instruction, whatever their length. */
    BLOCK_SHARE = 8,
    /* What one call may allocate in all, as a multiple of the heap: the same for concatenation. */
    CHURN_FACTOR = 8,
};

/* ---- Memory ---- */

static void *allocate(void *argument, void *block, size_t old_size, size_t new_size)
{
    mr_lua *lua = argument;
    /* For a new block Lua passes the kind of object as its old size. */
    const size_t before = block == NULL ? 0 : old_size;
    if (new_size == 0) {
        free(block);
        lua->used -= before;
        return NULL;
    }
    if (new_size > before) {
        const size_t extra = new_size - before;
        const size_t heap = lua->limits.memory_bytes;
        if (new_size > heap / BLOCK_SHARE || lua->used + extra > heap ||
            lua->churn + extra > heap * CHURN_FACTOR) {
            return NULL;
        }
        lua->churn += extra;
    }
    void *grown = realloc(block, new_size);
    if (grown == NULL && new_size <= before) {
        grown = block; /* Lua relies on shrinking. */
    }
    if (grown != NULL) {
        lua->used += new_size - before;
    }
    return grown;
}

/* ---- Work ---- */

static void stop_at_next_instruction(lua_State *L)
{
    lua_sethook(L, lua_gethook(L), LUA_MASKCOUNT, 1);
}

/* Level 0 is the Lua function that a hook interrupts, level 1 the one that called a C function. */
static int raise_instruction_limit(lua_State *L, int level)
{
    mr_lua *lua = mr_lua_of(L);
    if (lua->limit == MR_LUA_WITHIN) { /* else what is unwinding is stopped by it, too */
        lua->limit = MR_LUA_INSTRUCTION_LIMIT;
    }
    lua->fuel = 0;
    stop_at_next_instruction(L);
    luaL_where(L, level);
    return lua_error(L);
}

static void count_hook(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    mr_lua *lua = mr_lua_of(L);
    const int period = lua_gethookcount(L);
    lua->fuel -= period;
    if (lua->fuel <= 0) {
        (void)raise_instruction_limit(L, 0);
    }
}

void mr_lua_charge(lua_State *L, size_t units)
{
    mr_lua *lua = mr_lua_of(L);
    if (units >= (size_t)INT64_MAX || lua->fuel <= (int64_t)units) {
        (void)raise_instruction_limit(L, 1);
    }
    lua->fuel -= (int64_t)units;
}

bool mr_lua_is_limit(lua_State *L, int pcall_status)
{
    mr_lua *lua = mr_lua_of(L);
    if (pcall_status == LUA_ERRMEM && lua->limit == MR_LUA_WITHIN) {
        lua->limit = MR_LUA_MEMORY_LIMIT;
        lua->fuel = 0;
        stop_at_next_instruction(L);
    }
    return lua->limit != MR_LUA_WITHIN;
}

int mr_lua_raise(lua_State *L, const mr_error *err)
{
    mr_lua *lua = mr_lua_of(L);
    lua->limit = MR_LUA_FAILURE;
    lua->failure = *err;
    lua->fuel = 0;
    stop_at_next_instruction(L);
    luaL_where(L, 1);
    return lua_error(L);
}

/* ---- Running ---- */

/* "name.lua:12: " at the beginning. */
static bool has_place(const char *text)
{
    const char *colon = strchr(text, ':');
    return colon != NULL && colon - text > 4 && strncmp(colon - 4, ".lua", 4) == 0;
}

/* Turns whatever was raised into text, with the line of the app that was running, while the call
 * that raised it is still there. */
static int to_message(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        mr_lua_text(L, 1);
        lua_replace(L, 1);
    }
    lua_settop(L, 1);
    if (has_place(lua_tostring(L, 1))) {
        return 1;
    }
    lua_Debug info;
    for (int level = 1; lua_getstack(L, level, &info) != 0; level++) {
        (void)lua_getinfo(L, "Sl", &info);
        if (info.currentline > 0) {
            lua_pushfstring(L, "%s:%d: ", info.short_src, info.currentline);
            lua_insert(L, 1);
            lua_concat(L, 2);
            return 1;
        }
    }
    return 1;
}

static mr_status limit_error(const mr_lua *lua, mr_error *err)
{
    if (lua->limit == MR_LUA_MEMORY_LIMIT) {
        return mr_error_record(err, MR_ERR_HANDLER, "limit",
                               "stopped: the call needs more than the memory limit of %zu bytes",
                               lua->limits.memory_bytes);
    }
    /* What was raised is the place, "app.lua:12: ", unless that did not fit into memory either. */
    const char *where = lua_type(lua->L, -1) == LUA_TSTRING ? lua_tostring(lua->L, -1) : "";
    if (strncmp(where, "not enough", 10) == 0) {
        where = "";
    }
    if (lua->limit == MR_LUA_FAILURE) {
        *err = lua->failure;
        (void)snprintf(err->message, sizeof(err->message), "%.100s%.370s", where,
                       lua->failure.message);
        return err->status;
    }
    return mr_error_record(err, MR_ERR_HANDLER, "limit",
                           "%sstopped: the call runs longer than the limit of %lld instructions",
                           where, (long long)lua->granted);
}

static mr_status run_error(mr_lua *lua, int status, mr_error *err)
{
    lua_State *L = lua->L;
    if (mr_lua_is_limit(L, status)) {
        return limit_error(lua, err);
    }
    /* Not a string only when the message handler itself failed. */
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error in error";
    return mr_error_record(err, MR_ERR_HANDLER, "handler", "%s", text);
}

mr_status mr_lua_run(mr_lua *lua, lua_CFunction body, void *argument, int64_t instructions,
                     mr_error *err)
{
    lua_State *L = lua->L;
    const int top = lua_gettop(L);
    lua->limit = MR_LUA_WITHIN;
    lua->granted = instructions;
    lua->fuel = instructions;
    lua->churn = 0;
    const int period = instructions < HOOK_PERIOD ? (int)instructions : HOOK_PERIOD;
    lua_sethook(L, count_hook, LUA_MASKCOUNT, period);
    /* Functions without upvalues and light userdata are pushed without allocating. */
    lua_pushcfunction(L, to_message);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, argument);
    const int status = lua_pcall(L, 1, 0, top + 1);
    mr_status outcome = MR_OK;
    if (status != LUA_OK || lua->limit != MR_LUA_WITHIN) {
        outcome = run_error(lua, status, err);
    }
    lua_settop(L, top);
    if (lua->limit == MR_LUA_MEMORY_LIMIT) {
        (void)lua_gc(L, LUA_GCCOLLECT);
    }
    return outcome;
}

void mr_lua_load_file(lua_State *L, const char *directory, const char *name)
{
    mr_lua *lua = mr_lua_of(L);
    const char *path = lua_pushfstring(L, "%s/%s", directory, name);
    mr_buf_clear(&lua->scratch);
    mr_error err;
    const mr_status status = mr_file_read(path, MR_LUA_SOURCE_MAX, &lua->scratch, &err);
    if (status == MR_NOT_FOUND) {
        luaL_error(L, "there is no file '%s'", path);
    }
    if (status != MR_OK) {
        (void)mr_lua_raise(L, &err);
    }
    const char *chunk_name = lua_pushfstring(L, "@%s", name);
    /* "t": text only, precompiled code could break out of the sandbox. */
    const int loaded =
        luaL_loadbufferx(L, mr_buf_text(&lua->scratch), lua->scratch.len, chunk_name, "t");
    if (loaded != LUA_OK) {
        if (loaded == LUA_ERRSYNTAX && !has_place(lua_tostring(L, -1))) {
            (void)luaL_error(L, "%s:1: %s", name, lua_tostring(L, -1));
        }
        (void)lua_error(L);
    }
    lua_insert(L, -3);
    lua_pop(L, 2);
}

/* ---- Making ---- */

mr_status mr_lua_new(const char *directory, const mr_lua_limits *limits, mr_lua **ret_lua,
                     mr_error *err)
{
    MR_CLEANUP(mr_lua_freep) mr_lua *lua = mr_alloc_zero(1, sizeof(*lua));
    lua->limits = *limits;
    if (lua->limits.instructions <= 0) {
        lua->limits.instructions = MR_LUA_INSTRUCTIONS;
    }
    if (lua->limits.memory_bytes == 0) {
        lua->limits.memory_bytes = MR_LUA_MEMORY;
    }
    lua->directory = directory;
    lua->types = mr_lua_types_new();
    lua->L = lua_newstate(allocate, lua);
    if (lua->L == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "a Lua state does not fit into %zu bytes",
                            lua->limits.memory_bytes);
    }
    *(mr_lua **)lua_getextraspace(lua->L) = lua;
    MR_TRY(mr_lua_run(lua, mr_lua_sandbox_open, NULL, MR_LUA_INSTRUCTIONS, err));
    *ret_lua = MR_STEAL(&lua);
    return MR_OK;
}

void mr_lua_free(mr_lua *lua)
{
    if (lua == NULL) {
        return;
    }
    if (lua->L != NULL) {
        lua_close(lua->L);
    }
    mr_lua_types_free(lua->types);
    mr_buf_deinit(&lua->scratch);
    free(lua);
}
