#include "collector/config.h"

#include <stdio.h>
#include <stdlib.h>

#define CONFIG_ROW(id, key, environment, fallback, help) {key, environment, fallback, help},
const struct config_row config_rows[CONFIG_SETTING_COUNT] = {CONFIG_SETTINGS(CONFIG_ROW)};

#define CONFIG_LIMIT_ROW(id, key, fallback, most, help) {key, help, fallback, most},
const struct config_limit_row config_limit_rows[CONFIG_LIMIT_COUNT] = {CONFIG_LIMITS(CONFIG_LIMIT_ROW)};

static bool config_set(struct config *self, unsigned index, const char *text, enum config_origin origin,
                       const char *from, char *error, size_t error_size)
{
    if (text == NULL)
        return true;
    size_t size = strlen(text) + 1;
    if (size > CONFIG_TEXT_BYTES_MAX) {
        snprintf(error, error_size, "%s: '%s' is longer than %u bytes", from, config_rows[index].key,
                 CONFIG_TEXT_BYTES_MAX - 1);
        return false;
    }
    memcpy(self->text[index], text, size);
    self->origin[index] = origin;
    return true;
}

/* Decimal digits and, when `units`, one of K, M, G, T (powers of 1,024). 0 = not a number from 1 to `max`. */
static uint64_t config_number(const char *text, const char *units, uint64_t max)
{
    uint64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15)
        return 0;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    const char *unit = text[digits] == '\0' ? NULL : strchr(units, text[digits]);
    if (text[digits] != '\0' && (unit == NULL || text[digits + 1] != '\0'))
        return 0;
    unsigned shift = unit == NULL ? 0 : 10 * (unsigned)(unit - units + 1);
    return value > max >> shift ? 0 : value << shift;
}

uint64_t config_retention_us(const struct config *self)
{
    return config_number(self->text[CONFIG_RETENTION_DAYS], "", CONFIG_RETENTION_DAYS_MAX) * 24 * 3600 * 1000000;
}

uint64_t config_log_bytes_max(const struct config *self)
{
    return config_number(self->text[CONFIG_LOG_BYTES_MAX], "KMGT", CONFIG_LOG_BYTES_MOST);
}

uint64_t config_memory(const struct config *self)
{
    return config_number(self->text[CONFIG_MEMORY], "KMG", CONFIG_MEMORY_MOST);
}

unsigned config_drain_ms(const struct config *self)
{
    return (unsigned)config_number(self->text[CONFIG_DRAIN_SECONDS], "", CONFIG_DRAIN_SECONDS_MAX) * 1000;
}

unsigned config_lock_wait_ms(const struct config *self)
{
    return (unsigned)config_number(self->text[CONFIG_LOCK_WAIT_SECONDS], "", CONFIG_LOCK_WAIT_SECONDS_MAX) * 1000;
}

/* Seconds from 0 to `max`. */
static bool config_check_seconds(const struct config *self, enum config_setting which, unsigned max, char *error,
                                 size_t error_size)
{
    const char *text = self->text[which];
    if (strcmp(text, "0") == 0 || config_number(text, "", max) != 0)
        return true;
    snprintf(error, error_size, "%s: '%.64s' is not a number from 0 to %u", config_rows[which].key, text, max);
    return false;
}

static const enum config_setting config_listeners[] = {CONFIG_LISTEN, CONFIG_OTLP_HTTP, CONFIG_OTLP_GRPC, CONFIG_ADMIN};

#define CONFIG_LISTENERS (sizeof config_listeners / sizeof config_listeners[0])

/* The next name of a list with commas and blanks between; empty at its end. */
static struct slice config_next_name(const char **at)
{
    *at += strspn(*at, ", ");
    struct slice name = slice_of(*at, strcspn(*at, ", "));
    *at += name.size;
    return name;
}

bool config_has_tls(const struct config *self)
{
    return self->text[CONFIG_TLS_CERTIFICATE][0] != '\0';
}

bool config_is_tls(const struct config *self, enum config_setting listener)
{
    const char *at = self->text[CONFIG_TLS_LISTENERS];
    if (!config_has_tls(self))
        return false;
    for (struct slice name = config_next_name(&at); name.size > 0; name = config_next_name(&at))
        if (slice_equal(name, slice_text(config_rows[listener].key)))
            return true;
    return false;
}

