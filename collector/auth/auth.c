#include "collector/auth/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

#define AUTH_RANDOM_BYTES 32u
#define AUTH_PREFIX       "vta_" /* of another kind than an app's name, which is public: mixing them up is refused */

struct auth {
    pthread_mutex_t lock; /* hashes: the admin listener serves people, and holds it for nanoseconds */
    struct auth_hashes hashes;
    struct counters *counters;
};

struct auth *auth_new(const struct auth_hashes *hashes, struct counters *counters)
{
    struct auth *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    pthread_mutex_init(&self->lock, NULL);
    self->hashes = *hashes;
    self->counters = counters;
    return self;
}

void auth_free(struct auth *self)
{
    if (self == NULL)
        return;
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void auth_set(struct auth *self, const struct auth_hashes *hashes)
{
    pthread_mutex_lock(&self->lock);
    self->hashes = *hashes;
    pthread_mutex_unlock(&self->lock);
}

void auth_hash(struct slice token, uint8_t out[AUTH_HASH_BYTES])
{
    unsigned size = 0;
    if (EVP_Digest(token.size == 0 ? "" : (const void *)token.data, token.size, out, &size, EVP_sha256(), NULL) != 1 ||
        size != AUTH_HASH_BYTES)
        abort(); /* a libcrypto without SHA-256: nothing could be judged */
}

static int auth_hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool auth_hash_parse(struct slice text, uint8_t out[AUTH_HASH_BYTES])
{
    if (text.size != 2 * AUTH_HASH_BYTES)
        return false;
    for (size_t i = 0; i < AUTH_HASH_BYTES; i++) {
        int high = auth_hex_digit(text.data[2 * i]), low = auth_hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool auth_token_new(char out[AUTH_TOKEN_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t random[AUTH_RANDOM_BYTES + 1] = {0}; /* the last group of six bits reaches past the end */
    if (getrandom(random, AUTH_RANDOM_BYTES, 0) != (ssize_t)AUTH_RANDOM_BYTES)
        return false;
    size_t at = sizeof AUTH_PREFIX - 1;
    memcpy(out, AUTH_PREFIX, at);
    for (unsigned bit = 0; bit < AUTH_RANDOM_BYTES * 8; bit += 6) {
        unsigned pair = (unsigned)random[bit / 8] << 8 | random[bit / 8 + 1];
        out[at++] = digits[pair >> (10 - bit % 8) & 63];
    }
    out[at] = '\0';
    return true;
}

/* "Bearer" and one space or more, then the token to the end (RFC 6750). */
static bool auth_find_token(struct slice header, struct slice *token)
{
    static const char scheme[] = "bearer ";
    size_t at = sizeof scheme - 1;
    if (header.size <= at || strncasecmp((const char *)header.data, scheme, at) != 0)
        return false;
    while (at < header.size && header.data[at] == ' ')
        at++;
    *token = slice_of(header.data + at, header.size - at);
    return token->size > 0;
}

/* Every hash is looked at, each whole: how long it takes says nothing about how near a guess was. */
static bool auth_hashes_have(const struct auth_hashes *hashes, const uint8_t hash[AUTH_HASH_BYTES])
{
    unsigned found = 0;
    for (size_t i = 0; i < hashes->count; i++)
        found |= CRYPTO_memcmp(hashes->hash[i], hash, AUTH_HASH_BYTES) == 0;
    return found != 0;
}

bool auth_permits(struct auth *self, struct slice authorization)
{
    uint8_t hash[AUTH_HASH_BYTES] = {0};
    struct slice token;
    bool given = auth_find_token(authorization, &token);
    if (given)
        auth_hash(token, hash);
    pthread_mutex_lock(&self->lock);
    bool good = self->hashes.count == 0 || (given && auth_hashes_have(&self->hashes, hash));
    pthread_mutex_unlock(&self->lock);
    return good;
}

static void auth_refuse(struct net_exchange *exchange)
{
    static const struct net_header headers[] = {{"WWW-Authenticate", "Bearer realm=\"vitrace\""},
                                                {"Cache-Control", "no-store"}};
    static const char body[] = "{\"error\":{\"code\":\"unauthorized\",\"message\":\"Send Authorization: Bearer TOKEN "
                               "with a token of this collector (vitrace token new).\"}}";
    net_reply(exchange, &(struct net_answer){.status = 401,
                                             .content_type = "application/json",
                                             .body = slice_text(body),
                                             .headers = headers,
                                             .header_count = sizeof headers / sizeof headers[0]});
}

void auth_handle(void *context, struct net_exchange *exchange)
{
    const struct auth_door *door = context;
    if (auth_permits(door->auth, net_exchange_header(exchange, "authorization"))) {
        door->handle(door->context, exchange);
        return;
    }
    counters_add(door->auth->counters, COUNTER_ADMIN_UNAUTHORIZED, 1);
    auth_refuse(exchange);
}
