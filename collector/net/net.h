/*
 * HTTP/1.1 on libuv and llhttp: listeners, connections, a route table, replies. Knows nothing of beacons.
 *
 * A net is one listener with its own loop thread(s). A request that has been read whole becomes an exchange; the handler
 * answers with net_reply(), at once or later, always on the exchange's own thread. A stage that finishes elsewhere
 * calls net_exchange_wake() from any thread, and the exchange's wake function runs on its own thread.
 *
 * An exchange outlives its connection: when the client leaves early the reply is dropped, the wake still happens.
 */
#ifndef VITRACE_NET_H
#define VITRACE_NET_H

#include "collector/base/counters.h"
#include "collector/base/rejects.h"
#include "proto/wire/slice.h"

struct net;
struct net_exchange;
struct stream_tls;

enum net_method { NET_GET = 1, NET_HEAD = 2, NET_POST = 4, NET_OPTIONS = 8, NET_OTHER = 16 };

struct net_header {
    const char *name;
    const char *value;
};

struct net_answer {
    int status;
    const char *content_type; /* NULL = no body */
    struct slice body;        /* copied */
    const struct net_header *headers; /* beyond Date, Content-Length, Connection */
    size_t header_count;
    bool close; /* close the connection after the reply */
    unsigned pause_ms; /* HTTP/1.1: nothing more is read from the connection for so long, give or take a sweep. For a client
                          that is told to come back later: what it sends at once all the same costs us nothing then. */
};

typedef void net_handler(void *context, struct net_exchange *exchange);

struct net_route {
    unsigned methods;  /* enum net_method bits; others are answered 405 with Allow */
    const char *path;  /* exact; a trailing '*' matches any rest */
    net_handler *handle;
    void *context;
    size_t body_bytes_max; /* 413 above it, before the body is read whole */
};

struct net_options {
    const char *listen; /* "127.0.0.1:4318", "[::1]:0", ":8080" (any address), "unix:/PATH"; borrowed for the net's life */
    struct stream_tls *tls; /* NULL = plain; borrowed likewise */
    int socket;         /* a listening one, taken instead of binding `listen`; borrowed for net_start(); 0 = none */
    unsigned threads;   /* loops with SO_REUSEPORT; 0 = 1 */
    const struct net_route *routes; /* borrowed for the life of the net */
    size_t route_count;
    struct counters *counters; /* borrowed */
    struct memory *memory;     /* borrowed; pays for connections, bodies and replies. NULL = not accounted */
    struct rejects *rejects;   /* borrowed; NULL = none are kept */
    unsigned connections_max;  /* 0 = 10,000; beyond it clients are turned away, and beyond a few of those not accepted */
    unsigned connections_per_peer_max; /* of one IPv4 address or IPv6 /64; 0 = no limit, at most 60,000 */
    unsigned idle_timeout_ms;  /* 0 = 15,000 */
    unsigned head_timeout_ms;  /* a TLS handshake; then request line and headers; 0 = 5,000 */
    unsigned body_bytes_per_second_min; /* after body_grace_ms, else 408; 0 = 1,024 */
    unsigned body_grace_ms;    /* 0 = 2,000 */
    unsigned request_timeout_ms; /* headers and body together; 0 = 30,000 */
    /* Against DNS rebinding: of requests whose Host is a name, only those for localhost, for the name in `listen` and for
     * these are let in (421). An address as Host is no danger: a page cannot come by it without being served from here. */
    bool hosts_checked;
    const char *const *hosts; /* copied */
    size_t host_count;
};

/* Binds and starts. NULL: `error` says which address and why. */
struct net *net_start(const struct net_options *options, char *error, size_t error_size);
unsigned net_port(const struct net *self); /* as bound */
/*
 * The end, for an owner of several: net_drain() them all, then net_settle() them all, then net_stop() them.
 *   drain   returns at once; from then on every answer closes its connection, and quiet clients are let go
 *   settle  waits until no client from before the drain is left, at most half of drain_ms
 *   stop    stops accepting, answers what is under way until drain_ms are over since the drain, ends the threads
 * Clients are accepted until the stop. net_stop() alone does all three; after net_drain() its own drain_ms is not looked at.
 * Exchanges lent to another stage are waited for beyond drain_ms: their memory is in that stage's hands. So whoever owns
 * both stops the net before the stage that it feeds.
 */
void net_drain(struct net *self, unsigned drain_ms);
void net_settle(struct net *self);
void net_stop(struct net *self, unsigned drain_ms);

/* All slices are borrowed until the exchange is answered. */
enum net_method net_exchange_method(const struct net_exchange *self);
struct slice net_exchange_path(const struct net_exchange *self);
struct slice net_exchange_rest(const struct net_exchange *self); /* what the route's '*' matched */
struct slice net_exchange_query(const struct net_exchange *self); /* after '?', undecoded */
struct slice net_exchange_body(const struct net_exchange *self);
/* Case-insensitive name; empty when absent. The first of several. */
struct slice net_exchange_header(const struct net_exchange *self, const char *name);
/* For headers that may come in several lines: how many, and the one at `index` from the top (empty beyond the last). */
unsigned net_exchange_header_count(const struct net_exchange *self, const char *name);
struct slice net_exchange_header_at(const struct net_exchange *self, const char *name, unsigned index);
/* Peer as 16 bytes, v4 mapped; not truncated. "::" = it came over a Unix socket. */
const uint8_t *net_exchange_peer(const struct net_exchange *self);
/* `bytes` of zeroed memory that lives as long as the exchange, e.g. for a struct append. NULL = out of memory. */
void *net_exchange_memory(struct net_exchange *self, size_t bytes);

/* How long the exchange's thread last took to serve everything that was ready: what a request waits for its turn. */
uint64_t net_exchange_round_us(const struct net_exchange *self);

/* Finds `name` in an application/x-www-form-urlencoded query and decodes it into out. Returns its size, -1 = absent or
 * does not fit. */
int net_query_find(struct slice query, const char *name, char *out, size_t size);

/* Exactly once per exchange, on its thread. */
void net_reply(struct net_exchange *self, const struct net_answer *answer);
void net_reply_status(struct net_exchange *self, int status); /* no body */
/* {"error":{"code":..., "message":...}} with the given status. */
void net_reply_error(struct net_exchange *self, int status, const char *code, const char *message);

/* Keeps a refusal for the operator, before it is answered; it is counted elsewhere. `client`: whom the request is from,
 * when that is not the peer; `app`: empty = not known. */
void net_exchange_reject(const struct net_exchange *self, const struct reject_cause *cause, const uint8_t *client,
                         struct slice app);

/* Sets what net_exchange_wake() runs. Before handing the exchange's memory to another thread. */
void net_exchange_on_wake(struct net_exchange *self, void (*run)(struct net_exchange *self, void *context), void *context);
/* Any thread, once per on_wake. */
void net_exchange_wake(struct net_exchange *self);

#endif
