/*
 * One refused request as an operator may see it: why, and of the request only what redaction leaves.
 *
 *   never kept    bodies, query strings, keys, tokens, header values, more of an address than its network
 *   path          whole when a route of ours has it; else each segment that may be a name or a secret is "(redacted)"
 *   origin        its host; what is not spelled as one is "(invalid)"
 *   body          its size, and what its first bytes look like
 *
 * Texts are printable ASCII when they are in here, whatever came.
 */
#ifndef VITRACE_BASE_REJECT_H
#define VITRACE_BASE_REJECT_H

#include "collector/base/counters.h"

#define REJECT_APP_BYTES    65u
#define REJECT_ORIGIN_BYTES 64u
#define REJECT_PATH_BYTES   64u /* the longest of ours: OTLP's method over gRPC */
#define REJECT_METHOD_BYTES 8u
#define REJECT_SEGMENT_BYTES_MAX 24u /* a longer one is an id, or somebody's name */
#define REJECT_SEGMENT_DIGITS_MAX 4u

enum reject_via { REJECT_HTTP, REJECT_GRPC, REJECT_TLS, REJECT_VIA_COUNT };

/* Why, in words that are ours: static storage, no part of the request. */
struct reject_cause {
    enum counter counter; /* the series that it counts in is the closed list of reasons */
    int status;           /* of HTTP, or of gRPC; 0 = it did not come so far */
    const char *code, *message;
};

enum reject_body {
    REJECT_BODY_NONE,
    REJECT_BODY_PROTOBUF, /* the tag of a field 1 with a length: a beacon or an OTLP request begins so */
    REJECT_BODY_RAW_INBOX,
    REJECT_BODY_GZIP,
    REJECT_BODY_ZLIB,
    REJECT_BODY_ZSTD,
    REJECT_BODY_JSON,
    REJECT_BODY_MARKUP,
    REJECT_BODY_TEXT,
    REJECT_BODY_BINARY,
    REJECT_BODY_COUNT
};

struct reject {
    struct reject_cause cause;
    uint64_t unix_us;
    uint64_t body_bytes; /* as announced, or as they came */
    enum reject_via via;
    enum reject_body body;
    uint8_t peer[16]; /* its network: /24 of a v4-mapped one, /48 of IPv6 */
    char method[REJECT_METHOD_BYTES];
    char app[REJECT_APP_BYTES]; /* "" = not known: it stands in a body that was not read so far */
    char origin[REJECT_ORIGIN_BYTES];
    char path[REJECT_PATH_BYTES];
};

void reject_set_peer(struct reject *self, const uint8_t peer[16]);
void reject_set_origin(struct reject *self, struct slice origin); /* an Origin header's value; empty = none */
void reject_set_app(struct reject *self, struct slice app);
/* `known`: a route of ours has exactly this path. */
void reject_set_path(struct reject *self, struct slice path, bool known);
void reject_set_body(struct reject *self, struct slice body, uint64_t announced);

const char *reject_body_name(enum reject_body body);
const char *reject_via_name(enum reject_via via);

#endif
