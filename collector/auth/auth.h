/*
 * Who may ask the admin listener. Bearer tokens, kept as SHA-256 hashes only: a configuration file that leaks lets
 * nobody in. A door stands in front of one route and lets a request through to the route's own handler.
 *
 *   tokens configured:  Authorization: Bearer TOKEN, compared in constant time; else 401
 *   none configured:    whoever reaches the address, which must be loopback then; net checks the Host, which keeps a web
 *                       page out that has pointed its own name at 127.0.0.1 (DNS rebinding)
 *
 * No cookies, so no page of another site can spend a token that it does not know.
 */
#ifndef VITRACE_AUTH_H
#define VITRACE_AUTH_H

#include "collector/base/counters.h"
#include "collector/net/net.h"

#define AUTH_HASH_BYTES  32u
#define AUTH_TOKENS_MAX  16u
#define AUTH_TOKEN_BYTES 48u /* "vta_", 43 characters of base64url, NUL */

struct auth_hashes {
    uint8_t hash[AUTH_TOKENS_MAX][AUTH_HASH_BYTES];
    size_t count;
};

struct auth;
struct auth *auth_new(const struct auth_hashes *hashes, struct counters *counters); /* NULL = out of memory */
void auth_free(struct auth *self);
/* Any thread: requests that come later are judged by the new set. */
void auth_set(struct auth *self, const struct auth_hashes *hashes);

/* Of an Authorization header's value; empty = there was none. */
bool auth_permits(struct auth *self, struct slice authorization);

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

#endif
