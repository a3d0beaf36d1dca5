/*
 * TLS of one stream. OpenSSL neither reads nor writes the socket: it is given what came, and what it wants to send is
 * collected, so that a reply of several records is still one write.
 *
 *   socket --read--> sealed_in --BIO--> SSL_read --> plain_room --take()--> owner
 *   socket <--offer-- sealed_room <--BIO-- SSL_write <---------stream_write-- owner
 *
 * The rooms belong to the listener, because only one stream of a loop works at a time. Between calls a session holds
 * nothing in them: what was read is opened whole, up to a record that is not complete, and that one OpenSSL keeps; what was
 * sealed is with the kernel, or copied (stream.c). The owner is called when no function of OpenSSL is on the stack, because
 * it may close the stream, and with it the session, in every call.
 */
#include "collector/stream/stream_internal.h"

#include <assert.h>
#include <openssl/err.h>

#define SESSION_CHUNK_BYTES 16384u /* one record */

enum session_end { SESSION_GOES_ON, SESSION_ENDED, SESSION_FAILED };

static enum stream_kind session_kind(const struct stream *self)
{
    return self->owner_writes ? STREAM_PART : STREAM_CONTROL;
}

/* What is sealed goes to the kernel, or waits as a copy. */
static enum stream_sent session_push(struct stream *self, enum stream_kind kind)
{
    struct stream_listener *listener = self->listener;
    const struct slice sealed = slice_of(listener->sealed_room, listener->sealed_size);
    listener->sealed_size = 0;
    enum stream_sent sent = sealed.size == 0 ? STREAM_SENT : stream_offer(self, &sealed, 1, kind);
    self->broken = self->broken || sent == STREAM_BROKEN;
    return sent;
}

static int session_bio_write(BIO *bio, const char *data, int size)
{
    struct stream *self = BIO_get_data(bio);
    struct stream_listener *listener = self->listener;
    BIO_clear_retry_flags(bio);
    if ((size_t)size > sizeof listener->sealed_room - listener->sealed_size &&
        session_push(self, session_kind(self)) == STREAM_BROKEN)
        return -1;
    assert((size_t)size <= sizeof listener->sealed_room); /* a record, or a piece of OpenSSL's own buffer */
    memcpy(listener->sealed_room + listener->sealed_size, data, (size_t)size);
    listener->sealed_size += (size_t)size;
    return size;
}

static int session_bio_read(BIO *bio, char *data, int size)
{
    struct stream *self = BIO_get_data(bio);
    struct slice *in = &self->listener->sealed_in;
    size_t taken = in->size < (size_t)size ? in->size : (size_t)size;
    BIO_clear_retry_flags(bio);
    if (taken == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(data, in->data, taken);
    *in = slice_of(in->data + taken, in->size - taken);
    return (int)taken;
}

static long session_bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* it is pushed when OpenSSL has come to its end */
}

/* The rooms are another stream's in a moment: nothing of one may be left for the next to send. */
static void session_begin(struct stream *self)
{
    assert(self->listener->sealed_size == 0);
    ERR_clear_error(); /* the queue is the thread's, and SSL_get_error() looks at it */
}

BIO_METHOD *stream_session_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, session_bio_read);
    BIO_meth_set_write(method, session_bio_write);
    BIO_meth_set_ctrl(method, session_bio_control);
    return method;
}

bool stream_session_new(struct stream *self)
{
    const struct stream_listener_options *options = &self->listener->options;
    bool has_room = memory_take(options->memory, MEMORY_CONNECTIONS, STREAM_SESSION_BYTES);
    BIO *bio = has_room ? BIO_new(options->tls->method) : NULL;
    self->session = bio == NULL ? NULL : stream_tls_session(options->tls);
    if (self->session == NULL || SSL_set_app_data(self->session, self) != 1) {
        BIO_free(bio);
        if (has_room && self->session == NULL)
            memory_give(options->memory, MEMORY_CONNECTIONS, STREAM_SESSION_BYTES);
        stream_session_free(self); /* gives it back otherwise */
        stream_session_note(self, COUNTER_TLS_MEMORY);
        return false;
    }
    BIO_set_data(bio, self);
    SSL_set_bio(self->session, bio, bio); /* takes it */
    SSL_set_accept_state(self->session);
    self->handshake_deadline_ms = uv_now(self->handle.any.loop) + options->handshake_timeout_ms;
    return true;
}

