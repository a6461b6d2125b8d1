/*
 * One moment of a task: a number that is in every row of three stores and in the progress. Whatever
 * happens, a task that is read has one.
 */
#pragma once

#include "store/database.h"

mr_status moment_write(mr_partition *partition, int64_t number, mr_error *err) MR_MUST_USE;

/* The task's number, 0 when it has no row; fails the test when it is not everywhere the same. */
int64_t moment_read(mr_partition *partition);
