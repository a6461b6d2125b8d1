#include "app/definition.h"

#include "core/text.h"
#include "runtime/native.h"

mr_lua_limits mr_definition_limits(const mr_settings *settings, const mr_log *log)
{
    return (mr_lua_limits){.instructions = settings->app.lua_instructions,
                           .memory_bytes = (size_t)settings->app.lua_memory_bytes,
                           .log = log};
}

mr_status mr_definition_load(const char *directory, const mr_lua_limits *limits,
                             const mr_kind *const *kinds, mr_app **ret_app, mr_error *err)
{
    mr_app *loaded = NULL;
    MR_TRY(mr_lua_app_load(directory, limits, &loaded, err));
    MR_CLEANUP(mr_app_freep) mr_app *app = loaded;
    MR_TRY(mr_app_prepare(app, kinds, err));
    MR_TRY(mr_native_check(app, err));
    *ret_app = MR_STEAL(&app);
    return MR_OK;
}

mr_status mr_definition_handler(void *limits, const mr_stage *stage, mr_handler **ret_handler,
                                mr_error *err)
{
    return mr_lua_handler_new(stage, limits, ret_handler, err);
}

mr_status mr_definition_stage(const mr_app *app, const char *name, const mr_stage **ret_stage,
                              mr_error *err)
{
    *ret_stage = mr_app_stage(app, name);
    if (*ret_stage != NULL) {
        return MR_OK;
    }
    const char *nearest = app->n_stages == 0
                              ? NULL
                              : mr_text_nearest(name, (const char *const *)&app->stages[0].name,
                                                app->n_stages, sizeof(app->stages[0]));
    return mr_error_set(err, MR_ERR_USAGE, "app '%s' has no stage '%.80s'%s%s%s", app->name, name,
                        nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "'?");
}
