/*
 * The inside of mr_context, shared by the files that are its parts:
 *   context.c  life, input, output;  context_rows.c  rows and scans;  context_apply.c  taking
 * effect.
 */
#pragma once

#include "runtime/context.h"

typedef enum mr_change {
    CHANGE_NONE, /* looked at only */
    CHANGE_PUT,
    CHANGE_DELETE,
} mr_change;

/* A row that this record has a working copy of. */
typedef struct mr_staged {
    size_t store;
    mr_buf key;
    mr_entry *entry; /* of the row, loaded */
    mr_change change;
    void *value; /* kept for reuse; of value_type */
    const mr_type *value_type;
} mr_staged;

/* The decoded input, one slot for each schema that was ever decoded. */
typedef struct mr_decoded {
    const mr_schema *schema;
    void *value;
} mr_decoded;

struct mr_context {
    const mr_stage *stage;
    mr_codec *codec;
    mr_context_limits limits;
    mr_table *const *tables;
    const mr_record *record;
    const mr_envelope *envelope;
    mr_staged **staged; /* pointers, because values are handed out */
    size_t n_staged;
    size_t n_staged_made;
    size_t staged_capacity;
    mr_decoded *decoded;
    size_t n_decoded;
    size_t decoded_capacity;
    mr_outbox *outbox;
    mr_buf output_id;
    mr_buf row_id;
    mr_buf row_parts; /* scratch of row_id */
    mr_buf row_event_id;
    bool duplicate;
    bool is_silent;
};

/* As mr_context_send, also for topics that are the store's and not in `to`. output->topic must live
 * as long as the app. */
mr_status mr_context_stage_output(mr_context *context, const mr_output *output,
                                  mr_error *err) MR_MUST_USE;
