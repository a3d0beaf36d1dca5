/*
 * Rates, in a fixed amount of memory whatever clients send.
 *
 * A bucket is one number, the time at which it will be full again (GCRA): taking moves it one interval into the future,
 * and more than a burst ahead of now is refused. A bucket nobody uses fills by itself, so nothing ever sweeps.
 *
 *   address --SipHash, random key--> set of 4 slots of 16 bytes (one cache line) x 16,384 sets = 65,536 slots, 1 MiB
 *
 *   slot:  tag 64 | full_at 64        found: that bucket. Not found: the slot of the set that is full earliest is taken
 *                                     over WITH its bucket.
 *
 * Taking over inherits what the predecessor had used up, so a new address is worth nothing when the table is under
 * pressure: whatever number of addresses a flood has, at most burst x 65,536 + rate x 65,536 a second get in (and the
 * global bucket is far below that). A loud address keeps its own slot, being the last one to be taken over; a quiet
 * newcomer gets the quietest slot.
 *
 * The key is the whole IPv4 address, or the /64 of an IPv6 one: a household has 2^64 addresses of the latter.
 */
#ifndef VITRACE_INGEST_RATE_H
#define VITRACE_INGEST_RATE_H

#include "proto/wire/slice.h"

#define INGEST_RATE_SLOTS 65536u
#define INGEST_RATE_WAYS  4u
#define INGEST_RATE_BYTES ((size_t)INGEST_RATE_SLOTS * 16)

struct ingest_rate_limit {
    uint32_t per_second; /* 0 = no limit */
    uint32_t burst;      /* 0 is taken as 1 */
};

struct ingest_rate_limits {
    struct ingest_rate_limit ip, app, global;
};

struct ingest_rate;

struct ingest_rate *ingest_rate_new(const struct ingest_rate_limits *limits, size_t app_count); /* NULL = no memory */
void ingest_rate_free(struct ingest_rate *self);

/* Any thread. 0 = admitted, and counted; otherwise refused, not counted, and the nanoseconds until one would be
 * admitted. `now_ns` is of a clock that does not go back. "::" is the address of whoever has none (a Unix socket's peer, of
 * whom no proxy said more), not of one client: it has no limit of its own. */
uint64_t ingest_rate_take_ip(struct ingest_rate *self, const uint8_t address[16], uint64_t now_ns);
uint64_t ingest_rate_take_global(struct ingest_rate *self, uint64_t now_ns);
uint64_t ingest_rate_take_app(struct ingest_rate *self, size_t app, uint64_t now_ns); /* app < app_count */

#endif