void stream_session_free(struct stream *self)
{
    if (self->session == NULL)
        return;
    memory_give(self->listener->options.memory, MEMORY_CONNECTIONS, STREAM_SESSION_BYTES);
    SSL_free(self->session);
    self->session = NULL;
}

static bool session_list_has(struct slice offered, struct slice name)
{
    while (offered.size > 0) { /* each has its length before it; OpenSSL has checked that they fill the list */
        size_t size = offered.data[0];
        if (slice_equal(slice_of(offered.data + 1, size), name))
            return true;
        offered = slice_of(offered.data + 1 + size, offered.size - 1 - size);
    }
    return false;
}

int stream_session_select(SSL *session, const unsigned char **chosen, unsigned char *chosen_size,
                          const unsigned char *offered, unsigned offered_size, void *context)
{
    static const struct {
        enum stream_protocol protocol;
        const char *name;
    } known[] = {{STREAM_H2, "h2"}, {STREAM_HTTP_1_1, "http/1.1"}}; /* the best first */
    struct stream *self = SSL_get_app_data(session);
    (void)context;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!(self->listener->options.protocols & known[i].protocol) ||
            !session_list_has(slice_of(offered, offered_size), slice_text(known[i].name)))
            continue;
        self->protocol = known[i].protocol;
        *chosen = (const unsigned char *)known[i].name;
        *chosen_size = (unsigned char)strlen(known[i].name);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol: RFC 7301, 3.2 */
}

/* Why a handshake ended: the last word of OpenSSL's, as one of our reasons. */
static enum counter session_reason(void)
{
    int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason >= SSL_AD_REASON_OFFSET) /* what the client has against us: an unknown authority, a name, a date */
        return COUNTER_TLS_ALERT;
    switch (reason) {
    case SSL_R_HTTP_REQUEST:
        return COUNTER_TLS_PLAIN;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_UNKNOWN_PROTOCOL:
        return COUNTER_TLS_VERSION;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        return COUNTER_TLS_CIPHER;
    case SSL_R_NO_APPLICATION_PROTOCOL:
        return COUNTER_TLS_PROTOCOL;
    case ERR_R_MALLOC_FAILURE:
        return COUNTER_TLS_MEMORY;
    default:
        return COUNTER_TLS_MALFORMED;
    }
}

/* Browsers are told what they did wrong, instead of an empty answer. */
static void session_answer_plain(struct stream *self)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n"
                               "Connection: close\r\n\r\nThis port speaks TLS: the URL is https://\n";
    const struct slice answer = slice_of(text, sizeof text - 1);
    self->listener->sealed_size = 0; /* the alert would only be noise behind it */
    stream_offer(self, &answer, 1, STREAM_CONTROL);
}

static const char *session_advice(enum counter reason)
{
    switch ((int)reason) { /* the counters of handshakes, of all that there are */
    case COUNTER_TLS_PLAIN:
        return "Plain HTTP to a port that speaks TLS: the URL is https://.";
    case COUNTER_TLS_VERSION:
        return "The client speaks no TLS 1.2 or later.";
    case COUNTER_TLS_CIPHER:
        return "The client has no cipher, group or signature that this certificate and OpenSSL's level 2 take.";
    case COUNTER_TLS_PROTOCOL:
        return "The client offers neither h2 nor http/1.1 as this listener has them (ALPN).";
    case COUNTER_TLS_ALERT:
        return "The client refused the certificate: its authority, its name or its date. vitrace doctor says which.";
    case COUNTER_TLS_TIMEOUT:
        return "The client did not finish its handshake in time.";
    case COUNTER_TLS_CLOSED:
        return "The client left in the middle of its handshake, as port scans and some probes of load balancers do.";
    case COUNTER_TLS_MEMORY:
        return "There was no memory for it.";
    default:
        return "What came is no TLS handshake.";
    }
}

void stream_session_note(struct stream *self, enum counter reason)
{
    const struct stream_listener_options *options = &self->listener->options;
    const struct reject_cause cause = {reason, 0, "tls", session_advice(reason)};
    counters_add(options->counters, reason, 1);
    rejects_add_connection(options->rejects, &cause, REJECT_TLS, stream_peer(self));
}

