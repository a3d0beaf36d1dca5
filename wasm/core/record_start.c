/* START, VIEW, ROUTE and SESSION: who is speaking, and about which view. */
#include "wasm/core/core_internal.h"

/* A CONFIG behind the START also says which keys the page's own URL keeps. */
static void read_ahead(struct core *self, const struct inbox_record *start)
{
    const struct inbox_reader *inbox = start->reader;
    struct inbox_record config = inbox_record_of(inbox, INBOX_START_WORDS);
    if (inbox_reader_kind(inbox, INBOX_START_WORDS) == INBOX_CONFIG &&
        inbox->count - INBOX_START_WORDS >= INBOX_CONFIG_WORDS)
        scrub_set_query_keys(&self->scrub, inbox_record_text(&config, INBOX_CONFIG_QUERY_KEYS));
}

/* Leaves the core as it was when the record is bad, but for the query keys. */
void record_start_feed(struct core *self, struct inbox_record *record)
{
    struct vitals_start start = {
        .supported = inbox_record_count(record, INBOX_START_SUPPORTED, UINT32_MAX),
        .hidden = inbox_record_flag(record, INBOX_START_HIDDEN),
        .prerendering = inbox_record_flag(record, INBOX_START_PRERENDERING),
        .was_discarded = inbox_record_flag(record, INBOX_START_WAS_DISCARDED),
    };
    read_ahead(self, record);
    header_read(&self->header, self, record);
    if (record->bad)
        return;
    self->vitals = vitals_init(core_vitals_memory(self), &start);
    /* A prerendering document says hidden; whether anyone sees it is known from its activation on. */
    self->is_hidden = start.hidden && !start.prerendering;
    self->is_started = true;
    core_begin_view(self);
}

/* The old view's last segment is sealed before anything of it is replaced. */
void record_view_feed(struct core *self, struct inbox_record *record)
{
    uint8_t view_id[VIEW_ID_BYTES];
    header_read_id(record, INBOX_VIEW_VIEW_ID_0, view_id);
    double start_ms = inbox_record_ms(record, INBOX_VIEW_START_TIME);
    uint64_t start_us = inbox_record_start(record, INBOX_VIEW_START_TIME);
    uint32_t type = inbox_record_enum(record, INBOX_VIEW_TYPE, _vitrace_v1_NavigationType_MAX, 0);
    inbox_record_text(record, INBOX_VIEW_URL);
    inbox_record_text(record, INBOX_VIEW_ROUTE);
    bool hidden = inbox_record_flag(record, INBOX_VIEW_HIDDEN);
    if (record->bad)
        return;
    /* Before a return from the back/forward cache the page was hidden, which has ended the view already. */
    if (type != vitrace_v1_NavigationType_NAVIGATION_TYPE_BACK_FORWARD_CACHE)
        vitals_leave(self->vitals);
    core_seal_view(self, true);
    memcpy(self->header.view_id, view_id, sizeof view_id);
    header_read_view(&self->header, self, record);
    self->header.navigation_type = type;
    self->header.view_start_us = start_us;
    self->is_hidden = hidden;
    vitals_restart(self->vitals, type, start_ms, hidden);
    core_begin_view(self);
}

/* What was written under the old name goes out under it; has_sent_view then makes the next seal send the new one. */
void record_route_feed(struct core *self, struct inbox_record *record)
{
    if (!header_read_route(&self->header, self, record))
        return;
    if (self->segment.is_open)
        core_seal_view(self, false);
    self->has_sent_view = false;
}

void record_session_feed(struct core *self, struct inbox_record *record)
{
    uint8_t session_id[SESSION_ID_BYTES];
    header_read_id(record, INBOX_SESSION_SESSION_ID_0, session_id);
    if (!record->bad)
        memcpy(self->header.session_id, session_id, sizeof session_id);
}
