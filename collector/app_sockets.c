#include "collector/app_sockets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define APP_SOCKETS_FIRST 3

/* 0 = not a number, or none. */
static unsigned long app_sockets_number(const char *text)
{
    char *end = NULL;
    unsigned long value = text == NULL || text[0] < '0' || text[0] > '9' ? 0 : strtoul(text, &end, 10);
    return end == NULL || *end != '\0' ? 0 : value;
}

static bool app_sockets_is_listening(int file)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    return getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

int app_sockets_find(const char *name, const char *(*environment)(const char *name))
{
    unsigned long count = app_sockets_number(environment("LISTEN_FDS"));
    const char *at = environment("LISTEN_FDNAMES");
    if (app_sockets_number(environment("LISTEN_PID")) != (unsigned long)getpid() || count > APP_SOCKETS_MAX)
        return 0;
    for (int file = APP_SOCKETS_FIRST; at != NULL && file < APP_SOCKETS_FIRST + (int)count; file++) {
        size_t size = strcspn(at, ":");
        if (size == strlen(name) && strncmp(at, name, size) == 0 && app_sockets_is_listening(file))
            return file;
        at = at[size] == ':' ? at + size + 1 : NULL;
    }
    return 0;
}
