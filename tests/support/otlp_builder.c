#include "tests/support/otlp_builder.h"

#include <assert.h>

struct message {
    uint8_t bytes[2048];
    size_t size;
};

static void put_varint(struct message *self, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        self->bytes[self->size++] = (uint8_t)(value | 0x80);
    self->bytes[self->size++] = (uint8_t)value;
}

static void put_bytes(struct message *self, uint32_t field, struct slice bytes)
{
    put_varint(self, field << 3 | 2);
    put_varint(self, bytes.size);
    assert(self->size + bytes.size <= sizeof self->bytes);
    memcpy(self->bytes + self->size, bytes.data, bytes.size);
    self->size += bytes.size;
}

static void put_message(struct message *self, uint32_t field, const struct message *inner)
{
    put_bytes(self, field, slice_of(inner->bytes, inner->size));
}

static void put_fixed64(struct message *self, uint32_t field, uint64_t value)
{
    put_varint(self, field << 3 | 1);
    for (int i = 0; i < 8; i++)
        self->bytes[self->size++] = (uint8_t)(value >> (8 * i));
}

static void put_id(struct message *self, uint32_t field, uint8_t byte, size_t size)
{
    uint8_t id[16];
    memset(id, byte, sizeof id);
    put_bytes(self, field, slice_of(id, size));
}

static void put_attribute(struct message *self, uint32_t field, const char *key, const char *text)
{
    struct message value = {.size = 0}, pair = {.size = 0};
    if (!text)
        return;
    put_bytes(&value, 1, slice_text(text)); /* AnyValue.string_value */
    put_bytes(&pair, 1, slice_text(key));
    put_message(&pair, 2, &value);
    put_message(self, field, &pair);
}

static void put_span(struct message *self, const struct otlp_builder_span *span)
{
    put_id(self, 1, span->trace, 16);
    put_id(self, 2, span->span, 8);
    if (span->parent != 0)
        put_id(self, 4, span->parent, 8);
    put_bytes(self, 5, slice_text(span->name));
    put_varint(self, 6 << 3);
    put_varint(self, span->kind);
    put_fixed64(self, 7, span->start_unix_us * 1000);
    put_fixed64(self, 8, (span->start_unix_us + span->duration_us) * 1000);
    put_attribute(self, 9, "http.route", span->http_route);
    put_attribute(self, 9, "db.system.name", span->db_system);
    put_attribute(self, 9, "db.query.text", span->db_query);
}

void otlp_builder_init(struct otlp_builder *self)
{
    self->size = 0;
}

void otlp_builder_span(struct otlp_builder *self, const struct otlp_builder_span *span)
{
    struct message body = {.size = 0}, scope = {.size = 0}, resource = {.size = 0}, batch = {.size = 0},
                   request = {.size = 0};
    put_span(&body, span);
    put_message(&scope, 2, &body);
    put_attribute(&resource, 1, "service.name", span->service);
    put_message(&batch, 1, &resource);
    put_message(&batch, 2, &scope);
    put_message(&request, 1, &batch);
    assert(self->size + request.size <= sizeof self->bytes);
    memcpy(self->bytes + self->size, request.bytes, request.size);
    self->size += request.size;
}

struct slice otlp_builder_bytes(const struct otlp_builder *self)
{
    return slice_of(self->bytes, self->size);
}
