/*
 * Addresses to listening sockets. Names other than numbers go through the resolver once, at start.
 *
 * A Unix socket's file outlives the process that made it. So whoever finds one asks whether anybody still listens: refused
 * means that the file is a dead one's, and it is replaced. Two that start at the same instant may both find it dead, and
 * the later one wins; the lock of the data folder (app.c) keeps two daemons of one folder apart.
 */
#include "collector/stream/stream_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ADDRESS_HOST_BYTES_MAX 256u
#define ADDRESS_LOCAL          "unix:"
#define ADDRESS_LOCAL_MODE     0660 /* for the proxy: put its user into our group, or ours into its */

/* "127.0.0.1:4318", "[::1]:0", ":8080" -> host (empty = any) and port. */
static bool address_split(const char *listen, char host[ADDRESS_HOST_BYTES_MAX], char port[8])
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    size_t size = (size_t)(colon - listen);
    bool bracketed = size >= 2 && listen[0] == '[' && listen[size - 1] == ']';
    if (!bracketed && memchr(listen, ':', size) != NULL)
        return false; /* a bare IPv6 address: which colon begins the port? */
    if (bracketed) {
        listen++;
        size -= 2;
    }
    if (size >= ADDRESS_HOST_BYTES_MAX || strtoul(colon + 1, NULL, 10) > 65535)
        return false;
    memcpy(host, listen, size);
    host[size] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

static int address_bind(const struct addrinfo *address, bool shared)
{
    int one = 1, zero = 0;
    int file = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file < 0)
        return -1;
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (shared)
        setsockopt(file, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (address->ai_family == AF_INET6)
        setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(file, address->ai_addr, address->ai_addrlen) == 0)
        return file;
    int why = errno;
    close(file);
    errno = why;
    return -1;
}

static unsigned address_port(int file)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (getsockname(file, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    if (bound.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&bound)->sin6_port);
    return bound.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&bound)->sin_port) : 0;
}

/* Any address is tried as IPv6 with both families first, then, where the machine has no IPv6, as IPv4. */
static int address_bind_any(const struct addrinfo *first, bool shared, const char *service)
{
    int file = address_bind(first, shared);
    if (file >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return file;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(service, NULL, 10))};
    struct addrinfo address = {.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&any, .ai_addrlen = sizeof any};
    return address_bind(&address, shared);
}

static int address_open_tcp(struct stream_address *self, const char *listen, bool shared, char *error, size_t error_size)
{
    char host[ADDRESS_HOST_BYTES_MAX], service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *addresses = NULL;
    if (!address_split(listen, host, service)) {
        snprintf(error, error_size,
                 "'%s' is neither HOST:PORT (e.g. 127.0.0.1:4319, [::1]:4319, :4319) nor unix:/PATH", listen);
        return -1;
    }
    bool is_any = host[0] == '\0';
    if (self->port != 0)
        snprintf(service, sizeof service, "%u", self->port & 0xffff);
    hints.ai_family = is_any ? AF_INET6 : AF_UNSPEC;
    int status = getaddrinfo(is_any ? NULL : host, service, &hints, &addresses);
    if (status != 0) {
        snprintf(error, error_size, "cannot listen on %s: %s", listen, gai_strerror(status));
        return -1;
    }
    int file = is_any ? address_bind_any(addresses, shared, service) : address_bind(addresses, shared);
    if (file < 0)
        snprintf(error, error_size, "cannot listen on %s: %s", listen, strerror(errno));
    else
        self->port = address_port(file);
    freeaddrinfo(addresses);
    return file;
}

bool stream_address_is_local(const char *listen)
{
    return strncmp(listen, ADDRESS_LOCAL, sizeof ADDRESS_LOCAL - 1) == 0;
}

/* false: `error` says why this path is not for us. A dead one's file is gone when it returns. */
static bool address_clear_path(int file, const struct sockaddr_un *address, char *error, size_t error_size)
{
    struct stat info;
    const char *path = address->sun_path, *why = NULL;
    if (lstat(path, &info) != 0)
        return true; /* not there, or bind() will say what is wrong */
    if (!S_ISSOCK(info.st_mode))
        why = "there is a file of another kind";
    else if (connect(file, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
        why = "another process listens on it";
    else if (errno != ECONNREFUSED || unlink(path) != 0)
        why = strerror(errno);
    if (why != NULL)
        snprintf(error, error_size, "cannot listen on %s%s: %s", ADDRESS_LOCAL, path, why);
    return why == NULL;
}

/* The mode is the file's before it has a name, so that at no instant more may connect than shall. */
static bool address_bind_local(struct stream_address *self, int file, const struct sockaddr_un *address)
{
    struct stat info;
    if (fchmod(file, ADDRESS_LOCAL_MODE) != 0 || bind(file, (const struct sockaddr *)address, sizeof *address) != 0)
        return false;
    if (chmod(address->sun_path, ADDRESS_LOCAL_MODE) != 0 || lstat(address->sun_path, &info) != 0)
        return false;
    self->device = info.st_dev;
    self->inode = info.st_ino;
    self->changed = info.st_ctim;
    return true;
}

static int address_open_local(struct stream_address *self, const char *listen, char *error, size_t error_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = listen + sizeof ADDRESS_LOCAL - 1;
    if (path[0] != '/' || strlen(path) >= sizeof address.sun_path) {
        snprintf(error, error_size, "'%s' is not unix:/PATH with at most %zu bytes of path", listen,
                 sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool clear = probe >= 0 && address_clear_path(probe, &address, error, error_size);
    if (probe >= 0)
        close(probe);
    if (probe >= 0 && !clear)
        return -1;
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (file >= 0 && address_bind_local(self, file, &address))
        return file;
    snprintf(error, error_size, "cannot listen on %s: %s", listen, strerror(errno));
    if (file >= 0)
        close(file);
    return -1;
}

int stream_address_open(struct stream_address *self, const char *listen, bool shared, char *error, size_t error_size)
{
    return stream_address_is_local(listen) ? address_open_local(self, listen, error, error_size)
                                           : address_open_tcp(self, listen, shared, error, error_size);
}

int stream_address_adopt(struct stream_address *self, int inherited, char *error, size_t error_size)
{
    int file = fcntl(inherited, F_DUPFD_CLOEXEC, 3);
    int flags = file < 0 ? -1 : fcntl(file, F_GETFL);
    if (flags < 0 || fcntl(file, F_SETFL, flags | O_NONBLOCK) != 0) {
        snprintf(error, error_size, "the inherited socket cannot be used: %s", strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    self->port = address_port(file);
    return file;
}

static bool address_is_ours(const struct stream_address *self, const struct stat *info)
{
    return info->st_dev == self->device && info->st_ino == self->inode &&
           info->st_ctim.tv_sec == self->changed.tv_sec && info->st_ctim.tv_nsec == self->changed.tv_nsec;
}

void stream_address_release(struct stream_address *self, const char *listen)
{
    struct stat info;
    const char *path = listen + sizeof ADDRESS_LOCAL - 1;
    if (self->inode != 0 && lstat(path, &info) == 0 && address_is_ours(self, &info))
        unlink(path);
    self->inode = 0;
}
