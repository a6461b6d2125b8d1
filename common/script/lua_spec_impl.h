/* One spec being run. Inside of the spec modules only. */
#pragma once

#include "runtime/driver.h"
#include "script/lua_convert.h"
#include "script/lua_state.h"

typedef struct mr_spec {
    lua_State *L;
    const mr_app *app;
    mr_driver *driver;
    int table;             /* stack index of the spec */
    const mr_stage *stage; /* of given, when, then; NULL */
    mr_bytes subject;
    size_t n_expectations;
    /* A record that was decoded last; freed by the next one. */
    const mr_type *decoded_type;
    void *decoded;
    mr_buf expected_json;
    mr_buf actual_json;
    mr_buf text;
    mr_buf key;
    bool failed;
    mr_buf message; /* why: of any length, because it has the values */
} mr_spec;

void mr_spec_deinit(mr_spec *spec);

/* Ends the spec as failed. Within a protected call, as all below. */
int mr_spec_fail(const mr_spec *spec, const char *format, ...);
int mr_spec_fail_error(const mr_spec *spec, const mr_error *err);

/* ---- Reading the spec ---- */

/* Pushes the field, nil when there is none, of the table at the stack index; returns its type. */
int mr_spec_field(const mr_spec *spec, int table, const char *name);
/* The record made by event.Name { ... } at the stack index, as a typed value. It is good until the
 * next one of the same schema. */
const void *mr_spec_record(const mr_spec *spec, int index, const char *what,
                           const mr_schema **ret_schema);

/* ---- Checking (lua_spec_check.c) ---- */

/* The records of a topic against the list at the stack index, one by one. */
void mr_spec_check_sent(mr_spec *spec, const char *topic, int list);
/* `state = { ... }` of an aggregate, and one entry of `rows`. */
void mr_spec_check_state(mr_spec *spec, int expected);
void mr_spec_check_row(mr_spec *spec, int entry);
/* `rejected = "reason"`, `no_change = true`, or that the command was accepted. */
void mr_spec_check_answer(mr_spec *spec);
/* Dead letters, of every stage: as many as `dead` says, none where it says nothing. */
void mr_spec_check_dead(mr_spec *spec);
