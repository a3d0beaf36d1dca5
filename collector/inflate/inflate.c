/*
 * The room is reserved before a byte is written, and given back down to the real size afterwards, so the length that
 * gzip's trailer or zstd's header states (which a sender chooses freely, and which describes one member only) is never
 * trusted. First the room that telemetry takes, sixteenfold; what does not fit is inflated once more, into the worst case
 * that the limits allow. To reserve that for everybody means a mapping of megabytes, made and unmade for each body.
 */
#include "collector/inflate/inflate.h"

#include <libdeflate.h>
#include <zstd.h>
#include <zstd_errors.h>

typedef enum libdeflate_result inflate_member(struct libdeflate_decompressor *decompressor, const void *in,
                                              size_t in_size, void *out, size_t out_size, size_t *in_used,
                                              size_t *out_used);

/* Into out->data, at most out->room. INFLATE_TOO_LARGE: it does not fit. */
typedef enum inflate_status inflate_once(struct slice packed, struct inflate_body *out);

#define INFLATE_RATIO_FIRST 16u
#define INFLATE_ROOM_FIRST  ((size_t)64 << 10)

static size_t inflate_room(struct inflate_limits limits, size_t packed_size)
{
    return packed_size >= limits.bytes_max / limits.ratio_max ? limits.bytes_max : packed_size * limits.ratio_max;
}

/* RFC 1952 allows several members in a row; for zlib the same loop refuses what stands behind the one stream that it
 * may have. A member takes at least 6 bytes of input, which bounds the loop. */
static enum libdeflate_result inflate_members(struct libdeflate_decompressor *decompressor, inflate_member *inflate,
                                              struct slice packed, struct inflate_body *out)
{
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA; /* no member at all */
    while (packed.size > 0) {
        size_t in = 0, size = 0;
        result = inflate(decompressor, packed.data, packed.size, out->data + out->size, out->room - out->size, &in,
                         &size);
        if (result != LIBDEFLATE_SUCCESS)
            break;
        out->size += size;
        packed = slice_of(packed.data + in, packed.size - in);
        if (inflate == libdeflate_zlib_decompress_ex && packed.size > 0)
            return LIBDEFLATE_BAD_DATA;
    }
    return result;
}

static enum inflate_status inflate_end(struct inflate_budget *budget, struct inflate_body *out,
                                       enum inflate_status status)
{
    if (status == INFLATE_OK)
        inflate_body_shrink(budget, out);
    else
        inflate_body_release(budget, out);
    return status;
}

static enum inflate_status inflate_deflate_once(inflate_member *inflate, struct slice packed, struct inflate_body *out)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    if (decompressor == NULL)
        return INFLATE_BUSY;
    enum libdeflate_result result = inflate_members(decompressor, inflate, packed, out);
    libdeflate_free_decompressor(decompressor);
    return result == LIBDEFLATE_SUCCESS              ? INFLATE_OK
           : result == LIBDEFLATE_INSUFFICIENT_SPACE ? INFLATE_TOO_LARGE
                                                     : INFLATE_MALFORMED;
}

static enum inflate_status inflate_gzip_once(struct slice packed, struct inflate_body *out)
{
    return inflate_deflate_once(libdeflate_gzip_decompress_ex, packed, out);
}

static enum inflate_status inflate_zlib_once(struct slice packed, struct inflate_body *out)
{
    return inflate_deflate_once(libdeflate_zlib_decompress_ex, packed, out);
}

/*
 * One call over the whole input: the output is its own window, so a frame that asks for a window of gigabytes costs
 * nothing. A zstd block of 4 bytes may stand for 128 KiB: a caller that sets no ratio reserves the worst case.
 */
static enum inflate_status inflate_zstd_once(struct slice packed, struct inflate_body *out)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL)
        return INFLATE_BUSY;
    size_t size = ZSTD_decompressDCtx(context, out->data, out->room, packed.data, packed.size);
    ZSTD_freeDCtx(context);
    out->size = ZSTD_isError(size) ? 0 : size;
    return !ZSTD_isError(size)                                         ? INFLATE_OK
           : ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall    ? INFLATE_TOO_LARGE
           : ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation   ? INFLATE_BUSY
                                                                       : INFLATE_MALFORMED;
}

static enum inflate_status inflate_into(struct inflate_budget *budget, size_t room, inflate_once *once,
                                        struct slice packed, struct inflate_body *out)
{
    if (!inflate_body_reserve(budget, out, room))
        return INFLATE_BUSY;
    return inflate_end(budget, out, once(packed, out));
}

static enum inflate_status inflate_with(struct inflate_budget *budget, struct inflate_limits limits,
                                        inflate_once *once, struct slice packed, struct inflate_body *out)
{
    size_t most = inflate_room(limits, packed.size);
    if (most == 0)
        return INFLATE_MALFORMED;
    size_t first = packed.size * INFLATE_RATIO_FIRST;
    if (first < INFLATE_ROOM_FIRST)
        first = INFLATE_ROOM_FIRST;
    enum inflate_status status = INFLATE_TOO_LARGE;
    if (first < most)
        status = inflate_into(budget, first, once, packed, out);
    return status == INFLATE_TOO_LARGE ? inflate_into(budget, most, once, packed, out) : status;
}

enum inflate_status inflate_gzip(struct inflate_budget *budget, struct inflate_limits limits, struct slice gzip,
                                 struct inflate_body *out)
{
    return inflate_with(budget, limits, inflate_gzip_once, gzip, out);
}

enum inflate_status inflate_zlib(struct inflate_budget *budget, struct inflate_limits limits, struct slice zlib,
                                 struct inflate_body *out)
{
    return inflate_with(budget, limits, inflate_zlib_once, zlib, out);
}

enum inflate_status inflate_zstd(struct inflate_budget *budget, struct inflate_limits limits, struct slice zstd,
                                 struct inflate_body *out)
{
    return inflate_with(budget, limits, inflate_zstd_once, zstd, out);
}
