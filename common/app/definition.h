/* An app directory, loaded and complete, and the handlers of its stages. */
#pragma once

#include <mr/kind.h>

#include "app/settings.h"
#include "script/lua_app.h"

/* Loads app.lua and derives stores and topics. Everything about it was checked afterwards. */
mr_status mr_definition_load(const char *directory, const mr_lua_limits *limits,
                             const mr_kind *const *kinds, mr_app **ret_app,
                             mr_error *err) MR_MUST_USE;

/* The stage of that name; MR_ERR_USAGE with a did-you-mean. */
mr_status mr_definition_stage(const mr_app *app, const char *name, const mr_stage **ret_stage,
                              mr_error *err) MR_MUST_USE;

/* `log` is borrowed; it is where `log(...)` of handlers goes. */
mr_lua_limits mr_definition_limits(const mr_settings *settings, const mr_log *log);

/* An mr_handler_factory; `limits` is an mr_lua_limits. Any thread. */
mr_status mr_definition_handler(void *limits, const mr_stage *stage, mr_handler **ret_handler,
                                mr_error *err);
