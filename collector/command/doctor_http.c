#include "collector/command/doctor_http.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#define DOCTOR_SECONDS_MAX 10

bool doctor_url_parse(const char *text, struct doctor_url *out)
{
    *out = (struct doctor_url){.is_https = strncmp(text, "https://", 8) == 0};
    if (!out->is_https && strncmp(text, "http://", 7) != 0)
        return false;
    const char *host = text + (out->is_https ? 8 : 7), *end = host + strcspn(host, "/");
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *colon = memchr(bracket == NULL ? host : bracket, ':',
                               (size_t)(end - (bracket == NULL ? host : bracket)));
    size_t host_size = (size_t)((colon == NULL ? end : colon) - host);
    const char *port = colon == NULL ? (out->is_https ? "443" : "80") : colon + 1;
    size_t port_size = colon == NULL ? strlen(port) : (size_t)(end - port);
    if (host_size == 0 || host_size >= sizeof out->host || port_size == 0 || port_size >= sizeof out->port ||
        strspn(port, "0123456789") < port_size || (end[0] == '/' && end[1] != '\0') ||
        strcspn(host, "@?# \t\r\n") < (size_t)(end - host))
        return false;
    memcpy(out->host, host, host_size);
    memcpy(out->port, port, port_size);
    return true;
}

bool doctor_url_is_local(const struct doctor_url *self)
{
    size_t size = strlen(self->host);
    return strcmp(self->host, "localhost") == 0 || strncmp(self->host, "127.", 4) == 0 ||
           strcmp(self->host, "[::1]") == 0 || (size > 10 && strcmp(self->host + size - 10, ".localhost") == 0);
}

/* Of a certificate that was looked at and not liked; NULL = that was not it. */
static const char *doctor_certificate_problem(BIO *bio)
{
    SSL *ssl = NULL;
    long verdict = bio != NULL && BIO_get_ssl(bio, &ssl) == 1 && ssl != NULL ? SSL_get_verify_result(ssl) : X509_V_OK;
    return verdict == X509_V_OK ? NULL : X509_verify_cert_error_string(verdict);
}

static void doctor_say_why(const struct doctor_url *endpoint, BIO *bio, char *error, size_t error_size)
{
    const char *problem = endpoint->is_https ? doctor_certificate_problem(bio) : NULL;
    unsigned long code = ERR_peek_last_error();
    const char *why = code == 0 ? NULL : ERR_reason_error_string(code);
    if (problem != NULL)
        snprintf(error, error_size,
                 "%s:%s: its certificate is refused, as a browser would: %s (for an authority of your own: SSL_CERT_FILE=CA.pem)",
                 endpoint->host, endpoint->port, problem);
    else
        snprintf(error, error_size, "%s:%s: %s", endpoint->host, endpoint->port,
                 why == NULL ? "no answer within 10 s, or the connection broke" : why);
    ERR_clear_error();
}

/* The certificate is verified against the system's authorities, and for this host: a browser would, too. */
static bool doctor_secure(SSL *ssl, const struct doctor_url *endpoint)
{
    char name[DOCTOR_HOST_BYTES_MAX];
    snprintf(name, sizeof name, "%s", endpoint->host[0] == '[' ? endpoint->host + 1 : endpoint->host);
    name[strcspn(name, "]")] = '\0';
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1)
        return true;
    ERR_clear_error(); /* not an address, then a name */
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static BIO *doctor_open(const struct doctor_url *endpoint, SSL_CTX *context)
{
    char address[DOCTOR_HOST_BYTES_MAX + 8];
    SSL *ssl = NULL;
    snprintf(address, sizeof address, "%s:%s", endpoint->host, endpoint->port);
    BIO *bio = context == NULL ? BIO_new_connect(address) : BIO_new_ssl_connect(context);
    if (bio == NULL)
        return NULL;
    if (context != NULL) {
        BIO_get_ssl(bio, &ssl);
        BIO_set_conn_hostname(bio, address);
        if (ssl == NULL || !doctor_secure(ssl, endpoint)) {
            BIO_free_all(bio);
            return NULL;
        }
    }
    return bio;
}

static void doctor_limit_time(BIO *bio)
{
    const struct timeval limit = {.tv_sec = DOCTOR_SECONDS_MAX};
    int file = (int)BIO_get_fd(bio, NULL);
    if (file < 0)
        return;
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* To the empty line after the headers. */
static bool doctor_read_head(BIO *bio, struct doctor_answer *out)
{
    size_t size = 0;
    char *end = NULL;
    while (end == NULL && size < DOCTOR_HEAD_BYTES_MAX) {
        int got = BIO_read(bio, out->head + size, (int)(DOCTOR_HEAD_BYTES_MAX - size));
        if (got <= 0)
            return false;
        size += (size_t)got;
        out->head[size] = '\0';
        end = strstr(out->head, "\r\n\r\n");
    }
    if (end == NULL || strncmp(out->head, "HTTP/1.", 7) != 0)
        return false;
    end[2] = '\0';
    out->status = (int)strtol(out->head + 9, NULL, 10);
    return out->status >= 100 && out->status < 600;
}

static bool doctor_exchange(BIO *bio, const struct doctor_url *endpoint, const struct doctor_request *request,
                            struct doctor_answer *out)
{
    char text[4096];
    int size = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n%s%s\r\n",
                        request->method, request->path, endpoint->host, endpoint->port, request->headers,
                        strcmp(request->method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
    if (size < 0 || (size_t)size >= sizeof text || BIO_do_connect(bio) != 1)
        return false;
    doctor_limit_time(bio);
    return BIO_write(bio, text, size) == size && doctor_read_head(bio, out);
}

bool doctor_ask(const struct doctor_url *endpoint, const struct doctor_request *request, struct doctor_answer *out,
                char *error, size_t error_size)
{
    SSL_CTX *context = endpoint->is_https ? SSL_CTX_new(TLS_client_method()) : NULL;
    bool good = !endpoint->is_https || (context != NULL && SSL_CTX_set_default_verify_paths(context) == 1);
    BIO *bio = good ? doctor_open(endpoint, context) : NULL;
    good = bio != NULL && doctor_exchange(bio, endpoint, request, out);
    if (!good)
        doctor_say_why(endpoint, bio, error, error_size);
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return good;
}

const char *doctor_answer_header(struct doctor_answer *self, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = strstr(self->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, size) != 0 || line[size] != ':')
            continue;
        const char *value = line + size + 1;
        value += strspn(value, " \t");
        snprintf(self->value, sizeof self->value, "%.*s", (int)strcspn(value, "\r"), value);
        return self->value;
    }
    return "";
}
