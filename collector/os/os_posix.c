#include "collector/os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* The daemon's signals are handled without SA_RESTART, and a commit must not fail because of one. */
#define RETRY(result, call)                                                                                            \
    do                                                                                                                 \
        (result) = (call);                                                                                             \
    while ((result) < 0 && errno == EINTR)

static int posix_open(void *context, int folder, const char *name, int flags, mode_t mode)
{
    (void)context;
    int file;
    RETRY(file, openat(folder, name, flags | O_CLOEXEC, mode));
    return file;
}

/*
 * Linux frees the descriptor before it can be interrupted, so a second close could hit somebody else's file; and a
 * write error that only close reports was reported by fdatasync before, or belongs to bytes that nobody was promised.
 */
static int posix_close(void *context, int file)
{
    (void)context;
    int result = close(file);
    return result != 0 && errno == EINTR ? 0 : result;
}

static ssize_t posix_pwritev(void *context, int file, const struct iovec *parts, int count, off_t offset)
{
    (void)context;
    ssize_t written;
    RETRY(written, pwritev(file, parts, count, offset));
    return written;
}

static ssize_t posix_pread(void *context, int file, void *data, size_t size, off_t offset)
{
    (void)context;
    ssize_t got;
    RETRY(got, pread(file, data, size, offset));
    return got;
}

/* EINTR is the one failure after which the kernel has not yet dropped the dirty pages: repeating is sound only then. */
static int posix_fdatasync(void *context, int file)
{
    (void)context;
    int result;
    RETRY(result, fdatasync(file));
    return result;
}

static int posix_fsync(void *context, int file)
{
    (void)context;
    int result;
    RETRY(result, fsync(file));
    return result;
}

static int posix_ftruncate(void *context, int file, off_t size)
{
    (void)context;
    int result;
    RETRY(result, ftruncate(file, size));
    return result;
}

static int posix_fallocate_file(void *context, int file, off_t offset, off_t size)
{
    (void)context;
    int result;
    RETRY(result, fallocate(file, 0, offset, size));
    return result;
}

static int posix_unlink(void *context, int folder, const char *name)
{
    (void)context;
    return unlinkat(folder, name, 0);
}

static int posix_rename(void *context, int folder, const char *from, const char *to)
{
    (void)context;
    return renameat(folder, from, folder, to);
}

static int64_t posix_file_size(void *context, int file)
{
    (void)context;
    struct stat info;
    return fstat(file, &info) == 0 ? (int64_t)info.st_size : -1;
}

static int64_t posix_disk_free(void *context, int file)
{
    (void)context;
    struct statvfs info;
    int result;
    RETRY(result, fstatvfs(file, &info));
    return result == 0 ? (int64_t)info.f_bavail * (int64_t)info.f_frsize : -1;
}

static int posix_mkdir(void *context, int folder, const char *name, mode_t mode)
{
    (void)context;
    return mkdirat(folder, name, mode);
}

static int posix_list(void *context, int folder, os_visit *visit, void *visitor)
{
    /* fdopendir takes its descriptor over and moves its offset: it gets one of its own. */
    int copy = posix_open(context, folder, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream == NULL) {
        if (copy >= 0)
            posix_close(context, copy);
        return -1;
    }
    int result = 0;
    errno = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL && result == 0; entry = readdir(stream)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = visit(visitor, entry->d_name);
        errno = 0;
    }
    int failure = result == 0 ? errno : 0;
    closedir(stream);
    errno = failure;
    return failure != 0 ? -1 : result;
}

static int posix_lock(void *context, int file)
{
    (void)context;
    int result;
    RETRY(result, flock(file, LOCK_EX | LOCK_NB));
    return result;
}

static int posix_random(void *context, void *data, size_t size)
{
    (void)context;
    size_t got = 0;
    while (got < size) {
        ssize_t more;
        RETRY(more, getrandom((uint8_t *)data + got, size - got, 0));
        if (more < 0)
            return -1;
        got += (size_t)more;
    }
    return 0;
}

static uint64_t posix_clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static uint64_t posix_unix_us(void *context)
{
    (void)context;
    return posix_clock_us(CLOCK_REALTIME);
}

static uint64_t posix_mono_us(void *context)
{
    (void)context;
    return posix_clock_us(CLOCK_MONOTONIC);
}

const struct os *os_posix(void)
{
    static const struct os table = {
        .open = posix_open,
        .close = posix_close,
        .pwritev = posix_pwritev,
        .pread = posix_pread,
        .fdatasync = posix_fdatasync,
        .fsync = posix_fsync,
        .ftruncate = posix_ftruncate,
        .fallocate = posix_fallocate_file,
        .unlink = posix_unlink,
        .rename = posix_rename,
        .file_size = posix_file_size,
        .disk_free = posix_disk_free,
        .mkdir = posix_mkdir,
        .list = posix_list,
        .lock = posix_lock,
        .random = posix_random,
        .unix_us = posix_unix_us,
        .mono_us = posix_mono_us,
    };
    return &table;
}
