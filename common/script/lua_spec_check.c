/* What is expected of a spec, against what the driver has. */
#include <stdlib.h>

#include "core/alloc.h"
#include "script/lua_freeze.h"
#include "script/lua_spec_impl.h"

static void *decode(mr_spec *spec, const mr_record *record, const mr_schema **ret_schema)
{
    mr_value_free(spec->decoded_type, spec->decoded);
    spec->decoded = NULL;
    mr_error err;
    if (mr_driver_decode(spec->driver, record, ret_schema, &spec->decoded, &err) != MR_OK) {
        (void)mr_spec_fail_error(spec, &err);
    }
    spec->decoded_type = mr_schema_type(*ret_schema);
    return spec->decoded;
}

static const char *json_of(const mr_type *type, const void *value, mr_buf *buf)
{
    mr_buf_clear(buf);
    mr_value_to_json(type, value, buf);
    return mr_buf_text(buf);
}

/* ---- Sent records ---- */

/* One line for each record of the topic, for messages. */
static const char *list_topic(mr_spec *spec, const char *topic)
{
    mr_buf_clear(&spec->text);
    const size_t n = mr_driver_count(spec->driver, topic);
    for (size_t i = 0; i < n; i++) {
        const mr_schema *schema;
        const void *value = decode(spec, mr_driver_record(spec->driver, topic, i), &schema);
        mr_buf_printf(&spec->text, "\n    %s %s", mr_schema_short_name(schema),
                      json_of(mr_schema_type(schema), value, &spec->actual_json));
    }
    return n == 0 ? " nothing" : mr_buf_text(&spec->text);
}

static void check_one_sent(mr_spec *spec, const char *topic, size_t i, int expected)
{
    const mr_schema *wanted;
    const void *wanted_value = mr_spec_record(spec, expected, topic, &wanted);
    const mr_schema *schema;
    const void *value = decode(spec, mr_driver_record(spec->driver, topic, i), &schema);
    const mr_type *type = mr_schema_type(wanted);
    if (mr_schema_type(schema) == type && mr_value_equal(type, wanted_value, value)) {
        return;
    }
    (void)mr_spec_fail(
        spec, "%s, record %d:\n  expected %s %s\n  actual   %s %s", topic, (int)i + 1,
        mr_schema_short_name(wanted), json_of(type, wanted_value, &spec->expected_json),
        mr_schema_short_name(schema), json_of(mr_schema_type(schema), value, &spec->actual_json));
}

void mr_spec_check_sent(mr_spec *spec, const char *topic, int list)
{
    lua_State *L = spec->L;
    spec->n_expectations++;
    if (!lua_istable(L, list)) {
        (void)mr_spec_fail(spec, "%s: expected is a list of records, not a %s", topic,
                           luaL_typename(L, list));
    }
    const size_t n = mr_driver_count(spec->driver, topic);
    const size_t n_expected = (size_t)lua_rawlen(L, list);
    for (size_t i = 0; i < n && i < n_expected; i++) {
        (void)lua_rawgeti(L, list, (lua_Integer)i + 1);
        check_one_sent(spec, topic, i, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (n != n_expected) {
        (void)mr_spec_fail(spec, "%s: expected %d records, there are %d:%s", topic, (int)n_expected,
                           (int)n, list_topic(spec, topic));
    }
}

/* ---- Partial comparison of tables and values ---- */

typedef struct difference {
    mr_spec *spec;
    const mr_type *whole_type;
    const void *whole;
} difference;

static int differs(const difference *d, const mr_lua_place *place, const char *format, ...)
{
    lua_State *L = d->spec->L;
    va_list arguments;
    va_start(arguments, format);
    const char *text = lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    return mr_lua_place_error(L, place, "%s\n  actual %s", text,
                              json_of(d->whole_type, d->whole, &d->spec->actual_json));
}

static void compare(const difference *d, const mr_type *type, const void *value, int expected,
                    const mr_lua_place *place);

static void compare_scalar(const difference *d, const mr_type *type, const void *value,
                           int expected, const mr_lua_place *place)
{
    mr_lua_type *known = mr_lua_type_of(d->spec->L, type);
    void *wanted = mr_lua_type_scratch(known);
    mr_lua_convert(d->spec->L, known, wanted, expected, place);
    if (!mr_value_equal(type, wanted, value)) {
        mr_buf_clear(&d->spec->text);
        mr_value_to_json(type, value, &d->spec->text);
        (void)differs(d, place, "expected %s, is %s",
                      json_of(type, wanted, &d->spec->expected_json), mr_buf_text(&d->spec->text));
    }
}

static void compare_record(const difference *d, const mr_type *type, const void *value,
                           int expected, const mr_lua_place *place)
{
    lua_State *L = d->spec->L;
    const int keys = mr_lua_sorted_keys(L, expected);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, keys, (lua_Integer)i);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
        const int field = mr_type_field(type, mr_bytes_text(name));
        const mr_lua_place below = {.above = place, .field = name};
        if (field < 0) {
            (void)differs(d, &below, "%s has no such field%s", mr_lua_short_name(type->name),
                          mr_lua_field_suggestion(L, type, name));
        }
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, expected);
        compare(d, type->fields[field].type, (const uint8_t *)value + type->fields[field].offset,
                keys + 2, &below);
        lua_settop(L, keys);
    }
    lua_settop(L, keys - 1);
}

