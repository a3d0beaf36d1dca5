/*
 * Wiring: one call is one batch, one batch is a run of records, one record is one row of the table below.
 *
 *   core_take ─ for each record ─ bounds ─┬► row.shape ─► segment ─► ring      (again in a new segment when it is full)
 *                                         └► row.feed ──► vitals, view, ledger
 *   core_seal ─ vitals that changed ─ ledger ─ seal
 */
#include "wasm/core/core_internal.h"

#include "wasm/core/micros.h"
#include "wasm/core/utf8.h"

#include <assert.h>
#include <math.h>

struct kind {
    uint8_t words;
    uint8_t children_field; /* holds how many child records follow, 0 = none may */
    uint8_t child;          /* their kind */
    uint8_t field;          /* the record of the beacon that it becomes, 0 = it is not an entry */
    const struct shape_row *shape;
    core_handler *feed; /* NULL: the vitals do not care */
    bool feeds_first;   /* before the shape is written, each time */
};

#define WORDS(kind)           .words = INBOX_##kind##_WORDS
#define CHILDREN(word, kind)  .children_field = (word), .child = INBOX_##kind
#define ENTRY(message, table) .field = BEACON_FIELD_##message, .shape = record_##table##_shape
#define FEED(handler)         .feed = record_##handler##_feed

static const struct kind kinds[INBOX_KIND_COUNT] = {
    [INBOX_START] = {WORDS(START)}, /* core_take reads the one that counts */
    [INBOX_VIEW] = {WORDS(VIEW), FEED(view)},
    [INBOX_NAVIGATION] = {WORDS(NAVIGATION), CHILDREN(INBOX_NAVIGATION_SERVER_TIMINGS, SERVER_TIMING),
                          ENTRY(NAVIGATION, navigation), FEED(navigation), .feeds_first = true},
    [INBOX_META_TRACE] = {WORDS(META_TRACE), FEED(meta_trace)},
    [INBOX_RESOURCE] = {WORDS(RESOURCE), CHILDREN(INBOX_RESOURCE_SERVER_TIMINGS, SERVER_TIMING),
                        ENTRY(RESOURCE, resource), FEED(resource)},
    [INBOX_SERVER_TIMING] = {WORDS(SERVER_TIMING)},
    [INBOX_PAINT] = {WORDS(PAINT), ENTRY(PAINT, paint), FEED(paint)},
    [INBOX_LARGEST_PAINT] = {WORDS(LARGEST_PAINT), ENTRY(LARGEST_CONTENTFUL_PAINT, largest_paint), FEED(largest_paint)},
    [INBOX_LAYOUT_SHIFT] = {WORDS(LAYOUT_SHIFT), ENTRY(LAYOUT_SHIFT, layout_shift), FEED(layout_shift)},
    [INBOX_EVENT] = {WORDS(EVENT), ENTRY(EVENT, event), FEED(event)},
    [INBOX_INTERACTION_COUNT] = {WORDS(INTERACTION_COUNT), FEED(interaction_count)},
    [INBOX_LONG_TASK] = {WORDS(LONG_TASK), ENTRY(LONG_TASK, long_task)},
    [INBOX_LONG_FRAME] = {WORDS(LONG_FRAME), CHILDREN(INBOX_LONG_FRAME_SCRIPTS, FRAME_SCRIPT),
                          ENTRY(LONG_ANIMATION_FRAME, long_frame), FEED(long_frame)},
    [INBOX_FRAME_SCRIPT] = {WORDS(FRAME_SCRIPT)},
    [INBOX_USER_TIMING] = {WORDS(USER_TIMING), ENTRY(USER_TIMING, user_timing)},
    [INBOX_VISIBILITY] = {WORDS(VISIBILITY), ENTRY(VISIBILITY_STATE, visibility), FEED(visibility)},
    [INBOX_ERROR] = {WORDS(ERROR), ENTRY(ERROR, error)},
    [INBOX_CUSTOM_EVENT] = {WORDS(CUSTOM_EVENT), CHILDREN(INBOX_CUSTOM_EVENT_ATTRIBUTES, ATTRIBUTE),
                            ENTRY(CUSTOM_EVENT, custom_event)},
    [INBOX_ATTRIBUTE] = {WORDS(ATTRIBUTE)},
    [INBOX_CALL] = {WORDS(CALL), ENTRY(CALL, call)},
    [INBOX_LOSS] = {WORDS(LOSS), FEED(loss)},
    [INBOX_METER] = {WORDS(METER), FEED(meter)},
    [INBOX_LIFECYCLE] = {WORDS(LIFECYCLE), FEED(lifecycle)},
    [INBOX_CONFIG] = {WORDS(CONFIG), FEED(config)},
    [INBOX_ROUTE] = {WORDS(ROUTE), FEED(route)},
    [INBOX_SESSION] = {WORDS(SESSION), FEED(session)},
    [INBOX_ELEMENT] = {WORDS(ELEMENT), ENTRY(ELEMENT_TIMING, element)},
    [INBOX_SOFT_NAVIGATION] = {WORDS(SOFT_NAVIGATION), ENTRY(SOFT_NAVIGATION, soft_navigation), FEED(soft_navigation)},
    [INBOX_INTERACTION_PAINT] = {WORDS(INTERACTION_PAINT), ENTRY(INTERACTION_CONTENTFUL_PAINT, interaction_paint),
                                 FEED(interaction_paint)},
    [INBOX_NOT_RESTORED] = {WORDS(NOT_RESTORED), ENTRY(NOT_RESTORED_REASON, not_restored)},
    [INBOX_MEMORY_MEASUREMENT] = {WORDS(MEMORY_MEASUREMENT), ENTRY(MEMORY_MEASUREMENT, memory_measurement)},
    [INBOX_CLICK_PATTERN] = {WORDS(CLICK_PATTERN), ENTRY(CLICK_PATTERN, click_pattern)},
    [INBOX_CUSTOM_METRIC] = {WORDS(CUSTOM_METRIC), CHILDREN(INBOX_CUSTOM_METRIC_ATTRIBUTES, ATTRIBUTE),
                             ENTRY(CUSTOM_METRIC, custom_metric)},
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
    recorder_init(&self->recorder, ring);
    segment_init(&self->segment, ring, &self->dictionary);
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
    self->has_meta = false;
    self->header.seq = 0;
    self->has_sent_view = false;
    self->snapshot_mark = 0;
    self->is_blind = self->is_denied;
    self->recorder.view++;
}

