/*
 * rep, format, find, match, gmatch and gsub, as the manual of Lua 5.4 has them (section 6.4), with
 * what they do charged to the call, and without anything that differs between processes.
 */
#include "script/lua_string.h"

#include "script/lua_pattern.h"
#include "script/lua_state.h"
#include "script/lua_text.h"

enum {
    STEPS_PER_UNIT = 4,  /* steps of the matcher in the work of one instruction */
    BYTES_PER_UNIT = 16, /* bytes looked at or copied */
    COPIES_PER_UNIT = 8, /* short pieces put together */
    SMALL_ITEMS = 24,
};

int mr_lua_charged(lua_State *L)
{
    size_t len = 0;
    (void)lua_tolstring(L, 1, &len);
    mr_lua_charge(L, len / BYTES_PER_UNIT);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* ---- rep ---- */

static int string_rep(lua_State *L)
{
    size_t len;
    size_t len_between;
    const char *text = luaL_checklstring(L, 1, &len);
    const lua_Integer n = luaL_checkinteger(L, 2);
    const char *between = luaL_optlstring(L, 3, "", &len_between);
    if (n <= 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    const size_t each = len + len_between;
    if (each > 0 && (size_t)n > SIZE_MAX / 2 / each) {
        return luaL_error(L, "resulting string too large");
    }
    mr_lua_charge(L, (size_t)n / COPIES_PER_UNIT + each * (size_t)n / BYTES_PER_UNIT);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = 0; i < n; i++) {
        if (i > 0) {
            luaL_addlstring(&buffer, between, len_between);
        }
        luaL_addlstring(&buffer, text, len);
    }
    luaL_pushresult(&buffer);
    return 1;
}

/* ---- format ---- */

/* Arguments of %s become text by our own rules, and addresses (%p) are refused; then the library's
 * function, the upvalue, does the rest. */
static int string_format(lua_State *L)
{
    const int n = lua_gettop(L);
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len);
    mr_lua_charge(L, len);
    int argument = 1;
    for (size_t i = 0; i + 1 < len; i++) {
        if (format[i] != '%') {
            continue;
        }
        if (format[++i] == '%') {
            continue;
        }
        i += strspn(format + i, "-+ #0123456789.");
        argument++;
        if (format[i] == 'p') {
            return luaL_error(L, "'%%p' writes an address, which differs in every process");
        }
        if (format[i] == 's' && argument <= n) {
            mr_lua_text(L, argument);
            mr_lua_charge(L, (size_t)lua_rawlen(L, -1) / BYTES_PER_UNIT);
            lua_replace(L, argument);
        }
    }
    lua_settop(L, n);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* ---- Matching ---- */

typedef struct search {
    lua_State *L;
    int64_t debt; /* steps that are not charged yet */
    mr_pattern pattern;
    mr_match match;
    mr_pattern_item small[SMALL_ITEMS];
} search;

static void compile(search *s, mr_bytes text, bool anchors)
{
    const char *wrong = mr_pattern_compile(&s->pattern, text, anchors);
    if (wrong != NULL) {
        (void)luaL_error(s->L, "%s", wrong);
    }
    mr_lua_charge(s->L, s->pattern.n);
}

/* May push memory for the pattern. */
static void search_begin(lua_State *L, search *s, mr_bytes subject, mr_bytes pattern)
{
    s->L = L;
    s->debt = 0;
    s->match.subject = subject;
    const size_t items = mr_pattern_items(pattern);
    s->pattern.items =
        items <= SMALL_ITEMS ? s->small : lua_newuserdatauv(L, items * sizeof(mr_pattern_item), 0);
    s->pattern.capacity = items;
    compile(s, pattern, true);
}

static bool match_at(search *s, size_t begin)
{
    enum { DEBT_MAX = 1024 };
    const mr_lua *lua = mr_lua_of(s->L);
    const int64_t fuel = lua->fuel < INT32_MAX ? lua->fuel : INT32_MAX;
    const int64_t steps = fuel * STEPS_PER_UNIT - s->debt;
    s->match.steps = steps;
    const bool matched = mr_pattern_match(&s->pattern, &s->match, begin);
    if (s->match.steps < 0) {
        mr_lua_charge(s->L, SIZE_MAX); /* raises */
    }
    s->debt += steps - s->match.steps;
    if (s->debt >= DEBT_MAX) {
        mr_lua_charge(s->L, (size_t)s->debt / STEPS_PER_UNIT);
        s->debt = 0;
    }
    return matched;
}

/* The first match at or behind `begin`; its beginning in `ret_at`. */
static bool find_from(search *s, size_t begin, size_t *ret_at)
{
    for (size_t at = begin; at <= s->match.subject.len; at++) {
        if (match_at(s, at)) {
            *ret_at = at;
            return true;
        }
        if (s->pattern.anchored) {
            return false;
        }
    }
    return false;
}

static void push_capture(search *s, size_t i)
{
    const mr_capture *capture = &s->match.captures[i];
    if (capture->position) {
        lua_pushinteger(s->L, (lua_Integer)capture->begin + 1);
    } else {
        lua_pushlstring(s->L, (const char *)s->match.subject.data + capture->begin, capture->len);
    }
}

/* All captures, or with `whole` the match itself when there are none. */
static int push_captures(search *s, size_t begin, bool whole)
{
    const size_t n = s->pattern.n_captures;
    luaL_checkstack(s->L, (int)n + 1, "too many captures");
    if (n == 0 && whole) {
        lua_pushlstring(s->L, (const char *)s->match.subject.data + begin, s->match.end - begin);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        push_capture(s, i);
    }
    return (int)n;
}

/* From 0, of the optional argument `init`; beyond the end of the text: its length and one more. */
static size_t start_of(lua_State *L, int index, size_t len)
{
    const lua_Integer init = luaL_optinteger(L, index, 1);
    if (init > 0) {
        return (size_t)init - 1 > len ? len + 1 : (size_t)init - 1;
    }
    if (init == 0 || init < -(lua_Integer)len) {
        return 0;
    }
    return len - (size_t)-init;
}

static int find_plain(lua_State *L, mr_bytes subject, mr_bytes text, size_t start)
{
    mr_lua_charge(L, (subject.len - start) / BYTES_PER_UNIT);
    const uint8_t *found =
        text.len == 0 ? subject.data + start
                      : memmem(subject.data + start, subject.len - start, text.data, text.len);
    if (found == NULL) {
        lua_pushnil(L);
        return 1;
    }
    const lua_Integer at = found - subject.data;
    lua_pushinteger(L, at + 1);
    lua_pushinteger(L, at + (lua_Integer)text.len);
    return 2;
}

static bool has_specials(mr_bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (memchr("^$*+?.([%-", pattern.data[i], 10) != NULL) {
            return true;
        }
    }
    return false;
}

