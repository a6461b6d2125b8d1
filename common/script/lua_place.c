/* Where in a value a mistake is, for messages. */
#include <stdio.h>

#include "core/text.h"
#include "script/lua_convert.h"
#include "script/lua_proxy.h"

static void add_place(luaL_Buffer *buffer, const mr_lua_place *place)
{
    if (place->above != NULL) {
        add_place(buffer, place->above);
    }
    char number[32];
    if (place->proxy != NULL) {
        mr_lua_proxy_path(buffer->L, place->proxy);
        luaL_addvalue(buffer);
    } else if (place->field != NULL) {
        if (place->above != NULL) {
            luaL_addchar(buffer, '.');
        }
        luaL_addstring(buffer, place->field);
    } else if (!mr_bytes_is_null(place->key)) {
        luaL_addstring(buffer, "[\"");
        luaL_addlstring(buffer, (const char *)place->key.data, place->key.len);
        luaL_addstring(buffer, "\"]");
    } else {
        (void)snprintf(number, sizeof(number), "[%zu]", place->index);
        luaL_addstring(buffer, number);
    }
}

int mr_lua_place_error(lua_State *L, const mr_lua_place *place, const char *format, ...)
{
    luaL_where(L, 1);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    add_place(&buffer, place);
    luaL_pushresult(&buffer);
    lua_pushliteral(L, ": ");
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    lua_concat(L, 4);
    return lua_error(L);
}

const char *mr_lua_suggestion(lua_State *L, const char *text, const char *const *names, size_t n,
                              size_t stride)
{
    const char *nearest = mr_text_nearest(text, names, n, stride);
    return nearest == NULL ? lua_pushliteral(L, "")
                           : lua_pushfstring(L, "; did you mean '%s'?", nearest);
}

const char *mr_lua_field_suggestion(lua_State *L, const mr_type *record, const char *text)
{
    return record->n_fields == 0 ? ""
                                 : mr_lua_suggestion(L, text, &record->fields[0].name,
                                                     record->n_fields, sizeof(record->fields[0]));
}
