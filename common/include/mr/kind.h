/*
 * A kind of processor: what `processors/<kind>/` gives to the runtime.
 */
#pragma once

#include <mr/handler.h>

typedef struct mr_step mr_step; /* a kind's own object: one a worker */

typedef struct mr_kind {
    const char *name;    /* the `kind` of a stage, and the end of the executable's name */
    const char *summary; /* one line for --help */
    bool stateful;
    /* Once after loading, before anything runs: checks what only this kind can check, and adds its
     * stores, schemas and topics. Failures: MR_ERR_USAGE naming stage->definition. */
    mr_status (*prepare)(mr_app *app, mr_stage *stage, mr_error *err);
    mr_status (*open)(const mr_stage *stage, mr_handler *handler, mr_step **ret_step,
                      mr_error *err);
    /* One record. MR_OK: what was staged takes effect. A failure with action SKIP: dead letter. */
    mr_status (*process)(mr_step *step, mr_context *context, mr_error *err);
    /* NULL, or: the record is one that the stage itself wrote to its first output (an event); takes
     * it into the state as it was when it was written, sending nothing. For history and tests. */
    mr_status (*fold)(mr_step *step, mr_context *context, mr_error *err);
    void (*close)(mr_step *step);
} mr_kind;

/* Calls prepare for every stage of a loaded app with the kind of its name out of `kinds`
 * (NULL-terminated), adds the runtime's own stores, then derives changelogs and topics. */
mr_status mr_app_prepare(mr_app *app, const mr_kind *const *kinds, mr_error *err) MR_MUST_USE;
