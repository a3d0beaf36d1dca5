/*
 * HTTP/2 of a net connection; nobody outside net includes it.
 *
 *   net_connection --bytes--> net_h2 (nghttp2) --frames--> net_h2_stream --request whole--> net_exchange_lend()
 *         ^                      |                              |                                  |
 *         +---- net_h2_flush <---+-----------<------------------+------------- answer <------------+
 *
 * A connection speaks it when TLS has agreed on "h2", or when its first bytes are the preface (prior knowledge); Upgrade:
 * h2c is not offered (RFC 9113, 3.1). What is composed in one turn of the loop leaves in one write, just before the loop
 * waits again: the answers to one commit of the log go out together.
 *
 * States of a stream (all on its loop's thread):
 *
 *   HEAD --head whole--> BODY --END_STREAM--> lent (or waits for its turn) --answer--> sent --> closed --> freed
 *     |                   |                     |                                        |
 *     +-- refused, late, slow: answer, then RST_STREAM NO_ERROR ------------------------>+
 *                                               +--client resets it: a ghost, until its handler answers--> freed
 *
 * What a client may cost, beside net_internal.h:
 *   connections  NET_H2_CONNECTIONS_MAX x NET_H2_SESSION_BYTES (session, HPACK tables of 4 KiB, a frame), from three quarters of
 *                them on without the idle time; + what the kernel did not take of one write, NET_H2_WRITE_BYTES
 *   streams      NET_H2_STREAMS_MAX a connection, ghosts included: who resets a stream frees no place before its handler
 *                has answered; of all connections of a loop NET_H2_EXCHANGES_MAX, also of those that are gone
 *   heads        NET_HEAD_BYTES_MAX each as RFC 9113, 6.5.2 counts, and NET_HEADERS_MAX fields, as in HTTP/1.1: then 431;
 *                at NET_H2_HEAD_BYTES_RESET they are no longer looked at
 *   bodies       the route's limit each; with the heads NET_H2_HELD_BYTES_MAX a connection and NET_H2_HELD_BYTES_TOTAL_MAX a
 *                loop: then 503
 *   answers      no request is handed over while its connection has NET_H2_ANSWER_BYTES_MAX unsent, so they are that much
 *                and one answer more (and what was lent before, whose answers are small)
 *   time         as in HTTP/1.1: head, request, least rate of a body, an answer that is not read, each stream for itself
 *   floods       collector/h2
 */
#ifndef VITRACE_NET_H2_H
#define VITRACE_NET_H2_H

#include "collector/h2/h2.h"
#include "collector/net/net_internal.h"

#define NET_H2_CONNECTIONS_MAX      2048u
#define NET_H2_STREAMS_MAX          100u
#define NET_H2_EXCHANGES_MAX        4096u
#define NET_H2_HEAD_BYTES_RESET     (4u * NET_HEAD_BYTES_MAX)
#define NET_H2_HELD_BYTES_MAX       (16u << 20)
#define NET_H2_HELD_BYTES_TOTAL_MAX (32u << 20)
#define NET_H2_ANSWER_BYTES_MAX     (1u << 20)
#define NET_H2_FRAME_BYTES_MAX      (9u + (16u << 10)) /* nghttp2 makes none that is larger */
#define NET_H2_SESSION_BYTES        (15u << 10) /* of nghttp2 as measured, accounted as a whole */
#define NET_H2_CROWDED_IDLE_MS      1000u
#define NET_H2_NOTICE_MS            1000u /* between the two GOAWAYs (RFC 9113, 6.8) */

enum net_h2_goodbye { NET_H2_STAYS, NET_H2_NOTICED, NET_H2_GOES };

struct net_h2_stream {
    struct net_carrier carrier; /* its exchange, until the answer; a ghost's is with its handler */
    struct net_h2 *h2;
    struct net_h2_stream *next, *previous; /* in order of arrival */
    int32_t id;
    bool head_whole, closed;
    bool waits; /* whole, and not handed over yet */
    size_t head_bytes, held_bytes;
    uint64_t began_ms, body_began_ms, deadline_ms; /* 0 = none: a handler has it */
    struct buf answer;
    size_t answer_sent;
};

struct net_h2 {
    struct net_connection *connection;
    nghttp2_session *session;
    struct net_h2 *due_next, **due_link; /* in the loop's list, when it has something to send; else NULL */
    struct net_h2_stream *first, *last;
    unsigned stream_count, waiting;
    size_t held_bytes, answer_bytes;
    struct h2_budget budget;
    enum net_h2_goodbye goodbye;
    bool writing, ended; /* ended: for what the client did, and counted */
    uint64_t idle_ms;    /* since when it has no streams */
    uint64_t notice_ms, write_deadline_ms;
};

/* net_h2.c */
/* false = out of memory, or too many connections speak it; the connection has to be closed. */
bool net_h2_open(struct net_connection *connection);
void net_h2_close(struct net_h2 *self); /* frees it; exchanges with handlers live on */
void net_h2_take(struct net_h2 *self, struct slice bytes);
void net_h2_written(struct net_h2 *self);
void net_h2_expire(struct net_h2 *self, uint64_t now_ms);
bool net_h2_has_heard(const struct net_h2 *self); /* a request */
void net_h2_say_goodbye(struct net_h2 *self); /* streams under way end; the connection then closes */
void net_h2_set_due(struct net_h2 *self);     /* it has something to send */
void net_h2_flush_due(struct net_loop *loop); /* the loop is about to wait */
bool net_h2_prepare(struct net *net);         /* callbacks and options, once; false = out of memory */
void net_h2_release(struct net *net);

/* net_h2_stream.c */
/* NULL: no place, or no memory. */
struct net_h2_stream *net_h2_stream_new(struct net_h2 *h2, int32_t id);
void net_h2_stream_free(struct net_h2_stream *self);
void net_h2_stream_close(struct net_h2_stream *self); /* nghttp2 has done with it; freed, unless it becomes a ghost */
bool net_h2_stream_add_header(struct net_h2_stream *self, struct slice name, struct slice value); /* false: reset it */
void net_h2_stream_refuse(struct net_h2_stream *self, int status, const char *code, const char *message,
                          enum counter counter);
void net_h2_stream_take_head(struct net_h2_stream *self, bool ends);
void net_h2_stream_take_body(struct net_h2_stream *self, struct slice bytes);
void net_h2_stream_take_end(struct net_h2_stream *self);
void net_h2_stream_lend(struct net_h2_stream *self);
void net_h2_stream_expire(struct net_h2_stream *self, uint64_t now_ms);

#endif
