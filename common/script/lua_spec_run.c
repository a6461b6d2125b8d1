#include "script/lua_spec_run.h"

#include <stdlib.h>

#include "script/lua_freeze.h"

static const char *const spec_fields[] = {
    "stage", "subject",  "given",     "when", "as",   "expect", "state",
    "feed",  "rejected", "no_change", "rows", "sent", "dead",
};
static const char *const as_fields[] = {"id", "expected_version", "time", "type"};
static const char *const feed_fields[] = {"subject", "key",  "id",     "time", "expected_version",
                                          "type",    "json", "record", "value"};

/* ---- Reading ---- */

int mr_spec_fail(const mr_spec *spec, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(spec->L, format, arguments);
    va_end(arguments);
    return lua_error(spec->L);
}

int mr_spec_fail_error(const mr_spec *spec, const mr_error *err)
{
    return mr_spec_fail(spec, "%s", err->message);
}

int mr_spec_field(const mr_spec *spec, int table, const char *name)
{
    lua_pushstring(spec->L, name);
    return lua_rawget(spec->L, table);
}

/* Every name in the table is one of the fields; numbers are positions. */
static void check_fields(const mr_spec *spec, int table, const char *what,
                         const char *const *fields, size_t n_fields)
{
    lua_State *L = spec->L;
    const int keys = mr_lua_sorted_keys(L, table);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 1; i <= n; i++) {
        const bool is_name = lua_rawgeti(L, keys, (lua_Integer)i) == LUA_TSTRING;
        const char *name = is_name ? lua_tostring(L, -1) : NULL;
        bool known = !is_name;
        for (size_t k = 0; k < n_fields && !known; k++) {
            known = strcmp(name, fields[k]) == 0;
        }
        if (!known) {
            (void)mr_spec_fail(spec, "%s: unknown field '%s'%s", what, name,
                               mr_lua_suggestion(L, name, fields, n_fields, sizeof(fields[0])));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

const void *mr_spec_record(const mr_spec *spec, int index, const char *what,
                           const mr_schema **ret_schema)
{
    lua_State *L = spec->L;
    const mr_schema *schema = mr_lua_tag_of(L, index);
    if (schema == NULL) {
        (void)mr_spec_fail(spec, "%s: expected a record made by event.Name { ... }, got a %s", what,
                           luaL_typename(L, index));
    }
    mr_lua_type *type = mr_lua_type_of(L, mr_schema_type(schema));
    void *value = mr_lua_type_scratch(type);
    const mr_lua_place above = {.field = what};
    const mr_lua_place place = {.above = &above, .field = type->name};
    mr_lua_convert(L, type, value, index, &place);
    *ret_schema = schema;
    return value;
}

static mr_bytes text_field(const mr_spec *spec, int table, const char *name, mr_bytes preset)
{
    const int type = mr_spec_field(spec, table, name);
    if (type == LUA_TNIL) {
        return preset;
    }
    if (type != LUA_TSTRING) {
        (void)mr_spec_fail(spec, "%s: must be a text", name);
    }
    /* The table keeps it alive. */
    return mr_lua_bytes(spec->L, -1);
}

static int64_t number_field(const mr_spec *spec, int table, const char *name, int64_t preset)
{
    const int type = mr_spec_field(spec, table, name);
    if (type == LUA_TNIL) {
        return preset;
    }
    if (!lua_isinteger(spec->L, -1)) {
        (void)mr_spec_fail(spec, "%s: must be a whole number", name);
    }
    return lua_tointeger(spec->L, -1);
}

/* ---- Given and when ---- */

static mr_envelope envelope_of(const mr_spec *spec, const mr_schema *schema)
{
    return (mr_envelope){
        .type = mr_bytes_text(mr_schema_short_name(schema)),
        .source = mr_bytes_text("spec"),
        .subject = spec->subject,
        .sequence = MR_VERSION_NONE,
        .expected_version = MR_VERSION_NONE,
    };
}

static void give(mr_spec *spec, int index, size_t i)
{
    lua_State *L = spec->L;
    const mr_schema *schema;
    const void *value = mr_spec_record(spec, index, "given", &schema);
    mr_envelope envelope = envelope_of(spec, schema);
    lua_pushfstring(L, "%s/%d", (const char *)spec->subject.data, (int)i);
    envelope.id = mr_lua_bytes(L, -1);
    envelope.sequence = (int64_t)i;
    mr_error err;
    const mr_status status =
        spec->stage->state != NULL
            ? mr_driver_fold(spec->driver, spec->stage, &envelope, schema, value, &err)
            : mr_driver_step(spec->driver, spec->stage, &envelope, schema, value, &err);
    if (status != MR_OK) {
        (void)mr_spec_fail(spec, "given, record %d: %s", (int)i + 1, err.message);
    }
    lua_pop(L, 1);
}

static size_t give_all(mr_spec *spec)
{
    lua_State *L = spec->L;
    const int type = mr_spec_field(spec, spec->table, "given");
    const int list = lua_gettop(L);
    if (type == LUA_TNIL) {
        return 0;
    }
    if (type != LUA_TTABLE) {
        (void)mr_spec_fail(spec, "given: must be a list of records");
    }
    const size_t n = (size_t)lua_rawlen(L, list);
    for (size_t i = 0; i < n; i++) {
        (void)lua_rawgeti(L, list, (lua_Integer)i + 1);
        give(spec, lua_gettop(L), i);
        lua_settop(L, list);
    }
    return n;
}

static void read_as(const mr_spec *spec, mr_envelope *envelope)
{
    lua_State *L = spec->L;
    const int type = mr_spec_field(spec, spec->table, "as");
    const int as = lua_gettop(L);
    if (type == LUA_TNIL) {
        return;
    }
    if (type != LUA_TTABLE) {
        (void)mr_spec_fail(spec, "as: must be a table");
    }
    check_fields(spec, as, "as", as_fields, sizeof(as_fields) / sizeof(as_fields[0]));
    envelope->id = text_field(spec, as, "id", envelope->id);
    envelope->type = text_field(spec, as, "type", envelope->type);
    envelope->time_ms = number_field(spec, as, "time", 0);
    envelope->expected_version = number_field(spec, as, "expected_version", MR_VERSION_NONE);
}

static void step(mr_spec *spec, size_t n_given)
{
    lua_State *L = spec->L;
    if (mr_spec_field(spec, spec->table, "when") == LUA_TNIL) {
        return;
    }
    const mr_schema *schema;
    const void *value = mr_spec_record(spec, lua_gettop(L), "when", &schema);
    mr_envelope envelope = envelope_of(spec, schema);
    envelope.id = mr_bytes_text("when");
    if (spec->stage->state == NULL) {
        envelope.sequence = (int64_t)n_given;
    }
    read_as(spec, &envelope);
    mr_error err;
    if (mr_driver_step(spec->driver, spec->stage, &envelope, schema, value, &err) != MR_OK) {
        (void)mr_spec_fail_error(spec, &err);
    }
}

static void run_stage(mr_spec *spec)
{
    lua_State *L = spec->L;
    const mr_bytes name = text_field(spec, spec->table, "stage", MR_BYTES_NULL);
    spec->stage = mr_app_stage(spec->app, (const char *)name.data);
    if (spec->stage == NULL) {
        (void)mr_spec_fail(spec, "stage: there is no '%s'%s", (const char *)name.data,
                           mr_lua_suggestion(L, (const char *)name.data,
                                             (const char *const *)&spec->app->stages[0].name,
                                             spec->app->n_stages, sizeof(spec->app->stages[0])));
    }
    spec->subject = text_field(spec, spec->table, "subject", mr_bytes_text("subject"));
    const size_t n_given = give_all(spec);
    step(spec, n_given);
    mr_spec_check_dead(spec);
    mr_spec_check_answer(spec);
    if (mr_spec_field(spec, spec->table, "expect") != LUA_TNIL) {
        if (spec->stage->n_to == 0) {
            (void)mr_spec_fail(spec, "expect: stage '%s' sends nothing; see `rows`",
                               spec->stage->name);
        }
        mr_spec_check_sent(spec, spec->stage->to[0], lua_gettop(L));
    }
    if (mr_spec_field(spec, spec->table, "state") != LUA_TNIL) {
        mr_spec_check_state(spec, lua_gettop(L));
    }
}

/* ---- Feeding the whole topology ---- */

static void feed_text(mr_spec *spec, const char *topic, mr_bytes key, mr_envelope *envelope,
                      mr_bytes value)
{
    mr_envelope_headers headers;
    envelope->content_type = mr_bytes_text("application/json");
    mr_envelope_write(envelope, &headers);
    const mr_record record = {
        .topic = topic,
        .timestamp_ms = envelope->time_ms,
        .key = key,
        .value = value,
        .headers = headers.headers,
        .n_headers = headers.n,
    };
    mr_error err;
    if (mr_driver_feed(spec->driver, &record, &err) != MR_OK) {
        (void)mr_spec_fail_error(spec, &err);
    }
}

/* One entry: { "topic", subject =, id =, record = or value =, ... } */
static void feed_one(mr_spec *spec, int entry, size_t i)
{
    lua_State *L = spec->L;
    if (!lua_istable(L, entry) || lua_rawgeti(L, entry, 1) != LUA_TSTRING) {
        (void)mr_spec_fail(spec, "feed: an entry is { \"topic\", subject = ..., record = ... }");
    }
    const char *topic = lua_tostring(L, -1);
    if (mr_app_topic(spec->app, topic) == NULL) {
        (void)mr_spec_fail(spec, "feed: the app has no topic '%s'", topic);
    }
    check_fields(spec, entry, "feed", feed_fields, sizeof(feed_fields) / sizeof(feed_fields[0]));
    const mr_schema *schema = NULL;
    const void *value = NULL;
    if (mr_spec_field(spec, entry, "record") != LUA_TNIL) {
        value = mr_spec_record(spec, lua_gettop(L), "feed", &schema);
    }
    spec->subject = text_field(spec, entry, "subject", MR_BYTES_NULL);
    mr_envelope envelope = {.source = mr_bytes_text("spec"), .subject = spec->subject};
    lua_pushfstring(L, "feed-%d", (int)i + 1);
    envelope.id = text_field(spec, entry, "id", mr_lua_bytes(L, -1));
    envelope.type =
        text_field(spec, entry, "type",
                   schema == NULL ? MR_BYTES_NULL : mr_bytes_text(mr_schema_short_name(schema)));
    envelope.time_ms = number_field(spec, entry, "time", 0);
    envelope.sequence = MR_VERSION_NONE;
    envelope.expected_version = number_field(spec, entry, "expected_version", MR_VERSION_NONE);
    const mr_bytes key = text_field(spec, entry, "key", spec->subject);
    mr_error err;
    if (schema == NULL) {
        feed_text(spec, topic, key, &envelope, text_field(spec, entry, "value", MR_BYTES_NULL));
    } else if (mr_spec_field(spec, entry, "json") != LUA_TNIL && lua_toboolean(L, -1)) {
        mr_buf_clear(&spec->expected_json);
        mr_value_to_json(mr_schema_type(schema), value, &spec->expected_json);
        feed_text(spec, topic, key, &envelope, mr_buf_bytes(&spec->expected_json));
    } else if (mr_driver_send(spec->driver, topic, key, &envelope, schema, value, &err) != MR_OK) {
        (void)mr_spec_fail_error(spec, &err);
    }
}

static void feed(mr_spec *spec)
{
    lua_State *L = spec->L;
    if (mr_spec_field(spec, spec->table, "feed") != LUA_TTABLE) {
        (void)mr_spec_fail(spec, "a spec has a `stage`, or a `feed` for the whole topology");
    }
    const int list = lua_gettop(L);
    const size_t n = (size_t)lua_rawlen(L, list);
    for (size_t i = 0; i < n; i++) {
        (void)lua_rawgeti(L, list, (lua_Integer)i + 1);
        feed_one(spec, lua_gettop(L), i);
        lua_settop(L, list);
    }
    mr_spec_check_dead(spec);
}

/* ---- Then ---- */

static void check_rows(mr_spec *spec)
{
    lua_State *L = spec->L;
    if (mr_spec_field(spec, spec->table, "rows") == LUA_TNIL) {
        return;
    }
    const int rows = lua_gettop(L);
    luaL_argcheck(L, lua_istable(L, rows), rows, "rows: must be a list");
    const size_t n = (size_t)lua_rawlen(L, rows);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, rows, (lua_Integer)i);
        mr_spec_check_row(spec, lua_gettop(L));
        lua_settop(L, rows);
    }
}

