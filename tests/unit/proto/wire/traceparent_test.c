#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/traceparent.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"
#define GOOD  "00-" TRACE "-" SPAN "-01"

static enum traceparent_status parse(const char *text)
{
    struct traceparent out;
    return traceparent_parse(slice_text(text), &out);
}

static void test_traceparent__reads_the_example_of_the_specification(void **state)
{
    (void)state;
    struct traceparent out;
    assert_int_equal(traceparent_parse(slice_text(GOOD), &out), TRACEPARENT_OK);
    assert_int_equal(out.version, 0);
    assert_int_equal(out.flags, TRACEPARENT_SAMPLED);
    assert_memory_equal(out.trace_id, "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 16);
    assert_memory_equal(out.span_id, "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
}

static void test_traceparent__trims_spaces_and_tabs_only(void **state)
{
    (void)state;
    assert_int_equal(parse(" \t " GOOD "\t "), TRACEPARENT_OK);
    assert_int_equal(parse(GOOD "\n"), TRACEPARENT_TRAILING);
    assert_int_equal(parse("\n" GOOD), TRACEPARENT_BAD_CHARACTER);
}

static void test_traceparent__refuses_every_strict_prefix_as_too_short(void **state)
{
    (void)state;
    struct traceparent out;
    for (size_t size = 0; size < TRACEPARENT_BYTES; size++)
        assert_int_equal(traceparent_parse(slice_of(GOOD, size), &out), TRACEPARENT_TOO_SHORT);
    assert_int_equal(traceparent_parse(slice_of(NULL, 0), &out), TRACEPARENT_TOO_SHORT);
    assert_int_equal(parse(" \t "), TRACEPARENT_TOO_SHORT);
}

static void test_traceparent__refuses_every_single_wrong_character(void **state)
{
    (void)state;
    struct traceparent out;
    for (size_t at = 0; at < TRACEPARENT_BYTES; at++)
        for (const char *bad = "gAF:_ \xff"; *bad != '\0'; bad++) {
            char text[TRACEPARENT_BYTES + 1] = GOOD;
            text[at] = *bad;
            bool is_trimmed = *bad == ' ' && (at == 0 || at == TRACEPARENT_BYTES - 1);
            assert_int_equal(traceparent_parse(slice_of(text, TRACEPARENT_BYTES), &out),
                             is_trimmed ? TRACEPARENT_TOO_SHORT : TRACEPARENT_BAD_CHARACTER);
        }
}

static void test_traceparent__never_reads_a_flipped_bit_as_the_same_ids(void **state)
{
    (void)state;
    struct traceparent good;
    assert_int_equal(traceparent_parse(slice_text(GOOD), &good), TRACEPARENT_OK);
    for (size_t bit = 8 * 3; bit < 8 * 52; bit++) {
        char text[TRACEPARENT_BYTES + 1] = GOOD;
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        struct traceparent out;
        if (traceparent_parse(slice_of(text, TRACEPARENT_BYTES), &out) == TRACEPARENT_OK)
            assert_true(memcmp(out.trace_id, good.trace_id, 16) != 0 || memcmp(out.span_id, good.span_id, 8) != 0);
    }
}

static void test_traceparent__allows_no_more_text_in_version_00(void **state)
{
    (void)state;
    assert_int_equal(parse(GOOD "-"), TRACEPARENT_TRAILING);
    assert_int_equal(parse(GOOD "."), TRACEPARENT_TRAILING);
    assert_int_equal(parse(GOOD "-what-the-future-brings"), TRACEPARENT_TRAILING);
}

static void test_traceparent__reads_later_versions_by_their_first_fields(void **state)
{
    (void)state;
    struct traceparent out;
    assert_int_equal(parse("01-" TRACE "-" SPAN "-01"), TRACEPARENT_OK);
    assert_int_equal(parse("fe-" TRACE "-" SPAN "-01-what"), TRACEPARENT_OK);
    assert_int_equal(parse("cc-" TRACE "-" SPAN "-01-"), TRACEPARENT_OK);
    assert_int_equal(parse("cc-" TRACE "-" SPAN "-01.what"), TRACEPARENT_TRAILING);
    assert_int_equal(traceparent_parse(slice_text("cc-" TRACE "-" SPAN "-03-x"), &out), TRACEPARENT_OK);
    assert_int_equal(out.version, 0xcc);
    assert_int_equal(out.flags, TRACEPARENT_SAMPLED | TRACEPARENT_RANDOM);
}

static void test_traceparent__refuses_version_ff(void **state)
{
    (void)state;
    assert_int_equal(parse("ff-" TRACE "-" SPAN "-01"), TRACEPARENT_BAD_VERSION);
    assert_int_equal(parse("ff-" TRACE "-" SPAN "-01-x"), TRACEPARENT_BAD_VERSION);
}

static void test_traceparent__refuses_ids_that_are_all_zero(void **state)
{
    (void)state;
    assert_int_equal(parse("00-00000000000000000000000000000000-" SPAN "-01"), TRACEPARENT_ZERO_TRACE_ID);
    assert_int_equal(parse("00-" TRACE "-0000000000000000-01"), TRACEPARENT_ZERO_SPAN_ID);
    assert_int_equal(parse("00-00000000000000000000000000000001-0000000000000001-00"), TRACEPARENT_OK);
}

static void test_traceparent__keeps_only_the_flags_it_knows(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t byte = (uint8_t)flags;
        char text[TRACEPARENT_BYTES + 1] = GOOD;
        struct traceparent out;
        ids_format_hex(slice_of(&byte, 1), text + 53);
        assert_int_equal(traceparent_parse(slice_of(text, TRACEPARENT_BYTES), &out), TRACEPARENT_OK);
        assert_int_equal(out.flags, flags & 3);
    }
}

static void test_traceparent__leaves_the_result_alone_on_failure(void **state)
{
    (void)state;
    struct traceparent out;
    struct traceparent before;
    memset(&out, 0x5a, sizeof out);
    before = out;
    traceparent_parse(slice_text("00-" TRACE "-0000000000000000-01"), &out);
    traceparent_parse(slice_text("00-" TRACE "-" SPAN "-0x"), &out);
    traceparent_parse(slice_text("ff-" TRACE "-" SPAN "-01"), &out);
    assert_memory_equal(&out, &before, sizeof out);
}

static void test_traceparent__formats_as_version_00_with_known_flags(void **state)
{
    (void)state;
    struct traceparent out;
    char text[TRACEPARENT_BYTES + 1];
    assert_int_equal(traceparent_parse(slice_text("cc-" TRACE "-" SPAN "-02-x"), &out), TRACEPARENT_OK);
    out.flags |= 0xf0;
    text[TRACEPARENT_BYTES] = '!';
    traceparent_format(&out, text);
    assert_memory_equal(text, "00-" TRACE "-" SPAN "-02!", sizeof text);
}

static void test_traceparent__names_every_status(void **state)
{
    (void)state;
    for (int status = TRACEPARENT_OK; status <= TRACEPARENT_ZERO_SPAN_ID; status++) {
        const char *text = traceparent_status_text((enum traceparent_status)status);
        assert_non_null(text);
        assert_string_not_equal(text, "unknown");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traceparent__reads_the_example_of_the_specification),
        cmocka_unit_test(test_traceparent__trims_spaces_and_tabs_only),
        cmocka_unit_test(test_traceparent__refuses_every_strict_prefix_as_too_short),
        cmocka_unit_test(test_traceparent__refuses_every_single_wrong_character),
        cmocka_unit_test(test_traceparent__never_reads_a_flipped_bit_as_the_same_ids),
        cmocka_unit_test(test_traceparent__allows_no_more_text_in_version_00),
        cmocka_unit_test(test_traceparent__reads_later_versions_by_their_first_fields),
        cmocka_unit_test(test_traceparent__refuses_version_ff),
        cmocka_unit_test(test_traceparent__refuses_ids_that_are_all_zero),
        cmocka_unit_test(test_traceparent__keeps_only_the_flags_it_knows),
        cmocka_unit_test(test_traceparent__leaves_the_result_alone_on_failure),
        cmocka_unit_test(test_traceparent__formats_as_version_00_with_known_flags),
        cmocka_unit_test(test_traceparent__names_every_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
