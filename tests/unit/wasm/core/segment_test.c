#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/wire/beacon_decode.h"
#include "wasm/core/segment.h"

#include <stdio.h>

static _Alignas(RING_CACHE_LINE) uint8_t memory[RING_BYTES];
static struct ring_producer ring;
static struct segment segment;
static struct dictionary dictionary;

static int set_up(void **state)
{
    (void)state;
    ring_producer_init(&ring, memory);
    segment_init(&segment, &ring, &dictionary);
    return segment_open(&segment, 0) ? 0 : -1;
}

static bool put_mark(const char *name, bool reserved)
{
    segment_begin(&segment, reserved);
    uint8_t body[16];
    struct writer writer = writer_of(body, sizeof body);
    writer_uint(&writer, 1, segment_text(&segment, slice_text(name)));
    writer_uint(&writer, 2, 1);
    segment_append(&segment, BEACON_FIELD_USER_TIMING, slice_of(body, (size_t)(writer.at - body)));
    return segment_end(&segment);
}

static struct slice sealed_bytes(void)
{
    assert_true(segment_seal(&segment) > 0);
    return ring_consumer_bytes(ring.header, ring_consumer_take(ring.header));
}

static void test_segment__a_text_is_written_once_and_before_its_record(void **state)
{
    (void)state;
    assert_true(put_mark("alpha", false));
    assert_true(put_mark("alpha", false));
    assert_true(put_mark("beta", false));
    struct beacon_reader reader = beacon_reader_of(sealed_bytes());
    struct beacon_record record;
    static const enum beacon_field expected[] = {BEACON_FIELD_STRING, BEACON_FIELD_USER_TIMING,
                                                 BEACON_FIELD_USER_TIMING, BEACON_FIELD_STRING,
                                                 BEACON_FIELD_USER_TIMING};
    for (unsigned i = 0; i < 5; i++) {
        assert_true(beacon_reader_next(&reader, &record));
        assert_int_equal(record.field, expected[i]);
    }
    assert_false(beacon_reader_next(&reader, &record));
}

static void test_segment__a_cancelled_record_leaves_nothing(void **state)
{
    (void)state;
    assert_true(put_mark("kept", false));
    uint32_t size = segment.size;
    segment_begin(&segment, false);
    assert_int_equal(segment_text(&segment, slice_text("gone")), 2);
    segment_cancel(&segment);
    assert_int_equal(segment.size, size);
    segment_begin(&segment, false);
    assert_int_equal(segment_text(&segment, slice_text("next")), 2); /* the id is free again */
    assert_true(segment_end(&segment));
}

static void test_segment__keeps_room_for_the_seal(void **state)
{
    (void)state;
    char name[64];
    unsigned count = 0;
    snprintf(name, sizeof name, "%040u", count);
    while (put_mark(name, false))
        snprintf(name, sizeof name, "%040u", ++count);
    assert_true(segment.size <= BEACON_BYTES_MAX - SEGMENT_RESERVE_BYTES);
    assert_true(segment.size > BEACON_BYTES_MAX - SEGMENT_RESERVE_BYTES - 60);
    uint32_t size = segment.size;
    assert_false(put_mark(name, false));
    assert_int_equal(segment.size, size);
    for (unsigned i = 0; i < 5; i++)
        assert_true(put_mark(name, true));
    assert_int_equal(sealed_bytes().size, segment.size);
}

static void test_segment__keeps_string_ids_for_the_seal(void **state)
{
    (void)state;
    char name[16];
    unsigned count = 0;
    snprintf(name, sizeof name, "%u", count);
    while (put_mark(name, false))
        snprintf(name, sizeof name, "%u", ++count);
    assert_int_equal(count, BEACON_STRINGS_MAX - SEGMENT_RESERVE_STRINGS);
    assert_true(put_mark("0", false)); /* a known text still fits */
    for (unsigned i = 0; i < SEGMENT_RESERVE_STRINGS; i++) {
        snprintf(name, sizeof name, "s%u", i);
        assert_true(put_mark(name, true));
    }
    assert_false(put_mark("one more", true));
}

static void test_segment__a_record_of_which_there_is_one_does_not_fit_twice(void **state)
{
    (void)state;
    struct slice navigation = slice_of(NULL, 0);
    for (int i = 0; i < 2; i++) {
        segment_begin(&segment, false);
        segment_append(&segment, BEACON_FIELD_NAVIGATION, navigation);
        assert_int_equal(segment_end(&segment), i == 0);
    }
    segment_abort(&segment);
    assert_true(segment_open(&segment, 1));
    segment_begin(&segment, false);
    segment_append(&segment, BEACON_FIELD_NAVIGATION, navigation);
    assert_true(segment_end(&segment));
}

static void test_segment__a_long_text_is_cut_and_found_again(void **state)
{
    (void)state;
    static uint8_t text[BEACON_STRING_BYTES_MAX + 100];
    memset(text, 'x', sizeof text);
    segment_begin(&segment, false);
    uint32_t id = segment_text(&segment, slice_of(text, sizeof text));
    assert_int_equal(id, 1);
    assert_int_equal(segment_text(&segment, slice_of(text, sizeof text)), 1);
    assert_int_equal(segment_text(&segment, slice_of(text, BEACON_STRING_BYTES_MAX)), 1);
    assert_true(segment_end(&segment));
    assert_int_equal(segment.size, BEACON_STRING_BYTES_MAX + 3);
}

static void test_segment__does_not_open_on_a_full_ring(void **state)
{
    (void)state;
    unsigned opened = 1;
    for (;;) {
        while (put_mark("some name that fills the segment", false)) {
        }
        segment_seal(&segment);
        if (!segment_open(&segment, opened))
            break;
        opened++;
    }
    assert_true(opened >= 8);
    assert_false(segment.is_open);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_segment__a_text_is_written_once_and_before_its_record),
        TEST(test_segment__a_cancelled_record_leaves_nothing),
        TEST(test_segment__keeps_room_for_the_seal),
        TEST(test_segment__keeps_string_ids_for_the_seal),
        TEST(test_segment__a_record_of_which_there_is_one_does_not_fit_twice),
        TEST(test_segment__a_long_text_is_cut_and_found_again),
        TEST(test_segment__does_not_open_on_a_full_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
