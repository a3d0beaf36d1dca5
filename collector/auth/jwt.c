#include "collector/auth/jwt.h"

#include "collector/auth/jwt_claims.h"
#include "collector/auth/jwt_key.h"

#include <stdio.h>
#include <stdlib.h>

#define JWT_PART_BYTES_MAX (JWT_BYTES_MAX / 4 * 3)

struct jwt {
    struct jwt_options options;
    struct jwt_key *key;
};

/* As the token has them, and decoded. */
struct jwt_parts {
    struct slice header, claims, signature;
    struct slice signed_text; /* header '.' claims */
};

static const char *const jwt_algorithm_names[JWT_ALGORITHM_COUNT] = {
    [JWT_HS256] = "HS256", [JWT_RS256] = "RS256", [JWT_ES256] = "ES256", [JWT_EDDSA] = "EdDSA"};

const char *jwt_algorithm_name(enum jwt_algorithm algorithm)
{
    return jwt_algorithm_names[algorithm];
}

bool jwt_algorithm_find(const char *name, enum jwt_algorithm *out)
{
    for (unsigned i = 0; i < JWT_ALGORITHM_COUNT; i++)
        if (strcmp(jwt_algorithm_names[i], name) == 0) {
            *out = (enum jwt_algorithm)i;
            return true;
        }
    return false;
}

struct jwt *jwt_new(const struct jwt_options *options, char *error, size_t error_size)
{
    struct jwt *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    self->options = *options;
    self->key = jwt_key_read(options->algorithm, options->key_file, error, error_size);
    if (self->key != NULL)
        return self;
    free(self);
    return NULL;
}

void jwt_free(struct jwt *self)
{
    if (self == NULL)
        return;
    jwt_key_free(self->key);
    free(self);
}

static int jwt_digit(uint8_t byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    return byte == '-' ? 62 : byte == '_' ? 63 : -1;
}

/* base64url without padding, in its one spelling: bits that are left over must be zero, or one signature would have
 * several texts. `out` has room for three quarters of the text. */
static bool jwt_decode(struct slice text, uint8_t *out, struct slice *decoded)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        int digit = jwt_digit(text.data[i]);
        if (digit < 0)
            return false;
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = (uint8_t)(bits >> held);
        }
    }
    *decoded = slice_of(out, size);
    return text.size > 0 && held < 6 && (bits & ((1u << held) - 1)) == 0;
}

static bool jwt_cut(struct slice *rest, struct slice *part)
{
    const uint8_t *dot = rest->size == 0 ? NULL : memchr(rest->data, '.', rest->size);
    if (dot == NULL)
        return false;
    *part = slice_of(rest->data, (size_t)(dot - rest->data));
    *rest = slice_of(dot + 1, rest->size - part->size - 1);
    return true;
}

static bool jwt_split(struct slice token, struct jwt_parts *parts)
{
    struct slice rest = token;
    if (!jwt_cut(&rest, &parts->header) || !jwt_cut(&rest, &parts->claims))
        return false;
    parts->signature = rest;
    parts->signed_text = slice_of(token.data, token.size - rest.size - 1);
    return true; /* a third dot is no digit of base64url */
}

enum jwt_verdict jwt_judge(const struct jwt *self, struct slice token, uint64_t now_unix_s)
{
    struct jwt_parts parts;
    struct slice decoded;
    uint8_t room[JWT_PART_BYTES_MAX]; /* for one part at a time */
    if (token.size > JWT_BYTES_MAX || !jwt_split(token, &parts) || !jwt_decode(parts.header, room, &decoded))
        return JWT_MALFORMED;
    enum jwt_verdict verdict = jwt_claims_check_header(decoded, self->options.algorithm);
    if (verdict != JWT_GOOD)
        return verdict;
    if (!jwt_decode(parts.signature, room, &decoded))
        return JWT_MALFORMED;
    if (!jwt_key_verify(self->key, parts.signed_text, decoded))
        return JWT_SIGNATURE;
    if (!jwt_decode(parts.claims, room, &decoded))
        return JWT_MALFORMED;
    return jwt_claims_check(decoded, &self->options, now_unix_s);
}
