/*
 * The inside of mr_context: one record at a time is begun, then applied or discarded.
 * One a worker; memory is reused from record to record. Thread: the worker's.
 */
#pragma once

#include <mr/codec.h>
#include <mr/context.h>

#include "runtime/outbox.h"
#include "runtime/table.h"

typedef struct mr_context_limits {
    size_t record_bytes_max; /* of one value, read or written, and of a row's value in memory */
    size_t outputs_max;      /* records that one record may send, rows it may touch */
} mr_context_limits;

/* `codec` is borrowed and belongs to the same thread. */
mr_context *mr_context_new(const mr_stage *stage, mr_codec *codec, const mr_context_limits *limits);
void mr_context_free(mr_context *context);

/* `tables` are the task's, one a store. Everything is borrowed until apply or discard. */
void mr_context_begin(mr_context *context, mr_table *const *tables, const mr_record *record,
                      const mr_envelope *envelope);
/* What was staged takes effect: rows change, records go to the collector. A failure here is the
 * collector's, and the whole transaction has to go. */
mr_status mr_context_apply(mr_context *context, mr_collector *collector, mr_error *err) MR_MUST_USE;
/* What the step sends to the stage's topics, not its rows, is checked and then dropped. After
 * mr_context_begin. */
void mr_context_silence(mr_context *context);
void mr_context_discard(mr_context *context);
bool mr_context_was_duplicate(const mr_context *context);
