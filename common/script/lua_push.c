/* From typed values to Lua's own. */
#include "script/lua_convert.h"

bool mr_lua_is_scalar(const mr_type *type)
{
    return type->kind != MR_TYPE_RECORD && type->kind != MR_TYPE_ARRAY &&
           type->kind != MR_TYPE_MAP && type->kind != MR_TYPE_UNION;
}

void mr_lua_push_scalar(lua_State *L, const mr_type *type, const void *value)
{
    const char *symbol;
    switch (type->kind) {
    case MR_TYPE_BOOLEAN:
        lua_pushboolean(L, *(const bool *)value);
        return;
    case MR_TYPE_INT:
        lua_pushinteger(L, *(const int32_t *)value);
        return;
    case MR_TYPE_LONG:
        lua_pushinteger(L, *(const int64_t *)value);
        return;
    case MR_TYPE_FLOAT:
        lua_pushnumber(L, (lua_Number) * (const float *)value);
        return;
    case MR_TYPE_DOUBLE:
        lua_pushnumber(L, *(const double *)value);
        return;
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        mr_lua_push_bytes(L, mr_string_bytes(value));
        return;
    case MR_TYPE_FIXED:
        lua_pushlstring(L, value, type->fixed_size);
        return;
    case MR_TYPE_ENUM:
        symbol = type->symbols[*(const int32_t *)value];
        lua_pushstring(L, symbol);
        return;
    default:
        lua_pushnil(L);
        return;
    }
}

void mr_lua_push_copy(lua_State *L, const mr_type *type, const void *value)
{
    if (mr_lua_is_scalar(type)) {
        mr_lua_push_scalar(L, type, value);
        return;
    }
    if (type->kind == MR_TYPE_UNION) {
        const int branch = ((const mr_union *)value)->branch;
        mr_lua_push_copy(L, type->branches[branch], (const uint8_t *)value + type->payload);
        return;
    }
    luaL_checkstack(L, 4, "value is nested too deep");
    if (type->kind == MR_TYPE_RECORD) {
        lua_createtable(L, 0, (int)type->n_fields);
        for (size_t i = 0; i < type->n_fields; i++) {
            const mr_field *field = &type->fields[i];
            lua_pushstring(L, field->name);
            mr_lua_push_copy(L, field->type, (const uint8_t *)value + field->offset);
            lua_rawset(L, -3);
        }
        return;
    }
    const mr_array *array = value;
    lua_createtable(L, type->kind == MR_TYPE_ARRAY ? (int)array->len : 0, 0);
    for (size_t i = 0; i < array->len; i++) {
        const uint8_t *item = mr_array_at(type, array, i);
        if (type->kind == MR_TYPE_MAP) {
            mr_lua_push_bytes(L, mr_string_bytes((const mr_string *)(const void *)item));
            mr_lua_push_copy(L, type->items, item + type->entry_value);
            lua_rawset(L, -3);
        } else {
            mr_lua_push_copy(L, type->items, item);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
    }
}
