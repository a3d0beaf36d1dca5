/*
 * OTLP/JSON -> the bytes of the same ExportTraceServiceRequest as protobuf, in one pass and without a tree: the log has
 * one format. The tables below are the whole mapping; a message is
 *
 *   {"traceId": "0af7...", "kind": 2, "attributes": [{...}]}  ->  0a 10 ...   30 02   4a .. ...  4a .. ...
 *
 * As the OTLP specification asks: ids are hex of any case; enums are numbers (their names are taken too); 64-bit
 * integers are strings or numbers; unknown keys are skipped; null is an absent field.
 *
 * Kept is what otlp_reader reads, and every attribute of resources and spans with its value (bytesValue excepted).
 * Events, links, trace state and scopes are not: nothing reads them, and protobuf senders are what keeps them in the
 * log.
 *
 * An id that is not hex is written as an id of the wrong size: that spoils one span, not the batch. A known key whose
 * value has another type than the schema says is malformed.
 *
 * Bounds. Recursion goes with the nesting, which json_reader bounds. The result is never larger than the JSON: a field
 * costs at least its quoted key (6 bytes and a colon) and at most a tag (2) and a length (4) beside its value, and an
 * array's item its braces and comma against a tag and a length. So one block of that size is enough.
 * OTLP_JSON_SLACK is for the lengths of messages that are still open.
 */
#include "collector/otlp/otlp_internal.h"

#include "collector/base/json_reader.h"
#include "proto/wire/ids.h"

#include <stdlib.h>

#define OTLP_JSON_SLACK      64u
#define NUMBER_BYTES_MAX     63u /* longer ones have no meaning beyond a double's 17 digits */
#define SIZE_VARINT_BYTES    4u  /* 28 bits: a request has 22 */
#define EXACT_INTEGER_DOUBLE 9007199254740992.0

enum json_form {
    FORM_MESSAGE,
    FORM_MESSAGES, /* an array of them */
    FORM_TEXT,
    FORM_ID,
    FORM_FIXED64,
    FORM_FIXED32,
    FORM_INT64,
    FORM_BOOL,
    FORM_DOUBLE,
    FORM_ENUM
};

struct json_message;
struct json_field {
    const char *key;
    uint8_t key_size, number;
    enum json_form form;
    const struct json_message *message; /* of FORM_MESSAGE and FORM_MESSAGES */
    const char *const *names;           /* of FORM_ENUM, NULL-terminated: values 0, 1, ... */
};

struct json_message {
    const struct json_field *fields;
    size_t field_count;
};

#define FIELD(key, number, form)                                                                                       \
    {                                                                                                                  \
        key, sizeof(key) - 1, number, form, NULL, NULL                                                                 \
    }
#define NESTED(key, number, form, message)                                                                             \
    {                                                                                                                  \
        key, sizeof(key) - 1, number, form, &(message), NULL                                                           \
    }
#define NAMED(key, number, names)                                                                                      \
    {                                                                                                                  \
        key, sizeof(key) - 1, number, FORM_ENUM, NULL, names                                                           \
    }
#define MESSAGE(fields)                                                                                                \
    {                                                                                                                  \
        fields, sizeof(fields) / sizeof((fields)[0])                                                                   \
    }

static const char *const kind_names[] = {"SPAN_KIND_UNSPECIFIED",
                                         "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",
                                         "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",
                                         "SPAN_KIND_CONSUMER",
                                         NULL};
