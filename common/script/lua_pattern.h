/*
 * Lua's string patterns, counted: the library's own matcher backtracks in C, where no instruction
 * limit reaches it, and "(.-)(.-)(.-)(.-)x" on a short text can run for days.
 *
 * A pattern is compiled into items first, so every mistake in it is found at once. Classes are
 * those of the "C" locale. Pure C: nothing of Lua is needed here.
 */
#pragma once

#include <mr/bytes.h>

enum { MR_PATTERN_CAPTURES_MAX = 32, MR_PATTERN_ITEMS_MAX = 1024 };

typedef struct mr_pattern_item {
    uint8_t op;
    uint8_t repeat;
    uint8_t first; /* a literal, the opening byte of a balance, a capture's number */
    uint8_t last;  /* the closing byte of a balance */
    uint8_t set[32];
} mr_pattern_item;

typedef struct mr_pattern {
    mr_pattern_item *items; /* room for `capacity`, given by the caller */
    size_t capacity;
    size_t n;
    bool anchored;
    size_t n_captures;
} mr_pattern;

/* How many items the text of a pattern can need at most. */
static inline size_t mr_pattern_items(mr_bytes text)
{
    return text.len + 1;
}

/* With `anchors`, a ^ at the beginning anchors; else it is a character. NULL, or what is wrong. */
const char *mr_pattern_compile(mr_pattern *pattern, mr_bytes text, bool anchors);

typedef struct mr_capture {
    size_t begin;
    size_t len;
    bool position; /* `()`: begin is a position, there is no text */
} mr_capture;

typedef struct mr_match {
    mr_bytes subject;
    int64_t steps; /* left; below 0: the match was given up */
    size_t end;    /* where the match ends */
    mr_capture captures[MR_PATTERN_CAPTURES_MAX];
} mr_match;

/* Whether the pattern matches at `begin` exactly. False with match->steps < 0: given up. */
bool mr_pattern_match(const mr_pattern *pattern, mr_match *match, size_t begin);
