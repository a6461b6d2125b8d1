/*
 * Does an aggregate stage's log agree with itself and with the store? Versions of every aggregate
 * are 0, 1, 2, ... with no gap or double, and the fold of its events is the stored state.
 */
#pragma once

#include "cli/fold.h"
#include "cli/rows.h"

typedef struct mr_log_check mr_log_check;

mr_status mr_log_check_new(const mr_cli *cli, const mr_stage *stage, mr_log_check **ret_check,
                           mr_error *err) MR_MUST_USE;
void mr_log_check_free(mr_log_check *check);
MR_DEFINE_CLEANUP(mr_log_check, mr_log_check_free)

/* Reads and folds the whole log. */
mr_status mr_log_check_read(mr_log_check *check, mr_error *err) MR_MUST_USE;
/* Compares one stored row. */
mr_status mr_log_check_row(mr_log_check *check, const mr_rows_item *item,
                           mr_error *err) MR_MUST_USE;
/* After the last row: what is in the log and not in the store. */
void mr_log_check_end(mr_log_check *check);

int64_t mr_log_check_aggregates(const mr_log_check *check);
int64_t mr_log_check_events(const mr_log_check *check);
/* Each was told on stderr, the first ones at least. */
int64_t mr_log_check_differences(const mr_log_check *check);