static void compare_list(const difference *d, const mr_type *type, const void *value, int expected,
                         const mr_lua_place *place)
{
    lua_State *L = d->spec->L;
    const mr_array *list = value;
    const size_t n = (size_t)lua_rawlen(L, expected);
    for (size_t i = 0; i < n && i < list->len; i++) {
        const mr_lua_place below = {.above = place, .index = i + 1};
        (void)lua_rawgeti(L, expected, (lua_Integer)i + 1);
        compare(d, type->items, mr_array_at(type, list, i), lua_gettop(L), &below);
        lua_pop(L, 1);
    }
    if (n != list->len) {
        (void)differs(d, place, "expected %d elements, there are %d", (int)n, (int)list->len);
    }
}

static void compare_map(const difference *d, const mr_type *type, const void *value, int expected,
                        const mr_lua_place *place)
{
    lua_State *L = d->spec->L;
    const int keys = mr_lua_sorted_keys(L, expected);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, keys, (lua_Integer)i);
        luaL_tolstring(L, -1, NULL);
        const mr_bytes key = mr_lua_bytes(L, -1);
        const mr_lua_place below = {.above = place, .key = key};
        const void *entry = mr_map_find(type, value, key);
        if (entry == NULL) {
            (void)differs(d, &below, "is not there");
        }
        lua_pushvalue(L, -2);
        (void)lua_rawget(L, expected);
        compare(d, type->items, entry, keys + 3, &below);
        lua_settop(L, keys);
    }
    lua_settop(L, keys - 1);
}

/* What the table at `expected` names is in the value; what it does not name may be anything. */
static void compare(const difference *d, const mr_type *type, const void *value, int expected,
                    const mr_lua_place *place)
{
    lua_State *L = d->spec->L;
    luaL_checkstack(L, 10, "tables are nested too deep");
    const mr_type *optional = mr_type_optional(type);
    if (optional != NULL && ((const mr_union *)value)->branch != type->null_branch) {
        compare(d, optional, (const uint8_t *)value + type->payload, expected, place);
        return;
    }
    if (optional != NULL || mr_lua_is_scalar(type) || type->kind == MR_TYPE_UNION) {
        compare_scalar(d, type, value, expected, place);
        return;
    }
    if (!lua_istable(L, expected)) {
        (void)differs(d, place, "expected a %s, is a %s", luaL_typename(L, expected),
                      type->kind == MR_TYPE_ARRAY ? "list" : mr_lua_short_name(type->name));
    }
    if (type->kind == MR_TYPE_RECORD) {
        compare_record(d, type, value, expected, place);
    } else if (type->kind == MR_TYPE_ARRAY) {
        compare_list(d, type, value, expected, place);
    } else {
        compare_map(d, type, value, expected, place);
    }
}

/* ---- Rows ---- */

/* The app's state in the row of an aggregate's store, which also has what the kind keeps there:
 * NULL when the row has none, or is no such row. */
static const void *state_in_row(const mr_stage *stage, const mr_type *row, const void *value,
                                const mr_type **ret_type)
{
    for (size_t i = 0; stage->state != NULL && i < row->n_fields; i++) {
        const mr_type *type = row->fields[i].type;
        const void *at = (const uint8_t *)value + row->fields[i].offset;
        if (mr_type_optional(type) == mr_schema_type(stage->state)) {
            const bool is_null = ((const mr_union *)at)->branch == type->null_branch;
            *ret_type = mr_schema_type(stage->state);
            return is_null ? NULL : (const uint8_t *)at + type->payload;
        }
    }
    return NULL;
}

