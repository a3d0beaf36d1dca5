/*
 * Shared by the phases of net; nobody else includes it.
 *
 *   net_listener  accept ----> connection                      one loop thread owns everything below it
 *   net_connection  read ----> pending input ----> net_parse (llhttp callbacks fill the exchange)
 *                                                      |
 *                   <---- net_reply <---- handler <----+ net_route, when the request is whole
 *                                           |
 *                   net_exchange: lent to another stage, comes back by net_exchange_wake()
 *
 * One request of a connection is read and answered at a time; what a client pipelines behind it waits in `pending`
 * (at most one read, then reading stops), so answers are in order and a connection's memory is bounded:
 *   struct 0.5 KiB + head 16 KiB + body (route's maximum) + pending 64 KiB + one reply being written.
 *
 * States of a connection (all transitions on its loop thread):
 *
 *   IDLE --first byte--> READING --request whole--> LENT --reply--> WRITING --written--> IDLE (or parses pending)
 *                           |                                         |
 *                           +--refused, late, slow: reply------------>+--close asked--> LINGERING --EOF/1 s--> CLOSED
 *
 * Slow clients cost a descriptor and little else, for a bounded time: a head must be whole after head_timeout_ms, a body
 * must come at body_bytes_per_second_min once body_grace_ms are over, an answer must be read within request_timeout_ms.
 * When connections_max + NET_TURNED_AWAY_MAX are open nothing more is accepted until one has gone: clients wait in the
 * kernel's queue, and the process never runs out of descriptors.
 *
 * LINGERING reads and drops what the client still sends: closing a socket with unread input resets it, and the client
 * would lose the very answer that says why. It is left out when the client said that its request was the last one, and
 * all of it was read: there is no input left.
 */
#ifndef VITRACE_NET_INTERNAL_H
#define VITRACE_NET_INTERNAL_H

#include "collector/base/siphash.h"
#include "collector/net/net.h"
#include "collector/net/net_listener.h"

#include <llhttp/llhttp.h>
#include <stdatomic.h>
#include <uv.h>

#define NET_HEAD_BYTES_MAX            (16u << 10) /* request line and headers together */
#define NET_HEADERS_MAX               64u
#define NET_READ_BYTES                (64u << 10) /* one read; also the most that waits in pending */
#define NET_REPLY_HEAD_BYTES_MAX      4096u
#define NET_CHUNK_EXTENSION_BYTES_MAX 64u
#define NET_TURNED_AWAY_MAX           64u /* connections beyond the cap that are open only to be told so */
#define NET_PEERS_COUNTS              65536u
#define NET_LINGER_MS                 1000u
#define NET_LINGER_BYTES_MAX          (8u << 20)
/* Spare exchanges of a loop, with what a small request needs: a head, a body and a piece of memory. */
#define NET_EXCHANGES_KEPT            64u
#define NET_KEPT_BYTES_MAX            4096u
#define NET_THREADS_MAX               64u
#define NET_BACKLOG                   1024

enum net_state { NET_IDLE, NET_READING, NET_LENT, NET_WRITING, NET_LINGERING, NET_CLOSED };

struct net_loop;
struct net_connection;

/* Offsets into the exchange's head buffer, which moves while it grows. */
struct net_field {
    uint16_t name_at, name_size, value_at, value_size;
};

struct net_memory {
    struct net_memory *next;
    size_t bytes_max;
    _Alignas(16) uint8_t bytes[];
};

/* Why a request is not given to its route; 0 = it is. */
struct net_refusal {
    int status;
    const char *code, *message;
    enum counter counter;
};

struct net_exchange {
    struct net_loop *loop;
    struct net_connection *connection; /* NULL: the client is gone */
    struct net_exchange *next;         /* spare list, or woken list */

    struct buf head; /* target, then names and values as they come */
    struct buf body;
    size_t target_size;
    uint64_t body_declared; /* Content-Length; 0 when chunked */
    struct net_field field[NET_HEADERS_MAX];
    unsigned field_count;

    enum net_method method;
    bool http_1_0, keep_alive, expects_continue, has_body;
    struct slice path, query, rest; /* borrow from head once it is complete */
    const struct net_route *route;
    unsigned allow; /* methods of the routes that match the path */
    struct net_refusal refusal;
    uint8_t peer[16];

    bool lent; /* its handler has it, or had it */
    bool answered;
    bool wake_armed;
    void (*wake_run)(struct net_exchange *, void *);
    void *wake_context;
    struct net_memory *memory;
    struct net_memory *kept; /* a piece of the last use, for the first that is asked for */
};

/*
 * How many connections each peer has open, in 128 KiB whatever the number of peers. A count is chosen by a hash under a
 * random key; two peers share one with probability 1 / 65,536, and then share a cap.
 */
struct net_peers {
    struct siphash_key key;
    _Atomic uint16_t count[NET_PEERS_COUNTS];
};

/* The Host names that are let in; see net_options. */
struct net_hosts {
    bool checked;
    char **name;
    size_t count;
};

struct net_line {
    size_t bytes;
    bool ends_in_cr;
    bool is_behind_another; /* an empty line ends the head, but those before its first line do not */
    bool is_behind_head;
};

