#include "script/lua_meta.h"

#include "script/lua_convert.h"
#include "script/lua_session.h"

static const char meta_key[1];

typedef enum meta_field {
    META_ID,
    META_TYPE,
    META_SUBJECT,
    META_TIME,
    META_SEQUENCE,
    META_VERSION,
    META_CORRELATION, /* from here on not in evolve */
    META_CAUSATION,
    META_KEY,
    META_TOPIC,
    META_PARTITION,
    META_OFFSET,
    META_TIMESTAMP,
    META_FIELDS,
} meta_field;

static const char *const meta_names[META_FIELDS] = {
    "id",        "type", "subject", "time",      "sequence", "version",   "correlation",
    "causation", "key",  "topic",   "partition", "offset",   "timestamp",
};

typedef struct meta {
    mr_lua_object object;
    const char *keys[META_FIELDS];
} meta;

static int push_bytes(lua_State *L, mr_bytes bytes)
{
    if (mr_bytes_is_null(bytes)) {
        lua_pushnil(L);
    } else {
        mr_lua_push_bytes(L, bytes);
    }
    return 1;
}

static int push_version(lua_State *L, int64_t version)
{
    if (version == MR_VERSION_NONE) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, version);
    }
    return 1;
}

/* evolve folds an event now and again at every replay, so it sees the event only: not the command
 * that caused it, nor where either was read. */
static int push_of_evolve(lua_State *L, const mr_lua_session *session, meta_field field)
{
    const mr_call *call = session->call;
    const mr_envelope *envelope = mr_context_envelope(call->context);
    switch (field) {
    case META_ID:
        (void)push_bytes(L, envelope->subject);
        lua_pushfstring(L, "/%I", (lua_Integer)call->version);
        lua_concat(L, 2);
        return 1;
    case META_TYPE:
        lua_pushstring(L, mr_schema_short_name(call->schema));
        return 1;
    case META_SUBJECT:
        return push_bytes(L, envelope->subject);
    case META_TIME:
        lua_pushinteger(L, envelope->time_ms);
        return 1;
    case META_SEQUENCE:
    case META_VERSION:
        return push_version(L, call->version);
    default:
        return luaL_error(L, "meta.%s is not there in evolve, which depends on the event only",
                          meta_names[field]);
    }
}

static int push_of_record(lua_State *L, const mr_lua_session *session, meta_field field)
{
    const mr_envelope *envelope = mr_context_envelope(session->call->context);
    const mr_record *record = mr_context_record(session->call->context);
    switch (field) {
    case META_ID:
        return push_bytes(L, envelope->id);
    case META_TYPE:
        return push_bytes(L, mr_bytes_is_null(envelope->type)
                                 ? mr_bytes_text(mr_schema_short_name(session->call->schema))
                                 : envelope->type);
    case META_SUBJECT:
        return push_bytes(L, envelope->subject);
    case META_TIME:
        lua_pushinteger(L, envelope->time_ms);
        return 1;
    case META_SEQUENCE:
        return push_version(L, envelope->sequence);
    case META_VERSION:
        return push_version(L, session->group == MR_DECIDE ? session->call->version
                                                           : envelope->sequence);
    case META_CORRELATION:
        return push_bytes(L, envelope->correlation_id);
    case META_CAUSATION:
        return push_bytes(L, envelope->causation_id);
    case META_KEY:
        return push_bytes(L, record->key);
    case META_TOPIC:
        lua_pushstring(L, record->topic);
        return 1;
    case META_PARTITION:
        lua_pushinteger(L, record->partition);
        return 1;
    case META_OFFSET:
        lua_pushinteger(L, record->offset);
        return 1;
    default: /* META_TIMESTAMP */
        lua_pushinteger(L, record->timestamp_ms);
        return 1;
    }
}

static int meta_index(lua_State *L)
{
    const meta *self = lua_touserdata(L, 1);
    const mr_lua_session *session = mr_lua_session_of(L);
    if (session == NULL || session->call == NULL) {
        return luaL_error(L, "meta was used after " MR_LUA_RETURNED);
    }
    const int field = mr_lua_find_key(L, 2, self->keys, META_FIELDS);
    if (field < 0) {
        const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
        return luaL_error(
            L, "meta has no field '%s'%s", name,
            mr_lua_suggestion(L, name, meta_names, META_FIELDS, sizeof(meta_names[0])));
    }
    return session->group == MR_EVOLVE ? push_of_evolve(L, session, (meta_field)field)
                                       : push_of_record(L, session, (meta_field)field);
}

static int meta_newindex(lua_State *L)
{
    return luaL_error(L, "meta is read-only");
}

void mr_lua_meta_open(lua_State *L)
{
    meta *self = lua_newuserdatauv(L, sizeof(*self), 0);
    self->object = MR_LUA_OTHER;
    (void)mr_lua_intern(L, meta_names, META_FIELDS, sizeof(meta_names[0]), self->keys);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, meta_index);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, meta_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "meta");
    lua_setfield(L, -2, "__name");
    (void)lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, meta_key);
}

void mr_lua_meta_push(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, meta_key);
}
