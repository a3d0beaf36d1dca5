#include "collector/sinks/sinks_internal.h"
#include "tests/support/beacon_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PAGE "http://127.0.0.1:8080/"

static struct sinks_request read_resource(const char *url, vitrace_v1_Resource resource)
{
    static struct beacon_builder builder;
    vitrace_v1_Header header = beacon_builder_header(1, 0);
    beacon_builder_init(&builder, &header);
    resource.name_ref = beacon_builder_string(&builder, url);
    beacon_builder_add(&builder, BEACON_FIELD_RESOURCE, vitrace_v1_Resource_fields, &resource);
    struct beacon_strings strings;
    beacon_strings_init(&strings, beacon_builder_bytes(&builder));
    struct beacon_reader reader = beacon_reader_of(beacon_builder_bytes(&builder));
    struct beacon_record record;
    struct sinks_request request;
    bool found = false;
    while (beacon_reader_next(&reader, &record))
        found |= sinks_request_read(&request, &record, &strings, slice_text(PAGE));
    assert_true(found);
    return request;
}

static vitrace_v1_Resource hidden(void)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    resource.absent_phases =
        vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START | vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START;
    return resource;
}

static void test_sinks_request__a_plain_response_has_no_flags(void **state)
{
    (void)state;
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    resource.transfer_size = 300;
    resource.encoded_body_size = 200;
    resource.response_status = 200;
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, 0);
}

static void test_sinks_request__a_body_without_a_transfer_came_from_the_cache_unless_a_worker_answered(void **state)
{
    (void)state;
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    resource.encoded_body_size = 200;
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, JOIN_REQUEST_CACHED);
    resource.worker_start_us = 10;
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, 0);
    resource.delivery_type = vitrace_v1_DeliveryType_DELIVERY_TYPE_CACHE; /* of a network answer, too */
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, 0);
    resource.worker_start_us = 0;
    resource.encoded_body_size = 0; /* an empty body */
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, JOIN_REQUEST_CACHED);
}

static void test_sinks_request__a_304_is_not_cached(void **state)
{
    (void)state;
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    resource.transfer_size = 300;
    resource.encoded_body_size = 9000;
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, 0);
    resource.delivery_type = vitrace_v1_DeliveryType_DELIVERY_TYPE_CACHE; /* what Chromium calls it */
    assert_int_equal(read_resource(PAGE "a", resource).row.flags, 0);
}

static void test_sinks_request__hidden_phases_mean_failed_here_and_masked_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(read_resource(PAGE "a", hidden()).row.flags, JOIN_REQUEST_FAILED);
    assert_int_equal(read_resource("http://127.0.0.1:9999/a", hidden()).row.flags, JOIN_REQUEST_MASKED);
    assert_int_equal(read_resource("https://cdn.test/a", hidden()).row.flags,
                     JOIN_REQUEST_MASKED | JOIN_REQUEST_THIRD_PARTY);
}

static struct join_id id_of(uint8_t trace, uint8_t source)
{
    struct join_id id = {.source = source};
    memset(id.trace_id, trace, sizeof id.trace_id);
    return id;
}

static void test_sinks_request__the_injected_id_always_finds_room(void **state)
{
    (void)state;
    struct sinks_request request = {0};
    for (uint8_t i = 1; i <= JOIN_IDS_MAX + 1; i++) {
        struct join_id id = id_of(i, vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE);
        sinks_request_add_ids(&request, &id, 1);
        sinks_request_add_ids(&request, &id, 1); /* once only */
    }
    assert_int_equal(request.id_count, JOIN_IDS_MAX);
    assert_int_equal(request.id[JOIN_IDS_MAX - 1].trace_id[0], JOIN_IDS_MAX);
    struct join_id injected = id_of(99, vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED);
    sinks_request_add_ids(&request, &injected, 1);
    assert_int_equal(request.id_count, JOIN_IDS_MAX);
    assert_int_equal(request.id[0].trace_id[0], 99);
    assert_int_equal(request.id[1].trace_id[0], 1);
    assert_int_equal(request.id[JOIN_IDS_MAX - 1].trace_id[0], JOIN_IDS_MAX - 1);
}

static void test_sinks_request__stored_ids_come_back(void **state)
{
    (void)state;
    struct sinks_request request = {0};
    struct join_id id[2] = {id_of(1, 2), id_of(2, 3)}, back[JOIN_IDS_MAX];
    sinks_request_add_ids(&request, id, 2);
    assert_int_equal(sinks_request_ids_read(sinks_request_ids(&request), back), 2);
    assert_memory_equal(back, id, sizeof id);
    assert_int_equal(sinks_request_ids_read(slice_of(NULL, 0), back), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sinks_request__a_plain_response_has_no_flags),
        cmocka_unit_test(test_sinks_request__a_body_without_a_transfer_came_from_the_cache_unless_a_worker_answered),
        cmocka_unit_test(test_sinks_request__a_304_is_not_cached),
        cmocka_unit_test(test_sinks_request__hidden_phases_mean_failed_here_and_masked_elsewhere),
        cmocka_unit_test(test_sinks_request__the_injected_id_always_finds_room),
        cmocka_unit_test(test_sinks_request__stored_ids_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
