/* Certificates for tests: made when they are needed, so that none expires in the tree. */
#ifndef VITRACE_TESTS_CERTIFICATE_H
#define VITRACE_TESTS_CERTIFICATE_H

#include <stdbool.h>

struct certificate_files {
    char folder[64], certificate[96], key[96];
};

/* A new folder below /tmp for the files. */
void certificate_open(struct certificate_files *self);
/* Writes a self-signed pair (P-256) for 127.0.0.1, valid from now + `from_s` until now + `until_s`. */
void certificate_write(const struct certificate_files *self, long from_s, long until_s);
void certificate_write_key(const struct certificate_files *self, const char *passphrase); /* of nobody's; NULL = none */
void certificate_close(struct certificate_files *self);

#endif
