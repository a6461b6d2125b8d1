#include "script/lua_convert.h"

#include <math.h>

#include "core/text.h"
#include "script/lua_freeze.h"
#include "script/lua_proxy.h"

enum {
    DEPTH_MAX = 64,
    BYTES_PER_UNIT = 16, /* copied in the work of one instruction: values are not on Lua's heap, and
                          * their memory is limited by the work it takes to fill it */
};

static const char *type_name(const mr_type *type)
{
    switch (type->kind) {
    case MR_TYPE_RECORD:
        return mr_lua_short_name(type->name);
    case MR_TYPE_ARRAY:
        return "a list";
    case MR_TYPE_MAP:
        return "a map";
    case MR_TYPE_UNION:
        return mr_type_optional(type) != NULL ? type_name(mr_type_optional(type)) : "a union";
    case MR_TYPE_ENUM:
    case MR_TYPE_FIXED:
    case MR_TYPE_STRING:
    case MR_TYPE_BYTES:
        return "string";
    default:
        return type->name;
    }
}

static int wrong_type(lua_State *L, const mr_type *type, int index, const mr_lua_place *place)
{
    const mr_lua_proxy *proxy = mr_lua_proxy_at(L, index);
    const mr_type *items = type->items;
    if (proxy == NULL) {
        return mr_lua_place_error(L, place, "expected %s, got %s", type_name(type),
                                  luaL_typename(L, index));
    }
    const mr_type *given = proxy->type->type;
    if (items != NULL && given->kind == type->kind) {
        return mr_lua_place_error(L, place, "expected %s of %s, got one of %s", type_name(type),
                                  type_name(items), type_name(given->items));
    }
    return mr_lua_place_error(L, place, "expected %s, got %s", type_name(type), type_name(given));
}

/* ---- Scalars ---- */

static lua_Integer to_integer(lua_State *L, const mr_type *type, int index,
                              const mr_lua_place *place)
{
    /* lua_tointegerx would take strings too. */
    if (lua_type(L, index) != LUA_TNUMBER) {
        (void)wrong_type(L, type, index, place);
    }
    int whole;
    const lua_Integer integer = lua_tointegerx(L, index, &whole);
    if (!whole) {
        (void)mr_lua_place_error(L, place,
                                 "expected %s, got %f, which has no whole value of 64 "
                                 "bits",
                                 type_name(type), lua_tonumber(L, index));
    }
    if (type->kind == MR_TYPE_INT && (integer < INT32_MIN || integer > INT32_MAX)) {
        (void)mr_lua_place_error(L, place, "%I does not fit an int (32 bits)", integer);
    }
    return integer;
}

static lua_Number to_number(lua_State *L, const mr_type *type, int index, const mr_lua_place *place)
{
    if (lua_type(L, index) != LUA_TNUMBER) {
        (void)wrong_type(L, type, index, place);
    }
    const lua_Number number = lua_tonumber(L, index);
    if (!isfinite(number)) {
        (void)mr_lua_place_error(L, place, "a %s must be a finite number", type_name(type));
    }
    if (type->kind == MR_TYPE_FLOAT && !isfinite((float)number)) {
        (void)mr_lua_place_error(L, place, "%f does not fit a float (32 bits)", number);
    }
    return number;
}

static void to_enum(lua_State *L, const mr_type *type, int32_t *target, mr_bytes text,
                    const mr_lua_place *place)
{
    const int symbol = mr_type_symbol(type, text);
    if (symbol < 0) {
        const char *name = (const char *)text.data;
        (void)mr_lua_place_error(
            L, place, "'%s' is no %s%s", name, mr_lua_short_name(type->name),
            mr_lua_suggestion(L, name, type->symbols, type->n_symbols, sizeof(type->symbols[0])));
    }
    *target = symbol;
}

