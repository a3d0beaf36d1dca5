/* A blocking socket for tests, and TLS on it, driven byte by byte where a test means to. Waits end after 10 s. */
#ifndef VITRACE_TESTS_SOCKET_CLIENT_H
#define VITRACE_TESTS_SOCKET_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

int socket_client_open(unsigned port);          /* 127.0.0.1 */
int socket_client_open_local(const char *path); /* -1 = nobody listens */
/* false = the connection ended before. */
bool socket_client_read(int file, void *out, size_t size);
/* What comes until the end, at most `room` bytes. Returns their number; *reset = it did not end in order. */
size_t socket_client_read_all(int file, char *out, size_t room, bool *reset);
bool socket_client_write(int file, const void *bytes, size_t size);

/* TLS over memory, so that a test decides which bytes travel when. */
struct tls_client {
    SSL_CTX *context;
    SSL *session;
    BIO *in, *out;
    int file;
    size_t piece; /* bytes to send at a time; 0 = all */
};

struct tls_client_options {
    unsigned port;
    int version_max;           /* 0 = any */
    int version_min;           /* 0 = the library's default */
    const char *alpn;          /* as on the wire: "\x02h2\x08http/1.1"; NULL = none */
    SSL_SESSION *resumes;      /* NULL = none */
    size_t piece;
};

void tls_client_open(struct tls_client *self, const struct tls_client_options *options);
/* false = refused. */
bool tls_client_shake(struct tls_client *self);
bool tls_client_write(struct tls_client *self, const void *bytes, size_t size);
/* false = the other side ended, or failed. */
bool tls_client_read(struct tls_client *self, void *out, size_t size);
/* Reads to the end: true = a clean one (close_notify). */
bool tls_client_ends_cleanly(struct tls_client *self);
/* What is to be sent goes to the socket. */
bool tls_client_flush(struct tls_client *self);
void tls_client_close(struct tls_client *self);

#endif
