#include "proto/wire/layout.h"

#include <pb_common.h>
#include <stddef.h>

/* How nanopb's list names a kind of member: where its count or its has_ is, and how many there may be. */
#define LAYOUT_COUNT_AT_SINGULAR(type, name) 0
#define LAYOUT_COUNT_AT_OPTIONAL(type, name) offsetof(type, has_##name)
#define LAYOUT_COUNT_AT_REPEATED(type, name) offsetof(type, name##_count)

#define LAYOUT_ELEMENTS_SINGULAR(type, name) 0
#define LAYOUT_ELEMENTS_OPTIONAL(type, name) 0
#define LAYOUT_ELEMENTS_REPEATED(type, name) (sizeof(((type *)0)->name) / sizeof(((type *)0)->name[0]))

#define LAYOUT_BYTES_SINGULAR(type, name) sizeof(((type *)0)->name)
#define LAYOUT_BYTES_OPTIONAL(type, name) sizeof(((type *)0)->name)
#define LAYOUT_BYTES_REPEATED(type, name) sizeof(((type *)0)->name[0])

#define LAYOUT_OF_vitrace_v1_Page           layout_of_Page
#define LAYOUT_OF_vitrace_v1_Device         layout_of_Device
#define LAYOUT_OF_vitrace_v1_Claim          layout_of_Claim
#define LAYOUT_OF_vitrace_v1_ServerTiming   layout_of_ServerTiming
#define LAYOUT_OF_vitrace_v1_LongFrameScript layout_of_LongFrameScript
#define LAYOUT_OF_vitrace_v1_Attribute      layout_of_Attribute
#define LAYOUT_OF_vitrace_v1_LongestScript  layout_of_LongestScript
#define LAYOUT_OF_vitrace_v1_LossCount      layout_of_LossCount
#define LAYOUT_PASTE(message)               LAYOUT_OF_##message
#define LAYOUT_POINT(message)               &LAYOUT_PASTE(message)

#define LAYOUT_CHILD_UINT32(type, name)             NULL
#define LAYOUT_CHILD_UINT64(type, name)             NULL
#define LAYOUT_CHILD_SINT64(type, name)             NULL
#define LAYOUT_CHILD_UENUM(type, name)              NULL
#define LAYOUT_CHILD_BOOL(type, name)               NULL
#define LAYOUT_CHILD_DOUBLE(type, name)             NULL
#define LAYOUT_CHILD_STRING(type, name)             NULL
#define LAYOUT_CHILD_FIXED_LENGTH_BYTES(type, name) NULL
#define LAYOUT_CHILD_MESSAGE(type, name)            LAYOUT_POINT(type##_##name##_MSGTYPE)

