/* The routes of the admin listener, with stand-ins behind the doors, against every kind of credential. */
#include "collector/auth/auth.h"
#include "tests/support/http_client.h"
#include "tests/support/jwt_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct server {
    struct counters counters;
    struct auth *auth;
    struct auth_door api, metrics;
    struct net_route routes[5];
    struct net *net;
    char token[2][AUTH_TOKEN_BYTES];
};

static void answer(void *context, struct net_exchange *exchange)
{
    net_reply(exchange,
              &(struct net_answer){.status = 200, .content_type = "text/plain", .body = slice_text(context)});
}

static void set_policy(struct server *self, size_t count, struct jwt *jwt, uint32_t failures_burst)
{
    struct auth_policy policy = {.hashes.count = count,
                                 .jwt = jwt,
                                 .failures_per_minute = failures_burst > 0 ? 1 : 0,
                                 .failures_burst = failures_burst};
    for (size_t i = 0; i < count; i++)
        auth_hash(slice_text(self->token[i]), policy.hashes.hash[i]);
    auth_set(self->auth, &policy);
}

static void set_hashes(struct server *self, size_t count)
{
    set_policy(self, count, NULL, 0);
}

static int start(void **state)
{
    char error[256], secret[] = "secret", open_to_all[] = "open";
    static char bodies[2][8];
    struct server *self = calloc(1, sizeof *self);
    memcpy(bodies[0], secret, sizeof secret);
    memcpy(bodies[1], open_to_all, sizeof open_to_all);
    self->auth = auth_new(&(struct auth_options){.counters = &self->counters});
    self->api = (struct auth_door){self->auth, answer, bodies[0]};
    self->metrics = (struct auth_door){self->auth, answer, bodies[0]};
    const struct net_route routes[] = {{NET_GET | NET_HEAD, "/healthz", answer, bodies[1], 0},
                                       {NET_GET | NET_HEAD, "/readyz", answer, bodies[1], 0},
                                       {NET_GET | NET_HEAD, "/metrics", auth_handle, &self->metrics, 0},
                                       {NET_GET | NET_HEAD, "/api/v1/*", auth_handle, &self->api, 0},
                                       {NET_GET | NET_HEAD, "/*", answer, bodies[1], 0}};
    memcpy(self->routes, routes, sizeof routes);
    assert_true(auth_token_new(self->token[0]) && auth_token_new(self->token[1]));
    self->net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .routes = self->routes,
                                                .route_count = sizeof routes / sizeof routes[0],
                                                .counters = &self->counters},
                          error, sizeof error);
    *state = self;
    return self->net == NULL;
}

static int stop(void **state)
{
    struct server *self = *state;
    net_stop(self->net, 2000);
    auth_free(self->auth);
    free(self);
    return 0;
}

static void ask(struct server *self, const char *path, const char *headers, struct http_reply *reply)
{
    struct http_client client;
    char request[2048];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n%s\r\n", path, headers);
    http_client_open(&client, net_port(self->net));
    http_client_send_text(&client, request);
    if (!http_client_read(&client, reply))
        fail_msg("no answer to %s", path);
    http_client_close(&client);
}

static const struct {
    const char *path;
    bool guarded;
} routes[] = {{"/healthz", false},       {"/readyz", false},         {"/", false},         {"/app.js", false},
              {"/metrics", true},        {"/api/v1/apps", true},     {"/api/v1/", true},   {"/api/v1/views?app=shop", true},
              {"/api/v1/nothing", true}, {"/metrics?token=x", true}};

