#include "collector/app_notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char name[64];
static const char *value;

static const char *environment(const char *wanted)
{
    return strcmp(wanted, "NOTIFY_SOCKET") == 0 ? value : NULL;
}

/* The manager's end. */
static int bind_manager(bool is_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, is_abstract ? "@app_notify_test.%d" : "/tmp/app_notify_test.%d", (int)getpid());
    memcpy(address.sun_path, name, strlen(name));
    if (is_abstract)
        address.sun_path[0] = '\0';
    int file = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(
        bind(file, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
    value = name;
    return file;
}

static void expect_heard(int manager, const char *beginning)
{
    char text[256];
    ssize_t size = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(size > 0);
    text[size] = '\0';
    assert_memory_equal(text, beginning, strlen(beginning));
}

static void test_app_notify__tells_each_state_over_a_path_and_an_abstract_name(void **state)
{
    (void)state;
    for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
        int manager = bind_manager(is_abstract);
        int file = app_notify_open(environment);
        assert_true(file >= 0);
        app_notify_ready(file);
        expect_heard(manager, "READY=1");
        app_notify_reloading(file);
        expect_heard(manager, "RELOADING=1\nMONOTONIC_USEC=");
        app_notify_stopping(file);
        expect_heard(manager, "STOPPING=1");
        close(file);
        close(manager);
        unlink(name);
    }
}

static void test_app_notify__is_silent_when_nobody_asks_or_hears(void **state)
{
    (void)state;
    char long_path[200];
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    const char *const none[] = {NULL, "", "relative", "/nowhere/at/all", long_path};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        value = none[i];
        assert_int_equal(app_notify_open(environment), -1);
    }
    app_notify_ready(-1);
    app_notify_reloading(-1);
    app_notify_stopping(-1);
}

static void test_app_notify__a_manager_that_went_away_harms_nothing(void **state)
{
    (void)state;
    int manager = bind_manager(true);
    int file = app_notify_open(environment);
    close(manager);
    app_notify_ready(file);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_app_notify__tells_each_state_over_a_path_and_an_abstract_name),
        cmocka_unit_test(test_app_notify__is_silent_when_nobody_asks_or_hears),
        cmocka_unit_test(test_app_notify__a_manager_that_went_away_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