static void check_value(mr_spec *spec, const char *what, const mr_stage *stage,
                        const mr_store_spec *store, mr_bytes key, int expected)
{
    lua_State *L = spec->L;
    spec->n_expectations++;
    const void *value = NULL;
    mr_error err;
    const size_t index = (size_t)(store - stage->stores);
    const mr_status status = mr_driver_row(spec->driver, stage, index, key, &value, &err);
    if (status < 0) {
        (void)mr_spec_fail_error(spec, &err);
    }
    const mr_type *type = mr_schema_type(store->value);
    if (status == MR_OK && stage->state != NULL) {
        value = state_in_row(stage, type, value, &type);
    }
    const bool exists = status == MR_OK && value != NULL;
    if (lua_isboolean(L, expected) && !lua_toboolean(L, expected)) {
        if (exists) {
            (void)mr_spec_fail(spec, "%s: expected nothing\n  actual %s", what,
                               json_of(type, value, &spec->actual_json));
        }
        return;
    }
    if (!exists) {
        (void)mr_spec_fail(spec, "%s: there is nothing", what);
    }
    const difference d = {.spec = spec, .whole_type = type, .whole = value};
    const mr_lua_place place = {.field = what};
    compare(&d, type, value, expected, &place);
}

void mr_spec_check_state(mr_spec *spec, int expected)
{
    const mr_store_spec *store = mr_stage_store(spec->stage, "state");
    if (spec->stage->state == NULL || store == NULL) {
        (void)mr_spec_fail(spec, "stage '%s' is no aggregate: it has no state", spec->stage->name);
    }
    check_value(spec, "state", spec->stage, store, spec->subject, expected);
}

/* The parts of a row's key follow the store's name in the entry. */
static mr_bytes read_key(mr_spec *spec, const mr_store_spec *store, int entry)
{
    lua_State *L = spec->L;
    const size_t n = (size_t)lua_rawlen(L, entry) - 1;
    const size_t n_parts = store->key.raw ? 1 : store->key.n;
    if (n != n_parts) {
        (void)mr_spec_fail(spec, "rows: store '%s' has keys of %d parts, not of %d", store->name,
                           (int)n_parts, (int)n);
    }
    mr_buf_clear(&spec->key);
    for (size_t i = 0; i < n; i++) {
        (void)lua_rawgeti(L, entry, (lua_Integer)i + 2);
        mr_key_part part = {.kind = store->key.raw ? MR_KEY_STRING : store->key.kinds[i]};
        const bool right =
            part.kind == MR_KEY_STRING ? lua_type(L, -1) == LUA_TSTRING : lua_isinteger(L, -1) != 0;
        if (!right) {
            (void)mr_spec_fail(spec, "rows: part %d of the key of store '%s' is a %s", (int)i + 1,
                               store->name, part.kind == MR_KEY_STRING ? "string" : "whole number");
        }
        if (part.kind == MR_KEY_STRING) {
            part.text = mr_lua_bytes(L, -1);
        } else {
            part.number = lua_tointeger(L, -1);
        }
        if (store->key.raw) {
            mr_buf_append_bytes(&spec->key, part.text);
        } else {
            mr_key_append(&spec->key, &part);
        }
        lua_pop(L, 1);
    }
    return mr_buf_bytes(&spec->key);
}

/* "store(key, key)" */
static const char *describe_row(mr_spec *spec, int entry)
{
    lua_State *L = spec->L;
    const lua_Integer n = (lua_Integer)lua_rawlen(L, entry);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = 1; i <= n; i++) {
        luaL_addstring(&buffer, i == 1 ? "" : i == 2 ? "(" : ", ");
        (void)lua_rawgeti(L, entry, i);
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
        luaL_addvalue(&buffer);
    }
    luaL_addchar(&buffer, ')');
    luaL_pushresult(&buffer);
    return lua_tostring(L, -1);
}

void mr_spec_check_row(mr_spec *spec, int entry)
{
    lua_State *L = spec->L;
    if (!lua_istable(L, entry) || lua_rawgeti(L, entry, 1) != LUA_TSTRING) {
        (void)mr_spec_fail(spec, "rows: an entry is { \"store\", key ..., expect = ... }");
    }
    const mr_stage *stage;
    const mr_store_spec *store;
    mr_error err;
    if (mr_app_find_store(spec->app, lua_tostring(L, -1), &stage, &store, &err) != MR_OK) {
        (void)mr_spec_fail_error(spec, &err);
    }
    if (mr_spec_field(spec, entry, "expect") == LUA_TNIL) {
        (void)mr_spec_fail(spec, "rows: store '%s': `expect` is missing", store->name);
    }
    const int expected = lua_gettop(L);
    const mr_bytes key = read_key(spec, store, entry);
    check_value(spec, describe_row(spec, entry), stage, store, key, expected);
}

/* ---- Answers ---- */

