/*
 * Keys whose records wait behind one that failed: later records of such a key follow it to the
 * dead-letter topic, in order, until it is redriven or discarded. Durable: a store of the task.
 */
#pragma once

#include <mr/context.h>

#define MR_PARKING_STORE "parked"

/* The schema of a parked key's row; added to the app's schemas while preparing. */
extern const char mr_parking_schema_json[];

/* Fails with class "parked", naming the first failure, when the key is parked. */
mr_status mr_parking_check(mr_context *context, size_t store, mr_bytes key,
                           mr_error *err) MR_MUST_USE;
/* Parks the key of the context's record, or counts one more record behind it. */
mr_status mr_parking_add(mr_context *context, size_t store, const mr_error *cause,
                         mr_error *err) MR_MUST_USE;
