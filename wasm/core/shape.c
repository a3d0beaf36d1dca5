#include "wasm/core/shape.h"

#include "wasm/core/claims.h"
#include "wasm/core/core_internal.h"
#include "wasm/core/micros.h"
#include "wasm/core/record_phases.h"
#include "wasm/core/utf8.h"

#define RATIO_X100_MAX       10000.0 /* device pixels for a CSS pixel */
#define DEVICE_MEBIBYTES_MAX 1073741824.0

/* One record on its way through the table. */
struct shape_state {
    struct core *core;
    struct inbox_record *record;
    struct writer *out;
    struct record_phases phases;
    struct claims claims;
    uint64_t last; /* value of the row before */
};

/* --- children --- */

static const struct shape_row server_timing_shape[] = {
    {1, INBOX_SERVER_TIMING_NAME, SHAPE_TEXT, 0},
    {2, INBOX_SERVER_TIMING_DESCRIPTION, SHAPE_TEXT, 0},
    {3, INBOX_SERVER_TIMING_DURATION, SHAPE_DOUBLE, 0},
    {0},
};

static const struct shape_row attribute_shape[] = {
    {1, INBOX_ATTRIBUTE_KEY, SHAPE_TEXT, 0},
    {2, INBOX_ATTRIBUTE_TEXT, SHAPE_QUOTING, 0},
    {3, INBOX_ATTRIBUTE_NUMBER, SHAPE_NUMBER, 0},
    {0},
};

static const struct shape_row script_shape[] = {
    {1, INBOX_FRAME_SCRIPT_SOURCE_URL, SHAPE_URL, 0},
    {2, INBOX_FRAME_SCRIPT_SOURCE_FUNCTION, SHAPE_NAME, 0},
    {3, INBOX_FRAME_SCRIPT_INVOKER, SHAPE_NAME, 0},
    {4, INBOX_FRAME_SCRIPT_INVOKER_TYPE, SHAPE_NAME, 0},
    {5, INBOX_FRAME_SCRIPT_START_TIME, SHAPE_OFFSET, 0},
    {6, INBOX_FRAME_SCRIPT_DURATION, SHAPE_TIME, 0},
    {7, INBOX_FRAME_SCRIPT_FORCED_STYLE_AND_LAYOUT, SHAPE_TIME, 0},
    {8, INBOX_FRAME_SCRIPT_PAUSE, SHAPE_TIME, 0},
    {9, INBOX_FRAME_SCRIPT_SOURCE_CHAR_POSITION, SHAPE_POSITION, 0},
    {0},
};

_Static_assert(vitrace_v1_ServerTiming_size <= WRITER_SUBMESSAGE_BYTES_MAX, "writer_open");
_Static_assert(vitrace_v1_Attribute_size <= WRITER_SUBMESSAGE_BYTES_MAX, "writer_open");
_Static_assert(vitrace_v1_LongFrameScript_size <= WRITER_SUBMESSAGE_BYTES_MAX, "writer_open");

static void write_child(struct shape_state *self, uint32_t field, const struct shape_row *rows,
                        struct inbox_record *child)
{
    uint8_t *length = writer_open(self->out, field);
    shape_write(self->core, rows, child, self->phases.start_us, self->out);
    writer_close(self->out, length);
}

static bool add_child_claim(struct claims *claims, struct inbox_record *child)
{
    struct slice name = inbox_record_text(child, INBOX_SERVER_TIMING_NAME);
    struct slice description = inbox_record_text(child, INBOX_SERVER_TIMING_DESCRIPTION);
    inbox_record_number(child, INBOX_SERVER_TIMING_DURATION);
    return claims_add_metric(claims, name, description);
}

/* What is written of each child, and nothing where children are but claims. */
static const struct shape_row *const child_shapes[] = {
    [SHAPE_CLAIMS - SHAPE_CLAIMS] = NULL,
    [SHAPE_SERVER_TIMINGS - SHAPE_CLAIMS] = server_timing_shape,
    [SHAPE_ATTRIBUTES - SHAPE_CLAIMS] = attribute_shape,
    [SHAPE_SCRIPTS - SHAPE_CLAIMS] = script_shape,
};

