/* An HTTP/2 client for tests, on nghttp2 and a blocking socket. What nghttp2 would not send is sent as bytes. */
#ifndef VITRACE_TESTS_H2_CLIENT_H
#define VITRACE_TESTS_H2_CLIENT_H

#include "collector/base/buf.h"

#include <nghttp2/nghttp2.h>

struct h2_client {
    int file;
    nghttp2_session *session;
    bool reads_slowly; /* windows are not opened again by themselves */
    unsigned goaways;  /* heard */
    uint32_t goaway_error;
    int32_t goaway_last;
};

struct h2_client_field {
    const char *name, *value;
};

struct h2_client_request {
    const char *method, *path, *authority; /* NULL: GET, left out, "x" */
    struct h2_client_field fields[72];     /* until the first without a name */
    struct slice body;
    size_t frame_bytes; /* of one DATA frame; 0 = as large as it gets */
    bool open;          /* no END_STREAM after the body */

    /* the answer */
    int32_t id;
    bool closed;
    uint32_t reset; /* error code of the stream's end */
    int status;     /* 0 = none */
    unsigned continues;
    char head[2048]; /* "name: value\n", without the status */
    struct buf answer;
    size_t sent;
};

void h2_client_open(struct h2_client *self, unsigned port);
void h2_client_close(struct h2_client *self);
void h2_client_start(struct h2_client *self, struct h2_client_request *request);
void h2_client_reset(struct h2_client *self, const struct h2_client_request *request);
void h2_client_more(struct h2_client *self, struct h2_client_request *request, struct slice body, bool open);
void h2_client_flush(struct h2_client *self);
void h2_client_send(struct h2_client *self, const void *bytes, size_t size); /* past nghttp2 */
/* Reads once, at most 10 s, and answers what it has to. false: the connection ended. */
bool h2_client_step(struct h2_client *self);
bool h2_client_wait(struct h2_client *self, const struct h2_client_request *request); /* false: it ended before */
bool h2_client_run(struct h2_client *self, struct h2_client_request *request);        /* start and wait */
void h2_client_wait_end(struct h2_client *self); /* of the connection */
void h2_client_release(struct h2_client_request *request);

/* "" = absent; valid until the next call. */
const char *h2_client_header(const struct h2_client_request *request, const char *name);

/* A frame into out, which has room; returns its size. */
size_t h2_frame(uint8_t *out, uint8_t type, uint8_t flags, int32_t id, struct slice payload);
/* A field of a header block, spelled out: no table, no Huffman. Returns its size. */
size_t h2_literal(uint8_t *out, struct slice name, struct slice value);

#endif
