/*
 * Reads a Beacon record by record. Nothing is copied: slices borrow from the beacon's bytes.
 *
 * A Beacon is hostile input until beacon_validate() has answered BEACON_OK. After that every record decodes, every
 * *_ref is within the dictionary, every string is bounded UTF-8 and every double is finite.
 */
#ifndef VITRACE_WIRE_BEACON_DECODE_H
#define VITRACE_WIRE_BEACON_DECODE_H

#include "proto/wire/ids.h"
#include "proto/wire/limits.h"
#include "proto/wire/slice.h"
#include "proto/wire/walk.h"
#include "vitrace/v1/beacon.pb.h"

enum beacon_status {
    BEACON_OK = 0,
    BEACON_EMPTY,              /* no bytes */
    BEACON_TOO_LARGE,          /* over BEACON_BYTES_MAX, BEACON_RECORDS_MAX or BEACON_STRINGS_MAX */
    BEACON_TRUNCATED,          /* ends inside a record */
    BEACON_MALFORMED,          /* not protobuf, or a record does not fit the schema */
    BEACON_NO_HEADER,          /* no header, or more than one */
    BEACON_BAD_VERSION,        /* schema_version is not one we read */
    BEACON_BAD_HEADER,         /* app is not [a-z0-9][a-z0-9_-]{0,63}, or an id is all zero or of the wrong size */
    BEACON_BAD_REFERENCE,      /* a *_ref past the dictionary */
    BEACON_BAD_STRING,         /* not UTF-8, or over BEACON_STRING_BYTES_MAX */
    BEACON_OUT_OF_RANGE,       /* a value no browser produces: non-finite, LCP over 10 min, CLS over 100 */
    BEACON_STATUS_COUNT
};

/* Stable lowercase names for metrics and answers, e.g. "truncated". Never NULL. */
const char *beacon_status_name(enum beacon_status status);
/* What is wrong, where, and what to do, for people. Never NULL. */
const char *beacon_status_text(enum beacon_status status);

/* Field numbers of Beacon, as in beacon.proto. */
enum beacon_field {
    BEACON_FIELD_HEADER = 1,
    BEACON_FIELD_STRING = 2,
    BEACON_FIELD_RESOURCE = 3,
    BEACON_FIELD_EVENT = 4,
    BEACON_FIELD_LAYOUT_SHIFT = 5,
    BEACON_FIELD_USER_TIMING = 6,
    BEACON_FIELD_LONG_TASK = 7,
    BEACON_FIELD_LONG_ANIMATION_FRAME = 8,
    BEACON_FIELD_PAINT = 9,
    BEACON_FIELD_LARGEST_CONTENTFUL_PAINT = 10,
    BEACON_FIELD_VISIBILITY_STATE = 11,
    BEACON_FIELD_CALL = 12,
    BEACON_FIELD_VITAL = 13,
    BEACON_FIELD_CUSTOM_EVENT = 14,
    BEACON_FIELD_LEDGER = 15,
    BEACON_FIELD_NAVIGATION = 16,
    BEACON_FIELD_ERROR = 17,
    BEACON_FIELD_ELEMENT_TIMING = 18,
    BEACON_FIELD_SOFT_NAVIGATION = 19,
    BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT = 20,
    BEACON_FIELD_NOT_RESTORED_REASON = 21,
    BEACON_FIELD_MEMORY_MEASUREMENT = 22,
    BEACON_FIELD_CLICK_PATTERN = 23,
    BEACON_FIELD_CUSTOM_METRIC = 24,
    BEACON_FIELD_LAST = BEACON_FIELD_CUSTOM_METRIC
};

struct beacon_strings {
    struct slice at[BEACON_STRINGS_MAX];
    uint32_t count;
};

struct beacon_summary {
    vitrace_v1_Header header;
    vitrace_v1_Ledger ledger; /* zero when the beacon has none */
    bool has_ledger;
    uint32_t records;
    uint32_t strings;
};

/* The whole check, for bytes from the network. `summary` is filled only on BEACON_OK. */
enum beacon_status beacon_validate(struct slice beacon, struct beacon_summary *summary);

/* Collects the dictionary of a validated beacon. */
void beacon_strings_init(struct beacon_strings *self, struct slice beacon);
/* The string of a 1-based reference; empty for 0 or for one past the dictionary. */
struct slice beacon_strings_find(const struct beacon_strings *self, uint32_t ref);

struct beacon_record {
    enum beacon_field field;
    struct slice body;
};

struct beacon_reader {
    struct walk walk;
};

static inline struct beacon_reader beacon_reader_of(struct slice beacon)
{
    return (struct beacon_reader){walk_of(beacon)};
}

/* The next record of a known field; unknown fields are skipped. false = end (or malformed: validate first). */
bool beacon_reader_next(struct beacon_reader *self, struct beacon_record *record);

/* Decode one record body. false = it does not fit the schema. The resource goes through a walker of our own. */
bool beacon_decode_resource(struct slice body, vitrace_v1_Resource *out);
/* Any other record: pass nanopb's descriptor, e.g. vitrace_v1_Vital_fields, and the struct it describes. */
bool beacon_decode_message(struct slice body, const pb_msgdesc_t *fields, void *out);

/* Header of a validated beacon without walking the rest of it twice. */
bool beacon_find_header(struct slice beacon, vitrace_v1_Header *out);

/* Only what makes a validated beacon one of a kind; a tenth of the cost, for who reads many. */
bool beacon_find_key(struct slice beacon, uint8_t view_id[16], uint32_t *seq);

/*
 * A phase of a decoded Resource or Navigation with the "left out = same as the one before" rule undone is not kept in
 * the struct: use these. All are microseconds from start_us.
 */
struct beacon_phases {
    int64_t fetch_start_us;
    int64_t domain_lookup_start_us, domain_lookup_end_us;
    int64_t connect_start_us, secure_connection_start_us, connect_end_us;
    int64_t request_start_us, response_start_us, response_end_us;
    uint32_t absent; /* bits of AbsentPhase */
};
void beacon_phases_of_resource(const vitrace_v1_Resource *resource, struct beacon_phases *out);
void beacon_phases_of_navigation(const vitrace_v1_Navigation *navigation, struct beacon_phases *out);

#endif
