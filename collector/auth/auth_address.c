/* Which addresses only this machine can reach: 127.0.0.0/8, ::1, and Unix sockets, where a file's mode says who may. */
#include "collector/auth/auth.h"

#include <arpa/inet.h>
#include <netdb.h>

#define AUTH_HOST_BYTES_MAX 256u

static bool auth_v4_is_loopback(const struct in_addr *address)
{
    return ntohl(address->s_addr) >> 24 == 127;
}

static bool auth_v6_is_loopback(const struct in6_addr *address)
{
    struct in_addr mapped;
    memcpy(&mapped, address->s6_addr + 12, sizeof mapped);
    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && auth_v4_is_loopback(&mapped));
}

/* "::" is the client of a Unix socket. */
bool auth_peer_is_local(const uint8_t peer[16])
{
    struct in6_addr address;
    memcpy(address.s6_addr, peer, sizeof address.s6_addr);
    return auth_v6_is_loopback(&address) || IN6_IS_ADDR_UNSPECIFIED(&address);
}

/* "HOST:PORT", "[V6]:PORT", "HOST" -> HOST. false = empty or too long. */
static bool auth_copy_host(struct slice text, char host[AUTH_HOST_BYTES_MAX])
{
    if (text.size > 0 && text.data[0] == '[') {
        const uint8_t *end = memchr(text.data, ']', text.size);
        if (end == NULL)
            return false;
        text = slice_of(text.data + 1, (size_t)(end - text.data) - 1);
    } else {
        const uint8_t *colon = text.size == 0 ? NULL : memchr(text.data, ':', text.size);
        if (colon != NULL)
            text.size = (size_t)(colon - text.data);
    }
    if (text.size == 0 || text.size >= AUTH_HOST_BYTES_MAX || memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(host, text.data, text.size);
    host[text.size] = '\0';
    return true;
}

static bool auth_address_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return auth_v4_is_loopback(&((const struct sockaddr_in *)(const void *)address)->sin_addr);
    return address->sa_family == AF_INET6 &&
           auth_v6_is_loopback(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static bool auth_name_is_loopback(const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
    if (getaddrinfo(host, NULL, &hints, &addresses) != 0)
        return false;
    bool all = addresses != NULL;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
        all = all && auth_address_is_loopback(at->ai_addr);
    freeaddrinfo(addresses);
    return all;
}

/* A name is looked up as the listener will: what it binds is what is judged. An empty host is any address. */
bool auth_listen_is_loopback(const char *listen)
{
    char host[AUTH_HOST_BYTES_MAX];
    struct in_addr v4;
    struct in6_addr v6;
    if (strncmp(listen, "unix:", 5) == 0)
        return true;
    if (!auth_copy_host(slice_text(listen), host))
        return false;
    if (inet_pton(AF_INET, host, &v4) == 1) /* an address needs no resolver, which may fail */
        return auth_v4_is_loopback(&v4);
    return inet_pton(AF_INET6, host, &v6) == 1 ? auth_v6_is_loopback(&v6) : auth_name_is_loopback(host);
}