static bool config_names_listener(struct slice name)
{
    for (size_t i = 0; i < CONFIG_LISTENERS; i++)
        if (slice_equal(name, slice_text(config_rows[config_listeners[i]].key)))
            return true;
    return false;
}

static bool config_check_tls(const struct config *self, char *error, size_t error_size)
{
    const char *at = self->text[CONFIG_TLS_LISTENERS];
    bool has_key = self->text[CONFIG_TLS_KEY][0] != '\0', any = false;
    if (config_has_tls(self) != has_key) {
        snprintf(error, error_size, "%s: is missing: tls_certificate and tls_key come together",
                 has_key ? "tls_certificate" : "tls_key");
        return false;
    }
    for (struct slice name = config_next_name(&at); name.size > 0; name = config_next_name(&at), any = true) {
        if (config_names_listener(name))
            continue;
        snprintf(error, error_size, "tls_listeners: '%.*s' is none of listen, otlp_http, otlp_grpc, admin",
                 (int)(name.size > 64 ? 64 : name.size), (const char *)name.data);
        return false;
    }
    if (!any)
        snprintf(error, error_size, "tls_listeners: names no listener; leave tls_certificate out for none");
    return any;
}

static bool config_check(const struct config *self, char *error, size_t error_size)
{
    if (config_retention_us(self) == 0) {
        snprintf(error, error_size, "retention_days: '%.64s' is not a number from 1 to %u",
                 self->text[CONFIG_RETENTION_DAYS], CONFIG_RETENTION_DAYS_MAX);
        return false;
    }
    if (config_log_bytes_max(self) < CONFIG_LOG_BYTES_LEAST) {
        snprintf(error, error_size, "log_bytes_max: '%.64s' is not a number of bytes from 256M to 4T, such as 20G",
                 self->text[CONFIG_LOG_BYTES_MAX]);
        return false;
    }
    if (config_memory(self) < CONFIG_MEMORY_LEAST) {
        snprintf(error, error_size, "memory: '%.64s' is not a number of bytes from 64M to 64G, such as 96M",
                 self->text[CONFIG_MEMORY]);
        return false;
    }
    return config_check_seconds(self, CONFIG_DRAIN_SECONDS, CONFIG_DRAIN_SECONDS_MAX, error, error_size) &&
           config_check_seconds(self, CONFIG_LOCK_WAIT_SECONDS, CONFIG_LOCK_WAIT_SECONDS_MAX, error, error_size) &&
           config_check_tls(self, error, error_size);
}

/* What the file says is quoted in errors, and an error is one line, also on a terminal. */
static void config_flatten(char *error)
{
    for (; *error != '\0'; error++)
        if ((unsigned char)*error < ' ' || *error == 0x7f)
            *error = '?';
}

/* Lowest first, each later source overwriting. */
bool config_load(struct config *self, const struct config_input *input, char *error, size_t error_size)
{
    memset(self, 0, sizeof *self);
    bool good = true;
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++)
        memcpy(self->text[i], config_rows[i].fallback, strlen(config_rows[i].fallback) + 1);
    for (unsigned i = 0; i < CONFIG_LIMIT_COUNT; i++)
        self->limit[i] = config_limit_rows[i].fallback;
    self->file = input->file;
    if (input->file != NULL)
        good = config_file_read(self, input->file, error, error_size);
    for (unsigned i = 0; good && i < CONFIG_SETTING_COUNT; i++)
        good = config_set(self, i, input->environment(config_rows[i].environment), CONFIG_FROM_ENVIRONMENT,
                          config_rows[i].environment, error, error_size) &&
               config_set(self, i, input->flag[i], CONFIG_FROM_FLAG, "command line", error, error_size);
    good = good && config_check(self, error, error_size);
    if (!good) {
        config_flatten(error);
        config_release(self);
    }
    return good;
}

static void config_release_texts(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)texts[i]);
    free((void *)(uintptr_t)texts);
}

void config_release(struct config *self)
{
    for (size_t i = 0; i < self->app_count; i++) {
        config_release_texts(self->app[i].origins, self->app[i].origin_count);
        config_release_texts(self->app[i].keys, self->app[i].key_count);
        free((void *)(uintptr_t)self->app[i].name);
    }
    config_release_texts(self->admin_hosts, self->admin_host_count);
    self->admin_hosts = NULL;
    self->admin_host_count = 0;
    memset(self->app, 0, sizeof self->app);
    self->app_count = 0;
}
