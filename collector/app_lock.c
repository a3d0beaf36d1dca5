#include "collector/app_lock.h"

#include "collector/base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APP_LOCK_PATH_BYTES_MAX 4096u
#define APP_LOCK_LOOK_MS        2u /* what a takeover may lose; 500 cheap calls a second while it waits */

static int app_lock_open(const char *folder, char *error, size_t error_size)
{
    char path[APP_LOCK_PATH_BYTES_MAX];
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        snprintf(error, error_size, "%s: cannot be created: %s", folder, strerror(errno));
        return -1;
    }
    snprintf(path, sizeof path, "%s/lock", folder);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    return file;
}

static uint64_t app_lock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* They are blocked while the program starts, so one that comes now waits to be taken. */
static bool app_lock_is_told_to_end(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* 0, or why not. */
static int app_lock_wait(int file, const char *folder, unsigned wait_ms)
{
    const struct timespec pause = {.tv_nsec = APP_LOCK_LOOK_MS * 1000000};
    uint64_t until = app_lock_now_ms() + wait_ms;
    bool said = false;
    while (flock(file, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errno;
        if (app_lock_now_ms() >= until)
            return EWOULDBLOCK;
        if (app_lock_is_told_to_end())
            return ECANCELED;
        if (!said)
            diag(DIAG_INFO, "waiting", "another vitrace uses %s; waiting up to %u s for it to end", folder,
                 wait_ms / 1000);
        said = true;
        nanosleep(&pause, NULL);
    }
    return 0;
}

int app_lock_take(const char *folder, unsigned wait_ms, char *error, size_t error_size)
{
    int file = app_lock_open(folder, error, error_size);
    int failure = file < 0 ? 0 : app_lock_wait(file, folder, wait_ms);
    if (failure == 0)
        return file;
    if (failure == ECANCELED)
        snprintf(error, error_size, "%s: told to end while another vitrace still uses this folder", folder);
    else if (failure == EWOULDBLOCK)
        snprintf(error, error_size, "%s: another vitrace uses this folder (lock_wait_seconds waits for it to end)",
                 folder);
    else
        snprintf(error, error_size, "%s/lock: %s", folder, strerror(failure));
    close(file);
    return -1;
}
