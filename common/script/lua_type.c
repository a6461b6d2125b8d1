#include "script/lua_type.h"

#include <stdlib.h>

/* uthash would end the process by exit(); core/alloc.h says why and aborts. */
#define uthash_malloc(size) mr_alloc(size)
#define uthash_fatal(message) abort()
#include "core/hash.h"

#include "core/alloc.h"
#include "script/lua_proxy.h"

struct mr_lua_type_entry {
    const mr_type *key;
    mr_lua_type *type;
    UT_hash_handle hh;
};

/* Lua interns strings up to this length (LUAI_MAXSHORTLEN). */
enum { INTERNED_MAX = 40 };

mr_lua_types *mr_lua_types_new(void)
{
    return mr_alloc_zero(1, sizeof(mr_lua_types));
}

void mr_lua_types_free(mr_lua_types *types)
{
    if (types == NULL) {
        return;
    }
    struct mr_lua_type_entry *entry;
    struct mr_lua_type_entry *next_entry;
    HASH_ITER(hh, types->by_type, entry, next_entry)
    {
        HASH_DEL(types->by_type, entry);
        free(entry);
    }
    for (mr_lua_type *type = types->first; type != NULL;) {
        mr_lua_type *next = type->next;
        mr_value_free(type->type, type->scratch);
        free(type->below);
        free(type->keys);
        free(type->places);
        free(type->pool);
        free(type);
        type = next;
    }
    free(types);
}

const char *mr_lua_short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