#define LAYOUT_ROW(type, allocation, rule, kind, name, number)                                                         \
    [number] = {offsetof(type, name), LAYOUT_BYTES_##rule(type, name), LAYOUT_COUNT_AT_##rule(type, name),             \
                LAYOUT_ELEMENTS_##rule(type, name), LAYOUT_##kind, LAYOUT_CHILD_##kind(type, name)},

#define LAYOUT_DEFINE(name)                                                                                            \
    static const struct layout_field layout_fields_of_##name[] = {                                                     \
        vitrace_v1_##name##_FIELDLIST(LAYOUT_ROW, vitrace_v1_##name)};                                                 \
    const struct layout layout_of_##name = {layout_fields_of_##name,                                                   \
                                            sizeof layout_fields_of_##name / sizeof layout_fields_of_##name[0],        \
                                            sizeof(vitrace_v1_##name)};
LAYOUTS(LAYOUT_DEFINE)

_Static_assert(sizeof(pb_size_t) == sizeof(uint16_t), "counts of arrays");
_Static_assert(sizeof(vitrace_v1_Transport) == sizeof(uint32_t), "enums are stored as 32 bits");

static bool layout_take(const struct layout *self, struct slice body, uint8_t *out);

/* By comparison, in the order of how often a kind comes: a jump through a table for each number costs as much as the rest. */
static inline bool layout_store_varint(const struct layout_field *field, uint64_t value, uint8_t *out)
{
    unsigned kind = field->kind;
    if (kind == LAYOUT_UINT32) {
        uint32_t narrow = (uint32_t)value; /* enums too */
        memcpy(out + field->at, &narrow, sizeof narrow);
        return value <= UINT32_MAX;
    }
    if (kind == LAYOUT_SINT64)
        value = (uint64_t)walk_zigzag(value);
    if (kind == LAYOUT_SINT64 || kind == LAYOUT_UINT64) {
        memcpy(out + field->at, &value, sizeof value);
        return true;
    }
    if (kind == LAYOUT_BOOL) {
        bool is_set = value != 0;
        memcpy(out + field->at, &is_set, sizeof is_set);
    }
    return kind == LAYOUT_BOOL || kind == LAYOUT_UNKNOWN;
}

/* The place of the member, or of the next element of its array; NULL = the array is full. */
static uint8_t *layout_place(const struct layout_field *field, uint8_t *out)
{
    uint16_t count;
    if (field->count_max == 0)
        return out + field->at;
    memcpy(&count, out + field->count_at, sizeof count);
    if (count >= field->count_max)
        return NULL;
    uint8_t *at = out + field->at + (size_t)count++ * field->bytes;
    memcpy(out + field->count_at, &count, sizeof count);
    return at;
}

static bool layout_store_double(const struct layout_field *field, uint64_t bits, uint8_t *out)
{
    uint8_t *at = layout_place(field, out);
    if (at != NULL)
        memcpy(at, &bits, sizeof bits);
    return at != NULL;
}

/* An array of numbers may come in one piece. */
static bool layout_take_packed(const struct layout_field *field, struct slice bytes, uint8_t *out)
{
    struct walk walk = walk_of(bytes);
    uint64_t bits;
    while (walk.at != walk.end)
        if (walk_fixed(&walk, sizeof bits, &bits) != WALK_FIELD || !layout_store_double(field, bits, out))
            return false;
    return true;
}

static bool layout_take_string(const struct layout_field *field, struct slice text, uint8_t *out)
{
    char *at = (char *)out + field->at;
    if (text.size >= field->bytes)
        return false;
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    at[text.size] = '\0';
    return slice_is_ascii(text) || pb_validate_utf8(at);
}

static bool layout_take_id(const struct layout_field *field, struct slice bytes, uint8_t *out)
{
    if (bytes.size == field->bytes)
        memcpy(out + field->at, bytes.data, bytes.size);
    else
        memset(out + field->at, 0, field->bytes);
    return bytes.size == field->bytes || bytes.size == 0;
}

/* A second one of the same field adds to the first, as protobuf has it. */
static bool layout_take_child(const struct layout_field *field, struct slice body, uint8_t *out)
{
    uint8_t *at = layout_place(field, out);
    bool is_set = true;
    if (at != NULL && field->count_max == 0)
        memcpy(out + field->count_at, &is_set, sizeof is_set);
    return at != NULL && layout_take(field->child, body, at);
}

static bool layout_take_bytes(const struct layout_field *field, struct slice bytes, uint8_t *out)
{
    switch ((enum layout_kind)field->kind) {
    case LAYOUT_STRING:
        return layout_take_string(field, bytes, out);
    case LAYOUT_FIXED_LENGTH_BYTES:
        return layout_take_id(field, bytes, out);
    case LAYOUT_MESSAGE:
        return layout_take_child(field, bytes, out);
    case LAYOUT_DOUBLE:
        return field->count_max > 0 && layout_take_packed(field, bytes, out);
    case LAYOUT_UNKNOWN:
        return true;
    case LAYOUT_UINT32:
    case LAYOUT_UINT64:
    case LAYOUT_SINT64:
    case LAYOUT_BOOL:
        return false;
    }
    return false;
}

static inline const struct layout_field *layout_find(const struct layout *self, uint32_t number)
{
    static const struct layout_field unknown;
    return number < self->field_count ? &self->fields[number] : &unknown;
}

static bool layout_store(const struct layout_field *field, const struct walk_field *got, uint8_t *out)
{
    switch (got->type) {
    case WALK_VARINT:
        return layout_store_varint(field, got->number_value, out);
    case WALK_BYTES:
        return layout_take_bytes(field, got->bytes, out);
    case WALK_FIXED64:
        return field->kind == LAYOUT_DOUBLE ? layout_store_double(field, got->number_value, out)
                                            : field->kind == LAYOUT_UNKNOWN;
    case WALK_FIXED32:
        return field->kind == LAYOUT_UNKNOWN;
    }
    return false;
}

/* A tag of one byte that says varint, and is not number zero. */
static inline bool layout_is_short_varint(const struct walk *walk)
{
    return walk->end - walk->at >= 3 && (walk->at[0] & 0x87) == WALK_VARINT && walk->at[0] != 0;
}

/* Of the fields of a beacon nine in ten are numbers with a short tag: they are read without the general walk. */
static bool layout_take(const struct layout *self, struct slice body, uint8_t *out)
{
    struct walk walk = walk_of(body);
    struct walk_field got;
    while (walk.at != walk.end) {
        if (layout_is_short_varint(&walk)) {
            const struct layout_field *field = layout_find(self, *walk.at++ >> 3);
            uint64_t value;
            if (walk_varint(&walk, &value) != WALK_FIELD || !layout_store_varint(field, value, out))
                return false;
        } else if (walk_next(&walk, &got) != WALK_FIELD || !layout_store(layout_find(self, got.number), &got, out)) {
            return false;
        }
    }
    return true;
}

bool layout_decode(const struct layout *self, struct slice body, void *out)
{
    memset(out, 0, self->bytes);
    return layout_take(self, body, out);
}
