/*
 * What a person can set about the runtime, and how the one memory budget is shared out.
 * Filled once by mr_options_apply, then read-only for every thread.
 */
#pragma once

#include <mr/config.h>

typedef enum mr_guarantee {
    MR_EXACTLY_ONCE,
    MR_AT_LEAST_ONCE,
} mr_guarantee;

typedef struct mr_runtime_options {
    int guarantee;
    int64_t workers;
    int64_t commit_interval_ms;
    int64_t commit_records;
    int64_t record_bytes_max;
    int64_t outputs_max;
    int64_t memory_bytes;
    int64_t tail_records;
    int64_t transaction_timeout_ms;
    int64_t hang_timeout_ms;
    int64_t shutdown_timeout_ms;
    int64_t broker_timeout_ms;
    const char *state_dir;
    const char *backup_dir; /* NULL: below state_dir */
    const char *instance_id;
} mr_runtime_options;

extern const mr_option mr_runtime_option_table[];
extern const size_t mr_runtime_option_count;

/* Bytes for each of the budget's users. The fractions are in options.c, in one place. */
typedef struct mr_budget {
    size_t block_cache;
    size_t memtables;
    size_t rows; /* cached, of one worker; half of them may be waiting for RocksDB */
    size_t consumer_queue;
    size_t sender_queue;   /* of one worker, before the producer */
    size_t producer_queue; /* of one worker */
    size_t restore;        /* rows that are read back and not yet written; taken from the others */
} mr_budget;

mr_budget mr_budget_split(const mr_runtime_options *options);