static void check_sent(mr_spec *spec)
{
    lua_State *L = spec->L;
    if (mr_spec_field(spec, spec->table, "sent") == LUA_TNIL) {
        return;
    }
    const int sent = lua_gettop(L);
    luaL_argcheck(L, lua_istable(L, sent), sent, "sent: must be a table");
    const int keys = mr_lua_sorted_keys(L, sent);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 1; i <= n; i++) {
        if (lua_rawgeti(L, keys, (lua_Integer)i) != LUA_TSTRING) {
            (void)mr_spec_fail(spec, "sent: must be { [\"topic\"] = { records } }");
        }
        const char *topic = lua_tostring(L, -1);
        if (mr_app_topic(spec->app, topic) == NULL) {
            (void)mr_spec_fail(spec, "sent: the app has no topic '%s'", topic);
        }
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, sent);
        mr_spec_check_sent(spec, topic, lua_gettop(L));
        lua_settop(L, keys);
    }
}

static int run_protected(lua_State *L)
{
    const mr_spec_request *request = lua_touserdata(L, 1);
    mr_spec *spec = request->spec;
    luaL_checkstack(L, 50, "spec");
    (void)lua_rawgeti(L, LUA_REGISTRYINDEX, request->ref);
    spec->table = lua_gettop(L);
    check_fields(spec, spec->table, "spec", spec_fields,
                 sizeof(spec_fields) / sizeof(spec_fields[0]));
    if (mr_spec_field(spec, spec->table, "stage") != LUA_TNIL) {
        run_stage(spec);
    } else {
        feed(spec);
    }
    check_rows(spec);
    check_sent(spec);
    if (spec->n_expectations == 0) {
        (void)mr_spec_fail(spec, "the spec expects nothing");
    }
    return 0;
}

int mr_spec_body(lua_State *L)
{
    const mr_spec_request *request = lua_touserdata(L, 1);
    lua_pushcfunction(L, run_protected);
    lua_insert(L, 1);
    const int status = lua_pcall(L, 1, 0, 0);
    if (status == LUA_OK) {
        return 0;
    }
    if (mr_lua_is_limit(L, status) || lua_type(L, -1) != LUA_TSTRING) {
        return lua_error(L);
    }
    request->spec->failed = true;
    mr_buf_append_bytes(&request->spec->message, mr_lua_bytes(L, -1));
    return 0;
}

void mr_spec_deinit(mr_spec *spec)
{
    mr_value_free(spec->decoded_type, spec->decoded);
    mr_buf_deinit(&spec->expected_json);
    mr_buf_deinit(&spec->actual_json);
    mr_buf_deinit(&spec->text);
    mr_buf_deinit(&spec->key);
    mr_buf_deinit(&spec->message);
    mr_driver_free(spec->driver);
}
