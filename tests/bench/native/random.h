/* The step and the mixing function of SplitMix64: number i of a seed without those before it. */
#pragma once

#include <stdint.h>

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t random_at(uint64_t seed, uint64_t i)
{
    return random_mix(seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}
