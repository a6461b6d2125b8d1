/*
 * Where in an app's files a table field was written, for messages: tables at run time do not know.
 *
 * The source is scanned for table constructors and their named fields. A field whose value is a
 * name is followed to `name = { ... }`, one that is `require "x"` to what x.lua returns, and a call
 * of a name with a table is taken for the table. What cannot be followed keeps the line of the
 * nearest thing around it. No Lua is run or needed here.
 */
#pragma once

#include <mr/bytes.h>

typedef struct mr_lua_lines mr_lua_lines;

/* A table constructor or a field. */
typedef struct mr_lua_line {
    const char *file; /* "app.lua" */
    int line;         /* 0: not known */
    int table;        /* number of the constructor; -1: none */
    bool exact;       /* the line of what was asked for, not of something around it */
} mr_lua_line;

/* Files that cannot be read are as if they were empty. */
mr_lua_lines *mr_lua_lines_new(const char *directory);
void mr_lua_lines_free(mr_lua_lines *lines);
MR_DEFINE_CLEANUP(mr_lua_lines, mr_lua_lines_free)

/* The table that the file returns. `file` must outlive the lines. */
mr_lua_line mr_lua_lines_root(mr_lua_lines *lines, const char *file);
/* The field of that name, or of that position from 1 with a NULL name, of the table. */
mr_lua_line mr_lua_lines_field(mr_lua_lines *lines, mr_lua_line table, const char *name,
                               size_t position);
