/*
 * Reads given partitions from given offsets, outside any group: restore, history, dead letters.
 * Thread: one, where nothing else is said.
 */
#pragma once

#include <mr/record.h>

#include "kafka/client.h"

typedef struct mr_reader mr_reader;

typedef struct mr_reader_options {
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    const char *client_id;
    bool read_uncommitted;
    bool stays; /* at the ends, for what comes there: their being reached is told later */
    int64_t queue_bytes_max;
} mr_reader_options;

mr_status mr_reader_new(const mr_reader_options *options, mr_reader **ret_reader,
                        mr_error *err) MR_MUST_USE;
void mr_reader_free(mr_reader *reader);
MR_DEFINE_CLEANUP(mr_reader, mr_reader_free)

/* Replaces what is read. offset -1: from the beginning. Below the low watermark: from there. */
mr_status mr_reader_assign(mr_reader *reader, const mr_topic_partition *partitions, size_t n,
                           mr_error *err) MR_MUST_USE;
/* The same for what is read in addition. A partition that is read already may not be added. */
mr_status mr_reader_add(mr_reader *reader, const mr_topic_partition *partitions, size_t n,
                        mr_error *err) MR_MUST_USE;
/* Nothing of it comes any more. A partition that is not read is left alone. */
void mr_reader_remove(mr_reader *reader, const char *topic, int32_t partition);
/*
 * MR_OK: a record, valid until the next call. MR_END: ret_record->topic/partition reached its end
 * at ret_record->offset (last stable offset when reading committed; may go on later).
 * MR_TIMED_OUT. A topic that does not exist: MR_ERR_KAFKA.
 */
mr_status mr_reader_next(mr_reader *reader, int timeout_ms, mr_record *ret_record,
                         mr_error *err) MR_MUST_USE;

/* Ends a wait in mr_reader_next, or the next one, early: MR_TIMED_OUT. Thread: any. */
void mr_reader_wake(mr_reader *reader);

/* First offset and end (next to be written; the last stable one when reading committed). */
mr_status mr_reader_watermarks(mr_reader *reader, const char *topic, int32_t partition,
                               int64_t *ret_low, int64_t *ret_high, int timeout_ms,
                               mr_error *err) MR_MUST_USE;
/* The ends of all, as mr_reader_watermarks has them, into the offsets; one question a broker. */
mr_status mr_reader_ends(mr_reader *reader, mr_topic_partition *partitions, size_t n,
                         int timeout_ms, mr_error *err) MR_MUST_USE;
/* First offset whose timestamp is at or after `ms`; the end when there is none. */
mr_status mr_reader_offset_at(mr_reader *reader, const char *topic, int32_t partition, int64_t ms,
                              int64_t *ret_offset, int timeout_ms, mr_error *err) MR_MUST_USE;
/* The same for many, with one question a broker: each offset is a time in ms before, not negative,
 * and afterwards the first offset at or after it, -1 when there is none. */
mr_status mr_reader_offsets_at(mr_reader *reader, mr_topic_partition *partitions, size_t n,
                               int timeout_ms, mr_error *err) MR_MUST_USE;
