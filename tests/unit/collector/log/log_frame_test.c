#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#define SALT 0x12345678u

static const struct log_frame sample = {.payload_crc = 0xa1b2c3d4,
                                        .distance = 0x1000,
                                        .batch = 0xff8,
                                        .payload_bytes = 5,
                                        .received_unix_us = 0x0006123456789abcu,
                                        .type = APPEND_SPANS,
                                        .peer = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 0}};

static void test_frame__size_is_header_and_padded_payload(void **state)
{
    (void)state;
    assert_int_equal(log_frame_bytes(0), 48);
    assert_int_equal(log_frame_bytes(1), 56);
    assert_int_equal(log_frame_bytes(8), 56);
    assert_int_equal(log_frame_bytes(9), 64);
    assert_int_equal(log_frame_bytes(LOG_RECORD_BYTES_MAX), LOG_FRAME_BYTES_MAX);
}

/* Everything but the checksum, byte by byte as FORMAT.md has it; the checksum from an independent bitwise CRC. */
static uint32_t bitwise_crc32c(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

static void test_frame__bytes_are_as_the_format_says(void **state)
{
    (void)state;
    static const uint8_t golden[44] = {0xd4, 0xc3, 0xb2, 0xa1, 0x00, 0x10, 0,    0,    0xf8, 0x0f, 0,    0,    5, 0, 0,
                                       0,    2,    1,    0,    0,    0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0x06, 0, 0, 0,
                                       0,    0,    0,    0,    0,    0,    0,    0,    0xff, 0xff, 192,  0,    2, 0};
    uint8_t bytes[LOG_FRAME_HEADER_BYTES];
    log_frame_encode(&sample, SALT, bytes);
    assert_memory_equal(bytes + 4, golden, sizeof golden);
    uint32_t sum = bitwise_crc32c(SALT, golden, sizeof golden);
    uint8_t expected[4] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16), (uint8_t)(sum >> 24)};
    assert_memory_equal(bytes, expected, 4);
}

static void test_frame__decodes_what_it_encoded(void **state)
{
    (void)state;
    uint8_t bytes[LOG_FRAME_HEADER_BYTES];
    struct log_frame back;
    log_frame_encode(&sample, SALT, bytes);
    assert_true(log_frame_decode(&back, SALT, bytes));
    assert_int_equal(back.payload_crc, sample.payload_crc);
    assert_int_equal(back.distance, sample.distance);
    assert_int_equal(back.batch, sample.batch);
    assert_int_equal(back.payload_bytes, sample.payload_bytes);
    assert_true(back.received_unix_us == sample.received_unix_us);
    assert_int_equal(back.type, sample.type);
    assert_memory_equal(back.peer, sample.peer, sizeof sample.peer);
    assert_int_equal(log_frame_distance(bytes), sample.distance);
}

static void test_frame__every_bit_flip_is_detected(void **state)
{
    (void)state;
    uint8_t bytes[LOG_FRAME_HEADER_BYTES];
    struct log_frame back;
    log_frame_encode(&sample, SALT, bytes);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(log_frame_decode(&back, SALT, bytes));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_frame__another_segments_salt_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[LOG_FRAME_HEADER_BYTES];
    struct log_frame back;
    log_frame_encode(&sample, SALT, bytes);
    assert_false(log_frame_decode(&back, SALT + 1, bytes));
}

static bool survives(const struct log_frame *frame)
{
    uint8_t bytes[LOG_FRAME_HEADER_BYTES];
    struct log_frame back;
    log_frame_encode(frame, SALT, bytes);
    return log_frame_decode(&back, SALT, bytes);
}

static void test_frame__fields_out_of_range_are_refused_with_a_right_checksum(void **state)
{
    (void)state;
    struct log_frame frame = sample;
    frame.payload_bytes = LOG_RECORD_BYTES_MAX;
    assert_true(survives(&frame));
    frame.payload_bytes++;
    assert_false(survives(&frame));
    frame = sample;
    frame.batch = frame.distance;
    assert_true(survives(&frame));
    frame.batch++;
    assert_false(survives(&frame));
    frame = sample;
    for (unsigned type = 0; type < 256; type++) {
        frame.type = (uint8_t)type;
        assert_int_equal(survives(&frame), type == APPEND_BEACON || type == APPEND_SPANS);
    }
}

static void test_frame__payload_checksum_covers_the_padding(void **state)
{
    (void)state;
    const uint8_t padded[8] = {'h', 'e', 'l', 'l', 'o', 0, 0, 0};
    assert_int_equal(log_frame_payload_crc(slice_of(padded, 5)), bitwise_crc32c(0, padded, 8));
    assert_int_equal(log_frame_payload_crc(slice_of(NULL, 0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame__size_is_header_and_padded_payload),
        cmocka_unit_test(test_frame__bytes_are_as_the_format_says),
        cmocka_unit_test(test_frame__decodes_what_it_encoded),
        cmocka_unit_test(test_frame__every_bit_flip_is_detected),
        cmocka_unit_test(test_frame__another_segments_salt_is_refused),
        cmocka_unit_test(test_frame__fields_out_of_range_are_refused_with_a_right_checksum),
        cmocka_unit_test(test_frame__payload_checksum_covers_the_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
