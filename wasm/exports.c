/*
 * The module's composition root: one ring, one core, one inbox at fixed addresses, and the exports of wasm/abi/exports.h.
 * The only place with module-level state; the page makes one instance, tests may make several.
 */
#include "proto/wire/limits.h"
#include "wasm/abi/exports.h"
#include "wasm/core/core.h"
#include "wasm/pack/deflate.h"

/* core_test holds core_bytes() to it. */
#define CORE_MEMORY_BYTES 81920u

static struct {
    _Alignas(RING_CACHE_LINE) uint8_t ring[RING_BYTES];
    _Alignas(8) uint8_t core[CORE_MEMORY_BYTES];
    double words[INBOX_WORDS];
    _Alignas(8) uint8_t strings[INBOX_STRING_BYTES];
    double stats[CORE_STATS_WORDS];
    uint8_t snapshot[CORE_SNAPSHOT_BYTES_MAX];
    struct ring_producer producer;
} module;

/* No header: the callers are JS. */
#define EXPORTED(name) __attribute__((export_name(EXPORT_##name)))
EXPORTED(ABI_VERSION) int vitrace_abi_version(void);
EXPORTED(START) void vitrace_start(void);
EXPORTED(WORDS) double *vitrace_words(void);
EXPORTED(STRINGS) uint8_t *vitrace_strings(void);
EXPORTED(RING) uint8_t *vitrace_ring(void);
EXPORTED(STATS_AREA) double *vitrace_stats_area(void);
EXPORTED(TAKE) int vitrace_take(double mono_ms, double wall_ms, unsigned words, unsigned string_bytes);
EXPORTED(SEAL) int vitrace_seal(double mono_ms, double wall_ms, int final);
EXPORTED(OPEN_AGE) double vitrace_open_age(double mono_ms, double wall_ms);
EXPORTED(SNAPSHOT_AREA) uint8_t *vitrace_snapshot_area(void);
EXPORTED(SNAPSHOT) unsigned vitrace_snapshot(double mono_ms, double wall_ms);
EXPORTED(PACK) unsigned vitrace_pack(unsigned size);
EXPORTED(STATS) void vitrace_stats(void);
EXPORTED(STOP) void vitrace_stop(void);

/* Not what core_init returned: an address that the linker knows needs no register and no argument. */
static struct core *the_core(void)
{
    return (struct core *)(void *)module.core;
}

static struct core_clock clock_of(double mono_ms, double wall_ms)
{
    return (struct core_clock){mono_ms, wall_ms};
}

int vitrace_abi_version(void)
{
    return INBOX_ABI_VERSION;
}

/* Also starts over, with an empty ring: no consumer may hold a segment then. */
void vitrace_start(void)
{
    if (core_bytes() > sizeof module.core)
        __builtin_trap();
    ring_producer_init(&module.producer, module.ring);
    core_init(module.core, &module.producer);
}

double *vitrace_words(void)
{
    return module.words;
}

uint8_t *vitrace_strings(void)
{
    return module.strings;
}

uint8_t *vitrace_ring(void)
{
    return module.ring;
}

double *vitrace_stats_area(void)
{
    return module.stats;
}

int vitrace_take(double mono_ms, double wall_ms, unsigned words, unsigned string_bytes)
{
    return core_take(the_core(), clock_of(mono_ms, wall_ms), module.words, words,
                     slice_of(module.strings, string_bytes));
}

int vitrace_seal(double mono_ms, double wall_ms, int final)
{
    return core_seal(the_core(), clock_of(mono_ms, wall_ms), final);
}

double vitrace_open_age(double mono_ms, double wall_ms)
{
    return core_open_age(the_core(), clock_of(mono_ms, wall_ms));
}

uint8_t *vitrace_snapshot_area(void)
{
    return module.snapshot;
}

unsigned vitrace_snapshot(double mono_ms, double wall_ms)
{
    return core_snapshot(the_core(), clock_of(mono_ms, wall_ms), module.snapshot);
}

_Static_assert(DEFLATE_SLOTS * sizeof(uint16_t) <= INBOX_PACK_TO, "the slots");
_Static_assert(INBOX_PACK_TO + BEACON_BYTES_MAX <= INBOX_PACK_FROM, "what is packed is never larger than it was");
_Static_assert(INBOX_PACK_FROM + BEACON_BYTES_MAX <= INBOX_STRING_BYTES, "a beacon");

/* Returns the size of the packed bytes, 0 when they would not be fewer. */
unsigned vitrace_pack(unsigned size)
{
    struct slice body = slice_of(module.strings + INBOX_PACK_FROM, size);
    return (unsigned)deflate_pack(body, (uint16_t *)(void *)module.strings, module.strings + INBOX_PACK_TO, size);
}

void vitrace_stats(void)
{
    core_stats(the_core(), module.stats);
}

void vitrace_stop(void)
{
    ring_producer_stop(&module.producer);
}
