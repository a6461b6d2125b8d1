#include "script/lua_pattern.h"

typedef enum op {
    OP_SET,      /* one byte of a set */
    OP_LITERAL,  /* one given byte */
    OP_ANY,      /* any one byte */
    OP_BALANCE,  /* %bxy */
    OP_FRONTIER, /* %f[set] */
    OP_OPEN,     /* ( */
    OP_CLOSE,    /* ) */
    OP_POSITION, /* () */
    OP_AGAIN,    /* %1 */
    OP_END,      /* $ as the last character */
} op;

typedef enum repeat {
    REPEAT_ONCE,
    REPEAT_OPTIONAL, /* ? */
    REPEAT_LONGEST,  /* * */
    REPEAT_MANY,     /* + */
    REPEAT_SHORTEST, /* - */
} repeat;

/* ---- Sets ---- */

static void add_to_set(uint8_t set[32], uint8_t byte)
{
    set[byte >> 3] |= (uint8_t)(1u << (byte & 7));
}

static bool in_set(const uint8_t set[32], uint8_t byte)
{
    return (set[byte >> 3] >> (byte & 7) & 1) != 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool in_class(uint8_t lower, uint8_t c)
{
    switch (lower) {
    case 'a':
        return is_letter(c);
    case 'c':
        return c < 32 || c == 127;
    case 'd':
        return is_digit(c);
    case 'g':
        return c > 32 && c < 127;
    case 'l':
        return c >= 'a' && c <= 'z';
    case 'p':
        return c > 32 && c < 127 && !is_letter(c) && !is_digit(c);
    case 's':
        return c == ' ' || (c >= '\t' && c <= '\r');
    case 'u':
        return c >= 'A' && c <= 'Z';
    case 'w':
        return is_letter(c) || is_digit(c);
    default: /* 'x' */
        return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
    }
}

static bool is_class_letter(uint8_t c)
{
    return is_letter(c) && memchr("acdglpsuwx", c | 0x20, 10) != NULL;
}

static void add_class(uint8_t set[32], uint8_t letter)
{
    const bool wanted = (letter & 0x20) != 0; /* %A is what %a is not */
    for (unsigned c = 0; c < 256; c++) {
        if (in_class(letter | 0x20, (uint8_t)c) == wanted) {
            add_to_set(set, (uint8_t)c);
        }
    }
}

/* ---- Compiling ---- */

typedef struct compiler {
    mr_pattern *pattern;
    mr_bytes text;
    size_t at;
    uint8_t open[MR_PATTERN_CAPTURES_MAX]; /* captures begun and not ended, the last one on top */
    size_t n_open;
    bool ended[MR_PATTERN_CAPTURES_MAX];
} compiler;

static bool more(const compiler *c)
{
    return c->at < c->text.len;
}

static const char malformed_set[] = "malformed pattern (missing ']')";
static const char malformed_escape[] = "malformed pattern (ends with '%')";

/* One member or range of a set. */
static const char *compile_member(compiler *c, uint8_t set[32])
{
    const uint8_t *text = c->text.data;
    const uint8_t first = text[c->at++];
    if (first == '%') {
        if (!more(c)) {
            return malformed_set;
        }
        const uint8_t escaped = text[c->at++];
        if (is_class_letter(escaped)) {
            add_class(set, escaped);
        } else {
            add_to_set(set, escaped);
        }
        return NULL;
    }
    if (c->at + 1 < c->text.len && text[c->at] == '-' && text[c->at + 1] != ']') {
        const uint8_t last = text[c->at + 1];
        for (unsigned byte = first; byte <= last; byte++) {
            add_to_set(set, (uint8_t)byte);
        }
        c->at += 2;
        return NULL;
    }
    add_to_set(set, first);
    return NULL;
}

/* From behind the opening bracket to behind the closing one. */
static const char *compile_set(compiler *c, uint8_t set[32])
{
    const bool negated = more(c) && c->text.data[c->at] == '^';
    c->at += negated ? 1 : 0;
    /* A bracket that closes nothing yet is a member. */
    bool first = true;
    while (more(c) && (first || c->text.data[c->at] != ']')) {
        first = false;
        const char *wrong = compile_member(c, set);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (!more(c)) {
        return malformed_set;
    }
    c->at++;
    for (size_t i = 0; negated && i < 32; i++) {
        set[i] = (uint8_t)~set[i];
    }
    return NULL;
}

static const char *compile_open(compiler *c, mr_pattern_item *item)
{
    mr_pattern *pattern = c->pattern;
    if (pattern->n_captures == MR_PATTERN_CAPTURES_MAX) {
        return "too many captures";
    }
    item->first = (uint8_t)pattern->n_captures++;
    if (more(c) && c->text.data[c->at] == ')') {
        c->at++;
        item->op = OP_POSITION;
        c->ended[item->first] = true;
        return NULL;
    }
    item->op = OP_OPEN;
    c->open[c->n_open++] = item->first;
    return NULL;
}

static const char *compile_close(compiler *c, mr_pattern_item *item)
{
    if (c->n_open == 0) {
        return "invalid pattern capture";
    }
    item->op = OP_CLOSE;
    item->first = c->open[--c->n_open];
    c->ended[item->first] = true;
    return NULL;
}

/* From behind the %: what is not a single-byte class returns true in `ret_done`. */
static const char *compile_escape(compiler *c, mr_pattern_item *item, bool *ret_done)
{
    if (!more(c)) {
        return malformed_escape;
    }
    const uint8_t *text = c->text.data;
    const uint8_t escaped = text[c->at++];
    *ret_done = true;
    if (escaped == 'b') {
        if (c->text.len - c->at < 2) {
            return "malformed pattern (missing arguments to '%b')";
        }
        *item = (mr_pattern_item){.op = OP_BALANCE, .first = text[c->at], .last = text[c->at + 1]};
        c->at += 2;
        return NULL;
    }
    if (escaped == 'f') {
        if (!more(c) || text[c->at] != '[') {
            return "missing '[' after '%f' in pattern";
        }
        c->at++;
        item->op = OP_FRONTIER;
        return compile_set(c, item->set);
    }
    if (is_digit(escaped)) {
        item->op = OP_AGAIN;
        item->first = (uint8_t)(escaped - '1');
        return escaped == '0' || !c->ended[item->first] ? "invalid capture index in pattern" : NULL;
    }
    *ret_done = false;
    if (is_class_letter(escaped)) {
        item->op = OP_SET;
        add_class(item->set, escaped);
    } else {
        item->op = OP_LITERAL;
        item->first = escaped;
    }
    return NULL;
}

static uint8_t compile_repeat(compiler *c)
{
    static const char signs[] = "?*+-";
    const char *sign = more(c) ? memchr(signs, c->text.data[c->at], 4) : NULL;
    if (sign == NULL) {
        return REPEAT_ONCE;
    }
    c->at++;
    return (uint8_t)(REPEAT_OPTIONAL + (sign - signs));
}

static const char *compile_item(compiler *c, mr_pattern_item *item)
{
    const uint8_t first = c->text.data[c->at++];
    const char *wrong = NULL;
    bool done = false; /* what is more than a class of bytes is not repeated */
    if (first == '(') {
        return compile_open(c, item);
    }
    if (first == ')') {
        return compile_close(c, item);
    }
    if (first == '$' && !more(c)) {
        item->op = OP_END;
        return NULL;
    }
    if (first == '%') {
        wrong = compile_escape(c, item, &done);
    } else if (first == '[') {
        item->op = OP_SET;
        wrong = compile_set(c, item->set);
    } else if (first == '.') {
        item->op = OP_ANY;
    } else {
        item->op = OP_LITERAL;
        item->first = first;
    }
    if (wrong == NULL && !done) {
        item->repeat = compile_repeat(c);
    }
    return wrong;
}

const char *mr_pattern_compile(mr_pattern *pattern, mr_bytes text, bool anchors)
{
    compiler c = {.pattern = pattern, .text = text};
    pattern->n = 0;
    pattern->n_captures = 0;
    pattern->anchored = anchors && text.len > 0 && text.data[0] == '^';
    c.at = pattern->anchored ? 1 : 0;
    while (more(&c)) {
        if (pattern->n == MR_PATTERN_ITEMS_MAX) {
            return "pattern too long";
        }
        assert(pattern->n < pattern->capacity);
        mr_pattern_item *item = &pattern->items[pattern->n++];
        *item = (mr_pattern_item){0};
        const char *wrong = compile_item(&c, item);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return c.n_open > 0 ? "unfinished capture" : NULL;
}

/* ---- Matching ---- */

static const size_t no_match = SIZE_MAX;

static bool matches_one(const mr_pattern_item *item, const mr_match *match, size_t at)
{
    if (at >= match->subject.len) {
        return false;
    }
    const uint8_t byte = match->subject.data[at];
    return item->op == OP_ANY ||
           (item->op == OP_LITERAL ? byte == item->first : in_set(item->set, byte));
}

/* Behind the closing byte that balances the opening one at `at`. */
static size_t match_balance(const mr_pattern_item *item, mr_match *match, size_t at)
{
    const mr_bytes subject = match->subject;
    if (at >= subject.len || subject.data[at] != item->first) {
        return no_match;
    }
    size_t depth = 1;
    for (size_t i = at + 1; i < subject.len; i++) {
        match->steps--;
        if (subject.data[i] == item->last) {
            depth--;
        } else if (subject.data[i] == item->first) {
            depth++;
        }
        if (depth == 0) {
            return i + 1;
        }
    }
    return no_match;
}

static bool at_frontier(const mr_pattern_item *item, const mr_match *match, size_t at)
{
    const mr_bytes subject = match->subject;
    const uint8_t before = at == 0 ? 0 : subject.data[at - 1];
    const uint8_t after = at < subject.len ? subject.data[at] : 0;
    return !in_set(item->set, before) && in_set(item->set, after);
}

static size_t match_again(const mr_pattern_item *item, mr_match *match, size_t at)
{
    const mr_capture *capture = &match->captures[item->first];
    const size_t len = capture->position ? 0 : capture->len;
    match->steps -= (int64_t)(len / 16);
    if (capture->position || match->subject.len - at < len ||
        memcmp(match->subject.data + capture->begin, match->subject.data + at, len) != 0) {
        return no_match;
    }
    return at + len;
}

/* Where an item that is not repeated ends, no_match when it does not match. */
static size_t match_once(const mr_pattern_item *item, mr_match *match, size_t at)
{
    switch (item->op) {
    case OP_OPEN:
        match->captures[item->first] = (mr_capture){.begin = at};
        return at;
    case OP_CLOSE:
        match->captures[item->first].len = at - match->captures[item->first].begin;
        return at;
    case OP_POSITION:
        match->captures[item->first] = (mr_capture){.begin = at, .position = true};
        return at;
    case OP_BALANCE:
        return match_balance(item, match, at);
    case OP_FRONTIER:
        return at_frontier(item, match, at) ? at : no_match;
    case OP_AGAIN:
        return match_again(item, match, at);
    case OP_END:
        return at == match->subject.len ? at : no_match;
    default:
        return matches_one(item, match, at) ? at + 1 : no_match;
    }
}

static size_t match_from(const mr_pattern *pattern, mr_match *match, size_t i, size_t at);

/* An item that matches itself `least` or more times, then the rest; the longest or shortest first.
 * Depth of recursion is bounded by the number of items. */
static size_t match_repeated(const mr_pattern *pattern, mr_match *match, size_t i, size_t at)
{
    const mr_pattern_item *item = &pattern->items[i];
    const size_t least = item->repeat == REPEAT_MANY ? 1 : 0;
    const size_t most = item->repeat == REPEAT_OPTIONAL ? 1 : SIZE_MAX;
    size_t count = 0;
    if (item->repeat != REPEAT_SHORTEST) {
        while (count < most && matches_one(item, match, at + count)) {
            count++;
        }
        match->steps -= (int64_t)count;
        for (;; count--) {
            const size_t end =
                count < least ? no_match : match_from(pattern, match, i + 1, at + count);
            if (end != no_match || match->steps < 0 || count <= least) {
                return end;
            }
        }
    }
    for (;; count++) {
        const size_t end = match_from(pattern, match, i + 1, at + count);
        if (end != no_match || match->steps < 0 || !matches_one(item, match, at + count)) {
            return end;
        }
    }
}

static size_t match_from(const mr_pattern *pattern, mr_match *match, size_t i, size_t at)
{
    for (; i < pattern->n && at != no_match; i++) {
        if (--match->steps < 0) {
            return no_match;
        }
        if (pattern->items[i].repeat != REPEAT_ONCE) {
            return match_repeated(pattern, match, i, at);
        }
        at = match_once(&pattern->items[i], match, at);
    }
    return match->steps < 0 ? no_match : at;
}

bool mr_pattern_match(const mr_pattern *pattern, mr_match *match, size_t begin)
{
    const size_t end = match_from(pattern, match, 0, begin);
    if (end == no_match) {
        return false;
    }
    match->end = end;
    return true;
}
