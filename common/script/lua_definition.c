#include "script/lua_definition.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "script/lua_convert.h"
#include "script/lua_event.h"
#include "script/lua_field.h"
#include "script/lua_fold.h"
#include "script/lua_freeze.h"
#include "script/lua_native.h"
#include "script/lua_sandbox.h"
#include "script/lua_send.h"
#include "script/lua_store_fields.h"

const char *const mr_lua_group_names[MR_HANDLER_GROUPS] = {
    [MR_ON] = "on", [MR_DECIDE] = "decide", [MR_EVOLVE] = "evolve"};

static const char definition_file[] = "app.lua";

enum { PARTITIONS_MAX = 10000, REMEMBER_MAX = 10000, REMEMBER = 64 };

/* ---- Handlers ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *noun_of_group(int group)
{
    return group == MR_DECIDE ? "command" : group == MR_EVOLVE ? "event" : "record";
}

/* The place of a handler, whose function is at the top of the stack: where it is named in a table
 * constructor, else where the function is. */
static mr_lua_at at_handler(const mr_lua_reader *reader, const mr_lua_at *at, const char *name)
{
    mr_lua_at below = mr_lua_at_below(reader, at, name, 0);
    lua_Debug info;
    if (!below.line.exact && lua_isfunction(reader->L, -1) && !lua_iscfunction(reader->L, -1)) {
        lua_pushvalue(reader->L, -1);
        (void)lua_getinfo(reader->L, ">S", &info);
        below.line.file = lua_pushstring(reader->L, info.short_src); /* stays: an error follows */
        below.line.line = info.linedefined;
    }
    return below;
}

static const mr_schema *find_record(const mr_lua_reader *reader, const mr_lua_at *at, int group,
                                    const char *name)
{
    const mr_schemas *schemas = reader->app->schemas;
    const mr_schema *schema = mr_schemas_find(schemas, mr_bytes_text(name));
    if (schema != NULL && mr_schema_type(schema)->kind == MR_TYPE_RECORD) {
        return schema;
    }
    const mr_lua_at below = at_handler(reader, at, name);
    const mr_lua_at named = {.above = at->above, .name = at->name, .line = below.line};
    if (schema == NULL) {
        const char *nearest = mr_schemas_nearest(schemas, name);
        (void)mr_lua_at_error(reader, &named, "unknown %s '%s'%s%s%s", noun_of_group(group), name,
                              nearest == NULL ? "" : "; did you mean '",
                              nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    }
    (void)mr_lua_at_error(reader, &named, "'%s' is no record", name);
    return NULL;
}

/* What a record name stands for, at the top of the stack: a function, or of a project stage a fold;
 * `schema` is NULL with "*". */
static void read_handler(const mr_lua_reader *reader, const mr_lua_at *at, mr_stage *stage,
                         const mr_schema *schema)
{
    lua_State *L = reader->L;
    const char *declared = mr_lua_declared(L, -1);
    if (lua_isfunction(L, -1)) {
        return;
    }
    if (declared == NULL) {
        (void)mr_lua_at_error(reader, at, "must be a function, not a %s", luaL_typename(L, -1));
    } else if (strcmp(declared, "fold") != 0) {
        (void)mr_lua_at_error(reader, at,
                              "%s stands in `set` of a fold: fold { into = ..., set = "
                              "{ ... } }",
                              declared);
    } else if (strcmp(stage->kind, "project") != 0) {
        (void)mr_lua_at_error(reader, at,
                              "a fold changes rows: only `on` of a project stage may "
                              "have one");
    } else if (schema == NULL) {
        (void)mr_lua_at_error(reader, at, "a fold takes records of one type: name it");
    } else {
        mr_lua_fold_read(reader, at, stage, schema);
    }
}

/* A record has a short and a full name: only one of them may have a handler. */
static void check_handled_once(const mr_lua_reader *reader, const mr_lua_at *at,
                               const mr_stage *stage, int group, const mr_schema *schema)
{
    for (size_t i = 0; i < stage->n_handled[group]; i++) {
        const char *other = stage->handled[group][i];
        if (mr_schemas_find(reader->app->schemas, mr_bytes_text(other)) == schema) {
            (void)mr_lua_at_error(reader, at, "records of '%s' are handled by '%s' already",
                                  mr_schema_name(schema), other);
        }
    }
}

/* on, decide, evolve: from record names to functions. */
static void read_handlers(const mr_lua_reader *reader, const mr_lua_at *at,
                          const mr_lua_field *field, void *target)
{
    lua_State *L = reader->L;
    mr_stage *stage = target;
    const int group = field->number;
    if (stage->native != NULL) {
        (void)mr_lua_at_error(reader, at,
                              "a stage's handlers are in app.lua or in `native`, not "
                              "in both");
    }
    const size_t n = mr_lua_read_names(reader, at);
    if (n == 0) {
        (void)mr_lua_at_error(reader, at, "has no handlers");
    }
    stage->handled[group] = mr_alloc_zero(n, sizeof(stage->handled[group][0]));
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        const char *name = lua_tostring(L, -1);
        const char *kept = "*";
        const mr_schema *schema = NULL;
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, -4);
        const mr_lua_at below = mr_lua_at_below(reader, at, name, 0);
        if (group != MR_ON || strcmp(name, "*") != 0) {
            schema = find_record(reader, at, group, name);
            check_handled_once(reader, &below, stage, group, schema);
            kept =
                strchr(name, '.') != NULL ? mr_schema_name(schema) : mr_schema_short_name(schema);
        }
        read_handler(reader, &below, stage, schema);
        stage->handled[group][stage->n_handled[group]++] = kept;
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    qsort(stage->handled[group], n, sizeof(stage->handled[group][0]), compare_names);
}