static mr_bytes check_bytes(lua_State *L, int index)
{
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    return mr_bytes_of(text, len);
}

static int find_or_match(lua_State *L, bool find)
{
    const mr_bytes subject = check_bytes(L, 1);
    const mr_bytes pattern = check_bytes(L, 2);
    const size_t start = start_of(L, 3, subject.len);
    if (start > subject.len) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_specials(pattern))) {
        return find_plain(L, subject, pattern, start);
    }
    search s;
    size_t at;
    search_begin(L, &s, subject, pattern);
    if (!find_from(&s, start, &at)) {
        lua_pushnil(L);
        return 1;
    }
    if (!find) {
        return push_captures(&s, at, true);
    }
    lua_pushinteger(L, (lua_Integer)at + 1);
    lua_pushinteger(L, (lua_Integer)s.match.end);
    return 2 + push_captures(&s, at, false);
}

static int string_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* ---- gmatch ---- */

/* Upvalues: the text, the pattern, where to go on (from 0), where the last match ended (-1: none).
 * The pattern is compiled again at each step: patterns are short, and nothing needs freeing. */
int mr_lua_gmatch_step(lua_State *L)
{
    search s = {.L = L};
    s.match.subject = mr_lua_bytes(L, lua_upvalueindex(1));
    const mr_bytes pattern = mr_lua_bytes(L, lua_upvalueindex(2));
    const size_t items = mr_pattern_items(pattern);
    s.pattern.items =
        items <= SMALL_ITEMS ? s.small : lua_newuserdatauv(L, items * sizeof(mr_pattern_item), 0);
    s.pattern.capacity = items;
    compile(&s, pattern, false);
    const lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
    size_t at = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    while (at <= s.match.subject.len && find_from(&s, at, &at)) {
        /* An empty match where the last one ended is the same place again. */
        if ((lua_Integer)s.match.end != last) {
            lua_pushinteger(L, (lua_Integer)s.match.end);
            lua_copy(L, -1, lua_upvalueindex(3));
            lua_replace(L, lua_upvalueindex(4));
            return push_captures(&s, at, true);
        }
        at++;
    }
    return 0;
}

