/* The key that a token's signature is verified by, and the four ways of doing so (RFC 7518, 8037). Private to jwt. */
#ifndef VITRACE_AUTH_JWT_KEY_H
#define VITRACE_AUTH_JWT_KEY_H

#include "collector/auth/jwt.h"

#define JWT_KEY_FILE_BYTES_MAX 16384u
#define JWT_SECRET_BYTES_MIN   32u /* RFC 7518, 3.2: as long as the hash */
#define JWT_RSA_BITS_MIN       2048

struct jwt_key;
/* NULL: `error` says what is wrong with the file. */
struct jwt_key *jwt_key_read(enum jwt_algorithm algorithm, const char *path, char *error, size_t error_size);
void jwt_key_free(struct jwt_key *self);
bool jwt_key_verify(const struct jwt_key *self, struct slice text, struct slice signature);

#endif
