/*
 * One Lua state with its limits: what it may allocate, how much work one call may do.
 *
 * Everything that runs Lua goes through mr_lua_run, which protects it: no Lua error ever crosses a
 * function of this layer that returns mr_status. Inside a protected call C code may be left by a
 * Lua error at any API call, so it holds nothing that would leak: memory belongs to mr_lua, to a
 * userdata, or to the caller of the handler.
 *
 * Work is counted in units of one VM instruction. Library functions whose own loops are not seen by
 * the instruction hook charge for what they do. The count is exact and repeatable, so a record that
 * is stopped once is stopped in every replay.
 */
#pragma once

#include <lauxlib.h>
#include <lua.h>

#include <mr/schema.h>

#include "script/lua_app.h"

enum {
    MR_LUA_INSTRUCTIONS = 1000000,
    MR_LUA_MEMORY = 64 << 20,
    MR_LUA_SOURCE_MAX = 1 << 20, /* bytes of one Lua file */
    MR_LUA_LOAD_FACTOR = 10,     /* loading app.lua may do that many times what one call may */
};

typedef enum mr_lua_limit {
    MR_LUA_WITHIN = 0,
    MR_LUA_INSTRUCTION_LIMIT,
    MR_LUA_MEMORY_LIMIT,
    MR_LUA_FAILURE, /* of something below a C function: a store that cannot be read, a record that
                     * is too large to send. Not the app's to catch either. */
} mr_lua_limit;

typedef struct mr_lua {
    lua_State *L;
    mr_lua_limits limits;
    const char *directory;     /* of the app; borrowed */
    const mr_schemas *schemas; /* of the app; NULL until they are loaded */
    /* Memory. */
    size_t used;
    size_t churn; /* bytes allocated by the running call, freed ones too */
    /* Work. */
    int64_t granted;
    int64_t fuel;
    mr_lua_limit limit; /* that the running call has hit */
    mr_error failure;   /* with MR_LUA_FAILURE */
    bool loading;       /* app.lua is running: `require` reads files, globals may be set */
    /* Scratch memory of C functions, so that a Lua error leaks nothing. */
    mr_buf scratch;
    struct mr_lua_types *types;     /* lua_type.h */
    struct mr_lua_session *session; /* lua_session.h: what the running handler call sees */
} mr_lua;

/* Never fails but by the memory limit: MR_ERR_USAGE. `limits` is copied, zeros become defaults. */
mr_status mr_lua_new(const char *directory, const mr_lua_limits *limits, mr_lua **ret_lua,
                     mr_error *err) MR_MUST_USE;
void mr_lua_free(mr_lua *lua);
MR_DEFINE_CLEANUP(mr_lua, mr_lua_free)

static inline mr_lua *mr_lua_of(lua_State *L)
{
    return *(mr_lua **)lua_getextraspace(L);
}

/*
 * Calls `body` protected, with `argument` as its light userdata; the stack is as before afterwards.
 * Failure: MR_ERR_HANDLER, class "handler" (something raised) or "limit".
 */
mr_status mr_lua_run(mr_lua *lua, lua_CFunction body, void *argument, int64_t instructions,
                     mr_error *err) MR_MUST_USE;

/* For C functions that Lua calls. */
void mr_lua_charge(lua_State *L, size_t units);
/* Whether an error that lua_pcall returned is a limit, which nobody but mr_lua_run may catch. */
bool mr_lua_is_limit(lua_State *L, int pcall_status);
/* Ends the call with `err`, which a C function got from below: mr_lua_run returns it as it is, with
 * the line of the app before its message. */
int mr_lua_raise(lua_State *L, const mr_error *err);

/* Pushes the chunk of a file ("app.lua", shown so in messages), its environment not yet set. Within
 * a protected call. */
void mr_lua_load_file(lua_State *L, const char *directory, const char *name);

static inline void mr_lua_push_bytes(lua_State *L, mr_bytes bytes)
{
    lua_pushlstring(L, (const char *)bytes.data, bytes.len);
}
/* The bytes of the string at `index`; it must be one. Valid while the string is on the stack. */
static inline mr_bytes mr_lua_bytes(lua_State *L, int index)
{
    size_t len = 0;
    const char *text = lua_tolstring(L, index, &len);
    return mr_bytes_of(text, len);
}
