/* The other side of collector/auth/jwt: makes keys, writes their public halves, and signs whatever text it is given. */
#ifndef VITRACE_TESTS_JWT_MAKER_H
#define VITRACE_TESTS_JWT_MAKER_H

#include "collector/auth/jwt.h"

#include <openssl/evp.h>

#define JWT_MAKER_TOKEN_BYTES (4 * JWT_BYTES_MAX)

struct jwt_maker {
    enum jwt_algorithm algorithm;
    EVP_PKEY *key;     /* NULL: HS256 */
    char secret[65];   /* HS256 */
    char key_file[128]; /* what the verifier reads: the secret, or the public key in PEM; removed by release */
};

void jwt_maker_init(struct jwt_maker *self, enum jwt_algorithm algorithm);
void jwt_maker_release(struct jwt_maker *self);
/* base64url without padding; returns the size. */
size_t jwt_maker_encode(struct slice bytes, char *out);
/* The other way, of text that this made; returns the size. */
size_t jwt_maker_decode(const char *text, uint8_t *out);
/* "header.claims.signature" of any two texts, by this maker's own algorithm whatever the header says. */
void jwt_maker_sign(const struct jwt_maker *self, struct slice header, struct slice claims,
                    char out[JWT_MAKER_TOKEN_BYTES]);
/* The third part for a text, under any secret. */
void jwt_maker_hmac(struct slice secret, struct slice text, char *out);
/* HMAC of the first two parts under any secret, as an attacker makes it. */
void jwt_maker_sign_hmac(struct slice secret, struct slice header, struct slice claims, char out[JWT_MAKER_TOKEN_BYTES]);

#endif
