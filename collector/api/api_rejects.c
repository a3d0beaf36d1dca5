#include "collector/api/api_rejects.h"

#include "collector/base/json.h"
#include "collector/base/rejects.h"

#include <arpa/inet.h>
#include <stdio.h>

/* "192.0.2.0/24", "2001:db8:1::/48" */
static void api_rejects_peer(struct json *json, const uint8_t peer[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 4];
    bool is_v4 = memcmp(peer, mapped, sizeof mapped) == 0;
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? peer + 12 : peer, address, sizeof address);
    snprintf(text, sizeof text, "%s/%u", address, is_v4 ? 24 : 48);
    json_text(json, "peer", slice_text(text));
}

static void api_rejects_write_one(struct json *json, const struct reject *reject)
{
    struct slice reason = counters_label(reject->cause.counter);
    json_object(json, NULL);
    json_double(json, "time_unix_ms", (double)reject->unix_us / 1000);
    json_text(json, "series", slice_text(counters_name(reject->cause.counter)));
    json_text(json, "reason", reason);
    json_text(json, "protocol", slice_text(reject_via_name(reject->via)));
    json_int(json, "status", reject->cause.status);
    json_text(json, "code", slice_text(reject->cause.code));
    json_text(json, "message", slice_text(reject->cause.message));
    json_text(json, "method", slice_text(reject->method));
    json_text(json, "path", slice_text(reject->path));
    json_text(json, "app", slice_text(reject->app));
    json_text(json, "origin_host", slice_text(reject->origin));
    api_rejects_peer(json, reject->peer);
    json_int(json, "body_bytes", (int64_t)reject->body_bytes);
    json_text(json, "body_format", slice_text(reject_body_name(reject->body)));
    json_object_end(json);
}

enum query_status api_rejects_write(struct rejects *rejects, struct buf *out)
{
    struct reject reject[REJECTS_MAX];
    uint64_t left_out = 0;
    size_t count = rejects == NULL ? 0 : rejects_copy(rejects, reject, &left_out);
    struct json json;
    json_init(&json, out);
    json_object(&json, NULL);
    json_array(&json, "rejects");
    for (size_t i = 0; i < count; i++)
        api_rejects_write_one(&json, &reject[i]);
    json_array_end(&json);
    json_int(&json, "left_out", (int64_t)left_out);
    json_object_end(&json);
    return out->failed ? QUERY_TOO_LARGE : QUERY_OK;
}