/* string, bytes, fixed, enum */
static void convert_text(lua_State *L, const mr_type *type, void *target, int index,
                         const mr_lua_place *place)
{
    if (lua_type(L, index) != LUA_TSTRING) {
        (void)wrong_type(L, type, index, place);
    }
    const mr_bytes text = mr_lua_bytes(L, index);
    if (type->kind == MR_TYPE_ENUM) {
        to_enum(L, type, target, text, place);
        return;
    }
    if (type->kind == MR_TYPE_FIXED) {
        if (text.len != type->fixed_size) {
            (void)mr_lua_place_error(L, place, "expected %d bytes, got %d", (int)type->fixed_size,
                                     (int)text.len);
        }
        memcpy(target, text.data, text.len);
        return;
    }
    mr_lua_charge(L, text.len / BYTES_PER_UNIT);
    if (type->kind == MR_TYPE_STRING && !mr_text_is_utf8(text)) {
        (void)mr_lua_place_error(L, place, "a string must be UTF-8");
    }
    mr_string_set(target, text);
}

static void convert_scalar(lua_State *L, const mr_type *type, void *target, int index,
                           const mr_lua_place *place)
{
    switch (type->kind) {
    case MR_TYPE_NULL:
        if (!lua_isnil(L, index)) {
            (void)wrong_type(L, type, index, place);
        }
        return;
    case MR_TYPE_BOOLEAN:
        if (!lua_isboolean(L, index)) {
            (void)wrong_type(L, type, index, place);
        }
        *(bool *)target = lua_toboolean(L, index) != 0;
        return;
    case MR_TYPE_INT:
        *(int32_t *)target = (int32_t)to_integer(L, type, index, place);
        return;
    case MR_TYPE_LONG:
        *(int64_t *)target = to_integer(L, type, index, place);
        return;
    case MR_TYPE_FLOAT:
        *(float *)target = (float)to_number(L, type, index, place);
        return;
    case MR_TYPE_DOUBLE:
        *(double *)target = to_number(L, type, index, place);
        return;
    default:
        convert_text(L, type, target, index, place);
        return;
    }
}

/* ---- Records, lists, maps, from the table on top of the stack, which is left there ---- */

static void convert_at(lua_State *L, mr_lua_type *type, void *target, int index,
                       const mr_lua_place *place, int depth);

/* Of all fields that the schema does not have the first in bytewise order, so that the message does
 * not depend on the order of a table. */
static void raise_unknown_field(lua_State *L, const mr_lua_type *type, const mr_lua_place *place)
{
    mr_bytes unknown = MR_BYTES_NULL;
    lua_pushnil(L); /* keeps `unknown` alive */
    lua_pushnil(L);
    while (lua_next(L, -3) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING) {
            (void)mr_lua_place_error(L, place, "expected %s, got a table with a key that is a %s",
                                     type->name, luaL_typename(L, -1));
        }
        const mr_bytes name = mr_lua_bytes(L, -1);
        if (mr_lua_find_key(L, -1, type->keys, type->type->n_fields) < 0 &&
            (mr_bytes_is_null(unknown) || mr_bytes_compare(name, unknown) < 0)) {
            unknown = name;
            lua_copy(L, -1, -2);
        }
    }
    const mr_lua_place field = {
        .above = place, .field = mr_bytes_is_null(unknown) ? "?" : (const char *)unknown.data};
    (void)mr_lua_place_error(L, &field, "%s has no such field%s", type->name,
                             mr_lua_field_suggestion(L, type->type, field.field));
}

static void set_missing(lua_State *L, const mr_field *field, void *target,
                        const mr_lua_place *place)
{
    if (field->preset != NULL || field->type->kind == MR_TYPE_NULL) {
        return; /* the initial value is the default */
    }
    if (field->type->kind == MR_TYPE_UNION && field->type->null_branch >= 0) {
        mr_union_select(field->type, target, field->type->null_branch);
        return;
    }
    (void)mr_lua_place_error(L, place, "is missing");
}

static size_t count_keys(lua_State *L)
{
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        n++;
    }
    return n;
}

static void convert_field(lua_State *L, mr_lua_type *record, size_t field, void *target, int index,
                          const mr_lua_place *place, int depth)
{
    const mr_type *type = record->type->fields[field].type;
    if (mr_lua_is_scalar(type)) {
        convert_scalar(L, type, target, index, place);
    } else {
        convert_at(L, mr_lua_type_below(L, record, field), target, index, place, depth);
    }
}

