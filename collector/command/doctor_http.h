/* One request, one answer's head: what `vitrace doctor` looks at. http and https, HTTP/1.1, no redirects followed. */
#ifndef VITRACE_COMMAND_DOCTOR_HTTP_H
#define VITRACE_COMMAND_DOCTOR_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define DOCTOR_HOST_BYTES_MAX 256u
#define DOCTOR_HEAD_BYTES_MAX 16384u

struct doctor_url {
    bool is_https;
    char host[DOCTOR_HOST_BYTES_MAX]; /* as in a Host header: "rum.example", "[::1]" */
    char port[6];
};

/* SCHEME://HOST[:PORT], a slash at the end allowed. */
bool doctor_url_parse(const char *text, struct doctor_url *out);
/* Does a browser treat it as trustworthy although it is http? */
bool doctor_url_is_local(const struct doctor_url *self);

struct doctor_answer {
    int status;
    char head[DOCTOR_HEAD_BYTES_MAX + 1]; /* status line and headers, NUL-terminated */
    char value[1024];                     /* of doctor_answer_header() */
};

struct doctor_request {
    const char *method, *path;
    const char *headers; /* each with its CRLF; Host, Connection and Content-Length are added */
};

/* false: `error` says what failed, e.g. the connection or the certificate. The body, if any, is empty. */
bool doctor_ask(const struct doctor_url *endpoint, const struct doctor_request *request, struct doctor_answer *out,
                char *error, size_t error_size);
/* "" when absent; valid until the next call. Of several, the first. */
const char *doctor_answer_header(struct doctor_answer *self, const char *name);

#endif
