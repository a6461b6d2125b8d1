/* Pieces of Lua in the sandbox, without an app around them. */
#pragma once

#include "script/lua_state.h"
#include "support.h"

typedef struct evaluation {
    script_files files;
    mr_lua *lua;
    mr_error err;
    char *text; /* what the chunk returned, with tostring */
    bool freeze;
} evaluation;

/* A new state; app.lua is in `files`. */
mr_status evaluate_file(evaluation *e);
mr_status evaluate(evaluation *e, const char *code);
/* The state and the text, not the files. */
void evaluation_reset(evaluation *e);
void evaluation_end(evaluation *e);

typedef struct evaluation_row {
    const char *code;
    const char *expected; /* what is returned; with a ! first, what is raised */
} evaluation_row;

/* With `freeze` the chunk returns a function, which is called when everything is frozen. Every row
 * is tried, each in a state of its own, before the test fails. */
void evaluate_rows(const evaluation_row *rows, size_t n, bool freeze);
#define EVALUATE(rows, freeze) evaluate_rows((rows), sizeof(rows) / sizeof((rows)[0]), (freeze))

/* What messages about purity end with. */
#define PURE "handlers depend on their record and state only, so that "
#define KEEP "because handlers keep nothing between calls"
