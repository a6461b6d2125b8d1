#include "script/lua_field.h"

#include "core/alloc.h"
#include "core/text.h"
#include "script/lua_convert.h"
#include "script/lua_freeze.h"

enum { NAME_MAX_LEN = 64, TOPIC_MAX_LEN = 249 };

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
static const char topic_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

/* ---- Places ---- */

static void add_path(luaL_Buffer *buffer, const mr_lua_at *at)
{
    if (at->above != NULL && at->above->name != NULL) {
        add_path(buffer, at->above);
        luaL_addchar(buffer, '.');
    }
    luaL_addstring(buffer, at->name);
}

int mr_lua_at_error(const mr_lua_reader *reader, const mr_lua_at *at, const char *format, ...)
{
    lua_State *L = reader->L;
    lua_pushfstring(L, "%s:%d: ", at->line.file, at->line.line);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    if (at->name != NULL) {
        add_path(&buffer, at);
        luaL_addstring(&buffer, ": ");
    }
    luaL_pushresult(&buffer);
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    lua_concat(L, 3);
    return lua_error(L);
}

mr_lua_at mr_lua_at_below(const mr_lua_reader *reader, const mr_lua_at *at, const char *name,
                          size_t position)
{
    return (mr_lua_at){.above = at,
                       .name = name,
                       .line = mr_lua_lines_field(reader->lines, at->line, name, position)};
}

/* ---- Tables ---- */

size_t mr_lua_read_names(const mr_lua_reader *reader, const mr_lua_at *at)
{
    lua_State *L = reader->L;
    if (!lua_istable(L, -1)) {
        (void)mr_lua_at_error(reader, at, "must be a table, not a %s", luaL_typename(L, -1));
    }
    const int keys = mr_lua_sorted_keys(L, -1);
    const size_t n = (size_t)lua_rawlen(L, keys);
    for (size_t i = 1; i <= n; i++) {
        if (lua_rawgeti(L, keys, (lua_Integer)i) != LUA_TSTRING) {
            (void)mr_lua_at_error(reader, at, "has an entry without a name");
        }
        lua_pop(L, 1);
    }
    return n;
}

