/*
 * Every file and clock call of the collector, behind one table, so that a test can fail the n-th call, tear a write or
 * stop the clock. os_posix() is the real one; tests/support has one that injects faults.
 * Functions return what the system call returns, and set errno. A call that a signal interrupts is repeated: EINTR never
 * comes back.
 */
#ifndef VITRACE_OS_H
#define VITRACE_OS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Non-zero stops the listing, which then returns it. `name` is borrowed for the call. */
typedef int os_visit(void *visitor, const char *name);

struct os {
    void *context; /* first argument of every call */
    int (*open)(void *context, int folder, const char *name, int flags, mode_t mode); /* openat */
    int (*close)(void *context, int file);
    ssize_t (*pwritev)(void *context, int file, const struct iovec *parts, int count, off_t offset);
    ssize_t (*pread)(void *context, int file, void *data, size_t size, off_t offset);
    int (*fdatasync)(void *context, int file);
    int (*fsync)(void *context, int file); /* folders too */
    int (*ftruncate)(void *context, int file, off_t size);
    int (*fallocate)(void *context, int file, off_t offset, off_t size); /* mode 0 */
    int (*unlink)(void *context, int folder, const char *name);
    int (*rename)(void *context, int folder, const char *from, const char *to);
    int64_t (*file_size)(void *context, int file);
    int64_t (*disk_free)(void *context, int file); /* bytes for unprivileged users */
    int (*mkdir)(void *context, int folder, const char *name, mode_t mode);
    int (*list)(void *context, int folder, os_visit *visit, void *visitor); /* no order; without . and .. */
    int (*lock)(void *context, int file); /* exclusive until close; EWOULDBLOCK when another process has it */
    int (*random)(void *context, void *data, size_t size); /* all of it or -1 */
    uint64_t (*unix_us)(void *context);
    uint64_t (*mono_us)(void *context);
};

const struct os *os_posix(void);

#endif
