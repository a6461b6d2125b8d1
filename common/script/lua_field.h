/*
 * Reading a Lua table by a table of its fields. What a field is and what it may be is data; what
 * kinds of fields there are is in lua_field.c.
 */
#pragma once

#include <lua.h>

#include <mr/app.h>

#include "script/lua_lines.h"

/* A place in the definition, for messages: a chain on the C stack, the outermost last. */
typedef struct mr_lua_at {
    const struct mr_lua_at *above;
    const char *name; /* NULL: the definition itself */
    mr_lua_line line;
} mr_lua_at;

typedef struct mr_lua_reader {
    lua_State *L;
    mr_app *app;
    mr_lua_lines *lines;
} mr_lua_reader;

typedef struct mr_lua_field mr_lua_field;
/* Reads the value at the top of the stack, which is not nil, into the field of `target`. */
typedef void (*mr_lua_field_reader)(const mr_lua_reader *reader, const mr_lua_at *at,
                                    const mr_lua_field *field, void *target);

struct mr_lua_field {
    const char *name;
    mr_lua_field_reader read;
    size_t offset; /* in the target, as count_offset and said_offset */
    bool required;
    int64_t min; /* of a number */
    int64_t max;
    int number;          /* of handlers: their group */
    size_t count_offset; /* of a list: its length; of a setting: whether it was said */
};

/* Reads the table at the top of the stack; unknown and missing fields are errors. */
void mr_lua_read_fields(const mr_lua_reader *reader, const mr_lua_at *at,
                        const mr_lua_field *fields, size_t n_fields, void *target);

/* Raises "app.lua:12: stages.cart.from: <format>". */
int mr_lua_at_error(const mr_lua_reader *reader, const mr_lua_at *at, const char *format, ...);
/* The place of a field, or with a NULL name of an element, of the table at `at`. */
mr_lua_at mr_lua_at_below(const mr_lua_reader *reader, const mr_lua_at *at, const char *name,
                          size_t position);
/* Expects a table at the top of the stack, and pushes the list of its keys, which must all be
 * names. */
size_t mr_lua_read_names(const mr_lua_reader *reader, const mr_lua_at *at);

/* Field readers. */
void mr_lua_read_name(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                      void *target); /* char *: letters, digits, _ and - */
void mr_lua_read_topic(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                       void *target); /* char * */
void mr_lua_read_topics(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target); /* char **, size_t */
void mr_lua_read_int32(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                       void *target);
void mr_lua_read_int64(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                       void *target);
void mr_lua_read_duration(const mr_lua_reader *reader, const mr_lua_at *at,
                          const mr_lua_field *field, void *target); /* int64_t, ms; -1: for ever */
void mr_lua_read_bool(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                      void *target);
void mr_lua_read_schema(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                        void *target); /* const mr_schema *: a record */
/* A field that something else has read already. */
void mr_lua_read_nothing(const mr_lua_reader *reader, const mr_lua_at *at,
                         const mr_lua_field *field, void *target);
