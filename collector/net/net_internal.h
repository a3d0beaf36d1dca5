/*
 * Shared by the phases of net; nobody else includes it.
 *
 *   stream_listener  accept ----> connection                   one loop thread owns everything below it
 *   stream  take ----> net_connection, pending ----> net_parse (llhttp callbacks fill the exchange)
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
 * The end (net_drain.c) fails no request:
 *
 *   SERVING --net_drain()--> DRAINING --net_stop()--> ENDING --nobody left, or drain_ms over--> the thread ends
 *
 *   DRAINING  accepts as before; every answer says `Connection: close`, so that the clients come back on connections that
 *             are new, and after the stop are the successor's. A quiet connection is let go when its client has not sent
 *             for a while that fits its habit. It is settled when no client from before is left and none that has only
 *             connected, or after half of drain_ms.
 *   ENDING    accepts no more. Requests under way and clients that have just come are served to the end of drain_ms.
 *
 * HTTP/1.1 has no word for "do not send any more" but an answer (RFC 9112, 9.6): a connection that is closed while quiet
 * may cross a request on its way, and all clients know that a connection which they kept may be gone. So quiet ones are
 * waited for, what has arrived is looked for before the FIN goes, and the FIN goes first: a request that crosses it is
 * read and dropped, and its sender sees an end without an answer, never a reset that swallows an earlier one.
 * An answer that other requests are already waiting behind (pipelined) does not say close: they would be lost.
 *
 * Closing a listening socket resets who waits in its queue. An inherited one stays open with whoever opened it, and its
 * queue waits for the successor. Our own first refuses further SYNs (their senders try again a second later), then its
 * queue is accepted, and only then it is closed.
 *
 * Slow clients cost a descriptor and little else, for a bounded time: a head must be whole after head_timeout_ms, a body
 * must come at body_bytes_per_second_min once body_grace_ms are over (sixteen times as fast, and in a sixteenth of that
 * time, while bodies take half of the memory that is theirs), an answer must be read within request_timeout_ms.
 * When connections_max + NET_TURNED_AWAY_MAX are open nothing more is accepted until one has gone: clients wait in the
 * kernel's queue, and the process never runs out of descriptors.
 *
 * LINGERING reads and drops what the client still sends: closing a socket with unread input resets it, and the client
 * would lose the very answer that says why. It is left out when the client said that its request was the last one, and
 * all of it was read: there is no input left.
 */
#ifndef VITRACE_NET_INTERNAL_H
#define VITRACE_NET_INTERNAL_H

#include "collector/base/jitter.h"
#include "collector/base/siphash.h"
#include "collector/net/net.h"
#include "collector/stream/stream.h"

#include <llhttp/llhttp.h>
#include <stdatomic.h>
#include <uv.h>

#define NET_HEAD_BYTES_MAX            (16u << 10) /* request line and headers together */
#define NET_HEADERS_MAX               64u
#define NET_REPLY_HEAD_BYTES_MAX      4096u
#define NET_CHUNK_EXTENSION_BYTES_MAX 64u
#define NET_TURNED_AWAY_MAX           64u /* connections beyond the cap that are open only to be told so */
#define NET_PEERS_COUNTS              65536u
#define NET_LINGER_MS                 1000u
#define NET_LINGER_BYTES_MAX          (8u << 20)
#define NET_PROMISE_MAX               8u /* times what has come of a body is reserved, if the client announced that much */
/* While bodies hold half of their memory those that are slow have to be quick: 16 KiB/s, as a phone on an old network. */
#define NET_TIGHT_FACTOR              16u
/* Spare exchanges of a loop, with what a small request needs: a head, a body and a piece of memory. As many as wait for
 * one commit of the log; at most 512 x (16 + 4 + 4) KiB, 1 MiB after beacons of a kilobyte. */
#define NET_EXCHANGES_KEPT            512u
#define NET_KEPT_BYTES_MAX            4096u
#define NET_THREADS_MAX               64u
#define NET_BACKLOG                   1024
#define NET_GRACE_FRESH_MS            1000u /* from accept to the first byte: round trips of a slow road */
#define NET_GRACE_FRESH_END_MS        300u
#define NET_GRACE_PAUSES              3u    /* for the next request: so many times the longest pause so far, */
#define NET_GRACE_QUIET_MS            500u  /* at least this */
#define NET_H2_WRITE_BYTES            (64u << 10)

enum net_phase { NET_SERVING, NET_DRAINING, NET_ENDING };

enum net_state { NET_IDLE, NET_READING, NET_LENT, NET_WRITING, NET_HTTP2, NET_LINGERING, NET_CLOSED };

struct net_loop;
struct net_connection;
struct net_carrier;
struct net_h2;
struct nghttp2_session_callbacks;
struct nghttp2_option;

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

