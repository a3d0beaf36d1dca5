/* A gRPC client for tests, on nghttp2 and a blocking socket: it sends the bytes given as DATA, right or wrong. */
#ifndef VITRACE_TESTS_GRPC_CLIENT_H
#define VITRACE_TESTS_GRPC_CLIENT_H

#include "proto/wire/slice.h"

#include <nghttp2/nghttp2.h>

struct grpc_client {
    int file;
    nghttp2_session *session;
    bool goaway; /* heard */
    int32_t goaway_last[2]; /* the last stream of the first GOAWAY, and of the latest */
};

struct grpc_client_call {
    const char *path, *method, *type, *encoding; /* NULL: POST, application/grpc, none */
    struct slice body;                           /* of the DATA frames, prefix included */
    size_t frame_bytes;                          /* of one DATA frame; 0 = as large as it gets */
    bool open;                                   /* no END_STREAM after it */

    /* the answer */
    int32_t stream_id;
    bool closed;
    uint32_t reset;               /* error code of the stream's end */
    int http_status, grpc_status; /* -1 = none */
    char text[256], accept_encoding[64], details[512]; /* details: grpc-status-details-bin, as sent */
    uint8_t message[8192]; /* prefix included */
    size_t message_size;
    size_t sent;
};

void grpc_client_open(struct grpc_client *self, unsigned port);
void grpc_client_close(struct grpc_client *self);
void grpc_client_start(struct grpc_client *self, struct grpc_client_call *call);
void grpc_client_flush(struct grpc_client *self);
/* Reads once, at most 10 s, and answers what it has to. false: the connection ended. */
bool grpc_client_step(struct grpc_client *self);
/* Until the call is closed; false: the connection ended before. */
bool grpc_client_wait(struct grpc_client *self, struct grpc_client_call *call);
/* start and wait */
bool grpc_client_run(struct grpc_client *self, struct grpc_client_call *call);
/* Prefix and message into out; returns the whole. */
struct slice grpc_client_frame(uint8_t *out, bool compressed, struct slice message);

#endif
