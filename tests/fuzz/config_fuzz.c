/*
 * Arbitrary bytes as the configuration file. What is taken is within every limit that config.h states; what is refused
 * says where and why; both leave nothing behind.
 */
#include "collector/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_BYTES_MAX (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void assert_is_bounded(const struct config *config)
{
    assert(config->app_count <= CONFIG_APPS_MAX && config->admin_host_count <= CONFIG_ADMIN_HOSTS_MAX);
    assert(config->trusted_proxies <= CONFIG_TRUSTED_PROXIES_MAX && config->admin_tokens.count <= AUTH_TOKENS_MAX);
    assert(config_retention_us(config) > 0 && config_log_bytes_max(config) >= CONFIG_LOG_BYTES_LEAST);
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++)
        assert(memchr(config->text[i], '\0', CONFIG_TEXT_BYTES_MAX) != NULL);
    for (unsigned i = 0; i < CONFIG_LIMIT_COUNT; i++)
        assert(config->limit[i] <= config_limit_rows[i].most);
    assert(!config->admin_jwt.enabled || (config->admin_jwt.key_file[0] != '\0' && config->admin_jwt.audience[0] != '\0'));
    for (size_t i = 0; i < config->app_count; i++) {
        const struct ingest_app *app = &config->app[i];
        assert(ingest_app_problem(app) == NULL && app->origin_count <= CONFIG_ORIGINS_MAX);
        assert(app->key_count <= CONFIG_KEYS_MAX);
        for (size_t k = 0; k < i; k++)
            assert(strcmp(config->app[k].name, app->name) != 0);
    }
}

/* "FILE:LINE: what", or of a setting as a whole "KEY: what". */
static void assert_says_why(const char *error, size_t error_size)
{
    size_t size = strnlen(error, error_size);
    assert(size > 0 && size < error_size && strstr(error, ": ") != NULL);
    for (size_t i = 0; i < size; i++)
        assert((unsigned char)error[i] >= 0x20 && error[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config; /* large */
    char path[64], error[512] = "";
    if (size > FUZZ_BYTES_MAX)
        return 0;
    int file = memfd_create("config", MFD_CLOEXEC);
    assert(file >= 0);
    ssize_t written = size == 0 ? 0 : write(file, data, size);
    assert(written == (ssize_t)size);
    (void)written;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (config_load(&config, &(struct config_input){.file = path, .environment = no_environment}, error, sizeof error)) {
        assert_is_bounded(&config);
        config_release(&config);
    } else {
        assert_says_why(error, sizeof error);
    }
    close(file);
    return 0;
}
