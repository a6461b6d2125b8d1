/*
 * What a step may do with one record: read stores, change rows, send records. Everything is staged
 * and takes effect together when the step returns MR_OK; after any failure nothing of it remains.
 *
 * Nothing else is reachable from here: no broker, no clock, no other task. Thread: the worker's.
 */
#pragma once

#include <mr/app.h>
#include <mr/envelope.h>
#include <mr/value.h>

typedef struct mr_context mr_context;

const mr_stage *mr_context_stage(const mr_context *context);
const mr_record *mr_context_record(const mr_context *context);     /* the input */
const mr_envelope *mr_context_envelope(const mr_context *context); /* its CloudEvents attributes */

/*
 * The input's value, decoded for `schema` (reader): JSON by content-type application/json, else the
 * framing of mr/codec.h. The value belongs to the context and lives until the step returns; NULL
 * for a tombstone. Failures have action SKIP and a dead-letter class.
 */
mr_status mr_context_decode(mr_context *context, const mr_schema *schema, void **ret_value,
                            mr_error *err) MR_MUST_USE;
/* The schema that the input is of: ce_type, else the stage's `input`, else the writer's name. Class
 * "unknown_type" with a did-you-mean. */
mr_status mr_context_type(mr_context *context, const mr_schema **ret_schema,
                          mr_error *err) MR_MUST_USE;

typedef struct mr_output {
    const char *topic;
    mr_bytes key; /* null: no key */
    const mr_schema *schema;
    const void *value;    /* NULL: tombstone */
    mr_envelope envelope; /* id null: a plain record, without ce_ headers; time_ms 0: the input's */
} mr_output;

/* Encodes at once; the value and texts may be reused after the call. Larger than max.record.bytes:
 * class "too_large". A topic the stage does not declare: class "validate". */
mr_status mr_context_send(mr_context *context, const mr_output *output, mr_error *err) MR_MUST_USE;

/* ---- Rows. `store` is an index into stage->stores; keys are encoded (mr/keys.h) or raw. ---- */

/* The row as this record sees it (its own changes included), read-only, until the next call for the
 * same row. MR_NOT_FOUND. */
mr_status mr_context_get(mr_context *context, size_t store, mr_bytes key, const void **ret_value,
                         mr_error *err) MR_MUST_USE;
/* A working copy of the row, to be changed in place; MR_NOT_FOUND when there is no row. The pointer
 * stays valid until the step returns. */
mr_status mr_context_edit(mr_context *context, size_t store, mr_bytes key, void **ret_value,
                          mr_error *err) MR_MUST_USE;
/* A working copy with the initial value, whether or not there was a row. */
mr_status mr_context_put(mr_context *context, size_t store, mr_bytes key, void **ret_value,
                         mr_error *err) MR_MUST_USE;
mr_status mr_context_delete(mr_context *context, size_t store, mr_bytes key,
                            mr_error *err) MR_MUST_USE;

/* Rows in [from, to) in key order as this record sees them (`to` null: to the end). The visitor
 * returns MR_OK to go on, MR_END to stop, or a failure; it must not change rows of this store. */
typedef mr_status (*mr_row_visitor)(void *argument, mr_bytes key, const void *value, mr_error *err);
mr_status mr_context_scan(mr_context *context, size_t store, mr_bytes from, mr_bytes to,
                          mr_row_visitor visit, void *argument, mr_error *err) MR_MUST_USE;

/*
 * For steps that change a large row a little: the stored value itself, NULL value when there is no
 * row. It may be changed only after the last call that can fail, through mr_context_own.
 */
mr_status mr_context_peek(mr_context *context, size_t store, mr_bytes key, const void **ret_value,
                          mr_error *err) MR_MUST_USE;
/* Cannot fail: the value to change in place (initial when there was none), marked as changed. */
void *mr_context_own(mr_context *context, size_t store, mr_bytes key);

/* Cannot fail either: the stored value with its initial content, whatever it was; nothing is read.
 */
void *mr_context_replace(mr_context *context, size_t store, mr_bytes key);

/* For mr_context_own: fails with class "too_large" when `value` takes more memory than
 * max.record.bytes. */
mr_status mr_context_check_row(const mr_context *context, size_t store, const mr_type *type,
                               const void *value, mr_error *err) MR_MUST_USE;

/* The record was recognised as one that had been applied before: counted, for metrics. */
void mr_context_count_duplicate(mr_context *context);
