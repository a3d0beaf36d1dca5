/*
 * The loop runs out of memory at the n-th allocation of OpenSSL's, for every n of a whole life: accept, handshake, a message,
 * the end. The stream may fail, the server may not: nothing is lost or used again, and the next client is served.
 */
#include "tests/unit/collector/stream/session_rig.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#define ALLOCATIONS_MAX 2000

static _Thread_local bool is_client; /* whose allocations are none of this test's business */
static atomic_long left;             /* until one fails; 0 or less = none does */
static atomic_long asked;            /* by others than the client */

static bool fails(void)
{
    if (is_client)
        return false;
    atomic_fetch_add(&asked, 1);
    return atomic_fetch_sub(&left, 1) == 1;
}

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : malloc(size);
}

static void *retake(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(memory, size);
}

static void give(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

static bool live_once(struct rig *self, int version)
{
    struct tls_client client;
    char back[5];
    tls_client_open(&client, &(struct tls_client_options){.port = self->server.address.port, .version_max = version,
                                                          .alpn = "\x08http/1.1"});
    bool good = tls_client_shake(&client) && tls_client_write(&client, "hello", 5) && tls_client_read(&client, back, 5);
    SSL_shutdown(client.session);
    tls_client_flush(&client);
    tls_client_close(&client);
    return stream_server_await(&self->server.open, 0) && good;
}

static void sweep(struct rig *self, int version)
{
    is_client = true;
    assert_true(live_once(self, version)); /* what is made once for all is made */
    atomic_store(&asked, 0);
    assert_true(live_once(self, version));
    long count = atomic_load(&asked), failed = 0;
    assert_in_range(count, 10, ALLOCATIONS_MAX);
    for (long n = 1; n <= count; n++) {
        atomic_store(&left, n);
        failed += !live_once(self, version);
        atomic_store(&left, 0);
        if (n % 10 == 0 && !live_once(self, version))
            fail_msg("after allocations up to %ld of %ld had failed, nobody is served", n, count);
    }
    assert_true(failed > count / 4); /* they did fail: OpenSSL goes without some */
}

static void test_memory__of_each_allocation_may_be_missing(void **state)
{
    sweep(*state, TLS1_3_VERSION);
}

static void test_memory__of_each_allocation_of_tls_1_2_may_be_missing(void **state)
{
    sweep(*state, TLS1_2_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory__of_each_allocation_may_be_missing, rig_start, rig_stop),
        cmocka_unit_test_setup_teardown(test_memory__of_each_allocation_of_tls_1_2_may_be_missing, rig_start, rig_stop),
    };
    if (CRYPTO_set_mem_functions(take, retake, give) != 1) {
        fprintf(stderr, "OpenSSL has allocated before main(): its allocations cannot be counted\n");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
