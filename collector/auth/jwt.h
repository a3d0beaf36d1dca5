/*
 * JSON Web Tokens (RFC 7519, 7515, 7518, 8725) of somebody else's making, as a second kind of bearer token.
 *
 *   base64url(header) . base64url(claims) . base64url(signature)
 *        |                                       |
 *        1  alg is the configured one            2  verified by the configured key, over the text as it came
 *                                                3  only then are the claims read
 *
 * One algorithm, one key, both from the configuration: nothing in a token chooses how it is judged. `kid`, `jku`, `x5u`,
 * `x5c` and `jwk` are not looked at; `crit` and `b64`, which say that a token must not be read in the plain way, refuse it.
 * A public key is no secret: HS256 does not take a PEM file, so that nobody signs with a key that everybody has.
 *
 * An audience is always asked for: an identity provider signs tokens for all its applications with the same key, and
 * without it each of them would open this one.
 *
 * libcrypto verifies. libjwt of Debian 12 (1.10) would let the token name the algorithm, reads its claims into a tree before
 * the signature is looked at, and has no EdDSA; what is left of it is base64url and one call of libcrypto.
 */
#ifndef VITRACE_AUTH_JWT_H
#define VITRACE_AUTH_JWT_H

#include "proto/wire/slice.h"

#define JWT_BYTES_MAX      8192u
#define JWT_TEXT_BYTES_MAX 256u  /* of issuer and audience, with their NUL */
#define JWT_PATH_BYTES_MAX 1024u
#define JWT_LEEWAY_S       60u /* how far the clocks of two machines may be apart */

enum jwt_algorithm { JWT_HS256, JWT_RS256, JWT_ES256, JWT_EDDSA, JWT_ALGORITHM_COUNT };

struct jwt_options {
    bool enabled;
    enum jwt_algorithm algorithm;
    char issuer[JWT_TEXT_BYTES_MAX];   /* "" = any */
    char audience[JWT_TEXT_BYTES_MAX]; /* must be one of the token's */
    char key_file[JWT_PATH_BYTES_MAX]; /* HS256: the secret, 32 bytes or more; else the public key as PEM */
};

enum jwt_verdict {
    JWT_GOOD = 0,
    JWT_MALFORMED, /* not three parts, not base64url, not JSON, a claim of the wrong type or given twice; too long */
    JWT_ALGORITHM, /* another alg than the configured one, or `crit` or `b64` */
    JWT_SIGNATURE,
    JWT_EXPIRED, /* or without `exp`: a token that never ends cannot be taken back */
    JWT_NOT_YET, /* `nbf` or `iat` is in the future */
    JWT_ISSUER,
    JWT_AUDIENCE
};

struct jwt;
/* Reads the key. NULL: `error` says which file and what is wrong with it. */
struct jwt *jwt_new(const struct jwt_options *options, char *error, size_t error_size);
void jwt_free(struct jwt *self);
/* One thread at a time. */
enum jwt_verdict jwt_judge(const struct jwt *self, struct slice token, uint64_t now_unix_s);

const char *jwt_algorithm_name(enum jwt_algorithm algorithm);
/* false = not one of ours. */
bool jwt_algorithm_find(const char *name, enum jwt_algorithm *out);

#endif
