/*
 * Wiring: one call is one batch, one batch is a run of records, one record is one row of the table below.
 *
 *   core_take ─ for each record ─ bounds ─► row.encode ─► segment ─► ring      (again in a new segment when it is full)
 *                                      └──► row.feed ───► vitals, view, ledger
 *   core_seal ─ vitals that changed ─ ledger ─ seal
 */
#include "wasm/core/core_internal.h"

#include "wasm/core/micros.h"
#include "wasm/core/utf8.h"

#include <assert.h>
#include <math.h>

struct kind {
    uint16_t words;
    uint8_t children_field; /* holds how many child records follow, 0 = none may */
    uint8_t child;          /* their kind */
    core_handler *encode;   /* NULL: not an entry */
    core_handler *feed;     /* NULL: the vitals do not care */
};

static const struct kind kinds[INBOX_KIND_COUNT] = {
    [INBOX_START] = {INBOX_START_WORDS, 0, 0, NULL, NULL}, /* core_take reads the one that counts */
    [INBOX_VIEW] = {INBOX_VIEW_WORDS, 0, 0, NULL, record_view_feed},
    [INBOX_NAVIGATION] = {INBOX_NAVIGATION_WORDS, INBOX_NAVIGATION_SERVER_TIMINGS, INBOX_SERVER_TIMING,
                          record_navigation_encode, NULL},
    [INBOX_META_TRACE] = {INBOX_META_TRACE_WORDS, 0, 0, NULL, record_meta_trace_feed},
    [INBOX_RESOURCE] = {INBOX_RESOURCE_WORDS, INBOX_RESOURCE_SERVER_TIMINGS, INBOX_SERVER_TIMING,
                        record_resource_encode, record_resource_feed},
    [INBOX_SERVER_TIMING] = {INBOX_SERVER_TIMING_WORDS, 0, 0, NULL, NULL},
    [INBOX_PAINT] = {INBOX_PAINT_WORDS, 0, 0, record_paint_encode, record_paint_feed},
    [INBOX_LARGEST_PAINT] = {INBOX_LARGEST_PAINT_WORDS, 0, 0, record_largest_paint_encode, record_largest_paint_feed},
    [INBOX_LAYOUT_SHIFT] = {INBOX_LAYOUT_SHIFT_WORDS, 0, 0, record_layout_shift_encode, record_layout_shift_feed},
    [INBOX_EVENT] = {INBOX_EVENT_WORDS, 0, 0, record_event_encode, record_event_feed},
    [INBOX_INTERACTION_COUNT] = {INBOX_INTERACTION_COUNT_WORDS, 0, 0, NULL, record_interaction_count_feed},
    [INBOX_LONG_TASK] = {INBOX_LONG_TASK_WORDS, 0, 0, record_long_task_encode, NULL},
    [INBOX_LONG_FRAME] = {INBOX_LONG_FRAME_WORDS, INBOX_LONG_FRAME_SCRIPTS, INBOX_FRAME_SCRIPT,
                          record_long_frame_encode, NULL},
    [INBOX_FRAME_SCRIPT] = {INBOX_FRAME_SCRIPT_WORDS, 0, 0, NULL, NULL},
    [INBOX_USER_TIMING] = {INBOX_USER_TIMING_WORDS, 0, 0, record_user_timing_encode, NULL},
    [INBOX_VISIBILITY] = {INBOX_VISIBILITY_WORDS, 0, 0, record_visibility_encode, record_visibility_feed},
    [INBOX_ERROR] = {INBOX_ERROR_WORDS, 0, 0, record_error_encode, NULL},
    [INBOX_CUSTOM_EVENT] = {INBOX_CUSTOM_EVENT_WORDS, INBOX_CUSTOM_EVENT_ATTRIBUTES, INBOX_ATTRIBUTE,
                            record_custom_event_encode, NULL},
    [INBOX_ATTRIBUTE] = {INBOX_ATTRIBUTE_WORDS, 0, 0, NULL, NULL},
    [INBOX_CALL] = {INBOX_CALL_WORDS, 0, 0, record_call_encode, NULL},
    [INBOX_LOSS] = {INBOX_LOSS_WORDS, 0, 0, NULL, record_loss_feed},
    [INBOX_METER] = {INBOX_METER_WORDS, 0, 0, NULL, record_meter_feed},
    [INBOX_LIFECYCLE] = {INBOX_LIFECYCLE_WORDS, 0, 0, NULL, record_lifecycle_feed},
};

#define LOST(reason) vitrace_v1_LossReason_LOSS_REASON_##reason

static unsigned aligned_size(void)
{
    return (unsigned)((sizeof(struct core) + 7u) & ~(size_t)7u);
}

unsigned core_bytes(void)
{
    return aligned_size() + vitals_bytes();
}

void *core_vitals_memory(struct core *self)
{
    return (uint8_t *)self + aligned_size();
}

