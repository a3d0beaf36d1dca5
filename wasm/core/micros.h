/*
 * Milliseconds as the browser gives them (IEEE doubles) to the integer microseconds of the wire, the same everywhere:
 *
 *     micros(ms) = trunc(ms * 1000 + 0.5)   for ms >= 0,   trunc(ms * 1000 - 0.5)   for ms < 0
 *
 * that is round half away from zero, with one IEEE multiplication and one addition and no contraction. An offset is
 * the difference of two rounded times, never the rounding of a difference: start + offset is then exactly the rounded
 * time of the phase.
 */
#ifndef VITRACE_MICROS_H
#define VITRACE_MICROS_H

#include <stdbool.h>
#include <stdint.h>

/* 126 years: performance.timeOrigin fits, and the product stays under 2^53, where doubles are exact integers. */
#define MICROS_MS_MAX 4e12

/* false also for NaN and the infinities. */
static inline bool micros_in_range(double ms)
{
    return ms >= -MICROS_MS_MAX && ms <= MICROS_MS_MAX;
}

/* `ms` must be in range. */
static inline int64_t micros_of(double ms)
{
    double us = ms * 1000.0;
    return (int64_t)(us + (us < 0 ? -0.5 : 0.5));
}

/* For clocks, which have no entry to blame: out of range reads as 0. */
static inline uint64_t micros_of_clock(double ms)
{
    return ms > 0 && ms <= MICROS_MS_MAX ? (uint64_t)micros_of(ms) : 0;
}

#endif
