/*
 * DNS rebinding: a page of evil.example is loaded, evil.example is then pointed at 127.0.0.1, and the page's scripts read
 * our dashboard as their own origin. Their requests still carry "Host: evil.example", which is what gives them away.
 */
#include "collector/net/net_internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

#define NET_HOSTS_NAME_BYTES_MAX 255u

static bool net_hosts_add(struct net_hosts *self, const char *name, size_t size)
{
    self->name[self->count] = strndup(name, size);
    if (self->name[self->count] == NULL)
        return false;
    self->count++;
    return true;
}

bool net_hosts_init(struct net_hosts *self, const struct net_options *options)
{
    const char *colon = stream_address_is_local(options->listen) ? NULL : strrchr(options->listen, ':');
    size_t listen_size = colon == NULL ? 0 : (size_t)(colon - options->listen);
    *self = (struct net_hosts){.checked = options->hosts_checked};
    if (!self->checked)
        return true;
    self->name = calloc(options->host_count + 1, sizeof *self->name);
    bool good = self->name != NULL;
    if (good && listen_size > 0)
        good = net_hosts_add(self, options->listen, listen_size);
    for (size_t i = 0; good && i < options->host_count; i++)
        good = net_hosts_add(self, options->hosts[i], strlen(options->hosts[i]));
    return good;
}

void net_hosts_release(struct net_hosts *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->name[i]);
    free(self->name);
    *self = (struct net_hosts){0};
}

/* "name:80" -> "name", "[::1]:80" -> "[::1]"; and a final dot means the same name. */
static struct slice net_hosts_strip(struct slice host)
{
    size_t size = host.size;
    while (size > 0 && host.data[size - 1] >= '0' && host.data[size - 1] <= '9')
        size--;
    if (size > 0 && host.data[size - 1] == ':')
        host.size = size - 1;
    if (host.size > 0 && host.data[host.size - 1] == '.')
        host.size--;
    return host;
}

/* What names, addresses and ports are written with; none of '/', '@', ',' or blanks, which proxies cut in different places. */
bool net_hosts_is_spelled(struct slice host)
{
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.data[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!is_letter && !(c >= '0' && c <= '9') && (c == 0 || strchr("-._~%:[]", c) == NULL))
            return false;
    }
    return true;
}

static bool net_hosts_is_address(const char *host, size_t size)
{
    char copy[NET_HOSTS_NAME_BYTES_MAX + 1];
    uint8_t address[16];
    bool bracketed = size >= 2 && host[0] == '[' && host[size - 1] == ']';
    memcpy(copy, host + bracketed, size - 2u * bracketed);
    copy[size - 2u * bracketed] = '\0';
    return inet_pton(bracketed ? AF_INET6 : AF_INET, copy, address) == 1;
}

static bool net_hosts_equal(struct slice host, const char *name)
{
    return host.size == strlen(name) && strncasecmp((const char *)host.data, name, host.size) == 0;
}

/* Browsers resolve localhost and what ends in .localhost to loopback without asking DNS. */
static bool net_hosts_is_localhost(struct slice host)
{
    static const char suffix[] = ".localhost";
    size_t size = sizeof suffix - 1;
    return net_hosts_equal(host, "localhost") ||
           (host.size > size && net_hosts_equal(slice_of(host.data + host.size - size, size), suffix));
}

bool net_hosts_allow(const struct net_hosts *self, struct slice host)
{
    host = net_hosts_strip(host);
    if (!self->checked)
        return true;
    if (host.size == 0 || host.size > NET_HOSTS_NAME_BYTES_MAX)
        return false;
    if (net_hosts_is_localhost(host) || net_hosts_is_address((const char *)host.data, host.size))
        return true;
    for (size_t i = 0; i < self->count; i++)
        if (net_hosts_equal(host, self->name[i]))
            return true;
    return false;
}