/*
 * Who brings the answer of an exchange to its client. Handlers and the rest of net do not know which: an HTTP/1.1
 * connection, or a stream of an HTTP/2 one.
 */
struct net_carrier_kind {
    void (*lent)(struct net_carrier *self);  /* a handler has the exchange: no deadline of the client's runs */
    void (*go_on)(struct net_carrier *self); /* 100 Continue */
    /* The exchange is detached; it and the answer are borrowed until this returns. */
    void (*answer)(struct net_carrier *self, const struct net_exchange *exchange, const struct net_answer *answer);
};

/* The first member of what it stands for, so that a kind finds its own by a cast. */
struct net_carrier {
    const struct net_carrier_kind *kind;
    struct net_exchange *exchange; /* being filled, or with its handler; else NULL */
};

struct net_exchange {
    struct net_loop *loop;
    struct net_carrier *carrier; /* NULL: the client is gone */
    struct net_exchange *next;   /* spare list, or woken list */

    struct buf head; /* target, then names and values as they come */
    struct buf body;
    size_t target_at, target_size;
    uint64_t body_declared; /* Content-Length; 0 when there is none */
    struct net_field field[NET_HEADERS_MAX];
    unsigned field_count;

    enum net_method method;
    bool http_1_0, keep_alive, expects_continue, has_body;
    struct slice path, query, rest; /* borrow from head once it is complete */
    const struct net_route *route;
    unsigned allow; /* methods of the routes that match the path */
    struct net_refusal refusal;
    uint8_t peer[16];

    size_t held_bytes; /* in the loop's held_bytes */

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
    struct net_carrier carrier; /* READING: its exchange is being filled; LENT: it is with its handler */
    struct stream stream;
    struct net_loop *loop;
    struct net_connection *next, *previous;
    llhttp_t parser;
    enum net_state state;
    struct net_h2 *h2; /* HTTP2; else NULL */
    bool spoke_http1;  /* a request has come whole: the preface of HTTP/2 comes too late */
    struct buf pending;
    size_t pending_taken;
    uint64_t request_began_ms, body_began_ms; /* READING; body_began_ms is 0 until the head is whole */
    uint64_t deadline_ms; /* by the loop's clock; 0 = none (a stage of ours holds the exchange) */
    unsigned hold_ms;         /* asked for by the answer that is being written */
    uint64_t held_until_ms;   /* IDLE, and nothing is read or parsed until then; 0 = it is not held */
    size_t lingered_bytes;
    uint64_t quiet_since_ms; /* IDLE; accepted or answered then */
    unsigned pause_ms;       /* the longest between an answer and the next request */
    bool has_served, more_follows; /* the latter: input behind the request that is answered next is here already */
    bool is_late_comer;            /* accepted since net_drain() */
    bool at_eof, close_after_write, pumping;
    bool nothing_follows; /* the client said that its request was the last, and all of it was read: no need to linger */
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
    struct stream_listener listener;
    uv_async_t wake;
    uv_timer_t sweep;
    uint64_t round_began_ns, round_idle_ns, round_us;
    uv_thread_t thread;
    bool started, closing, settled;
    enum net_phase phase;
    bool is_deaf; /* the listener is stopped */
    bool accept_owed; /* a client came when memory or connections were out; libuv accepts no more until it is taken */
    uint64_t drain_began_ms;
    struct net_connection *connections;
    struct net_exchange *spare;
    unsigned spare_count;
    unsigned lent; /* exchanges handed to handlers and not freed */
    unsigned exchange_count;
    size_t held_bytes;     /* of HTTP/2 exchanges */
    struct net_h2 *h2_due; /* HTTP/2 connections that have something to send */
    uv_prepare_t before_wait;
    _Atomic(struct net_exchange *) woken;
    _Atomic unsigned wakers; /* threads inside net_exchange_wake */
    time_t date_second;
    char date[40];
    struct buf reply_head; /* of the reply under way */
    uint8_t h2_room[NET_H2_WRITE_BYTES];
};

struct net {
    struct net_options options;
    struct stream_address address;
    unsigned loop_count;
    _Atomic unsigned connection_count;
    _Atomic bool draining, stop;
    unsigned drain_ms; /* set before `draining` */
    uv_sem_t settled;  /* posted once by each loop */
    bool is_settled;   /* all of these were taken */
    struct nghttp2_session_callbacks *h2_callbacks;
    struct nghttp2_option *h2_option;
    _Atomic unsigned h2_count; /* connections that speak HTTP/2 */
    struct net_peers *peers;   /* NULL = no cap */
    struct net_hosts hosts;
    struct jitter jitter;
    struct net_loop *loops;
};

