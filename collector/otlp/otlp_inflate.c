/*
 * gzip -> bytes, with two hard bounds: OTLP_REQUEST_BYTES_MAX for one request and OTLP_INFLATE_BYTES_TOTAL_MAX for all.
 *
 * The room is reserved for the worst case before a byte is written, and given back down to the real size afterwards, so
 * the length in the gzip trailer (which a sender may choose freely, and which describes only the last member) is never
 * trusted. The pages of the unused room are never touched.
 */
#include "collector/otlp/otlp_internal.h"

#include <libdeflate.h>
#include <stdatomic.h>
#include <stdlib.h>

static bool inflate_reserve(struct otlp *otlp, size_t bytes)
{
    uint64_t before = atomic_fetch_add_explicit(&otlp->inflate_bytes, bytes, memory_order_relaxed);
    if (before + bytes <= OTLP_INFLATE_BYTES_TOTAL_MAX)
        return true;
    atomic_fetch_sub_explicit(&otlp->inflate_bytes, bytes, memory_order_relaxed);
    return false;
}

static size_t inflate_room(size_t gzip_size)
{
    return gzip_size >= OTLP_REQUEST_BYTES_MAX / OTLP_DEFLATE_RATIO_MAX ? OTLP_REQUEST_BYTES_MAX
                                                                        : gzip_size * OTLP_DEFLATE_RATIO_MAX;
}

/* RFC 1952 allows several members in a row. Each takes at least 18 bytes of input, which bounds the loop. */
static enum libdeflate_result inflate_members(struct libdeflate_decompressor *decompressor, struct slice gzip,
                                              struct otlp_inflated *self)
{
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA; /* no member at all */
    while (gzip.size > 0) {
        size_t in = 0, out = 0;
        result = libdeflate_gzip_decompress_ex(decompressor, gzip.data, gzip.size, self->data + self->size,
                                               self->room - self->size, &in, &out);
        if (result != LIBDEFLATE_SUCCESS)
            break;
        self->size += out;
        gzip = slice_of(gzip.data + in, gzip.size - in);
    }
    return result;
}

/* A failed shrink keeps the large block: correct, only wasteful. An empty result keeps one byte, so data stays valid.
 */
static void inflated_shrink(struct otlp *otlp, struct otlp_inflated *self)
{
    size_t room = self->size > 0 ? self->size : 1;
    uint8_t *data = realloc(self->data, room);
    if (data == NULL)
        return;
    atomic_fetch_sub_explicit(&otlp->inflate_bytes, self->room - room, memory_order_relaxed);
    self->data = data;
    self->room = room;
}

enum otlp_inflate_status otlp_inflate(struct otlp *otlp, struct slice gzip, struct otlp_inflated *self)
{
    size_t room = inflate_room(gzip.size);
    if (room == 0)
        return OTLP_INFLATE_MALFORMED;
    if (!inflate_reserve(otlp, room))
        return OTLP_INFLATE_BUSY;
    *self = (struct otlp_inflated){.data = malloc(room), .room = room};
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA;
    bool memory = self->data != NULL && decompressor != NULL;
    if (memory)
        result = inflate_members(decompressor, gzip, self);
    libdeflate_free_decompressor(decompressor);
    if (memory && result == LIBDEFLATE_SUCCESS) {
        inflated_shrink(otlp, self);
        return OTLP_INFLATE_OK;
    }
    otlp_inflated_release(otlp, self);
    if (!memory)
        return OTLP_INFLATE_BUSY;
    return result == LIBDEFLATE_INSUFFICIENT_SPACE ? OTLP_INFLATE_TOO_LARGE : OTLP_INFLATE_MALFORMED;
}

void otlp_inflated_release(struct otlp *otlp, struct otlp_inflated *self)
{
    atomic_fetch_sub_explicit(&otlp->inflate_bytes, self->room, memory_order_relaxed);
    free(self->data);
    *self = (struct otlp_inflated){0};
}
