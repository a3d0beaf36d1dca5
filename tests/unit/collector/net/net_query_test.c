#include "collector/net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(const char *query, const char *name, const char *value)
{
    char out[16];
    int size = net_query_find(slice_text(query), name, out, sizeof out);
    if (value == NULL) {
        assert_int_equal(size, -1);
        return;
    }
    assert_int_equal(size, strlen(value));
    assert_string_equal(out, value);
}

static void test_net_query__finds_decodes_and_takes_the_first(void **state)
{
    (void)state;
    expect("app=shop", "app", "shop");
    expect("a=1&app=shop&app=other", "app", "shop");
    expect("app=a%2Fb+c", "app", "a/b c");
    expect("app=", "app", "");
    expect("app", "app", "");
    expect("xapp=1&app=2", "app", "2");
    expect("a=b=c", "a", "b=c");
}

static void test_net_query__absent_malformed_and_too_long_are_minus_one(void **state)
{
    (void)state;
    char out[4];
    expect("", "app", NULL);
    expect("ap=1", "app", NULL);
    expect("app=%4", "app", NULL);
    expect("app=%", "app", NULL);
    expect("app=%zz", "app", NULL);
    assert_int_equal(net_query_find(slice_text("a=123"), "a", out, sizeof out), 3);
    assert_int_equal(net_query_find(slice_text("a=1234"), "a", out, sizeof out), -1);
    assert_int_equal(net_query_find(slice_of(NULL, 0), "a", out, sizeof out), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_query__finds_decodes_and_takes_the_first),
        cmocka_unit_test(test_net_query__absent_malformed_and_too_long_are_minus_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
