/* beacon_encode.c, beacon_decode.c and beacon_validate.c together: what one writes the others read, or refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "proto/wire/beacon_decode.h"
#include "proto/wire/beacon_encode.h"

struct sample {
    uint8_t bytes[BEACON_BYTES_MAX];
    size_t size;
};

static void sample_add(struct sample *self, uint32_t field, const pb_msgdesc_t *fields, const void *message)
{
    size_t size = beacon_encode_message(self->bytes + self->size, sizeof self->bytes - self->size, field, fields, message);
    assert_true(size > 0);
    self->size += size;
}

static void sample_add_text(struct sample *self, const char *text)
{
    size_t size = beacon_encode_string(self->bytes + self->size, sizeof self->bytes - self->size, slice_text(text));
    assert_true(size > 0);
    self->size += size;
}

static vitrace_v1_Header sample_header(void)
{
    vitrace_v1_Header header = vitrace_v1_Header_init_default;
    header.schema_version = VITRACE_SCHEMA_VERSION;
    strcpy(header.app, "shop");
    memset(header.view_id, 1, sizeof header.view_id);
    memset(header.session_id, 2, sizeof header.session_id);
    header.seq = 3;
    return header;
}

static vitrace_v1_Resource sample_resource(void)
{
    vitrace_v1_Resource r = vitrace_v1_Resource_init_default;
    r.name_ref = 1;
    r.start_us = 1234567;
    r.request_start_us = 1000;
    r.response_start_us = 21000;
    r.response_end_us = 22000;
    r.transfer_size = 1300;
    r.encoded_body_size = 1000;
    r.initiator_type = vitrace_v1_InitiatorType_INITIATOR_TYPE_FETCH;
    r.response_status = 200;
    r.claims_count = 1;
    memset(r.claims[0].trace_id, 9, 16);
    memset(r.claims[0].span_id, 8, 8);
    r.claims[0].trace_flags = 1;
    r.claims[0].source = vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACEPARENT;
    r.server_timings_count = 1;
    r.server_timings[0].name_ref = 2;
    r.server_timings[0].duration_ms = 12.5;
    return r;
}

static void sample_fill(struct sample *self)
{
    vitrace_v1_Header header = sample_header();
    vitrace_v1_Resource resource = sample_resource();
    vitrace_v1_Vital vital = vitrace_v1_Vital_init_default;
    vital.metric = vitrace_v1_Metric_METRIC_LCP;
    vital.state = vitrace_v1_VitalState_VITAL_STATE_MEASURED;
    vital.value = 812.3000000119209;
    self->size = 0;
    sample_add(self, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    sample_add_text(self, "http://a.example/x");
    sample_add_text(self, "db");
    self->size += beacon_encode_resource(self->bytes + self->size, sizeof self->bytes - self->size, &resource);
    sample_add(self, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &vital);
    sample_add(self, BEACON_FIELD_ELEMENT_TIMING, vitrace_v1_ElementTiming_fields,
               &(vitrace_v1_ElementTiming){.identifier_ref = 2, .start_us = 120250, .size = 5000});
    sample_add(self, BEACON_FIELD_CUSTOM_METRIC, vitrace_v1_CustomMetric_fields,
               &(vitrace_v1_CustomMetric){.value = 42.5, .attributes_count = 1});
}

static enum beacon_status sample_validate(const struct sample *self)
{
    struct beacon_summary summary;
    return beacon_validate(slice_of(self->bytes, self->size), &summary);
}

static void test_beacon__reads_back_what_it_wrote(void **state)
{
    (void)state;
    static struct sample sample;
    sample_fill(&sample);
    struct beacon_summary summary;
    assert_int_equal(beacon_validate(slice_of(sample.bytes, sample.size), &summary), BEACON_OK);
    assert_string_equal(summary.header.app, "shop");
    assert_int_equal(summary.header.seq, 3);
    assert_int_equal(summary.strings, 2);
    assert_int_equal(summary.records, 7);
    static struct beacon_strings strings;
    beacon_strings_init(&strings, slice_of(sample.bytes, sample.size));
    assert_true(slice_equal(beacon_strings_find(&strings, 1), slice_text("http://a.example/x")));
    assert_int_equal(beacon_strings_find(&strings, 3).size, 0);
    struct beacon_reader reader = beacon_reader_of(slice_of(sample.bytes, sample.size));
    struct beacon_record record;
    bool seen = false;
    while (beacon_reader_next(&reader, &record)) {
        if (record.field != BEACON_FIELD_RESOURCE)
            continue;
        vitrace_v1_Resource got, want = sample_resource();
        assert_true(beacon_decode_resource(record.body, &got));
        assert_true(got.start_us == want.start_us && got.response_end_us == want.response_end_us);
        assert_memory_equal(got.claims[0].trace_id, want.claims[0].trace_id, 16);
        assert_true(got.server_timings[0].duration_ms == 12.5);
        seen = true;
    }
    assert_true(seen);
}

static void test_beacon__keeps_every_bit_of_a_vital(void **state)
{
    (void)state;
    static struct sample sample;
    sample_fill(&sample);
    struct beacon_reader reader = beacon_reader_of(slice_of(sample.bytes, sample.size));
    struct beacon_record record;
    while (beacon_reader_next(&reader, &record)) {
        if (record.field == BEACON_FIELD_VITAL) {
            vitrace_v1_Vital vital;
            assert_true(beacon_decode_message(record.body, vitrace_v1_Vital_fields, &vital));
            assert_true(vital.value == 812.3000000119209);
        }
    }
}

static void test_beacon__refuses_every_prefix_that_ends_inside_a_record(void **state)
{
    (void)state;
    static struct sample sample;
    sample_fill(&sample);
    size_t whole = sample.size;
    unsigned boundaries = 0;
    for (size_t size = 0; size < whole; size++) {
        struct beacon_summary summary;
        enum beacon_status status = beacon_validate(slice_of(sample.bytes, size), &summary);
        if (size == 0)
            assert_int_equal(status, BEACON_EMPTY);
        else if (status != BEACON_TRUNCATED)
            boundaries++; /* between records: valid, or a reference whose string was cut away */
    }
    assert_int_equal(boundaries, 6);
}

