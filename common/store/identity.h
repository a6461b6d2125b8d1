/* Whose state a directory holds, of which stores, and in which format: one text in the column
 * family "default". */
#pragma once

#include "store/rocks.h"

/*
 * Reads "millrace-state <format> <identity> <stores>" and refuses what is not ours. Absent: written
 * and flushed at once when the database is empty (it is new, or its making was interrupted).
 *
 * Rows lie under the numbers of their stores, so a store must keep its place in the list; what is
 * new at its end is written, too.
 */
mr_status mr_identity_check(mr_database *database, const mr_database_options *options,
                            mr_error *err) MR_MUST_USE;