/* ---- Stages ---- */

#define STAGE_FIELD(field_name, reader_function)                                                   \
    .name = #field_name, .read = (reader_function), .offset = offsetof(mr_stage, field_name)
#define STAGE_TOPICS(field_name)                                                                   \
    STAGE_FIELD(field_name, mr_lua_read_topics),                                                   \
        .count_offset = offsetof(mr_stage, n_##field_name), .required = true
#define STAGE_HANDLERS(group_name, group)                                                          \
    .name = (group_name), .read = read_handlers, .number = (group)
#define STAGE_NATIVE                                                                               \
    {.name = "native", .read = mr_lua_read_native},                                                \
    {                                                                                              \
        .name = "settings", .read = mr_lua_read_native_settings                                    \
    }
#define STAGE_KIND .name = "kind", .read = mr_lua_read_nothing, .required = true

static const mr_lua_field transform_fields[] = {
    {STAGE_KIND},       {STAGE_TOPICS(from)},
    {STAGE_TOPICS(to)}, {STAGE_FIELD(input, mr_lua_read_schema)},
    STAGE_NATIVE,       {STAGE_HANDLERS("on", MR_ON)},
};
static const mr_lua_field aggregate_fields[] = {
    {STAGE_KIND},
    {STAGE_TOPICS(from)},
    {STAGE_TOPICS(to)},
    {STAGE_FIELD(results, mr_lua_read_topic)},
    {STAGE_FIELD(state, mr_lua_read_schema), .required = true},
    {STAGE_FIELD(remember, mr_lua_read_int64), .min = 1, .max = REMEMBER_MAX},
    STAGE_NATIVE,
    {STAGE_HANDLERS("decide", MR_DECIDE)},
    {STAGE_HANDLERS("evolve", MR_EVOLVE)},
};
static const mr_lua_field project_fields[] = {
    {STAGE_KIND},
    {STAGE_TOPICS(from)},
    {STAGE_FIELD(to, mr_lua_read_topics), .count_offset = offsetof(mr_stage, n_to)},
    {STAGE_FIELD(versioned, mr_lua_read_bool)},
    {STAGE_FIELD(input, mr_lua_read_schema)},
    {STAGE_FIELD(stores, mr_lua_read_stores), .required = true},
    STAGE_NATIVE,
    {STAGE_HANDLERS("on", MR_ON)},
};

static const struct {
    const char *name;
    const mr_lua_field *fields;
    size_t n_fields;
} kinds[] = {
    {"aggregate", aggregate_fields, sizeof(aggregate_fields) / sizeof(aggregate_fields[0])},
    {"project", project_fields, sizeof(project_fields) / sizeof(project_fields[0])},
    {"transform", transform_fields, sizeof(transform_fields) / sizeof(transform_fields[0])},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The kind of the stage whose table is at the top of the stack. */
static size_t read_kind(const mr_lua_reader *reader, const mr_lua_at *at)
{
    lua_State *L = reader->L;
    const mr_lua_at below = mr_lua_at_below(reader, at, "kind", 0);
    lua_pushliteral(L, "kind");
    const int type = lua_rawget(L, -2);
    if (type == LUA_TNIL) {
        (void)mr_lua_at_error(reader, &below, "is missing");
    }
    if (type != LUA_TSTRING) {
        (void)mr_lua_at_error(reader, &below, "must be a text, not a %s", luaL_typename(L, -1));
    }
    const char *name = lua_tostring(L, -1);
    for (size_t i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            lua_pop(L, 1);
            return i;
        }
    }
    (void)mr_lua_at_error(reader, &below, "unknown kind '%s'%s", name,
                          mr_lua_suggestion(L, name, &kinds[0].name, N_KINDS, sizeof(kinds[0])));
    return 0;
}

/* What follows from the other fields. */
static void complete_stage(const mr_app *app, mr_stage *stage)
{
    static const char events[] = ".events";
    stage->group = mr_asprintf("%s-%s", app->name, stage->name);
    stage->dead_letters = mr_asprintf("%s-dlq", stage->group);
    if (stage->state != NULL && stage->results == NULL) {
        const char *to = stage->to[0];
        const size_t len = strlen(to);
        const size_t end = sizeof(events) - 1;
        const bool cut = len > end && strcmp(to + len - end, events) == 0;
        stage->results = mr_asprintf("%.*s.results", (int)(cut ? len - end : len), to);
    }
}

static bool has_topic(char *const *topics, size_t n, const char *topic)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(topics[i], topic) == 0) {
            return true;
        }
    }
    return false;
}

