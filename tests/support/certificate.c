#include "tests/support/certificate.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void certificate_open(struct certificate_files *self)
{
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-tls-XXXXXX");
    char *made = mkdtemp(self->folder);
    assert(made != NULL);
    (void)made;
    snprintf(self->certificate, sizeof self->certificate, "%s/cert.pem", self->folder);
    snprintf(self->key, sizeof self->key, "%s/key.pem", self->folder);
}

static EVP_PKEY *new_key(const char *path, const char *passphrase)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *file = fopen(path, "w");
    assert(key != NULL && file != NULL);
    fchmod(fileno(file), 0600);
    int wrote = PEM_write_PrivateKey(file, key, passphrase == NULL ? NULL : EVP_aes_256_cbc(), NULL, 0, NULL,
                                     (void *)(uintptr_t)passphrase);
    assert(wrote == 1);
    (void)wrote;
    fclose(file);
    return key;
}

void certificate_write(const struct certificate_files *self, long from_s, long until_s)
{
    EVP_PKEY *key = new_key(self->key, NULL);
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until_s);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    FILE *file = fopen(self->certificate, "w");
    assert(file != NULL);
    PEM_write_X509(file, certificate);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void certificate_write_key(const struct certificate_files *self, const char *passphrase)
{
    EVP_PKEY_free(new_key(self->key, passphrase));
}

void certificate_close(struct certificate_files *self)
{
    unlink(self->certificate);
    unlink(self->key);
    rmdir(self->folder);
}