static void convert_record(lua_State *L, mr_lua_type *type, void *target, const mr_lua_place *place,
                           int depth)
{
    const mr_type *record = type->type;
    const int table = lua_gettop(L);
    const int names = table + 1;
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, type->names);
    size_t n_found = 0;
    for (size_t i = 0; i < record->n_fields; i++) {
        const mr_field *field = &record->fields[i];
        const mr_lua_place field_place = {.above = place, .field = field->name};
        void *at = mr_field_at(record, target, i);
        (void)lua_rawgeti(L, names, (lua_Integer)i + 1);
        if (lua_rawget(L, table) == LUA_TNIL) {
            set_missing(L, field, at, &field_place);
        } else {
            n_found++;
            convert_field(L, type, i, at, names + 1, &field_place, depth);
        }
        lua_settop(L, names);
    }
    lua_settop(L, table);
    if (count_keys(L) != n_found) {
        raise_unknown_field(L, type, place);
    }
}

static void convert_list(lua_State *L, mr_lua_type *type, void *target, const mr_lua_place *place,
                         int depth)
{
    const int table = lua_gettop(L);
    mr_lua_type *items = mr_lua_type_below(L, type, 0);
    /* Not the length that Lua says: with holes that can be any of several. */
    const size_t n = count_keys(L);
    mr_lua_charge(L, n);
    for (size_t i = 0; i < n; i++) {
        const mr_lua_place item_place = {.above = place, .index = i + 1};
        if (lua_rawgeti(L, table, (lua_Integer)i + 1) == LUA_TNIL) {
            (void)mr_lua_place_error(L, place,
                                     "expected a list, got a table with other keys than "
                                     "1, 2, 3 without a hole");
        }
        convert_at(L, items, mr_array_push(type->type, target), table + 1, &item_place, depth);
        lua_settop(L, table);
    }
}

/* Entries are added in the table's order, which is never seen: a map keeps them sorted. But which
 * of several wrong entries is reported must not depend on it: the keys are sorted first. */
static void convert_map(lua_State *L, mr_lua_type *type, void *target, const mr_lua_place *place,
                        int depth)
{
    const int table = lua_gettop(L);
    mr_lua_type *items = mr_lua_type_below(L, type, 0);
    const int keys = mr_lua_sorted_keys(L, table);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 0; i < n; i++) {
        (void)lua_rawgeti(L, keys, (lua_Integer)i + 1);
        if (lua_type(L, -1) != LUA_TSTRING || !mr_text_is_utf8(mr_lua_bytes(L, -1))) {
            (void)mr_lua_place_error(L, place, "keys of a map are UTF-8 strings, not a %s",
                                     luaL_typename(L, -1));
        }
        const mr_bytes key = mr_lua_bytes(L, -1);
        const mr_lua_place entry_place = {.above = place, .key = key};
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, table);
        convert_at(L, items, mr_map_at(type->type, target, key), keys + 2, &entry_place, depth);
        lua_settop(L, keys);
    }
    lua_settop(L, table);
}

static void convert_table(lua_State *L, mr_lua_type *type, void *target, int index,
                          const mr_lua_place *place, int depth)
{
    if (lua_type(L, index) != LUA_TTABLE) {
        (void)wrong_type(L, type->type, index, place);
    }
    if (depth >= DEPTH_MAX) {
        (void)mr_lua_place_error(L, place, "tables are nested more than %d deep", (int)DEPTH_MAX);
    }
    const mr_schema *tag = mr_lua_tag_of(L, index);
    if (tag != NULL && type->type->kind == MR_TYPE_RECORD &&
        strcmp(mr_schema_name(tag), type->type->name) != 0) {
        (void)mr_lua_place_error(L, place, "expected %s, got %s", type->name,
                                 mr_schema_short_name(tag));
    }
    const int top = lua_gettop(L);
    luaL_checkstack(L, 8, "tables are nested too deep");
    mr_lua_charge(L, 4);
    mr_lua_content(L, index);
    if (type->type->kind == MR_TYPE_RECORD) {
        convert_record(L, type, target, place, depth + 1);
    } else if (type->type->kind == MR_TYPE_ARRAY) {
        convert_list(L, type, target, place, depth + 1);
    } else {
        convert_map(L, type, target, place, depth + 1);
    }
    lua_settop(L, top);
}

