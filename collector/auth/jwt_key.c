#include "collector/auth/jwt_key.h"

#include "collector/base/diag.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define JWT_PAIR_BYTES 64u /* ES256: r and s, 32 bytes each, big-endian; EdDSA: its own 64 */

struct jwt_key {
    enum jwt_algorithm algorithm;
    EVP_PKEY *public_key; /* NULL: HS256 */
    size_t secret_size;
    uint8_t secret[JWT_KEY_FILE_BYTES_MAX];
};

/* A public key may be read by all, but whoever may write either kind of file lets himself in. */
static void key_warn_of_readers(const char *path, FILE *file, enum jwt_algorithm algorithm)
{
    struct stat info;
    mode_t unwanted = algorithm == JWT_HS256 ? S_IROTH | S_IWOTH : S_IWOTH;
    if (fstat(fileno(file), &info) == 0 && (info.st_mode & unwanted) != 0)
        diag(DIAG_WARNING, "key_exposed", "%s: every user of this machine may %s it: chmod o-rw", path,
             info.st_mode & S_IWOTH ? "change" : "read");
}

/* Returns the size, -1 with the reason in `error`. */
static int key_slurp(enum jwt_algorithm algorithm, const char *path, uint8_t out[JWT_KEY_FILE_BYTES_MAX + 1], char *error, size_t error_size)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    key_warn_of_readers(path, file, algorithm);
    size_t size = fread(out, 1, JWT_KEY_FILE_BYTES_MAX + 1, file);
    bool good = !ferror(file) && size <= JWT_KEY_FILE_BYTES_MAX;
    fclose(file);
    if (!good)
        snprintf(error, error_size, "%s: cannot be read, or is over %u bytes", path, JWT_KEY_FILE_BYTES_MAX);
    return good ? (int)size : -1;
}

/* An editor's newline at the end is not part of the secret. */
static bool key_take_secret(struct jwt_key *self, struct slice file, const char **problem)
{
    static const char pem[] = "-----BEGIN ";
    if (file.size > 0 && file.data[file.size - 1] == '\n')
        file.size--;
    if (file.size > 0 && file.data[file.size - 1] == '\r')
        file.size--;
    if (file.size >= sizeof pem - 1 && memcmp(file.data, pem, sizeof pem - 1) == 0)
        *problem = "is PEM; the secret of HS256 is bytes that nobody else has (openssl rand -base64 48)";
    else if (file.size < JWT_SECRET_BYTES_MIN)
        *problem = "holds less than 32 bytes, which HS256 needs at least (openssl rand -base64 48)";
    if (*problem != NULL)
        return false;
    memcpy(self->secret, file.data, file.size);
    self->secret_size = file.size;
    return true;
}

static const char *key_problem(enum jwt_algorithm algorithm, const EVP_PKEY *key)
{
    char group[64] = "";
    switch (algorithm) {
    case JWT_RS256:
        if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
            return "is no RSA key, which RS256 needs";
        return EVP_PKEY_get_bits(key) < JWT_RSA_BITS_MIN ? "is an RSA key of less than 2048 bits" : NULL;
    case JWT_ES256:
        EVP_PKEY_get_group_name(key, group, sizeof group, NULL);
        return strcmp(group, SN_X9_62_prime256v1) == 0 ? NULL : "is no key on the curve P-256, which ES256 needs";
    case JWT_EDDSA:
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : "is no Ed25519 key, which EdDSA needs";
    case JWT_HS256:
    case JWT_ALGORITHM_COUNT:
        break;
    }
    return "is not used by this algorithm";
}

static bool key_take_public(struct jwt_key *self, struct slice file, const char **problem)
{
    BIO *bio = BIO_new_mem_buf(file.data, (int)file.size);
    self->public_key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ERR_clear_error();
    *problem = self->public_key == NULL ? "holds no public key in PEM (openssl pkey -in KEY -pubout)"
                                        : key_problem(self->algorithm, self->public_key);
    return *problem == NULL;
}

struct jwt_key *jwt_key_read(enum jwt_algorithm algorithm, const char *path, char *error, size_t error_size)
{
    uint8_t bytes[JWT_KEY_FILE_BYTES_MAX + 1];
    const char *problem = NULL;
    int size = key_slurp(algorithm, path, bytes, error, error_size);
    struct jwt_key *self = size < 0 ? NULL : calloc(1, sizeof *self);
    if (self == NULL) {
        if (size >= 0)
            snprintf(error, error_size, "out of memory");
        return NULL;
    }
    self->algorithm = algorithm;
    struct slice file = slice_of(bytes, (size_t)size);
    bool good = algorithm == JWT_HS256 ? key_take_secret(self, file, &problem) : key_take_public(self, file, &problem);
    OPENSSL_cleanse(bytes, sizeof bytes);
    if (good)
        return self;
    snprintf(error, error_size, "%s %s", path, problem);
    jwt_key_free(self);
    return NULL;
}

void jwt_key_free(struct jwt_key *self)
{
    if (self == NULL)
        return;
    EVP_PKEY_free(self->public_key);
    OPENSSL_cleanse(self->secret, sizeof self->secret);
    free(self);
}

/* Whole, whatever its first bytes are: how long it takes says nothing about how near a guess was. */
static bool key_verify_hmac(const struct jwt_key *self, struct slice text, struct slice signature)
{
    uint8_t made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (HMAC(EVP_sha256(), self->secret, (int)self->secret_size, text.data, text.size, made, &size) == NULL)
        return false;
    return signature.size == size && CRYPTO_memcmp(made, signature.data, size) == 0;
}

static bool key_verify_digest(EVP_PKEY *key, const EVP_MD *digest, struct slice text, struct slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, digest, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature.data, signature.size, text.data, text.size) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good;
}

/* JWS gives r and s side by side, libcrypto wants them in DER. */
static bool key_verify_pair(const struct jwt_key *self, struct slice text, struct slice signature)
{
    if (signature.size != JWT_PAIR_BYTES)
        return false;
    uint8_t *der = NULL;
    int size = -1;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature.data, JWT_PAIR_BYTES / 2, NULL);
    BIGNUM *s = BN_bin2bn(signature.data + JWT_PAIR_BYTES / 2, JWT_PAIR_BYTES / 2, NULL);
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        size = i2d_ECDSA_SIG(pair, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    bool good = size > 0 && key_verify_digest(self->public_key, EVP_sha256(), text, slice_of(der, (size_t)size));
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

bool jwt_key_verify(const struct jwt_key *self, struct slice text, struct slice signature)
{
    switch (self->algorithm) {
    case JWT_HS256:
        return key_verify_hmac(self, text, signature);
    case JWT_RS256:
        return key_verify_digest(self->public_key, EVP_sha256(), text, signature);
    case JWT_ES256:
        return key_verify_pair(self, text, signature);
    case JWT_EDDSA:
        return key_verify_digest(self->public_key, NULL, text, signature);
    case JWT_ALGORITHM_COUNT:
        break;
    }
    return false;
}
