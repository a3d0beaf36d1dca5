/* A net with handlers that echo, hold and answer much, and one HTTP/2 client of it; the fixture of two test programs. */
#ifndef VITRACE_TESTS_H2_SERVER_H
#define VITRACE_TESTS_H2_SERVER_H

#include "collector/net/net_h2.h"
#include "tests/support/h2_client.h"

#include <pthread.h>

#define H2_SERVER_BODY_MAX    1000u
#define H2_SERVER_LARGE_BYTES (600u << 10)
#define H2_SERVER_HELD_MAX    (2 * NET_H2_STREAMS_MAX)

/*
 * /echo, /tree/...  "host|path|query|x-test|size of the body|body", with X-Answer: Yes; /big takes a MiB
 * /none             204
 * /hold             kept in `held`; 204 when the test wakes it
 * /large            H2_SERVER_LARGE_BYTES
 */
struct h2_server {
    struct net *net;
    struct counters counters;
    struct h2_client client;
    struct net_route routes[6];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct net_exchange *held[H2_SERVER_HELD_MAX];
    unsigned held_count, woken, large_count; /* under lock */
};

extern struct h2_server h2_server;

int h2_server_setup(void **state);         /* without a net: h2_server_start() follows */
int h2_server_setup_default(void **state); /* with two threads, and a client */
int h2_server_teardown(void **state);
void h2_server_start(const struct net_options *options);
void h2_server_wait(const unsigned *value, unsigned wanted);
/* Of a request that was started: its answer, NULL = any body. Releases it. */
void h2_server_expect_answer(struct h2_client_request *request, int status, const char *body);
void h2_server_expect(struct h2_client_request *request, int status, const char *body);
void h2_server_expect_alive(void); /* on the same connection */

#endif
