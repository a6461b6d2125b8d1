/*
 * The app's own logic behind one vtable: Lua is an implementation, a shared object (mr/native.h)
 * another.
 *
 * A handler object belongs to one worker thread. Handlers are pure: same call, same result; they
 * reach the world only through the call.
 */
#pragma once

#include <mr/context.h>

typedef struct mr_handler mr_handler;

/* What decide returned. Owned by whoever makes the call. */
typedef struct mr_decided_event {
    const mr_schema *schema;
    void *value; /* of the schema's type; memory is kept and reused between calls */
} mr_decided_event;

enum { MR_EVENTS_MAX = 1024 }; /* that one command may cause */

typedef struct mr_decision {
    bool rejected;
    mr_buf reason; /* a word: "not_found" */
    mr_buf text;   /* for people; may be empty */
    mr_decided_event *events;
    size_t n_events;
    size_t capacity;
} mr_decision;

/* Appends an event of the schema with its initial value and returns the value to fill. NULL when
 * MR_EVENTS_MAX is reached. */
void *mr_decision_add(mr_decision *decision, const mr_schema *schema);
void mr_decision_clear(mr_decision *decision); /* keeps memory */
void mr_decision_deinit(mr_decision *decision);

typedef struct mr_call {
    mr_context *context;     /* record, envelope, stores, send; for evolve only the envelope */
    const mr_schema *schema; /* of the input: command, event or row */
    const void *input;       /* read-only; NULL: tombstone */
    /* decide: the state, read-only. evolve: a working copy, changed in place or replaced. */
    const mr_schema *state_schema;
    void *state;
    bool state_exists;     /* evolve may set it (first event) or clear it (returned nil) */
    int64_t version;       /* decide: the aggregate's version; evolve: the event's */
    mr_decision *decision; /* decide only */
} mr_call;

/*
 * Completes the envelope of an output with topic, key, schema and value, so that every replay sends
 * the same: type, subject, id and expected_version follow from the call where they are null or
 * MR_VERSION_NONE (begin with MR_ENVELOPE_NULL), the others always. An output whose value is the
 * call's input is the same record on its way. A new ID is "<input's ID>/<stage>/<how many were sent
 * before>"; the text lives until the next one. Only in MR_ON.
 */
void mr_call_derive(const mr_call *call, mr_output *output);

typedef struct mr_handler_ops {
    const char *name;
    /* Fails with MR_ERR_HANDLER: class "handler" (raised, wrong result) or "limit" (instructions,
     * memory), message with file, line and the record type. No trace is left in what the handler
     * keeps. A type without a handler: MR_NOT_FOUND. */
    mr_status (*call)(mr_handler *handler, mr_handler_group group, mr_call *call, mr_error *err);
    void (*free)(mr_handler *handler);
} mr_handler_ops;

struct mr_handler {
    const mr_handler_ops *ops;
    mr_buf fold_key; /* scratch memory of mr_handler_on; zero to begin with */
};

static inline mr_status mr_handler_call(mr_handler *handler, mr_handler_group group, mr_call *call,
                                        mr_error *err)
{
    return handler->ops->call(handler, group, call, err);
}

/* Decodes the context's record and gives it to the stage's fold of its type (mr/fold.h), or else to
 * the `on` handler. A type without either is not of interest to the stage: MR_OK. */
mr_status mr_handler_on(mr_handler *handler, mr_context *context, mr_error *err) MR_MUST_USE;
void mr_handler_free(mr_handler *handler); /* NULL is fine */
