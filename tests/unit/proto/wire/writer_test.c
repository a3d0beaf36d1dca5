#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/wire/beacon_encode.h"
#include "proto/wire/writer.h"

static uint8_t bytes[256];

static struct writer fresh(void)
{
    memset(bytes, 0xee, sizeof bytes);
    return writer_of(bytes, sizeof bytes);
}

static void expect(const struct writer *writer, const void *expected, size_t size)
{
    assert_int_equal(writer->at - bytes, size);
    assert_memory_equal(bytes, expected, size);
}

#define EXPECT(writer, ...)                                                                                            \
    do {                                                                                                               \
        static const uint8_t expected[] = {__VA_ARGS__};                                                               \
        expect(&(writer), expected, sizeof expected);                                                                  \
    } while (0)

static void test_writer__leaves_out_zero_and_empty(void **state)
{
    (void)state;
    struct writer writer = fresh();
    writer_uint(&writer, 1, 0);
    writer_uint(&writer, 2, writer_zigzag(0));
    writer_double(&writer, 3, 0.0);
    writer_text(&writer, 4, slice_of(NULL, 0));
    writer_fields(&writer, slice_of(NULL, 0));
    assert_ptr_equal(writer.at, bytes);
}

static void test_writer__writes_varints_as_short_as_they_can_be(void **state)
{
    (void)state;
    struct writer writer = fresh();
    writer_uint(&writer, 1, 127);
    writer_uint(&writer, 15, 128);
    writer_uint(&writer, 16, 1);
    EXPECT(writer, 0x08, 0x7f, 0x78, 0x80, 0x01, 0x80, 0x01, 0x01);
    writer = fresh();
    writer_uint(&writer, 1, UINT64_MAX);
    EXPECT(writer, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
}

static void test_writer__zigzags_signed_numbers(void **state)
{
    (void)state;
    assert_true(writer_zigzag(-1) == 1 && writer_zigzag(1) == 2);
    assert_true(writer_zigzag(INT64_MIN) == UINT64_MAX && writer_zigzag(INT64_MAX) == UINT64_MAX - 1);
}

static void test_writer__writes_minus_zero_as_nanopb_does(void **state)
{
    (void)state;
    struct writer writer = fresh();
    writer_double(&writer, 2, -0.0);
    writer_double(&writer, 3, 1.0);
    EXPECT(writer, 0x11, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f);
}

static void test_writer__closes_a_submessage_with_its_length(void **state)
{
    (void)state;
    struct writer writer = fresh();
    uint8_t *outer = writer_open(&writer, 3);
    writer_text(&writer, 1, slice_text("ab"));
    writer_close(&writer, outer);
    writer_close(&writer, writer_open(&writer, 4)); /* an empty one is there all the same */
    writer_bytes(&writer, 5, slice_of(NULL, 0));
    EXPECT(writer, 0x1a, 4, 0x0a, 2, 'a', 'b', 0x22, 0, 0x2a, 0);
}

static void test_writer__frames_a_record_with_a_padded_length(void **state)
{
    (void)state;
    static const uint8_t small[] = {0x1a, 0x81, 0x00, 'x'}, wide[] = {0x82, 0x01, 0x81, 0x00, 'x'};
    assert_int_equal(writer_record(bytes, sizeof bytes, 3, slice_text("x")), sizeof small);
    assert_memory_equal(bytes, small, sizeof small);
    assert_int_equal(writer_record(bytes, sizeof bytes, 16, slice_text("x")), sizeof wide);
    assert_memory_equal(bytes, wide, sizeof wide);
    assert_int_equal(writer_record(bytes, sizeof bytes, 2, slice_of(NULL, 0)), 3);
}

static void test_writer__writes_a_whole_record_or_nothing(void **state)
{
    (void)state;
    static uint8_t large[16384 + 4], out[16384 + 8];
    for (size_t room = 0; room < 6; room++) {
        fresh();
        assert_int_equal(writer_record(bytes, room, 3, slice_text("abc")), 0);
        assert_int_equal(bytes[0], 0xee);
    }
    assert_int_equal(writer_record(bytes, 6, 3, slice_text("abc")), 6);
    assert_int_equal(writer_record(out, sizeof out, 3, slice_of(large, 16383)), 16386);
    assert_int_equal(writer_record(out, sizeof out, 3, slice_of(large, 16384)), 0);
}

static void test_writer__gives_the_bytes_of_nanopb(void **state)
{
    (void)state;
    vitrace_v1_Vital vital = {
        .metric = 1, .value = 2.5, .final = true, .parts_count = 2, .parts = {0.0, -1.0}, .time = 7};
    uint8_t oracle[128];
    size_t size = beacon_encode_message(oracle, sizeof oracle, 13, vitrace_v1_Vital_fields, &vital);
    struct writer writer = fresh();
    writer_uint(&writer, 1, vital.metric);
    writer_double(&writer, 3, vital.value);
    writer_uint(&writer, 6, vital.final);
    uint8_t *length = writer_open(&writer, 9);
    writer_packed(&writer, vital.parts[0]);
    writer_packed(&writer, vital.parts[1]);
    writer_close(&writer, length);
    writer_double(&writer, 10, vital.time);
    expect(&writer, oracle + 3, size - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer__leaves_out_zero_and_empty),
        cmocka_unit_test(test_writer__writes_varints_as_short_as_they_can_be),
        cmocka_unit_test(test_writer__zigzags_signed_numbers),
        cmocka_unit_test(test_writer__writes_minus_zero_as_nanopb_does),
        cmocka_unit_test(test_writer__closes_a_submessage_with_its_length),
        cmocka_unit_test(test_writer__frames_a_record_with_a_padded_length),
        cmocka_unit_test(test_writer__writes_a_whole_record_or_nothing),
        cmocka_unit_test(test_writer__gives_the_bytes_of_nanopb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
