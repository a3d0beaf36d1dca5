#include "collector/auth/auth.h"

#include "collector/auth/auth_attempts.h"
#include "collector/base/jitter.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#define AUTH_RANDOM_BYTES 32u
#define AUTH_SECOND_NS    UINT64_C(1000000000)
#define AUTH_PREFIX       "vta_" /* of another kind than an app's name, which is public: mixing them up is refused */

struct auth {
    pthread_mutex_t lock; /* what follows: the admin listener serves people, and a signature takes some 100 us at most */
    struct auth_policy policy;
    struct auth_attempts attempts;
    struct auth_options options;
    struct jitter jitter;
};

struct auth *auth_new(const struct auth_options *options)
{
    struct auth *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    pthread_mutex_init(&self->lock, NULL);
    auth_attempts_init(&self->attempts);
    jitter_init(&self->jitter);
    self->options = *options;
    return self;
}

void auth_free(struct auth *self)
{
    if (self == NULL)
        return;
    jwt_free(self->policy.jwt);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void auth_set(struct auth *self, const struct auth_policy *policy)
{
    pthread_mutex_lock(&self->lock);
    struct jwt *old = self->policy.jwt;
    self->policy = *policy;
    auth_attempts_set(&self->attempts, policy->failures_per_minute, policy->failures_burst);
    pthread_mutex_unlock(&self->lock);
    jwt_free(old);
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

static enum auth_verdict auth_judge_token(const struct auth_policy *policy, struct slice token, uint64_t now_unix_s,
                                          enum jwt_verdict *jwt)
{
    uint8_t hash[AUTH_HASH_BYTES];
    auth_hash(token, hash);
    if (auth_hashes_have(&policy->hashes, hash))
        return AUTH_GOOD;
    if (policy->jwt == NULL)
        return AUTH_UNKNOWN;
    *jwt = jwt_judge(policy->jwt, token, now_unix_s);
    return *jwt == JWT_GOOD ? AUTH_GOOD : AUTH_JWT_REFUSED;
}

static bool auth_is_open(const struct auth_policy *policy)
{
    return policy->hashes.count == 0 && policy->jwt == NULL;
}

enum auth_verdict auth_judge(struct auth *self, struct slice authorization, uint64_t now_unix_s, enum jwt_verdict *jwt)
{
    struct slice token;
    bool given = auth_find_token(authorization, &token);
    *jwt = JWT_GOOD;
    pthread_mutex_lock(&self->lock);
    enum auth_verdict verdict = auth_is_open(&self->policy) ? AUTH_GOOD
                                : given ? auth_judge_token(&self->policy, token, now_unix_s, jwt)
                                        : AUTH_MISSING;
    pthread_mutex_unlock(&self->lock);
    return verdict;
}

static enum counter auth_counter(enum auth_verdict verdict, enum jwt_verdict jwt)
{
    static const enum counter of_jwt[] = {
        [JWT_MALFORMED] = COUNTER_ADMIN_JWT_MALFORMED, [JWT_ALGORITHM] = COUNTER_ADMIN_JWT_ALGORITHM,
        [JWT_SIGNATURE] = COUNTER_ADMIN_JWT_SIGNATURE, [JWT_EXPIRED] = COUNTER_ADMIN_JWT_EXPIRED,
        [JWT_NOT_YET] = COUNTER_ADMIN_JWT_NOT_YET,     [JWT_ISSUER] = COUNTER_ADMIN_JWT_ISSUER,
        [JWT_AUDIENCE] = COUNTER_ADMIN_JWT_AUDIENCE};
    if (verdict == AUTH_JWT_REFUSED)
        return of_jwt[jwt];
    return verdict == AUTH_MISSING ? COUNTER_ADMIN_NO_TOKEN : COUNTER_ADMIN_TOKEN;
}

/* For the operator alone. */
static const char *auth_advice(enum auth_verdict verdict, enum jwt_verdict jwt)
{
    static const char *const of_jwt[] = {
        [JWT_MALFORMED] = "Neither one of admin_tokens nor a JWT of three parts and at most 8 KiB.",
        [JWT_ALGORITHM] = "The JWT's alg is not that of admin_jwt, or it has crit.",
        [JWT_SIGNATURE] = "The JWT's signature does not fit the key of admin_jwt. Has the provider a new one? Then reload.",
        [JWT_EXPIRED] = "The JWT has expired, or says not when it does.",
        [JWT_NOT_YET] = "The JWT is of the future: compare the two clocks.",
        [JWT_ISSUER] = "The JWT's iss is not the issuer of admin_jwt.",
        [JWT_AUDIENCE] = "The JWT's aud has not the audience of admin_jwt."};
    if (verdict == AUTH_JWT_REFUSED)
        return of_jwt[jwt];
    return verdict == AUTH_MISSING ? "No bearer token was sent." : "None of admin_tokens has this token's hash.";
}

static void auth_note(struct auth *self, const struct net_exchange *exchange, const uint8_t client[16],
                      struct reject_cause cause)
{
    counters_add(self->options.counters, cause.counter, 1);
    net_exchange_reject(exchange, &cause, client, slice_of(NULL, 0));
}

/* The same words whatever was wrong: only the operator, in the counters, is told how near it was. */
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

/* Not before a token of the address may be judged again; up to as long again later. */
static void auth_refuse_late(struct auth *self, struct net_exchange *exchange, const uint8_t client[16],
                             uint64_t wait_ns)
{
    char seconds[12];
    unsigned least_s = (unsigned)(wait_ns / AUTH_SECOND_NS) + 1;
    snprintf(seconds, sizeof seconds, "%u", jitter_spread(&self->jitter, least_s, least_s + 1));
    const struct net_header headers[] = {{"Retry-After", seconds}, {"Cache-Control", "no-store"}};
    static const char body[] = "{\"error\":{\"code\":\"too_many_wrong_tokens\",\"message\":\"This address has sent too many "
                               "wrong tokens. Wait as long as Retry-After says.\"}}";
    auth_note(self, exchange, client, (struct reject_cause){COUNTER_ADMIN_LIMITED, 429, "too_many_wrong_tokens",
              "An address guesses, or a client of ours has an old token."});
    net_reply(exchange, &(struct net_answer){.status = 429,
                                             .content_type = "application/json",
                                             .body = slice_text(body),
                                             .headers = headers,
                                             .header_count = sizeof headers / sizeof headers[0]});
}

static uint64_t auth_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * AUTH_SECOND_NS + (uint64_t)now.tv_nsec;
}

static void auth_find_client(const struct auth *self, const struct net_exchange *exchange, uint8_t out[16])
{
    if (self->options.find_client != NULL && auth_peer_is_local(net_exchange_peer(exchange)))
        self->options.find_client(self->options.client_context, exchange, out);
    else
        memcpy(out, net_exchange_peer(exchange), 16);
}

static uint64_t auth_wait(struct auth *self, const uint8_t client[16], uint64_t now_ns)
{
    pthread_mutex_lock(&self->lock);
    uint64_t wait_ns = auth_attempts_wait(&self->attempts, client, now_ns);
    pthread_mutex_unlock(&self->lock);
    return wait_ns;
}

static void auth_note_failure(struct auth *self, const uint8_t client[16], uint64_t now_ns)
{
    pthread_mutex_lock(&self->lock);
    auth_attempts_fail(&self->attempts, client, now_ns);
    pthread_mutex_unlock(&self->lock);
}

void auth_handle(void *context, struct net_exchange *exchange)
{
    const struct auth_door *door = context;
    struct auth *self = door->auth;
    struct slice authorization = net_exchange_header(exchange, "authorization");
    uint64_t now_ns = auth_monotonic_ns();
    uint8_t client[16];
    enum jwt_verdict jwt;
    auth_find_client(self, exchange, client);
    uint64_t wait_ns = authorization.size == 0 ? 0 : auth_wait(self, client, now_ns);
    if (wait_ns > 0) {
        auth_refuse_late(self, exchange, client, wait_ns);
        return;
    }
    enum auth_verdict verdict = auth_judge(self, authorization, (uint64_t)time(NULL), &jwt);
    if (verdict == AUTH_GOOD) {
        door->handle(door->context, exchange);
        return;
    }
    if (verdict != AUTH_MISSING)
        auth_note_failure(self, client, now_ns);
    auth_note(self, exchange, client, (struct reject_cause){auth_counter(verdict, jwt), 401, "unauthorized",
              auth_advice(verdict, jwt)});
    auth_refuse(exchange);
}
