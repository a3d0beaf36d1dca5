/* PAINT, LARGEST_PAINT and LAYOUT_SHIFT: what LCP, FCP and CLS are made of. */
#include "wasm/core/core_internal.h"

#include "wasm/core/text_hash.h"

/* The collector takes no larger score; a shift is a fraction of the viewport times a distance, at most a few. */
#define SHIFT_VALUE_MAX 100.0

void record_paint_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_Paint out = {
        .name_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_PAINT_NAME)),
        .start_us = inbox_record_start(record, INBOX_PAINT_START_TIME),
    };
    segment_append(&self->segment, BEACON_FIELD_PAINT, vitrace_v1_Paint_fields, &out);
}

void record_paint_feed(struct core *self, struct inbox_record *record)
{
    double start = inbox_record_ms(record, INBOX_PAINT_START_TIME);
    struct slice name = inbox_record_text(record, INBOX_PAINT_NAME);
    if (!record->bad && slice_equal(name, slice_text("first-contentful-paint")))
        vitals_take_first_contentful_paint(self->vitals, start);
}

void record_largest_paint_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_LargestContentfulPaint out = {
        .start_us = inbox_record_start(record, INBOX_LARGEST_PAINT_START_TIME),
        .render_us = inbox_record_time(record, INBOX_LARGEST_PAINT_RENDER_TIME),
        .load_us = inbox_record_time(record, INBOX_LARGEST_PAINT_LOAD_TIME),
        .size = inbox_record_count(record, INBOX_LARGEST_PAINT_SIZE, UINT64_MAX),
        .url_ref = core_url(self, inbox_record_text(record, INBOX_LARGEST_PAINT_URL)),
        .target_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_LARGEST_PAINT_TARGET)),
    };
    segment_append(&self->segment, BEACON_FIELD_LARGEST_CONTENTFUL_PAINT, vitrace_v1_LargestContentfulPaint_fields,
                   &out);
}

void record_largest_paint_feed(struct core *self, struct inbox_record *record)
{
    struct slice url = inbox_record_text(record, INBOX_LARGEST_PAINT_URL);
    struct slice target = inbox_record_text(record, INBOX_LARGEST_PAINT_TARGET);
    struct vitals_paint paint = {
        .start_time = inbox_record_ms(record, INBOX_LARGEST_PAINT_START_TIME),
        .size = (double)inbox_record_count(record, INBOX_LARGEST_PAINT_SIZE, UINT64_MAX),
        .url_hash = url.size > 0 ? text_hash(url) : 0,
        .last_of_batch = inbox_record_flag(record, INBOX_LARGEST_PAINT_LAST),
    };
    if (record->bad)
        return;
    paint.url = core_keep_text(self, scrub_url(&self->scrub, url), SCRUB_URL_BYTES_MAX);
    paint.target = core_keep_text(self, target, TEXT_POOL_TARGET_BYTES_MAX);
    vitals_take_largest_paint(self->vitals, &paint);
}

static double read_shift_value(struct inbox_record *record)
{
    double value = inbox_record_number(record, INBOX_LAYOUT_SHIFT_VALUE);
    if (value >= 0 && value <= SHIFT_VALUE_MAX)
        return value;
    record->bad = true;
    return 0;
}

void record_layout_shift_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_LayoutShift out = {
        .start_us = inbox_record_start(record, INBOX_LAYOUT_SHIFT_START_TIME),
        .value = read_shift_value(record),
        .had_recent_input = inbox_record_flag(record, INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT),
        .target_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_LAYOUT_SHIFT_TARGET)),
    };
    segment_append(&self->segment, BEACON_FIELD_LAYOUT_SHIFT, vitrace_v1_LayoutShift_fields, &out);
}

void record_layout_shift_feed(struct core *self, struct inbox_record *record)
{
    struct slice target = inbox_record_text(record, INBOX_LAYOUT_SHIFT_TARGET);
    struct vitals_shift shift = {
        .start_time = inbox_record_ms(record, INBOX_LAYOUT_SHIFT_START_TIME),
        .value = read_shift_value(record),
        .had_recent_input = inbox_record_flag(record, INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT),
    };
    if (record->bad)
        return;
    shift.target = core_keep_text(self, target, TEXT_POOL_TARGET_BYTES_MAX);
    vitals_take_shift(self->vitals, &shift);
}
