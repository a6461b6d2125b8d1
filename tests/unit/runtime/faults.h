/*
 * Calls that fail: the program is linked so that its own calls to RocksDB's C API, and those of
 * core/alloc.c to malloc and its like, come by here (the linker's --wrap). Each is counted, in all
 * threads.
 */
#pragma once

#include <stdbool.h>

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_CALL,      /* a call to RocksDB, or a send, fails and has done nothing */
    FAULT_LATE_CALL, /* it has done its work and reports a failure all the same */
    FAULT_ALLOCATION,
} fault_kind;

/* Of this kind, call number n (from 1) fails, that one only; counting begins at 0. */
void fault_set(fault_kind kind, long n);
long fault_count(void);

/* Whether a send fails, which the test's collector asks. */
bool fault_send(void);

#define FAULT_TEXT "IO error: made by the test"
