/*
 * Arbitrary batches into the core. Whatever comes in, every beacon that goes out is one that the collector accepts, the
 * ledger balances, and the ring stays valid.
 *
 * Input: records as the kind's byte, then a byte a field (a small table of numbers makes both sense and nonsense), up
 * to 0xff; the rest is the strings. 0xfe instead of a kind seals, 0xfd takes what there is so far.
 */
#include "tests/unit/wasm/core/rig.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static double number_of(uint8_t byte)
{
    static const double odd[] = {NAN,          INFINITY,     -INFINITY, -1,     -0.0,  0.5,    1e9,    1e13,
                                 4294967295.0, 4294967296.0, 1e300,     5e-324, 16000, 1.7e12, 99.995, 600001};
    return byte < 0xf0 ? byte : odd[byte - 0xf0];
}

static unsigned words_of(uint8_t kind)
{
    static const uint8_t words[] = {
        [INBOX_START] = INBOX_START_WORDS,
        [INBOX_VIEW] = INBOX_VIEW_WORDS,
        [INBOX_NAVIGATION] = INBOX_NAVIGATION_WORDS,
        [INBOX_META_TRACE] = INBOX_META_TRACE_WORDS,
        [INBOX_RESOURCE] = INBOX_RESOURCE_WORDS,
        [INBOX_SERVER_TIMING] = INBOX_SERVER_TIMING_WORDS,
        [INBOX_PAINT] = INBOX_PAINT_WORDS,
        [INBOX_LARGEST_PAINT] = INBOX_LARGEST_PAINT_WORDS,
        [INBOX_LAYOUT_SHIFT] = INBOX_LAYOUT_SHIFT_WORDS,
        [INBOX_EVENT] = INBOX_EVENT_WORDS,
        [INBOX_INTERACTION_COUNT] = INBOX_INTERACTION_COUNT_WORDS,
        [INBOX_LONG_TASK] = INBOX_LONG_TASK_WORDS,
        [INBOX_LONG_FRAME] = INBOX_LONG_FRAME_WORDS,
        [INBOX_FRAME_SCRIPT] = INBOX_FRAME_SCRIPT_WORDS,
        [INBOX_USER_TIMING] = INBOX_USER_TIMING_WORDS,
        [INBOX_VISIBILITY] = INBOX_VISIBILITY_WORDS,
        [INBOX_ERROR] = INBOX_ERROR_WORDS,
        [INBOX_CUSTOM_EVENT] = INBOX_CUSTOM_EVENT_WORDS,
        [INBOX_ATTRIBUTE] = INBOX_ATTRIBUTE_WORDS,
        [INBOX_CALL] = INBOX_CALL_WORDS,
        [INBOX_LOSS] = INBOX_LOSS_WORDS,
        [INBOX_METER] = INBOX_METER_WORDS,
        [INBOX_LIFECYCLE] = INBOX_LIFECYCLE_WORDS,
        [INBOX_CONFIG] = INBOX_CONFIG_WORDS,
        [INBOX_ROUTE] = INBOX_ROUTE_WORDS,
        [INBOX_SESSION] = INBOX_SESSION_WORDS,
        [INBOX_ELEMENT] = INBOX_ELEMENT_WORDS,
        [INBOX_SOFT_NAVIGATION] = INBOX_SOFT_NAVIGATION_WORDS,
        [INBOX_INTERACTION_PAINT] = INBOX_INTERACTION_PAINT_WORDS,
        [INBOX_NOT_RESTORED] = INBOX_NOT_RESTORED_WORDS,
        [INBOX_MEMORY_MEASUREMENT] = INBOX_MEMORY_MEASUREMENT_WORDS,
        [INBOX_CLICK_PATTERN] = INBOX_CLICK_PATTERN_WORDS,
        [INBOX_CUSTOM_METRIC] = INBOX_CUSTOM_METRIC_WORDS,
    };
    return kind < sizeof words && words[kind] > 0 ? words[kind] : 1;
}

static void check_output(struct rig *rig)
{
    enum beacon_status status;
    double lost = 0;
    assert(ring_producer_validate(&rig->producer));
    while (rig_next_beacon(rig, &status))
        assert(status == BEACON_OK);
    for (int field = CORE_STATS_LOST_RING_FULL; field < CORE_STATS_LOST_SEND_FAILED; field++)
        lost += rig_stat(rig, (enum core_stats_field)field);
    double seen = rig_stat(rig, CORE_STATS_ENTRIES_SEEN);
    assert(seen == rig_stat(rig, CORE_STATS_ENTRIES_ENCODED) + lost || seen == UINT32_MAX);
    (void)seen;
}

static void take(struct rig *rig, struct slice strings)
{
    size_t size = strings.size < sizeof rig->strings - 1 ? strings.size : sizeof rig->strings - 1;
    memcpy(rig->strings, strings.data, size);
    rig->string_bytes = size > 0 ? (unsigned)size + 1 : 0; /* rig_take drops the last NUL */
    rig->clock.mono_ms += 10;
    rig_take(rig);
    check_output(rig);
}

/* Returns the bytes used. */
static size_t put_record(struct rig *rig, const uint8_t *data, size_t size)
{
    unsigned words = words_of(data[0]);
    if (rig->word_count + words > INBOX_WORDS)
        return size;
    double *record = rig->words + rig->word_count;
    size_t used = size < words ? size : words;
    record[0] = data[0];
    for (size_t i = 1; i < used; i++)
        record[i] = number_of(data[i]);
    rig->word_count += (unsigned)used; /* the last record may be cut short */
    return used;
}

static void run(struct rig *rig, const uint8_t *data, size_t size, struct slice strings)
{
    for (size_t at = 0; at < size;) {
        if (data[at] == 0xfe || data[at] == 0xfd) {
            take(rig, strings);
            if (data[at] == 0xfe)
                rig_seal(rig, 0);
            check_output(rig);
            at++;
        } else {
            at += put_record(rig, data + at, size - at);
        }
    }
    take(rig, strings);
    rig_seal(rig, 1);
    check_output(rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig *rig = rig_new();
    if (rig == NULL)
        return 0;
    const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
    size_t records = end != NULL ? (size_t)(end - data) : size;
    struct slice strings = end != NULL ? slice_of(end + 1, size - records - 1) : slice_of("", 0);
    if (records > 0 && data[0] != INBOX_START)
        rig_start(rig); /* otherwise nearly every input would end there */
    run(rig, data, records, strings);
    rig_free(rig);
    return 0;
}
