#include "script/lua_code.h"

#include "script/lua_state.h"

enum {
    VERSION = 0x54,
    FORMAT = 0,
    HEADER_BYTES = 31, /* signature, version, format, data, three sizes, an integer, a number */
    CONSTANT_INTEGER = 3,
    CONSTANT_FLOAT = 19,
    CONSTANT_SHORT_STRING = 4,
    CONSTANT_LONG_STRING = 20,
    LINE_IS_ABSOLUTE = -128,
};

/* Instructions: the opcode in the lowest 7 bits, A in the next 8, then a flag, B and C. */
enum {
    OP_SETUPVAL = 10, /* upvalue B */
    OP_GETTABUP = 11, /* upvalue B, constant C */
    OP_SETTABUP = 15, /* upvalue A, constant B */
};

typedef struct reader {
    lua_State *L;
    const uint8_t *at;
    const uint8_t *end;
    const mr_lua_code_visitor *visitor;
} reader;

/* One function: what its instructions refer to. Arrays are memory of Lua, on its stack. */
typedef struct function {
    const struct function *outer;
    const uint8_t *code;
    size_t n_code;
    mr_bytes *constants; /* null bytes: no string */
    size_t n_constants;
    const uint8_t *upvalues; /* three bytes each: in the outer stack, index, kind */
    size_t n_upvalues;
    mr_bytes *upvalue_names;
    int first_line;
    const uint8_t *line_steps; /* one for each instruction */
    const uint8_t *lines;      /* absolute ones: pairs of sizes */
} function;

static int unknown_format(lua_State *L)
{
    return luaL_error(L, "this build of Lua writes compiled functions in an unknown format");
}

/* ---- Parts ---- */

static const uint8_t *take(reader *r, size_t len)
{
    if ((size_t)(r->end - r->at) < len) {
        (void)unknown_format(r->L);
    }
    const uint8_t *taken = r->at;
    r->at += len;
    return taken;
}

/* Groups of seven bits, the highest first; the last one is marked. */
static size_t take_size(reader *r)
{
    size_t size = 0;
    for (;;) {
        const uint8_t byte = *take(r, 1);
        if (size > SIZE_MAX >> 8) {
            (void)unknown_format(r->L);
        }
        size = size << 7 | (byte & 0x7f);
        if ((byte & 0x80) != 0) {
            return size;
        }
    }
}

/* How many items of at least one byte follow. */
static size_t take_count(reader *r)
{
    const size_t count = take_size(r);
    if (count > (size_t)(r->end - r->at)) {
        (void)unknown_format(r->L);
    }
    return count;
}

static mr_bytes take_string(reader *r)
{
    const size_t size = take_size(r);
    return size == 0 ? MR_BYTES_NULL : mr_bytes_of(take(r, size - 1), size - 1);
}

/* Memory for `count` texts that lives until the function that is visited is done. */
static mr_bytes *make_texts(lua_State *L, size_t count)
{
    luaL_checkstack(L, 10, "functions are nested too deep");
    return lua_newuserdatauv(L, (count + 1) * sizeof(mr_bytes), 0);
}

static void take_constants(reader *r, function *f)
{
    f->n_constants = take_count(r);
    f->constants = make_texts(r->L, f->n_constants);
    for (size_t i = 0; i < f->n_constants; i++) {
        f->constants[i] = MR_BYTES_NULL;
        switch (*take(r, 1)) {
        case CONSTANT_INTEGER:
        case CONSTANT_FLOAT:
            (void)take(r, 8);
            break;
        case CONSTANT_SHORT_STRING:
        case CONSTANT_LONG_STRING:
            f->constants[i] = take_string(r);
            break;
        default: /* nil, false, true */
            break;
        }
    }
}

static void take_debug(reader *r, function *f)
{
    if (take_count(r) != f->n_code) {
        (void)unknown_format(r->L);
    }
    f->line_steps = take(r, f->n_code);
    size_t n = take_count(r);
    f->lines = r->at;
    for (; n > 0; n--) {
        (void)take_size(r);
        (void)take_size(r);
    }
    for (n = take_count(r); n > 0; n--) { /* local variables */
        (void)take_string(r);
        (void)take_size(r);
        (void)take_size(r);
    }
    if (take_count(r) != f->n_upvalues) {
        (void)unknown_format(r->L);
    }
    f->upvalue_names = make_texts(r->L, f->n_upvalues);
    for (size_t i = 0; i < f->n_upvalues; i++) {
        f->upvalue_names[i] = take_string(r);
    }
}