struct writer core_body(struct core *self)
{
    return writer_of(self->body, sizeof self->body);
}

void core_append(struct core *self, enum beacon_field field, const struct writer *body)
{
    segment_append(&self->segment, field, slice_of(self->body, (size_t)(body->at - self->body)));
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

/* The collector did not get the vitals that were in a dropped segment: they are due again. */
static void make_room(struct core *self)
{
    uint32_t dropped = self->ledger.segments_dropped;
    recorder_make_room(&self->recorder, &self->ledger, BEACON_BYTES_MAX);
    if (self->ledger.segments_dropped != dropped)
        memset(self->written, 0, sizeof self->written);
}

/* The header is the first record of a segment: a beacon that is cut short still says whose it is. */
void core_write_header(struct core *self)
{
    uint32_t type = vitals_navigation_type(self->vitals);
    if (type != 0)
        self->header.navigation_type = type;
    struct header_clocks clocks = {micros_of_clock(self->clock.mono_ms), micros_of_clock(self->clock.wall_ms)};
    struct writer body = core_body(self);
    segment_begin(&self->segment, false);
    header_write(&self->header, clocks, &body);
    core_append(self, BEACON_FIELD_HEADER, &body);
    bool fits = segment_end(&self->segment);
    assert(fits); /* the schema bounds it to 1,302 bytes */
    (void)fits;
}

static bool open_segment(struct core *self)
{
    if (self->segment.is_open)
        return true;
    self->is_decided = true;
    if (self->sampling == CORE_RECORDS)
        make_room(self);
    if (!segment_open(&self->segment, self->header.seq))
        return false;
    core_write_header(self);
    return true;
}

void core_write_ledger(struct core *self, bool final)
{
    struct ledger_seal seal = {
        .abandoned = core_abandoned(self),
        .open_bytes = self->segment.size, /* up to this record */
        .mono_us = micros_of_clock(self->clock.mono_ms),
        .wall_unix_us = micros_of_clock(self->clock.wall_ms),
        .budget_level = self->budget.level,
        .final = final,
    };
    struct writer body = core_body(self);
    ledger_write(&self->ledger, &seal, &body);
    segment_begin(&self->segment, true);
    core_append(self, BEACON_FIELD_LEDGER, &body);
    bool fits = segment_end(&self->segment);
    assert(fits); /* SEGMENT_RESERVE_BYTES */
    (void)fits;
}

static void seal_segment(struct core *self, bool final)
{
    if (!self->is_blind)
        record_vital_write(self);
    ledger_count(&self->ledger.segments_sealed, 1);
    core_write_ledger(self, final);
    self->lost_reported = ledger_lost_total(&self->ledger, core_abandoned(self));
    if (self->sampling == CORE_RECORDS) {
        self->ledger.bytes_encoded += segment_hold(&self->segment);
        recorder_add(&self->recorder, self->segment.entries);
    } else {
        self->ledger.bytes_encoded += segment_seal(&self->segment);
        self->has_sealed = true;
    }
    self->header.seq++;
    self->has_sent_view = true;
}

/* Why nothing is written, whatever it is. */
static vitrace_v1_LossReason refusal_of_all(const struct core *self)
{
    return self->is_denied                     ? LOST(CONSENT)
           : self->sampling == CORE_LEAVES_OUT ? LOST(SAMPLED_OUT)
                                               : LOST(UNSPECIFIED);
}

/* Off, the budget leaves nothing but one ledger that says so. */
static bool is_silent(const struct core *self)
{
    return refusal_of_all(self) != LOST(UNSPECIFIED) || (self->budget.level == BUDGET_OFF && self->has_sent_view);
}

static bool is_due(const struct core *self)
{
    return !self->has_sent_view || (!self->is_blind && record_vital_is_due(self)) ||
           ledger_lost_total(&self->ledger, core_abandoned(self)) != self->lost_reported;
}

void core_seal_view(struct core *self, bool final)
{
    bool has_entries = self->segment.is_open && self->segment.entries > 0;
    if (is_silent(self))
        return;
    if (has_entries || is_due(self)) {
        if (open_segment(self))
            seal_segment(self, final);
    } else if (self->segment.is_open) {
        segment_abort(&self->segment); /* only a header: its clocks would be stale by the time there is an entry */
    }
}

void core_set_consent(struct core *self, bool granted)
{
    self->is_denied = !granted;
    if (granted)
        return;
    self->is_blind = true;
    if (self->segment.is_open) {
        ledger_take_back(&self->ledger, LOST(CONSENT), self->segment.entries, 0);
        segment_abort(&self->segment);
    }
    recorder_discard(&self->recorder, &self->ledger, LOST(CONSENT));
}

void core_send_recorded(struct core *self, uint32_t trigger)
{
    if (self->sampling != CORE_RECORDS || self->is_denied)
        return;
    if (self->segment.is_open)
        core_seal_view(self, false); /* held, and promoted with the others */
    self->sampling = CORE_KEEPS;
    self->header.is_recorded = false;
    self->header.trigger = trigger;
    if (recorder_promote(&self->recorder, trigger) > 0)
        self->has_sealed = true;
}

static void count_entry(struct core *self)
{
    if (self->segment.entries++ == 0)
        self->first_entry_ms = self->clock.mono_ms;
    ledger_take_encoded(&self->ledger);
}

static void write_shape(struct core *self, const struct kind *kind, struct inbox_record *record)
{
    struct writer body = core_body(self);
    if (kind->feeds_first)
        kind->feed(self, record);
    shape_write(self, kind->shape, record, 0, &body);
    core_append(self, (enum beacon_field)kind->field, &body);
}

/* 0 when the entry is in the segment, else why it is lost. */
static vitrace_v1_LossReason write_entry(struct core *self, const struct kind *kind, struct inbox_record *record)
{
    for (;;) {
        if (!open_segment(self))
            return LOST(RING_FULL);
        bool is_fresh = self->segment.entries == 0;
        segment_begin(&self->segment, false);
        write_shape(self, kind, record);
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

/* Why an entry is not written, before it is looked at. */
static vitrace_v1_LossReason refusal(const struct core *self, const struct kind *kind)
{
    vitrace_v1_LossReason all = refusal_of_all(self);
    if (kind->field == 0 || all != LOST(UNSPECIFIED))
        return kind->field == 0 ? LOST(UNSPECIFIED) : all;
    return budget_refuses(&self->budget, (unsigned)(kind - kinds)) ? LOST(BUDGET) : LOST(UNSPECIFIED);
}

/* The vitals are told of what the budget alone refuses. */
static bool feeds(const struct core *self, const struct kind *kind, vitrace_v1_LossReason refused)
{
    if (kind->feed == NULL || (refused == LOST(BUDGET) && self->budget.level == BUDGET_OFF))
        return false;
    return refused == LOST(BUDGET) || (refused == LOST(UNSPECIFIED) && !kind->feeds_first);
}

/* The flight recorder's triggers that are entries; poor vitals are found at the end of the batch. */
static void notice_trouble(struct core *self, const struct kind *kind, struct inbox_record *record)
{
    uint32_t kind_number = (uint32_t)(kind - kinds);
    if (kind_number == INBOX_ERROR)
        self->trouble = vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_ERROR;
    else if (kind_number == INBOX_CLICK_PATTERN &&
             record->words[INBOX_CLICK_PATTERN_TYPE] == vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_RAGE)
        self->trouble = vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_RAGE_CLICK;
}

static void take_record(struct core *self, const struct kind *kind, struct inbox_record *record)
{
    bool is_entry = kind->field != 0;
    vitrace_v1_LossReason lost = refusal(self, kind);
    bool is_fed = feeds(self, kind, lost);
    if (!is_entry && kind->feed == NULL)
        record->bad = true; /* a child without its parent, or a second start */
    if (is_entry && !record->bad && lost == LOST(UNSPECIFIED)) {
        lost = write_entry(self, kind, record);
        if (!record->bad)
            notice_trouble(self, kind, record);
    }
    bool is_encoded = is_entry && !record->bad && lost == LOST(UNSPECIFIED);
    if (is_fed && !record->bad)
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
    if (inbox->count - inbox->at < kind->words)
        return false;
    inbox->at += kind->words;
    if (kind->child == 0)
        return true;
    record->children = inbox_record_count(record, kind->children_field, INBOX_WORDS);
    record->children_at = kind->words;
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

static bool is_poor(const struct core *self, enum vital_metric metric)
{
    const struct vital *vital = vitals_find(self->vitals, metric);
    return vital->state == VITAL_MEASURED && vital->rating == VITAL_POOR;
}

static uint32_t trouble_of_batch(const struct core *self)
{
    if (self->trouble != 0 || self->is_blind)
        return self->trouble;
    return is_poor(self, VITAL_INP)   ? vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_INP
           : is_poor(self, VITAL_LCP) ? vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_LCP
                                      : 0;
}

static void finish_batch(struct core *self)
{
    enum budget_level before = self->budget.level;
    uint32_t trouble = trouble_of_batch(self);
    self->trouble = 0;
    if (trouble != 0)
        core_send_recorded(self, trouble);
    budget_evaluate(&self->budget, &self->ledger, self->clock.mono_ms);
    if (self->budget.level == BUDGET_OFF && before != BUDGET_OFF) {
        self->has_sent_view = false; /* so that a last segment is due */
        core_seal_view(self, true);
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
    finish_batch(self);
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
    if (!self->segment.is_open || self->segment.entries == 0 || self->sampling == CORE_RECORDS)
        return 0;
    double age = clock.mono_ms - self->first_entry_ms;
    return age > 0 ? age : 0;
}

static double vital_value(const struct core *self, enum vital_metric metric)
{
    const struct vital *vital = vitals_find(self->vitals, metric);
    return vital->state == VITAL_MEASURED ? vital->value : NAN;
}

/* What tells of the page and of the bridge goes on: the state is needed when consent is given later. */
#define BIT(kind) (1u << INBOX_##kind)
#define ALL_ENTRIES                                                                                                    \
    (~(1 | BIT(START) | BIT(VIEW) | BIT(VISIBILITY) | BIT(LIFECYCLE) | BIT(LOSS) | BIT(METER) | BIT(CONFIG)))

void core_stats(const struct core *self, double out[CORE_STATS_WORDS])
{
    out[CORE_STATS_ENTRIES_SEEN] = self->ledger.entries_seen;
    out[CORE_STATS_ENTRIES_ENCODED] = self->ledger.entries_encoded;
    out[CORE_STATS_MAIN_THREAD_US] = self->ledger.main_thread_us;
    out[CORE_STATS_BYTES_ENCODED] = (double)self->ledger.bytes_encoded;
    out[CORE_STATS_SEGMENTS_SEALED] = self->ledger.segments_sealed;
    out[CORE_STATS_BATCHES] = self->ledger.batches;
    out[CORE_STATS_SEGMENTS_DROPPED] = self->ledger.segments_dropped;
    out[CORE_STATS_BUDGET_LEVEL] = self->budget.level;
    vitrace_v1_LossReason all = refusal_of_all(self);
    out[CORE_STATS_SHEDS] = all != LOST(UNSPECIFIED) ? ALL_ENTRIES : budget_sheds(&self->budget);
    out[CORE_STATS_SHED_REASON] = all != LOST(UNSPECIFIED) ? all : LOST(BUDGET);
    for (uint32_t reason = 1; reason < LEDGER_REASONS; reason++)
        out[CORE_STATS_LOST_RING_FULL + reason - 1] =
            ledger_lost(&self->ledger, (vitrace_v1_LossReason)reason, core_abandoned(self));
    for (enum vital_metric metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        out[CORE_STATS_LCP + metric - VITAL_LCP] = vital_value(self, metric);
}

/* The losses of the stats stand in the order of LossReason, and the vitals in that of Metric. */
_Static_assert(CORE_STATS_TTFB - CORE_STATS_LCP == VITAL_TTFB - VITAL_LCP, "a stat per Metric");
_Static_assert(CORE_STATS_LOST_OFFLINE_FULL - CORE_STATS_LOST_RING_FULL + 2 == LEDGER_REASONS, "a stat per LossReason");
