/* Certificate and key files: what is taken, what is refused, and what the refusal says. */
#include "collector/stream/stream.h"
#include "tests/support/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_S 86400l

struct rig {
    struct certificate_files files;
    struct counters counters;
    char error[512];
};

static int setup(void **state)
{
    struct rig *self = *state = calloc(1, sizeof *self);
    certificate_open(&self->files);
    certificate_write(&self->files, -DAY_S, DAY_S);
    return 0;
}

static int teardown(void **state)
{
    struct rig *self = *state;
    certificate_close(&self->files);
    free(self);
    return 0;
}

static struct stream_tls *make(struct rig *self)
{
    return stream_tls_new(&(struct stream_tls_options){.certificate = self->files.certificate,
                                                       .key = self->files.key,
                                                       .counters = &self->counters},
                          self->error, sizeof self->error);
}

static void expect_refused(struct rig *self, const char *setting, const char *path, const char *why)
{
    assert_null(make(self));
    if (strstr(self->error, setting) != self->error || strstr(self->error, path) == NULL ||
        strstr(self->error, why) == NULL)
        fail_msg("%s", self->error);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static void test_tls__tells_when_the_certificate_expires(void **state)
{
    struct rig *self = *state;
    struct stream_tls *tls = make(self);
    assert_non_null(tls);
    int64_t left = (int64_t)counters_find(&self->counters, COUNTER_TLS_EXPIRY) - (int64_t)time(NULL);
    assert_in_range(left, DAY_S - 600, DAY_S);
    stream_tls_free(tls);
}

static void test_tls__takes_an_expired_certificate_and_one_of_the_future(void **state)
{
    struct rig *self = *state;
    static const long days[][2] = {{-2, -1}, {1, 2}};
    for (size_t i = 0; i < 2; i++) {
        certificate_write(&self->files, days[i][0] * DAY_S, days[i][1] * DAY_S);
        struct stream_tls *tls = make(self); /* a page that cannot send is better than a collector that does not start */
        assert_non_null(tls);
        stream_tls_free(tls);
    }
}

static void test_tls__refuses_files_that_are_not_there(void **state)
{
    struct rig *self = *state;
    unlink(self->files.key);
    expect_refused(self, "tls_key: ", self->files.key, "No such file or directory");
    unlink(self->files.certificate);
    expect_refused(self, "tls_certificate: ", self->files.certificate, "No such file or directory");
}

static void test_tls__refuses_files_of_something_else(void **state)
{
    struct rig *self = *state;
    static const char *const texts[] = {"", "hello\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                                        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(self->files.certificate, texts[i]);
        expect_refused(self, "tls_certificate: ", self->files.certificate, "is not a PEM certificate");
        certificate_write(&self->files, -DAY_S, DAY_S);
        write_text(self->files.key, texts[i]);
        expect_refused(self, "tls_key: ", self->files.key, "is not a PEM key");
    }
    rename(self->files.certificate, self->files.key); /* one for the other */
    write_text(self->files.certificate, "");
    expect_refused(self, "tls_certificate: ", self->files.certificate, "is not a PEM certificate");
}

static void test_tls__refuses_a_key_of_another_certificate(void **state)
{
    struct rig *self = *state;
    certificate_write_key(&self->files, NULL);
    expect_refused(self, "tls_key: ", self->files.key, "does not belong to the certificate");
}

static void test_tls__asks_nobody_for_a_passphrase(void **state)
{
    struct rig *self = *state;
    certificate_write_key(&self->files, "secret");
    expect_refused(self, "tls_key: ", self->files.key, "without a passphrase");
}

static void test_tls__keeps_what_it_has_when_the_new_files_are_wrong(void **state)
{
    struct rig *self = *state;
    struct stream_tls *tls = make(self);
    uint64_t expiry = counters_find(&self->counters, COUNTER_TLS_EXPIRY);
    certificate_write(&self->files, -DAY_S, 9 * DAY_S);
    certificate_write_key(&self->files, NULL);
    assert_false(stream_tls_read(tls, self->error, sizeof self->error));
    assert_non_null(strstr(self->error, "does not belong"));
    stream_tls_apply(tls); /* nothing was read */
    assert_int_equal(counters_find(&self->counters, COUNTER_TLS_EXPIRY), expiry);
    certificate_write(&self->files, -DAY_S, 9 * DAY_S);
    assert_true(stream_tls_read(tls, self->error, sizeof self->error));
    assert_int_equal(counters_find(&self->counters, COUNTER_TLS_EXPIRY), expiry);
    assert_true(stream_tls_read(tls, self->error, sizeof self->error)); /* twice before it is applied */
    stream_tls_apply(tls);
    assert_true(counters_find(&self->counters, COUNTER_TLS_EXPIRY) > expiry + 7 * DAY_S);
    stream_tls_free(tls);
}

static void test_tls__that_was_read_and_never_applied_is_freed(void **state)
{
    struct rig *self = *state;
    struct stream_tls *tls = make(self);
    assert_true(stream_tls_read(tls, self->error, sizeof self->error));
    stream_tls_free(tls);
    stream_tls_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        WITH(test_tls__tells_when_the_certificate_expires),
        WITH(test_tls__takes_an_expired_certificate_and_one_of_the_future),
        WITH(test_tls__refuses_files_that_are_not_there),
        WITH(test_tls__refuses_files_of_something_else),
        WITH(test_tls__refuses_a_key_of_another_certificate),
        WITH(test_tls__asks_nobody_for_a_passphrase),
        WITH(test_tls__keeps_what_it_has_when_the_new_files_are_wrong),
        WITH(test_tls__that_was_read_and_never_applied_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
