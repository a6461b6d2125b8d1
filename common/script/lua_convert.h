/*
 * From Lua values to typed ones, checked against the schema, and back.
 *
 * Conversion reads tables without calling anything of the app: no metamethod can change a table
 * under it. What it reads is bounded by the schema's depth and by the tables themselves.
 */
#pragma once

#include "script/lua_type.h"

/* Where in a value a mistake is: a chain on the C stack, the root last. */
typedef struct mr_lua_place {
    const struct mr_lua_place *above;
    const struct mr_lua_proxy *proxy; /* the root of the chain is a proxy's place, or */
    const char *field;                /* a name, or */
    mr_bytes key;                     /* of a map, or */
    size_t index;                     /* from 1 */
} mr_lua_place;

/* Fills `target`, a value in its initial state, from the Lua value at `index`. Raises
 * "Cart.Items[2] .Quantity: expected int, got string"; the target is then partly filled. */
void mr_lua_convert(lua_State *L, mr_lua_type *type, void *target, int index,
                    const mr_lua_place *place);

/* Whether a value of the type is set in place, all or nothing, by mr_lua_convert. */
bool mr_lua_is_scalar(const mr_type *type);

/* Pushes a scalar or string; not for unions, records, lists and maps. */
void mr_lua_push_scalar(lua_State *L, const mr_type *type, const void *value);
/* Pushes a deep copy as plain tables. */
void mr_lua_push_copy(lua_State *L, const mr_type *type, const void *value);

/* Raises "<place>: <format>". */
int mr_lua_place_error(lua_State *L, const mr_lua_place *place, const char *format, ...);
/* Pushes "; did you mean 'x'?" or "". */
const char *mr_lua_suggestion(lua_State *L, const char *text, const char *const *names, size_t n,
                              size_t stride);

/* The same for the fields of a record. */
const char *mr_lua_field_suggestion(lua_State *L, const mr_type *record, const char *text);

/*
 * Tables tagged with a schema by `event.Name { ... }`. The tag is the table's metatable, which Lua
 * code cannot see.
 */
void mr_lua_tag(lua_State *L, int index, const mr_schema *schema);
const mr_schema *mr_lua_tag_of(lua_State *L, int index); /* NULL: none */
