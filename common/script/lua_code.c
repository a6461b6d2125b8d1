#include "script/lua_code.h"

#include "script/lua_state.h"

enum {
    VERSION = 0x54,
    FORMAT = 0,
    HEADER_BYTES = 31, /* signature, version, format, data, three sizes, an integer, a number */
    SET_UPVALUE = 10,  /* the opcode: lowest 7 bits of an instruction; the upvalue is in B */
    CONSTANT_INTEGER = 3,
    CONSTANT_FLOAT = 19,
    CONSTANT_SHORT_STRING = 4,
    CONSTANT_LONG_STRING = 20,
};

typedef struct reader {
    lua_State *L;
    const uint8_t *at;
    const uint8_t *end;
} reader;

static int unknown_format(lua_State *L)
{
    return luaL_error(L, "this build of Lua writes compiled functions in an unknown format");
}

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
        size = size << 7 | (byte & 0x7f);
        if ((byte & 0x80) != 0) {
            return size;
        }
        if (size > (size_t)(r->end - r->at)) {
            (void)unknown_format(r->L);
        }
    }
}

static void skip_string(reader *r)
{
    const size_t size = take_size(r);
    (void)take(r, size == 0 ? 0 : size - 1);
}

static void read_code(reader *r, bool assigned[MR_LUA_UPVALUES_MAX])
{
    for (size_t n = take_size(r); n > 0; n--) {
        uint32_t instruction;
        memcpy(&instruction, take(r, sizeof(instruction)), sizeof(instruction));
        if ((instruction & 0x7f) == SET_UPVALUE) {
            assigned[instruction >> 16 & 0xff] = true;
        }
    }
}

static void skip_constants(reader *r)
{
    for (size_t n = take_size(r); n > 0; n--) {
        switch (*take(r, 1)) {
        case CONSTANT_INTEGER:
        case CONSTANT_FLOAT:
            (void)take(r, 8);
            break;
        case CONSTANT_SHORT_STRING:
        case CONSTANT_LONG_STRING:
            skip_string(r);
            break;
        default: /* nil, false, true */
            break;
        }
    }
}

/* Stripped functions have none, but the counts are there. */
static void skip_debug(reader *r)
{
    for (int i = 0; i < 4; i++) {
        if (take_size(r) != 0) {
            (void)unknown_format(r->L);
        }
    }
}

/* `outer` are the upvalues of the function around this one; NULL for the outermost. */
static void read_function(reader *r, bool assigned[MR_LUA_UPVALUES_MAX], bool *outer)
{
    skip_string(r); /* source */
    (void)take_size(r);
    (void)take_size(r); /* first and last line */
    (void)take(r, 3);   /* parameters, varargs, registers */
    read_code(r, assigned);
    skip_constants(r);
    const size_t n_upvalues = take_size(r);
    const uint8_t *upvalues = take(r, 3 * n_upvalues); /* in stack, index, kind */
    for (size_t n = take_size(r); n > 0; n--) {
        bool inner[MR_LUA_UPVALUES_MAX] = {false};
        read_function(r, inner, assigned);
    }
    skip_debug(r);
    for (size_t i = 0; outer != NULL && i < n_upvalues; i++) {
        if (assigned[i] && upvalues[3 * i] == 0) {
            outer[upvalues[3 * i + 1]] = true;
        }
    }
}

static int append(lua_State *L, const void *data, size_t len, void *buf)
{
    (void)L;
    mr_buf_append(buf, data, len);
    return 0;
}

void mr_lua_assigned(lua_State *L, int index, bool assigned[MR_LUA_UPVALUES_MAX])
{
    mr_buf *code = &mr_lua_of(L)->scratch;
    mr_buf_clear(code);
    lua_pushvalue(L, index);
    (void)lua_dump(L, append, code, 1);
    lua_pop(L, 1);
    reader r = {.L = L, .at = code->data, .end = code->data + code->len};
    const uint8_t *header = take(&r, HEADER_BYTES);
    if (memcmp(header, LUA_SIGNATURE, 4) != 0 || header[4] != VERSION || header[5] != FORMAT ||
        header[12] != sizeof(uint32_t) || header[13] != 8 || header[14] != 8) {
        (void)unknown_format(L);
    }
    (void)take(&r, 1); /* number of upvalues, said again below */
    memset(assigned, 0, MR_LUA_UPVALUES_MAX * sizeof(assigned[0]));
    read_function(&r, assigned, NULL);
}
