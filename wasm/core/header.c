#include "wasm/core/header.h"

#include "wasm/core/shape.h"
#include "wasm/core/utf8.h"

#define TEXT_MAX(message, member) (sizeof(((vitrace_v1_##message *)0)->member) - 1) /* nanopb counts the NUL */

static const struct shape_row app_shape[] = {
    {2, INBOX_START_APP, SHAPE_STRING, TEXT_MAX(Header, app)},
    {0},
};

static const struct shape_row origin_shape[] = {
    {8, INBOX_START_TIME_ORIGIN, SHAPE_TIME, 0},
    {9, INBOX_START_TRANSPORT, SHAPE_ENUM, _vitrace_v1_Transport_MAX},
    {10, INBOX_START_SDK_VERSION, SHAPE_STRING, TEXT_MAX(Header, sdk_version)},
    {11, INBOX_START_RELEASE, SHAPE_STRING, TEXT_MAX(Header, release)},
    {12, INBOX_START_ENVIRONMENT, SHAPE_STRING, TEXT_MAX(Header, environment)},
    {0},
};

static const struct shape_row page_shape[] = {
    {1, INBOX_START_URL, SHAPE_PAGE_URL, 0},
    {2, INBOX_START_ROUTE, SHAPE_ROUTE, TEXT_MAX(Page, route)},
    {0},
};

static const struct shape_row referrer_shape[] = {
    {3, INBOX_START_REFERRER, SHAPE_PAGE_REFERRER, 0},
    {0},
};

static const struct shape_row view_shape[] = {
    {1, INBOX_VIEW_URL, SHAPE_PAGE_URL, 0},
    {2, INBOX_VIEW_ROUTE, SHAPE_ROUTE, TEXT_MAX(Page, route)},
    {0},
};

static const struct shape_row route_shape[] = {
    {2, INBOX_ROUTE_ROUTE, SHAPE_ROUTE, TEXT_MAX(Page, route)},
    {0},
};

static const struct shape_row device_shape[] = {
    {1, INBOX_START_VIEWPORT_WIDTH, SHAPE_COUNT, 0},
    {2, INBOX_START_VIEWPORT_HEIGHT, SHAPE_COUNT, 0},
    {3, INBOX_START_DEVICE_PIXEL_RATIO, SHAPE_RATIO, 0},
    {4, INBOX_START_HARDWARE_CONCURRENCY, SHAPE_COUNT, 0},
    {5, INBOX_START_DEVICE_MEMORY, SHAPE_MEBIBYTES, 0},
    {6, INBOX_START_EFFECTIVE_TYPE, SHAPE_STRING, TEXT_MAX(Device, effective_connection_type)},
    {7, INBOX_START_LANGUAGE, SHAPE_STRING, TEXT_MAX(Device, language)},
    {8, INBOX_START_ISOLATED, SHAPE_FLAG, 0},
    {0},
};

_Static_assert(TEXT_MAX(Page, url) == SCRUB_URL_BYTES_MAX, "a scrubbed URL fits the page");
_Static_assert(vitrace_v1_Header_size - vitrace_v1_Page_size <= vitrace_v1_Page_size, "any other part fits as well");

static void read_part(struct header_part *part, struct core *core, const struct shape_row *rows,
                      struct inbox_record *record)
{
    struct writer out = writer_of(part->bytes, sizeof part->bytes);
    shape_write(core, rows, record, 0, &out);
    part->size = (uint32_t)(out.at - part->bytes);
}

void header_read_id(struct inbox_record *record, unsigned word, uint8_t out[16])
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t bits = inbox_record_count(record, word + i, UINT32_MAX);
        for (unsigned k = 0; k < 4; k++)
            out[4 * i + k] = (uint8_t)(bits >> (24 - 8 * k));
    }
    record->bad = record->bad || ids_is_zero(out, 16);
}