/* ---- Unions ---- */

static bool is_whole(lua_State *L, const mr_type *type, int index)
{
    int whole = 0;
    const lua_Integer integer =
        lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &whole) : 0;
    return whole && (type->kind == MR_TYPE_LONG || (integer >= INT32_MIN && integer <= INT32_MAX));
}

/* Whether a value of the Lua type can be one of the branch's type at all. */
static bool may_be(lua_State *L, const mr_type *branch, int index)
{
    const mr_lua_proxy *proxy = mr_lua_proxy_at(L, index);
    if (proxy != NULL) {
        return mr_lua_type_same(proxy->type, branch);
    }
    const mr_schema *tag = mr_lua_tag_of(L, index);
    switch (branch->kind) {
    case MR_TYPE_BOOLEAN:
        return lua_isboolean(L, index);
    case MR_TYPE_INT:
    case MR_TYPE_LONG:
        return is_whole(L, branch, index);
    case MR_TYPE_FLOAT:
    case MR_TYPE_DOUBLE:
        return lua_type(L, index) == LUA_TNUMBER;
    case MR_TYPE_ENUM:
        return lua_type(L, index) == LUA_TSTRING &&
               mr_type_symbol(branch, mr_lua_bytes(L, index)) >= 0;
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
    case MR_TYPE_FIXED:
        return lua_type(L, index) == LUA_TSTRING;
    case MR_TYPE_RECORD:
        return lua_type(L, index) == LUA_TTABLE &&
               (tag == NULL || strcmp(mr_schema_name(tag), branch->name) == 0);
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        return lua_type(L, index) == LUA_TTABLE;
    default:
        return lua_isnil(L, index);
    }
}

static void convert_union(lua_State *L, mr_lua_type *type, void *target, int index,
                          const mr_lua_place *place, int depth)
{
    const mr_type *of = type->type;
    const mr_type *optional = mr_type_optional(of);
    int chosen = -1;
    for (size_t i = 0; i < of->n_branches && chosen < 0; i++) {
        const bool is_null = of->branches[i]->kind == MR_TYPE_NULL;
        /* With one other branch than null its own message is the better one. */
        if (is_null ? lua_isnil(L, index) : optional != NULL || may_be(L, of->branches[i], index)) {
            chosen = lua_isnil(L, index) && !is_null ? -1 : (int)i;
        }
    }
    if (chosen < 0) {
        (void)mr_lua_place_error(L, place, "a %s fits no type of the union",
                                 luaL_typename(L, index));
    }
    mr_union_select(of, target, chosen);
    convert_at(L, mr_lua_type_below(L, type, (size_t)chosen), mr_union_payload(of, target), index,
               place, depth);
}

/* ---- All ---- */

static void convert_at(lua_State *L, mr_lua_type *type, void *target, int index,
                       const mr_lua_place *place, int depth)
{
    if (mr_lua_is_scalar(type->type)) {
        convert_scalar(L, type->type, target, index, place);
        return;
    }
    if (type->type->kind == MR_TYPE_UNION) {
        convert_union(L, type, target, index, place, depth);
        return;
    }
    mr_lua_proxy *proxy = mr_lua_proxy_at(L, index);
    if (proxy == NULL) {
        convert_table(L, type, target, index, place, depth);
        return;
    }
    if (!mr_lua_type_same(type, proxy->type->type)) {
        (void)wrong_type(L, type->type, index, place);
    }
    const void *source = mr_lua_proxy_live(L, proxy);
    mr_lua_charge(L, mr_value_bytes(type->type, source) / BYTES_PER_UNIT);
    mr_value_copy(type->type, target, source);
}

void mr_lua_convert(lua_State *L, mr_lua_type *type, void *target, int index,
                    const mr_lua_place *place)
{
    convert_at(L, type, target, lua_absindex(L, index), place, 0);
}