static void test_beacon__survives_every_bit_flip(void **state)
{
    (void)state;
    static struct sample sample;
    sample_fill(&sample);
    unsigned refused = 0;
    for (size_t bit = 0; bit < sample.size * 8; bit++) {
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused += sample_validate(&sample) != BEACON_OK;
        sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(refused > 0);
    assert_int_equal(sample_validate(&sample), BEACON_OK);
}

static void test_beacon__needs_exactly_one_header_of_its_version(void **state)
{
    (void)state;
    static struct sample sample;
    sample.size = 0;
    sample_add_text(&sample, "x");
    assert_int_equal(sample_validate(&sample), BEACON_NO_HEADER);
    vitrace_v1_Header header = sample_header();
    sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    assert_int_equal(sample_validate(&sample), BEACON_OK);
    sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    assert_int_equal(sample_validate(&sample), BEACON_NO_HEADER);
    header.schema_version = 2;
    sample.size = 0;
    sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    assert_int_equal(sample_validate(&sample), BEACON_BAD_VERSION);
}

static void test_beacon__takes_only_well_formed_apps_and_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "Shop", "-shop", "a b", "../x", "sh\"op"};
    static struct sample sample;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        vitrace_v1_Header header = sample_header();
        strcpy(header.app, bad[i]);
        sample.size = 0;
        sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
        assert_int_equal(sample_validate(&sample), BEACON_BAD_HEADER);
    }
    vitrace_v1_Header header = sample_header();
    memset(header.view_id, 0, sizeof header.view_id);
    sample.size = 0;
    sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    assert_int_equal(sample_validate(&sample), BEACON_BAD_HEADER);
}

static void test_beacon__refuses_references_past_the_dictionary(void **state)
{
    (void)state;
    static struct sample sample;
    sample_fill(&sample);
    vitrace_v1_Paint paint = {.name_ref = 3};
    sample_add(&sample, BEACON_FIELD_PAINT, vitrace_v1_Paint_fields, &paint);
    assert_int_equal(sample_validate(&sample), BEACON_BAD_REFERENCE);
    sample_add_text(&sample, "first-paint"); /* the dictionary may follow its users */
    assert_int_equal(sample_validate(&sample), BEACON_OK);
}

