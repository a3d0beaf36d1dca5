/*
 * gzip or zstd -> bytes, with two hard bounds: OTLP_REQUEST_BYTES_MAX for one request, OTLP_BODY_BYTES_TOTAL_MAX for
 * all.
 *
 * The room is reserved for the worst case before a byte is written, and given back down to the real size afterwards, so
 * the length that gzip's trailer or zstd's header states (which a sender chooses freely, and which describes one member
 * only) is never trusted. The pages of the unused room are never touched.
 */
#include "collector/otlp/otlp_internal.h"

#include <libdeflate.h>
#include <zstd.h>
#include <zstd_errors.h>

static size_t inflate_room(size_t gzip_size)
{
    return gzip_size >= OTLP_REQUEST_BYTES_MAX / OTLP_DEFLATE_RATIO_MAX ? OTLP_REQUEST_BYTES_MAX
                                                                        : gzip_size * OTLP_DEFLATE_RATIO_MAX;
}

/* RFC 1952 allows several members in a row. Each takes at least 18 bytes of input, which bounds the loop. */
static enum libdeflate_result inflate_members(struct libdeflate_decompressor *decompressor, struct slice gzip,
                                              struct otlp_body *self)
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

static enum otlp_body_status inflate_end(struct otlp *otlp, struct otlp_body *self, enum otlp_body_status status)
{
    if (status == OTLP_BODY_OK)
        otlp_body_shrink(otlp, self);
    else
        otlp_body_release(otlp, self);
    return status;
}

enum otlp_body_status otlp_inflate_gzip(struct otlp *otlp, struct slice gzip, struct otlp_body *self)
{
    size_t room = inflate_room(gzip.size);
    if (room == 0)
        return OTLP_BODY_MALFORMED;
    if (!otlp_body_reserve(otlp, self, room))
        return OTLP_BODY_BUSY;
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    enum otlp_body_status status = OTLP_BODY_BUSY;
    if (decompressor != NULL) {
        enum libdeflate_result result = inflate_members(decompressor, gzip, self);
        status = result == LIBDEFLATE_SUCCESS              ? OTLP_BODY_OK
                 : result == LIBDEFLATE_INSUFFICIENT_SPACE ? OTLP_BODY_TOO_LARGE
                                                           : OTLP_BODY_MALFORMED;
    }
    libdeflate_free_decompressor(decompressor);
    return inflate_end(otlp, self, status);
}

/*
 * One call over the whole input: the output is its own window, so a frame that asks for a window of gigabytes costs
 * nothing. The worst case is always reserved, because a zstd block of 4 bytes may stand for 128 KiB.
 */
enum otlp_body_status otlp_inflate_zstd(struct otlp *otlp, struct slice zstd, struct otlp_body *self)
{
    if (!otlp_body_reserve(otlp, self, OTLP_REQUEST_BYTES_MAX))
        return OTLP_BODY_BUSY;
    ZSTD_DCtx *context = ZSTD_createDCtx();
    enum otlp_body_status status = OTLP_BODY_BUSY;
    if (context != NULL) {
        size_t size = ZSTD_decompressDCtx(context, self->data, self->room, zstd.data, zstd.size);
        self->size = ZSTD_isError(size) ? 0 : size;
        status = !ZSTD_isError(size)                                       ? OTLP_BODY_OK
                 : ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall  ? OTLP_BODY_TOO_LARGE
                 : ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation ? OTLP_BODY_BUSY
                                                                           : OTLP_BODY_MALFORMED;
    }
    ZSTD_freeDCtx(context);
    return inflate_end(otlp, self, status);
}
