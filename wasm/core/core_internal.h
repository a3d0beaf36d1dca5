/*
 * Private to wasm/core. Each kind of inbox record has two handlers, which see the record after its bounds were checked:
 *
 *   encode  writes the entry into the segment transaction that is open. It may run twice (the second time in a new
 *           segment), so it changes nothing but the transaction, the scratch message and record->bad.
 *   feed    tells the vitals and the state of the view, exactly once, also when the ring was full. It reads every
 *           field before it acts and does nothing when the record turns out bad.
 */
#ifndef VITRACE_CORE_INTERNAL_H
#define VITRACE_CORE_INTERNAL_H

#include "proto/wire/beacon_decode.h" /* enum beacon_field */
#include "wasm/core/core.h"
#include "wasm/core/inbox_reader.h"
#include "wasm/core/ledger.h"
#include "wasm/core/scrub.h"
#include "wasm/core/segment.h"
#include "wasm/core/text_pool.h"
#include "wasm/core/vitals.h"

/* One message is built at a time. Handlers set every field or start from zero; the resource sets only what is used. */
union core_message {
    vitrace_v1_Resource resource;
    vitrace_v1_Navigation navigation;
    vitrace_v1_Call call;
    vitrace_v1_LongAnimationFrame long_frame;
    vitrace_v1_CustomEvent custom_event;
};

struct core {
    struct core_clock clock; /* of the call in progress */
    struct ring_producer *ring;
    struct vitals *vitals;
    vitrace_v1_Header header; /* of the next segment, but for its clocks */
    struct ledger ledger;
    uint32_t written[VITAL_METRICS]; /* revision + 1 of each vital as last written in this view, 0 = never */
    uint64_t lost_reported;          /* ledger_lost_total as last written */
    double first_entry_ms;           /* when the open segment got its first entry */
    vitrace_v1_Claim meta;           /* <meta name="traceparent"> that came before the navigation */
    pb_size_t meta_count;
    bool is_started;
    bool is_hidden;
    bool has_sent_view; /* a segment of this view was sealed */
    bool has_sealed;    /* during the call in progress */
    union core_message message;
    struct scrub scrub;
    struct segment segment;
    struct inbox_reader inbox;
    struct text_pool texts;
    /* the vitals' own memory follows */
};

typedef void core_handler(struct core *self, struct inbox_record *record);

core_handler record_start_feed, record_view_feed;
core_handler record_navigation_encode, record_meta_trace_feed;
core_handler record_resource_encode, record_resource_feed;
core_handler record_paint_encode, record_paint_feed, record_largest_paint_encode, record_largest_paint_feed;
core_handler record_layout_shift_encode, record_layout_shift_feed;
core_handler record_event_encode, record_event_feed, record_interaction_count_feed;
core_handler record_long_task_encode, record_long_frame_encode, record_user_timing_encode;
core_handler record_visibility_encode, record_visibility_feed, record_lifecycle_feed;
core_handler record_error_encode, record_custom_event_encode, record_call_encode;
core_handler record_loss_feed, record_meter_feed;

/* Memory for vitals_init. */
void *core_vitals_memory(struct core *self);
/* Starts the accounting of a new view; the header already names it. */
void core_begin_view(struct core *self);
/* Seals what there is to send of the view, see core_seal. */
void core_seal_view(struct core *self, bool final);
uint32_t core_abandoned(const struct core *self);

/* A dictionary id for a URL, scrubbed. */
uint32_t core_url(struct core *self, struct slice url);
/* A text that a vital may report later. */
uint32_t core_keep_text(struct core *self, struct slice text, size_t bytes_max);

/* Vitals that changed since they were last written. */
bool record_vital_is_due(const struct core *self);
/* Writes them into the reserve of the open segment. */
void record_vital_write(struct core *self);

#endif
