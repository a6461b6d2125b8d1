/*
 * How far behind the stages are. Positions are the groups' committed offsets; on the embedded
 * broker, which keeps none for other programs, what the processors say over HTTP.
 *
 * A transaction's end marker has an offset too, so an offset below the end need not mean that there
 * is a record to read: where a position is not at the end, the log is asked for a record behind it.
 */
#pragma once

#include "cli/clients.h"
#include "cli/instances.h"

typedef struct mr_lag_row {
    const mr_stage *stage;
    size_t input; /* index into stage->from */
    int32_t partition;
    int64_t begin;
    int64_t end;
    int64_t position; /* next offset to read; -1: nothing committed, or not known */
    int64_t lag;      /* -1: not known */
    /* No record between these two: looked up once. */
    int64_t empty_from;
    int64_t empty_to;
} mr_lag_row;

typedef struct mr_lag {
    const mr_cli *cli;
    mr_admin *admin;
    mr_reader *reader; /* asks for ends; never fetches: a question waits behind a running fetch */
    mr_reader *looker; /* looks for records */
    mr_http_client *http;
    mr_lag_row *rows; /* by stage, input, partition */
    size_t n;
    size_t capacity;
} mr_lag;

/* Every input partition of the stages; `stage` NULL: of all. */
mr_status mr_lag_init(mr_lag *lag, const mr_cli *cli, const mr_stage *stage,
                      mr_error *err) MR_MUST_USE;
void mr_lag_deinit(mr_lag *lag);

/* Positions first, ends afterwards: when every lag is 0, nothing was left to do at that moment. */
mr_status mr_lag_sample(mr_lag *lag, mr_error *err) MR_MUST_USE;

/* Sum over a stage, NULL: over all. -1 when one of them is not known. */
int64_t mr_lag_total(const mr_lag *lag, const mr_stage *stage);