/* Every reference of the records that are checked by a table, one by one: each must be looked at. */
static void test_beacon__refuses_each_reference_of_the_plain_records(void **state)
{
    (void)state;
#define REF(number, type, member)                                                                                      \
    {                                                                                                                  \
        BEACON_FIELD_##number, vitrace_v1_##type##_fields, &(vitrace_v1_##type){.member = 3},                          \
            &(vitrace_v1_##type){.member = 2}                                                                          \
    }
    const struct {
        uint32_t field;
        const pb_msgdesc_t *fields;
        const void *bad, *good;
    } cases[] = {REF(EVENT, EventTiming, name_ref),
                 REF(EVENT, EventTiming, target_ref),
                 REF(USER_TIMING, UserTiming, name_ref),
                 REF(LONG_TASK, LongTask, name_ref),
                 REF(PAINT, Paint, name_ref),
                 REF(LARGEST_CONTENTFUL_PAINT, LargestContentfulPaint, url_ref),
                 REF(LARGEST_CONTENTFUL_PAINT, LargestContentfulPaint, target_ref),
                 REF(ERROR, ErrorEvent, type_ref),
                 REF(ERROR, ErrorEvent, message_ref),
                 REF(ERROR, ErrorEvent, stack_ref),
                 REF(ERROR, ErrorEvent, source_ref),
                 REF(ELEMENT_TIMING, ElementTiming, name_ref),
                 REF(ELEMENT_TIMING, ElementTiming, identifier_ref),
                 REF(ELEMENT_TIMING, ElementTiming, url_ref),
                 REF(ELEMENT_TIMING, ElementTiming, target_ref),
                 REF(SOFT_NAVIGATION, SoftNavigation, name_ref),
                 REF(INTERACTION_CONTENTFUL_PAINT, InteractionContentfulPaint, url_ref),
                 REF(INTERACTION_CONTENTFUL_PAINT, InteractionContentfulPaint, target_ref),
                 REF(NOT_RESTORED_REASON, NotRestoredReason, reason_ref),
                 REF(NOT_RESTORED_REASON, NotRestoredReason, url_ref),
                 REF(CLICK_PATTERN, ClickPattern, target_ref),
                 REF(CUSTOM_METRIC, CustomMetric, name_ref),
                 REF(CUSTOM_METRIC, CustomMetric, unit_ref)};
#undef REF
    static struct sample sample;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_fill(&sample); /* with two strings */
        sample_add(&sample, cases[i].field, cases[i].fields, cases[i].good);
        assert_int_equal(sample_validate(&sample), BEACON_OK);
        sample_add(&sample, cases[i].field, cases[i].fields, cases[i].bad);
        assert_int_equal(sample_validate(&sample), BEACON_BAD_REFERENCE);
    }
}

static void test_beacon__refuses_a_metric_without_a_finite_value(void **state)
{
    (void)state;
    static struct sample sample;
    vitrace_v1_CustomMetric metric = {.value = -1e300, .attributes_count = 1};
    sample_fill(&sample);
    sample_add(&sample, BEACON_FIELD_CUSTOM_METRIC, vitrace_v1_CustomMetric_fields, &metric);
    assert_int_equal(sample_validate(&sample), BEACON_OK);
    metric.attributes[0].number = INFINITY;
    sample_add(&sample, BEACON_FIELD_CUSTOM_METRIC, vitrace_v1_CustomMetric_fields, &metric);
    assert_int_equal(sample_validate(&sample), BEACON_OUT_OF_RANGE);
    sample_fill(&sample);
    metric.value = NAN;
    sample_add(&sample, BEACON_FIELD_CUSTOM_METRIC, vitrace_v1_CustomMetric_fields, &metric);
    assert_int_equal(sample_validate(&sample), BEACON_OUT_OF_RANGE);
}

static void test_beacon__every_known_field_is_bytes_and_the_next_is_unknown(void **state)
{
    (void)state;
    static struct sample sample;
    for (unsigned field = 1; field <= BEACON_FIELD_LAST + 1; field++) {
        sample_fill(&sample);
        sample.bytes[sample.size++] = (uint8_t)(field << 3 | (field > 15 ? 0x80 : 0)); /* a varint */
        if (field > 15)
            sample.bytes[sample.size++] = (uint8_t)(field >> 4);
        sample.bytes[sample.size++] = 1;
        assert_int_equal(sample_validate(&sample), field > BEACON_FIELD_LAST ? BEACON_OK : BEACON_MALFORMED);
    }
}

