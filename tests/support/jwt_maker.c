#include "tests/support/jwt_maker.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static EVP_PKEY *maker_new_key(enum jwt_algorithm algorithm)
{
    switch (algorithm) {
    case JWT_RS256:
        return EVP_RSA_gen(2048);
    case JWT_ES256:
        return EVP_EC_gen("P-256");
    case JWT_EDDSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case JWT_HS256:
    case JWT_ALGORITHM_COUNT:
        break;
    }
    return NULL;
}

void jwt_maker_init(struct jwt_maker *self, enum jwt_algorithm algorithm)
{
    *self = (struct jwt_maker){.algorithm = algorithm, .key = maker_new_key(algorithm)};
    assert(self->key != NULL || algorithm == JWT_HS256);
    snprintf(self->secret, sizeof self->secret, "%s", "a secret of more than thirty-two bytes, of this test only");
    snprintf(self->key_file, sizeof self->key_file, "/tmp/vitrace-jwt.XXXXXX");
    int descriptor = mkstemp(self->key_file);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    assert(file != NULL);
    if (self->key != NULL)
        PEM_write_PUBKEY(file, self->key);
    else
        fprintf(file, "%s\n", self->secret);
    fclose(file);
}

void jwt_maker_release(struct jwt_maker *self)
{
    unlink(self->key_file);
    EVP_PKEY_free(self->key);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t jwt_maker_decode(const char *text, uint8_t *out)
{
    size_t size = 0, bits = 0;
    for (unsigned held = 0; *text != '\0'; text++) {
        bits = bits << 6 | (size_t)(strchr(digits, *text) - digits);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = (uint8_t)(bits >> held);
        }
    }
    return size;
}

size_t jwt_maker_encode(struct slice bytes, char *out)
{
    size_t size = 0;
    for (size_t bit = 0; bit < bytes.size * 8; bit += 6) {
        unsigned first = bytes.data[bit / 8];
        unsigned second = bit / 8 + 1 < bytes.size ? bytes.data[bit / 8 + 1] : 0;
        out[size++] = digits[(first << 8 | second) >> (10 - bit % 8) & 63];
    }
    out[size] = '\0';
    return size;
}

static size_t maker_join(struct slice header, struct slice claims, char *out)
{
    size_t size = jwt_maker_encode(header, out);
    out[size++] = '.';
    return size + jwt_maker_encode(claims, out + size);
}

void jwt_maker_hmac(struct slice secret, struct slice text, char *out)
{
    uint8_t signature[32];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data, (int)secret.size, text.data, text.size, signature, &size);
    jwt_maker_encode(slice_of(signature, size), out);
}

void jwt_maker_sign_hmac(struct slice secret, struct slice header, struct slice claims, char out[JWT_MAKER_TOKEN_BYTES])
{
    size_t size = maker_join(header, claims, out);
    jwt_maker_hmac(secret, slice_of(out, size), out + size + 1);
    out[size] = '.';
}

/* ECDSA's DER as r and s of 32 bytes each. */
static size_t maker_unpack_pair(uint8_t *signature, size_t size)
{
    const uint8_t *at = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32);
    ECDSA_SIG_free(pair);
    return 64;
}

void jwt_maker_sign(const struct jwt_maker *self, struct slice header, struct slice claims,
                    char out[JWT_MAKER_TOKEN_BYTES])
{
    if (self->key == NULL) {
        jwt_maker_sign_hmac(slice_text(self->secret), header, claims, out);
        return;
    }
    uint8_t signature[512];
    size_t signature_size = sizeof signature, size = maker_join(header, claims, out);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = EVP_DigestSignInit(context, NULL, self->algorithm == JWT_EDDSA ? NULL : EVP_sha256(), NULL, self->key) == 1 &&
               EVP_DigestSign(context, signature, &signature_size, (const uint8_t *)out, size) == 1;
    assert(good);
    (void)good;
    EVP_MD_CTX_free(context);
    if (self->algorithm == JWT_ES256)
        signature_size = maker_unpack_pair(signature, signature_size);
    out[size++] = '.';
    jwt_maker_encode(slice_of(signature, signature_size), out + size);
}
