/*
 * fold { into = "totals", set = { Count = count(), Sum = sum("Amount") } }: what a project stage's
 * `on` may have in the place of a function. C runs it (mr/fold.h).
 *
 * fold and its operators are globals only while app.lua runs, so that a handler that says `max` or
 * `count` by mistake is still told that there is no such thing.
 */
#pragma once

#include "script/lua_field.h"

/* Within a protected call: add the globals before app.lua runs, and take them away after it. One
 * that the app has set itself stays. */
void mr_lua_fold_open(lua_State *L);
void mr_lua_fold_close(lua_State *L);
bool mr_lua_is_fold_global(const char *name);

/* What the value at `index` was declared by: "fold", "sum", ...; NULL: none of these. */
const char *mr_lua_declared(lua_State *L, int index);

/* Makes the stage's fold for records of `event` of the declaration at the top of the stack. */
void mr_lua_fold_read(const mr_lua_reader *reader, const mr_lua_at *at, mr_stage *stage,
                      const mr_schema *event);
