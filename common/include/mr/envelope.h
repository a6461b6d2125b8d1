/*
 * CloudEvents 1.0 attributes of a record: Kafka protocol binding, binary content mode (attributes
 * are headers named ce_*). Extensions: ce_sequence (aggregate version), ce_expectedversion,
 * ce_correlationid, ce_causationid. traceparent (W3C) is passed on.
 */
#pragma once

#include <mr/record.h>

enum { MR_VERSION_NONE = -2 }; /* no such header; -1 is "must not exist" */

typedef struct mr_envelope {
    mr_bytes id;
    mr_bytes type;
    mr_bytes source;
    mr_bytes subject;
    mr_bytes correlation_id;
    mr_bytes causation_id;
    mr_bytes traceparent;
    mr_bytes content_type;
    int64_t time_ms;          /* ce_time, else the record's timestamp */
    int64_t sequence;         /* MR_VERSION_NONE when absent */
    int64_t expected_version; /* MR_VERSION_NONE when absent */
} mr_envelope;

/* No attributes. */
#define MR_ENVELOPE_NULL                                                                           \
    ((mr_envelope){.sequence = MR_VERSION_NONE, .expected_version = MR_VERSION_NONE})

/* Reads the headers; all texts borrow from the record. A number or time that is none, or text that
 * is no UTF-8: MR_ERR_DATA class "validate" naming the header. Missing attributes are null. */
mr_status mr_envelope_read(const mr_record *record, mr_envelope *ret_envelope,
                           mr_error *err) MR_MUST_USE;

/* Fails with class "missing_header" when ce_id, ce_type or ce_subject is absent or empty. */
mr_status mr_envelope_require(const mr_envelope *envelope, mr_error *err) MR_MUST_USE;

enum { MR_ENVELOPE_HEADERS_MAX = 16 };
typedef struct mr_envelope_headers {
    mr_header headers[MR_ENVELOPE_HEADERS_MAX];
    size_t n;
    char time[32];
    char sequence[24];
    char expected_version[24];
} mr_envelope_headers;

/* The headers of an envelope, in a fixed order, null attributes left out, ce_specversion added.
 * Points into the envelope and into itself: do not copy. */
void mr_envelope_write(const mr_envelope *envelope, mr_envelope_headers *ret_headers);