static void test_beacon__refuses_strings_that_are_not_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"};
    static const char *const good[] = {"", "é", "€", "😀", "a\x7f"};
    static struct sample sample;
    vitrace_v1_Header header = sample_header();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sample.size = 0;
        sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
        sample_add_text(&sample, bad[i]);
        assert_int_equal(sample_validate(&sample), BEACON_BAD_STRING);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        sample.size = 0;
        sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
        sample_add_text(&sample, good[i]);
        assert_int_equal(sample_validate(&sample), BEACON_OK);
    }
}

static void test_beacon__refuses_values_that_no_browser_produces(void **state)
{
    (void)state;
    static const double bad[] = {NAN, INFINITY, -1.0, 600000.5};
    static struct sample sample;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sample_fill(&sample);
        vitrace_v1_Vital vital = {.metric = vitrace_v1_Metric_METRIC_INP, .value = bad[i]};
        sample_add(&sample, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &vital);
        assert_int_equal(sample_validate(&sample), BEACON_OUT_OF_RANGE);
    }
}

static void test_beacon__skips_fields_it_does_not_know(void **state)
{
    (void)state;
    static struct sample sample;
    sample_fill(&sample);
    static const uint8_t unknown[] = {0xa2, 0x06, 3, 'n', 'e', 'w', 0xa8, 0x06, 1};
    memcpy(sample.bytes + sample.size, unknown, sizeof unknown);
    sample.size += sizeof unknown;
    assert_int_equal(sample_validate(&sample), BEACON_OK);
}

