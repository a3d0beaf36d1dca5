/*
 * One Span message, and the few attributes that Vitrace keeps.
 *
 * Attributes went by other names before the HTTP and database conventions became stable. Both are taken; where a span
 * has both, the stable one counts, in whatever order they come. Of equal names the last counts. A value of another type
 * than the convention says is ignored. Values are looked at only for these keys and only one level deep: arrays and
 * maps are skipped by their length.
 */
#include "collector/otlp/otlp_internal.h"

#include "proto/wire/ids.h"

enum { RESOURCE_ATTRIBUTE = 1, KEY_VALUE_KEY = 1, KEY_VALUE_VALUE = 2, STATUS_CODE = 3 };
enum { ANY_VALUE_STRING = 1, ANY_VALUE_INT = 3, ANY_VALUE_LAST = 7 };
enum {
    SPAN_TRACE_ID = 1,
    SPAN_SPAN_ID = 2,
    SPAN_PARENT_SPAN_ID = 4,
    SPAN_NAME = 5,
    SPAN_KIND = 6,
    SPAN_START = 7,
    SPAN_END = 8,
    SPAN_ATTRIBUTE = 9,
    SPAN_STATUS = 15,
    SPAN_FLAGS = 16
};

#define SPAN_KIND_LAST   5u
#define STATUS_CODE_LAST 2u
#define HTTP_STATUS_LAST 999

/* The AnyValue of one attribute: the last member of the oneof on the wire. */
struct span_value {
    enum { VALUE_OTHER = 0, VALUE_TEXT, VALUE_INT } type;
    struct slice text;
    int64_t number;
};

enum attribute_slot {
    SLOT_METHOD,
    SLOT_ROUTE,
    SLOT_PATH,
    SLOT_STATUS,
    SLOT_DB_SYSTEM,
    SLOT_DB_QUERY,
    SLOT_PEER,
    SLOT_COUNT
};

enum attribute_form { FORM_TEXT, FORM_TARGET, FORM_STATUS };

struct attribute_rule {
    const char *key;
    size_t key_size;
    enum attribute_slot slot;
    enum attribute_form form;
    uint8_t rank; /* 2 stable name, 1 old name */
};

#define RULE(key, slot, form, rank)                                                                                    \
    {                                                                                                                  \
        key, sizeof(key) - 1, slot, form, rank                                                                         \
    }
static const struct attribute_rule attribute_rules[] = {
    RULE("http.request.method", SLOT_METHOD, FORM_TEXT, 2),
    RULE("http.method", SLOT_METHOD, FORM_TEXT, 1),
    RULE("http.route", SLOT_ROUTE, FORM_TEXT, 2),
    RULE("url.path", SLOT_PATH, FORM_TEXT, 2),
    RULE("http.target", SLOT_PATH, FORM_TARGET, 1),
    RULE("http.response.status_code", SLOT_STATUS, FORM_STATUS, 2),
    RULE("http.status_code", SLOT_STATUS, FORM_STATUS, 1),
    RULE("db.system.name", SLOT_DB_SYSTEM, FORM_TEXT, 2),
    RULE("db.system", SLOT_DB_SYSTEM, FORM_TEXT, 1),
    RULE("db.query.text", SLOT_DB_QUERY, FORM_TEXT, 2),
    RULE("db.statement", SLOT_DB_QUERY, FORM_TEXT, 1),
    RULE("peer.service", SLOT_PEER, FORM_TEXT, 2),
};

/* A span under construction: what was set, and by which name. */
struct span_builder {
    struct otlp_span *span;
    bool bad;
    uint8_t rank[SLOT_COUNT];
};

static enum otlp_read_status walk_answer(enum walk_status status)
{
    return status == WALK_END ? OTLP_SPAN : OTLP_MALFORMED;
}

static enum otlp_read_status value_decode(struct slice message, struct span_value *value)
{
    struct walk walk = walk_of(message);
    struct walk_field field;
    enum walk_status status;
    while ((status = walk_next(&walk, &field)) == WALK_FIELD) {
        if (field.number > ANY_VALUE_LAST)
            continue;
        value->type = VALUE_OTHER;
        if (field.number == ANY_VALUE_STRING && field.type == WALK_BYTES) {
            value->type = VALUE_TEXT;
            value->text = field.bytes;
        } else if (field.number == ANY_VALUE_INT && field.type == WALK_VARINT) {
            value->type = VALUE_INT;
            value->number = (int64_t)field.number_value;
        }
    }
    return walk_answer(status);
}

