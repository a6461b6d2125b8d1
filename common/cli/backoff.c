#include "cli/backoff.h"

int64_t mr_backoff_next(int64_t previous_ms, int64_t alive_ms)
{
    if (previous_ms <= 0 || alive_ms >= MR_BACKOFF_FORGET_MS) {
        return MR_BACKOFF_FIRST_MS;
    }
    return previous_ms >= MR_BACKOFF_MAX_MS / 2 ? MR_BACKOFF_MAX_MS : 2 * previous_ms;
}