static void check_stage(const mr_lua_reader *reader, const mr_lua_at *at, const mr_stage *stage)
{
    const mr_lua_at to = mr_lua_at_below(reader, at, "to", 0);
    for (size_t i = 0; i < stage->n_to; i++) {
        if (has_topic(stage->from, stage->n_from, stage->to[i])) {
            (void)mr_lua_at_error(reader, &to,
                                  "'%s' is also in `from`: the stage would read what it "
                                  "writes",
                                  stage->to[i]);
        }
    }
    if (stage->state == NULL) {
        return;
    }
    if (stage->n_to != 1) {
        (void)mr_lua_at_error(reader, &to, "an aggregate has one topic of events");
    }
    for (const mr_stage *other = reader->app->stages; other != stage; other++) {
        if (other->state != NULL && strcmp(other->to[0], stage->to[0]) == 0) {
            (void)mr_lua_at_error(reader, &to, "stage '%s' writes its events to '%s' already",
                                  other->name, stage->to[0]);
        }
    }
}

/* `native` has seen to it that all groups have some. */
static void check_handlers(const mr_lua_reader *reader, const mr_lua_at *at, size_t kind,
                           const mr_stage *stage)
{
    for (size_t i = 0; i < kinds[kind].n_fields; i++) {
        const mr_lua_field *field = &kinds[kind].fields[i];
        if (field->read == read_handlers && stage->n_handled[field->number] == 0) {
            const mr_lua_at below = mr_lua_at_below(reader, at, field->name, 0);
            (void)mr_lua_at_error(reader, &below, "is missing");
        }
    }
    mr_lua_check_native(reader, at, stage);
}

/* The table of the stage is at the top of the stack. */
static void read_stage(const mr_lua_reader *reader, const mr_lua_at *at)
{
    static const mr_lua_field name_field = {.name = "name", .offset = offsetof(mr_stage, name)};
    lua_State *L = reader->L;
    mr_app *app = reader->app;
    mr_stage *stage = &app->stages[app->n_stages++];
    *stage = (mr_stage){.app = app, .remember = REMEMBER, .versioned = true};
    lua_pushstring(L, at->name);
    mr_lua_read_name(reader, at, &name_field, stage);
    lua_pop(L, 1);
    if (!lua_istable(L, -1)) {
        (void)mr_lua_at_error(reader, at, "must be a table, not a %s", luaL_typename(L, -1));
    }
    const size_t kind = read_kind(reader, at);
    stage->kind = mr_strdup(kinds[kind].name);
    stage->definition = mr_asprintf("%s:%d", at->line.file, at->line.line);
    mr_lua_read_fields(reader, at, kinds[kind].fields, kinds[kind].n_fields, stage);
    check_handlers(reader, at, kind, stage);
    check_stage(reader, at, stage);
    complete_stage(app, stage);
}

static void read_stages(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target)
{
    (void)field;
    (void)target;
    lua_State *L = reader->L;
    mr_app *app = reader->app;
    const size_t n = mr_lua_read_names(reader, at);
    if (n == 0) {
        (void)mr_lua_at_error(reader, at, "has no stage");
    }
    app->stages = mr_alloc_zero(n, sizeof(app->stages[0]));
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        const mr_lua_at below = mr_lua_at_below(reader, at, lua_tostring(L, -1), 0);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, -4);
        read_stage(reader, &below);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* ---- Topics ---- */

