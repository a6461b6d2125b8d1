#include "script/lua_send.h"

#include "core/text.h"
#include "script/lua_convert.h"
#include "script/lua_freeze.h"
#include "script/lua_sandbox.h"
#include "script/lua_session.h"

/* Positions of the arguments. */
enum { TOPIC = 1, KEY = 2, RECORD = 3, OPTIONS = 4 };

static const char *const option_names[] = {"id", "type", "subject", "expected_version"};
enum { N_OPTIONS = sizeof(option_names) / sizeof(option_names[0]) };

/* ---- Arguments ---- */

static const char *check_topic(lua_State *L, const mr_stage *stage)
{
    const char *topic = luaL_checkstring(L, TOPIC);
    for (size_t i = 0; i < stage->n_to; i++) {
        if (strcmp(stage->to[i], topic) == 0) {
            return stage->to[i];
        }
    }
    const char *hint = mr_lua_suggestion(L, topic, (const char *const *)stage->to, stage->n_to,
                                         sizeof(stage->to[0]));
    (void)luaL_error(L, "stage '%s' does not declare topic '%s' in `to`%s", stage->name, topic,
                     hint);
    return NULL;
}

static mr_bytes check_key(lua_State *L)
{
    if (lua_isnil(L, KEY)) {
        return MR_BYTES_NULL;
    }
    if (lua_type(L, KEY) != LUA_TSTRING) {
        (void)luaL_error(L, "the key of a record is a string, not a %s", luaL_typename(L, KEY));
    }
    return mr_lua_bytes(L, KEY);
}

static void read_record(lua_State *L, const mr_call *call, mr_output *output)
{
    mr_lua_proxy *proxy = mr_lua_proxy_at(L, RECORD);
    if (lua_isnil(L, RECORD)) {
        output->schema = call->schema;
        return;
    }
    if (proxy != NULL && proxy->depth == 0 && proxy->root == &mr_lua_session_of(L)->input) {
        (void)mr_lua_proxy_live(L, proxy);
        output->schema = call->schema;
        output->value = call->input;
        return;
    }
    const mr_schema *schema = proxy != NULL ? proxy->type->schema : mr_lua_tag_of(L, RECORD);
    if (schema == NULL) {
        (void)luaL_error(L,
                         "what is sent is the record itself or made by record.Name { ... }, not "
                         "a %s",
                         proxy != NULL ? proxy->type->name : luaL_typename(L, RECORD));
    }
    output->schema = schema;
    mr_lua_type *type = mr_lua_type_of(L, mr_schema_type(schema));
    void *scratch = mr_lua_type_scratch(type);
    const mr_lua_place place = {.field = type->name};
    mr_lua_convert(L, type, scratch, RECORD, &place);
    output->value = scratch;
}

/* ---- Options ---- */

/* What is wrong is found in a fixed order: unknown names first, the bytewise first of them. */
static void check_options(lua_State *L)
{
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    mr_lua_content(L, OPTIONS);
    lua_replace(L, OPTIONS);
    const int keys = mr_lua_sorted_keys(L, OPTIONS);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, keys);
    for (lua_Integer i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, keys, i);
        const char *name = lua_tostring(L, -1);
        bool known = false;
        for (size_t k = 0; k < N_OPTIONS; k++) {
            known = known || strcmp(name, option_names[k]) == 0;
        }
        if (!known) {
            (void)luaL_error(
                L, "send has no option '%s'%s", name,
                mr_lua_suggestion(L, name, option_names, N_OPTIONS, sizeof(option_names[0])));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The text stays on the stack, so that it lives until the record is sent. */
static mr_bytes text_option(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    const int kind = lua_rawget(L, OPTIONS);
    if (kind == LUA_TNIL) {
        return MR_BYTES_NULL;
    }
    if (kind != LUA_TSTRING || lua_rawlen(L, -1) == 0 || !mr_text_is_utf8(mr_lua_bytes(L, -1))) {
        (void)luaL_error(L, "send: option '%s' is a text that is not empty", name);
    }
    return mr_lua_bytes(L, -1);
}

static int64_t version_option(lua_State *L)
{
    (void)lua_pushliteral(L, "expected_version");
    if (lua_rawget(L, OPTIONS) == LUA_TNIL) {
        return MR_VERSION_NONE;
    }
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < -1) {
        (void)luaL_error(L, "send: option 'expected_version' is -1 (must not exist) or a version");
    }
    return lua_tointeger(L, -1);
}

/* ---- Sending ---- */

static void read_options(lua_State *L, mr_envelope *envelope)
{
    envelope->type = text_option(L, "type");
    envelope->subject = text_option(L, "subject");
    envelope->id = text_option(L, "id");
    envelope->expected_version = version_option(L);
}

static int send(lua_State *L)
{
    mr_lua_session *session = mr_lua_session_of(L);
    if (session == NULL || session->call == NULL || session->group != MR_ON) {
        return luaL_error(L, "send works only in `on` handlers, of a transform or project stage");
    }
    lua_settop(L, OPTIONS);
    mr_output output = {
        .topic = check_topic(L, session->stage), .key = check_key(L), .envelope = MR_ENVELOPE_NULL};
    read_record(L, session->call, &output);
    if (!lua_isnil(L, OPTIONS)) {
        check_options(L);
        read_options(L, &output.envelope);
    }
    mr_call_derive(session->call, &output);
    mr_lua_charge(L, 50);
    mr_error err;
    if (mr_context_send(session->call->context, &output, &err) != MR_OK) {
        return mr_lua_raise(L, &err);
    }
    return 0;
}

void mr_lua_send_open(lua_State *L)
{
    lua_pushcfunction(L, send);
    mr_lua_set_global(L, "send");
}
