/*
 * stores = { totals = { key = "string", value = "Total", topic = "totals" } }: the tables that a
 * project stage keeps.
 */
#pragma once

#include "script/lua_field.h"

/* The field reader of a stage. */
void mr_lua_read_stores(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target);
