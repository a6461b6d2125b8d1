#include "script/lua_lines.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/file.h"

enum { SOURCE_MAX = 1 << 20, BLOCKS_MAX = 256, FOLLOW_MAX = 8 };

/* ---- Tokens ---- */

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NAME, /* keywords too */
    TOKEN_TEXT, /* a quoted string: its content, escapes as written */
    TOKEN_SIGN, /* one character; "==" and the like are two of them */
    TOKEN_OTHER,
} token_kind;

typedef struct token {
    token_kind kind;
    mr_bytes text;
    int line;
} token;

typedef struct scanner {
    mr_bytes source;
    size_t at;
    int line;
} scanner;

static uint8_t peek(const scanner *s, size_t ahead)
{
    return s->at + ahead < s->source.len ? s->source.data[s->at + ahead] : 0;
}

static void advance(scanner *s)
{
    s->line += peek(s, 0) == '\n' ? 1 : 0;
    s->at++;
}

static bool is_name(uint8_t c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Level of a long bracket that begins here, -1 when none does. */
static int long_level(const scanner *s)
{
    size_t level = 0;
    while (peek(s, 1 + level) == '=') {
        level++;
    }
    return peek(s, 0) == '[' && peek(s, 1 + level) == '[' ? (int)level : -1;
}

static void skip_long(scanner *s, int level)
{
    const size_t len = (size_t)level + 2;
    s->at += len;
    while (s->at < s->source.len) {
        size_t matched = 0;
        if (peek(s, 0) == ']') {
            matched = 1;
            while (matched <= (size_t)level && peek(s, matched) == '=') {
                matched++;
            }
            if (matched == (size_t)level + 1 && peek(s, matched) == ']') {
                s->at += len;
                return;
            }
        }
        advance(s);
    }
}

static void skip_blanks(scanner *s)
{
    while (s->at < s->source.len) {
        const uint8_t c = peek(s, 0);
        if (c == '-' && peek(s, 1) == '-') {
            s->at += 2;
            const int level = long_level(s);
            if (level >= 0) {
                skip_long(s, level);
            }
            while (level < 0 && s->at < s->source.len && peek(s, 0) != '\n') {
                s->at++;
            }
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            advance(s);
        } else {
            return;
        }
    }
}

static mr_bytes take_quoted(scanner *s)
{
    const uint8_t quote = peek(s, 0);
    s->at++;
    const size_t begin = s->at;
    while (s->at < s->source.len && peek(s, 0) != quote && peek(s, 0) != '\n') {
        if (peek(s, 0) == '\\') {
            advance(s);
        }
        advance(s);
    }
    const size_t end = s->at < s->source.len ? s->at : s->source.len;
    s->at = end + 1;
    return mr_bytes_of(s->source.data + begin, end - begin);
}

static token next_token(scanner *s)
{
    skip_blanks(s);
    token t = {.kind = TOKEN_END, .line = s->line};
    if (s->at >= s->source.len) {
        return t;
    }
    const size_t begin = s->at;
    const uint8_t c = peek(s, 0);
    const int level = long_level(s);
    t.kind = TOKEN_SIGN;
    if (level >= 0) {
        skip_long(s, level);
        t.kind = TOKEN_OTHER;
    } else if (c == '"' || c == '\'') {
        t.kind = TOKEN_TEXT;
        t.text = take_quoted(s);
        return t;
    } else if (is_name(c)) {
        t.kind = c >= '0' && c <= '9' ? TOKEN_OTHER : TOKEN_NAME;
        while (is_name(peek(s, 0))) {
            s->at++;
        }
    } else {
        s->at++;
    }
    t.text = mr_bytes_of(s->source.data + begin, s->at - begin);
    return t;
}

static bool is_word(token t, const char *word)
{
    return t.kind == TOKEN_NAME && mr_bytes_equal_text(t.text, word);
}

static bool is_sign(token t, char sign)
{
    return t.kind == TOKEN_SIGN && t.text.data[0] == (uint8_t)sign;
}

/* ---- What a file has ---- */

/* A field of a table, or outside of tables `name = value` and `return value`. */
typedef struct field {
    int owner;       /* the table; -1: outside */
    char *name;      /* NULL: by position */
    size_t position; /* from 1 */
    int line;
    int table;        /* its value is this table, -1 */
    char *refers;     /* its value is the variable of that name, NULL */
    bool is_required; /* ... the file of that name */
} field;

typedef struct source {
    const char *name;
    field *fields;
    size_t n_fields;
    size_t capacity;
    int root_line; /* of `return` outside of functions; */
    size_t root;   /* its field; SIZE_MAX: none */
    int *table_lines;
    size_t n_tables;
    size_t table_capacity;
} source;

struct mr_lua_lines {
    char *directory;
    source *sources;
    size_t n_sources;
};

typedef struct parser {
    scanner scanner;
    source *source;
    int blocks[BLOCKS_MAX];       /* open tables, or -1 for any other bracket or block */
    size_t positions[BLOCKS_MAX]; /* fields by position so far */
    size_t n_blocks;
    bool at_field; /* right behind { , or ; of a table */
} parser;

static field *add_field(source *s, int owner, int line)
{
    MR_GROW(s->fields, s->capacity, s->n_fields + 1);
    s->fields[s->n_fields] = (field){.owner = owner, .line = line, .table = -1};
    return &s->fields[s->n_fields++];
}

static char *text_of(mr_bytes bytes)
{
    return mr_strndup((const char *)bytes.data, bytes.len);
}

/* Notes what the value that begins at the scanner's place is, without taking it. */
static void note_value(parser *p, field *f)
{
    scanner ahead = p->scanner;
    const token first = next_token(&ahead);
    if (is_sign(first, '{')) {
        f->table = (int)p->source->n_tables; /* the number it is going to get */
        return;
    }
    if (first.kind != TOKEN_NAME) {
        return;
    }
    token second = next_token(&ahead);
    if (is_sign(second, '{')) {
        f->table = (int)p->source->n_tables;
        return;
    }
    if (!is_word(first, "require")) {
        const bool alone = second.kind == TOKEN_END || is_sign(second, ',') ||
                           is_sign(second, ';') || is_sign(second, '}') ||
                           (second.kind == TOKEN_NAME && f->owner < 0);
        f->refers = alone ? text_of(first.text) : NULL;
        return;
    }
    second = is_sign(second, '(') ? next_token(&ahead) : second;
    if (second.kind == TOKEN_TEXT) {
        f->refers = text_of(second.text);
        f->is_required = true;
    }
}

static int top_table(const parser *p)
{
    return p->n_blocks == 0 ? -1 : p->blocks[p->n_blocks - 1];
}

static void push_block(parser *p, int table)
{
    if (p->n_blocks < BLOCKS_MAX) {
        p->blocks[p->n_blocks] = table;
        p->positions[p->n_blocks] = 0;
        p->n_blocks++;
    }
}

static void open_table(parser *p, int line)
{
    source *s = p->source;
    MR_GROW(s->table_lines, s->table_capacity, s->n_tables + 1);
    s->table_lines[s->n_tables] = line;
    push_block(p, (int)s->n_tables++);
    p->at_field = true;
}

/* `name =`, `["name"] =` or a value: the field that begins with `first`. */
static void begin_field(parser *p, token first)
{
    scanner ahead = p->scanner;
    token name = first;
    token sign = next_token(&ahead);
    if (is_sign(first, '[')) {
        name = sign;
        sign = next_token(&ahead);
        sign = is_sign(sign, ']') ? next_token(&ahead) : sign;
    }
    const bool named =
        is_sign(sign, '=') &&
        !is_sign(next_token(&(scanner){.source = ahead.source, .at = ahead.at}), '=');
    field *f = add_field(p->source, top_table(p), first.line);
    if (named) {
        f->name = text_of(name.text);
        p->scanner = ahead;
        note_value(p, f);
        return;
    }
    f->position = ++p->positions[p->n_blocks - 1];
    scanner back = p->scanner;
    p->scanner.at = (size_t)(first.text.data - p->scanner.source.data);
    p->scanner.at -= first.kind == TOKEN_TEXT ? 1 : 0;
    note_value(p, f);
    p->scanner = back;
}

/* `name = value` outside of tables. */
static void note_assignment(parser *p, token name)
{
    scanner ahead = p->scanner;
    if (!is_sign(next_token(&ahead), '=')) {
        return;
    }
    scanner back = p->scanner;
    p->scanner = ahead;
    field *f = add_field(p->source, -1, name.line);
    f->name = text_of(name.text);
    note_value(p, f);
    p->scanner = back;
}

static void take_word(parser *p, token t)
{
    static const char *const opening[] = {"function", "do", "if", "repeat"};
    for (size_t i = 0; i < sizeof(opening) / sizeof(opening[0]); i++) {
        if (is_word(t, opening[i])) {
            push_block(p, -1);
            return;
        }
    }
    if (is_word(t, "end") || is_word(t, "until")) {
        p->n_blocks -= p->n_blocks > 0 ? 1 : 0;
    } else if (is_word(t, "return") && p->n_blocks == 0) {
        p->source->root = p->source->n_fields;
        note_value(p, add_field(p->source, -1, t.line));
    } else if (top_table(p) < 0) {
        note_assignment(p, t);
    }
}

static void take_token(parser *p, token t)
{
    const bool at_field = p->at_field && top_table(p) >= 0;
    p->at_field = false;
    if (at_field && !is_sign(t, '}') && !is_sign(t, ',') && !is_sign(t, ';')) {
        const size_t before = p->scanner.at;
        begin_field(p, t);
        if (p->scanner.at != before) {
            return; /* the name is taken, the value comes next */
        }
    }
    if (is_sign(t, '{')) {
        open_table(p, t.line);
    } else if (is_sign(t, '(') || is_sign(t, '[')) {
        push_block(p, -1);
    } else if (is_sign(t, '}') || is_sign(t, ')') || is_sign(t, ']')) {
        p->n_blocks -= p->n_blocks > 0 ? 1 : 0;
    } else if (is_sign(t, ',') || is_sign(t, ';')) {
        p->at_field = top_table(p) >= 0;
    } else if (t.kind == TOKEN_NAME) {
        take_word(p, t);
    }
}

static void parse_source(const char *directory, source *s)
{
    char *path = mr_asprintf("%s/%s", directory, s->name);
    mr_buf text = MR_BUF_NULL;
    mr_error err;
    if (mr_file_read(path, SOURCE_MAX, &text, &err) == MR_OK) {
        parser p = {.scanner = {.source = mr_buf_bytes(&text), .line = 1}, .source = s};
        for (token t = next_token(&p.scanner); t.kind != TOKEN_END; t = next_token(&p.scanner)) {
            take_token(&p, t);
        }
    }
    mr_buf_deinit(&text);
    free(path);
}

/* ---- The outside ---- */

mr_lua_lines *mr_lua_lines_new(const char *directory)
{
    mr_lua_lines *lines = mr_alloc_zero(1, sizeof(*lines));
    lines->directory = mr_strdup(directory);
    return lines;
}

static void free_source(source *s)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        free(s->fields[i].name);
        free(s->fields[i].refers);
    }
    free(s->fields);
    free(s->table_lines);
    free((char *)(uintptr_t)s->name);
}

