/* Writes protobuf by hand for tests: bytes in any order, right or wrong. */
#ifndef VITRACE_TEST_OTLP_MESSAGE_H
#define VITRACE_TEST_OTLP_MESSAGE_H

#include "proto/wire/slice.h"

struct message {
    uint8_t bytes[65536];
    size_t size;
};

static inline struct slice message_slice(const struct message *self)
{
    return slice_of(self->bytes, self->size);
}

static inline void message_varint(struct message *self, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        self->bytes[self->size++] = (uint8_t)(value | 0x80);
    self->bytes[self->size++] = (uint8_t)value;
}

static inline void message_number(struct message *self, uint32_t field, uint64_t value)
{
    message_varint(self, field << 3);
    message_varint(self, value);
}

static inline void message_fixed(struct message *self, uint32_t field, uint64_t value, size_t size)
{
    message_varint(self, field << 3 | (size == 8 ? 1 : 5));
    for (size_t i = 0; i < size; i++)
        self->bytes[self->size++] = (uint8_t)(value >> (8 * i));
}

static inline void message_bytes(struct message *self, uint32_t field, struct slice bytes)
{
    message_varint(self, field << 3 | 2);
    message_varint(self, bytes.size);
    if (bytes.size > 0)
        memcpy(self->bytes + self->size, bytes.data, bytes.size);
    self->size += bytes.size;
}

static inline void message_text(struct message *self, uint32_t field, const char *text)
{
    message_bytes(self, field, slice_text(text));
}

static inline void message_attribute(struct message *self, uint32_t field, const char *key, const char *text)
{
    struct message value, attribute;
    value.size = attribute.size = 0;
    message_text(&value, 1, text);
    message_text(&attribute, 1, key);
    message_bytes(&attribute, 2, message_slice(&value));
    message_bytes(self, field, message_slice(&attribute));
}

static inline void message_attribute_int(struct message *self, uint32_t field, const char *key, int64_t number)
{
    struct message value, attribute;
    value.size = attribute.size = 0;
    message_number(&value, 3, (uint64_t)number);
    message_bytes(&attribute, 2, message_slice(&value)); /* value before key: the order is free */
    message_text(&attribute, 1, key);
    message_bytes(self, field, message_slice(&attribute));
}

#define TRACE_ID "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c"
#define SPAN_ID  "\x00\xf0\x67\xaa\x0b\xa9\x02\x40"

/* The ids of a good span; the rest is the caller's. */
static inline void message_ids(struct message *self)
{
    message_bytes(self, 1, slice_of(TRACE_ID, 16));
    message_bytes(self, 2, slice_of(SPAN_ID, 8));
}

/* span -> ScopeSpans -> ResourceSpans -> request, one of each. */
static inline void message_wrap_span(struct message *request, struct slice span)
{
    struct message scope, resource;
    scope.size = resource.size = request->size = 0;
    message_bytes(&scope, 2, span);
    message_bytes(&resource, 2, message_slice(&scope));
    message_bytes(request, 1, message_slice(&resource));
}

#endif
