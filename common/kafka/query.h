/* Questions about a partition's offsets, by a handle whose own connection to the leader answers. */
#pragma once

#include "kafka/handle.h"

/* Asks again, at most for timeout_ms, while the answer is that this passes by itself: a partition
 * that has just got a leader, or another one. Otherwise as mr_reader_watermarks and
 * mr_reader_offset_at. */
mr_status mr_query_watermarks(mr_handle *handle, const char *topic, int32_t partition,
                              int64_t *ret_low, int64_t *ret_high, int timeout_ms,
                              mr_error *err) MR_MUST_USE;
mr_status mr_query_offset_at(mr_handle *handle, const char *topic, int32_t partition, int64_t ms,
                             int64_t *ret_offset, int timeout_ms, mr_error *err) MR_MUST_USE;
/* The ends of all, into the offsets; as mr_reader_ends. */
mr_status mr_query_ends(mr_handle *handle, mr_topic_partition *partitions, size_t n, int timeout_ms,
                        mr_error *err) MR_MUST_USE;
/* Times into offsets; as mr_reader_offsets_at. */
mr_status mr_query_offsets_at(mr_handle *handle, mr_topic_partition *partitions, size_t n,
                              int timeout_ms, mr_error *err) MR_MUST_USE;
