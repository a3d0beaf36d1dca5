/*
 * Decodes one message of the schema into nanopb's struct for it, by a table that the compiler makes of nanopb's own list
 * of its fields: so there is one schema and one set of bounds, and no descriptor is unpacked for every message, which is
 * what nanopb's decoder spends most of its time on. Its verdicts and its structs are the same, but that a bool may be any
 * varint; layout_test and layout_fuzz hold the two together.
 *
 *   X_FIELDLIST --> struct layout_field[number]: where the member is, its kind, its bound
 *
 * Of a field number that the table does not have any value is skipped; of one that it has, only the wire type of its kind
 * is taken. The nesting is the schema's, at most three deep.
 */
#ifndef VITRACE_WIRE_LAYOUT_H
#define VITRACE_WIRE_LAYOUT_H

#include "proto/wire/walk.h"
#include "vitrace/v1/beacon.pb.h"

enum layout_kind {
    LAYOUT_UNKNOWN = 0, /* no such field */
    LAYOUT_UINT32,
    LAYOUT_UENUM = LAYOUT_UINT32, /* is stored as one */
    LAYOUT_UINT64 = 2,
    LAYOUT_SINT64,
    LAYOUT_BOOL,
    LAYOUT_DOUBLE,
    LAYOUT_STRING,             /* UTF-8, ends in NUL in the struct */
    LAYOUT_FIXED_LENGTH_BYTES, /* all of them, or none: zeros */
    LAYOUT_MESSAGE
};

struct layout {
    const struct layout_field *fields; /* by number */
    uint16_t field_count;              /* the highest number, plus 1 */
    uint16_t bytes;                    /* of the struct */
};

struct layout_field {
    uint16_t at;        /* offset of the member */
    uint16_t bytes;     /* of the member; of one element of an array */
    uint16_t count_at;  /* offset of its count or its has_; 0 = neither, which no member of the two kinds is at */
    uint8_t count_max;  /* of an array; 0 = it is none */
    uint8_t kind;       /* enum layout_kind */
    const struct layout *child;
};

/* false: it does not fit the schema; what is in `out` then means nothing. */
bool layout_decode(const struct layout *self, struct slice body, void *out);

#define LAYOUTS(X)                                                                                                     \
    X(Header) X(Page) X(Device) X(Claim) X(ServerTiming) X(Resource) X(Navigation) X(Call) X(EventTiming)              \
    X(LayoutShift) X(UserTiming) X(LongTask) X(LongFrameScript) X(LongAnimationFrame) X(Paint)                         \
    X(LargestContentfulPaint) X(VisibilityState) X(ElementTiming) X(SoftNavigation) X(InteractionContentfulPaint)      \
    X(NotRestoredReason) X(MemoryMeasurement) X(ClickPattern) X(Attribute) X(CustomMetric) X(CustomEvent)              \
    X(ErrorEvent) X(LongestScript) X(Vital) X(LossCount) X(Ledger)

/* layout_of_Header and so on. */
#define LAYOUT_DECLARE(name) extern const struct layout layout_of_##name;
LAYOUTS(LAYOUT_DECLARE)

#endif
