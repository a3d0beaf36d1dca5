/* Each attempt runs in a child of its own, confined like the daemon; how the child ends is the result. */
#include "collector/sandbox/sandbox.h"
#include "collector/sandbox/sandbox_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CANNOT_CONFINE 77

static char folder[64], read_only[80], sockets[80], said[512];

static int make_folders(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/vitrace-sandbox-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(read_only, sizeof read_only, "%s-read", folder);
    snprintf(sockets, sizeof sockets, "%s-sockets", folder);
    return mkdir(read_only, 0700) + mkdir(sockets, 0700);
}

static int remove_folders(void **state)
{
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/file", folder);
    unlink(path);
    return rmdir(folder) + rmdir(read_only) + rmdir(sockets);
}

static const char *inside(const char *parent, const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", parent, name);
    return path;
}

/* The child's status: its exit status, or minus the signal that ended it. What it wrote to stderr is in `said`. */
static int run_confined(int (*attempt)(void), bool seals)
{
    int out[2], status = 0;
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        char text[256];
        dup2(out[1], STDERR_FILENO);
        const struct sandbox_options options = {.data = folder, .read_only = {read_only, NULL, "/nonexistent"},
                                                .sockets = {sockets, NULL, "/nonexistent"}};
        if (sandbox_enclose(&options, text, sizeof text) != SANDBOX_ON ||
            (seals && sandbox_seal(text, sizeof text) != SANDBOX_ON))
            _exit(CANNOT_CONFINE);
        _exit(attempt());
    }
    close(out[1]);
    ssize_t size = read(out[0], said, sizeof said - 1);
    said[size > 0 ? size : 0] = '\0';
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void expect_after(bool seals, int (*attempt)(void), int result)
{
    int got = run_confined(attempt, seals);
    if (got == CANNOT_CONFINE) {
        print_message("this kernel or build cannot confine: skipped\n");
        skip();
    }
    assert_int_equal(got, result);
}

static void expect(int (*attempt)(void), int result)
{
    expect_after(true, attempt, result);
}

