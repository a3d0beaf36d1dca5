/* nanopb's bounds (.options) and limits.h say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/beacon_encode.h"
#include "proto/wire/ids.h"
#include "proto/wire/limits.h"

#define COUNT(type, member) (sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]))

static void test_limits__equal_the_bounds_of_the_schema(void **state)
{
    (void)state;
    assert_int_equal(COUNT(vitrace_v1_Resource, claims), BEACON_CLAIMS_MAX);
    assert_int_equal(COUNT(vitrace_v1_Call, claims), BEACON_CLAIMS_MAX);
    assert_int_equal(COUNT(vitrace_v1_Navigation, claims), BEACON_CLAIMS_MAX + 1); /* and the meta tag's */
    assert_int_equal(COUNT(vitrace_v1_Resource, server_timings), BEACON_SERVER_TIMINGS_MAX);
    assert_int_equal(COUNT(vitrace_v1_Navigation, server_timings), BEACON_SERVER_TIMINGS_MAX);
    assert_int_equal(COUNT(vitrace_v1_CustomEvent, attributes), BEACON_ATTRIBUTES_MAX);
    assert_int_equal(COUNT(vitrace_v1_LongAnimationFrame, scripts), BEACON_FRAME_SCRIPTS_MAX);
    assert_int_equal(sizeof(((vitrace_v1_Header *)0)->view_id), VIEW_ID_BYTES);
    assert_int_equal(sizeof(((vitrace_v1_Claim *)0)->trace_id), TRACE_ID_BYTES);
}

static void test_limits__let_any_record_fit_a_segment(void **state)
{
    (void)state;
    assert_true(vitrace_v1_Header_size + RECORD_PREFIX_BYTES_MAX < BEACON_BYTES_MAX / 4);
    assert_true(vitrace_v1_Navigation_size < 16383 && vitrace_v1_LongAnimationFrame_size < 16383);
    assert_true(BEACON_STRING_BYTES_MAX < 16383);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits__equal_the_bounds_of_the_schema),
        cmocka_unit_test(test_limits__let_any_record_fit_a_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
