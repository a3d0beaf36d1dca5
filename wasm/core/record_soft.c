/* What SOFT_NAVIGATION and INTERACTION_PAINT tell the vitals: when the new view was painted, and how large. */
#include "wasm/core/core_internal.h"

#include "wasm/core/text_hash.h"

void record_soft_navigation_feed(struct core *self, struct inbox_record *record)
{
    struct vitals_soft_navigation navigation = {
        .paint_time = inbox_record_ms(record, INBOX_SOFT_NAVIGATION_PAINT_TIME),
        .presentation_time = inbox_record_ms(record, INBOX_SOFT_NAVIGATION_PRESENTATION_TIME),
        .interaction_id = inbox_record_count(record, INBOX_SOFT_NAVIGATION_INTERACTION_ID, UINT32_MAX),
    };
    if (!record->bad)
        vitals_take_soft_navigation(self->vitals, &navigation);
}

static struct vitals_interaction_paint read_paint(struct inbox_record *record)
{
    double render_time = inbox_record_ms(record, INBOX_INTERACTION_PAINT_RENDER_TIME);
    double load_time = inbox_record_ms(record, INBOX_INTERACTION_PAINT_LOAD_TIME);
    return (struct vitals_interaction_paint){
        .interaction_start = inbox_record_ms(record, INBOX_INTERACTION_PAINT_START_TIME),
        .render_time = render_time,
        .interaction_id = inbox_record_count(record, INBOX_INTERACTION_PAINT_INTERACTION_ID, UINT32_MAX),
        .paint = {.start_time = render_time != 0 ? render_time : load_time,
                  .size = (double)inbox_record_size(record, INBOX_INTERACTION_PAINT_SIZE)},
    };
}

void record_interaction_paint_feed(struct core *self, struct inbox_record *record)
{
    struct slice url = inbox_record_text(record, INBOX_INTERACTION_PAINT_URL);
    struct slice target = inbox_record_text(record, INBOX_INTERACTION_PAINT_TARGET);
    struct vitals_interaction_paint paint = read_paint(record);
    if (record->bad)
        return;
    paint.paint.url_hash = url.size > 0 ? text_hash(url) : 0;
    paint.paint.url = core_keep_text(self, scrub_url(&self->scrub, url), SCRUB_URL_BYTES_MAX);
    paint.paint.target = core_keep_text(self, target, TEXT_POOL_TARGET_BYTES_MAX);
    vitals_take_interaction_paint(self->vitals, &paint);
}
