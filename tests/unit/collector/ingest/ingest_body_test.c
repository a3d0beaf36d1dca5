#include "collector/ingest/ingest_body.h"

#include <libdeflate.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zstd.h>

#include <cmocka.h>

static struct inflate_budget budget = {.bytes_max = INGEST_BODY_BYTES_TOTAL_MAX};
static const char plain_text[] = "\x0a\x05plain beacon, as far as this stage looks";
#define PLAIN slice_of(plain_text, sizeof plain_text - 1)

enum packing { PLAINLY, GZIP, ZLIB, ZSTD, PACKINGS };

static struct slice pack(enum packing packing, struct slice in, uint8_t *out, size_t room)
{
    size_t size = in.size;
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    if (packing == PLAINLY)
        memcpy(out, in.data, in.size);
    else if (packing == GZIP)
        size = libdeflate_gzip_compress(compressor, in.data, in.size, out, room);
    else if (packing == ZLIB)
        size = libdeflate_zlib_compress(compressor, in.data, in.size, out, room);
    else
        size = ZSTD_compress(out, room, in.data, in.size, 3);
    libdeflate_free_compressor(compressor);
    assert_in_range(size, 1, room);
    return slice_of(out, size);
}

/* Opens and releases; *same: what came out is PLAIN. */
static enum ingest_body_status open_body(const char *encoding, struct slice body, bool *same)
{
    struct inflate_body inflated = {0};
    struct slice out = {0};
    enum ingest_body_status status = ingest_body_open(&budget, slice_text(encoding), body, &inflated, &out);
    *same = status == INGEST_BODY_OK && slice_equal(out, PLAIN);
    inflate_body_release(&budget, &inflated);
    assert_int_equal(atomic_load(&budget.bytes), 0);
    return status;
}

static void test_ingest_body__the_first_bytes_say_what_it_is(void **state)
{
    (void)state;
    uint8_t packed[256];
    bool same;
    for (int i = 0; i < PACKINGS; i++) {
        assert_int_equal(open_body("", pack((enum packing)i, PLAIN, packed, sizeof packed), &same), INGEST_BODY_OK);
        assert_true(same);
    }
}

static void test_ingest_body__a_content_encoding_must_say_the_same(void **state)
{
    static const struct {
        const char *encoding;
        enum packing packing;
    } fits[] = {{"gzip", GZIP}, {"x-gzip", GZIP}, {"GZIP", GZIP},       {"deflate", ZLIB},
                {"zstd", ZSTD}, {"", PLAINLY},    {"identity", PLAINLY}};
    (void)state;
    uint8_t packed[256];
    bool same;
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        for (int k = 0; k < PACKINGS; k++) {
            struct slice body = pack((enum packing)k, PLAIN, packed, sizeof packed);
            bool good = fits[i].packing == PLAINLY || fits[i].packing == (enum packing)k;
            assert_int_equal(open_body(fits[i].encoding, body, &same), good ? INGEST_BODY_OK : INGEST_BODY_MISMATCH);
            assert_true(same == good);
        }
    }
}

static void test_ingest_body__other_encodings_are_not_read(void **state)
{
    static const char *const others[] = {"br", "compress", "gzip, gzip", "gz", "gzipp", "*"};
    (void)state;
    bool same;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(open_body(others[i], PLAIN, &same), INGEST_BODY_ENCODING);
}

static void test_ingest_body__every_prefix_that_says_its_coding_is_compressed_and_broken(void **state)
{
    static const size_t shortest[PACKINGS] = {[GZIP] = 2, [ZLIB] = 2, [ZSTD] = 4};
    (void)state;
    uint8_t packed[256];
    bool same;
    for (int k = GZIP; k < PACKINGS; k++) {
        struct slice body = pack((enum packing)k, PLAIN, packed, sizeof packed);
        for (size_t size = 0; size < body.size; size++)
            assert_int_equal(open_body("", slice_of(packed, size), &same),
                             size < shortest[k] ? INGEST_BODY_OK : INGEST_BODY_COMPRESSED);
    }
}

static void test_ingest_body__one_layer_is_opened_and_no_more(void **state)
{
    (void)state;
    uint8_t once[256], twice[512];
    struct inflate_body inflated = {0};
    struct slice out, inner = pack(GZIP, PLAIN, once, sizeof once);
    struct slice body = pack(GZIP, inner, twice, sizeof twice);
    assert_int_equal(ingest_body_open(&budget, slice_text(""), body, &inflated, &out), INGEST_BODY_OK);
    assert_true(slice_equal(out, inner));
    inflate_body_release(&budget, &inflated);
}

static void test_ingest_body__bombs_are_too_large_by_size_and_by_ratio(void **state)
{
    (void)state;
    static uint8_t zeros[1 << 20], noise[INGEST_BODY_INFLATED_BYTES_MAX + 1], packed[2 * sizeof noise];
    bool same;
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24) & 15; /* shrinks to a half: far from the ratio */
    for (int k = GZIP; k < PACKINGS; k++) {
        struct slice body = pack((enum packing)k, slice_of(zeros, sizeof zeros), packed, sizeof packed);
        assert_int_equal(open_body("", body, &same), INGEST_BODY_TOO_LARGE);
        body = pack((enum packing)k, slice_of(zeros, 20000), packed, sizeof packed);
        assert_int_equal(open_body("", body, &same), INGEST_BODY_TOO_LARGE);
        body = pack((enum packing)k, slice_of(noise, sizeof noise), packed, sizeof packed);
        assert_int_equal(open_body("", body, &same), INGEST_BODY_TOO_LARGE);
        body = pack((enum packing)k, slice_of(noise, sizeof noise - 1), packed, sizeof packed);
        assert_int_equal(open_body("", body, &same), INGEST_BODY_OK);
    }
}

static void test_ingest_body__a_used_up_budget_is_busy(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct inflate_body inflated = {0};
    struct slice out, body = pack(GZIP, PLAIN, packed, sizeof packed);
    atomic_store(&budget.bytes, INGEST_BODY_BYTES_TOTAL_MAX);
    assert_int_equal(ingest_body_open(&budget, slice_text(""), body, &inflated, &out), INGEST_BODY_BUSY);
    assert_null(inflated.data);
    atomic_store(&budget.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_body__the_first_bytes_say_what_it_is),
        cmocka_unit_test(test_ingest_body__a_content_encoding_must_say_the_same),
        cmocka_unit_test(test_ingest_body__other_encodings_are_not_read),
        cmocka_unit_test(test_ingest_body__every_prefix_that_says_its_coding_is_compressed_and_broken),
        cmocka_unit_test(test_ingest_body__one_layer_is_opened_and_no_more),
        cmocka_unit_test(test_ingest_body__bombs_are_too_large_by_size_and_by_ratio),
        cmocka_unit_test(test_ingest_body__a_used_up_budget_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
