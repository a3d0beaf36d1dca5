/*
 * Arbitrary bytes as what a client sends: parsed in one piece and again cut into pieces. Both must tell the same story,
 * request by request, because where a read happens to end is no property of a request; what depends on it is how requests
 * are smuggled. Byte 0 chooses the size of the pieces.
 */
#include "collector/net/net_internal.h"

#include <assert.h>
#include <stdlib.h>

#define FUZZ_BYTES_MAX    8000u /* below the bound of a head, which is counted by reads */
#define FUZZ_BODY_MAX     600u
#define FUZZ_REQUESTS_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is compared of a request. */
struct story {
    struct {
        uint64_t digest;
        int refused; /* its status, 0 = handed to its route */
    } request[FUZZ_REQUESTS_MAX];
    unsigned count;
    bool broken; /* the last one ended the connection */
};

static void handle(void *context, struct net_exchange *exchange)
{
    (void)context;
    (void)exchange;
}

static const struct net_route routes[] = {{NET_GET | NET_POST | NET_HEAD, "/v1/*", handle, NULL, FUZZ_BODY_MAX},
                                          {NET_OPTIONS, "/", handle, NULL, 0}};

/* The parser needs no running loop; a handle without a socket takes "100 Continue" and drops it. */
struct stage {
    struct counters counters;
    struct net net;
    struct net_loop loop;
    struct net_connection connection;
};

static void stage_open(struct stage *self)
{
    static const char *const hosts[] = {"x", "example.com"};
    memset(self, 0, sizeof *self);
    self->net.options = (struct net_options){.listen = "127.0.0.1:1",
                                             .routes = routes,
                                             .route_count = 2,
                                             .counters = &self->counters,
                                             .hosts_checked = true,
                                             .hosts = hosts,
                                             .host_count = 2};
    bool good = net_hosts_init(&self->net.hosts, &self->net.options) && uv_loop_init(&self->loop.uv) == 0;
    assert(good);
    (void)good;
    self->loop.net = &self->net;
    uv_tcp_init(&self->loop.uv, &self->connection.stream.handle.tcp);
    self->connection.stream.listener = &self->loop.listener;
    self->connection.loop = &self->loop;
    self->connection.carrier.kind = &net_http1_kind;
    net_parse_init(&self->connection);
}

static void stage_close(struct stage *self)
{
    if (self->connection.carrier.exchange != NULL)
        net_exchange_drop(self->connection.carrier.exchange);
    net_exchange_free_spare(&self->loop);
    net_hosts_release(&self->net.hosts);
    uv_close(&self->connection.stream.handle.any, NULL);
    uv_run(&self->loop.uv, UV_RUN_DEFAULT);
    int status = uv_loop_close(&self->loop.uv);
    assert(status == 0);
    (void)status;
}

static uint64_t digest(uint64_t so_far, struct slice bytes)
{
    static const struct siphash_key key = {1, 2};
    return so_far * 31 + siphash(key, bytes) + bytes.size;
}

static void tell(struct story *story, const struct net_exchange *exchange)
{
    if (story->count == FUZZ_REQUESTS_MAX)
        return;
    uint64_t sum = (uint64_t)exchange->method;
    if (exchange->refusal.status == 0) {
        assert(exchange->route != NULL && exchange->body.size <= FUZZ_BODY_MAX);
        assert(exchange->field_count <= NET_HEADERS_MAX && exchange->head.size <= NET_HEAD_BYTES_MAX);
        sum = digest(sum, exchange->path);
        sum = digest(sum, exchange->query);
        sum = digest(sum, buf_slice(&exchange->body));
        sum = digest(sum, net_exchange_header(exchange, "host"));
        sum = digest(sum, net_exchange_header(exchange, "origin"));
        sum = sum * 31 + exchange->keep_alive;
    }
    story->request[story->count].digest = exchange->refusal.status == 0 ? sum : 0;
    story->request[story->count++].refused = exchange->refusal.status;
}

/* false = the connection is at its end. */
static bool feed(struct stage *stage, struct slice piece, struct story *story)
{
    size_t at = 0;
    while (at < piece.size) {
        size_t taken = 0;
        enum net_parse_result result =
            net_parse(&stage->connection, slice_of(piece.data + at, piece.size - at), &taken);
        assert(taken <= piece.size - at);
        at += taken;
        if (result == NET_PARSE_MORE)
            return true;
        if (result == NET_PARSE_HTTP2) { /* what follows is for another parser */
            assert(story->count == 0);
            return false;
        }
        struct net_exchange *exchange = stage->connection.carrier.exchange;
        tell(story, exchange);
        bool ends = result == NET_PARSE_REFUSED || !exchange->keep_alive;
        story->broken = result == NET_PARSE_REFUSED;
        net_exchange_drop(exchange);
        if (ends)
            return false;
    }
    return true;
}

static void read_story(struct slice input, size_t piece_bytes, struct story *story)
{
    struct stage *stage = malloc(sizeof *stage);
    assert(stage != NULL);
    stage_open(stage);
    *story = (struct story){0};
    for (size_t at = 0; at < input.size; at += piece_bytes) {
        size_t size = input.size - at < piece_bytes ? input.size - at : piece_bytes;
        uint8_t *piece = malloc(size); /* its own allocation: a look beyond it is seen */
        assert(piece != NULL);
        memcpy(piece, input.data + at, size);
        bool goes_on = feed(stage, slice_of(piece, size), story);
        free(piece);
        if (!goes_on)
            break;
    }
    stage_close(stage);
    free(stage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct story whole, cut;
    if (size < 2 || size > FUZZ_BYTES_MAX)
        return 0;
    struct slice input = slice_of(data + 1, size - 1);
    read_story(input, input.size, &whole);
    read_story(input, 1u + data[0] % 64u, &cut);
    assert(whole.count == cut.count && whole.broken == cut.broken);
    for (unsigned i = 0; i < whole.count; i++)
        assert(whole.request[i].digest == cut.request[i].digest && whole.request[i].refused == cut.request[i].refused);
    return 0;
}
