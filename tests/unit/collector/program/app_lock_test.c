#include "collector/app_lock.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char error[512];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/app_lock_test.XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/lock", folder);
    unlink(path);
    return rmdir(folder);
}

static void test_app_lock__a_second_one_is_refused_and_told_what_would_wait(void **state)
{
    (void)state;
    int first = app_lock_take(folder, 0, error, sizeof error);
    assert_true(first >= 0);
    assert_int_equal(app_lock_take(folder, 0, error, sizeof error), -1);
    assert_non_null(strstr(error, folder));
    assert_non_null(strstr(error, "lock_wait_seconds"));
    close(first);
    int second = app_lock_take(folder, 0, error, sizeof error);
    assert_true(second >= 0);
    close(second);
}

static void *release_later(void *file)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    close(*(int *)file);
    return NULL;
}

static void test_app_lock__waits_for_the_first_to_leave(void **state)
{
    (void)state;
    pthread_t thread;
    int first = app_lock_take(folder, 0, error, sizeof error);
    pthread_create(&thread, NULL, release_later, &first);
    int second = app_lock_take(folder, 60000, error, sizeof error);
    assert_true(second >= 0);
    pthread_join(thread, NULL);
    close(second);
}

static void test_app_lock__gives_up_when_the_time_is_over(void **state)
{
    (void)state;
    int first = app_lock_take(folder, 0, error, sizeof error);
    assert_int_equal(app_lock_take(folder, 10, error, sizeof error), -1);
    close(first);
}

static void test_app_lock__gives_up_when_told_to_end_and_leaves_the_signal(void **state)
{
    (void)state;
    sigset_t ending;
    int number = 0;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    int first = app_lock_take(folder, 0, error, sizeof error);
    raise(SIGTERM);
    assert_int_equal(app_lock_take(folder, 60000, error, sizeof error), -1);
    assert_non_null(strstr(error, "told to end"));
    assert_int_equal(sigwait(&ending, &number), 0);
    assert_int_equal(number, SIGTERM);
    close(first);
}

static void test_app_lock__a_folder_that_cannot_be_is_named(void **state)
{
    (void)state;
    assert_int_equal(app_lock_take("/nowhere/at/all", 0, error, sizeof error), -1);
    assert_non_null(strstr(error, "/nowhere/at/all"));
    assert_int_equal(app_lock_take("/proc", 0, error, sizeof error), -1);
    assert_non_null(strstr(error, "/proc/lock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_app_lock__a_second_one_is_refused_and_told_what_would_wait),
        cmocka_unit_test(test_app_lock__waits_for_the_first_to_leave),
        cmocka_unit_test(test_app_lock__gives_up_when_the_time_is_over),
        cmocka_unit_test(test_app_lock__gives_up_when_told_to_end_and_leaves_the_signal),
        cmocka_unit_test(test_app_lock__a_folder_that_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
