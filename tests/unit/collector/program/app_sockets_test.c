#include "collector/app_sockets.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *pid_text, *fds_text, *names_text;
static char own_pid[16];

static const char *environment(const char *name)
{
    return strcmp(name, "LISTEN_PID") == 0       ? pid_text
           : strcmp(name, "LISTEN_FDS") == 0     ? fds_text
           : strcmp(name, "LISTEN_FDNAMES") == 0 ? names_text
                                                 : NULL;
}

/* Descriptors 3 and 4 listen, 5 does not. */
static int open_sockets(void **state)
{
    (void)state;
    snprintf(own_pid, sizeof own_pid, "%d", (int)getpid());
    for (int want = 3; want <= 5; want++) {
        int file = socket(AF_INET, SOCK_STREAM, 0);
        if (want < 5 && listen(file, 1) != 0)
            return -1;
        if (file != want) {
            dup2(file, want);
            close(file);
        }
    }
    return 0;
}

static int find(const char *pid, const char *fds, const char *names, const char *name)
{
    pid_text = pid;
    fds_text = fds;
    names_text = names;
    return app_sockets_find(name, environment);
}

static void test_app_sockets__are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(find(own_pid, "2", "listen:otlp_http", "listen"), 3);
    assert_int_equal(find(own_pid, "2", "listen:otlp_http", "otlp_http"), 4);
    assert_int_equal(find(own_pid, "2", "otlp_http:listen", "listen"), 4);
    assert_int_equal(find(own_pid, "2", "listen:listen", "listen"), 3);
    assert_int_equal(find(own_pid, "2", ":listen", "listen"), 4);
}

static void test_app_sockets__that_are_not_meant_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(find(NULL, NULL, NULL, "listen"), 0);
    assert_int_equal(find("1", "2", "listen:otlp_http", "listen"), 0); /* of another process */
    assert_int_equal(find(own_pid, "2", NULL, "listen"), 0);
    assert_int_equal(find(own_pid, "2", "listener:otlp_http", "listen"), 0);
    assert_int_equal(find(own_pid, "2", "liste:x", "listen"), 0);
    assert_int_equal(find(own_pid, "1", "x:listen", "listen"), 0); /* beyond the count */
    assert_int_equal(find(own_pid, "-1", "listen", "listen"), 0);
    assert_int_equal(find(own_pid, "1x", "listen", "listen"), 0);
    assert_int_equal(find(own_pid, "17", "listen", "listen"), 0);
    assert_int_equal(find(own_pid, "99999999999999999999", "listen", "listen"), 0);
    assert_int_equal(find(own_pid, "3", "x:y:listen", "listen"), 0); /* does not listen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_app_sockets__are_found_by_name),
        cmocka_unit_test(test_app_sockets__that_are_not_meant_are_left_alone),
    };
    return cmocka_run_group_tests(tests, open_sockets, NULL);
}
