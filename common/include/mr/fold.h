/*
 * Built-in operators: what a record of one type does to one row of a store, with no handler.
 *
 * A plan is made while a definition is read, and belongs to its stage. Every name is looked up and
 * every type checked then; afterwards the plan is immutable and shared by all threads.
 */
#pragma once

#include <mr/context.h>

typedef enum mr_fold_operator {
    MR_FOLD_COUNT, /* records, or those whose field is not null: long */
    MR_FOLD_SUM,   /* int, long -> long; float, double -> double */
    MR_FOLD_MIN,   /* as sum */
    MR_FOLD_MAX,
    MR_FOLD_LAST, /* any type: the same, int -> long, float -> double */
    MR_FOLD_TOP,  /* an array of numbers, or of records that have the number and more of the event:
                   * the `limit` greatest, the greatest first, of equal ones the earlier */
} mr_fold_operator;

enum { MR_FOLD_TOP_MAX = 1000 };

typedef struct mr_fold_rule {
    mr_fold_operator operation;
    const char *field; /* of the event; with MR_FOLD_COUNT it may be NULL */
    uint32_t limit;    /* MR_FOLD_TOP: 1 to MR_FOLD_TOP_MAX */
} mr_fold_rule;

/*
 * A plan for records of `event` and rows of the app's own store at this index of the stage, without
 * key and rules so far. The functions below fill it before the stage runs. Failures: MR_ERR_USAGE,
 * with a did-you-mean.
 */
mr_fold_plan *mr_fold_plan_new(const mr_stage *stage, size_t store, const mr_schema *event);
void mr_fold_plan_free(mr_fold_plan *plan); /* NULL is fine */
/* The row's key: these fields of the event, or without any the record's key. Once. */
mr_status mr_fold_plan_key(mr_fold_plan *plan, const char *const *fields, size_t n,
                           mr_error *err) MR_MUST_USE;
/* How the row's field follows from the event's. */
mr_status mr_fold_plan_set(mr_fold_plan *plan, const char *row_field, const mr_fold_rule *rule,
                           mr_error *err) MR_MUST_USE;

/* The stage's plan for records of the schema; NULL: none. */
const mr_fold_plan *mr_stage_fold(const mr_stage *stage, const mr_schema *event);

/*
 * Changes the row that `event` belongs to, or makes it: from the schema's defaults, but with what
 * is the least, greatest or last of nothing null where it can be. A field that is null is passed
 * over; NaN gives way to any number in min and max, and is not among the top. `key` is memory for
 * the row's key. Failures: class "overflow" when a long cannot hold a sum or a count, "validate"
 * for a tombstone (NULL event). Thread: the context's.
 */
mr_status mr_fold_run(const mr_fold_plan *plan, mr_context *context, const void *event, mr_buf *key,
                      mr_error *err) MR_MUST_USE;