/* net_connection.c */
extern const struct stream_calls net_connection_calls;
void net_connection_open(struct net_loop *loop);
void net_connection_close(struct net_connection *self);
void net_connection_expire(struct net_connection *self, uint64_t now_ms);
/* Parses and answers what is pending until it is used up or an exchange is lent. Never re-entered: it loops. */
void net_connection_pump(struct net_connection *self);
/* The reply's last byte is in the kernel. */
void net_connection_written(struct net_connection *self);
/* HTTP/2 has said all it had to say. */
void net_connection_finish(struct net_connection *self);
/* Each time the loop looks while it is DRAINING or ENDING: tells the client to go elsewhere, in the words of its protocol. */
void net_connection_say_goodbye(struct net_connection *self, uint64_t now_ms);

/* net_drain.c */
void net_loop_heed(struct net_loop *loop); /* on every wake and sweep: what net_drain() and net_stop() asked for */
void net_loop_close_handles(struct net_loop *loop);
uint64_t net_loop_patience_ends(const struct net_loop *loop, const struct net_connection *connection);

/* net_peers.c */
struct net_peers *net_peers_new(void);
/* NULL = the peer has `max` already. */
_Atomic uint16_t *net_peers_take(struct net_peers *self, const uint8_t peer[16], unsigned max);
void net_peers_give(_Atomic uint16_t *count);

/* net_hosts.c */
bool net_hosts_init(struct net_hosts *self, const struct net_options *options); /* false = out of memory */
void net_hosts_release(struct net_hosts *self);
bool net_hosts_is_spelled(struct slice host);
bool net_hosts_allow(const struct net_hosts *self, struct slice host); /* a Host header's value */

/* net_parse.c */
enum net_parse_result {
    NET_PARSE_MORE,   /* all bytes taken, the request is not whole yet */
    NET_PARSE_WHOLE,  /* *taken bytes belong to it; the exchange is ready for its route */
    NET_PARSE_HTTP2,  /* it was the preface of HTTP/2, the first thing on its connection */
    NET_PARSE_REFUSED /* the exchange's refusal says why; the rest of the input cannot be trusted */
};
void net_parse_init(struct net_connection *connection);
enum net_parse_result net_parse(struct net_connection *connection, struct slice input, size_t *taken);

/* net_route.c */
void net_route_find(struct net_exchange *exchange, const struct net_route *routes, size_t count);
bool net_route_split(struct net_exchange *exchange); /* target -> path and query; false = not a target we serve */

/* net_head.c */
/* The head is whole: what it alone justifies to refuse is noted in the exchange; otherwise it has its route. */
void net_head_judge(struct net_exchange *exchange);

/* net_exchange.c */
/* NULL = out of memory. The carrier has it from here on. */
struct net_exchange *net_exchange_new(struct net_loop *loop, struct net_carrier *carrier, const uint8_t peer[16]);
void net_exchange_drop(struct net_exchange *self); /* the carrier lets go of it */
void net_exchange_lend(struct net_exchange *self); /* to its route's handler */
/* false: over the route's limit, or out of memory, and refused. */
bool net_exchange_add_body(struct net_exchange *self, struct slice bytes);
/* Within its own limit a buffer that takes no more bytes lacks memory, which passes: 503. */
bool net_exchange_lacks_memory(const struct buf *buf, size_t size);
void net_exchange_refuse_busy(struct net_exchange *self);
/* `spent_ms` after the head was whole: is the body behind the least rate? */
bool net_exchange_is_slow(const struct net_exchange *self, uint64_t spent_ms);
/* The answer is at hand: the carrier (NULL = the client is gone) is free for its next request. The exchange's memory
 * stays until net_exchange_settle(), because the answer may borrow from it. */
struct net_carrier *net_exchange_detach(struct net_exchange *self);
void net_exchange_settle(struct net_exchange *self);
void net_exchange_refuse(struct net_exchange *self, int status, const char *code, const char *message,
                         enum counter counter);
void net_exchange_run_woken(struct net_loop *loop);
void net_exchange_free_spare(struct net_loop *loop);

/* net_reject.c */
/* Keeps for the operator that a client was turned away before it could ask; counts it, too. */
void net_reject_connection(struct net *net, enum counter counter, const uint8_t *peer);

/* net_reply.c */
#define NET_RETRY_S 2u /* what was too much at once may be welcome after two to four seconds */
void net_reply_refusal(struct net_exchange *exchange);
void net_reply_late(struct net_exchange *exchange, const char *message, enum counter counter); /* 408 */
const char *net_reply_date(struct net_loop *loop);
bool net_reply_has_body(const struct net_exchange *exchange, const struct net_answer *answer);
bool net_reply_status_has_body(int status);

/* net_http1.c */
extern const struct net_carrier_kind net_http1_kind; /* of net_connection */

#endif
