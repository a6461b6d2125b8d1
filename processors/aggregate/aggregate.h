/*
 * The aggregate kind: commands -> decide -> numbered events -> evolve -> state.
 *
 * A row of the store "state" is the aggregate: its version (of the last event, -1 before the
 * first), the app's own state, and marks of the last commands that it answered; the answers
 * themselves are rows of the store "answers". `ledger.c` knows that layout; `aggregate.c` runs one
 * command.
 */
#pragma once

#include <mr/handler.h>

typedef enum mr_outcome {
    MR_ACCEPTED,
    MR_NO_CHANGE,
    MR_REJECTED,
} mr_outcome;

/* Also the value of ce_type of a result. */
extern const char *const mr_outcome_names[];

/* What is remembered of an answered command, enough to give the same answer again. */
typedef struct mr_answer {
    mr_outcome outcome;
    mr_bytes command_id;
    mr_bytes reason;          /* null: none */
    mr_bytes text;            /* null: none */
    int64_t expected_version; /* MR_VERSION_NONE: the command did not say */
    int64_t version;          /* of the aggregate after the command */
    int64_t n_events;         /* versions version - n_events + 1 .. version */
} mr_answer;

/* Field positions of the composed schemas, looked up once. */
typedef struct mr_ledger {
    const mr_type *row; /* millrace_<stage>_aggregate */
    size_t answers_store;
    const mr_type *answer;
    const mr_type *state;           /* union of null and the app's state record */
    const mr_schema *result_schema; /* millrace.CommandResult */
    void *result;                   /* a value of result_schema, reused */
    mr_buf key;                     /* scratch */
    mr_buf marks;                   /* scratch */
} mr_ledger;

/* Adds the row's and the result's schemas to the app, and the store "state" to the stage. */
mr_status mr_ledger_prepare(mr_app *app, mr_stage *stage, mr_error *err) MR_MUST_USE;
void mr_ledger_init(mr_ledger *ledger, const mr_stage *stage);
void mr_ledger_deinit(mr_ledger *ledger);

/* -1 for no row. */
int64_t mr_ledger_version(const mr_ledger *ledger, const void *row);
/* The app's state in a row; NULL when there is none (yet). */
const void *mr_ledger_state(const mr_ledger *ledger, const void *row);
/* The answer to the context's command, when the row (NULL: none) remembers it; MR_NOT_FOUND.
 * Borrows from the answer's row. */
mr_status mr_ledger_find(mr_ledger *ledger, mr_context *context, const void *row,
                         mr_answer *ret_answer, mr_error *err) MR_MUST_USE;
/* Writes the answer to the context's command, in the place of the oldest when there are too many.
 * Cannot fail. */
void mr_ledger_remember(mr_ledger *ledger, mr_context *context, void *row, const mr_answer *answer);
void mr_ledger_set_version(const mr_ledger *ledger, void *row, int64_t version);
/* Exchanges the row's state with `state`, a value of the app's record. */
void mr_ledger_swap_state(const mr_ledger *ledger, void *row, void *state);

/* Sends the answer to the stage's results topic. */
mr_status mr_ledger_send_result(mr_ledger *ledger, mr_context *context, const mr_answer *answer,
                                mr_error *err) MR_MUST_USE;
