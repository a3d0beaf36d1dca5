/* Addresses to listening sockets. Names other than numbers go through the resolver once, at start. */
#include "collector/net/net_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NET_HOST_BYTES_MAX 256u

/* "127.0.0.1:4318", "[::1]:0", ":8080" -> host (empty = any) and port. */
static bool net_listener_split(const char *listen, char host[NET_HOST_BYTES_MAX], char port[8])
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
    if (size >= NET_HOST_BYTES_MAX || strtoul(colon + 1, NULL, 10) > 65535)
        return false;
    memcpy(host, listen, size);
    host[size] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

static int net_listener_bind(const struct addrinfo *address, bool shared)
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

static unsigned net_listener_port(int file)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (getsockname(file, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

/*
 * `*port`, when not 0, replaces the port of `listen`: the further sockets of one listener join the first one's port.
 * Any address is tried as IPv6 with both families first, then, where the machine has no IPv6, as IPv4.
 */
int net_listener_open(const char *listen, bool shared, unsigned *port, char *error, size_t error_size)
{
    char host[NET_HOST_BYTES_MAX], service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *addresses = NULL;
    if (!net_listener_split(listen, host, service)) {
        snprintf(error, error_size, "'%s' is not HOST:PORT (e.g. 127.0.0.1:4319, [::1]:4319, :4319)", listen);
        return -1;
    }
    if (*port != 0)
        snprintf(service, sizeof service, "%u", *port & 0xffff);
    hints.ai_family = host[0] == '\0' ? AF_INET6 : AF_UNSPEC;
    int status = getaddrinfo(host[0] == '\0' ? NULL : host, service, &hints, &addresses);
    if (status != 0) {
        snprintf(error, error_size, "cannot listen on %s: %s", listen, gai_strerror(status));
        return -1;
    }
    int file = net_listener_bind(addresses, shared);
    int why = errno;
    freeaddrinfo(addresses);
    if (file < 0 && host[0] == '\0' && (why == EAFNOSUPPORT || why == EADDRNOTAVAIL)) {
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(service, NULL, 10))};
        struct addrinfo address = {.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&any, .ai_addrlen = sizeof any};
        file = net_listener_bind(&address, shared);
        why = errno;
    }
    if (file < 0)
        snprintf(error, error_size, "cannot listen on %s: %s", listen, strerror(why));
    else
        *port = net_listener_port(file);
    return file;
}

int net_listener_adopt(int inherited, unsigned *port, char *error, size_t error_size)
{
    int file = fcntl(inherited, F_DUPFD_CLOEXEC, 3);
    int flags = file < 0 ? -1 : fcntl(file, F_GETFL);
    if (flags < 0 || fcntl(file, F_SETFL, flags | O_NONBLOCK) != 0) {
        snprintf(error, error_size, "the inherited socket cannot be used: %s", strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    *port = net_listener_port(file);
    return file;
}

/* Drops every segment that has SYN: a filter of a TCP socket sees the TCP header, and the bit is in its byte 13. */
void net_listener_refuse(int file)
{
    struct sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
    struct sock_fprog filter = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    setsockopt(file, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

bool net_listener_has_queue(int file)
{
    struct pollfd listener = {.fd = file, .events = POLLIN};
    return poll(&listener, 1, 0) == 1;
}

void net_listener_accept(uv_stream_t *listener, int status)
{
    /* Out of descriptors: libuv sheds the connection by itself; other failures concern one client only. */
    if (status == 0)
        net_connection_open(listener->data);
}
