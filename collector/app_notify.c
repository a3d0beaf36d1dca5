#include "collector/app_notify.h"

#include "collector/base/diag.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int app_notify_open(const char *(*environment)(const char *name))
{
    const char *path = environment("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path == NULL ? 0 : strlen(path);
    if (size == 0)
        return -1;
    if ((path[0] != '/' && path[0] != '@') || size >= sizeof address.sun_path) {
        diag(DIAG_WARNING, "notify",
             "NOTIFY_SOCKET is neither a path nor an abstract name; the manager is told nothing");
        return -1;
    }
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') /* abstract: the name begins with NUL and has no other end than its length */
        address.sun_path[0] = '\0';
    int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (file >= 0 && connect(file, (struct sockaddr *)&address, bytes) == 0)
        return file;
    diag(DIAG_WARNING, "notify", "%s: %s; the manager is told nothing", path, strerror(errno));
    if (file >= 0)
        close(file);
    return -1;
}

static void app_notify_send(int file, const char *text)
{
    if (file >= 0 && send(file, text, strlen(text), MSG_NOSIGNAL) < 0)
        diag(DIAG_WARNING, "notify", "the service manager was not told %.16s: %s", text, strerror(errno));
}

void app_notify_ready(int file)
{
    app_notify_send(file, "READY=1");
}

/* The time lets the manager tell this reload's READY=1 from an earlier one (Type=notify-reload). */
void app_notify_reloading(int file)
{
    char text[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, us);
    app_notify_send(file, text);
}

void app_notify_stopping(int file)
{
    app_notify_send(file, "STOPPING=1");
}
