#include "overload_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int overload_socket_open(unsigned port, unsigned host, int receive_bytes)
{
    int one = 1, file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host)};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (file < 0)
        return -1;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(file, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (receive_bytes > 0)
        setsockopt(file, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if ((host == 0 || bind(file, (struct sockaddr *)&from, sizeof from) == 0) &&
        (connect(file, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS))
        return file;
    close(file);
    return -1;
}

uint64_t overload_socket_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

const char *overload_socket_text(int count, char **arguments, const char *name)
{
    size_t size = strlen(name);
    for (int i = 1; i < count; i++)
        if (strncmp(arguments[i], name, size) == 0 && arguments[i][size] == '=')
            return arguments[i] + size + 1;
    return NULL;
}

uint64_t overload_socket_option(int count, char **arguments, const char *name, uint64_t fallback)
{
    const char *text = overload_socket_text(count, arguments, name);
    return text == NULL ? fallback : strtoull(text, NULL, 10);
}