/*
 * Children past the maximum are left out; the bridge sends what matters most first. A server timing that names a trace
 * is a claim, and then nothing else.
 */
static void write_children(struct shape_state *self, const struct shape_row *row)
{
    const struct shape_row *rows = child_shapes[row->as - SHAPE_CLAIMS];
    bool may_claim = row->as <= SHAPE_SERVER_TIMINGS;
    uint32_t left = row->limit;
    self->claims = (struct claims){self->out, row->field, rows == NULL ? row->limit : 0};
    for (uint32_t i = 0; i < self->record->children && left > 0; i++) {
        struct inbox_record child = inbox_record_child(self->record, i);
        bool is_claim = may_claim && add_child_claim(&self->claims, &child);
        if (rows != NULL && !is_claim) {
            write_child(self, row->field, rows, &child);
            left--;
        }
        self->record->bad = self->record->bad || child.bad;
    }
}

/*
 * Last: ids of the response itself are the better evidence. The META_TRACE may have come before, or stand right behind
 * the navigation and is then read ahead.
 */
static void write_meta_claim(struct shape_state *self)
{
    const struct core *core = self->core;
    const struct inbox_reader *inbox = self->record->reader;
    struct inbox_record meta = inbox_record_of(inbox, inbox->at);
    self->claims.left = 1;
    if (core->has_meta)
        claims_put(&self->claims, &core->meta, vitrace_v1_ClaimSource_CLAIM_SOURCE_META);
    else if (inbox_reader_kind(inbox, inbox->at) == INBOX_META_TRACE &&
             inbox->count - inbox->at >= INBOX_META_TRACE_WORDS)
        claims_add(&self->claims, inbox_record_text(&meta, INBOX_META_TRACE_CONTENT),
                   vitrace_v1_ClaimSource_CLAIM_SOURCE_META);
}

/* The injected id first: when a response names the same trace, the reader meets the stronger evidence before it. */
static void write_call_claims(struct shape_state *self, const struct shape_row *row)
{
    struct claims claims = {self->out, row->field, BEACON_CLAIMS_MAX};
    struct slice injected = inbox_record_text(self->record, row->word);
    if (injected.size > 0 && !claims_add(&claims, injected, vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED))
        self->record->bad = true; /* the SDK wrote it itself */
    claims_add_header(&claims, inbox_record_text(self->record, row->word + 1u));
}

/* --- numbers --- */

static double number_or_0(struct inbox_record *record, unsigned word)
{
    double value = inbox_record_number(record, word);
    return value == value ? value : 0;
}

static uint64_t scaled(double value, double max)
{
    return value >= 1 && value <= max ? (uint64_t)value : 0;
}

static uint64_t read_position(struct inbox_record *record, unsigned word)
{
    return inbox_record_number(record, word) == -1 ? 0 : inbox_record_count(record, word, UINT32_MAX);
}

/* --- rows --- */

static struct slice read_text(const struct shape_state *self, const struct shape_row *row)
{
    struct scrub *scrub = &self->core->scrub;
    struct slice text = inbox_record_text(self->record, row->word);
    switch ((enum shape_as)row->as) {
    case SHAPE_URL:
        return scrub_url(scrub, text);
    case SHAPE_NAME:
        return scrub_name(scrub, text);
    case SHAPE_QUOTING:
        return scrub_text(scrub, text);
    case SHAPE_STRING:
        return utf8_cut(text, row->limit);
    case SHAPE_ROUTE:
        return utf8_cut(scrub_path(scrub, text), row->limit);
    case SHAPE_PAGE_URL:
        return header_set_url(&self->core->header, scrub, text);
    case SHAPE_PAGE_REFERRER:
        return header_referrer(&self->core->header, scrub, text);
    default:
        return text;
    }
}