/* %s stands for the token. */
static const struct {
    const char *header;
    unsigned token; /* whose text is put in */
    bool fits;
} credentials[] = {
    {"", 0, false},
    {"Authorization: Bearer %s\r\n", 0, true},
    {"Authorization: bearer %s\r\n", 0, true},
    {"Authorization: BEARER   %s\r\n", 0, true},
    {"Authorization: Bearer %s\r\n", 1, true},
    {"Authorization: Bearer %sx\r\n", 0, false},
    {"Authorization: Bearer x%s\r\n", 0, false},
    {"Authorization: Bearer %.46s\r\n", 0, false}, /* a strict prefix */
    {"Authorization: Bearer %s %s\r\n", 0, false},
    {"Authorization: Bearer\r\n", 0, false},
    {"Authorization: Bearer \r\n", 0, false},
    {"Authorization: Bearer%s\r\n", 0, false},
    {"Authorization: Basic %s\r\n", 0, false},
    {"Authorization: %s\r\n", 0, false},
    {"X-Authorization: Bearer %s\r\n", 0, false},
    {"Cookie: token=%s\r\n", 0, false},
    {"Authorization: Bearer shop\r\n", 0, false}, /* an app's name is no token */
};

static bool fill_credential(char out[256], const struct server *self, size_t index)
{
    int size = 0;
    const char *at = credentials[index].header, *token = self->token[credentials[index].token];
    for (; *at != '\0'; at++) {
        const char *put = NULL;
        if (strncmp(at, "%.46s", 5) == 0)
            put = token, at += 4;
        else if (strncmp(at, "%s", 2) == 0)
            put = token, at += 1;
        if (put == NULL)
            out[size++] = *at;
        else
            size += snprintf(out + size, 256 - (size_t)size, "%.*s", at[-1] == '6' ? 46 : 47, put);
    }
    out[size] = '\0';
    return credentials[index].fits;
}

static void test_auth__every_route_with_every_credential(void **state)
{
    struct server *self = *state;
    struct http_reply reply;
    char credential[256], headers[320];
    uint64_t refused = 0;
    set_hashes(self, 2);
    for (size_t r = 0; r < sizeof routes / sizeof routes[0]; r++)
        for (size_t c = 0; c < sizeof credentials / sizeof credentials[0]; c++) {
            bool fits = fill_credential(credential, self, c) || !routes[r].guarded;
            snprintf(headers, sizeof headers, "Host: rum.example\r\n%s", credential);
            ask(self, routes[r].path, headers, &reply);
            if (reply.status != (fits ? 200 : 401))
                fail_msg("%s with '%s': %d", routes[r].path, credential, reply.status);
            assert_true((strstr(reply.body, "secret") != NULL) == (fits && routes[r].guarded));
            if (!fits)
                assert_string_equal(http_reply_header(&reply, "WWW-Authenticate"), "Bearer realm=\"vitrace\"");
            refused += !fits;
        }
    assert_int_equal(counters_find(&self->counters, COUNTER_ADMIN_TOKEN) +
                         counters_find(&self->counters, COUNTER_ADMIN_NO_TOKEN),
                     refused);
}

static void test_auth__without_tokens_everyone_who_got_here_is_let_in(void **state)
{
    struct server *self = *state;
    struct http_reply reply;
    for (size_t r = 0; r < sizeof routes / sizeof routes[0]; r++) {
        ask(self, routes[r].path, "Host: x\r\n", &reply);
        assert_int_equal(reply.status, 200);
    }
}

static void test_auth__a_new_set_counts_for_the_next_request(void **state)
{
    struct server *self = *state;
    struct http_reply reply;
    char second[256];
    snprintf(second, sizeof second, "Host: x\r\nAuthorization: Bearer %s\r\n", self->token[1]);
    set_hashes(self, 1);
    ask(self, "/metrics", second, &reply);
    assert_int_equal(reply.status, 401);
    set_hashes(self, 2);
    ask(self, "/metrics", second, &reply);
    assert_int_equal(reply.status, 200);
    set_hashes(self, 1);
    ask(self, "/metrics", second, &reply);
    assert_int_equal(reply.status, 401);
}

