#include "tests/support/raw_builder.h"

#include "collector/raw/raw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define VIEW 0x0a0b0c0du

static struct raw_builder builder;
static struct rig *rig;

static int setup(void **state)
{
    (void)state;
    rig = rig_new();
    return rig == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(rig);
    return 0;
}

static void stage_clear(void)
{
    rig->word_count = rig->string_bytes = rig->string_count = 0;
}

/* Body `seq` of one batch: START (when it is the first), then a mark. */
static void build(uint32_t seq)
{
    stage_clear();
    if (seq == 0)
        raw_builder_start(rig, VIEW);
    rig_put_mark(rig, "mark", 12.5);
    raw_builder_begin(&builder, VIEW, seq, seq > 0, rig->clock);
    raw_builder_batch(&builder, rig);
}

/* With exact bounds, for the sanitizers. */
static enum raw_status open_bytes(struct slice bytes)
{
    struct raw_body body;
    uint8_t *exact = malloc(bytes.size + 1);
    assert_non_null(exact);
    memcpy(exact, bytes.data, bytes.size);
    enum raw_status status = raw_body_open(&body, slice_of(exact, bytes.size));
    free(exact);
    return status;
}

static enum raw_status open_changed(size_t at, uint8_t value)
{
    uint8_t before = builder.bytes[at];
    builder.bytes[at] = value;
    enum raw_status status = open_bytes(raw_builder_bytes(&builder));
    builder.bytes[at] = before;
    return status;
}

static void test_raw_body__says_whose_it_is_and_when(void **state)
{
    static const uint8_t id[16] = {10, 11, 12, 13, 1, 2, 3, 5, 1, 2, 3, 6, 1, 2, 3, 7};
    struct raw_body body;
    (void)state;
    build(0);
    assert_true(raw_is_body(raw_builder_bytes(&builder)));
    assert_int_equal(raw_body_open(&body, raw_builder_bytes(&builder)), RAW_OK);
    assert_memory_equal(body.view_id, id, 16);
    assert_int_equal(body.seq, 0);
    assert_false(body.is_final);
    assert_true(body.mono_ms == rig->clock.mono_ms && body.wall_ms == rig->clock.wall_ms);
    assert_true(slice_equal(body.app, slice_text("shop")));
    build(7);
    assert_int_equal(raw_body_open(&body, raw_builder_bytes(&builder)), RAW_OK);
    assert_int_equal(body.seq, 7);
    assert_true(body.is_final);
    assert_int_equal(body.app.size, 0);
    assert_false(raw_is_body(slice_text("\x0a\x03")));
    assert_false(raw_is_body(slice_text("VTR")));
}

static void test_raw_body__every_strict_prefix_is_truncated(void **state)
{
    (void)state;
    build(0);
    for (size_t size = 5; size < builder.size; size++)
        if (open_bytes(slice_of(builder.bytes, size)) != RAW_TRUNCATED)
            fail_msg("%zu of %zu bytes", size, builder.size);
    assert_int_equal(open_bytes(slice_of(builder.bytes, 44)), RAW_TRUNCATED); /* a head without a batch */
    builder.bytes[builder.size] = 0;
    assert_int_equal(open_bytes(slice_of(builder.bytes, builder.size + 1)), RAW_TRUNCATED);
}

static void test_raw_body__another_version_is_told_before_anything_else(void **state)
{
    (void)state;
    build(0);
    assert_int_equal(open_changed(4, INBOX_ABI_VERSION + 1), RAW_BAD_VERSION);
    assert_int_equal(open_changed(4, 0), RAW_BAD_VERSION);
    builder.bytes[4] = 1;
    assert_int_equal(open_bytes(slice_of(builder.bytes, 5)), RAW_BAD_VERSION);
}

static void test_raw_body__reserved_bits_and_padding_must_be_zero(void **state)
{
    (void)state;
    build(3);
    for (unsigned bit = 1; bit < 8; bit++)
        assert_int_equal(open_changed(5, (uint8_t)(1u << bit)), RAW_MALFORMED);
    assert_int_equal(open_changed(6, 1), RAW_MALFORMED);
    assert_int_equal(open_changed(7, 1), RAW_MALFORMED);
    assert_int_equal(open_changed(builder.size - 1, 1), RAW_MALFORMED);
}

