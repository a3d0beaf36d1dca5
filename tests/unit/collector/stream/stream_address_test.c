/* Where listening sockets come from. TCP is also covered by every test that starts a server. */
#include "collector/stream/stream.h"
#include "tests/support/socket_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[32], path[64], listen[80], error[256];
    struct stream_address address;
};

static int setup(void **state)
{
    struct place *self = *state = calloc(1, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-address-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/s", self->folder);
    snprintf(self->listen, sizeof self->listen, "unix:%s", self->path);
    return 0;
}

static int teardown(void **state)
{
    struct place *self = *state;
    unlink(self->path);
    assert_int_equal(rmdir(self->folder), 0);
    free(self);
    return 0;
}

static int open_place(struct place *self)
{
    self->address = (struct stream_address){0};
    int file = stream_address_open(&self->address, self->listen, false, self->error, sizeof self->error);
    if (file >= 0)
        assert_int_equal(listen(file, 4), 0);
    return file;
}

static void test_address__of_a_unix_socket_is_for_owner_and_group(void **state)
{
    struct place *self = *state;
    struct stat info;
    mode_t mask = umask(0); /* whatever the mask: neither more ... */
    int file = open_place(self);
    assert_true(file >= 0);
    assert_int_equal(stat(self->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0660);
    close(file);
    stream_address_release(&self->address, self->listen);
    umask(0077); /* ... nor less */
    file = open_place(self);
    assert_int_equal(stat(self->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0660);
    umask(mask);
    close(file);
    stream_address_release(&self->address, self->listen);
    assert_int_equal(access(self->path, F_OK), -1);
}

static void test_address__of_a_dead_process_is_taken_over(void **state)
{
    struct place *self = *state;
    close(open_place(self)); /* its file stays, as after kill -9 */
    assert_int_equal(access(self->path, F_OK), 0);
    int file = open_place(self);
    assert_true(file >= 0);
    int client = socket_client_open_local(self->path);
    assert_true(client >= 0);
    close(client);
    close(file);
}

static void test_address__of_a_living_process_is_left_alone(void **state)
{
    struct place *self = *state, other = *self;
    int file = open_place(self);
    assert_int_equal(open_place(&other), -1);
    assert_non_null(strstr(other.error, "another process listens on it"));
    assert_int_equal(access(self->path, F_OK), 0);
    close(file);
}

static void test_address__of_another_kind_of_file_is_left_alone(void **state)
{
    struct place *self = *state;
    FILE *file = fopen(self->path, "w");
    fclose(file);
    assert_int_equal(open_place(self), -1);
    assert_non_null(strstr(self->error, "a file of another kind"));
    assert_int_equal(access(self->path, F_OK), 0);
}

static void test_address__that_somebody_has_taken_over_is_not_removed(void **state)
{
    struct place *self = *state, other = *self;
    close(open_place(self));
    usleep(20000); /* more than the file system's clock is coarse */
    int file = open_place(&other);
    assert_true(file >= 0);
    stream_address_release(&self->address, self->listen);
    assert_int_equal(access(self->path, F_OK), 0);
    stream_address_release(&other.address, other.listen);
    assert_int_equal(access(self->path, F_OK), -1);
    close(file);
}

static void test_address__says_what_is_wrong(void **state)
{
    static const struct {
        const char *listen, *why;
    } rows[] = {{"unix:", "is not unix:/PATH"},
                {"unix:run/s", "is not unix:/PATH"},
                {"unix:/no-such-folder/s", "No such file or directory"},
                {"4319", "is neither HOST:PORT"},
                {"127.0.0.1:70000", "is neither HOST:PORT"},
                {"::1:4319", "is neither HOST:PORT"}};
    struct place *self = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int file = stream_address_open(&self->address, rows[i].listen, false, self->error, sizeof self->error);
        assert_int_equal(file, -1);
        if (strstr(self->error, rows[i].why) == NULL || strstr(self->error, rows[i].listen) == NULL)
            fail_msg("%s", self->error);
    }
}

/* sun_path has 108 bytes, the last of which ends it. */
static void test_address__has_a_longest_path(void **state)
{
    struct place *self = *state;
    char listen[256];
    for (unsigned size = 107; size <= 108; size++) {
        size_t at = (size_t)snprintf(listen, sizeof listen, "unix:%s/", self->folder);
        memset(listen + at, 'x', 5 + size - at);
        listen[5 + size] = '\0';
        struct stream_address address = {0};
        int file = stream_address_open(&address, listen, false, self->error, sizeof self->error);
        assert_int_equal(file >= 0, size == 107);
        if (file >= 0)
            close(file);
        stream_address_release(&address, listen);
    }
    assert_non_null(strstr(self->error, "at most 107 bytes"));
}

static void test_address__is_adopted_with_its_port_or_none(void **state)
{
    struct place *self = *state;
    struct stream_address tcp = {0}, copy = {0};
    int file = stream_address_open(&tcp, "127.0.0.1:0", false, self->error, sizeof self->error);
    int adopted = stream_address_adopt(&copy, file, self->error, sizeof self->error);
    assert_true(adopted >= 0 && adopted != file);
    assert_int_equal(copy.port, tcp.port);
    close(file);
    close(adopted);
    file = open_place(self);
    adopted = stream_address_adopt(&copy, file, self->error, sizeof self->error);
    assert_true(adopted >= 0);
    assert_int_equal(copy.port, 0);
    stream_address_release(&copy, self->listen); /* an adopted one's file is not ours to remove */
    assert_int_equal(access(self->path, F_OK), 0);
    close(file);
    close(adopted);
    assert_int_equal(stream_address_adopt(&copy, -1, self->error, sizeof self->error), -1);
    assert_non_null(strstr(self->error, "Bad file descriptor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_address__of_a_unix_socket_is_for_owner_and_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__of_a_dead_process_is_taken_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__of_a_living_process_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__of_another_kind_of_file_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__that_somebody_has_taken_over_is_not_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__says_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__has_a_longest_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_address__is_adopted_with_its_port_or_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
