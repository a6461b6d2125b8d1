#include <mr/clock.h>

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    /* Cannot fail for these two clocks with a valid pointer (clock_gettime(2)). */
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_monotonic_us(mr_clock *self)
{
    (void)self;
    return read_us(CLOCK_MONOTONIC);
}

static int64_t system_wall_ms(mr_clock *self)
{
    (void)self;
    return read_us(CLOCK_REALTIME) / 1000;
}

mr_clock *mr_clock_system(void)
{
    static const mr_clock system_clock_ops = {
        .monotonic_us = system_monotonic_us,
        .wall_ms = system_wall_ms,
    };
    /* The ops of a clock are never written through this pointer; a test clock embeds its own. */
    return (mr_clock *)(uintptr_t)&system_clock_ops;
}
