/* One store of two states, row by row in the order of their keys: no more is in memory than a row
 * of each task. */
#pragma once

#include "cli/digest.h"
#include "cli/rebuilt_states.h"

/* A row that differs; null values and null JSON: that side has none. Valid until the next one. */
typedef struct mr_diff_row {
    int32_t partition;
    mr_bytes key;
    mr_bytes key_json;
    mr_bytes live; /* as the changelogs have it */
    mr_bytes built;
    mr_bytes live_json; /* canonical */
    mr_bytes built_json;
} mr_diff_row;

typedef mr_status (*mr_diff_visitor)(void *argument, const mr_diff_row *row, mr_error *err);

typedef struct mr_diff {
    int64_t same;
    int64_t different;
    int64_t only_live;
    int64_t only_built;
    char live_digest[MR_DIGEST_SIZE]; /* as `millrace verify` has them */
    char built_digest[MR_DIGEST_SIZE];
} mr_diff;

/* `store` is an index into the stage's stores; partitions from `first` on, `n` of them. Rows of
 * equal JSON are the same, whatever schema they were written with. */
mr_status mr_state_diff(const mr_cli *cli, const mr_rebuilt_states *states, size_t store,
                        size_t first, size_t n, mr_diff_visitor visit, void *argument,
                        mr_diff *ret_diff, mr_error *err) MR_MUST_USE;