static struct jwt *make_jwt(struct jwt_maker *maker)
{
    char error[256];
    struct jwt_options options = {.enabled = true, .algorithm = maker->algorithm, .audience = "vitrace"};
    snprintf(options.key_file, sizeof options.key_file, "%s", maker->key_file);
    struct jwt *jwt = jwt_new(&options, error, sizeof error);
    assert_non_null(jwt);
    return jwt;
}

static void make_header(const struct jwt_maker *maker, const char *audience, char out[1024])
{
    static char token[JWT_MAKER_TOKEN_BYTES];
    char claims[128];
    snprintf(claims, sizeof claims, "{\"aud\":\"%s\",\"exp\":99999999999}", audience);
    jwt_maker_sign(maker, slice_text("{\"alg\":\"EdDSA\"}"), slice_text(claims), token);
    snprintf(out, 1024, "Host: x\r\nAuthorization: Bearer %.900s\r\n", token);
}

static void test_auth__a_jwt_opens_what_a_token_opens_and_both_are_taken(void **state)
{
    struct server *self = *state;
    struct http_reply reply;
    struct jwt_maker maker;
    char good[1024], other[1024], token[256];
    jwt_maker_init(&maker, JWT_EDDSA);
    make_header(&maker, "vitrace", good);
    make_header(&maker, "another", other);
    snprintf(token, sizeof token, "Host: x\r\nAuthorization: Bearer %s\r\n", self->token[0]);
    set_policy(self, 1, make_jwt(&maker), 0);
    ask(self, "/metrics", good, &reply);
    assert_int_equal(reply.status, 200);
    ask(self, "/metrics", token, &reply);
    assert_int_equal(reply.status, 200);
    ask(self, "/metrics", other, &reply);
    assert_int_equal(reply.status, 401);
    assert_int_equal(counters_find(&self->counters, COUNTER_ADMIN_JWT_AUDIENCE), 1);
    set_policy(self, 0, make_jwt(&maker), 0); /* alone, it still closes the door to those without */
    ask(self, "/metrics", token, &reply);
    assert_int_equal(reply.status, 401);
    assert_int_equal(counters_find(&self->counters, COUNTER_ADMIN_JWT_MALFORMED), 1);
    ask(self, "/metrics", "Host: x\r\n", &reply);
    assert_int_equal(reply.status, 401);
    set_policy(self, 1, NULL, 0);
    ask(self, "/metrics", good, &reply);
    assert_int_equal(reply.status, 401);
    jwt_maker_release(&maker);
}

static void test_auth__wrong_tokens_are_limited_and_nothing_is_judged_meanwhile(void **state)
{
    struct server *self = *state;
    struct http_reply reply;
    char right[256];
    snprintf(right, sizeof right, "Host: x\r\nAuthorization: Bearer %s\r\n", self->token[0]);
    set_policy(self, 1, NULL, 3);
    for (unsigned i = 0; i < 50; i++) { /* no token is no attempt */
        ask(self, "/metrics", "Host: x\r\n", &reply);
        assert_int_equal(reply.status, 401);
    }
    for (unsigned i = 0; i < 3; i++) {
        ask(self, "/metrics", right, &reply);
        assert_int_equal(reply.status, 200);
        ask(self, "/metrics", "Host: x\r\nAuthorization: Bearer wrong\r\n", &reply);
        assert_int_equal(reply.status, 401);
    }
    ask(self, "/metrics", right, &reply);
    assert_int_equal(reply.status, 429);
    assert_in_range(strtoul(http_reply_header(&reply, "Retry-After"), NULL, 10), 55, 123);
    assert_null(strstr(reply.body, "secret"));
    assert_int_equal(counters_find(&self->counters, COUNTER_ADMIN_LIMITED), 1);
    ask(self, "/healthz", right, &reply); /* no door, no guess */
    assert_int_equal(reply.status, 200);
    set_policy(self, 1, NULL, 0);
    ask(self, "/metrics", right, &reply);
    assert_int_equal(reply.status, 200);
}