static const char *const status_names[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR", NULL};

static const struct json_message any_value, key_value; /* a value may hold values */
static const struct json_field array_fields[] = {NESTED("values", 1, FORM_MESSAGES, any_value)};
static const struct json_message array_value = MESSAGE(array_fields);
static const struct json_field kvlist_fields[] = {NESTED("values", 1, FORM_MESSAGES, key_value)};
static const struct json_message kvlist_value = MESSAGE(kvlist_fields);
static const struct json_field any_fields[] = {
    FIELD("stringValue", 1, FORM_TEXT),
    FIELD("boolValue", 2, FORM_BOOL),
    FIELD("intValue", 3, FORM_INT64),
    FIELD("doubleValue", 4, FORM_DOUBLE),
    NESTED("arrayValue", 5, FORM_MESSAGE, array_value),
    NESTED("kvlistValue", 6, FORM_MESSAGE, kvlist_value),
};
static const struct json_message any_value = MESSAGE(any_fields);
static const struct json_field key_value_fields[] = {
    FIELD("key", 1, FORM_TEXT),
    NESTED("value", 2, FORM_MESSAGE, any_value),
};
static const struct json_message key_value = MESSAGE(key_value_fields);
static const struct json_field status_fields[] = {
    FIELD("message", 2, FORM_TEXT),
    NAMED("code", 3, status_names),
};
static const struct json_message span_status = MESSAGE(status_fields);
static const struct json_field span_fields[] = {
    FIELD("traceId", 1, FORM_ID),
    FIELD("spanId", 2, FORM_ID),
    FIELD("parentSpanId", 4, FORM_ID),
    FIELD("name", 5, FORM_TEXT),
    NAMED("kind", 6, kind_names),
    FIELD("startTimeUnixNano", 7, FORM_FIXED64),
    FIELD("endTimeUnixNano", 8, FORM_FIXED64),
    NESTED("attributes", 9, FORM_MESSAGES, key_value),
    NESTED("status", 15, FORM_MESSAGE, span_status),
    FIELD("flags", 16, FORM_FIXED32),
};
static const struct json_message span_message = MESSAGE(span_fields);
static const struct json_field scope_spans_fields[] = {NESTED("spans", 2, FORM_MESSAGES, span_message)};
static const struct json_message scope_spans = MESSAGE(scope_spans_fields);
static const struct json_field resource_fields[] = {NESTED("attributes", 1, FORM_MESSAGES, key_value)};
static const struct json_message resource_message = MESSAGE(resource_fields);
static const struct json_field resource_spans_fields[] = {
    NESTED("resource", 1, FORM_MESSAGE, resource_message),
    NESTED("scopeSpans", 2, FORM_MESSAGES, scope_spans),
};
static const struct json_message resource_spans = MESSAGE(resource_spans_fields);
static const struct json_field request_fields[] = {NESTED("resourceSpans", 1, FORM_MESSAGES, resource_spans)};
static const struct json_message request_message = MESSAGE(request_fields);

struct otlp_json {
    struct json_reader in;
    struct inflate_body *out;
    bool failed;
};

static bool json_fail(struct otlp_json *self)
{
    self->failed = true;
    return false;
}

/* Room for `size` more bytes. It is there, by the arithmetic above; were that wrong, the request would be refused. */
static uint8_t *json_room(struct otlp_json *self, size_t size)
{
    struct inflate_body *out = self->out;
    if (out->room - out->size >= size)
        return out->data + out->size;
    json_fail(self);
    return NULL;
}

static size_t varint_write(uint8_t *out, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

static void json_put_varint(struct otlp_json *self, uint64_t value)
{
    uint8_t bytes[10], *room;
    size_t size = varint_write(bytes, value);
    if ((room = json_room(self, size)) == NULL)
        return;
    memcpy(room, bytes, size);
    self->out->size += size;
}

static void json_put_tag(struct otlp_json *self, const struct json_field *field, enum walk_type type)
{
    json_put_varint(self, (uint32_t)field->number << 3 | type);
}

static void json_put_fixed(struct otlp_json *self, uint64_t value, size_t size)
{
    uint8_t *room = json_room(self, size);
    if (room == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        room[i] = (uint8_t)(value >> (8 * i));
    self->out->size += size;
}

/* One byte is kept for a length; a longer length moves the content when it is known. Each byte moves once a level. */
static size_t json_open_length(struct otlp_json *self)
{
    json_put_varint(self, 0);
    return self->out->size;
}

static void json_close_length(struct otlp_json *self, size_t start)
{
    if (self->failed)
        return;
    uint8_t length[10];
    size_t size = self->out->size - start, bytes = varint_write(length, size);
    if (bytes > SIZE_VARINT_BYTES || json_room(self, bytes - 1) == NULL) {
        json_fail(self);
        return;
    }
    uint8_t *content = self->out->data + start;
    if (bytes > 1)
        memmove(content + bytes - 1, content, size);
    memcpy(content - 1, length, bytes);
    self->out->size += bytes - 1;
}

static bool json_take_text(struct otlp_json *self, const struct json_field *field)
{
    struct json_reader_text text;
    if (!json_reader_take_text(&self->in, &text))
        return false;
    json_put_tag(self, field, WALK_BYTES);
    size_t start = json_open_length(self);
    uint8_t *room = json_room(self, text.raw.size);
    if (room == NULL)
        return false;
    if (text.escaped)
        self->out->size += json_reader_decode(&text, room);
    else if (text.raw.size > 0) {
        memcpy(room, text.raw.data, text.raw.size);
        self->out->size += text.raw.size;
    }
    json_close_length(self, start);
    return true;
}

static bool json_take_id(struct otlp_json *self, const struct json_field *field)
{
    struct json_reader_text text;
    uint8_t id[TRACE_ID_BYTES] = {0};
    if (!json_reader_take_text(&self->in, &text))
        return false;
    size_t size = text.raw.size / 2;
    if (text.raw.size > 2 * sizeof id || text.raw.size % 2 != 0 || !ids_parse_hex(text.raw, true, id, size))
        size = text.raw.size > 0 ? 1 : 0;
    json_put_tag(self, field, WALK_BYTES);
    json_put_varint(self, size);
    uint8_t *room = json_room(self, size);
    if (room == NULL)
        return false;
    memcpy(room, id, size);
    self->out->size += size;
    return true;
}

/* A number as itself or in quotes, as text that ends with NUL. */
static bool json_take_number(struct otlp_json *self, char out[NUMBER_BYTES_MAX + 1])
{
    struct json_reader_text text;
    struct slice digits;
    bool quoted = json_reader_peek(&self->in) == JSON_READER_TEXT;
    if (quoted ? !json_reader_take_text(&self->in, &text) : !json_reader_take_number(&self->in, &digits))
        return false;
    if (quoted)
        digits = text.raw;
    if (digits.size == 0 || digits.size > NUMBER_BYTES_MAX)
        return false;
    memcpy(out, digits.data, digits.size);
    out[digits.size] = '\0';
    return true;
}

/* Decimal digits up to `limit`, and nothing else. */
static bool digits_read(const char *text, uint64_t limit, uint64_t *value)
{
    *value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || *value > (limit - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

/* "1e3" and "5.0" are integers too, by protobuf's JSON mapping, as far as a double is exact. */
static bool real_read(const char *text, double *value)
{
    char *end;
    if (text[strspn(text, "0123456789+-.eE")] != '\0')
        return false;
    *value = strtod(text, &end);
    return *end == '\0' && end != text;
}

static bool integer_read(const char *text, bool is_signed, uint64_t *value)
{
    bool negative = is_signed && text[0] == '-';
    uint64_t limit = !is_signed ? UINT64_MAX : (uint64_t)INT64_MAX + negative;
    double real;
    if (digits_read(text + negative, limit, value)) {
        *value = negative ? 0 - *value : *value;
        return true;
    }
    if (!real_read(text, &real) || !(real >= -EXACT_INTEGER_DOUBLE && real <= EXACT_INTEGER_DOUBLE) ||
        (double)(int64_t)real != real || (!is_signed && real < 0) || strpbrk(text, ".eE") == NULL)
        return false;
    *value = (uint64_t)(int64_t)real;
    return true;
}

static bool json_take_integer(struct otlp_json *self, const struct json_field *field)
{
    char text[NUMBER_BYTES_MAX + 1];
    uint64_t value;
    if (!json_take_number(self, text) || !integer_read(text, field->form == FORM_INT64, &value))
        return false;
    if (field->form == FORM_INT64) {
        json_put_tag(self, field, WALK_VARINT);
        json_put_varint(self, value);
        return true;
    }
    if (field->form == FORM_FIXED32 && value > UINT32_MAX)
        return false;
    json_put_tag(self, field, field->form == FORM_FIXED32 ? WALK_FIXED32 : WALK_FIXED64);
    json_put_fixed(self, value, field->form == FORM_FIXED32 ? 4 : 8);
    return true;
}

static bool json_take_double(struct otlp_json *self, const struct json_field *field)
{
    char text[NUMBER_BYTES_MAX + 1];
    double value;
    uint64_t bits;
    if (!json_take_number(self, text))
        return false;
    if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0)
        value = strtod(text, NULL);
    else if (!real_read(text, &value))
        return false;
    memcpy(&bits, &value, sizeof bits);
    json_put_tag(self, field, WALK_FIXED64);
    json_put_fixed(self, bits, sizeof bits);
    return true;
}

static bool json_take_bool(struct otlp_json *self, const struct json_field *field)
{
    bool value;
    if (json_reader_peek(&self->in) != JSON_READER_BOOL || !json_reader_take_bool(&self->in, &value))
        return false;
    json_put_tag(self, field, WALK_VARINT);
    json_put_varint(self, value);
    return true;
}

/* Names and numbers of later versions read as 0, like an unknown number does in protobuf. */
static bool json_take_enum(struct otlp_json *self, const struct json_field *field)
{
    char text[NUMBER_BYTES_MAX + 1];
    uint64_t value = 0;
    bool named = json_reader_peek(&self->in) == JSON_READER_TEXT;
    if (!json_take_number(self, text))
        return false;
    for (uint64_t i = 0; named && field->names[i] != NULL; i++)
        if (strcmp(text, field->names[i]) == 0)
            value = i;
    if (!named && !integer_read(text, true, &value))
        return false;
    json_put_tag(self, field, WALK_VARINT);
    json_put_varint(self, value & INT32_MAX);
    return true;
}

static bool json_take_message(struct otlp_json *self, const struct json_message *message);

static bool json_take_nested(struct otlp_json *self, const struct json_field *field)
{
    json_put_tag(self, field, WALK_BYTES);
    size_t start = json_open_length(self);
    if (!json_take_message(self, field->message))
        return false;
    json_close_length(self, start);
    return !self->failed;
}

static bool json_take_array(struct otlp_json *self, const struct json_field *field)
{
    if (json_reader_peek(&self->in) != JSON_READER_ARRAY || !json_reader_enter(&self->in))
        return false;
    while (json_reader_next_item(&self->in))
        if (!json_take_nested(self, field))
            return false;
    return !self->in.failed;
}

static bool json_take_field(struct otlp_json *self, const struct json_field *field)
{
    if (json_reader_peek(&self->in) == JSON_READER_NULL)
        return json_reader_skip(&self->in);
    switch (field->form) {
    case FORM_MESSAGE:
        return json_take_nested(self, field);
    case FORM_MESSAGES:
        return json_take_array(self, field);
    case FORM_TEXT:
        return json_take_text(self, field);
    case FORM_ID:
        return json_take_id(self, field);
    case FORM_FIXED64:
    case FORM_FIXED32:
    case FORM_INT64:
        return json_take_integer(self, field);
    case FORM_BOOL:
        return json_take_bool(self, field);
    case FORM_DOUBLE:
        return json_take_double(self, field);
    case FORM_ENUM:
        return json_take_enum(self, field);
    }
    return false;
}

static const struct json_field *message_find(const struct json_message *message, struct slice key)
{
    for (size_t i = 0; i < message->field_count; i++) {
        const struct json_field *field = &message->fields[i];
        if (field->key_size == key.size && memcmp(field->key, key.data, key.size) == 0)
            return field;
    }
    return NULL;
}

static bool json_take_message(struct otlp_json *self, const struct json_message *message)
{
    struct slice key;
    if (json_reader_peek(&self->in) != JSON_READER_OBJECT || !json_reader_enter(&self->in))
        return false;
    while (json_reader_next_key(&self->in, &key)) {
        const struct json_field *field = message_find(message, key);
        if (field == NULL ? !json_reader_skip(&self->in) : !json_take_field(self, field))
            return false;
        if (self->failed)
            return false;
    }
    return !self->in.failed;
}

enum inflate_status otlp_json_convert(struct inflate_budget *bodies, struct slice json, struct inflate_body *out)
{
    struct otlp_json self = {.out = out};
    if (!inflate_body_reserve(bodies, out, json.size + OTLP_JSON_SLACK))
        return INFLATE_BUSY;
    json_reader_init(&self.in, json);
    if (json_take_message(&self, &request_message) && json_reader_end(&self.in)) {
        inflate_body_shrink(bodies, out);
        return INFLATE_OK;
    }
    inflate_body_release(bodies, out);
    return INFLATE_MALFORMED;
}
