/*
 * native = "match.so", settings = { rules = 1000 }: a stage whose handlers are in a shared object
 * (mr/native.h). Both are field readers of a stage.
 */
#pragma once

#include "script/lua_field.h"

/* After all other fields but the handlers: the object is checked against them. */
void mr_lua_read_native(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target);
void mr_lua_read_native_settings(const mr_lua_reader *reader, const mr_lua_at *at,
                                 const mr_lua_field *field, void *target);
/* Once the stage is read: settings that the object needs must be there. */
void mr_lua_check_native(const mr_lua_reader *reader, const mr_lua_at *at, const mr_stage *stage);