/* The key may follow the value, so the value is decoded only when the whole attribute has been seen. */
static enum otlp_read_status attribute_decode(struct slice message, struct slice *key, struct slice *value)
{
    struct walk walk = walk_of(message);
    struct walk_field field;
    enum walk_status status;
    *key = *value = slice_of(NULL, 0);
    while ((status = walk_next(&walk, &field)) == WALK_FIELD) {
        if (field.type != WALK_BYTES)
            continue;
        if (field.number == KEY_VALUE_KEY)
            *key = field.bytes;
        else if (field.number == KEY_VALUE_VALUE)
            *value = field.bytes;
    }
    return walk_answer(status);
}

static const struct attribute_rule *attribute_find(struct slice key)
{
    for (size_t i = 0; i < sizeof attribute_rules / sizeof attribute_rules[0]; i++) {
        const struct attribute_rule *rule = &attribute_rules[i];
        if (rule->key_size == key.size && memcmp(rule->key, key.data, key.size) == 0)
            return rule;
    }
    return NULL;
}

static struct slice *attribute_text(struct otlp_span *span, enum attribute_slot slot)
{
    switch (slot) {
    case SLOT_METHOD:
        return &span->http_method;
    case SLOT_ROUTE:
        return &span->http_route;
    case SLOT_PATH:
        return &span->url_path;
    case SLOT_DB_SYSTEM:
        return &span->db_system;
    case SLOT_DB_QUERY:
        return &span->db_query;
    case SLOT_PEER:
        return &span->peer_service;
    case SLOT_STATUS:
    case SLOT_COUNT:
        break;
    }
    return NULL;
}

/* The path of "/a/b?c=d": http.target carries the query, which Vitrace does not keep. */
static struct slice target_path(struct slice target)
{
    size_t size = 0;
    while (size < target.size && target.data[size] != '?' && target.data[size] != '#')
        size++;
    return slice_of(target.data, size);
}

static bool attribute_fits(const struct attribute_rule *rule, const struct span_value *value)
{
    if (rule->form == FORM_STATUS)
        return value->type == VALUE_INT && value->number >= 0 && value->number <= HTTP_STATUS_LAST;
    return value->type == VALUE_TEXT;
}

static enum otlp_read_status builder_take_attribute(struct span_builder *self, struct slice message)
{
    struct slice key, bytes;
    if (attribute_decode(message, &key, &bytes) == OTLP_MALFORMED)
        return OTLP_MALFORMED;
    const struct attribute_rule *rule = attribute_find(key);
    if (rule == NULL)
        return OTLP_SPAN;
    struct span_value value = {.type = VALUE_OTHER};
    if (value_decode(bytes, &value) == OTLP_MALFORMED)
        return OTLP_MALFORMED;
    if (rule->rank < self->rank[rule->slot] || !attribute_fits(rule, &value))
        return OTLP_SPAN;
    self->rank[rule->slot] = rule->rank;
    if (rule->form == FORM_STATUS)
        self->span->http_status = (uint32_t)value.number;
    else
        *attribute_text(self->span, rule->slot) = rule->form == FORM_TARGET ? target_path(value.text) : value.text;
    return OTLP_SPAN;
}

static enum otlp_read_status builder_take_status(struct span_builder *self, struct slice message)
{
    struct walk walk = walk_of(message);
    struct walk_field field;
    enum walk_status status;
    while ((status = walk_next(&walk, &field)) == WALK_FIELD) {
        if (field.number == STATUS_CODE && field.type == WALK_VARINT)
            self->span->status_code = field.number_value <= STATUS_CODE_LAST ? (uint32_t)field.number_value : 0;
    }
    return walk_answer(status);
}

/* An empty id is an absent one. Any other wrong size makes the span bad, and the id absent. */
static void builder_take_id(struct span_builder *self, struct slice bytes, uint8_t *id, size_t size)
{
    memset(id, 0, size);
    if (bytes.size == size)
        memcpy(id, bytes.data, size);
    else if (bytes.size != 0)
        self->bad = true;
}

