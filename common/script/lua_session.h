/*
 * What the running handler call sees. Everything in it is made anew by a call or ends with it, so
 * that nothing of one record is there when the next one comes.
 */
#pragma once

#include "script/lua_proxy.h"
#include "script/lua_rows.h"

#define MR_LUA_RETURNED "the handler has returned"

typedef struct mr_lua_session {
    uint64_t call_number;
    const mr_stage *stage;
    mr_handler_group group;
    mr_call *call; /* NULL between calls */
    mr_lua_root input;
    mr_lua_root state;
    mr_lua_rows rows;
    mr_buf key;   /* of a row; */
    mr_buf to;    /* where a scan ends, */
    mr_buf found; /* and the keys it finds */
} mr_lua_session;

static inline mr_lua_session *mr_lua_session_of(lua_State *L)
{
    return mr_lua_of(L)->session;
}
