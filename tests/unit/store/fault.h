/*
 * Files that fail: this program's own write(), fsync(), rename() and so on stand in for the C
 * library's, also for RocksDB. Each call on a file of a state directory (its path has "/mr-store-")
 * is counted, in all threads.
 */
#pragma once

#include <stdbool.h>

/* Everything works again, and counting begins at 0. */
void fault_none(void);
long fault_count(void);
/* Call number n (from 1) kills the process; of a write the first half is done. */
void fault_kill_at(long n);
/* Call number n fails, that one only. */
void fault_fail_at(long n, int error);
/* Every write to a table finds no space. */
void fault_disk_full(bool full);
