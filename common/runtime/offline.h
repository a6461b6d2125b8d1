/* Reads a stage's state directory without its processor: what was flushed to disk, read-only. */
#pragma once

#include <mr/log.h>

#include "runtime/query.h"
#include "store/database.h"

/* Opens it to be read only; mr_database_free closes it. */
mr_status mr_offline_open(const char *state_directory, const mr_stage *stage, const mr_log *log,
                          mr_database **ret_database, mr_error *err) MR_MUST_USE;

/* Answers `query` from the directory (mr_query.timeout_ms is unused). MR_NOT_FOUND: no such state
 * directory. */
mr_status mr_offline_query(const char *state_directory, const mr_stage *stage, const mr_log *log,
                           mr_query *query, mr_error *err) MR_MUST_USE;
