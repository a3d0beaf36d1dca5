#include "collector/net/net_internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const extra[] = {"rum.internal", "Dash.Example"};

static bool allowed(const char *listen, bool checked, const char *host)
{
    struct net_hosts hosts;
    assert_true(net_hosts_init(
        &hosts,
        &(struct net_options){.listen = listen, .hosts_checked = checked, .hosts = extra, .host_count = 2}));
    bool answer = net_hosts_allow(&hosts, slice_text(host));
    net_hosts_release(&hosts);
    return answer;
}

static void test_net_hosts__localhost_addresses_and_named_hosts_are_let_in(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost",     "LOCALHOST:4320",    "vitrace.localhost", "127.0.0.1",
                                       "127.0.0.1:4320", "[::1]",            "[::1]:4320",        "192.0.2.7:80",
                                       "rum.internal",  "rum.internal:4320", "RUM.INTERNAL",      "dash.example.",
                                       "bound.example:9"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!allowed("bound.example:4320", true, good[i]))
            fail_msg("'%s' was refused", good[i]);
}

static void test_net_hosts__any_other_name_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"evil.example",       "evil.example:4320", "localhost.evil.example",
                                      "127.0.0.1.evil.example", "notlocalhost",  "rum.internal.evil.example",
                                      "xrum.internal",      "",                  ":4320",
                                      ".",                  "[::1",              "[]",
                                      "127.0.0.1@evil.example", "0x7f.1",        "2130706433"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (allowed("127.0.0.1:4320", true, bad[i]) || allowed(":4320", true, bad[i]))
            fail_msg("'%s' was let in", bad[i]);
    assert_false(allowed("unix:/run/vitrace/admin.sock", true, "unix")); /* is no name */
    assert_true(allowed("unix:/run/vitrace/admin.sock", true, "rum.internal"));
    char long_name[400];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_false(allowed("127.0.0.1:4320", true, long_name));
}

static void test_net_hosts__nothing_is_refused_where_names_are_not_checked(void **state)
{
    (void)state;
    assert_true(allowed("127.0.0.1:4320", false, "evil.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_hosts__localhost_addresses_and_named_hosts_are_let_in),
        cmocka_unit_test(test_net_hosts__any_other_name_is_refused),
        cmocka_unit_test(test_net_hosts__nothing_is_refused_where_names_are_not_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
