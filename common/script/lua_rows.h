/*
 * The rows that the running call has looked at: each is the root of its proxies. A change of a row
 * through its store ends the proxies of what was there before.
 */
#pragma once

#include "script/lua_proxy.h"

typedef struct mr_lua_row mr_lua_row;

typedef struct mr_lua_rows {
    mr_lua_row **made; /* all ever made, for reuse; the first n are of the running call */
    uint32_t *prints;  /* a checksum of each one's store and key: most comparisons end there */
    size_t n;
    size_t n_made;
    size_t capacity;
} mr_lua_rows;

/* The root of the row `key` of a store, made when it is new; its value may be NULL: not known. */
mr_lua_root *mr_lua_rows_get(mr_lua_rows *rows, size_t store, mr_bytes key);
/* Ends all of them, when the call has returned. */
void mr_lua_rows_clear(mr_lua_rows *rows);
void mr_lua_rows_deinit(mr_lua_rows *rows);
