/*
 * Private to wasm/core. What a kind of inbox record does, after its bounds were checked:
 *
 *   shape   the table by which the entry is written into the segment transaction that is open. It may run twice (the
 *           second time in a new segment), so it changes nothing but the transaction, the body and record->bad.
 *   feed    tells the vitals and the state of the view, exactly once, also when the ring was full. It reads every
 *           field before it acts and does nothing when the record turns out bad.
 */
#ifndef VITRACE_CORE_INTERNAL_H
#define VITRACE_CORE_INTERNAL_H

#include "proto/wire/beacon_decode.h" /* enum beacon_field */
#include "proto/wire/traceparent.h"
#include "wasm/core/budget.h"
#include "wasm/core/core.h"
#include "wasm/core/header.h"
#include "wasm/core/inbox_reader.h"
#include "wasm/core/ledger.h"
#include "wasm/core/recorder.h"
#include "wasm/core/scrub.h"
#include "wasm/core/segment.h"
#include "wasm/core/shape.h"
#include "wasm/core/text_pool.h"
#include "wasm/core/vitals.h"

/* The largest body of a record: the header. Everything else is a fraction of it. */
#define CORE_BODY_BYTES (vitrace_v1_Header_size + WRITER_SLACK_BYTES)

/* Whether the session is one of those that are sent. */
enum core_sampling { CORE_KEEPS, CORE_RECORDS, CORE_LEAVES_OUT };

/* Small things first: their offsets are short numbers in the code. */
struct core {
    struct core_clock clock; /* of the call in progress */
    struct ring_producer *ring;
    struct vitals *vitals;
    double first_entry_ms;           /* when the open segment got its first entry */
    uint64_t lost_reported;          /* ledger_lost_total as last written */
    uint32_t snapshot_mark;          /* record_vital_mark + 1 of the view's last snapshot, 0 = none yet */
    uint32_t written[VITAL_METRICS]; /* revision + 1 of each vital as last written in this view, 0 = never */
    bool is_started;
    bool is_hidden;
    bool has_sent_view; /* a segment of this view was sealed */
    bool has_sealed;    /* during the call in progress */
    bool has_meta;
    bool is_decided; /* about sampling: by the first CONFIG, or by the first segment */
    bool is_denied;  /* the visitor's consent */
    bool is_blind;   /* entries of this view were not looked at, so what its vitals are nobody knows */
    enum core_sampling sampling;
    uint32_t trouble; /* RecorderTrigger noticed in this batch */
    struct budget budget;
    struct traceparent meta; /* <meta name="traceparent"> that came before the navigation */
    struct ledger ledger;
    struct header header; /* of the next segment, but for its clocks */
    struct inbox_reader inbox;
    uint8_t body[CORE_BODY_BYTES]; /* of the record that is being written */
    struct scrub scrub;
    struct segment segment;
    struct dictionary dictionary; /* of the segment */
    struct text_pool texts;
    struct recorder recorder;
    /* the vitals' own memory follows */
};

typedef void core_handler(struct core *self, struct inbox_record *record);

core_handler record_start_feed, record_view_feed, record_navigation_feed, record_meta_trace_feed;
core_handler record_resource_feed, record_paint_feed, record_largest_paint_feed, record_layout_shift_feed;
core_handler record_event_feed, record_interaction_count_feed, record_visibility_feed, record_lifecycle_feed;
core_handler record_loss_feed, record_meter_feed, record_long_frame_feed, record_route_feed, record_session_feed;
core_handler record_soft_navigation_feed, record_interaction_paint_feed, record_config_feed;

extern const struct shape_row record_navigation_shape[], record_resource_shape[];
extern const struct shape_row record_paint_shape[], record_largest_paint_shape[], record_layout_shift_shape[];
extern const struct shape_row record_event_shape[], record_visibility_shape[];
extern const struct shape_row record_long_task_shape[], record_long_frame_shape[], record_user_timing_shape[];
extern const struct shape_row record_error_shape[], record_custom_event_shape[], record_call_shape[];
extern const struct shape_row record_custom_metric_shape[], record_click_pattern_shape[];
extern const struct shape_row record_element_shape[], record_soft_navigation_shape[], record_interaction_paint_shape[];
extern const struct shape_row record_not_restored_shape[], record_memory_measurement_shape[];

/* Number of NavigationType for the entry's `type`. */
uint32_t record_navigation_type(struct slice name);

/* Memory for vitals_init. */
void *core_vitals_memory(struct core *self);
/* Starts the accounting of a new view; the header already names it. */
void core_begin_view(struct core *self);
/* Seals what there is to send of the view, see core_seal. */
void core_seal_view(struct core *self, bool final);
uint32_t core_abandoned(const struct core *self);
/* Denied: what was not handed to a sender is forgotten, and nothing more is looked at. */
void core_set_consent(struct core *self, bool granted);
/* The page turned bad: what was recorded is sent, and so is the rest of the session's document. */
void core_send_recorded(struct core *self, uint32_t trigger);

/* Into the open segment. */
void core_write_header(struct core *self);
void core_write_ledger(struct core *self, bool final);

/* A writer over the body, and the record that was written with it. */
struct writer core_body(struct core *self);
void core_append(struct core *self, enum beacon_field field, const struct writer *body);

/* A text that a vital may report later. */
uint32_t core_keep_text(struct core *self, struct slice text, size_t bytes_max);

/* Vitals that changed since they were last written. */
bool record_vital_is_due(const struct core *self);
/* Writes them into the reserve of the open segment. */
void record_vital_write(struct core *self);
/* Writes all that there are, as if none had been written yet, and leaves what is due as it is. */
void record_vital_write_all(struct core *self);
/* Changes when a vital of the view does. */
uint32_t record_vital_mark(const struct core *self);

#endif
