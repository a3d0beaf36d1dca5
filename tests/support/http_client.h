/* A plain HTTP/1.1 client for tests: it sends exactly the bytes given, and reads answers one at a time. */
#ifndef VITRACE_TESTS_HTTP_CLIENT_H
#define VITRACE_TESTS_HTTP_CLIENT_H

#include "collector/base/buf.h"

struct http_client {
    int file;
    struct buf in; /* read and not yet taken by a reply */
};

struct http_reply {
    int status;
    char head[4096]; /* status line and headers, NUL-terminated */
    char body[65536];
    size_t body_size;
};

void http_client_open(struct http_client *self, unsigned port);
void http_client_close(struct http_client *self);
/* Closes with a reset instead of a FIN. */
void http_client_reset(struct http_client *self);
void http_client_finish_sending(struct http_client *self);

void http_client_send(struct http_client *self, const void *bytes, size_t size);
void http_client_send_text(struct http_client *self, const char *text);
/* false: the connection ended (or 10 s passed) before a whole reply. 1xx replies are replies too. */
bool http_client_read(struct http_client *self, struct http_reply *out);
/* The other side closed, and nothing is left to read. */
bool http_client_at_end(struct http_client *self);

/* Value of a header, "" when absent; valid until the next call on the same thread. */
const char *http_reply_header(const struct http_reply *self, const char *name);

#endif
