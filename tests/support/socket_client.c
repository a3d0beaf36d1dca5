#include "tests/support/socket_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(int family, const struct sockaddr *address, socklen_t size)
{
    const struct timeval wait = {10, 0};
    int one = 1, file = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(file >= 0);
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (family == AF_INET)
        setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(file, address, size) == 0)
        return file;
    close(file);
    return -1;
}

int socket_client_open(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int file = connect_to(AF_INET, (const struct sockaddr *)&address, sizeof address);
    assert(file >= 0);
    return file;
}

int socket_client_open_local(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncat(address.sun_path, path, sizeof address.sun_path - 1);
    return connect_to(AF_UNIX, (const struct sockaddr *)&address, sizeof address);
}

bool socket_client_read(int file, void *out, size_t size)
{
    char *at = out;
    while (size > 0) {
        ssize_t got = recv(file, at, size, 0);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

size_t socket_client_read_all(int file, char *out, size_t room, bool *reset)
{
    size_t size = 0;
    ssize_t got = 1;
    while (size < room && (got = recv(file, out + size, room - size, 0)) > 0)
        size += (size_t)got;
    *reset = got < 0;
    return size;
}

bool socket_client_write(int file, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(file, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

void tls_client_open(struct tls_client *self, const struct tls_client_options *options)
{
    *self = (struct tls_client){.file = socket_client_open(options->port), .piece = options->piece};
    self->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(self->context, 0); /* it may ask for anything; the server is what is tested */
    SSL_CTX_set_session_cache_mode(self->context, SSL_SESS_CACHE_OFF); /* a ticket outlives its context */
    SSL_CTX_set_min_proto_version(self->context, options->version_min);
    SSL_CTX_set_max_proto_version(self->context, options->version_max);
    if (options->alpn != NULL)
        SSL_CTX_set_alpn_protos(self->context, (const unsigned char *)options->alpn, (unsigned)strlen(options->alpn));
    self->session = SSL_new(self->context);
    self->in = BIO_new(BIO_s_mem());
    self->out = BIO_new(BIO_s_mem());
    SSL_set_bio(self->session, self->in, self->out);
    SSL_set_connect_state(self->session);
    if (options->resumes != NULL)
        SSL_set_session(self->session, options->resumes);
}

bool tls_client_flush(struct tls_client *self)
{
    char bytes[65536];
    int size;
    size_t most = self->piece == 0 || self->piece > sizeof bytes ? sizeof bytes : self->piece;
    while ((size = BIO_read(self->out, bytes, (int)most)) > 0)
        if (!socket_client_write(self->file, bytes, (size_t)size))
            return false;
    return true;
}

/* Waits for more bytes; false = there are none. */
static bool fetch(struct tls_client *self)
{
    char bytes[4096];
    ssize_t got = recv(self->file, bytes, sizeof bytes, 0);
    return got > 0 && BIO_write(self->in, bytes, (int)got) == got;
}

bool tls_client_shake(struct tls_client *self)
{
    for (;;) {
        int done = SSL_do_handshake(self->session);
        bool sent = tls_client_flush(self);
        if (done == 1)
            return sent;
        if (!sent || SSL_get_error(self->session, done) != SSL_ERROR_WANT_READ || !fetch(self))
            return false;
    }
}

bool tls_client_write(struct tls_client *self, const void *bytes, size_t size)
{
    size_t done;
    return SSL_write_ex(self->session, bytes, size, &done) == 1 && tls_client_flush(self);
}

bool tls_client_read(struct tls_client *self, void *out, size_t size)
{
    char *at = out;
    while (size > 0) {
        size_t got = 0;
        if (SSL_read_ex(self->session, at, size, &got) == 1) {
            at += got;
            size -= got;
        } else if (SSL_get_error(self->session, 0) != SSL_ERROR_WANT_READ || !fetch(self)) {
            return false;
        }
    }
    return true;
}

bool tls_client_ends_cleanly(struct tls_client *self)
{
    char byte;
    while (tls_client_read(self, &byte, 1))
        continue;
    return (SSL_get_shutdown(self->session) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void tls_client_close(struct tls_client *self)
{
    close(self->file);
    SSL_free(self->session);
    SSL_CTX_free(self->context);
}