static bool is_field(const mr_lua_field *fields, size_t n_fields, const char *name)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void refuse_unknown(const mr_lua_reader *reader, const mr_lua_at *at,
                           const mr_lua_field *fields, size_t n_fields)
{
    lua_State *L = reader->L;
    const size_t n = mr_lua_read_names(reader, at);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        const char *name = lua_tostring(L, -1);
        if (!is_field(fields, n_fields, name)) {
            const mr_lua_at below = mr_lua_at_below(reader, at, name, 0);
            (void)mr_lua_at_error(
                reader, &below, "unknown field%s",
                mr_lua_suggestion(L, name, &fields[0].name, n_fields, sizeof(fields[0])));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void mr_lua_read_fields(const mr_lua_reader *reader, const mr_lua_at *at,
                        const mr_lua_field *fields, size_t n_fields, void *target)
{
    lua_State *L = reader->L;
    luaL_checkstack(L, 10, "definition is nested too deep");
    refuse_unknown(reader, at, fields, n_fields);
    for (size_t i = 0; i < n_fields; i++) {
        const mr_lua_at below = mr_lua_at_below(reader, at, fields[i].name, 0);
        lua_pushstring(L, fields[i].name);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            fields[i].read(reader, &below, &fields[i], target);
        } else if (fields[i].required) {
            (void)mr_lua_at_error(reader, &below, "is missing");
        }
        lua_pop(L, 1);
    }
}

/* ---- Values ---- */

static void *slot_of(const mr_lua_field *field, void *target)
{
    return (uint8_t *)target + field->offset;
}

static void expect(const mr_lua_reader *reader, const mr_lua_at *at, int type, const char *what)
{
    if (lua_type(reader->L, -1) != type) {
        (void)mr_lua_at_error(reader, at, "must be %s, not a %s", what,
                              luaL_typename(reader->L, -1));
    }
}

static const char *read_word(const mr_lua_reader *reader, const mr_lua_at *at, const char *what,
                             const char *allowed, size_t len_max)
{
    expect(reader, at, LUA_TSTRING, what);
    const mr_bytes text = mr_lua_bytes(reader->L, -1);
    const char *word = (const char *)text.data;
    if (text.len == 0 || text.len > len_max || strspn(word, allowed) != text.len) {
        (void)mr_lua_at_error(reader, at, "'%s' is not %s: 1 to %d letters, digits, %s", word, what,
                              (int)len_max, strchr(allowed, '.') != NULL ? "_ - ." : "_ -");
    }
    return word;
}

void mr_lua_read_name(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                      void *target)
{
    const char *name = read_word(reader, at, "a name", name_characters, NAME_MAX_LEN);
    *(char **)slot_of(field, target) = mr_strdup(name);
}

void mr_lua_read_topic(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                       void *target)
{
    const char *topic =
        read_word(reader, at, "the name of a topic", topic_characters, TOPIC_MAX_LEN);
    *(char **)slot_of(field, target) = mr_strdup(topic);
}

static void append_topic(const mr_lua_reader *reader, const mr_lua_at *at,
                         const mr_lua_field *field, void *target)
{
    char ***topics = slot_of(field, target);
    size_t *n = (size_t *)(void *)((uint8_t *)target + field->count_offset);
    const char *topic =
        read_word(reader, at, "the name of a topic", topic_characters, TOPIC_MAX_LEN);
    for (size_t i = 0; i < *n; i++) {
        if (strcmp((*topics)[i], topic) == 0) {
            (void)mr_lua_at_error(reader, at, "'%s' is there twice", topic);
        }
    }
    *topics = mr_realloc(*topics, (*n + 1) * sizeof((*topics)[0]));
    (*topics)[(*n)++] = mr_strdup(topic);
}

void mr_lua_read_topics(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target)
{
    lua_State *L = reader->L;
    if (lua_type(L, -1) == LUA_TSTRING) {
        append_topic(reader, at, field, target);
        return;
    }
    expect(reader, at, LUA_TTABLE, "the name of a topic or a list of them");
    const size_t n = (size_t)lua_rawlen(L, -1);
    if (n == 0) {
        (void)mr_lua_at_error(reader, at, "is empty");
    }
    for (size_t i = 1; i <= n; i++) {
        const mr_lua_at element = mr_lua_at_below(reader, at, NULL, i);
        const mr_lua_at named = {.above = at->above, .name = at->name, .line = element.line};
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        append_topic(reader, &named, field, target);
        lua_pop(L, 1);
    }
}

static int64_t read_integer(const mr_lua_reader *reader, const mr_lua_at *at,
                            const mr_lua_field *field)
{
    expect(reader, at, LUA_TNUMBER, "a whole number");
    int whole;
    const lua_Integer number = lua_tointegerx(reader->L, -1, &whole);
    if (!whole || number < field->min || number > field->max) {
        (void)mr_lua_at_error(reader, at, "must be a whole number from %I to %I",
                              (lua_Integer)field->min, (lua_Integer)field->max);
    }
    return number;
}

static void set_said(const mr_lua_field *field, void *target)
{
    if (field->count_offset != 0) {
        *((bool *)target + field->count_offset) = true;
    }
}

void mr_lua_read_int32(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                       void *target)
{
    *(int32_t *)slot_of(field, target) = (int32_t)read_integer(reader, at, field);
    set_said(field, target);
}

void mr_lua_read_int64(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                       void *target)
{
    *(int64_t *)slot_of(field, target) = read_integer(reader, at, field);
}

static mr_status parse_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const size_t digits = strspn(text, "0123456789");
    char number[20];
    int64_t value;
    if (digits >= sizeof(number)) {
        return MR_NOT_FOUND;
    }
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (mr_parse_int64(number, &value) != MR_OK) {
        return MR_NOT_FOUND;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].unit) == 0 &&
            !__builtin_mul_overflow(value, units[i].ms, ret_ms)) {
            return MR_OK;
        }
    }
    return MR_NOT_FOUND;
}

void mr_lua_read_duration(const mr_lua_reader *reader, const mr_lua_at *at,
                          const mr_lua_field *field, void *target)
{
    lua_State *L = reader->L;
    int64_t *ms = slot_of(field, target);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    if (strcmp(text, "forever") == 0) {
        *ms = -1;
    } else if (parse_duration(text, ms) != MR_OK || *ms <= 0) {
        (void)mr_lua_at_error(reader, at,
                              "must be a duration such as \"12h\" or \"7d\" (units ms, "
                              "s, m, h, d), or \"forever\"");
    }
    set_said(field, target);
}

void mr_lua_read_bool(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                      void *target)
{
    expect(reader, at, LUA_TBOOLEAN, "true or false");
    *(bool *)slot_of(field, target) = lua_toboolean(reader->L, -1) != 0;
    set_said(field, target);
}

void mr_lua_read_schema(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target)
{
    lua_State *L = reader->L;
    expect(reader, at, LUA_TSTRING, "the name of a schema");
    const char *name = lua_tostring(L, -1);
    const mr_schema *schema = mr_schemas_find(reader->app->schemas, mr_lua_bytes(L, -1));
    if (schema == NULL) {
        const char *nearest = mr_schemas_nearest(reader->app->schemas, name);
        (void)mr_lua_at_error(reader, at, "unknown schema '%s'%s%s%s", name,
                              nearest == NULL ? "" : "; did you mean '",
                              nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    }
    if (mr_schema_type(schema)->kind != MR_TYPE_RECORD) {
        (void)mr_lua_at_error(reader, at, "schema '%s' is no record", name);
    }
    *(const mr_schema **)slot_of(field, target) = schema;
}

void mr_lua_read_nothing(const mr_lua_reader *reader, const mr_lua_at *at,
                         const mr_lua_field *field, void *target)
{
    (void)reader;
    (void)at;
    (void)field;
    (void)target;
}
