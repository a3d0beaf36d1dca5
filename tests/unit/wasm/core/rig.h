/* A core with its ring and an inbox, driven as the bridge drives it, for tests and fuzz targets. */
#ifndef VITRACE_TEST_RIG_H
#define VITRACE_TEST_RIG_H

#include "proto/wire/beacon_decode.h"
#include "wasm/core/core.h"

struct rig {
    struct ring_producer producer;
    struct core *core;
    struct core_clock clock;
    void *core_memory;
    /* the inbox */
    double words[INBOX_WORDS];
    uint8_t strings[INBOX_STRING_BYTES];
    unsigned word_count, string_bytes, string_count;
    /* the last beacon taken off the ring */
    uint8_t beacon_bytes[BEACON_BYTES_MAX];
    struct slice beacon;
    struct beacon_summary summary;
    struct beacon_strings dictionary;
    _Alignas(RING_CACHE_LINE) uint8_t ring_memory[RING_BYTES];
};

/* NULL when there is no memory. The core is not started. */
struct rig *rig_new(void);
void rig_free(struct rig *self);

/* Appends a record to the inbox: every field NaN. Borrowed until the next rig_take. */
double *rig_record(struct rig *self, enum inbox_kind kind, unsigned words);
/* Index of a new string of the batch. */
double rig_text(struct rig *self, const char *text);
/* Hands the inbox to the core and empties it. */
enum core_status rig_take(struct rig *self);
enum core_status rig_seal(struct rig *self, int final);

/* START with plausible values, appended; a test may change fields before rig_take. */
double *rig_put_start(struct rig *self);
/* A resource with every phase set, start at `start_ms`. */
double *rig_put_resource(struct rig *self, const char *url, double start_ms);
double *rig_put_mark(struct rig *self, const char *name, double start_ms);
double *rig_put_server_timing(struct rig *self, const char *name, const char *description);
/* START, taken. */
void rig_start(struct rig *self);

/* Takes the oldest sealed beacon off the ring, validates it, and aborts unless its bytes are nanopb's. false: none. */
bool rig_next_beacon(struct rig *self, enum beacon_status *status);
/* The same for a beacon that was not in the ring. */
enum beacon_status rig_look_at(struct rig *self, struct slice beacon);
/* Body of the n-th record of a field in that beacon; empty when there is none. */
struct slice rig_find(const struct rig *self, enum beacon_field field, unsigned n);
unsigned rig_count(const struct rig *self, enum beacon_field field);
/* Resolves a reference of that beacon, into a static buffer. */
const char *rig_string(const struct rig *self, uint32_t ref);
double rig_stat(const struct rig *self, enum core_stats_field field);

#endif
