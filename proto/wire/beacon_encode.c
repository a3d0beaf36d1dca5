#include "proto/wire/beacon_encode.h"

#include "proto/wire/writer.h"

#include <pb_encode.h>

size_t beacon_encode_message(uint8_t *out, size_t room, uint32_t field, const pb_msgdesc_t *fields, const void *message)
{
    uint8_t body[BEACON_BYTES_MAX];
    pb_ostream_t stream = pb_ostream_from_buffer(body, sizeof body);
    if (!pb_encode(&stream, fields, message))
        return 0;
    return writer_record(out, room, field, slice_of(body, stream.bytes_written));
}

size_t beacon_encode_string(uint8_t *out, size_t room, struct slice text)
{
    return writer_record(out, room, 2, text);
}