static int string_gmatch(lua_State *L)
{
    const mr_bytes subject = check_bytes(L, 1);
    (void)check_bytes(L, 2);
    const size_t start = start_of(L, 3, subject.len);
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)start);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, mr_lua_gmatch_step, 4);
    return 1;
}

/* ---- gsub ---- */

/* Adds the replacement text at stack index 3, with its %0 to %9. */
static void add_template(search *s, luaL_Buffer *buffer, size_t begin)
{
    const mr_bytes text = mr_lua_bytes(s->L, 3);
    mr_lua_charge(s->L, 1 + text.len / BYTES_PER_UNIT);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%') {
            luaL_addchar(buffer, (char)text.data[i]);
            continue;
        }
        const uint8_t escaped = ++i < text.len ? text.data[i] : 0;
        if (escaped == '%') {
            luaL_addchar(buffer, '%');
        } else if (escaped == '0' || (escaped == '1' && s->pattern.n_captures == 0)) {
            luaL_addlstring(buffer, (const char *)s->match.subject.data + begin,
                            s->match.end - begin);
        } else if (escaped >= '1' && escaped <= '9') {
            if ((size_t)(escaped - '1') >= s->pattern.n_captures) {
                (void)luaL_error(s->L, "invalid capture index %%%c in replacement string", escaped);
            }
            push_capture(s, (size_t)(escaped - '1'));
            (void)lua_tostring(s->L, -1);
            luaL_addvalue(buffer);
        } else {
            (void)luaL_error(s->L, "invalid use of '%%' in replacement string");
        }
    }
}

/* Adds what a function or table at stack index 3 makes of the match. */
static void add_computed(search *s, luaL_Buffer *buffer, size_t begin)
{
    lua_State *L = s->L;
    const size_t end = s->match.end;
    if (lua_isfunction(L, 3)) {
        lua_pushvalue(L, 3);
        const int n = push_captures(s, begin, true);
        lua_call(L, n, 1);
    } else {
        if (s->pattern.n_captures == 0) {
            (void)push_captures(s, begin, true);
        } else {
            push_capture(s, 0);
        }
        (void)lua_gettable(L, 3);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(buffer, (const char *)s->match.subject.data + begin, end - begin);
        return;
    }
    if (!lua_isstring(L, -1)) {
        (void)luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    (void)lua_tostring(L, -1);
    luaL_addvalue(buffer);
}

static int string_gsub(lua_State *L)
{
    const mr_bytes subject = check_bytes(L, 1);
    const mr_bytes pattern = check_bytes(L, 2);
    const int kind = lua_type(L, 3);
    const bool is_text = kind == LUA_TNUMBER || kind == LUA_TSTRING;
    luaL_argexpected(L, is_text || kind == LUA_TFUNCTION || kind == LUA_TTABLE, 3,
                     "string/function/table");
    const lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)subject.len + 1);
    search s;
    search_begin(L, &s, subject, pattern);
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    lua_Integer n = 0;
    size_t at = 0;
    size_t last = SIZE_MAX;
    while (n < most) {
        if (match_at(&s, at) && s.match.end != last) {
            n++;
            last = s.match.end;
            if (is_text) {
                add_template(&s, &buffer, at);
            } else {
                add_computed(&s, &buffer, at);
            }
            at = last;
        } else if (at < subject.len) {
            luaL_addchar(&buffer, (char)subject.data[at++]);
        } else {
            break;
        }
        if (s.pattern.anchored) {
            break;
        }
    }
    if (at < subject.len) {
        luaL_addlstring(&buffer, (const char *)subject.data + at, subject.len - at);
    }
    luaL_pushresult(&buffer);
    lua_pushinteger(L, n);
    return 2;
}

void mr_lua_string_open(lua_State *L, int index)
{
    static const luaL_Reg own[] = {
        {"rep", string_rep},       {"find", string_find}, {"match", string_match},
        {"gmatch", string_gmatch}, {"gsub", string_gsub}, {NULL, NULL},
    };
    index = lua_absindex(L, index);
    (void)lua_getfield(L, index, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, index, "format");
    lua_pushvalue(L, index);
    luaL_setfuncs(L, own, 0);
    lua_pop(L, 1);
}