struct core *core_init(void *memory, struct ring_producer *ring)
{
    struct core *self = memory;
    assert((uintptr_t)memory % 8 == 0);
    memset(self, 0, sizeof *self);
    self->ring = ring;
    self->vitals = vitals_init(core_vitals_memory(self), &(struct vitals_start){0});
    segment_init(&self->segment, ring);
    text_pool_init(&self->texts);
    return self;
}

uint32_t core_abandoned(const struct core *self)
{
    return __atomic_load_n(&self->ring->header->abandoned, __ATOMIC_RELAXED);
}

void core_begin_view(struct core *self)
{
    ledger_init(&self->ledger, core_abandoned(self));
    memset(self->written, 0, sizeof self->written);
    self->lost_reported = 0;
    self->meta_count = 0;
    self->header.seq = 0;
    self->has_sent_view = false;
}

uint32_t core_url(struct core *self, struct slice url)
{
    return segment_text(&self->segment, scrub_url(&self->scrub, url));
}

static bool vitals_hold(const void *vitals, uint32_t handle)
{
    return vitals_holds(vitals, handle);
}

uint32_t core_keep_text(struct core *self, struct slice text, size_t bytes_max)
{
    struct text_pool_holder holder = {vitals_hold, self->vitals};
    return text_pool_add(&self->texts, utf8_cut(text, bytes_max), holder);
}

/* The header is the first record of a segment: a beacon that is cut short still says whose it is. */
static bool open_segment(struct core *self)
{
    if (self->segment.is_open)
        return true;
    if (!segment_open(&self->segment, self->header.seq))
        return false;
    uint32_t type = vitals_navigation_type(self->vitals);
    if (type != 0)
        self->header.page.navigation_type = (vitrace_v1_NavigationType)type;
    self->header.mono_us = micros_of_clock(self->clock.mono_ms);
    self->header.wall_unix_us = micros_of_clock(self->clock.wall_ms);
    segment_begin(&self->segment, false);
    segment_append(&self->segment, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &self->header);
    bool fits = segment_end(&self->segment);
    assert(fits); /* the schema bounds it to 1,293 bytes */
    return fits;
}

static void write_ledger(struct core *self, bool final)
{
    vitrace_v1_Ledger ledger;
    uint32_t abandoned = core_abandoned(self);
    ledger_count(&self->ledger.segments_sealed, 1);
    ledger_fill(&self->ledger, abandoned, &ledger);
    ledger.bytes_encoded += self->segment.size; /* up to this record */
    ledger.sealed_mono_us = micros_of_clock(self->clock.mono_ms);
    ledger.sealed_wall_unix_us = micros_of_clock(self->clock.wall_ms);
    ledger.final = final;
    segment_begin(&self->segment, true);
    segment_append(&self->segment, BEACON_FIELD_LEDGER, vitrace_v1_Ledger_fields, &ledger);
    bool fits = segment_end(&self->segment);
    assert(fits); /* SEGMENT_RESERVE_BYTES */
    (void)fits;
    self->lost_reported = ledger_lost_total(&self->ledger, abandoned);
}

static void seal_segment(struct core *self, bool final)
{
    record_vital_write(self);
    write_ledger(self, final);
    self->ledger.bytes_encoded += segment_seal(&self->segment);
    self->header.seq++;
    self->has_sent_view = true;
    self->has_sealed = true;
}

static bool is_due(const struct core *self)
{
    return !self->has_sent_view || record_vital_is_due(self) ||
           ledger_lost_total(&self->ledger, core_abandoned(self)) != self->lost_reported;
}

void core_seal_view(struct core *self, bool final)
{
    bool has_entries = self->segment.is_open && self->segment.entries > 0;
    if (has_entries || is_due(self)) {
        if (open_segment(self))
            seal_segment(self, final);
    } else if (self->segment.is_open) {
        segment_abort(&self->segment); /* only a header: its clocks would be stale by the time there is an entry */
    }
}

static void count_entry(struct core *self)
{
    if (self->segment.entries++ == 0)
        self->first_entry_ms = self->clock.mono_ms;
    ledger_take_encoded(&self->ledger);
}

/* 0 when the entry is in the segment, else why it is lost. */
static vitrace_v1_LossReason write_entry(struct core *self, const struct kind *kind, struct inbox_record *record)
{
    for (;;) {
        if (!open_segment(self))
            return LOST(RING_FULL);
        bool is_fresh = self->segment.entries == 0;
        segment_begin(&self->segment, false);
        kind->encode(self, record);
        if (record->bad) {
            segment_cancel(&self->segment);
            return LOST(BAD_ENTRY);
        }
        if (segment_end(&self->segment))
            return LOST(UNSPECIFIED);
        if (is_fresh)
            return LOST(TOO_LARGE);
        seal_segment(self, false);
    }
}

static void take_record(struct core *self, const struct kind *kind, struct inbox_record *record)
{
    vitrace_v1_LossReason lost = LOST(UNSPECIFIED);
    if (kind->encode == NULL && kind->feed == NULL)
        record->bad = true; /* a child without its parent, or a second start */
    if (kind->encode != NULL && !record->bad)
        lost = write_entry(self, kind, record);
    bool is_encoded = kind->encode != NULL && !record->bad && lost == LOST(UNSPECIFIED);
    if (kind->feed != NULL && !record->bad)
        kind->feed(self, record);
    if (is_encoded)
        count_entry(self);
    else if (record->bad)
        ledger_take_lost(&self->ledger, LOST(BAD_ENTRY), 1);
    else if (lost != LOST(UNSPECIFIED))
        ledger_take_lost(&self->ledger, lost, 1);
}

