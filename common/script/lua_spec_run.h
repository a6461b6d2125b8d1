/* One spec from its table to its verdict. */
#pragma once

#include "script/lua_spec_impl.h"

/* A body for mr_lua_run: runs the spec whose table is in the registry. What is not as it is
 * expected makes it a failed one. */
typedef struct mr_spec_request {
    mr_spec *spec;
    int ref;
} mr_spec_request;
int mr_spec_body(lua_State *L);
