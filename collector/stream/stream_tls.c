/*
 * Certificate and key. A session begins with what is applied at that instant and keeps it: OpenSSL counts who holds it.
 *
 * Nothing is applied that does not work: the files are read into a context of their own, checked against each other, and
 * only then put in the place of the old one. Renewal tools replace one file after the other, so a reload between the two
 * finds a key that does not fit, says so, and leaves all as it was.
 */
#include "collector/stream/stream_internal.h"

#include "collector/base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TLS_SECURITY_LEVEL 2 /* 112 bits: RSA from 2,048, no SHA-1 signatures */

static const unsigned char tls_session_context[] = "vitrace";

/* Nobody is there to type one in. */
static int tls_on_passphrase(char *out, int size, int for_writing, void *context)
{
    (void)out;
    (void)size;
    (void)for_writing;
    (void)context;
    return -1;
}

static SSL_CTX *tls_new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_security_level(context, TLS_SECURITY_LEVEL);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* an idle connection holds no record's room */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets are kept by clients */
    SSL_CTX_set_default_passwd_cb(context, tls_on_passphrase);
    SSL_CTX_set_alpn_select_cb(context, stream_session_select, NULL);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_session_id_context(context, tls_session_context, sizeof tls_session_context - 1) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static bool tls_fail(const char *setting, const char *path, const char *what, char *error, size_t error_size)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(error, error_size, "%s: %s: %s%s%s%s", setting, path, what, reason == NULL ? "" : " (",
             reason == NULL ? "" : reason, reason == NULL ? "" : ")");
    return false;
}

/* OpenSSL would only say "system lib". `mode` is the file's. */
static bool tls_can_read(const char *setting, const char *path, mode_t *mode, char *error, size_t error_size)
{
    struct stat info = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool good = file >= 0 && fstat(file, &info) == 0;
    if (!good)
        snprintf(error, error_size, "%s: %s: %s", setting, path, strerror(errno));
    if (file >= 0)
        close(file);
    *mode = info.st_mode;
    return good;
}

static bool tls_read_certificate(SSL_CTX *context, const char *path, char *error, size_t error_size)
{
    mode_t mode;
    if (!tls_can_read("tls_certificate", path, &mode, error, error_size))
        return false;
    return SSL_CTX_use_certificate_chain_file(context, path) == 1 ||
           tls_fail("tls_certificate", path, "is not a PEM certificate that can be used", error, error_size);
}

/* OpenSSL holds a key against the certificate that is there when it is given. */
static bool tls_read_key(SSL_CTX *context, const char *path, char *error, size_t error_size)
{
    mode_t mode;
    if (!tls_can_read("tls_key", path, &mode, error, error_size))
        return false;
    if (SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1) {
        bool differs = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;
        return tls_fail("tls_key", path,
                        differs ? "does not belong to the certificate" : "is not a PEM key without a passphrase", error,
                        error_size);
    }
    if (SSL_CTX_check_private_key(context) != 1)
        return tls_fail("tls_key", path, "does not belong to the certificate", error, error_size);
    if (mode & S_IROTH)
        diag(DIAG_WARNING, "tls_key_is_public", "%s can be read by every user of this machine: chmod 640", path);
    return true;
}

static time_t tls_time(const ASN1_TIME *at)
{
    struct tm parts;
    return ASN1_TIME_to_tm(at, &parts) == 1 ? timegm(&parts) : 0;
}

static void tls_warn_of_date(const char *path, const char *what, time_t when)
{
    char text[32];
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    diag(DIAG_WARNING, "tls_certificate_date", "%s %s %s: browsers refuse it", path, what, text);
}

static void tls_check_dates(const struct stream_tls *self, SSL_CTX *context)
{
    const X509 *certificate = SSL_CTX_get0_certificate(context);
    time_t from = tls_time(X509_get0_notBefore(certificate)), until = tls_time(X509_get0_notAfter(certificate)),
           now = time(NULL);
    if (until <= now)
        tls_warn_of_date(self->certificate, "expired on", until);
    else if (from > now)
        tls_warn_of_date(self->certificate, "is not valid before", from);
}

bool stream_tls_read(struct stream_tls *self, char *error, size_t error_size)
{
    ERR_clear_error();
    SSL_CTX *context = tls_new_context();
    if (context == NULL)
        return tls_fail("tls_certificate", self->certificate, "OpenSSL cannot start", error, error_size);
    if (!tls_read_certificate(context, self->certificate, error, error_size) ||
        !tls_read_key(context, self->key, error, error_size)) {
        ERR_clear_error();
        SSL_CTX_free(context);
        return false;
    }
    tls_check_dates(self, context);
    SSL_CTX_free(self->fresh);
    self->fresh = context;
    return true;
}

void stream_tls_apply(struct stream_tls *self)
{
    if (self->fresh == NULL)
        return;
    const ASN1_TIME *until = X509_get0_notAfter(SSL_CTX_get0_certificate(self->fresh));
    counters_set(self->counters, COUNTER_TLS_EXPIRY, (uint64_t)tls_time(until));
    pthread_mutex_lock(&self->lock);
    SSL_CTX *old = self->current;
    self->current = self->fresh;
    pthread_mutex_unlock(&self->lock);
    self->fresh = NULL;
    SSL_CTX_free(old);
}

struct stream_tls *stream_tls_new(const struct stream_tls_options *options, char *error, size_t error_size)
{
    struct stream_tls *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&self->lock, NULL);
    self->counters = options->counters;
    self->certificate = strdup(options->certificate);
    self->key = strdup(options->key);
    self->method = stream_session_method();
    bool made = self->certificate != NULL && self->key != NULL && self->method != NULL;
    if (!made)
        snprintf(error, error_size, "out of memory");
    if (made && stream_tls_read(self, error, error_size)) {
        stream_tls_apply(self);
        return self;
    }
    stream_tls_free(self);
    return NULL;
}

void stream_tls_free(struct stream_tls *self)
{
    if (self == NULL)
        return;
    SSL_CTX_free(self->current);
    SSL_CTX_free(self->fresh);
    BIO_meth_free(self->method);
    pthread_mutex_destroy(&self->lock);
    free(self->certificate);
    free(self->key);
    free(self);
}

SSL *stream_tls_session(struct stream_tls *self)
{
    pthread_mutex_lock(&self->lock);
    SSL *session = SSL_new(self->current);
    pthread_mutex_unlock(&self->lock);
    return session;
}
