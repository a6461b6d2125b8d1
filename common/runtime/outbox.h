/*
 * Records that one step wants to send, encoded, in order, until it is known that the step
 * succeeded. Memory is reused from record to record. Thread: the worker's.
 */
#pragma once

#include <mr/record.h>

/* Where sent records go: the worker's producer, or the driver's topics. Copies what it keeps. */
typedef struct mr_collector mr_collector;
struct mr_collector {
    mr_status (*send)(mr_collector *self, const mr_record *record, mr_error *err);
};

typedef struct mr_outbox mr_outbox;

mr_outbox *mr_outbox_new(void);
void mr_outbox_free(mr_outbox *outbox);

/* Starts a record: everything is copied except `topic`, which must outlive the outbox's content.
 * The returned buffer takes the value. */
mr_buf *mr_outbox_add(mr_outbox *outbox, const char *topic, mr_bytes key, int64_t timestamp_ms,
                      const mr_header *headers, size_t n_headers);
/* The record that was started last has a null value. */
void mr_outbox_set_tombstone(mr_outbox *outbox);
/* The record that was started last counts, and is not sent. */
void mr_outbox_silence(mr_outbox *outbox);
/* Takes the record that was started last back. */
void mr_outbox_undo(mr_outbox *outbox);

size_t mr_outbox_count(const mr_outbox *outbox);
mr_status mr_outbox_send(mr_outbox *outbox, mr_collector *collector, mr_error *err) MR_MUST_USE;
void mr_outbox_clear(mr_outbox *outbox);
