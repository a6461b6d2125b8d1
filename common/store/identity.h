/* Whose state a directory holds, and in which format: one text in the column family "default". */
#pragma once

#include "store/rocks.h"

/*
 * Reads "millrace-state <format> <identity>" and refuses what is not ours. Absent: written and
 * flushed at once when the database is empty (it is new, or its making was interrupted).
 */
mr_status mr_identity_check(mr_database *database, const char *identity, mr_error *err) MR_MUST_USE;