static void test_raw_body__clocks_ids_and_numbers_that_are_none_are_malformed(void **state)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t at = 12; at <= 20; at += 8) {
            build(1);
            memcpy(builder.bytes + at, &odd[i], sizeof odd[i]);
            assert_int_equal(open_bytes(raw_builder_bytes(&builder)), RAW_MALFORMED);
        }
    }
    build(1);
    memset(builder.bytes + 28, 0, 16);
    assert_int_equal(open_bytes(raw_builder_bytes(&builder)), RAW_MALFORMED);
    build(1);
    memset(builder.bytes + 8, 0xff, 4);
    assert_int_equal(open_bytes(raw_builder_bytes(&builder)), RAW_MALFORMED);
}

static void test_raw_body__batches_are_bounded_by_the_inbox(void **state)
{
    static const struct {
        uint32_t words, strings;
        enum raw_status status;
    } table[] = {{0, 0, RAW_MALFORMED},
                 {INBOX_WORDS + 1, 0, RAW_MALFORMED},
                 {UINT32_MAX, UINT32_MAX, RAW_MALFORMED},
                 {1, INBOX_STRING_BYTES + 1, RAW_MALFORMED},
                 {INBOX_WORDS, INBOX_STRING_BYTES, RAW_TRUNCATED}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        build(1);
        memcpy(builder.bytes + 44, &table[i].words, 4);
        memcpy(builder.bytes + 48, &table[i].strings, 4);
        assert_int_equal(open_bytes(raw_builder_bytes(&builder)), table[i].status);
    }
}

static void test_raw_body__the_first_begins_with_the_start_of_its_document(void **state)
{
    (void)state;
    build(1); /* no START */
    memset(builder.bytes + 8, 0, 4);
    assert_int_equal(open_bytes(raw_builder_bytes(&builder)), RAW_NOT_STARTED);
    for (size_t at = 28; at < 44; at++) { /* of another document */
        build(0);
        assert_int_equal(open_changed(at, builder.bytes[at] ^ 1), RAW_NOT_STARTED);
    }
    static const double app[] = {0, NAN, -1, 1e9, 9};
    for (size_t i = 0; i < sizeof app / sizeof app[0]; i++) {
        stage_clear();
        raw_builder_start(rig, VIEW)[INBOX_START_APP] = app[i];
        raw_builder_begin(&builder, VIEW, 0, false, rig->clock);
        raw_builder_batch(&builder, rig);
        assert_int_equal(open_bytes(raw_builder_bytes(&builder)), RAW_NOT_STARTED);
    }
}

static void test_raw_body__the_largest_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    stage_clear();
    for (unsigned i = 0; i < 1000; i++)
        rig_record(rig, INBOX_METER, INBOX_METER_WORDS);
    raw_builder_begin(&builder, VIEW, 1, false, rig->clock);
    while (builder.size + 8 + 2000 * 8 <= RAW_BODY_BYTES_MAX)
        raw_builder_batch(&builder, rig);
    stage_clear();
    rig_record(rig, INBOX_METER, INBOX_METER_WORDS);
    rig->string_bytes = (unsigned)(RAW_BODY_BYTES_MAX - builder.size - 8 - 16 - 4) + 1; /* NULs: empty strings */
    memset(rig->strings, 0, rig->string_bytes);
    raw_builder_batch(&builder, rig);
    assert_in_range(builder.size, RAW_BODY_BYTES_MAX - 7, RAW_BODY_BYTES_MAX);
    assert_int_equal(open_bytes(raw_builder_bytes(&builder)), RAW_OK);
    assert_int_equal(open_bytes(slice_of(builder.bytes, RAW_BODY_BYTES_MAX + 1)), RAW_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_raw_body__##name, setup, teardown)
        TEST(says_whose_it_is_and_when),
        TEST(every_strict_prefix_is_truncated),
        TEST(another_version_is_told_before_anything_else),
        TEST(reserved_bits_and_padding_must_be_zero),
        TEST(clocks_ids_and_numbers_that_are_none_are_malformed),
        TEST(batches_are_bounded_by_the_inbox),
        TEST(the_first_begins_with_the_start_of_its_document),
        TEST(the_largest_is_taken_and_one_byte_more_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
