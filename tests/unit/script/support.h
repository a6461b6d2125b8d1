/* Apps in a directory of their own, and calls of their handlers without a processor. */
#pragma once

#include "runtime/context.h"
#include "script/lua_app.h"

enum { SCRIPT_FILES_MAX = 16, SCRIPT_SENT_MAX = 64 };

/* ---- Files ---- */

typedef struct script_files {
    char directory[64];
    char *paths[SCRIPT_FILES_MAX];
    size_t n;
} script_files;

/* A new directory under TMPDIR, with the folders `schemas` and `tests`; ends the test when it
 * cannot be made. */
void script_files_begin(script_files *files);
void script_files_add(script_files *files, const char *name, const char *text);
void script_files_end(script_files *files);

/* ---- One stage ---- */

typedef struct script_sent {
    char *topic;
    char *key;
    char *id;
    char *type;
    char *subject;
    char *correlation;
    char *causation;
    char *json;
    int64_t sequence;
    int64_t expected_version;
    int64_t time_ms;
} script_sent;

typedef struct script_fixture {
    script_files files;
    mr_lua_limits limits;
    mr_app *app;
    const mr_stage *stage;
    mr_handler *handler;
    mr_codec *codec;
    mr_context *context;
    mr_table **tables;
    mr_record record;
    mr_envelope envelope;
    mr_decision decision;
    void *state; /* of the stage's state record */
    bool state_exists;
    int64_t version;
    script_sent sent[SCRIPT_SENT_MAX];
    size_t n_sent;
    mr_buf text;
    mr_error err;
} script_fixture;

/* The text of the lines, or with another in place of the line of this number (from 1; 0: none). To
 * be freed. */
char *script_lines_with(const char *const *lines, size_t n, size_t line, const char *replacement);

/* The schemas of support.c: see there. `app_lua` may use them all. */
mr_status script_load(script_fixture *fixture, const char *app_lua);
/* Loads the app and makes the handler of one stage; both must succeed. */
void script_open(script_fixture *fixture, const char *app_lua, const char *stage);
/* Everything of the fixture but its limits, which may be set before. */
void script_close(script_fixture *fixture);

/* Calls a handler with the input, a JSON text of the schema, NULL a tombstone. After MR_OK changes
 * of rows and sent records have taken effect; what was sent is in `sent`. */
mr_status script_call(script_fixture *fixture, mr_handler_group group, const char *schema,
                      const char *json);
/* The state, an event of the decision, a row, as JSON; until the next one. "nothing" for no row. */
const char *script_state(script_fixture *fixture);
const char *script_event(script_fixture *fixture, size_t i);
const char *script_row(script_fixture *fixture, const char *store, mr_bytes key);
void script_set_state(script_fixture *fixture, const char *json);
