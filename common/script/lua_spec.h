/*
 * The specs of an app, the Lua files in `tests`, run with no broker on the driver of
 * runtime/driver.h. A file returns a list of specs; tests/README of an app, and `millrace test
 * --help`, show their shapes.
 */
#pragma once

#include <mr/kind.h>

#include "script/lua_app.h"

typedef struct mr_spec_result {
    char *name;
    char *file; /* "tests/cart.lua" */
    int line;   /* where the spec begins; 0: not known */
    bool passed;
    char *message; /* what was expected and what is, maybe of several lines; NULL when it passed */
} mr_spec_result;

typedef struct mr_spec_report {
    mr_spec_result *results; /* in the order of files by name, then of specs */
    size_t n;
    size_t n_failed;
    size_t capacity;
} mr_spec_report;

void mr_spec_report_deinit(mr_spec_report *report);

/*
 * Runs all specs of a prepared app. A file that cannot be loaded is a failed result of that name;
 * an app without specs gives an empty report. Fails only when the app's own handlers cannot be made
 * or the directory cannot be read.
 */
mr_status mr_spec_run(const mr_app *app, const mr_kind *const *kinds, const mr_lua_limits *limits,
                      mr_spec_report *ret_report, mr_error *err) MR_MUST_USE;
