/*
 * Records that could not be processed, as they are written to a stage's dead-letter topic: the
 * original key, value and headers, plus headers that say what happened and where it came from
 * (Kafka Streams' KIP-1034 names its headers the same way).
 *
 *   __millrace.errors.class      deserialize, validate, unknown_type, unknown_schema, too_large,
 *                                missing_header, null_key, handler, limit, overflow, gap, parked
 *   __millrace.errors.message    for people
 *   __millrace.errors.topic / .partition / .offset    the source position
 *   __millrace.errors.stage
 *   __millrace.errors.attempts   how often it was tried
 *   __millrace.errors.truncated  "value": the value was left out, because with these headers the
 *                                record is over the size limit; it is still at its source position
 */
#pragma once

#include <mr/app.h>
#include <mr/record.h>

#include "runtime/outbox.h"

/* Sends the dead letter of `record` through `collector`. */
mr_status mr_dead_letter_send(const mr_stage *stage, const mr_record *record, const mr_error *cause,
                              size_t record_bytes_max, mr_collector *collector,
                              mr_error *err) MR_MUST_USE;
