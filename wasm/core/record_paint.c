/* PAINT, LARGEST_PAINT and LAYOUT_SHIFT: what LCP, FCP and CLS are made of; paints of elements and interactions. */
#include "wasm/core/core_internal.h"

#include "wasm/core/text_hash.h"

const struct shape_row record_paint_shape[] = {
    {1, INBOX_PAINT_NAME, SHAPE_TEXT, 0},
    {2, INBOX_PAINT_START_TIME, SHAPE_START, 0},
    {0},
};

void record_paint_feed(struct core *self, struct inbox_record *record)
{
    double start = inbox_record_ms(record, INBOX_PAINT_START_TIME);
    struct slice name = inbox_record_text(record, INBOX_PAINT_NAME);
    if (!record->bad && slice_equal(name, slice_text("first-contentful-paint")))
        vitals_take_first_contentful_paint(self->vitals, start);
}

const struct shape_row record_largest_paint_shape[] = {
    {1, INBOX_LARGEST_PAINT_START_TIME, SHAPE_START, 0},
    {2, INBOX_LARGEST_PAINT_RENDER_TIME, SHAPE_TIME, 0},
    {3, INBOX_LARGEST_PAINT_LOAD_TIME, SHAPE_TIME, 0},
    {4, INBOX_LARGEST_PAINT_SIZE, SHAPE_SIZE, 0},
    {5, INBOX_LARGEST_PAINT_URL, SHAPE_URL, 0},
    {6, INBOX_LARGEST_PAINT_TARGET, SHAPE_TEXT, 0},
    {0},
};

/* `field`: its URL, and behind it the target. */
static void keep_paint_texts(struct core *self, struct inbox_record *record, unsigned field, struct vitals_paint *paint)
{
    struct slice url = inbox_record_text(record, field);
    paint->url_hash = url.size > 0 ? text_hash(url) : 0;
    paint->url = core_keep_text(self, scrub_url(&self->scrub, url), SCRUB_URL_BYTES_MAX);
    paint->target = core_keep_text(self, inbox_record_text(record, field + 1), TEXT_POOL_TARGET_BYTES_MAX);
}

void record_largest_paint_feed(struct core *self, struct inbox_record *record)
{
    struct vitals_paint paint = {
        .start_time = inbox_record_ms(record, INBOX_LARGEST_PAINT_START_TIME),
        .size = (double)inbox_record_size(record, INBOX_LARGEST_PAINT_SIZE),
        .last_of_batch = inbox_record_flag(record, INBOX_LARGEST_PAINT_LAST),
    };
    inbox_record_text(record, INBOX_LARGEST_PAINT_URL);
    inbox_record_text(record, INBOX_LARGEST_PAINT_TARGET);
    if (record->bad)
        return;
    keep_paint_texts(self, record, INBOX_LARGEST_PAINT_URL, &paint);
    vitals_take_largest_paint(self->vitals, &paint);
}

void record_interaction_paint_feed(struct core *self, struct inbox_record *record)
{
    double render_time = inbox_record_ms(record, INBOX_INTERACTION_PAINT_RENDER_TIME);
    double load_time = inbox_record_ms(record, INBOX_INTERACTION_PAINT_LOAD_TIME);
    struct vitals_interaction_paint paint = {
        .interaction_start = inbox_record_ms(record, INBOX_INTERACTION_PAINT_START_TIME),
        .render_time = render_time,
        .interaction_id = inbox_record_count(record, INBOX_INTERACTION_PAINT_INTERACTION_ID, UINT32_MAX),
        .paint = {.start_time = render_time != 0 ? render_time : load_time},
    };
    inbox_record_text(record, INBOX_INTERACTION_PAINT_URL);
    inbox_record_text(record, INBOX_INTERACTION_PAINT_TARGET);
    if (record->bad)
        return;
    keep_paint_texts(self, record, INBOX_INTERACTION_PAINT_URL, &paint.paint);
    vitals_take_interaction_paint(self->vitals, &paint);
}

const struct shape_row record_interaction_paint_shape[] = {
    {1, INBOX_INTERACTION_PAINT_START_TIME, SHAPE_START, 0},
    {2, INBOX_INTERACTION_PAINT_RENDER_TIME, SHAPE_TIME, 0},
    {3, INBOX_INTERACTION_PAINT_LOAD_TIME, SHAPE_TIME, 0},
    {4, INBOX_INTERACTION_PAINT_SIZE, SHAPE_SIZE, 0},
    {5, INBOX_INTERACTION_PAINT_URL, SHAPE_URL, 0},
    {6, INBOX_INTERACTION_PAINT_TARGET, SHAPE_TEXT, 0},
    {7, INBOX_INTERACTION_PAINT_INTERACTION_ID, SHAPE_COUNT, 0},
    {0},
};

const struct shape_row record_element_shape[] = {
    {1, INBOX_ELEMENT_NAME, SHAPE_TEXT, 0},
    {2, INBOX_ELEMENT_IDENTIFIER, SHAPE_TEXT, 0},
    {3, INBOX_ELEMENT_START_TIME, SHAPE_START, 0},
    {4, INBOX_ELEMENT_RENDER_TIME, SHAPE_TIME, 0},
    {5, INBOX_ELEMENT_LOAD_TIME, SHAPE_TIME, 0},
    {6, INBOX_ELEMENT_SIZE, SHAPE_SIZE, 0},
    {7, INBOX_ELEMENT_URL, SHAPE_URL, 0},
    {8, INBOX_ELEMENT_TARGET, SHAPE_TEXT, 0},
    {0},
};

const struct shape_row record_layout_shift_shape[] = {
    {1, INBOX_LAYOUT_SHIFT_START_TIME, SHAPE_START, 0},
    {2, INBOX_LAYOUT_SHIFT_VALUE, SHAPE_SCORE, 0},
    {3, INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT, SHAPE_FLAG, 0},
    {4, INBOX_LAYOUT_SHIFT_TARGET, SHAPE_TEXT, 0},
    {0},
};

void record_layout_shift_feed(struct core *self, struct inbox_record *record)
{
    struct slice target = inbox_record_text(record, INBOX_LAYOUT_SHIFT_TARGET);
    struct vitals_shift shift = {
        .start_time = inbox_record_ms(record, INBOX_LAYOUT_SHIFT_START_TIME),
        .value = inbox_record_score(record, INBOX_LAYOUT_SHIFT_VALUE),
        .had_recent_input = inbox_record_flag(record, INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT),
    };
    if (record->bad)
        return;
    shift.target = core_keep_text(self, target, TEXT_POOL_TARGET_BYTES_MAX);
    vitals_take_shift(self->vitals, &shift);
}