/* ---- Uses ---- */

/* The upvalue of the outermost function that this one's upvalue is; -1: a local in between. */
static int outermost_upvalue(const function *f, size_t upvalue)
{
    for (; f->outer != NULL; f = f->outer) {
        if (upvalue >= f->n_upvalues || f->upvalues[3 * upvalue] != 0) {
            return -1;
        }
        upvalue = f->upvalues[3 * upvalue + 1];
    }
    return (int)upvalue;
}

static void report_assigned(const reader *r, const function *f, size_t upvalue, int line)
{
    const int outermost = outermost_upvalue(f, upvalue);
    if (outermost >= 0) {
        r->visitor->assigned(r->L, r->visitor->argument, outermost, line);
    }
}

static void report_global(const reader *r, const function *f, size_t upvalue, size_t constant,
                          int line, bool assigned)
{
    if (upvalue >= f->n_upvalues || constant >= f->n_constants ||
        mr_bytes_is_null(f->constants[constant]) ||
        !mr_bytes_equal_text(f->upvalue_names[upvalue], "_ENV") ||
        outermost_upvalue(f, upvalue) < 0) {
        return;
    }
    const mr_bytes name = f->constants[constant];
    lua_pushlstring(r->L, (const char *)name.data, name.len);
    const mr_lua_global_use use = {
        .name = lua_tostring(r->L, -1), .line = line, .assigned = assigned};
    r->visitor->global(r->L, r->visitor->argument, &use);
    lua_pop(r->L, 1);
}

static void visit_code(const reader *r, const function *f)
{
    int line = f->first_line;
    reader lines = {.L = r->L, .at = f->lines, .end = r->end};
    for (size_t i = 0; i < f->n_code; i++) {
        const int step = (int8_t)f->line_steps[i];
        if (step == LINE_IS_ABSOLUTE) {
            (void)take_size(&lines);
            line = (int)take_size(&lines);
        } else {
            line += step;
        }
        uint32_t instruction;
        memcpy(&instruction, f->code + i * sizeof(instruction), sizeof(instruction));
        const size_t a = instruction >> 7 & 0xff;
        const size_t b = instruction >> 16 & 0xff;
        const size_t c = instruction >> 24;
        switch (instruction & 0x7f) {
        case OP_SETUPVAL:
            report_assigned(r, f, b, line);
            break;
        case OP_GETTABUP:
            report_global(r, f, b, c, line, false);
            break;
        case OP_SETTABUP:
            report_global(r, f, a, b, line, true);
            break;
        default:
            break;
        }
    }
}

/* Functions inside come after the constants and before what is needed to say where in this one: so
 * the inner ones are visited first. */
static void visit_function(reader *r, const function *outer)
{
    const int top = lua_gettop(r->L);
    function f = {.outer = outer};
    (void)take_string(r); /* source */
    f.first_line = (int)take_size(r);
    (void)take_size(r); /* last line */
    (void)take(r, 3);   /* parameters, varargs, registers */
    f.n_code = take_count(r);
    f.code = take(r, f.n_code * sizeof(uint32_t));
    take_constants(r, &f);
    f.n_upvalues = take_count(r);
    f.upvalues = take(r, 3 * f.n_upvalues);
    for (size_t n = take_count(r); n > 0; n--) {
        visit_function(r, &f);
    }
    take_debug(r, &f);
    visit_code(r, &f);
    lua_settop(r->L, top);
}

static int append(lua_State *L, const void *data, size_t len, void *buf)
{
    (void)L;
    mr_buf_append(buf, data, len);
    return 0;
}

void mr_lua_code_visit(lua_State *L, int index, const mr_lua_code_visitor *visitor)
{
    mr_buf *code = &mr_lua_of(L)->scratch;
    mr_buf_clear(code);
    lua_pushvalue(L, index);
    (void)lua_dump(L, append, code, 0);
    lua_pop(L, 1);
    reader r = {.L = L, .at = code->data, .end = code->data + code->len, .visitor = visitor};
    const uint8_t *header = take(&r, HEADER_BYTES);
    if (memcmp(header, LUA_SIGNATURE, 4) != 0 || header[4] != VERSION || header[5] != FORMAT ||
        header[12] != sizeof(uint32_t) || header[13] != 8 || header[14] != 8) {
        (void)unknown_format(L);
    }
    (void)take(&r, 1); /* number of upvalues, said again below */
    visit_function(&r, NULL);
}
