/*
 * A replay under way, as a group remembers it: in the metadata that Kafka keeps with a committed
 * offset, so that it goes on exactly with whoever has the partition next. It is written while the
 * offset is below its end, and gone from then on.
 *
 *   millrace-replay-below=<offset>        what inputs below it send was sent before: not again
 *   millrace-replay-below=<offset>;sends  it is sent again
 *
 * Other metadata, a person's or another tool's, is no mark.
 */
#pragma once

#include "kafka/client.h"

enum { MR_REPLAY_MARK_SIZE = 64 };

/* The metadata to commit with the partition's offset; false: none. */
bool mr_replay_mark_write(const mr_topic_partition *partition, char ret_text[MR_REPLAY_MARK_SIZE]);
/* Fills the mark of the partition, whose offset is known, from its metadata. */
void mr_replay_mark_read(mr_bytes metadata, mr_topic_partition *partition);
