#include "proto/wire/beacon_decode.h"
#include "proto/wire/layout.h"

#include <pb_decode.h>

struct status_row {
    const char *name;
    const char *text;
};

static const struct status_row statuses[BEACON_STATUS_COUNT] = {
    [BEACON_OK] = {"ok", "The beacon is valid."},
    [BEACON_EMPTY] = {"empty", "The body is empty: send one vitrace.v1.Beacon."},
    [BEACON_TOO_LARGE] = {"too_large",
                          "A beacon holds at most 16384 bytes, 2340 records and 512 strings: send more beacons."},
    [BEACON_TRUNCATED] = {"truncated", "The body ends inside a record: it was cut on the way, send it again whole."},
    [BEACON_MALFORMED] = {"malformed", "The body is not a protobuf vitrace.v1.Beacon (see WIRE.md); `vitrace decode` "
                                       "reads one from a file."},
    [BEACON_NO_HEADER] = {"no_header", "A beacon has exactly one header record (field 1)."},
    [BEACON_BAD_VERSION] = {"bad_version", "header.schema_version is not 1: this collector is older than the SDK."},
    [BEACON_BAD_HEADER] = {"bad_header", "In the header, app must match [a-z0-9][a-z0-9_-]{0,63}, and view_id and "
                                         "session_id be 16 bytes, not all zero."},
    [BEACON_BAD_REFERENCE] = {"bad_reference", "A *_ref is larger than the number of strings in the beacon."},
    [BEACON_BAD_STRING] = {"bad_string", "A dictionary string is not UTF-8, or is longer than 1024 bytes."},
    [BEACON_OUT_OF_RANGE] = {"out_of_range", "A number is not finite, or is one that no browser reports (a vital over "
                                             "ten minutes, a CLS over 100)."},
};

const char *beacon_status_name(enum beacon_status status)
{
    return (unsigned)status < BEACON_STATUS_COUNT ? statuses[status].name : "unknown";
}

const char *beacon_status_text(enum beacon_status status)
{
    return (unsigned)status < BEACON_STATUS_COUNT ? statuses[status].text : "The beacon was refused.";
}

bool beacon_reader_next(struct beacon_reader *self, struct beacon_record *record)
{
    struct walk_field field;
    while (walk_next(&self->walk, &field) == WALK_FIELD) {
        if (field.type != WALK_BYTES || field.number > BEACON_FIELD_LAST)
            continue;
        record->field = (enum beacon_field)field.number;
        record->body = field.bytes;
        return true;
    }
    return false;
}

void beacon_strings_init(struct beacon_strings *self, struct slice beacon)
{
    struct beacon_reader reader = beacon_reader_of(beacon);
    struct beacon_record record;
    self->count = 0;
    while (self->count < BEACON_STRINGS_MAX && beacon_reader_next(&reader, &record))
        if (record.field == BEACON_FIELD_STRING)
            self->at[self->count++] = record.body;
}

struct slice beacon_strings_find(const struct beacon_strings *self, uint32_t ref)
{
    return ref == 0 || ref > self->count ? slice_of(NULL, 0) : self->at[ref - 1];
}

bool beacon_decode_message(struct slice body, const pb_msgdesc_t *fields, void *out)
{
    pb_istream_t stream = pb_istream_from_buffer(body.data, body.size);
    return pb_decode(&stream, fields, out);
}

static bool decode_id(const struct walk_field *field, uint8_t *out, size_t size)
{
    if (field->type != WALK_BYTES || field->bytes.size != size)
        return false;
    memcpy(out, field->bytes.data, size);
    return true;
}

static bool decode_key(struct slice header, uint8_t view_id[16], uint32_t *seq)
{
    struct walk walk = walk_of(header);
    struct walk_field field;
    bool found = false;
    *seq = 0; /* left out when it is zero */
    while (walk_next(&walk, &field) == WALK_FIELD) {
        if (field.number == vitrace_v1_Header_view_id_tag)
            found = decode_id(&field, view_id, 16);
        else if (field.number == vitrace_v1_Header_seq_tag)
            *seq = (uint32_t)field.number_value;
    }
    return found;
}

bool beacon_find_key(struct slice beacon, uint8_t view_id[16], uint32_t *seq)
{
    struct beacon_reader reader = beacon_reader_of(beacon);
    struct beacon_record record;
    while (beacon_reader_next(&reader, &record))
        if (record.field == BEACON_FIELD_HEADER)
            return decode_key(record.body, view_id, seq);
    return false;
}

bool beacon_find_header(struct slice beacon, vitrace_v1_Header *out)
{
    struct beacon_reader reader = beacon_reader_of(beacon);
    struct beacon_record record;
    while (beacon_reader_next(&reader, &record))
        if (record.field == BEACON_FIELD_HEADER)
            return layout_decode(&layout_of_Header, record.body, out);
    return false;
}

bool beacon_decode_resource(struct slice body, vitrace_v1_Resource *out)
{
    return layout_decode(&layout_of_Resource, body, out);
}

/* "Left out = same as the one before": an offset of exactly zero cannot be told from a left-out one, and need not be,
 * since a phase is never before the one it follows and the first is measured from the start. */
static int64_t phase_or(int64_t phase, int64_t before)
{
    return phase == 0 ? before : phase;
}

/* Resource and Navigation share these names and their meaning, but no type. */
#define PHASES_OF(message, out)                                                                                        \
    do {                                                                                                               \
        (out)->fetch_start_us = (message)->fetch_start_us;                                                             \
        (out)->domain_lookup_start_us = phase_or((message)->domain_lookup_start_us, (out)->fetch_start_us);            \
        (out)->domain_lookup_end_us = phase_or((message)->domain_lookup_end_us, (out)->domain_lookup_start_us);        \
        (out)->connect_start_us = phase_or((message)->connect_start_us, (out)->domain_lookup_end_us);                  \
        (out)->secure_connection_start_us = (message)->secure_connection_start_us;                                     \
        (out)->connect_end_us = phase_or((message)->connect_end_us, (out)->connect_start_us);                          \
        (out)->request_start_us = (message)->request_start_us;                                                         \
        (out)->response_start_us = (message)->response_start_us;                                                       \
        (out)->response_end_us = (message)->response_end_us;                                                           \
        (out)->absent = (message)->absent_phases;                                                                      \
    } while (0)

void beacon_phases_of_resource(const vitrace_v1_Resource *resource, struct beacon_phases *out)
{
    PHASES_OF(resource, out);
}

void beacon_phases_of_navigation(const vitrace_v1_Navigation *navigation, struct beacon_phases *out)
{
    PHASES_OF(navigation, out);
}
