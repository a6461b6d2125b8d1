/*
 * A question to committed state, answered by the owning workers between two records, each task by
 * itself, so rows of one task are of one moment: `positions` says of which.
 */
#pragma once

#include <mr/app.h>

typedef struct mr_query_row {
    int32_t partition;
    mr_bytes key;   /* encoded as in the store; owned by the query */
    mr_bytes value; /* encoded record value */
} mr_query_row;

typedef struct mr_query_position {
    int32_t partition;
    int64_t offset; /* inputs below it are in the answer */
    bool restoring; /* the task was not complete yet: its rows are missing */
} mr_query_position;

typedef struct mr_query {
    size_t store;      /* index into stage->stores */
    int32_t partition; /* -1: every task of this process */
    mr_bytes key;      /* a get; null: a scan of [from, to) */
    mr_bytes from;
    mr_bytes to;    /* null: to the end */
    size_t limit;   /* rows a task, at most */
    int timeout_ms; /* MR_TIMED_OUT when a worker did not answer by then */
    /* Answer; free with mr_query_deinit. Rows ascend within a partition. */
    mr_query_row *rows;
    size_t n_rows;
    size_t rows_capacity;
    mr_query_position *positions;
    size_t n_positions;
    size_t positions_capacity;
} mr_query;

void mr_query_deinit(mr_query *query);
/* Adds a copy of a row to the answer. */
void mr_query_add(mr_query *query, int32_t partition, mr_bytes key, mr_bytes value);
void mr_query_add_position(mr_query *query, int32_t partition, int64_t offset, bool restoring);
