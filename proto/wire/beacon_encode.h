/*
 * Writes records of a Beacon: tag, length padded to two bytes, body, in one pass into memory that the caller owns.
 * A record is whole or not written at all.
 *
 * The resource record, nine of ten records on a busy page, goes through a small writer; everything else through
 * pb_encode. Both give the same bytes for the same struct (record_differential_fuzz).
 */
#ifndef VITRACE_WIRE_BEACON_ENCODE_H
#define VITRACE_WIRE_BEACON_ENCODE_H

#include "proto/wire/limits.h"
#include "proto/wire/slice.h"
#include "vitrace/v1/beacon.pb.h"

/* Bytes before a record's body. Fields 16 and up need a second tag byte. */
#define RECORD_PREFIX_BYTES_MAX 4u

/* Each returns the whole record's size, or 0 when `room` is too small (nothing usable was written then). */
size_t beacon_encode_message(uint8_t *out, size_t room, uint32_t field, const pb_msgdesc_t *fields, const void *message);
size_t beacon_encode_string(uint8_t *out, size_t room, struct slice text);
size_t beacon_encode_resource(uint8_t *out, size_t room, const vitrace_v1_Resource *resource);

#endif