struct net_connection {
    uv_tcp_t tcp;
    struct net_loop *loop;
    struct net_connection *next, *previous;
    llhttp_t parser;
    enum net_state state;
    struct net_exchange *exchange; /* READING: being filled; LENT: with its handler; else NULL */
    struct buf pending;
    size_t pending_taken;
    uint64_t request_began_ms, body_began_ms; /* READING; body_began_ms is 0 until the head is whole */
    uint64_t deadline_ms; /* by the loop's clock; 0 = none (a stage of ours holds the exchange) */
    unsigned pause_ms;        /* asked for by the answer that is being written */
    uint64_t pause_until_ms;  /* IDLE, and nothing is read or parsed until then; 0 = it is not paused */
    size_t lingered_bytes;
    bool reading, at_eof, close_after_write, pumping;
    bool nothing_follows; /* the client said that its request was the last, and all of it was read: no need to linger */
    uint8_t peer[16];
    _Atomic uint16_t *peer_count; /* this connection is in it; NULL = not counted */

    /* net_parse: the part of the head that the current callbacks add to */
    size_t head_bytes; /* as they came over the wire, so that blanks count too */
    size_t chunk_extension_bytes;
    bool head_complete, in_name, in_value;
    struct net_line line; /* the one of the head that the last feed ended in */
    bool in_gap, gap_has_break; /* between a colon and its value; a line ended there in an earlier feed */
    uint64_t feed;              /* number of the llhttp_execute call under way */
    const char *feed_begin, *feed_end;
    uint64_t value_open_feed; /* the feed at whose end the current value was cut, 0 = none */
};

struct net_loop {
    struct net *net;
    uv_loop_t uv;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t sweep;
    uv_prepare_t round; /* runs before each wait for events */
    uint64_t round_began_ns, round_idle_ns, round_us;
    uv_thread_t thread;
    bool started, stopping, closing;
    bool accept_owed; /* a client came when memory or connections were out; libuv accepts no more until it is taken */
    uint64_t drain_until_ms;
    struct net_connection *connections;
    struct net_exchange *spare;
    unsigned spare_count;
    unsigned lent; /* exchanges handed to handlers and not freed */
    _Atomic(struct net_exchange *) woken;
    _Atomic unsigned wakers; /* threads inside net_exchange_wake */
    struct siphash_key jitter_key;
    uint64_t jitter_count;
    time_t date_second;
    char date[40];
    struct buf reply_head; /* of the reply under way */
    char read_room[NET_READ_BYTES];
};

struct net {
    struct net_options options;
    unsigned port;
    unsigned loop_count;
    _Atomic unsigned connection_count;
    _Atomic bool stop;
    unsigned drain_ms;
    struct net_peers *peers; /* NULL = no cap */
    struct net_hosts hosts;
    struct net_loop *loops;
};

/* net_listener.c */
void net_listener_accept(uv_stream_t *listener, int status);

/* net_connection.c */
void net_connection_open(struct net_loop *loop);
void net_connection_close(struct net_connection *self);
void net_connection_expire(struct net_connection *self, uint64_t now_ms);
/* Parses and answers what is pending until it is used up or an exchange is lent. Never re-entered: it loops. */
void net_connection_pump(struct net_connection *self);
/* The reply's last byte is in the kernel. */
void net_connection_written(struct net_connection *self);

/* net_peers.c */
struct net_peers *net_peers_new(void);
/* NULL = the peer has `max` already. */
_Atomic uint16_t *net_peers_take(struct net_peers *self, const uint8_t peer[16], unsigned max);
void net_peers_give(_Atomic uint16_t *count);

/* net_reply.c: for Retry-After; from 1 to 5, so that clients refused together do not come back together. */
unsigned net_reply_retry_s(struct net_loop *loop);

/* net_hosts.c */
bool net_hosts_init(struct net_hosts *self, const struct net_options *options); /* false = out of memory */
void net_hosts_release(struct net_hosts *self);
bool net_hosts_is_spelled(struct slice host);
bool net_hosts_allow(const struct net_hosts *self, struct slice host); /* a Host header's value */

/* net_parse.c */
enum net_parse_result {
    NET_PARSE_MORE,   /* all bytes taken, the request is not whole yet */
    NET_PARSE_WHOLE,  /* *taken bytes belong to it; the exchange is ready for its route */
    NET_PARSE_REFUSED /* the exchange's refusal says why; the rest of the input cannot be trusted */
};
void net_parse_init(struct net_connection *connection);
enum net_parse_result net_parse(struct net_connection *connection, struct slice input, size_t *taken);

/* net_route.c */
void net_route_find(struct net_exchange *exchange, const struct net_route *routes, size_t count);
bool net_route_split(struct net_exchange *exchange); /* target -> path and query; false = not a target we serve */

/* net_exchange.c */
struct net_exchange *net_exchange_new(struct net_connection *connection); /* NULL = out of memory */
void net_exchange_drop(struct net_exchange *self);                        /* the connection lets go of it */
void net_exchange_lend(struct net_exchange *self);                        /* to its route's handler */
/* The answer is at hand: the connection (NULL = the client is gone) is free for its next request. The exchange's memory
 * stays until net_exchange_settle(), because the answer may borrow from it. */
struct net_connection *net_exchange_detach(struct net_exchange *self);
void net_exchange_settle(struct net_exchange *self);
void net_exchange_refuse(struct net_exchange *self, int status, const char *code, const char *message,
                         enum counter counter);
void net_exchange_run_woken(struct net_loop *loop);
void net_exchange_free_spare(struct net_loop *loop);

/* net_reply.c */
void net_reply_refusal(struct net_exchange *exchange);
void net_reply_continue(struct net_connection *connection);

#endif