static bool is_used(const mr_app *app, const char *topic)
{
    for (size_t i = 0; i < app->n_stages; i++) {
        const mr_stage *stage = &app->stages[i];
        if (has_topic(stage->from, stage->n_from, topic) ||
            has_topic(stage->to, stage->n_to, topic) || strcmp(stage->dead_letters, topic) == 0 ||
            (stage->results != NULL && strcmp(stage->results, topic) == 0)) {
            return true;
        }
        for (size_t s = 0; s < stage->n_stores; s++) {
            if (stage->stores[s].topic != NULL && strcmp(stage->stores[s].topic, topic) == 0) {
                return true;
            }
        }
    }
    return false;
}

#define TOPIC_SETTING(field_name, member, reader_function)                                         \
    .name = (field_name), .read = (reader_function), .offset = offsetof(mr_topic, member)

/* Read last, when it is known which topics there are. */
static void read_topic_settings(const mr_lua_reader *reader, const mr_lua_at *at,
                                const mr_lua_field *field, void *target)
{
    static const mr_lua_field fields[] = {
        {TOPIC_SETTING("partitions", partitions, mr_lua_read_int32),
         .count_offset = offsetof(mr_topic, partitions_said), .min = 1, .max = PARTITIONS_MAX},
        {TOPIC_SETTING("retention", retention_ms, mr_lua_read_duration),
         .count_offset = offsetof(mr_topic, retention_said)},
        {TOPIC_SETTING("compact", compact, mr_lua_read_bool),
         .count_offset = offsetof(mr_topic, compact_said)},
    };
    (void)field;
    (void)target;
    lua_State *L = reader->L;
    mr_app *app = reader->app;
    const size_t n = mr_lua_read_names(reader, at);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        const char *name = lua_tostring(L, -1);
        const mr_lua_at below = mr_lua_at_below(reader, at, name, 0);
        if (!is_used(app, name)) {
            (void)mr_lua_at_error(reader, &below, "no stage reads or writes this topic");
        }
        mr_app_add_topic(app, name, MR_TOPIC_INPUT, app->partitions);
        mr_topic *topic = (mr_topic *)(uintptr_t)mr_app_topic(app, name);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, -4);
        mr_lua_read_fields(reader, &below, fields, sizeof(fields) / sizeof(fields[0]), topic);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* ---- The app ---- */

static void read_schemas(const mr_lua_reader *reader, const mr_lua_at *at,
                         const mr_lua_field *field, void *target)
{
    (void)field;
    (void)target;
    lua_State *L = reader->L;
    mr_app *app = reader->app;
    if (lua_type(L, -1) != LUA_TSTRING) {
        (void)mr_lua_at_error(reader, at, "must be a directory, not a %s", luaL_typename(L, -1));
    }
    const char *path = lua_tostring(L, -1);
    const char *directory =
        *path == '/' ? lua_pushstring(L, path) : lua_pushfstring(L, "%s/%s", app->directory, path);
    mr_error err;
    app->schemas = mr_schemas_new();
    if (mr_schemas_load(app->schemas, directory, &err) != MR_OK) {
        (void)mr_lua_at_error(reader, at, "%s", err.message);
    }
    lua_pop(L, 1);
    mr_lua_of(L)->schemas = app->schemas;
    mr_lua_event_check(L);
}

void mr_lua_definition_read(lua_State *L, mr_app *app, mr_lua_lines *lines)
{
    static const mr_lua_field fields[] = {
        {.name = "name",
         .read = mr_lua_read_name,
         .offset = offsetof(mr_app, name),
         .required = true},
        {.name = "partitions",
         .read = mr_lua_read_int32,
         .offset = offsetof(mr_app, partitions),
         .min = 1,
         .max = PARTITIONS_MAX},
        {.name = "schemas", .read = read_schemas, .required = true},
        {.name = "stages", .read = read_stages, .required = true},
        {.name = "topics", .read = read_topic_settings},
    };
    const mr_lua_reader reader = {.L = L, .app = app, .lines = lines};
    const mr_lua_at at = {.line = mr_lua_lines_root(lines, definition_file)};
    app->partitions = 1;
    mr_lua_read_fields(&reader, &at, fields, sizeof(fields) / sizeof(fields[0]), app);
}

void mr_lua_definition_run(lua_State *L)
{
    mr_lua *lua = mr_lua_of(L);
    mr_lua_event_open(L);
    mr_lua_send_open(L);
    mr_lua_fold_open(L);
    lua->loading = true;
    mr_lua_run_file(L, lua->directory, definition_file);
    lua->loading = false;
    mr_lua_fold_close(L);
    if (!lua_istable(L, -1)) {
        (void)luaL_error(L, "%s must return the app's definition, a table, not a %s",
                         definition_file, luaL_typename(L, -1));
    }
}
