/*
 * Arbitrary bytes as a compressed body, and as what was compressed. Byte 0 chooses the coding, byte 1 the limits. Whatever
 * comes, the limits hold, the budget is whole again afterwards, and what libdeflate packed comes back as it was.
 */
#include "collector/inflate/inflate.h"

#include <assert.h>
#include <libdeflate.h>
#include <stdlib.h>

#define FUZZ_BYTES_MAX  (64u << 10)
#define FUZZ_OUTPUT_MAX (256u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef enum inflate_status inflate_function(struct inflate_budget *, struct inflate_limits, struct slice,
                                             struct inflate_body *);

static inflate_function *const codings[] = {inflate_gzip, inflate_zlib, inflate_zstd};

static uint64_t sum_of(const struct inflate_body *body)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < body->size; i++)
        sum += body->data[i];
    return sum;
}

static void inflate_anything(inflate_function *inflate, struct inflate_limits limits, struct slice packed)
{
    struct inflate_budget budget = {.bytes_max = limits.bytes_max};
    struct inflate_body out = {0};
    enum inflate_status status = inflate(&budget, limits, packed, &out);
    if (status == INFLATE_OK) {
        assert(out.size <= limits.bytes_max && out.size / limits.ratio_max <= packed.size);
        assert(atomic_load(&budget.bytes) == out.room && sum_of(&out) <= out.size * 255);
        inflate_body_release(&budget, &out);
    }
    assert(out.data == NULL && atomic_load(&budget.bytes) == 0);
}

static void pack_and_inflate(bool zlib, struct slice plain)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(1);
    size_t room = libdeflate_gzip_compress_bound(compressor, plain.size) + 16;
    uint8_t *packed = malloc(room);
    assert(compressor != NULL && packed != NULL);
    size_t size = (zlib ? libdeflate_zlib_compress : libdeflate_gzip_compress)(compressor, plain.data, plain.size, packed,
                                                                             room);
    struct inflate_budget budget = {.bytes_max = FUZZ_OUTPUT_MAX};
    struct inflate_limits limits = {FUZZ_OUTPUT_MAX, INFLATE_DEFLATE_RATIO_MAX};
    struct inflate_body out = {0};
    enum inflate_status status =
        (zlib ? inflate_zlib : inflate_gzip)(&budget, limits, slice_of(packed, size), &out);
    assert(size > 0 && status == INFLATE_OK && out.size == plain.size);
    assert(plain.size == 0 || memcmp(out.data, plain.data, plain.size) == 0);
    inflate_body_release(&budget, &out);
    assert(atomic_load(&budget.bytes) == 0);
    (void)status;
    free(packed);
    libdeflate_free_compressor(compressor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > FUZZ_BYTES_MAX)
        return 0;
    struct slice rest = slice_of(data + 2, size - 2);
    struct inflate_limits limits = {.bytes_max = (size_t)1 << (data[1] % 19), .ratio_max = 1u + data[1] * 4u};
    inflate_anything(codings[data[0] % 3], limits, rest);
    pack_and_inflate(data[0] & 1, rest);
    return 0;
}
