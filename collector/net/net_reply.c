/* Replies, up to where their carrier takes them over: net_http1.c or net_h2_stream.c. */
#include "collector/net/net_internal.h"

#include "collector/base/json.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#define NET_REPLY_ERROR_BYTES_MAX 1024u

/* The clock is read once a second at most: strftime costs more than the rest of a reply. */
const char *net_reply_date(struct net_loop *loop)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == loop->date_second)
        return loop->date;
    loop->date_second = now.tv_sec;
    gmtime_r(&now.tv_sec, &parts);
    strftime(loop->date, sizeof loop->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return loop->date;
}

bool net_reply_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

bool net_reply_has_body(const struct net_exchange *exchange, const struct net_answer *answer)
{
    return net_reply_status_has_body(answer->status) && exchange->method != NET_HEAD && answer->content_type != NULL;
}

void net_reply(struct net_exchange *self, const struct net_answer *answer)
{
    assert(answer->status >= 200 && answer->status <= 599);
    struct net_carrier *carrier = net_exchange_detach(self);
    if (carrier != NULL)
        carrier->kind->answer(carrier, self, answer);
    net_exchange_settle(self);
}

void net_reply_status(struct net_exchange *self, int status)
{
    net_reply(self, &(struct net_answer){.status = status});
}

static void net_reply_error_answer(struct net_exchange *self, struct net_answer *answer, const char *code,
                                   const char *message)
{
    struct buf body;
    struct json json;
    buf_init(&body, NET_REPLY_ERROR_BYTES_MAX);
    if (buf_reserve(&body, NET_REPLY_ERROR_BYTES_MAX) == NULL) { /* no memory for words; the status says it, too */
        net_reply(self, answer);
        return;
    }
    json_init(&json, &body);
    json_object(&json, NULL);
    json_object(&json, "error");
    json_text(&json, "code", slice_text(code));
    json_text(&json, "message", slice_text(message));
    json_object_end(&json);
    json_object_end(&json);
    assert(!body.failed || body.starved); /* messages are ours and short: an error never reflects the request */
    answer->content_type = body.failed ? NULL : "application/json"; /* without memory the status has to do */
    answer->body = buf_slice(&body);
    net_reply(self, answer);
    buf_release(&body);
}

void net_reply_error(struct net_exchange *self, int status, const char *code, const char *message)
{
    net_reply_error_answer(self, &(struct net_answer){.status = status}, code, message);
}

/* "GET, HEAD" */
static void net_reply_allow(unsigned methods, char *out, size_t size)
{
    static const struct {
        enum net_method method;
        const char *name;
    } names[] = {{NET_GET, "GET"}, {NET_HEAD, "HEAD"}, {NET_POST, "POST"}, {NET_OPTIONS, "OPTIONS"}};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(methods & names[i].method))
            continue;
        if (out[0] != '\0')
            strncat(out, ", ", size - strlen(out) - 1);
        strncat(out, names[i].name, size - strlen(out) - 1);
    }
}

/* 405 says what is allowed, 429 and 503 when to come back, each for another time. */
static size_t net_reply_hint(const struct net_exchange *self, char *text, size_t size, struct net_header *header)
{
    switch (self->refusal.status) {
    case 405:
        *header = (struct net_header){"Allow", text};
        net_reply_allow(self->allow, text, size);
        return 1;
    case 429:
    case 503:
        *header = (struct net_header){"Retry-After", text};
        snprintf(text, size, "%u", jitter_spread(&self->loop->net->jitter, NET_RETRY_S, NET_RETRY_S + 1));
        return 1;
    default:
        return 0;
    }
}

void net_reply_refusal(struct net_exchange *self)
{
    const struct net_refusal refusal = self->refusal;
    char text[40];
    struct net_header header;
    struct net_answer answer = {
        .status = refusal.status, .headers = &header, .header_count = net_reply_hint(self, text, sizeof text, &header)};
    counters_add(self->loop->net->options.counters, refusal.counter, 1);
    net_exchange_reject(self, &(struct reject_cause){refusal.counter, refusal.status, refusal.code, refusal.message},
                        NULL, slice_of(NULL, 0));
    net_reply_error_answer(self, &answer, refusal.code, refusal.message);
}

void net_reply_late(struct net_exchange *self, const char *message, enum counter counter)
{
    self->keep_alive = false;
    net_exchange_refuse(self, 408, "timeout", message, counter);
    net_reply_refusal(self);
}
