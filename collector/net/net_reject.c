/* What a refusal leaves behind for the operator; see collector/base/reject.h for what it must not. */
#include "collector/net/net_internal.h"

static const char *net_reject_method(enum net_method method)
{
    switch (method) {
    case NET_GET:
        return "GET";
    case NET_HEAD:
        return "HEAD";
    case NET_POST:
        return "POST";
    case NET_OPTIONS:
        return "OPTIONS";
    case NET_OTHER:
        break;
    }
    return "other";
}

static bool net_reject_path_is_ours(const struct net_exchange *self)
{
    return self->route != NULL && slice_equal(self->path, slice_text(self->route->path));
}

void net_exchange_reject(const struct net_exchange *self, const struct reject_cause *cause, const uint8_t *client,
                         struct slice app)
{
    struct rejects *rejects = self->loop->net->options.rejects;
    uint64_t now_us = rejects_now();
    if (!rejects_want(rejects, cause->counter, now_us))
        return;
    struct reject reject = {.cause = *cause, .unix_us = now_us, .via = REJECT_HTTP};
    memcpy(reject.method, net_reject_method(self->method), strlen(net_reject_method(self->method)));
    reject_set_peer(&reject, client != NULL ? client : self->peer);
    reject_set_app(&reject, app);
    reject_set_origin(&reject, net_exchange_header(self, "origin"));
    reject_set_path(&reject, self->path, net_reject_path_is_ours(self));
    reject_set_body(&reject, net_exchange_body(self), self->body_declared);
    rejects_add(rejects, &reject);
}

void net_reject_connection(struct net *net, enum counter counter, const uint8_t *peer)
{
    const struct reject_cause cause = {counter, 503, "connections",
                                       counter == COUNTER_HTTP_FULL
                                           ? "As many connections are open as limits: connections lets in."
                                           : "This address has as many open as limits: connections_per_ip lets in."};
    counters_add(net->options.counters, counter, 1);
    rejects_add_connection(net->options.rejects, &cause, REJECT_HTTP, peer);
}
