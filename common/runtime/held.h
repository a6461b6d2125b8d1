/*
 * Records that wait for the producer, which is busy with a commit: copies, in order. The worker
 * bounds them. Thread: the worker's.
 */
#pragma once

#include "runtime/outbox.h"

typedef struct mr_held mr_held;

mr_held *mr_held_new(void);
void mr_held_free(mr_held *held); /* NULL is fine */

/* Copies the record, but not its topic's name, which must outlive the content. */
void mr_held_add(mr_held *held, const mr_record *record);
size_t mr_held_bytes(const mr_held *held);
/* Sends all in order and forgets them; after a failure what was not sent is forgotten, too. */
mr_status mr_held_send(mr_held *held, mr_collector *collector, mr_error *err) MR_MUST_USE;
void mr_held_clear(mr_held *held);
