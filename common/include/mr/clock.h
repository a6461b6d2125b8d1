/* Time is passed in. The only place that reads the machine's clocks is core/clock.c. */
#pragma once

#include <stdint.h>

typedef struct mr_clock mr_clock;
struct mr_clock {
    /* Never goes back; for intervals and deadlines. Microseconds. */
    int64_t (*monotonic_us)(mr_clock *self);
    /* Milliseconds since 1970 UTC; for people, never for a business result. */
    int64_t (*wall_ms)(mr_clock *self);
};

/* The machine's own clock. Stateless: any thread. */
mr_clock *mr_clock_system(void);

static inline int64_t mr_clock_monotonic_ms(mr_clock *clock)
{
    return clock->monotonic_us(clock) / 1000;
}