/* Finds the children. false: the batch ends inside the record, so that nothing after it can be trusted. */
static bool bound_record(struct inbox_reader *inbox, const struct kind *kind, struct inbox_record *record)
{
    if (inbox->count - record->at < kind->words)
        return false;
    inbox->at = record->at + kind->words;
    if (kind->child == 0)
        return true;
    record->children_at = inbox->at;
    record->children = (uint32_t)inbox_record_count(record, kind->children_field, INBOX_WORDS);
    record->child_words = kinds[kind->child].words;
    for (uint32_t i = 0; i < record->children; i++) {
        if (inbox_reader_kind(inbox, inbox->at) != kind->child) {
            record->bad = true; /* the record that stands here instead has a kind of its own: go on with it */
            return true;
        }
        if (inbox->count - inbox->at < record->child_words)
            return false;
        inbox->at += record->child_words;
    }
    return true;
}

static void take_records(struct core *self)
{
    struct inbox_reader *inbox = &self->inbox;
    while (inbox->at < inbox->count) {
        const struct kind *kind = &kinds[inbox_reader_kind(inbox, inbox->at)];
        struct inbox_record record = inbox_record_of(inbox, inbox->at);
        if (kind->words == 0 || !bound_record(inbox, kind, &record)) {
            ledger_take_lost(&self->ledger, LOST(BAD_ENTRY), 1);
            return;
        }
        take_record(self, kind, &record);
    }
}

enum core_status core_take(struct core *self, struct core_clock clock, const double *words, unsigned word_count,
                           struct slice strings)
{
    if (!inbox_reader_init(&self->inbox, words, word_count, strings))
        return CORE_BAD_BATCH;
    if (!self->is_started && inbox_reader_kind(&self->inbox, 0) != INBOX_START)
        return CORE_NOT_STARTED;
    self->clock = clock;
    self->has_sealed = false;
    if (!self->is_started && word_count >= INBOX_START_WORDS) {
        struct inbox_record start = inbox_record_of(&self->inbox, 0);
        record_start_feed(self, &start);
        self->inbox.at = INBOX_START_WORDS;
    }
    if (!self->is_started)
        return CORE_NOT_STARTED;
    ledger_count(&self->ledger.batches, 1);
    take_records(self);
    return self->has_sealed ? CORE_SEALED : CORE_OK;
}

enum core_status core_seal(struct core *self, struct core_clock clock, int final)
{
    if (!self->is_started)
        return CORE_NOT_STARTED;
    self->clock = clock;
    self->has_sealed = false;
    core_seal_view(self, final != 0);
    return self->has_sealed ? CORE_SEALED : CORE_OK;
}

double core_open_age(const struct core *self, struct core_clock clock)
{
    if (!self->segment.is_open || self->segment.entries == 0)
        return 0;
    double age = clock.mono_ms - self->first_entry_ms;
    return age > 0 ? age : 0;
}

static double vital_value(const struct core *self, enum vital_metric metric)
{
    const struct vital *vital = vitals_find(self->vitals, metric);
    return vital->state == VITAL_MEASURED ? vital->value : NAN;
}

void core_stats(const struct core *self, double out[CORE_STATS_WORDS])
{
    out[CORE_STATS_ENTRIES_SEEN] = self->ledger.entries_seen;
    out[CORE_STATS_ENTRIES_ENCODED] = self->ledger.entries_encoded;
    out[CORE_STATS_MAIN_THREAD_US] = self->ledger.main_thread_us;
    out[CORE_STATS_BYTES_ENCODED] = (double)self->ledger.bytes_encoded;
    out[CORE_STATS_SEGMENTS_SEALED] = self->ledger.segments_sealed;
    out[CORE_STATS_BATCHES] = self->ledger.batches;
    for (uint32_t reason = 1; reason < LEDGER_REASONS; reason++)
        out[CORE_STATS_LOST_RING_FULL + reason - 1] =
            ledger_lost(&self->ledger, (vitrace_v1_LossReason)reason, core_abandoned(self));
    out[CORE_STATS_LCP] = vital_value(self, VITAL_LCP);
    out[CORE_STATS_INP] = vital_value(self, VITAL_INP);
    out[CORE_STATS_CLS] = vital_value(self, VITAL_CLS);
    out[CORE_STATS_FCP] = vital_value(self, VITAL_FCP);
    out[CORE_STATS_TTFB] = vital_value(self, VITAL_TTFB);
}

/* The losses of the stats stand in the order of LossReason. */
_Static_assert(CORE_STATS_LOST_SEND_FAILED - CORE_STATS_LOST_RING_FULL + 2 == LEDGER_REASONS, "a stat per LossReason");
