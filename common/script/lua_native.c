#include "script/lua_native.h"

#include <lauxlib.h>

#include <mr/native.h>

#include "core/alloc.h"
#include "runtime/native.h"

void mr_lua_read_native(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target)
{
    (void)field;
    lua_State *L = reader->L;
    if (lua_type(L, -1) != LUA_TSTRING) {
        (void)mr_lua_at_error(reader, at, "must be the file of a shared object, not a %s",
                              luaL_typename(L, -1));
    }
    mr_error err;
    if (mr_native_load(target, lua_tostring(L, -1), &err) != MR_OK) {
        (void)mr_lua_at_error(reader, at, "%s", err.message);
    }
}

void mr_lua_read_native_settings(const mr_lua_reader *reader, const mr_lua_at *at,
                                 const mr_lua_field *field, void *target)
{
    (void)field;
    mr_stage *stage = target;
    const mr_native *native = stage->native;
    if (native == NULL) {
        (void)mr_lua_at_error(reader, at, "only a stage with `native` has settings");
        return;
    }
    if (native->n_settings == 0) {
        (void)mr_lua_at_error(reader, at, "'%s' takes none", stage->native_file);
    }
    mr_lua_field fields[MR_NATIVE_SETTINGS_MAX];
    for (size_t i = 0; i < native->n_settings; i++) {
        const mr_native_setting *setting = &native->settings[i];
        fields[i] = (mr_lua_field){.name = setting->name,
                                   .read = mr_lua_read_int64,
                                   .offset = i * sizeof(stage->settings[0]),
                                   .required = true,
                                   .min = setting->min,
                                   .max = setting->max};
    }
    stage->settings = mr_alloc_zero(native->n_settings, sizeof(stage->settings[0]));
    mr_lua_read_fields(reader, at, fields, native->n_settings, stage->settings);
}

void mr_lua_check_native(const mr_lua_reader *reader, const mr_lua_at *at, const mr_stage *stage)
{
    if (stage->native != NULL && stage->native->n_settings > 0 && stage->settings == NULL) {
        const mr_lua_at below = mr_lua_at_below(reader, at, "settings", 0);
        (void)mr_lua_at_error(reader, &below, "is missing: '%s' needs %s", stage->native_file,
                              stage->native->settings[0].name);
    }
}