static int write_own(void)
{
    int file = open(inside(folder, "file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    return file < 0 || write(file, "x", 1) != 1 || fdatasync(file) != 0 || ftruncate(file, 4096) != 0;
}

static int write_elsewhere(void)
{
    return open(inside(read_only, "file"), O_RDWR | O_CREAT, 0600) < 0 ? errno : 0;
}

static int write_tmp(void)
{
    return open("/tmp/vitrace-sandbox-escape", O_RDWR | O_CREAT, 0600) < 0 ? errno : 0;
}

static int listen_at(const char *parent)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    const char *path = inside(parent, "socket");
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    if (bind(file, (const struct sockaddr *)&address, sizeof address) != 0)
        return errno;
    return unlink(address.sun_path) == 0 ? 0 : errno;
}

static int listen_in_sockets(void)
{
    return listen_at(sockets);
}

static int listen_in_data(void)
{
    return listen_at(folder);
}

static int write_in_sockets(void)
{
    return open(inside(sockets, "file"), O_RDWR | O_CREAT, 0600) < 0 ? errno : 0;
}

static int list_read_only(void)
{
    return open(read_only, O_RDONLY | O_DIRECTORY) < 0;
}

static int read_passwords(void)
{
    return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int read_process(void)
{
    return open("/proc/self/mem", O_RDWR) < 0 ? errno : 0;
}

static int run_program(void)
{
    return execl("/bin/true", "true", NULL);
}

static int fork_child(void)
{
    return fork() == 0 ? 0 : 1;
}

static int trace_parent(void)
{
    return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int open_packet_socket(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static int open_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int signal_parent(void)
{
    return kill(getppid(), 0);
}

static int map_executable(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

static int make_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0 ? errno : 0;
}

static int replace_handler(void)
{
    return signal(SIGSYS, SIG_IGN) == SIG_ERR;
}

static void *set_flag(void *flag)
{
    *(int *)flag = 1;
    return NULL;
}

static int start_thread(void)
{
    pthread_t thread;
    int flag = 0;
    return pthread_create(&thread, NULL, set_flag, &flag) != 0 || pthread_join(thread, NULL) != 0 || flag != 1;
}

static void *wait_then_exec(void *gate)
{
    char byte;
    ssize_t got = read(*(int *)gate, &byte, 1); /* started before the seal */
    return (void *)(intptr_t)(execl("/bin/true", "true", NULL) + got);
}

static void test_sandbox__the_data_folder_is_written(void **state)
{
    (void)state;
    expect(write_own, 0);
}

static void test_sandbox__nothing_else_is_written(void **state)
{
    (void)state;
    expect(write_elsewhere, EACCES);
    expect(write_tmp, EACCES);
}

static void test_sandbox__sockets_are_made_and_removed_where_they_were_named(void **state)
{
    (void)state;
    expect_after(false, listen_in_sockets, 0);
    expect_after(false, listen_in_data, EACCES);
    expect_after(false, write_in_sockets, EACCES);
}

static void test_sandbox__only_what_was_named_is_read(void **state)
{
    (void)state;
    expect(list_read_only, 0);
    expect(read_passwords, EACCES);
    expect(read_process, EACCES);
}

static void test_sandbox__other_system_calls_end_the_process_and_are_named(void **state)
{
    char number[32];
    (void)state;
    expect(run_program, -SIGSYS);
    snprintf(number, sizeof number, "system call %4d is", SYS_execve);
    if (strstr(said, "sandbox_violation") == NULL || strstr(said, "59") == NULL)
        fail_msg("%s", said);
    expect(fork_child, -SIGSYS);
    expect(trace_parent, -SIGSYS);
    expect(open_packet_socket, -SIGSYS);
    expect(open_socket, -SIGSYS);
    expect(signal_parent, -SIGSYS);
    expect(replace_handler, -SIGSYS);
}

static void test_sandbox__data_never_becomes_code(void **state)
{
    (void)state;
    expect(map_executable, EACCES);
    expect(make_executable, EACCES);
}

static void test_sandbox__threads_can_still_be_made(void **state)
{
    (void)state;
    expect(start_thread, 0);
}

static void test_sandbox__a_thread_from_before_the_seal_is_bound_too(void **state)
{
    int status = 0;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        int gate[2];
        char text[256];
        pthread_t thread;
        if (pipe(gate) != 0 || pthread_create(&thread, NULL, wait_then_exec, &gate[0]) != 0)
            _exit(1);
        close(STDERR_FILENO);
        if (sandbox_seal(text, sizeof text) != SANDBOX_ON)
            _exit(CANNOT_CONFINE);
        if (write(gate[1], "x", 1) != 1)
            _exit(1);
        pthread_join(thread, NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_CONFINE)
        skip();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void test_sandbox__a_user_that_is_not_there_is_refused(void **state)
{
    char error[256];
    (void)state;
    assert_false(sandbox_drop_user("no-such-user", "/nonexistent", error, sizeof error));
    assert_non_null(strstr(error, "does not exist"));
    assert_false(sandbox_drop_user("root", "/nonexistent", error, sizeof error));
    assert_non_null(strstr(error, "is root"));
}

static int become_nobody(void)
{
    char error[256];
    struct stat info;
    const char *fresh = inside(folder, "owned");
    if (!sandbox_drop_user("nobody", fresh, error, sizeof error))
        return 1;
    return geteuid() == 0 || getuid() == 0 || setuid(0) == 0 || stat(fresh, &info) == 0 || errno != EACCES;
}

/* The test's folder is root's (0700), so that nobody cannot even look into it afterwards. */
static void test_sandbox__root_becomes_the_user_for_good(void **state)
{
    int status = 0;
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0)
        _exit(become_nobody());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    struct stat info;
    assert_int_equal(stat(inside(folder, "owned"), &info), 0);
    assert_int_not_equal(info.st_uid, 0);
    assert_int_equal(rmdir(inside(folder, "owned")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox__the_data_folder_is_written),
        cmocka_unit_test(test_sandbox__nothing_else_is_written),
        cmocka_unit_test(test_sandbox__sockets_are_made_and_removed_where_they_were_named),
        cmocka_unit_test(test_sandbox__only_what_was_named_is_read),
        cmocka_unit_test(test_sandbox__other_system_calls_end_the_process_and_are_named),
        cmocka_unit_test(test_sandbox__data_never_becomes_code),
        cmocka_unit_test(test_sandbox__threads_can_still_be_made),
        cmocka_unit_test(test_sandbox__a_thread_from_before_the_seal_is_bound_too),
        cmocka_unit_test(test_sandbox__a_user_that_is_not_there_is_refused),
        cmocka_unit_test(test_sandbox__root_becomes_the_user_for_good),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