/* A field of the answer as text, "" when it has none. */
static const char *answer_field(mr_spec *spec, const mr_type *type, const void *value,
                                const char *name)
{
    const int field = mr_type_field(type, mr_bytes_text(name));
    if (field < 0) {
        return "";
    }
    mr_lua_push_copy(spec->L, type->fields[field].type,
                     (const uint8_t *)value + type->fields[field].offset);
    return lua_type(spec->L, -1) == LUA_TSTRING ? lua_tostring(spec->L, -1) : "";
}

void mr_spec_check_answer(mr_spec *spec)
{
    lua_State *L = spec->L;
    const char *results = spec->stage->results;
    const size_t n = results == NULL ? 0 : mr_driver_count(spec->driver, results);
    const bool wants_rejected = mr_spec_field(spec, spec->table, "rejected") != LUA_TNIL;
    const char *reason = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    const bool wants_no_change = mr_spec_field(spec, spec->table, "no_change") != LUA_TNIL;
    const bool wants_events = mr_spec_field(spec, spec->table, "expect") != LUA_TNIL &&
                              lua_istable(L, -1) && lua_rawlen(L, -1) > 0;
    if (!wants_rejected && !wants_no_change && !wants_events) {
        return;
    }
    spec->n_expectations += wants_events ? 0 : 1;
    if (n == 0) {
        if (spec->stage->state != NULL) {
            (void)mr_spec_fail(spec, "the command was not answered");
        }
        return;
    }
    const char *wanted = wants_rejected ? "rejected" : wants_no_change ? "no_change" : "accepted";
    const mr_schema *schema;
    const void *value = decode(spec, mr_driver_record(spec->driver, results, n - 1), &schema);
    const mr_type *type = mr_schema_type(schema);
    const char *outcome = answer_field(spec, type, value, "Outcome");
    const char *actual_reason = answer_field(spec, type, value, "Reason");
    if (strcmp(outcome, wanted) != 0 ||
        (wants_rejected && reason != NULL && strcmp(reason, actual_reason) != 0)) {
        (void)mr_spec_fail(spec, "expected the command to be %s%s%s\n  actual %s", wanted,
                           reason == NULL ? "" : ": ", reason == NULL ? "" : reason,
                           json_of(type, value, &spec->actual_json));
    }
}

/* ---- Dead letters ---- */

static mr_bytes header_of(const mr_record *record, const char *name)
{
    const mr_bytes value = mr_record_header(record, name);
    return mr_bytes_is_null(value) ? mr_bytes_text("?") : value;
}

static void check_dead_of(mr_spec *spec, const mr_stage *stage, size_t wanted)
{
    const size_t n = mr_driver_count(spec->driver, stage->dead_letters);
    if (n == wanted) {
        return;
    }
    mr_buf_clear(&spec->text);
    for (size_t i = 0; i < n; i++) {
        const mr_record *letter = mr_driver_record(spec->driver, stage->dead_letters, i);
        const mr_bytes word = header_of(letter, "__millrace.errors.class");
        const mr_bytes message = header_of(letter, "__millrace.errors.message");
        mr_buf_append_text(&spec->text, "\n    ");
        mr_buf_append_bytes(&spec->text, word);
        mr_buf_append_text(&spec->text, ": ");
        mr_buf_append_bytes(&spec->text, message);
    }
    (void)mr_spec_fail(spec, "%s: expected %d dead letters, there are %d:%s", stage->dead_letters,
                       (int)wanted, (int)n, mr_buf_text(&spec->text));
}

void mr_spec_check_dead(mr_spec *spec)
{
    lua_State *L = spec->L;
    const bool said = mr_spec_field(spec, spec->table, "dead") != LUA_TNIL;
    const int dead = lua_gettop(L);
    if (said && !lua_istable(L, dead)) {
        (void)mr_spec_fail(spec, "dead: must be { [\"topic\"] = number }");
    }
    size_t n_found = 0;
    for (size_t i = 0; i < spec->app->n_stages; i++) {
        const mr_stage *stage = &spec->app->stages[i];
        size_t wanted = 0;
        if (said && lua_getfield(L, dead, stage->dead_letters) != LUA_TNIL) {
            if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0) {
                (void)mr_spec_fail(spec, "dead: '%s' must be a number", stage->dead_letters);
            }
            wanted = (size_t)lua_tointeger(L, -1);
            n_found++;
            spec->n_expectations++;
        }
        check_dead_of(spec, stage, wanted);
        lua_settop(L, dead);
    }
    if (said) {
        const int keys = mr_lua_sorted_keys(L, dead);
        if ((size_t)lua_rawlen(L, keys) != n_found) {
            (void)mr_spec_fail(spec, "dead: it names a topic that is no stage's dead-letter topic");
        }
    }
    lua_settop(L, dead - 1);
}
