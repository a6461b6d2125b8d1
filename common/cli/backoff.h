/* When a child that died is started again. Pure: time is passed in. */
#pragma once

#include <stdint.h>

enum {
    MR_BACKOFF_FIRST_MS = 200,
    MR_BACKOFF_MAX_MS = 10000,
    MR_BACKOFF_FORGET_MS = 30000, /* who lived so long begins anew */
};

/* The pause before the next start: `previous_ms` is the pause before the last one (0: none yet),
 * `alive_ms` how long it lived then. */
int64_t mr_backoff_next(int64_t previous_ms, int64_t alive_ms);
