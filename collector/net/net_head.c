/* What the head of a request may be, whichever HTTP it came by. What only one of them can get wrong stands with it. */
#include "collector/net/net_internal.h"

#include <strings.h>

static bool net_head_host_is_valid(const struct net_exchange *exchange)
{
    unsigned hosts = net_exchange_header_count(exchange, "host");
    return (exchange->http_1_0 ? hosts <= 1 : hosts == 1) && net_hosts_is_spelled(net_exchange_header(exchange, "host"));
}

/* No Host at all is HTTP/1.0, which no browser speaks. */
static bool net_head_host_is_allowed(const struct net_exchange *exchange)
{
    return net_exchange_header_count(exchange, "host") == 0 ||
           net_hosts_allow(&exchange->loop->net->hosts, net_exchange_header(exchange, "host"));
}

static bool net_head_coding_is_valid(const struct net_exchange *exchange)
{
    unsigned codings = net_exchange_header_count(exchange, "transfer-encoding");
    if (codings == 0)
        return true;
    struct slice coding = net_exchange_header(exchange, "transfer-encoding");
    return codings == 1 && !exchange->http_1_0 && coding.size == 7 &&
           strncasecmp((const char *)coding.data, "chunked", 7) == 0;
}

static bool net_head_take_expect(struct net_exchange *exchange)
{
    struct slice expect = net_exchange_header(exchange, "expect");
    bool is_continue = expect.size == 12 && strncasecmp((const char *)expect.data, "100-continue", 12) == 0;
    exchange->expects_continue = is_continue && !exchange->http_1_0;
    return expect.size == 0 || is_continue;
}

static void net_head_find_route(struct net_exchange *exchange)
{
    const struct net_options *options = &exchange->loop->net->options;
    net_route_find(exchange, options->routes, options->route_count);
    if (exchange->route == NULL)
        return;
    exchange->body.room_max = exchange->route->body_bytes_max;
    if (exchange->body_declared > exchange->route->body_bytes_max)
        net_exchange_refuse(exchange, 413, "body_too_large", "The body is over the limit.",
                            COUNTER_HTTP_BODY_TOO_LARGE);
}

/* In the order in which they are told. */
void net_head_judge(struct net_exchange *exchange)
{
    if (!net_head_host_is_valid(exchange))
        net_exchange_refuse(exchange, 400, "bad_request", "Exactly one Host header is required, with a name or address.",
                            COUNTER_HTTP_BAD_REQUESTS);
    else if (!net_head_host_is_allowed(exchange))
        net_exchange_refuse(exchange, 421, "host", "This name is not served here; see admin_hosts.", COUNTER_HTTP_HOST);
    else if (!net_head_coding_is_valid(exchange))
        net_exchange_refuse(exchange, 400, "bad_request", "Transfer-Encoding must be chunked, once.",
                            COUNTER_HTTP_BAD_REQUESTS);
    else if (!net_route_split(exchange))
        net_exchange_refuse(exchange, 400, "bad_request", "The request target is not a path.",
                            COUNTER_HTTP_BAD_REQUESTS);
    else if (!net_head_take_expect(exchange))
        net_exchange_refuse(exchange, 417, "expectation", "Only Expect: 100-continue.", COUNTER_HTTP_BAD_REQUESTS);
    else
        net_head_find_route(exchange);
}
