#include "collector/net/net_internal.h"

#include <strings.h>

/* "http://host" of an absolute-form target, which servers must take (RFC 9112, 3.2.2). With another host than in Host, two
 * servers in a row may have two requests in mind. */
static bool net_route_skip_authority(const struct net_exchange *exchange, struct slice *target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (unsigned i = 0; i < 2; i++) {
        size_t size = strlen(schemes[i]);
        if (target->size <= size || memcmp(target->data, schemes[i], size) != 0)
            continue;
        const uint8_t *slash = memchr(target->data + size, '/', target->size - size);
        size_t end = slash == NULL ? target->size : (size_t)(slash - target->data);
        struct slice host = net_exchange_header(exchange, "host");
        bool same = host.size > 0 && host.size == end - size &&
                    strncasecmp((const char *)host.data, (const char *)target->data + size, host.size) == 0;
        *target = slash == NULL ? slice_text("/") : slice_of(slash, target->size - end);
        return same;
    }
    return true;
}

bool net_route_split(struct net_exchange *exchange)
{
    struct slice target = slice_of(exchange->head.data + exchange->target_at, exchange->target_size);
    exchange->query = slice_of(NULL, 0);
    if (!net_route_skip_authority(exchange, &target))
        return false;
    exchange->path = target;
    if (target.size == 0 || target.data[0] != '/')
        return target.size == 1 && target.data[0] == '*'; /* OPTIONS *: a target, though no route has it */
    if (memchr(target.data, '#', target.size) != NULL || memchr(target.data, '\0', target.size) != NULL)
        return false;
    const uint8_t *mark = memchr(target.data, '?', target.size);
    if (mark == NULL)
        return true;
    size_t path_size = (size_t)(mark - target.data);
    exchange->path = slice_of(target.data, path_size);
    exchange->query = slice_of(mark + 1, target.size - path_size - 1);
    return true;
}

/* `rest` is what a trailing '*' matched; empty for an exact path. */
static bool net_route_matches(const char *pattern, struct slice path, struct slice *rest)
{
    size_t size = strlen(pattern);
    bool prefix = size > 0 && pattern[size - 1] == '*';
    *rest = slice_of(NULL, 0);
    if (!prefix)
        return slice_equal(path, slice_of(pattern, size));
    size--;
    if (path.size < size || memcmp(path.data, pattern, size) != 0)
        return false;
    *rest = slice_of(path.data + size, path.size - size);
    return true;
}

void net_route_find(struct net_exchange *exchange, const struct net_route *routes, size_t count)
{
    struct slice rest;
    exchange->allow = 0;
    for (size_t i = 0; i < count; i++) {
        if (!net_route_matches(routes[i].path, exchange->path, &rest))
            continue;
        if (routes[i].methods & exchange->method) {
            exchange->route = &routes[i];
            exchange->rest = rest;
            return;
        }
        exchange->allow |= routes[i].methods;
    }
    if (exchange->allow == 0)
        net_exchange_refuse(exchange, 404, "not_found", "There is nothing at this path.", COUNTER_HTTP_NOT_FOUND);
    else
        net_exchange_refuse(exchange, 405, "method_not_allowed", "See the Allow header.", COUNTER_HTTP_METHOD);
}
