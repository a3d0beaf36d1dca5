#include "collector/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct config config; /* large */
static char path[64];
static char error[512];

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static const char *listen_environment(const char *name)
{
    return strcmp(name, "VITRACE_LISTEN") == 0  ? "127.0.0.1:2"
           : strcmp(name, "VITRACE_ADMIN") == 0 ? "127.0.0.1:22"
                                                : NULL;
}

static void write_file(const char *text, size_t size)
{
    strcpy(path, "/tmp/vitrace-config-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, size), size);
    close(file);
}

static bool load(const char *yaml)
{
    write_file(yaml, strlen(yaml));
    bool good =
        config_load(&config, &(struct config_input){.file = path, .environment = no_environment}, error, sizeof error);
    unlink(path);
    return good;
}

/* The error must stand at this line and contain this text. */
static void expect_error(const char *yaml, unsigned line, const char *text)
{
    char where[96];
    if (load(yaml))
        fail_msg("taken: %s", yaml);
    snprintf(where, sizeof where, "%s:%u: ", path, line);
    if (strncmp(error, where, strlen(where)) != 0 || strstr(error, text) == NULL)
        fail_msg("expected '%s...%s', got '%s'", where, text, error);
}

static void test_config__has_defaults_for_everything(void **state)
{
    (void)state;
    assert_true(config_load(&config, &(struct config_input){.environment = no_environment}, error, sizeof error));
    assert_string_equal(config.text[CONFIG_DATA], "./vitrace-data");
    assert_string_equal(config.text[CONFIG_LISTEN], "127.0.0.1:4319");
    assert_string_equal(config.text[CONFIG_ADMIN], "127.0.0.1:4320");
    assert_string_equal(config.text[CONFIG_OTLP_HTTP], "127.0.0.1:4318");
    assert_string_equal(config.text[CONFIG_OTLP_GRPC], "127.0.0.1:4317");
    assert_int_equal(config.app_count, 0);
    config_release(&config);
}

static void test_config__flag_beats_environment_beats_file_beats_default(void **state)
{
    (void)state;
    const char *yaml = "data: /file\nlisten: 127.0.0.1:1\nadmin: 127.0.0.1:11\n";
    write_file(yaml, strlen(yaml));
    struct config_input input = {.file = path, .environment = listen_environment};
    input.flag[CONFIG_LISTEN] = "127.0.0.1:3";
    assert_true(config_load(&config, &input, error, sizeof error));
    unlink(path);
    assert_string_equal(config.text[CONFIG_LISTEN], "127.0.0.1:3");       /* all four have one */
    assert_string_equal(config.text[CONFIG_ADMIN], "127.0.0.1:22");       /* environment over file */
    assert_string_equal(config.text[CONFIG_DATA], "/file");               /* file over default */
    assert_string_equal(config.text[CONFIG_OTLP_HTTP], "127.0.0.1:4318"); /* default */
    config_release(&config);
}

static void test_config__reads_apps_with_their_origins(void **state)
{
    (void)state;
    assert_true(load("# comment\nsdk: /sdk\notlp_http: ':4318'\napps:\n  - name: shop\n    origins: "
                     "[\"https://shop.example\", 'https://*.shop.example']\n  - name: blog\n"));
    assert_string_equal(config.text[CONFIG_SDK], "/sdk");
    assert_int_equal(config.app_count, 2);
    assert_string_equal(config.app[0].name, "shop");
    assert_int_equal(config.app[0].origin_count, 2);
    assert_string_equal(config.app[0].origins[1], "https://*.shop.example");
    assert_string_equal(config.app[1].name, "blog");
    assert_int_equal(config.app[1].origin_count, 0);
    config_release(&config);
}

static void test_config__sizes_and_days_are_numbers_within_bounds(void **state)
{
    (void)state;
    assert_true(load("retention_days: 7\nlog_bytes_max: 512M\n"));
    assert_int_equal(config_retention_us(&config), UINT64_C(7) * 24 * 3600 * 1000000);
    assert_int_equal(config_log_bytes_max(&config), UINT64_C(512) << 20);
    config_release(&config);
    assert_true(load("retention_days: 3650\nlog_bytes_max: 4T\n"));
    assert_int_equal(config_log_bytes_max(&config), UINT64_C(4) << 40);
    config_release(&config);
    assert_true(load("log_bytes_max: 268435456\n"));
    assert_int_equal(config_log_bytes_max(&config), UINT64_C(256) << 20);
    assert_int_equal(config_memory(&config), UINT64_C(96) << 20);
    config_release(&config);
    assert_true(load("memory: 64M\n"));
    assert_int_equal(config_memory(&config), UINT64_C(64) << 20);
    config_release(&config);
    const char *const bad[] = {"retention_days: 0\n",      "retention_days: 3651\n",    "retention_days: 7d\n",
                               "retention_days: -1\n",     "retention_days: ''\n",      "log_bytes_max: 255M\n",
                               "log_bytes_max: 5T\n",      "log_bytes_max: 20GB\n",     "log_bytes_max: G\n",
                               "log_bytes_max: 9999999T\n", "log_bytes_max: 268435455\n",
                               "memory: 63M\n",            "memory: 65G\n",             "memory: 1T\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(load(bad[i]));
}

static void test_config__seconds_may_be_none_and_have_a_bound(void **state)
{
    (void)state;
    assert_true(load(""));
    assert_int_equal(config_drain_ms(&config), 5000);
    assert_int_equal(config_lock_wait_ms(&config), 0);
    config_release(&config);
    assert_true(load("drain_seconds: 0\nlock_wait_seconds: 3600\n"));
    assert_int_equal(config_drain_ms(&config), 0);
    assert_int_equal(config_lock_wait_ms(&config), 3600000);
    config_release(&config);
    const char *const bad[] = {"drain_seconds: 601\n", "drain_seconds: -1\n",        "drain_seconds: 5s\n",
                               "drain_seconds: ''\n",  "lock_wait_seconds: 3601\n", "lock_wait_seconds: 1.5\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(load(bad[i]));
}

static void test_config__a_file_without_content_sets_nothing(void **state)
{
    (void)state;
    assert_true(load(""));
    config_release(&config);
    assert_true(load("# nothing\n"));
    config_release(&config);
    assert_true(load("{}\n"));
    assert_string_equal(config.text[CONFIG_LISTEN], "127.0.0.1:4319");
    config_release(&config);
}

static void test_config__an_unknown_key_is_named_with_its_line_and_the_known_keys(void **state)
{
    (void)state;
    expect_error("data: x\nlisten: y\n\nlistne: z\n", 4,
                 "unknown key 'listne'; known: data, listen, admin, otlp_http, otlp_grpc, ");
    expect_error("apps:\n  - name: shop\n    origin: x\n", 3,
                 "unknown or repeated key 'origin' of an app; known: name, origins");
}

static void test_config__wrong_shapes_are_refused_with_their_line(void **state)
{
    (void)state;
    expect_error("data: [a]\n", 1, "data is expected here");
    expect_error("- data\n", 1, "a key");
    expect_error("data\n", 1, "a key");
    expect_error("data: x\ndata: y\n", 2, "given twice");
    expect_error("apps: shop\n", 1, "a list of apps");
    expect_error("apps:\n  - shop\n", 2, "an app with name");
    expect_error("apps:\n  - name: [x]\n", 2, "the app's name");
    expect_error("apps:\n  - name: a\n    origins: https://a.com\n", 3, "a list of origins");
    expect_error("apps:\n  - name: a\n    origins: [[x]]\n", 3, "a list of origins");
    expect_error("apps:\n  - name: a\n    name: b\n", 3, "unknown or repeated key 'name'");
    expect_error("? [a]\n: b\n", 1, "a key");
    expect_error("data: x\n---\ndata: y\n", 2, "the end");
    expect_error("data: &a x\nlisten: *a\n", 2, "aliases");
    expect_error("data: \"x\n", 2, "not YAML");
    expect_error("data: \"a\\0b\"\n", 1, "NUL");
    expect_error("\tdata: x\n", 1, "not YAML");
}

static void test_config__apps_that_cannot_work_are_refused_with_the_reason(void **state)
{
    (void)state;
    expect_error("apps:\n  - name: Shop\n", 3, "an app's name is");
    expect_error("apps:\n  - origins: []\n", 3, "an app's name is");
    expect_error("apps:\n  - name: a\n    origins: [https://a.com/x]\n", 4, "an origin is");
    expect_error("apps:\n  - name: a\n  - name: a\n", 4, "configured twice");
}

static void test_config__limits_hold_one_past_each(void **state)
{
    (void)state;
    static char yaml[64u << 10];
    size_t size = (size_t)snprintf(yaml, sizeof yaml, "data: %0*d\n", (int)CONFIG_TEXT_BYTES_MAX, 0);
    expect_error(yaml, 1, "too long");
    size = (size_t)snprintf(yaml, sizeof yaml, "apps:\n");
    for (unsigned i = 0; i <= CONFIG_APPS_MAX; i++)
        size += (size_t)snprintf(yaml + size, sizeof yaml - size, "  - name: a%u\n", i);
    expect_error(yaml, CONFIG_APPS_MAX + 2, "at most 256 apps");
    size = (size_t)snprintf(yaml, sizeof yaml, "apps:\n  - name: a\n    origins:\n");
    for (unsigned i = 0; i <= CONFIG_ORIGINS_MAX; i++)
        size += (size_t)snprintf(yaml + size, sizeof yaml - size, "      - https://a%u.com\n", i);
    expect_error(yaml, CONFIG_ORIGINS_MAX + 4, "at most 64 origins");
}

static void test_config__says_which_listeners_speak_tls(void **state)
{
    (void)state;
    static const enum config_setting listeners[] = {CONFIG_LISTEN, CONFIG_OTLP_HTTP, CONFIG_OTLP_GRPC, CONFIG_ADMIN};
    static const struct {
        const char *yaml;
        bool wanted[4];
    } rows[] = {
        {"", {false}},
        {"tls_listeners: admin\n", {false}}, /* without a certificate nothing does */
        {"tls_certificate: c\ntls_key: k\n", {true, false, false, false}},
        {"tls_certificate: c\ntls_key: k\ntls_listeners: otlp_grpc\n", {false, false, true, false}},
        {"tls_certificate: c\ntls_key: k\ntls_listeners: ' listen,otlp_http , admin,,'\n", {true, true, false, true}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(load(rows[i].yaml));
        for (size_t j = 0; j < 4; j++)
            if (config_is_tls(&config, listeners[j]) != rows[i].wanted[j])
                fail_msg("%s: %zu", rows[i].yaml, j);
        config_release(&config);
    }
}

static void test_config__tls_needs_both_files_and_known_listeners(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *why;
    } rows[] = {
        {"tls_key: k\n", "tls_certificate: is missing"},
        {"tls_certificate: c\n", "tls_key: is missing"},
        {"tls_certificate: c\ntls_key: k\ntls_listeners: listen, grpc\n", "tls_listeners: 'grpc' is none of listen,"},
        {"tls_certificate: c\ntls_key: k\ntls_listeners: Listen\n", "tls_listeners: 'Listen' is none of listen,"},
        {"tls_certificate: c\ntls_key: k\ntls_listeners: ' ,'\n", "tls_listeners: names no listener"},
        {"tls_listeners: listene\n", "'listene' is none of"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (load(rows[i].yaml) || strstr(error, rows[i].why) == NULL)
            fail_msg("%s: '%s'", rows[i].yaml, error);
}

static void test_config__says_where_each_value_is_from(void **state)
{
    (void)state;
    const char *yaml = "data: /file\nlisten: 127.0.0.1:1\n";
    write_file(yaml, strlen(yaml));
    struct config_input input = {.file = path, .environment = listen_environment};
    input.flag[CONFIG_SDK] = "/sdk";
    assert_true(config_load(&config, &input, error, sizeof error));
    unlink(path);
    assert_int_equal(config.origin[CONFIG_DATA], CONFIG_FROM_FILE);
    assert_int_equal(config.origin[CONFIG_LISTEN], CONFIG_FROM_ENVIRONMENT);
    assert_int_equal(config.origin[CONFIG_SDK], CONFIG_FROM_FLAG);
    assert_int_equal(config.origin[CONFIG_OTLP_HTTP], CONFIG_FROM_DEFAULT);
    config_release(&config);
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_config__admin_tokens_are_hashes(void **state)
{
    (void)state;
    assert_true(load("admin_tokens: [\"" HASH "\", \"" HASH "\"]\n"));
    assert_int_equal(config.admin_tokens.count, 2);
    assert_int_equal(config.admin_tokens.hash[1][31], 0xef);
    config_release(&config);
    expect_error("admin_tokens: x\n", 1, "a list of hashes");
    expect_error("admin_tokens:\n  - vta_secret\n", 2, "64 hex digits");
    expect_error("admin_tokens:\n  - [" HASH "]\n", 2, "64 hex digits");
    expect_error("admin_tokens: []\nadmin_tokens: []\n", 2, "given twice");
    char yaml[2048] = "admin_tokens:\n";
    for (unsigned i = 0; i <= AUTH_TOKENS_MAX; i++)
        strcat(yaml, "  - \"" HASH "\"\n");
    expect_error(yaml, AUTH_TOKENS_MAX + 2, "at most 16 admin tokens");
}

static void test_config__admin_jwt_needs_a_key_and_an_audience(void **state)
{
    char yaml[2048];
    (void)state;
    assert_true(load("admin_jwt:\n  key_file: /etc/vitrace/jwt.pem\n  audience: vitrace\n"));
    assert_true(config.admin_jwt.enabled);
    assert_int_equal(config.admin_jwt.algorithm, JWT_RS256);
    assert_string_equal(config.admin_jwt.key_file, "/etc/vitrace/jwt.pem");
    assert_string_equal(config.admin_jwt.issuer, "");
    config_release(&config);
    assert_true(load("admin_jwt: {algorithm: EdDSA, key_file: k, audience: a, issuer: \"https://login.example\"}\n"));
    assert_int_equal(config.admin_jwt.algorithm, JWT_EDDSA);
    assert_string_equal(config.admin_jwt.issuer, "https://login.example");
    config_release(&config);
    assert_true(load("data: x\n"));
    assert_false(config.admin_jwt.enabled);
    config_release(&config);
    expect_error("admin_jwt: x\n", 1, "a block with key_file and audience");
    expect_error("admin_jwt:\n  key_file: k\ndata: x\n", 3, "needs key_file and audience");
    expect_error("admin_jwt:\n  audience: a\n", 3, "needs key_file and audience");
    expect_error("admin_jwt:\n  algorithm: none\n", 2, "one of HS256, RS256, ES256, EdDSA");
    expect_error("admin_jwt:\n  algorithm: rs256\n", 2, "one of HS256");
    expect_error("admin_jwt:\n  algorithm: [HS256, RS256]\n", 2, "an algorithm");
    expect_error("admin_jwt:\n  jwks_url: x\n", 2, "unknown or repeated key 'jwks_url'");
    expect_error("admin_jwt:\n  audience: a\n  audience: b\n", 3, "unknown or repeated key 'audience'");
    expect_error("admin_jwt:\n  audience: \"\"\n", 2, "from 1 to 255 bytes");
    snprintf(yaml, sizeof yaml, "admin_jwt:\n  audience: %0256d\n", 0);
    expect_error(yaml, 2, "from 1 to 255 bytes");
    expect_error("admin_jwt: {key_file: k, audience: a}\nadmin_jwt: {key_file: k, audience: a}\n", 2, "given twice");
}

static void test_config__reads_limits_proxies_hosts_and_keys(void **state)
{
    (void)state;
    assert_true(load("apps:\n  - name: shop\n    keys: [exactly-16-bytes, another-key-of-the-app]\n"
                     "limits:\n  ip_per_second: 7\n  global_burst: 0\ntrusted_proxies: 2\n"
                     "admin_hosts: [rum.internal, rum.example]\n"));
    assert_int_equal(config.app[0].key_count, 2);
    assert_string_equal(config.app[0].keys[1], "another-key-of-the-app");
    assert_int_equal(config.limit[CONFIG_LIMIT_IP_PER_SECOND], 7);
    assert_int_equal(config.limit[CONFIG_LIMIT_GLOBAL_BURST], 0);
    assert_int_equal(config.limit[CONFIG_LIMIT_IP_BURST], 10000); /* what the file leaves out stays at its default */
    assert_int_equal(config.trusted_proxies, 2);
    assert_int_equal(config.admin_host_count, 2);
    assert_string_equal(config.admin_hosts[0], "rum.internal");
    config_release(&config);
    expect_error("limits:\n  ip_per_sec: 7\n", 2, "unknown limit 'ip_per_sec'");
    expect_error("limits:\n  ip_burst: 7\n  ip_burst: 8\n", 3, "given twice");
    expect_error("limits:\n  ip_burst: -1\n", 2, "whole number from 0 to 10000000");
    expect_error("limits:\n  ip_burst: 10000001\n", 2, "whole number");
    expect_error("limits:\n  ip_burst: 99999999999999999999\n", 2, "whole number");
    expect_error("limits:\n  ip_burst: 1k\n", 2, "whole number");
    expect_error("limits:\n  ip_burst: \"\"\n", 2, "whole number");
    expect_error("limits: 5\n", 1, "LIMIT: NUMBER");
    expect_error("trusted_proxies: 17\n", 1, "from 0 to 16");
    expect_error("admin_hosts: rum.internal\n", 1, "a list");
    expect_error("apps:\n  - name: shop\n    keys: [short]\n", 4, "a key is 16 to 64");
}

static void test_config__a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct config_input input = {.file = "/nonexistent/vitrace.yaml", .environment = no_environment};
    assert_false(config_load(&config, &input, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/vitrace.yaml: No such file"));
    input.file = "/";
    assert_false(config_load(&config, &input, error, sizeof error));
}

static void test_config__every_prefix_of_a_file_is_taken_or_refused_without_harm(void **state)
{
    (void)state;
    const char *yaml =
        "data: /var\nlisten: \"127.0.0.1:1\"\napps:\n  - name: shop\n    origins: [\"https://shop.example\"]\n";
    char prefix[256];
    for (size_t i = 0; i <= strlen(yaml); i++) {
        memcpy(prefix, yaml, i);
        prefix[i] = '\0';
        if (load(prefix))
            config_release(&config);
    }
}

static void test_config__a_setting_too_long_for_its_room_is_refused(void **state)
{
    (void)state;
    char text[CONFIG_TEXT_BYTES_MAX + 1];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct config_input input = {.environment = no_environment};
    input.flag[CONFIG_DATA] = text;
    assert_false(config_load(&config, &input, error, sizeof error));
    input.flag[CONFIG_DATA] = text + 1;
    assert_true(config_load(&config, &input, error, sizeof error));
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config__has_defaults_for_everything),
        cmocka_unit_test(test_config__flag_beats_environment_beats_file_beats_default),
        cmocka_unit_test(test_config__reads_apps_with_their_origins),
        cmocka_unit_test(test_config__sizes_and_days_are_numbers_within_bounds),
        cmocka_unit_test(test_config__seconds_may_be_none_and_have_a_bound),
        cmocka_unit_test(test_config__a_file_without_content_sets_nothing),
        cmocka_unit_test(test_config__an_unknown_key_is_named_with_its_line_and_the_known_keys),
        cmocka_unit_test(test_config__wrong_shapes_are_refused_with_their_line),
        cmocka_unit_test(test_config__apps_that_cannot_work_are_refused_with_the_reason),
        cmocka_unit_test(test_config__limits_hold_one_past_each),
        cmocka_unit_test(test_config__says_which_listeners_speak_tls),
        cmocka_unit_test(test_config__tls_needs_both_files_and_known_listeners),
        cmocka_unit_test(test_config__says_where_each_value_is_from),
        cmocka_unit_test(test_config__admin_tokens_are_hashes),
        cmocka_unit_test(test_config__admin_jwt_needs_a_key_and_an_audience),
        cmocka_unit_test(test_config__reads_limits_proxies_hosts_and_keys),
        cmocka_unit_test(test_config__a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(test_config__every_prefix_of_a_file_is_taken_or_refused_without_harm),
        cmocka_unit_test(test_config__a_setting_too_long_for_its_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
