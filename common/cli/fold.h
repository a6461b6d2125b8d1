/*
 * An aggregate's state as the fold of its events through the app's own evolve handlers: what the
 * log says, whatever a store has. In memory: all aggregates that were folded.
 */
#pragma once

#include "cli/event_log.h"
#include "runtime/driver.h"

typedef struct mr_fold {
    const mr_cli *cli;
    const mr_stage *stage;
    mr_codec *codec;
    mr_driver *driver;
    size_t store; /* index of the store "state" */
} mr_fold;

mr_status mr_fold_init(mr_fold *fold, const mr_cli *cli, const mr_stage *stage,
                       mr_error *err) MR_MUST_USE;
void mr_fold_deinit(mr_fold *fold);

mr_status mr_fold_event(mr_fold *fold, const mr_record *record, const mr_envelope *envelope,
                        mr_error *err) MR_MUST_USE;
/* Appends the state record as JSON. MR_NOT_FOUND: no event of that aggregate was folded. */
mr_status mr_fold_state(mr_fold *fold, mr_bytes id, mr_buf *json, mr_error *err) MR_MUST_USE;