/* What the collector accepts as an application: one that it would refuse must not be sent. */
static bool app_is_well_formed(struct slice app)
{
    if (app.size == 0 || app.size > TEXT_MAX(Header, app) || app.data[0] == '_' || app.data[0] == '-')
        return false;
    for (size_t i = 0; i < app.size; i++) {
        uint8_t c = app.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

void header_read(struct header *self, struct core *core, struct inbox_record *start)
{
    memset(self, 0, sizeof *self);
    start->bad = start->bad || !app_is_well_formed(inbox_record_text(start, INBOX_START_APP));
    header_read_id(start, INBOX_START_VIEW_ID_0, self->view_id);
    header_read_id(start, INBOX_START_SESSION_ID_0, self->session_id);
    read_part(&self->app, core, app_shape, start);
    read_part(&self->origin, core, origin_shape, start);
    read_part(&self->page, core, page_shape, start);
    read_part(&self->referrer, core, referrer_shape, start);
    read_part(&self->device, core, device_shape, start);
}

void header_read_view(struct header *self, struct core *core, struct inbox_record *view)
{
    read_part(&self->page, core, view_shape, view);
    self->referrer.size = 0; /* it led to the document, not to this view */
}

bool header_read_route(struct header *self, struct core *core, struct inbox_record *route)
{
    struct header_part page;
    struct writer out = writer_of(page.bytes, sizeof page.bytes);
    writer_text(&out, 1, slice_of(self->url, self->url_size));
    shape_write(core, route_shape, route, 0, &out);
    page.size = (uint32_t)(out.at - page.bytes);
    if (route->bad || slice_equal(slice_of(page.bytes, page.size), slice_of(self->page.bytes, self->page.size)))
        return false;
    self->page = page;
    return true;
}

struct slice header_set_url(struct header *self, struct scrub *scrub, struct slice url)
{
    if (url.size > 0) {
        struct slice clean = scrub_url(scrub, url);
        self->url_size = (uint32_t)clean.size;
        if (clean.size > 0)
            memcpy(self->url, clean.data, clean.size);
    }
    return slice_of(self->url, self->url_size);
}

/* Whole within the origin, and of another only the origin. */
struct slice header_referrer(const struct header *self, struct scrub *scrub, struct slice referrer)
{
    struct scrub second;
    struct slice own = scrub_origin(&second, slice_of(self->url, self->url_size));
    struct slice other = scrub_origin(scrub, referrer);
    return utf8_cut(slice_equal(own, other) ? scrub_url(scrub, referrer) : other, TEXT_MAX(Page, referrer));
}

static void write_page(const struct header *self, struct writer *out)
{
    struct header_part page = self->page;
    struct writer rest = {page.bytes + page.size, page.bytes + sizeof page.bytes};
    writer_fields(&rest, slice_of(self->referrer.bytes, self->referrer.size));
    writer_uint(&rest, 4, self->navigation_type);
    writer_uint(&rest, 5, self->view_start_us);
    writer_bytes(out, 13, slice_of(page.bytes, (size_t)(rest.at - page.bytes)));
}

void header_write(const struct header *self, struct header_clocks clocks, struct writer *out)
{
    writer_uint(out, 1, VITRACE_SCHEMA_VERSION);
    writer_fields(out, slice_of(self->app.bytes, self->app.size));
    writer_bytes(out, 3, slice_of(self->view_id, sizeof self->view_id));
    writer_bytes(out, 4, slice_of(self->session_id, sizeof self->session_id));
    writer_uint(out, 5, self->seq);
    writer_uint(out, 6, clocks.wall_unix_us);
    writer_uint(out, 7, clocks.mono_us);
    writer_fields(out, slice_of(self->origin.bytes, self->origin.size));
    write_page(self, out);
    writer_bytes(out, 14, slice_of(self->device.bytes, self->device.size));
    writer_uint(out, 15, self->sample_rate_ppm);
    writer_uint(out, 16, self->is_recorded ? 1 : self->trigger);
    if (self->is_recorded)
        out->at[-1] = 0;
}
