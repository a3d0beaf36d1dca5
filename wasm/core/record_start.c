/* START and VIEW: who is speaking, and about which view. */
#include "wasm/core/core_internal.h"

#include "proto/wire/ids.h"
#include "wasm/core/micros.h"
#include "wasm/core/utf8.h"

#define RATIO_X100_MAX    10000u /* device pixels for a CSS pixel */
#define DEVICE_MEMORY_MAX 1048576.0

/* What the collector accepts as an application: one that it would refuse must not be sent. */
static bool app_is_well_formed(struct slice app)
{
    if (app.size == 0 || app.size > 64 || app.data[0] == '_' || app.data[0] == '-')
        return false;
    for (size_t i = 0; i < app.size; i++) {
        uint8_t c = app.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static void put_text(char *out, size_t out_size, struct slice text)
{
    struct slice cut = utf8_cut(text, out_size - 1);
    if (cut.size > 0)
        memcpy(out, cut.data, cut.size);
    out[cut.size] = '\0';
}

#define PUT_TEXT(array, text) put_text((array), sizeof(array), (text))

/* Four words from `field` on, most significant byte first. An id of zeros marks the record bad. */
static void read_id(struct inbox_record *record, unsigned field, uint8_t out[16])
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t word = (uint32_t)inbox_record_count(record, field + i, UINT32_MAX);
        for (unsigned k = 0; k < 4; k++)
            out[4 * i + k] = (uint8_t)(word >> (24 - 8 * k));
    }
    record->bad = record->bad || ids_is_zero(out, 16);
}

static void read_referrer(struct core *self, vitrace_v1_Page *page, struct slice referrer)
{
    struct scrub second;
    struct slice own = scrub_origin(&self->scrub, slice_text(page->url));
    struct slice other = scrub_origin(&second, referrer);
    PUT_TEXT(page->referrer, slice_equal(own, other) ? scrub_url(&second, referrer) : other);
}

static void read_device(struct inbox_record *record, vitrace_v1_Device *device)
{
    device->viewport_width = (uint32_t)inbox_record_count(record, INBOX_START_VIEWPORT_WIDTH, UINT32_MAX);
    device->viewport_height = (uint32_t)inbox_record_count(record, INBOX_START_VIEWPORT_HEIGHT, UINT32_MAX);
    double ratio = inbox_record_number(record, INBOX_START_DEVICE_PIXEL_RATIO) * 100 + 0.5;
    device->device_pixel_ratio_x100 = ratio >= 1 && ratio <= RATIO_X100_MAX ? (uint32_t)ratio : 0;
    device->hardware_concurrency = (uint32_t)inbox_record_count(record, INBOX_START_HARDWARE_CONCURRENCY, UINT32_MAX);
    double gibibytes = inbox_record_number(record, INBOX_START_DEVICE_MEMORY);
    device->device_memory_mib = gibibytes > 0 && gibibytes <= DEVICE_MEMORY_MAX ? (uint32_t)(gibibytes * 1024) : 0;
    PUT_TEXT(device->effective_connection_type, inbox_record_text(record, INBOX_START_EFFECTIVE_TYPE));
    PUT_TEXT(device->language, inbox_record_text(record, INBOX_START_LANGUAGE));
    device->cross_origin_isolated = inbox_record_flag(record, INBOX_START_ISOLATED);
}

static void read_header(struct core *self, struct inbox_record *record, vitrace_v1_Header *header)
{
    struct slice app = inbox_record_text(record, INBOX_START_APP);
    record->bad = record->bad || !app_is_well_formed(app);
    memset(header, 0, sizeof *header);
    header->schema_version = VITRACE_SCHEMA_VERSION;
    PUT_TEXT(header->app, app);
    read_id(record, INBOX_START_VIEW_ID_0, header->view_id);
    read_id(record, INBOX_START_SESSION_ID_0, header->session_id);
    header->time_origin_unix_us = inbox_record_time(record, INBOX_START_TIME_ORIGIN);
    header->transport = (vitrace_v1_Transport)inbox_record_enum(
        record, INBOX_START_TRANSPORT, _vitrace_v1_Transport_MAX, vitrace_v1_Transport_TRANSPORT_UNSPECIFIED);
    PUT_TEXT(header->sdk_version, inbox_record_text(record, INBOX_START_SDK_VERSION));
    PUT_TEXT(header->release, inbox_record_text(record, INBOX_START_RELEASE));
    PUT_TEXT(header->environment, inbox_record_text(record, INBOX_START_ENVIRONMENT));
    header->has_page = true;
    PUT_TEXT(header->page.url, scrub_url(&self->scrub, inbox_record_text(record, INBOX_START_URL)));
    PUT_TEXT(header->page.route, inbox_record_text(record, INBOX_START_ROUTE));
    read_referrer(self, &header->page, inbox_record_text(record, INBOX_START_REFERRER));
    header->has_device = true;
    read_device(record, &header->device);
}

/* Leaves the core as it was when the record is bad. */
void record_start_feed(struct core *self, struct inbox_record *record)
{
    struct vitals_start start = {
        .supported = (uint32_t)inbox_record_count(record, INBOX_START_SUPPORTED, UINT32_MAX),
        .hidden = inbox_record_flag(record, INBOX_START_HIDDEN),
        .prerendering = inbox_record_flag(record, INBOX_START_PRERENDERING),
        .was_discarded = inbox_record_flag(record, INBOX_START_WAS_DISCARDED),
    };
    read_header(self, record, &self->header);
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
    read_id(record, INBOX_VIEW_VIEW_ID_0, view_id);
    double start_ms = inbox_record_ms(record, INBOX_VIEW_START_TIME);
    uint64_t start_us = inbox_record_start(record, INBOX_VIEW_START_TIME);
    uint32_t type = inbox_record_enum(record, INBOX_VIEW_TYPE, _vitrace_v1_NavigationType_MAX, 0);
    struct slice url = inbox_record_text(record, INBOX_VIEW_URL);
    struct slice route = inbox_record_text(record, INBOX_VIEW_ROUTE);
    bool hidden = inbox_record_flag(record, INBOX_VIEW_HIDDEN);
    if (record->bad)
        return;
    core_seal_view(self, true);
    memcpy(self->header.view_id, view_id, sizeof view_id);
    if (url.size > 0)
        PUT_TEXT(self->header.page.url, scrub_url(&self->scrub, url));
    PUT_TEXT(self->header.page.route, route);
    self->header.page.referrer[0] = '\0'; /* it led to the document, not to this view */
    self->header.page.navigation_type = (vitrace_v1_NavigationType)type;
    self->header.page.view_start_us = start_us;
    self->is_hidden = hidden;
    vitals_restart(self->vitals, type, start_ms, hidden);
    core_begin_view(self);
}
