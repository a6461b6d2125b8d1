/*
 * Records on their way to a producer: copies, in order. Whoever fills it bounds it.
 *
 * Thread: of whoever has it.
 */
#pragma once

#include <mr/record.h>

typedef struct mr_outgoing mr_outgoing;

mr_outgoing *mr_outgoing_new(void);
void mr_outgoing_free(mr_outgoing *outgoing); /* NULL is fine */

/* Copies the record, but not its topic's name, which must outlive the content. `offset_slot` is as
 * mr_producer_send has it. */
void mr_outgoing_add(mr_outgoing *outgoing, const mr_record *record, int64_t *offset_slot);
size_t mr_outgoing_count(const mr_outgoing *outgoing);
/* What they take, bookkeeping included. */
size_t mr_outgoing_bytes(const mr_outgoing *outgoing);
/* Record number i, from 0, valid until the next call; returns its offset slot. */
int64_t *mr_outgoing_at(mr_outgoing *outgoing, size_t i, mr_record *ret_record);
/* Forgets all, and gives back the memory of the bytes when it is more than keep_bytes. */
void mr_outgoing_clear(mr_outgoing *outgoing, size_t keep_bytes);