static void test_auth__hash_is_sha256(void **state)
{
    uint8_t made[AUTH_HASH_BYTES], read[AUTH_HASH_BYTES];
    (void)state;
    auth_hash(slice_text("abc"), made); /* FIPS 180-2, B.1 */
    assert_true(auth_hash_parse(
        slice_text("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410FF61F20015AD"), read));
    assert_memory_equal(made, read, sizeof made);
}

static void test_auth__only_64_hex_digits_are_a_hash(void **state)
{
    uint8_t out[AUTH_HASH_BYTES];
    char text[66];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t size = 0; size <= 65; size++)
        assert_int_equal(auth_hash_parse(slice_of(text, size), out), size == 64);
    static const char bad[] = "g/:@`G \0";
    for (size_t i = 0; i < sizeof bad; i++) {
        text[63] = bad[i];
        assert_false(auth_hash_parse(slice_of(text, 64), out));
    }
}

static void test_auth__tokens_are_long_and_not_alike(void **state)
{
    char token[64][AUTH_TOKEN_BYTES];
    (void)state;
    for (size_t i = 0; i < 64; i++) {
        assert_true(auth_token_new(token[i]));
        assert_int_equal(strlen(token[i]), AUTH_TOKEN_BYTES - 1);
        assert_int_equal(strncmp(token[i], "vta_", 4), 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(token[i], token[j]);
    }
}

static void test_auth__knows_which_addresses_stay_on_this_machine(void **state)
{
    static const struct {
        const char *listen;
        bool loopback;
    } cases[] = {{"127.0.0.1:4320", true}, {"127.255.0.1:0", true}, {"[::1]:4320", true},     {"localhost:4320", true}, {"unix:/run/vitrace/admin.sock", true},
                 {":4320", false},         {"0.0.0.0:4320", false}, {"[::]:4320", false},     {"10.0.0.1:4320", false},
                 {"", false},              {"[::1", false},         {"[]:4320", false},       {"169.254.1.1:1", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (auth_listen_is_loopback(cases[i].listen) != cases[i].loopback)
            fail_msg("%s", cases[i].listen);
}

static void test_auth__only_a_peer_on_this_machine_may_speak_for_others(void **state)
{
    static const struct {
        uint8_t peer[16];
        bool is_local;
    } cases[] = {{{0}, true}, /* a Unix socket */
                 {{[15] = 1}, true},
                 {{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, true},
                 {{[10] = 0xff, [11] = 0xff, 127, 9, 9, 9}, true},
                 {{[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}, false},
                 {{[10] = 0xff, [11] = 0xff, 0, 0, 0, 0}, false},
                 {{[15] = 2}, false},
                 {{0xfe, 0x80, [15] = 1}, false},
                 {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, false},
                 {{[12] = 127, [15] = 1}, false}}; /* ::127.0.0.1, which is no mapped address */
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (auth_peer_is_local(cases[i].peer) != cases[i].is_local)
            fail_msg("case %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_auth__every_route_with_every_credential, start, stop),
        cmocka_unit_test_setup_teardown(test_auth__without_tokens_everyone_who_got_here_is_let_in, start, stop),
        cmocka_unit_test_setup_teardown(test_auth__a_new_set_counts_for_the_next_request, start, stop),
        cmocka_unit_test_setup_teardown(test_auth__a_jwt_opens_what_a_token_opens_and_both_are_taken, start, stop),
        cmocka_unit_test_setup_teardown(test_auth__wrong_tokens_are_limited_and_nothing_is_judged_meanwhile, start, stop),
        cmocka_unit_test(test_auth__hash_is_sha256),
        cmocka_unit_test(test_auth__only_64_hex_digits_are_a_hash),
        cmocka_unit_test(test_auth__tokens_are_long_and_not_alike),
        cmocka_unit_test(test_auth__only_a_peer_on_this_machine_may_speak_for_others),
        cmocka_unit_test(test_auth__knows_which_addresses_stay_on_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