void mr_lua_lines_free(mr_lua_lines *lines)
{
    if (lines == NULL) {
        return;
    }
    for (size_t i = 0; i < lines->n_sources; i++) {
        free_source(&lines->sources[i]);
    }
    free(lines->sources);
    free(lines->directory);
    free(lines);
}

static size_t find_source(mr_lua_lines *lines, const char *name)
{
    for (size_t i = 0; i < lines->n_sources; i++) {
        if (strcmp(lines->sources[i].name, name) == 0) {
            return i;
        }
    }
    lines->sources = mr_realloc(lines->sources, (lines->n_sources + 1) * sizeof(lines->sources[0]));
    source *s = &lines->sources[lines->n_sources];
    *s = (source){.name = mr_strdup(name), .root = SIZE_MAX};
    parse_source(lines->directory, s);
    return lines->n_sources++;
}

/* The last assignment of a variable outside of tables. */
static const field *find_variable(const source *s, const char *name)
{
    for (size_t i = s->n_fields; i > 0; i--) {
        const field *f = &s->fields[i - 1];
        if (f->owner < 0 && f->name != NULL && strcmp(f->name, name) == 0) {
            return f;
        }
    }
    return NULL;
}

/* The table that the field's value is, through variables and files; else the field's own line. */
static mr_lua_line follow(mr_lua_lines *lines, size_t at, const field *f, size_t depth)
{
    const source *s = &lines->sources[at];
    const mr_lua_line own = {.file = s->name, .line = f->line, .table = f->table, .exact = true};
    if (f->refers == NULL || depth == FOLLOW_MAX) {
        return own;
    }
    const field *next = NULL;
    if (f->is_required) {
        char *name = mr_asprintf("%s.lua", f->refers);
        at = find_source(lines, name);
        free(name);
        s = &lines->sources[at];
        next = s->root < s->n_fields ? &s->fields[s->root] : NULL;
    } else {
        next = find_variable(s, f->refers);
    }
    return next == NULL || next == f ? own : follow(lines, at, next, depth + 1);
}

mr_lua_line mr_lua_lines_root(mr_lua_lines *lines, const char *file)
{
    const size_t at = find_source(lines, file);
    const source *s = &lines->sources[at];
    if (s->root >= s->n_fields) {
        return (mr_lua_line){.file = s->name, .line = 1, .table = -1};
    }
    return follow(lines, at, &s->fields[s->root], 0);
}

mr_lua_line mr_lua_lines_field(mr_lua_lines *lines, mr_lua_line table, const char *name,
                               size_t position)
{
    mr_lua_line none = table;
    none.table = -1;
    none.exact = false;
    const size_t at = find_source(lines, table.file);
    const source *s = &lines->sources[at];
    /* Of two fields of one name the last one is what Lua keeps. */
    for (size_t i = s->n_fields; i > 0 && table.table >= 0; i--) {
        const field *f = &s->fields[i - 1];
        const bool same = name == NULL ? f->name == NULL && f->position == position
                                       : f->name != NULL && strcmp(f->name, name) == 0;
        if (f->owner == table.table && same) {
            return follow(lines, at, f, 0);
        }
    }
    return none;
}
