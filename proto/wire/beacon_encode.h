/*
 * Writes records of a Beacon from nanopb's structs: tag, length padded to two bytes, body. A record is whole or not
 * written at all.
 *
 * Nothing of the product encodes with it. It is the oracle that the core's own writers (writer.h) are held to, and what
 * tests make their beacons with.
 */
#ifndef VITRACE_WIRE_BEACON_ENCODE_H
#define VITRACE_WIRE_BEACON_ENCODE_H

#include "proto/wire/limits.h"
#include "proto/wire/slice.h"
#include "vitrace/v1/beacon.pb.h"

/* Bytes before a record's body. Fields 16 and up need a second tag byte. */
#define RECORD_PREFIX_BYTES_MAX 4u

/* Each returns the whole record's size, or 0 when `room` is too small (nothing usable was written then). */
size_t beacon_encode_message(uint8_t *out, size_t room, uint32_t field, const pb_msgdesc_t *fields,
                             const void *message);
size_t beacon_encode_string(uint8_t *out, size_t room, struct slice text);
static inline size_t beacon_encode_resource(uint8_t *out, size_t room, const vitrace_v1_Resource *resource)
{
    return beacon_encode_message(out, room, 3, vitrace_v1_Resource_fields, resource);
}

#endif