/* What is more than a varint. */
static void write_row(struct shape_state *self, const struct shape_row *row)
{
    switch ((enum shape_as)row->as) {
    case SHAPE_VALUE: {
        double value = inbox_record_number(self->record, row->word);
        self->record->bad = self->record->bad || value != value;
        writer_double(self->out, row->field, value);
        return;
    }
    case SHAPE_DOUBLE:
        writer_double(self->out, row->field, number_or_0(self->record, row->word));
        return;
    case SHAPE_NUMBER: {
        double value = number_or_0(self->record, row->word);
        writer_double(self->out, row->field, self->last == 0 ? value : 0);
        return;
    }
    case SHAPE_SCORE:
        writer_double(self->out, row->field, inbox_record_score(self->record, row->word));
        return;
    case SHAPE_CLAIM_META:
        write_meta_claim(self);
        return;
    case SHAPE_CLAIMS_CALL:
        write_call_claims(self, row);
        return;
    case SHAPE_CLAIMS:
    case SHAPE_SERVER_TIMINGS:
    case SHAPE_ATTRIBUTES:
    case SHAPE_SCRIPTS:
        write_children(self, row);
        return;
    default:
        writer_text(self->out, row->field, read_text(self, row));
    }
}

/* The value as writer_uint takes it; 0 also when the row writes something else than a varint. */
static uint64_t read_row(struct shape_state *self, const struct shape_row *row)
{
    struct inbox_record *record = self->record;
    unsigned word = row->word;
    if (row->as <= SHAPE_QUOTING)
        return segment_text(&self->core->segment, read_text(self, row));
    switch ((enum shape_as)row->as) {
    case SHAPE_START:
        return (uint64_t)(self->phases.start_us = (int64_t)inbox_record_start(record, word));
    case SHAPE_TIME:
        return inbox_record_time(record, word);
    case SHAPE_OFFSET:
        return writer_zigzag(inbox_record_offset(record, word, self->phases.start_us));
    case SHAPE_PHASE:
        return writer_zigzag(record_phases_disclosed(&self->phases, record, word, row->limit));
    case SHAPE_ABSENT:
        return record_phases_absent(&self->phases, record, word);
    case SHAPE_FETCH:
        return writer_zigzag(record_phases_fetch(&self->phases, record, word));
    case SHAPE_NEXT_PHASE:
        return writer_zigzag(record_phases_next(&self->phases, record, word));
    case SHAPE_SECURE:
        return writer_zigzag(record_phases_secure(&self->phases, record, word));
    case SHAPE_COUNT:
        return inbox_record_count(record, word, UINT32_MAX);
    case SHAPE_SIZE:
        return inbox_record_size(record, word);
    case SHAPE_DECODED: {
        uint64_t decoded = inbox_record_size(record, word);
        return decoded == self->last ? 0 : decoded;
    }
    case SHAPE_ENUM:
        return inbox_record_enum(record, word, row->limit, 0);
    case SHAPE_ENUM_TOP:
        return inbox_record_enum(record, word, row->limit, row->limit);
    case SHAPE_NAVIGATION_TYPE:
        return record_navigation_type(inbox_record_text(record, word));
    case SHAPE_FLAG:
        return inbox_record_flag(record, word);
    case SHAPE_POSITION:
        return writer_zigzag((int64_t)read_position(record, word));
    case SHAPE_RATIO:
        return scaled(inbox_record_number(record, word) * 100 + 0.5, RATIO_X100_MAX);
    case SHAPE_CALL_TAG:
        return scrub_call_tag(inbox_record_text(record, word));
    case SHAPE_MEBIBYTES:
        return scaled(inbox_record_number(record, word) * 1024, DEVICE_MEBIBYTES_MAX);
    default:
        write_row(self, row);
        return 0;
    }
}

void shape_write(struct core *core, const struct shape_row *rows, struct inbox_record *record, int64_t start_us,
                 struct writer *out)
{
    struct shape_state self = {.core = core, .record = record, .out = out, .phases = {.start_us = start_us}};
    for (const struct shape_row *row = rows; row->field != 0; row++) {
        self.last = read_row(&self, row);
        if (self.last != 0)
            writer_uint(out, row->field, self.last);
    }
}
