#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char path[64];
    int folder;
};

static int set_up(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    snprintf(self->path, sizeof self->path, "/tmp/vitrace-os-XXXXXX");
    assert_non_null(mkdtemp(self->path));
    self->folder = os_posix()->open(NULL, AT_FDCWD, self->path, O_RDONLY | O_DIRECTORY, 0);
    assert_true(self->folder >= 0);
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *self = *state;
    os_posix()->unlink(NULL, self->folder, "a");
    os_posix()->unlink(NULL, self->folder, "b");
    unlinkat(self->folder, "inner", AT_REMOVEDIR);
    assert_int_equal(os_posix()->close(NULL, self->folder), 0);
    assert_int_equal(rmdir(self->path), 0);
    free(self);
    return 0;
}

static void test_os_posix__writes_parts_at_an_offset_and_reads_them_back(void **state)
{
    struct fixture *self = *state;
    const struct os *os = os_posix();
    int file = os->open(NULL, self->folder, "a", O_RDWR | O_CREAT, 0600);
    assert_true(file >= 0);
    assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    struct iovec parts[2] = {{(void *)(uintptr_t) "abc", 3}, {(void *)(uintptr_t) "de", 2}};
    char back[8] = "";
    assert_int_equal(os->fallocate(NULL, file, 0, 4096), 0);
    assert_int_equal(os->file_size(NULL, file), 4096);
    assert_int_equal(os->pwritev(NULL, file, parts, 2, 10), 5);
    assert_int_equal(os->fdatasync(NULL, file), 0);
    assert_int_equal(os->pread(NULL, file, back, sizeof back, 9), 8);
    assert_memory_equal(back, "\0abcde\0\0", 8);
    assert_int_equal(os->ftruncate(NULL, file, 12), 0);
    assert_int_equal(os->pread(NULL, file, back, sizeof back, 10), 2);
    assert_int_equal(os->pread(NULL, file, back, sizeof back, 12), 0);
    assert_int_equal(os->close(NULL, file), 0);
    assert_int_equal(os->close(NULL, file), -1);
    assert_int_equal(errno, EBADF);
}

static int collect(void *visitor, const char *name)
{
    strcat(visitor, name);
    return name[0] == 'b' ? 7 : 0;
}

static void test_os_posix__lists_names_and_stops_when_told(void **state)
{
    struct fixture *self = *state;
    const struct os *os = os_posix();
    char names[64] = "";
    assert_int_equal(os->list(NULL, self->folder, collect, names), 0);
    assert_string_equal(names, "");
    os->close(NULL, os->open(NULL, self->folder, "a", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 2; i++) { /* a listing does not use up the folder's descriptor */
        names[0] = '\0';
        assert_int_equal(os->list(NULL, self->folder, collect, names), 0);
        assert_string_equal(names, "a");
    }
    assert_int_equal(os->rename(NULL, self->folder, "a", "b"), 0);
    assert_int_equal(os->list(NULL, self->folder, collect, names), 7);
    assert_string_equal(names, "ab");
    assert_int_equal(os->fsync(NULL, self->folder), 0);
    assert_int_equal(os->list(NULL, -1, collect, names), -1);
    assert_int_equal(errno, EBADF);
}

static void test_os_posix__a_second_lock_is_refused_until_the_first_is_closed(void **state)
{
    struct fixture *self = *state;
    const struct os *os = os_posix();
    int other = os->open(NULL, self->folder, ".", O_RDONLY | O_DIRECTORY, 0);
    int third = os->open(NULL, self->folder, ".", O_RDONLY | O_DIRECTORY, 0);
    assert_int_equal(os->lock(NULL, other), 0);
    assert_int_equal(os->lock(NULL, third), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    os->close(NULL, other);
    assert_int_equal(os->lock(NULL, third), 0);
    os->close(NULL, third);
}

static void test_os_posix__tells_disk_time_and_random(void **state)
{
    struct fixture *self = *state;
    const struct os *os = os_posix();
    uint8_t one[32] = {0}, two[32] = {0};
    assert_true(os->disk_free(NULL, self->folder) > 0);
    assert_int_equal(os->disk_free(NULL, -1), -1);
    assert_int_equal(os->file_size(NULL, -1), -1);
    assert_true(os->unix_us(NULL) > 1700000000000000u);
    uint64_t before = os->mono_us(NULL);
    assert_true(os->mono_us(NULL) >= before);
    assert_int_equal(os->random(NULL, one, sizeof one), 0);
    assert_int_equal(os->random(NULL, two, sizeof two), 0);
    assert_memory_not_equal(one, two, sizeof one);
    assert_int_equal(os->mkdir(NULL, self->folder, "inner", 0700), 0);
    assert_int_equal(os->mkdir(NULL, self->folder, "inner", 0700), -1);
    assert_int_equal(errno, EEXIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_os_posix__writes_parts_at_an_offset_and_reads_them_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_os_posix__lists_names_and_stops_when_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_os_posix__a_second_lock_is_refused_until_the_first_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_os_posix__tells_disk_time_and_random, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
