/*
 * The system calls that a started daemon makes, by what makes them. Everything else: a line with the number on stderr,
 * then death by SIGSYS. Three kinds are refused with an error instead, because libraries try them and know how to do
 * without: io_uring, clone3 (its flags lie in memory, where a filter cannot look; clone's are seen, and must be a
 * thread's), and memory that is to be executed.
 */
#include "collector/sandbox/sandbox.h"
#include "collector/sandbox/sandbox_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Names, because not every architecture has each: those that this one lacks are skipped. */
static const char *const seccomp_allowed[] = {
    /* connections and the loops */
    "accept", "accept4", "read", "readv", "recv", "recvfrom", "recvmsg", "write", "writev", "send", "sendto", "sendmsg",
    "shutdown", "close", "getsockopt", "setsockopt", "getsockname", "getpeername", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "epoll_create1", "eventfd2", "poll", "ppoll", "pipe2", "timerfd_create",
    "timerfd_settime",
    /* files: what may be opened is Landlock's matter */
    "open", "openat", "fcntl", "fcntl64", "lseek", "_llseek", "pread64", "preadv", "preadv2", "pwrite64", "pwritev",
    "pwritev2", "fsync", "fdatasync", "sync_file_range", "ftruncate", "ftruncate64", "fallocate", "fadvise64",
    "fadvise64_64", "fstat", "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
    "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2", "getdents64", "mkdir", "mkdirat",
    "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "flock", "readlink",
    "readlinkat", "getcwd", "fchmod", "fchown", "umask", "utimensat", "dup", "dup3",
    /* memory and threads */
    "brk", "munmap", "mremap", "madvise", "mlock", "munlock", "futex", "futex_time64", "set_robust_list", "rseq",
    "sched_yield", "sched_getaffinity", "membarrier", "gettid", "exit", "exit_group", "restart_syscall",
    /* time, randomness, who am I */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
    "gettimeofday", "time", "getrandom", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname",
    "sysinfo", "getrusage", "getrlimit", "times",
    /* signals */
    "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigpending", "sigaltstack",
    "tgkill"};

static bool seccomp_add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
                        struct scmp_arg_cmp first, struct scmp_arg_cmp second)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) /* negative: of another architecture */
        return true;
    const struct scmp_arg_cmp compare[2] = {first, second};
    return seccomp_rule_add_array(filter, action, number, count, compare) == 0;
}

static const struct scmp_arg_cmp any_argument;

static bool seccomp_allow_plain(scmp_filter_ctx filter)
{
    bool good = true;
    for (size_t i = 0; i < sizeof seccomp_allowed / sizeof seccomp_allowed[0]; i++)
        good = good && seccomp_add(filter, SCMP_ACT_ALLOW, seccomp_allowed[i], 0, any_argument, any_argument);
    return good;
}

/* `name` is let through while the bits of `mask` in its argument `at` are `value`. */
static bool seccomp_allow_masked(scmp_filter_ctx filter, const char *name, unsigned at, uint64_t mask, uint64_t value)
{
    return seccomp_add(filter, SCMP_ACT_ALLOW, name, 1, SCMP_CMP64(at, SCMP_CMP_MASKED_EQ, mask, value), any_argument);
}

static bool seccomp_refuse(scmp_filter_ctx filter, const char *name, int failure)
{
    return seccomp_add(filter, SCMP_ACT_ERRNO((uint16_t)failure), name, 0, any_argument, any_argument);
}

static bool seccomp_refuse_executable(scmp_filter_ctx filter, const char *name)
{
    return seccomp_add(filter, SCMP_ACT_ERRNO(EACCES), name, 1,
                       SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC), any_argument) &&
           seccomp_allow_masked(filter, name, 2, PROT_EXEC, 0);
}

static bool seccomp_allow_some(scmp_filter_ctx filter)
{
    static const unsigned long requests[] = {FIONBIO, FIOCLEX, FIONREAD};
    bool good = seccomp_refuse_executable(filter, "mmap") && seccomp_refuse_executable(filter, "mmap2") &&
                seccomp_refuse_executable(filter, "mprotect") &&
                seccomp_allow_masked(filter, "clone", 0, CLONE_THREAD, CLONE_THREAD) &&
                seccomp_refuse(filter, "clone3", ENOSYS) && seccomp_refuse(filter, "io_uring_setup", ENOSYS);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        good = good && seccomp_allow_masked(filter, "ioctl", 1, UINT32_MAX, requests[i]);
    /* The handler of SIGSYS stays ours; limits are read, not set; threads have names. */
    return good &&
           seccomp_add(filter, SCMP_ACT_ALLOW, "rt_sigaction", 1, SCMP_CMP64(0, SCMP_CMP_NE, SIGSYS), any_argument) &&
           seccomp_allow_masked(filter, "prlimit64", 2, UINT64_MAX, 0) &&
           seccomp_allow_masked(filter, "prctl", 0, UINT32_MAX, PR_SET_NAME) &&
           seccomp_allow_masked(filter, "prctl", 0, UINT32_MAX, PR_GET_NAME);
}

/* In the thread that made the call, with any lock held: only write() and raising the signal again. */
static void seccomp_on_violation(int signal_number, siginfo_t *info, void *context)
{
    char line[] = "{\"level\":\"error\",\"event\":\"sandbox_violation\",\"message\":\"system call       is not allowed; "
                  "ending\"}\n";
    char *at = strstr(line, "call ") + 10;
    unsigned number = (unsigned)info->si_syscall;
    (void)context;
    do
        *at-- = (char)('0' + number % 10);
    while ((number /= 10) > 0 && *at == ' ' && at[-1] == ' ');
    ssize_t wrote = write(STDERR_FILENO, line, sizeof line - 1);
    (void)wrote;
    raise(signal_number); /* the handler was taken off when it was called */
}

static bool seccomp_catch(void)
{
    struct sigaction action = {.sa_sigaction = seccomp_on_violation,
                               .sa_flags = SA_SIGINFO | (int)SA_RESETHAND | SA_NODEFER};
    return sigaction(SIGSYS, &action, NULL) == 0;
}

static bool seccomp_load_filter(scmp_filter_ctx filter, int *failure)
{
    bool good = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
                seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && /* a binary tree of the numbers */
                seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                seccomp_allow_plain(filter) && seccomp_allow_some(filter) && seccomp_catch();
    *failure = good ? -seccomp_load(filter) : EINVAL;
    return *failure == 0;
}

enum sandbox_result sandbox_seal(char *text, size_t text_size)
{
    int failure = 0;
    if (SANDBOX_IS_SANITIZED) {
        snprintf(text, text_size, "off: this is a sanitizer build");
        return SANDBOX_UNSUPPORTED;
    }
    if (seccomp_api_get() < 2) { /* TSYNC: Linux 3.17 */
        snprintf(text, text_size, "no seccomp filters for all threads in this kernel: system calls are not confined");
        return SANDBOX_UNSUPPORTED;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    bool good = filter != NULL && seccomp_load_filter(filter, &failure);
    if (filter != NULL)
        seccomp_release(filter);
    if (good)
        snprintf(text, text_size, "seccomp: system calls outside a fixed list end the process");
    else
        snprintf(text, text_size, "seccomp: %s", strerror(failure));
    return good ? SANDBOX_ON : SANDBOX_FAILED;
}
