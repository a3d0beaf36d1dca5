/*
 * Who may ask the admin listener. Bearer tokens, kept as SHA-256 hashes only: a configuration file that leaks lets
 * nobody in. Beside them, tokens that an identity provider signs (jwt.h). A door stands in front of one route and lets a
 * request through to the route's own handler.
 *
 *   any configured:   Authorization: Bearer TOKEN, one of the hashes (compared in constant time) or a JWT; else 401
 *   none configured:  whoever reaches the address, which must be loopback then; net checks the Host, which keeps a web
 *                     page out that has pointed its own name at 127.0.0.1 (DNS rebinding)
 *
 * Wrong tokens are limited by address (auth_attempts.h): beyond it 429, and nothing that the address shows is judged. A
 * request without a token is no attempt. No cookies, so no page of another site can spend a token that it does not know.
 */
#ifndef VITRACE_AUTH_H
#define VITRACE_AUTH_H

#include "collector/auth/jwt.h"
#include "collector/base/counters.h"
#include "collector/net/net.h"

#define AUTH_HASH_BYTES  32u
#define AUTH_TOKENS_MAX  16u
#define AUTH_TOKEN_BYTES 48u /* "vta_", 43 characters of base64url, NUL */

struct auth_hashes {
    uint8_t hash[AUTH_TOKENS_MAX][AUTH_HASH_BYTES];
    size_t count;
};

/* What the operator decides, and may decide anew while requests come in. */
struct auth_policy {
    struct auth_hashes hashes;
    struct jwt *jwt; /* NULL = none is taken */
    uint32_t failures_per_minute, failures_burst; /* of one address; 0 a minute = no limit */
};

struct auth_options {
    struct counters *counters;
    /* Who sent a request, as 16 bytes, by what proxies of ours say; NULL = the peer. Asked only when the peer is on this
     * machine: whoever reaches the listener from elsewhere could say anything, and would be another one each time. */
    void (*find_client)(void *context, const struct net_exchange *exchange, uint8_t out[16]);
    void *client_context;
};

struct auth;
struct auth *auth_new(const struct auth_options *options); /* NULL = out of memory. Lets everyone in until it is told */
void auth_free(struct auth *self);
/* Takes policy->jwt over. Any thread: requests that come later are judged by the new policy. */
void auth_set(struct auth *self, const struct auth_policy *policy);

/* What an Authorization header is worth (its value; empty = there was none). */
enum auth_verdict {
    AUTH_GOOD = 0,
    AUTH_MISSING, /* no bearer token at all */
    AUTH_UNKNOWN, /* none of the configured hashes, and no JWT is taken */
    AUTH_JWT_REFUSED /* more in *jwt */
};
enum auth_verdict auth_judge(struct auth *self, struct slice authorization, uint64_t now_unix_s, enum jwt_verdict *jwt);

/* One per guarded route, living as long as the net; auth_handle is the route's handler and the door its context. */
struct auth_door {
    struct auth *auth;
    net_handler *handle;
    void *context;
};
void auth_handle(void *door, struct net_exchange *exchange);

/* A new random token, NUL-terminated. false = the system has no randomness to give. */
bool auth_token_new(char out[AUTH_TOKEN_BYTES]);
void auth_hash(struct slice token, uint8_t out[AUTH_HASH_BYTES]);
/* 64 hex digits of either case. */
bool auth_hash_parse(struct slice text, uint8_t out[AUTH_HASH_BYTES]);

/* auth_address.c: do all addresses that "HOST:PORT" stands for belong to this machine alone? */
bool auth_listen_is_loopback(const char *listen);
/* The same of a connection's peer; the client of a Unix socket counts as well. */
bool auth_peer_is_local(const uint8_t peer[16]);

#endif
