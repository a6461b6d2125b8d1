/*
 * Goal: patterns match as Lua's own do, and no pattern runs on for ever.
 * Method: random patterns and texts (fixed seed) against Lua's own string.find, and known bad ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "script/lua_pattern.h"

enum { ROUNDS = 200000, TEXT_MAX = 24 };

typedef struct found {
    const char *wrong;
    bool matched;
    size_t begin;
    mr_match match;
    size_t n_captures;
} found;

static found find(mr_bytes subject, mr_bytes text, int64_t steps)
{
    mr_pattern_item items[256];
    mr_pattern pattern = {.items = items, .capacity = 256};
    found f = {.match = {.subject = subject, .steps = steps}};
    f.wrong = mr_pattern_compile(&pattern, text, true);
    f.n_captures = pattern.n_captures;
    for (size_t at = 0; f.wrong == NULL && !f.matched && at <= subject.len; at++) {
        f.begin = at;
        f.matched = mr_pattern_match(&pattern, &f.match, at);
        if (pattern.anchored || f.match.steps < 0) {
            break;
        }
    }
    return f;
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static mr_bytes random_text(uint64_t *random, const char *const *pieces, size_t n_pieces,
                            char text[TEXT_MAX * 4])
{
    const size_t n = next_random(random) % 9;
    text[0] = '\0';
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        const char *piece = pieces[next_random(random) % n_pieces];
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return mr_bytes_of(text, len);
}

/* What Lua's own find gives is on its stack from index 1 on. */
static bool lua_find(lua_State *L, mr_bytes subject, mr_bytes text)
{
    lua_settop(L, 0);
    (void)lua_getglobal(L, "string");
    (void)lua_getfield(L, -1, "find");
    lua_remove(L, 1);
    lua_pushlstring(L, (const char *)subject.data, subject.len);
    lua_pushlstring(L, (const char *)text.data, text.len);
    return lua_pcall(L, 2, LUA_MULTRET, 0) == LUA_OK;
}

static void check_capture(lua_State *L, const found *f, size_t i)
{
    const mr_capture *capture = &f->match.captures[i];
    const int index = 3 + (int)i;
    if (capture->position) {
        assert_int_equal(lua_tointeger(L, index), capture->begin + 1);
        return;
    }
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    assert_int_equal(len, capture->len);
    assert_memory_equal(text, f->match.subject.data + capture->begin, len);
}

static void random_patterns_match_as_in_lua(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "b", "ab", "1",    " ", "(",
                                        ")", "[", "-",  "\xc3", "A", "_"};
    static const char *const patterns[] = {
        "a",     "b",  ".",    "%a",     "%d",     "%s", "%A",  "[ab]", "[^a]", "[a-c]",
        "[%d_]", "*",  "+",    "-",      "?",      "(",  ")",   "()",   "$",    "^",
        "%1",    "%2", "%b()", "%f[%a]", "%f[%A]", "%-", "[]]", "[^]]", "[a-]", "%",
        "[",     "1",  "%w",   "%p",     "%g",     "%l", "%u",  "%x",   "%c",
    };
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    uint64_t random = 42;
    size_t n_matched = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        char subject_text[TEXT_MAX * 4];
        char pattern_text[TEXT_MAX * 4];
        const mr_bytes subject =
            random_text(&random, texts, sizeof(texts) / sizeof(texts[0]), subject_text);
        const mr_bytes text =
            random_text(&random, patterns, sizeof(patterns) / sizeof(patterns[0]), pattern_text);
        const found f = find(subject, text, 10000000);
        const bool ok = lua_find(L, subject, text);
        /* Lua finds a mistake only when it comes to it; one that it finds is one. */
        assert_true(ok || f.wrong != NULL);
        if (!ok || f.wrong != NULL) {
            continue;
        }
        assert_int_equal(f.matched, !lua_isnil(L, 1));
        if (f.matched) {
            n_matched++;
            assert_int_equal(lua_tointeger(L, 1), f.begin + 1);
            assert_int_equal(lua_tointeger(L, 2), f.match.end);
            assert_int_equal(lua_gettop(L), 2 + (int)f.n_captures);
            for (size_t i = 0; i < f.n_captures; i++) {
                check_capture(L, &f, i);
            }
        }
    }
    assert_true(n_matched > ROUNDS / 10);
    lua_close(L);
}

static void malformed_patterns_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *wrong;
    } rows[] = {
        {"%", "malformed pattern (ends with '%')"},
        {"[", "malformed pattern (missing ']')"},
        {"[a", "malformed pattern (missing ']')"},
        {"[^", "malformed pattern (missing ']')"},
        {"[]", "malformed pattern (missing ']')"},
        {"[a%", "malformed pattern (missing ']')"},
        {"[a-", "malformed pattern (missing ']')"},
        {"%b", "malformed pattern (missing arguments to '%b')"},
        {"%bx", "malformed pattern (missing arguments to '%b')"},
        {"%f", "missing '[' after '%f' in pattern"},
        {"%fa", "missing '[' after '%f' in pattern"},
        {"(", "unfinished capture"},
        {"(()", "unfinished capture"},
        {")", "invalid pattern capture"},
        {"%1", "invalid capture index in pattern"},
        {"(%1)", "invalid capture index in pattern"},
        {"%0", "invalid capture index in pattern"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const found f = find(mr_bytes_text("abc"), mr_bytes_text(rows[i].pattern), 1000);
        assert_non_null(f.wrong);
        assert_string_equal(f.wrong, rows[i].wrong);
    }
    char many[2 * (MR_PATTERN_CAPTURES_MAX + 1)];
    memset(many, '(', sizeof(many));
    for (size_t i = 1; i < sizeof(many); i += 2) {
        many[i] = ')';
    }
    assert_string_equal(find(mr_bytes_text(""), mr_bytes_of(many, sizeof(many)), 1000).wrong,
                        "too many captures");
}

static void a_pattern_that_backtracks_is_given_up(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'a', sizeof(text));
    static const char *const rows[] = {
        "(.-)(.-)(.-)(.-)(.-)(.-)b",
        "a*a*a*a*a*a*a*a*b",
        ".-.-.-.-.-.-.-.-b",
        "(a*)(a*)(a*)(a*)%1%2%3b",
        "a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?b",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const found f = find(mr_bytes_of(text, sizeof(text)), mr_bytes_text(rows[i]), 1000000);
        assert_null(f.wrong);
        assert_false(f.matched);
        assert_true(f.match.steps < 0);
    }
}

static void steps_do_not_depend_on_what_ran_before(void **state)
{
    (void)state;
    const found a = find(mr_bytes_text("hello world"), mr_bytes_text("(%w+) (%w+)$"), 10000);
    const found b = find(mr_bytes_text("hello world"), mr_bytes_text("(%w+) (%w+)$"), 10000);
    assert_true(a.matched);
    assert_int_equal(a.match.steps, b.match.steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_patterns_match_as_in_lua),
        cmocka_unit_test(malformed_patterns_are_told),
        cmocka_unit_test(a_pattern_that_backtracks_is_given_up),
        cmocka_unit_test(steps_do_not_depend_on_what_ran_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
