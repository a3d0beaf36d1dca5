#include "collector/sinks/site.h"

/* scheme://host:port, without user info; empty when the URL has no authority. */
static struct slice site_authority(struct slice url, size_t *scheme_size)
{
    size_t at = 0;
    while (at < url.size && url.data[at] != ':' && url.data[at] != '/')
        at++;
    *scheme_size = at;
    if (url.size - at < 3 || memcmp(url.data + at, "://", 3) != 0)
        return slice_of(NULL, 0);
    size_t begin = at + 3, end = begin;
    while (end < url.size && url.data[end] != '/' && url.data[end] != '?' && url.data[end] != '#') {
        if (url.data[end] == '@')
            begin = end + 1;
        end++;
    }
    return slice_of(url.data + begin, end - begin);
}

static struct slice site_host(struct slice url)
{
    size_t scheme_size;
    struct slice host = site_authority(url, &scheme_size);
    size_t end = host.size;
    while (end > 0 && host.data[end - 1] >= '0' && host.data[end - 1] <= '9')
        end--;
    if (end > 0 && host.data[end - 1] == ':')
        host.size = end - 1;
    return host;
}

/* IPv4 in digits and dots, or IPv6 in brackets. */
static bool site_is_address(struct slice host)
{
    if (host.size > 0 && host.data[0] == '[')
        return true;
    for (size_t i = 0; i < host.size; i++)
        if (host.data[i] != '.' && (host.data[i] < '0' || host.data[i] > '9'))
            return false;
    return true;
}

/* The host from its `labels`-th label from the end. */
static struct slice site_labels(struct slice host, unsigned labels)
{
    for (size_t i = host.size; i > 0; i--)
        if (host.data[i - 1] == '.' && --labels == 0)
            return slice_of(host.data + i, host.size - i);
    return host;
}

static struct slice site_of(struct slice host)
{
    if (site_is_address(host))
        return host;
    struct slice country = site_labels(host, 1), two = site_labels(host, 2);
    bool short_second = two.size > country.size && two.size - country.size - 1 <= 3;
    return country.size == 2 && short_second ? site_labels(host, 3) : two;
}

bool site_is_third_party(struct slice page_url, struct slice url)
{
    size_t scheme;
    if (slice_equal(site_authority(page_url, &scheme), site_authority(url, &scheme)))
        return false; /* nearly all */
    struct slice page = site_host(page_url), host = site_host(url);
    if (page.size == 0 || host.size == 0)
        return false;
    return !slice_equal(site_of(page), site_of(host));
}

bool site_is_cross_origin(struct slice page_url, struct slice url)
{
    size_t page_scheme, scheme;
    struct slice page = site_authority(page_url, &page_scheme), authority = site_authority(url, &scheme);
    if (page.size == 0 || authority.size == 0)
        return false;
    return !slice_equal(page, authority) ||
           !slice_equal(slice_of(page_url.data, page_scheme), slice_of(url.data, scheme));
}
