#include "proto/wire/beacon_encode.h"

#include <pb_encode.h>

/*
 * Record = tag (1 or 2 bytes) + length + body. The length is a varint padded to two bytes (0x80 | low 7, high 7): legal
 * protobuf, and it lets the body be written before its size is known. It bounds a body to 16,383 bytes.
 */
#define LENGTH_BYTES   2u
#define BODY_BYTES_MAX 16383u

static uint32_t record_tag_size(uint32_t field)
{
    return field < 16 ? 1 : 2;
}

static void record_put_prefix(uint8_t *out, uint32_t field, size_t body_size)
{
    uint32_t tag = field << 3 | 2;
    if (field < 16) {
        *out++ = (uint8_t)tag;
    } else {
        *out++ = (uint8_t)(tag | 0x80);
        *out++ = (uint8_t)(tag >> 7);
    }
    out[0] = (uint8_t)(0x80 | (body_size & 0x7f));
    out[1] = (uint8_t)(body_size >> 7);
}

static size_t record_room(size_t room, size_t prefix)
{
    if (room < prefix)
        return 0;
    size_t body = room - prefix;
    return body < BODY_BYTES_MAX ? body : BODY_BYTES_MAX;
}

size_t beacon_encode_message(uint8_t *out, size_t room, uint32_t field, const pb_msgdesc_t *fields, const void *message)
{
    size_t prefix = record_tag_size(field) + LENGTH_BYTES;
    if (room < prefix)
        return 0;
    pb_ostream_t stream = pb_ostream_from_buffer(out + prefix, record_room(room, prefix));
    if (!pb_encode(&stream, fields, message))
        return 0;
    record_put_prefix(out, field, stream.bytes_written);
    return prefix + stream.bytes_written;
}

size_t beacon_encode_string(uint8_t *out, size_t room, struct slice text)
{
    size_t prefix = 1 + LENGTH_BYTES;
    if (text.size > record_room(room, prefix) || room < prefix)
        return 0;
    record_put_prefix(out, 2, text.size);
    if (text.size > 0)
        memcpy(out + prefix, text.data, text.size);
    return prefix + text.size;
}

/* The small writer of the hot record. Its bytes equal pb_encode's: fields in order, zeros left out. */
struct writer {
    uint8_t *at;
    uint8_t *end;
    bool failed; /* sticky */
};

static void writer_varint(struct writer *self, uint64_t value)
{
    do {
        if (self->at == self->end) {
            self->failed = true;
            return;
        }
        uint8_t more = value > 0x7f ? 0x80 : 0;
        *self->at++ = (uint8_t)((value & 0x7f) | more);
        value >>= 7;
    } while (value != 0);
}

static void writer_uint(struct writer *self, uint32_t field, uint64_t value)
{
    if (value == 0)
        return;
    writer_varint(self, field << 3);
    writer_varint(self, value);
}

static void writer_sint(struct writer *self, uint32_t field, int64_t value)
{
    writer_uint(self, field, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void writer_bytes(struct writer *self, uint32_t field, struct slice bytes)
{
    writer_varint(self, field << 3 | 2);
    writer_varint(self, bytes.size);
    if (self->failed || (size_t)(self->end - self->at) < bytes.size) {
        self->failed = true;
        return;
    }
    if (bytes.size > 0)
        memcpy(self->at, bytes.data, bytes.size);
    self->at += bytes.size;
}

static void writer_double(struct writer *self, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (bits == 0) /* nanopb leaves out +0.0, and writes -0.0 */
        return;
    writer_varint(self, field << 3 | 1);
    if (self->failed || self->end - self->at < 8) {
        self->failed = true;
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        *self->at++ = (uint8_t)(bits >> (8 * i));
}

/* A submessage here is at most 64 bytes, so its length takes one byte that is patched afterwards. */
static uint8_t *writer_open(struct writer *self, uint32_t field)
{
    writer_varint(self, field << 3 | 2);
    uint8_t *length = self->at;
    writer_varint(self, 0);
    return length;
}

static void writer_close(struct writer *self, uint8_t *length)
{
    if (!self->failed)
        *length = (uint8_t)(self->at - length - 1);
}

static void writer_claims(struct writer *self, uint32_t field, const vitrace_v1_Claim *claims, pb_size_t count)
{
    for (pb_size_t i = 0; i < count; i++) {
        uint8_t *length = writer_open(self, field);
        writer_bytes(self, 1, slice_of(claims[i].trace_id, sizeof claims[i].trace_id));
        writer_bytes(self, 2, slice_of(claims[i].span_id, sizeof claims[i].span_id));
        writer_uint(self, 3, claims[i].trace_flags);
        writer_uint(self, 4, (uint64_t)claims[i].source);
        writer_close(self, length);
    }
}

static void writer_server_timings(struct writer *self, uint32_t field, const vitrace_v1_ServerTiming *timings,
                                  pb_size_t count)
{
    for (pb_size_t i = 0; i < count; i++) {
        uint8_t *length = writer_open(self, field);
        writer_uint(self, 1, timings[i].name_ref);
        writer_uint(self, 2, timings[i].description_ref);
        writer_double(self, 3, timings[i].duration_ms);
        writer_close(self, length);
    }
}

static void writer_resource(struct writer *self, const vitrace_v1_Resource *r)
{
    writer_uint(self, 1, r->name_ref);
    writer_uint(self, 2, r->start_us);
    writer_sint(self, 3, r->request_start_us);
    writer_sint(self, 4, r->response_start_us);
    writer_sint(self, 5, r->response_end_us);
    writer_uint(self, 6, r->transfer_size);
    writer_uint(self, 7, r->encoded_body_size);
    writer_uint(self, 8, r->decoded_body_size);
    writer_uint(self, 9, (uint64_t)r->initiator_type);
    writer_uint(self, 10, (uint64_t)r->next_hop_protocol);
    writer_uint(self, 11, r->response_status);
    writer_claims(self, 12, r->claims, r->claims_count);
    writer_uint(self, 13, (uint64_t)r->delivery_type);
    writer_uint(self, 14, r->render_blocking);
    writer_uint(self, 15, r->absent_phases);
    writer_server_timings(self, 16, r->server_timings, r->server_timings_count);
    writer_sint(self, 17, r->fetch_start_us);
    writer_sint(self, 18, r->redirect_start_us);
    writer_sint(self, 19, r->redirect_end_us);
    writer_sint(self, 20, r->worker_start_us);
    writer_sint(self, 21, r->domain_lookup_start_us);
    writer_sint(self, 22, r->domain_lookup_end_us);
    writer_sint(self, 23, r->connect_start_us);
    writer_sint(self, 24, r->secure_connection_start_us);
    writer_sint(self, 25, r->connect_end_us);
    writer_sint(self, 26, r->first_interim_response_start_us);
    writer_sint(self, 27, r->final_response_headers_start_us);
}

size_t beacon_encode_resource(uint8_t *out, size_t room, const vitrace_v1_Resource *resource)
{
    size_t prefix = 1 + LENGTH_BYTES;
    if (room < prefix)
        return 0;
    uint8_t *body = out + prefix;
    struct writer writer = {body, body + record_room(room, prefix), false};
    writer_resource(&writer, resource);
    if (writer.failed)
        return 0;
    size_t size = (size_t)(writer.at - body);
    record_put_prefix(out, 3, size);
    return prefix + size;
}