static void test_beacon__holds_its_limits_one_past(void **state)
{
    (void)state;
    static struct sample sample;
    static uint8_t large[BEACON_BYTES_MAX + 1];
    struct beacon_summary summary;
    assert_int_equal(beacon_validate(slice_of(large, sizeof large), &summary), BEACON_TOO_LARGE);
    vitrace_v1_Header header = sample_header();
    sample.size = 0;
    sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    for (unsigned i = 0; i < BEACON_STRINGS_MAX; i++)
        sample_add_text(&sample, "s");
    assert_int_equal(sample_validate(&sample), BEACON_OK);
    sample_add_text(&sample, "s");
    assert_int_equal(sample_validate(&sample), BEACON_TOO_LARGE);
    static char text[BEACON_STRING_BYTES_MAX + 2];
    memset(text, 'x', BEACON_STRING_BYTES_MAX + 1);
    sample.size = 0;
    sample_add(&sample, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    sample_add_text(&sample, text);
    assert_int_equal(sample_validate(&sample), BEACON_BAD_STRING);
}

static void test_beacon__writes_nothing_into_too_little_room(void **state)
{
    (void)state;
    vitrace_v1_Resource resource = sample_resource();
    uint8_t whole[256], part[256];
    size_t size = beacon_encode_resource(whole, sizeof whole, &resource);
    assert_true(size > 0);
    for (size_t room = 0; room < size; room++) {
        memset(part, 0xee, sizeof part);
        assert_int_equal(beacon_encode_resource(part, room, &resource), 0);
        assert_int_equal(part[room], 0xee);
    }
    assert_int_equal(beacon_encode_resource(part, size, &resource), size);
    assert_memory_equal(part, whole, size);
}

static void test_beacon__writes_golden_bytes(void **state)
{
    (void)state;
    vitrace_v1_Paint paint = {.name_ref = 1, .start_us = 1000};
    uint8_t out[16];
    size_t size = beacon_encode_message(out, sizeof out, BEACON_FIELD_PAINT, vitrace_v1_Paint_fields, &paint);
    static const uint8_t want[] = {0x4a, 0x85, 0x00, 0x08, 0x01, 0x10, 0xe8, 0x07};
    assert_int_equal(size, sizeof want);
    assert_memory_equal(out, want, sizeof want);
}

static void test_beacon__undoes_left_out_phases(void **state)
{
    (void)state;
    vitrace_v1_Resource r = vitrace_v1_Resource_init_default;
    r.fetch_start_us = 40;
    r.connect_start_us = 90;
    struct beacon_phases phases;
    beacon_phases_of_resource(&r, &phases);
    assert_true(phases.domain_lookup_start_us == 40 && phases.domain_lookup_end_us == 40);
    assert_true(phases.connect_start_us == 90 && phases.connect_end_us == 90);
}

static void test_beacon__finds_the_key_that_the_header_has_in_every_prefix_that_holds_it(void **state)
{
    (void)state;
    static struct sample sample;
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    uint8_t view_id[16];
    uint32_t seq;
    sample_fill(&sample);
    struct slice bytes = slice_of(sample.bytes, sample.size);
    assert_true(beacon_find_header(bytes, &header));
    assert_true(beacon_find_key(bytes, view_id, &seq));
    assert_memory_equal(view_id, header.view_id, sizeof view_id);
    assert_int_equal(seq, header.seq);
    for (size_t size = 0; size < sample.size; size++) {
        uint8_t *prefix = malloc(size + 1);
        memcpy(prefix, sample.bytes, size);
        bool known = beacon_find_header(slice_of(prefix, size), &(vitrace_v1_Header){.seq = 0});
        assert_int_equal(beacon_find_key(slice_of(prefix, size), view_id, &seq), known);
        free(prefix);
    }
    assert_false(beacon_find_key(slice_of(NULL, 0), view_id, &seq));
}

/* Two bad resources behind a good sample: one refers past the dictionary, the other begins in a year that never comes. */
static void sample_add_bad(struct sample *self, bool reference_first)
{
    vitrace_v1_Resource reference = sample_resource(), range = sample_resource();
    reference.name_ref = 3;
    range.start_us = UINT64_MAX;
    const vitrace_v1_Resource *order[] = {reference_first ? &reference : &range, reference_first ? &range : &reference};
    sample_fill(self);
    for (unsigned i = 0; i < 2; i++)
        self->size += beacon_encode_resource(self->bytes + self->size, sizeof self->bytes - self->size, order[i]);
}

static void test_beacon__of_several_faults_the_first_is_told_and_the_framing_before_all(void **state)
{
    (void)state;
    struct sample sample;
    sample_add_bad(&sample, true);
    assert_int_equal(sample_validate(&sample), BEACON_BAD_REFERENCE);
    sample_add_text(&sample, "a third string, behind the record that refers to it");
    assert_int_equal(sample_validate(&sample), BEACON_OUT_OF_RANGE);
    sample_add_bad(&sample, false);
    assert_int_equal(sample_validate(&sample), BEACON_OUT_OF_RANGE);
    sample.size--;
    assert_int_equal(sample_validate(&sample), BEACON_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beacon__reads_back_what_it_wrote),
        cmocka_unit_test(test_beacon__keeps_every_bit_of_a_vital),
        cmocka_unit_test(test_beacon__refuses_every_prefix_that_ends_inside_a_record),
        cmocka_unit_test(test_beacon__survives_every_bit_flip),
        cmocka_unit_test(test_beacon__needs_exactly_one_header_of_its_version),
        cmocka_unit_test(test_beacon__takes_only_well_formed_apps_and_ids),
        cmocka_unit_test(test_beacon__refuses_references_past_the_dictionary),
        cmocka_unit_test(test_beacon__refuses_each_reference_of_the_plain_records),
        cmocka_unit_test(test_beacon__refuses_a_metric_without_a_finite_value),
        cmocka_unit_test(test_beacon__every_known_field_is_bytes_and_the_next_is_unknown),
        cmocka_unit_test(test_beacon__refuses_strings_that_are_not_utf8),
        cmocka_unit_test(test_beacon__refuses_values_that_no_browser_produces),
        cmocka_unit_test(test_beacon__skips_fields_it_does_not_know),
        cmocka_unit_test(test_beacon__holds_its_limits_one_past),
        cmocka_unit_test(test_beacon__writes_nothing_into_too_little_room),
        cmocka_unit_test(test_beacon__writes_golden_bytes),
        cmocka_unit_test(test_beacon__undoes_left_out_phases),
        cmocka_unit_test(test_beacon__finds_the_key_that_the_header_has_in_every_prefix_that_holds_it),
        cmocka_unit_test(test_beacon__of_several_faults_the_first_is_told_and_the_framing_before_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
