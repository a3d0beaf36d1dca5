#include "collector/ingest/ingest_answer.h"

#include "collector/base/json.h"

#include <assert.h>
#include <stdio.h>

#define INGEST_HEADERS_MAX 8u

struct ingest_headers {
    struct net_header at[INGEST_HEADERS_MAX];
    size_t count;
};

void ingest_cors_init(struct ingest_cors *self, struct slice origin, bool allowed)
{
    self->origin[0] = '\0';
    if (!allowed || !ingest_origin_is_valid(origin))
        return;
    memcpy(self->origin, origin.data, origin.size);
    self->origin[origin.size] = '\0';
}

static void ingest_headers_add(struct ingest_headers *self, const char *name, const char *value)
{
    assert(self->count < INGEST_HEADERS_MAX);
    self->at[self->count++] = (struct net_header){name, value};
}

static void ingest_headers_init(struct ingest_headers *self, const struct ingest_cors *cors)
{
    self->count = 0;
    ingest_headers_add(self, "Vary", "Origin"); /* also without an echo: a cache must not keep that for all */
    if (cors->origin[0] == '\0')
        return;
    ingest_headers_add(self, "Access-Control-Allow-Origin", cors->origin);
    ingest_headers_add(self, "Access-Control-Allow-Credentials", "true");
    ingest_headers_add(self, "Access-Control-Expose-Headers", "Retry-After");
}

void ingest_answer_stored(struct net_exchange *exchange, const struct ingest_cors *cors)
{
    struct ingest_headers headers;
    ingest_headers_init(&headers, cors);
    net_reply(exchange, &(struct net_answer){.status = 204, .headers = headers.at, .header_count = headers.count});
}

void ingest_answer_preflight(struct net_exchange *exchange, const struct ingest_cors *cors)
{
    struct ingest_headers headers;
    if (cors->origin[0] == '\0') {
        ingest_answer_error(exchange, cors, 403, "origin", "No app lets this origin in.");
        return;
    }
    ingest_headers_init(&headers, cors);
    ingest_headers_add(&headers, "Access-Control-Allow-Methods", "POST");
    ingest_headers_add(&headers, "Access-Control-Allow-Headers", "Content-Type, Content-Encoding");
    ingest_headers_add(&headers, "Access-Control-Max-Age", "7200"); /* Chromium's own maximum */
    net_reply(exchange, &(struct net_answer){.status = 204, .headers = headers.at, .header_count = headers.count});
}

static void ingest_answer_json(struct net_exchange *exchange, const struct ingest_headers *headers,
                               const struct ingest_retry *retry, const char *message)
{
    struct buf body;
    struct json json;
    buf_init(&body, 512);
    json_init(&json, &body);
    json_object(&json, NULL);
    json_object(&json, "error");
    json_text(&json, "code", slice_text(retry->code));
    json_text(&json, "message", slice_text(message));
    json_object_end(&json);
    json_object_end(&json);
    assert(!body.failed || body.starved);
    net_reply(exchange, &(struct net_answer){.status = retry->status,
                                             .pause_ms = retry->pause_ms,
                                             .content_type = body.failed ? NULL : "application/json",
                                             .body = buf_slice(&body),
                                             .headers = headers->at,
                                             .header_count = headers->count});
    buf_release(&body);
}

void ingest_answer_error(struct net_exchange *exchange, const struct ingest_cors *cors, int status, const char *code,
                         const char *message)
{
    struct ingest_headers headers;
    ingest_headers_init(&headers, cors);
    ingest_answer_json(exchange, &headers, &(struct ingest_retry){.status = status, .code = code}, message);
}

void ingest_answer_retry(struct net_exchange *exchange, const struct ingest_cors *cors,
                         const struct ingest_retry *retry)
{
    struct ingest_headers headers;
    char seconds[12];
    snprintf(seconds, sizeof seconds, "%u", retry->after_s);
    ingest_headers_init(&headers, cors);
    ingest_headers_add(&headers, "Retry-After", seconds);
    ingest_answer_json(exchange, &headers, retry, "The beacon was not stored. Send it again later.");
}
