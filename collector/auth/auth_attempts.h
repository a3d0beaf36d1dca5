/*
 * How often an address has shown a wrong token, in 16 KiB whatever the number of addresses.
 *
 *   address --SipHash, random key--> set of 4 slots of 16 bytes (one cache line) x 256 sets
 *   slot:  tag 64 | full_at 64        a bucket as in ingest_rate.h: one number, the time at which it is full again
 *
 * Only a wrong token takes a slot, the one that is full earliest, with what its last owner had used up. So a flood of
 * addresses can fill the table, and whoever shows right tokens never notices: an address without a slot is never late.
 * While a bucket is empty nothing that its address shows is judged, right or wrong: guesses are what is limited.
 */
#ifndef VITRACE_AUTH_ATTEMPTS_H
#define VITRACE_AUTH_ATTEMPTS_H

#include "collector/base/siphash.h"

#define AUTH_ATTEMPTS_SETS 256u
#define AUTH_ATTEMPTS_WAYS 4u

struct auth_attempts_slot {
    uint64_t tag; /* 0 = never used */
    uint64_t full_at_ns;
};

struct auth_attempts {
    struct siphash_key key;
    uint64_t interval_ns, burst_ns; /* interval 0 = no limit */
    struct auth_attempts_slot slot[AUTH_ATTEMPTS_SETS][AUTH_ATTEMPTS_WAYS];
};

/* `burst` wrong tokens at once, and `per_minute` more; per_minute 0 = no limit. What was counted is kept. */
void auth_attempts_init(struct auth_attempts *self);
void auth_attempts_set(struct auth_attempts *self, uint32_t per_minute, uint32_t burst);
/* 0 = a token of this address may be judged; otherwise the nanoseconds until one may. The clock does not go back. */
uint64_t auth_attempts_wait(const struct auth_attempts *self, const uint8_t address[16], uint64_t now_ns);
void auth_attempts_fail(struct auth_attempts *self, const uint8_t address[16], uint64_t now_ns);

#endif