static enum session_end session_refuse(struct stream *self, enum counter reason)
{
    stream_session_note(self, reason);
    if (reason == COUNTER_TLS_PLAIN)
        session_answer_plain(self);
    self->broken = true;
    return SESSION_FAILED;
}

static enum session_end session_shake(struct stream *self)
{
    struct counters *counters = self->listener->options.counters;
    int done = SSL_do_handshake(self->session);
    if (done != 1 && SSL_get_error(self->session, done) == SSL_ERROR_WANT_READ)
        return SESSION_GOES_ON;
    if (done != 1)
        return session_refuse(self, session_reason());
    if (self->protocol == STREAM_PROTOCOL_NONE && !(self->listener->options.protocols & STREAM_HTTP_1_1))
        return session_refuse(self, COUNTER_TLS_PROTOCOL);
    counters_add(counters, COUNTER_TLS_HANDSHAKES, 1);
    counters_add(counters, COUNTER_TLS_RESUMED, SSL_session_reused(self->session) == 1);
    self->open = true;
    return SESSION_GOES_ON;
}

/* Opens all whole records that came. They fit: see STREAM_RECORD_BYTES. */
static enum session_end session_unseal(struct stream *self, size_t *size)
{
    uint8_t *room = self->listener->plain_room;
    size_t got;
    while (*size < STREAM_READ_BYTES && SSL_read_ex(self->session, room + *size, STREAM_READ_BYTES - *size, &got) == 1)
        *size += got;
    assert(*size < STREAM_READ_BYTES);
    switch (SSL_get_error(self->session, 0)) {
    case SSL_ERROR_WANT_READ:
        return SESSION_GOES_ON;
    case SSL_ERROR_ZERO_RETURN:
        return SESSION_ENDED;
    default:
        self->broken = true;
        return SESSION_FAILED;
    }
}

/* An end while the owner has reading off can wait: it is still there when reading goes on, and else the socket's end is. */
static void session_tell(struct stream *self, size_t size, enum session_end end)
{
    const struct stream_calls *calls = self->listener->options.calls;
    if (size > 0)
        calls->take(self, slice_of(self->listener->plain_room, size));
    if (self->closing || !self->reading)
        return;
    if (end == SESSION_FAILED)
        calls->failed(self);
    else if (end == SESSION_ENDED)
        calls->ended(self);
}

void stream_session_take(struct stream *self, struct slice sealed)
{
    const struct stream_calls *calls = self->listener->options.calls;
    enum session_end end = SESSION_GOES_ON;
    size_t size = 0;
    bool was_open = self->open;
    self->listener->sealed_in = sealed;
    session_begin(self);
    if (!was_open)
        end = session_shake(self);
    if (self->open)
        end = session_unseal(self, &size);
    if (session_push(self, STREAM_CONTROL) == STREAM_BROKEN)
        end = SESSION_FAILED;
    if (self->open && !was_open && calls->opened != NULL)
        calls->opened(self);
    if (!self->closing)
        session_tell(self, size, end);
}

enum stream_sent stream_session_write(struct stream *self, const struct slice *parts, unsigned count,
                                      enum stream_kind kind)
{
    size_t done;
    bool good = self->open && !self->broken;
    session_begin(self);
    self->owner_writes = kind == STREAM_OWNERS;
    for (unsigned i = 0; i < count; i++)
        for (size_t at = 0; good && at < parts[i].size; at += done) {
            size_t chunk = parts[i].size - at < SESSION_CHUNK_BYTES ? parts[i].size - at : SESSION_CHUNK_BYTES;
            good = SSL_write_ex(self->session, parts[i].data + at, chunk, &done) == 1;
        }
    self->owner_writes = false;
    if (good)
        return session_push(self, kind);
    self->listener->sealed_size = 0;
    self->broken = true;
    return STREAM_BROKEN;
}

void stream_session_end(struct stream *self)
{
    if (!self->open || self->broken || (SSL_get_shutdown(self->session) & SSL_SENT_SHUTDOWN) != 0)
        return;
    session_begin(self);
    SSL_shutdown(self->session);
    session_push(self, STREAM_CONTROL);
}

void stream_session_count_closed(struct stream *self)
{
    if (!self->open && !self->broken)
        stream_session_note(self, COUNTER_TLS_CLOSED);
}
