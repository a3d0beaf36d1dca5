/*
 * Any bytes behind a client's HTTP/2 preface, into the real session, streams and exchanges, without a socket: whole, and
 * again cut into pieces. The handlers must see the same requests; half of them are answered only after the client has
 * gone on, or has gone. Every stream, exchange and byte is given back at the end. Byte 0 chooses the size of the pieces.
 */
#include "collector/net/net_h2.h"

#include <assert.h>
#include <stdlib.h>

#define FUZZ_BODY_MAX 600u
#define FUZZ_HELD_MAX 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t requests, digest;
    struct net_exchange *held[FUZZ_HELD_MAX];
    unsigned held_count;
};

struct stage {
    struct counters counters;
    struct net net;
    struct net_loop loop;
    struct net_connection connection;
    struct seen seen;
};

static struct stage stage;

static void add(struct seen *seen, struct slice bytes)
{
    static const struct siphash_key key = {1, 2};
    seen->digest = seen->digest * 31 + siphash(key, bytes) + bytes.size;
}

static void look(struct seen *seen, struct net_exchange *exchange)
{
    assert(exchange->route != NULL && exchange->refusal.status == 0 && exchange->body.size <= FUZZ_BODY_MAX);
    assert(exchange->field_count <= NET_HEADERS_MAX && exchange->head.size <= NET_HEAD_BYTES_MAX);
    assert(net_exchange_header_count(exchange, "host") == 1);
    seen->requests++;
    add(seen, net_exchange_path(exchange));
    add(seen, net_exchange_query(exchange));
    add(seen, net_exchange_body(exchange));
    add(seen, net_exchange_header(exchange, "host"));
    add(seen, net_exchange_header(exchange, "origin"));
}

static void handle(void *context, struct net_exchange *exchange)
{
    struct seen *seen = context;
    look(seen, exchange);
    if (seen->requests % 2 == 0 && seen->held_count < FUZZ_HELD_MAX)
        seen->held[seen->held_count++] = exchange;
    else
        net_reply(exchange, &(struct net_answer){
                                .status = 200, .content_type = "text/plain", .body = net_exchange_body(exchange)});
}

static void answer_held(struct seen *seen)
{
    while (seen->held_count > 0)
        net_reply_status(seen->held[--seen->held_count], 204);
}

static void stage_open(void)
{
    static const struct net_route routes[] = {{NET_GET | NET_POST | NET_HEAD, "/v1/*", handle, &stage.seen, FUZZ_BODY_MAX},
                                              {NET_OPTIONS | NET_GET, "/", handle, &stage.seen, 0}};
    memset(&stage, 0, sizeof stage);
    stage.net.options = (struct net_options){.listen = "127.0.0.1:1",
                                             .routes = routes,
                                             .route_count = 2,
                                             .counters = &stage.counters,
                                             .head_timeout_ms = 1000,
                                             .request_timeout_ms = 1000};
    stage.loop.net = &stage.net;
    stage.connection.loop = &stage.loop;
    bool good = net_hosts_init(&stage.net.hosts, &stage.net.options) && uv_loop_init(&stage.loop.uv) == 0 &&
                net_h2_prepare(&stage.net) && net_h2_open(&stage.connection);
    assert(good);
    (void)good;
}

static void stage_close(void)
{
    net_h2_close(stage.connection.h2);
    answer_held(&stage.seen);
    assert(stage.loop.lent == 0 && stage.loop.exchange_count == 0 && stage.loop.held_bytes == 0);
    assert(stage.net.h2_count == 0 && stage.loop.h2_due == NULL);
    net_exchange_free_spare(&stage.loop);
    net_hosts_release(&stage.net.hosts);
    net_h2_release(&stage.net);
    uv_loop_close(&stage.loop.uv);
}

static bool feed(struct slice bytes)
{
    uint8_t *piece = malloc(bytes.size); /* its own allocation: a look beyond it is seen */
    assert(piece != NULL);
    memcpy(piece, bytes.data, bytes.size);
    bool alive = nghttp2_session_mem_recv(stage.connection.h2->session, piece, bytes.size) >= 0;
    free(piece);
    return alive;
}

static void drain(void)
{
    const uint8_t *out;
    while (nghttp2_session_mem_send(stage.connection.h2->session, &out) > 0)
        continue;
}

static struct seen run(struct slice input, size_t step)
{
    stage_open();
    bool alive = feed(slice_of(H2_PREFACE, H2_PREFACE_BYTES));
    for (size_t at = 0; alive && at < input.size; at += step)
        alive = feed(slice_of(input.data + at, input.size - at < step ? input.size - at : step));
    if (alive) {
        drain();
        answer_held(&stage.seen);
        drain();
    }
    struct seen seen = stage.seen;
    stage_close();
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice input = slice_of(data + 1, size - 1);
    struct seen whole = run(input, input.size), cut = run(input, 1u + data[0] % 64u);
    /* After a client's GOAWAY, nghttp2 reads no more than the request it is in. */
    assert(cut.requests <= whole.requests);
    assert(cut.requests != whole.requests || cut.digest == whole.digest);
    return 0;
}