int mr_lua_intern(lua_State *L, const char *const *names, size_t n, size_t stride,
                  const char **ret_keys)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        const char *name = *(const char *const *)(const void *)((const char *)names + i * stride);
        ret_keys[i] = lua_pushstring(L, name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

int mr_lua_find_key(lua_State *L, int index, const char *const *keys, size_t n)
{
    if (lua_type(L, index) != LUA_TSTRING) {
        return -1;
    }
    size_t len;
    const char *name = lua_tolstring(L, index, &len);
    for (size_t i = 0; i < n; i++) {
        if (keys[i] == name) {
            return (int)i;
        }
    }
    for (size_t i = 0; len > INTERNED_MAX && i < n; i++) {
        if (strlen(keys[i]) == len && memcmp(keys[i], name, len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Whether a value of the type is a proxy in Lua, at least sometimes. */
static bool has_proxy(const mr_type *type)
{
    switch (type->kind) {
    case MR_TYPE_RECORD:
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        return true;
    case MR_TYPE_UNION:
        for (size_t i = 0; i < type->n_branches; i++) {
            if (has_proxy(type->branches[i])) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

/* Lists, maps and unions with proxies below: their parts are gone when the value is replaced. A
 * record's own fields are places that stay. */
static bool holds_parts(const mr_type *type)
{
    if (type->kind == MR_TYPE_UNION) {
        return has_proxy(type);
    }
    for (size_t i = 0; type->kind == MR_TYPE_RECORD && i < type->n_fields; i++) {
        if (holds_parts(type->fields[i].type)) {
            return true;
        }
    }
    return type->kind == MR_TYPE_ARRAY || type->kind == MR_TYPE_MAP;
}

static mr_lua_type *new_type(mr_lua *lua, const mr_type *type)
{
    mr_lua_type *made = mr_alloc_zero(1, sizeof(*made));
    made->type = type;
    made->metatable = LUA_NOREF;
    made->holds_parts = holds_parts(type);
    made->next = lua->types->first;
    lua->types->first = made;
    size_t n_below = 1;
    if (type->kind == MR_TYPE_RECORD) {
        made->name = mr_lua_short_name(type->name);
        made->schema =
            lua->schemas == NULL ? NULL : mr_schemas_find(lua->schemas, mr_bytes_text(type->name));
        n_below = type->n_fields;
        made->keys = mr_alloc_zero(n_below, sizeof(made->keys[0]));
        made->places = mr_alloc_zero(n_below, sizeof(made->places[0]));
        for (size_t i = 0; i < n_below; i++) {
            made->places[i] = (uint32_t)made->n_children;
            made->n_children += has_proxy(type->fields[i].type) ? 1 : 0;
        }
    } else if (type->kind == MR_TYPE_UNION) {
        made->name = "union";
        n_below = type->n_branches;
    } else {
        made->name = type->kind == MR_TYPE_MAP ? "map" : "list";
        made->n_children = 1;
    }
    made->below = mr_alloc_zero(n_below, sizeof(made->below[0]));
    struct mr_lua_type_entry *entry = mr_alloc_zero(1, sizeof(*entry));
    entry->key = type;
    entry->type = made;
    HASH_ADD_PTR(lua->types->by_type, key, entry);
    return made;
}

mr_lua_type *mr_lua_type_of(lua_State *L, const mr_type *type)
{
    mr_lua *lua = mr_lua_of(L);
    struct mr_lua_type_entry *entry;
    HASH_FIND_PTR(lua->types->by_type, &type, entry);
    mr_lua_type *found = entry == NULL ? new_type(lua, type) : entry->type;
    /* The Lua parts can fail for want of memory; they are then made by the next call. */
    if (found->metatable == LUA_NOREF && type->kind != MR_TYPE_UNION) {
        if (type->kind == MR_TYPE_RECORD) {
            found->names = mr_lua_intern(L, (const char *const *)(const void *)type->fields,
                                         type->n_fields, sizeof(type->fields[0]), found->keys);
        }
        mr_lua_proxy_metatable(L, found);
        found->metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    return found;
}

mr_lua_type *mr_lua_type_below(lua_State *L, mr_lua_type *type, size_t i)
{
    if (type->below[i] == NULL) {
        const mr_type *below = type->type->kind == MR_TYPE_RECORD  ? type->type->fields[i].type
                               : type->type->kind == MR_TYPE_UNION ? type->type->branches[i]
                                                                   : type->type->items;
        type->below[i] = mr_lua_type_of(L, below);
    }
    return type->below[i];
}

/* ---- The same type, written in two schemas ---- */

/* Pairs that are being compared: in a recursive type they come again below themselves. */
typedef struct type_pair {
    const struct type_pair *above;
    const mr_type *a;
    const mr_type *b;
    size_t depth;
} type_pair;

static bool same_types(const mr_type *a, const mr_type *b, const type_pair *above);

static bool same_fields(const mr_type *a, const mr_type *b, const type_pair *pair)
{
    for (size_t i = 0; i < a->n_fields; i++) {
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
            a->fields[i].offset != b->fields[i].offset ||
            !same_types(a->fields[i].type, b->fields[i].type, pair)) {
            return false;
        }
    }
    return true;
}

static bool same_branches(const mr_type *a, const mr_type *b, const type_pair *pair)
{
    for (size_t i = 0; i < a->n_branches; i++) {
        if (!same_types(a->branches[i], b->branches[i], pair)) {
            return false;
        }
    }
    return a->payload == b->payload;
}

static bool same_symbols(const mr_type *a, const mr_type *b)
{
    for (size_t i = 0; i < a->n_symbols; i++) {
        if (strcmp(a->symbols[i], b->symbols[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_types(const mr_type *a, const mr_type *b, const type_pair *above)
{
    enum { DEPTH_MAX = 64 };
    const type_pair pair = {
        .above = above, .a = a, .b = b, .depth = above == NULL ? 0 : above->depth + 1};
    if (a == b) {
        return true;
    }
    for (const type_pair *seen = above; seen != NULL; seen = seen->above) {
        if (seen->a == a && seen->b == b) {
            return true;
        }
    }
    if (pair.depth == DEPTH_MAX || a->kind != b->kind || a->size != b->size ||
        a->n_fields != b->n_fields || a->n_branches != b->n_branches ||
        a->n_symbols != b->n_symbols || a->fixed_size != b->fixed_size ||
        strcmp(a->name, b->name) != 0) {
        return false;
    }
    if (a->kind == MR_TYPE_ARRAY || a->kind == MR_TYPE_MAP) {
        return a->stride == b->stride && a->entry_value == b->entry_value &&
               same_types(a->items, b->items, &pair);
    }
    return same_fields(a, b, &pair) && same_branches(a, b, &pair) && same_symbols(a, b);
}

bool mr_lua_type_same(mr_lua_type *type, const mr_type *other)
{
    enum { TWINS = sizeof(type->twins) / sizeof(type->twins[0]) };
    if (type->type == other) {
        return true;
    }
    for (size_t i = 0; i < TWINS; i++) {
        if (type->twins[i] == other) {
            return true;
        }
    }
    if (!same_types(type->type, other, NULL)) {
        return false;
    }
    type->twins[type->n_twins++ % TWINS] = other;
    return true;
}

void *mr_lua_type_scratch(mr_lua_type *type)
{
    if (type->scratch == NULL) {
        type->scratch = mr_value_new(type->type);
    } else {
        mr_value_reset(type->type, type->scratch);
    }
    return type->scratch;
}
