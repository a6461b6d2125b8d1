/*
 * What a Lua state knows of a schema's types: the metatable of their proxies, and the field names
 * as Lua's own interned strings, so that finding a field is comparing pointers.
 */
#pragma once

#include <lua.h>

#include <mr/value.h>

#include "script/lua_state.h"

typedef struct mr_lua_type mr_lua_type;
struct mr_lua_type {
    const mr_type *type;
    const mr_schema *schema; /* of a named record that the app knows; NULL */
    const char *name;        /* for people: "CartItem", "list", "map" */
    mr_lua_type **below;     /* fields, the items, or branches; made when first needed */
    const char **keys;       /* record: field names, interned and anchored */
    uint32_t *places;        /* record: a field's place among the children of a proxy */
    size_t n_children;       /* of a proxy: values below it that are proxies themselves */
    int metatable;           /* in the registry, as */
    int names;               /* the list of field names */
    bool holds_parts;        /* replacing a value of it can end proxies of what was below */
    /* Proxies made so far, for reuse by every call. */
    struct mr_lua_proxy **pool;
    size_t n_pool;
    size_t n_used; /* by call number `call` */
    uint64_t call;
    void *scratch;           /* a value of the type to convert into, NULL until needed */
    const mr_type *twins[4]; /* other types that were found to be the same, the last ones */
    size_t n_twins;
    mr_lua_type *next;
};

/* All types of one state. */
typedef struct mr_lua_types {
    mr_lua_type *first;
    struct mr_lua_type_entry *by_type;
} mr_lua_types;

mr_lua_types *mr_lua_types_new(void);
void mr_lua_types_free(mr_lua_types *types);

/* Within a protected call. */
mr_lua_type *mr_lua_type_of(lua_State *L, const mr_type *type);
mr_lua_type *mr_lua_type_below(lua_State *L, mr_lua_type *type, size_t i);
/* Whether values of the other type can be copied to it: every schema has types of its own for the
 * lists, maps and records it uses, also where another one uses the same. */
bool mr_lua_type_same(mr_lua_type *type, const mr_type *other);
/* A value of the type in its initial state; the next caller gets the same one. */
void *mr_lua_type_scratch(mr_lua_type *type);

/* Interns and anchors `n` names: keys[i] is then what lua_tostring gives for the same text, if it
 * has at most 40 bytes. Returns the list of them, in the registry. */
int mr_lua_intern(lua_State *L, const char *const *names, size_t n, size_t stride,
                  const char **ret_keys);
/* The index of the string at `index` in keys, -1. */
int mr_lua_find_key(lua_State *L, int index, const char *const *keys, size_t n);

/* The last part of a full name. */
const char *mr_lua_short_name(const char *name);
