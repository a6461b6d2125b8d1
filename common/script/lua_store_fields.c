#include "script/lua_store_fields.h"

#include <stdlib.h>

#include <lauxlib.h>

enum { STORES_MAX = 14 };

/* "string", "long" or a list of these. */
static void read_key(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                     void *target)
{
    (void)field;
    lua_State *L = reader->L;
    mr_store_key *key = &((mr_store_spec *)target)->key;
    const bool single = lua_type(L, -1) == LUA_TSTRING;
    const size_t n = single ? 1 : lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
    if (n == 0 || n > MR_KEY_PARTS_MAX) {
        (void)mr_lua_at_error(reader, at,
                              "must be \"string\", \"long\" or a list of 1 to %d of these",
                              (int)MR_KEY_PARTS_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        if (single) {
            lua_pushvalue(L, -1);
        } else {
            (void)lua_rawgeti(L, -1, (lua_Integer)i + 1);
        }
        const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
        if (strcmp(kind, "string") != 0 && strcmp(kind, "long") != 0) {
            (void)mr_lua_at_error(reader, at,
                                  "part %d of a key is \"string\" or \"long\", not '%s'",
                                  (int)i + 1, kind);
        }
        key->kinds[key->n++] = *kind == 's' ? MR_KEY_STRING : MR_KEY_LONG;
        lua_pop(L, 1);
    }
}

void mr_lua_read_stores(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target)
{
    static const mr_lua_field fields[] = {
        {.name = "key", .read = read_key, .required = true},
        {.name = "value",
         .read = mr_lua_read_schema,
         .offset = offsetof(mr_store_spec, value),
         .required = true},
        {.name = "topic", .read = mr_lua_read_topic, .offset = offsetof(mr_store_spec, topic)},
    };
    static const mr_lua_field name_field = {.name = "name",
                                            .offset = offsetof(mr_store_spec, name)};
    (void)field;
    lua_State *L = reader->L;
    mr_stage *stage = target;
    const size_t n = mr_lua_read_names(reader, at);
    if (n == 0 || n > STORES_MAX) {
        (void)mr_lua_at_error(reader, at, "must have 1 to %d stores", (int)STORES_MAX);
    }
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        const mr_lua_at below = mr_lua_at_below(reader, at, lua_tostring(L, -1), 0);
        mr_store_spec *store =
            mr_stage_add_store(stage, "", NULL, (mr_store_key){.raw = false}, false);
        free(store->name);
        store->name = NULL;
        mr_lua_read_name(reader, &below, &name_field, store);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, -4);
        mr_lua_read_fields(reader, &below, fields, sizeof(fields) / sizeof(fields[0]), store);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}