static enum otlp_read_status builder_take_bytes(struct span_builder *self, const struct walk_field *field)
{
    struct otlp_span *span = self->span;
    switch (field->number) {
    case SPAN_TRACE_ID:
        builder_take_id(self, field->bytes, span->trace_id, sizeof span->trace_id);
        return OTLP_SPAN;
    case SPAN_SPAN_ID:
        builder_take_id(self, field->bytes, span->span_id, sizeof span->span_id);
        return OTLP_SPAN;
    case SPAN_PARENT_SPAN_ID:
        builder_take_id(self, field->bytes, span->parent_span_id, sizeof span->parent_span_id);
        return OTLP_SPAN;
    case SPAN_NAME:
        span->name = field->bytes;
        return OTLP_SPAN;
    case SPAN_ATTRIBUTE:
        return builder_take_attribute(self, field->bytes);
    case SPAN_STATUS:
        return builder_take_status(self, field->bytes);
    default:
        return OTLP_SPAN;
    }
}

static void builder_take_number(struct span_builder *self, const struct walk_field *field)
{
    struct otlp_span *span = self->span;
    uint64_t value = field->number_value;
    if (field->number == SPAN_KIND && field->type == WALK_VARINT)
        span->kind = value <= SPAN_KIND_LAST ? (uint32_t)value : 0;
    else if (field->number == SPAN_START && field->type == WALK_FIXED64)
        span->start_unix_ns = value;
    else if (field->number == SPAN_END && field->type == WALK_FIXED64)
        span->end_unix_ns = value;
    else if (field->number == SPAN_FLAGS && field->type == WALK_FIXED32)
        span->flags = (uint32_t)value;
}

static bool span_valid(const struct otlp_span *span)
{
    if (ids_is_zero(span->trace_id, sizeof span->trace_id) || ids_is_zero(span->span_id, sizeof span->span_id))
        return false;
    return otlp_text_valid(span->name) && otlp_text_valid(span->http_method) && otlp_text_valid(span->http_route) &&
           otlp_text_valid(span->url_path) && otlp_text_valid(span->db_system) && otlp_text_valid(span->db_query) &&
           otlp_text_valid(span->peer_service);
}

enum otlp_read_status otlp_span_decode(struct slice message, struct otlp_span *span)
{
    *span = (struct otlp_span){0};
    struct span_builder builder = {.span = span};
    struct walk walk = walk_of(message);
    struct walk_field field;
    enum walk_status status;
    while ((status = walk_next(&walk, &field)) == WALK_FIELD) {
        if (field.type != WALK_BYTES)
            builder_take_number(&builder, &field);
        else if (builder_take_bytes(&builder, &field) == OTLP_MALFORMED)
            return OTLP_MALFORMED;
    }
    if (status != WALK_END)
        return OTLP_MALFORMED;
    return builder.bad || !span_valid(span) ? OTLP_BAD_SPAN : OTLP_SPAN;
}

enum otlp_read_status otlp_resource_decode(struct slice message, struct slice *service_name)
{
    struct walk walk = walk_of(message);
    struct walk_field field;
    enum walk_status status;
    while ((status = walk_next(&walk, &field)) == WALK_FIELD) {
        if (field.number != RESOURCE_ATTRIBUTE || field.type != WALK_BYTES)
            continue;
        struct slice key, bytes;
        struct span_value value = {.type = VALUE_OTHER};
        if (attribute_decode(field.bytes, &key, &bytes) == OTLP_MALFORMED)
            return OTLP_MALFORMED;
        if (!slice_equal(key, slice_text("service.name")))
            continue;
        if (value_decode(bytes, &value) == OTLP_MALFORMED)
            return OTLP_MALFORMED;
        if (value.type == VALUE_TEXT)
            *service_name = value.text;
    }
    return walk_answer(status);
}

/* Size of the UTF-8 sequence that `lead` starts and the range of its second byte; 0 = it starts none. */
static size_t text_sequence(uint8_t lead, uint8_t *second_min, uint8_t *second_max)
{
    *second_min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *second_max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

bool otlp_text_valid(struct slice text)
{
    size_t at = 0;
    while (at < text.size) {
        uint8_t min, max;
        if (text.data[at] < 0x80) {
            at++;
            continue;
        }
        size_t size = text_sequence(text.data[at], &min, &max);
        if (size == 0 || size > text.size - at || text.data[at + 1] < min || text.data[at + 1] > max)
            return false;
        for (size_t i = 2; i < size; i++) {
            if ((text.data[at + i] & 0xc0) != 0x80)
                return false;
        }
        at += size;
    }
    return true;
}
