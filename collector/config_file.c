/* The YAML file, read event by event against the one shape that config.h shows. Anchors, tags and aliases are refused.
 */
#include "collector/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

struct config_reader {
    struct config *config;
    const char *path;
    char *error;
    size_t error_size;
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    unsigned seen; /* bits of the top keys met: a second one would silently win */
};

static bool config_fail(struct config_reader *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool config_fail(struct config_reader *self, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(self->error, self->error_size, "%s:%zu: %s", self->path, self->event.start_mark.line + 1, what);
    return false;
}

static bool config_starved(struct config_reader *self)
{
    snprintf(self->error, self->error_size, "%s: out of memory", self->path);
    return false;
}

static bool config_next(struct config_reader *self)
{
    if (self->has_event)
        yaml_event_delete(&self->event);
    self->has_event = yaml_parser_parse(&self->parser, &self->event) != 0;
    if (!self->has_event) {
        if (self->parser.error == YAML_MEMORY_ERROR)
            return config_starved(self);
        snprintf(self->error, self->error_size, "%s:%zu: not YAML: %s", self->path, self->parser.problem_mark.line + 1,
                 self->parser.problem == NULL ? "cannot be read" : self->parser.problem);
        return false;
    }
    if (self->event.type == YAML_ALIAS_EVENT)
        return config_fail(self, "aliases are not supported");
    return true;
}

static bool config_expect(struct config_reader *self, yaml_event_type_t type, const char *what)
{
    return config_next(self) && (self->event.type == type || config_fail(self, "%s is expected here", what));
}

static const char *config_scalar(const struct config_reader *self)
{
    return (const char *)self->event.data.scalar.value;
}

/* A scalar without NUL bytes, at most CONFIG_TEXT_BYTES_MAX - 1 long. */
static bool config_next_text(struct config_reader *self, const char *what)
{
    if (!config_expect(self, YAML_SCALAR_EVENT, what))
        return false;
    size_t size = self->event.data.scalar.length;
    if (size >= CONFIG_TEXT_BYTES_MAX || size != strlen(config_scalar(self)))
        return config_fail(self, "%s is too long, or holds a NUL", what);
    return true;
}

struct config_texts {
    const char *what;
    const char *const **list; /* out, owned by the config; filled as it is read */
    size_t *count;
    size_t most;
};

static bool config_read_texts(struct config_reader *self, struct config_texts out)
{
    char what[64];
    snprintf(what, sizeof what, "a list of %s", out.what);
    if (!config_expect(self, YAML_SEQUENCE_START_EVENT, what))
        return false;
    char **texts = calloc(out.most, sizeof *texts);
    if (texts == NULL)
        return config_fail(self, "out of memory");
    *out.list = (const char *const *)texts;
    while (config_next(self)) {
        if (self->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        if (self->event.type != YAML_SCALAR_EVENT)
            return config_fail(self, "%s is expected here", what);
        if (*out.count == out.most)
            return config_fail(self, "there are at most %zu %s", out.most, out.what);
        texts[*out.count] = strdup(config_scalar(self));
        if (texts[(*out.count)++] == NULL)
            return config_fail(self, "out of memory");
    }
    return false;
}

static bool config_next_number(struct config_reader *self, const char *key, uint32_t most, uint32_t *out)
{
    if (!config_next_text(self, key))
        return false;
    const char *text = config_scalar(self);
    size_t size = strlen(text);
    unsigned long value = size > 0 && size <= 9 ? strtoul(text, NULL, 10) : most + 1ul;
    if (strspn(text, "0123456789") != size || value > most)
        return config_fail(self, "'%s' is a whole number from 0 to %u", key, most);
    *out = (uint32_t)value;
    return true;
}

static bool config_read_app_key(struct config_reader *self, struct ingest_app *app)
{
    if (strcmp(config_scalar(self), "name") == 0 && app->name == NULL) {
        if (!config_next_text(self, "the app's name"))
            return false;
        app->name = strdup(config_scalar(self));
        return app->name != NULL || config_fail(self, "out of memory");
    }
    if (strcmp(config_scalar(self), "origins") == 0 && app->origins == NULL)
        return config_read_texts(
            self, (struct config_texts){"origins", &app->origins, &app->origin_count, CONFIG_ORIGINS_MAX});
    if (strcmp(config_scalar(self), "keys") == 0 && app->keys == NULL)
        return config_read_texts(self, (struct config_texts){"keys", &app->keys, &app->key_count, CONFIG_KEYS_MAX});
    return config_fail(self, "unknown or repeated key '%.64s' of an app; known: name, origins, keys",
                       config_scalar(self));
}

static bool config_check_app(struct config_reader *self, const struct ingest_app *app)
{
    const char *problem = ingest_app_problem(app);
    if (problem != NULL)
        return config_fail(self, "app '%.64s': %s", app->name == NULL ? "" : app->name, problem);
    for (size_t i = 0; i + 1 < self->config->app_count; i++)
        if (strcmp(self->config->app[i].name, app->name) == 0)
            return config_fail(self, "app '%s' is configured twice", app->name);
    return true;
}

static bool config_read_app(struct config_reader *self)
{
    if (self->event.type != YAML_MAPPING_START_EVENT)
        return config_fail(self, "an app with name and origins is expected here");
    if (self->config->app_count == CONFIG_APPS_MAX)
        return config_fail(self, "there are at most %u apps", CONFIG_APPS_MAX);
    struct ingest_app *app = &self->config->app[self->config->app_count++];
    while (config_next(self)) {
        if (self->event.type == YAML_MAPPING_END_EVENT)
            return config_check_app(self, app);
        if (self->event.type != YAML_SCALAR_EVENT)
            return config_fail(self, "a key is expected here");
        if (!config_read_app_key(self, app))
            return false;
    }
    return false;
}

static bool config_read_apps(struct config_reader *self)
{
    if (!config_expect(self, YAML_SEQUENCE_START_EVENT, "a list of apps"))
        return false;
    while (config_next(self)) {
        if (self->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        if (!config_read_app(self))
            return false;
    }
    return false;
}

static bool config_read_admin_tokens(struct config_reader *self)
{
    struct auth_hashes *tokens = &self->config->admin_tokens;
    if (!config_expect(self, YAML_SEQUENCE_START_EVENT, "a list of hashes"))
        return false;
    while (config_next(self)) {
        if (self->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        if (tokens->count == AUTH_TOKENS_MAX)
            return config_fail(self, "there are at most %u admin tokens", AUTH_TOKENS_MAX);
        if (self->event.type != YAML_SCALAR_EVENT ||
            !auth_hash_parse(slice_of(self->event.data.scalar.value, self->event.data.scalar.length),
                             tokens->hash[tokens->count]))
            return config_fail(self, "the SHA-256 of a token, 64 hex digits, is expected here (vitrace token new)");
        tokens->count++;
    }
    return false;
}

static bool config_read_limit(struct config_reader *self, unsigned *seen)
{
    for (unsigned i = 0; i < CONFIG_LIMIT_COUNT; i++) {
        if (strcmp(config_limit_rows[i].key, config_scalar(self)) != 0)
            continue;
        if (*seen & 1u << i)
            return config_fail(self, "limit '%s' is given twice", config_scalar(self));
        *seen |= 1u << i;
        return config_next_number(self, config_limit_rows[i].key, config_limit_rows[i].most, &self->config->limit[i]);
    }
    return config_fail(self, "unknown limit '%.64s'; the known ones are listed in config.h", config_scalar(self));
}

static bool config_read_limits(struct config_reader *self)
{
    unsigned seen = 0;
    if (!config_expect(self, YAML_MAPPING_START_EVENT, "'LIMIT: NUMBER'"))
        return false;
    while (config_next(self)) {
        if (self->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (self->event.type != YAML_SCALAR_EVENT)
            return config_fail(self, "the name of a limit is expected here");
        if (!config_read_limit(self, &seen))
            return false;
    }
    return false;
}

static bool config_read_proxies(struct config_reader *self)
{
    return config_next_number(self, "trusted_proxies", CONFIG_TRUSTED_PROXIES_MAX, &self->config->trusted_proxies);
}

static bool config_read_admin_hosts(struct config_reader *self)
{
    return config_read_texts(self, (struct config_texts){"host names", &self->config->admin_hosts,
                                                         &self->config->admin_host_count, CONFIG_ADMIN_HOSTS_MAX});
}

static bool config_next_short(struct config_reader *self, const char *what, size_t room, char *out)
{
    if (!config_next_text(self, what))
        return false;
    size_t size = strlen(config_scalar(self));
    if (size == 0 || size >= room)
        return config_fail(self, "%s has from 1 to %zu bytes", what, room - 1);
    memcpy(out, config_scalar(self), size + 1);
    return true;
}

static bool config_read_jwt_algorithm(struct config_reader *self, struct jwt_options *jwt)
{
    if (!config_next_text(self, "an algorithm"))
        return false;
    return jwt_algorithm_find(config_scalar(self), &jwt->algorithm) ||
           config_fail(self, "algorithm is one of HS256, RS256, ES256, EdDSA");
}

static bool config_read_jwt_key(struct config_reader *self, struct jwt_options *jwt, unsigned *seen)
{
    static const char *const keys[] = {"algorithm", "key_file", "audience", "issuer"};
    unsigned i = 0;
    while (i < 4 && strcmp(keys[i], config_scalar(self)) != 0)
        i++;
    if (i == 4 || (*seen & 1u << i) != 0)
        return config_fail(self, "unknown or repeated key '%.64s' of admin_jwt; known: algorithm, key_file, audience, issuer",
                           config_scalar(self));
    *seen |= 1u << i;
    if (i == 0)
        return config_read_jwt_algorithm(self, jwt);
    if (i == 1)
        return config_next_short(self, "key_file", sizeof jwt->key_file, jwt->key_file);
    return i == 2 ? config_next_short(self, "audience", sizeof jwt->audience, jwt->audience)
                  : config_next_short(self, "issuer", sizeof jwt->issuer, jwt->issuer);
}

static bool config_read_admin_jwt(struct config_reader *self)
{
    struct jwt_options *jwt = &self->config->admin_jwt;
    unsigned seen = 0;
    *jwt = (struct jwt_options){.enabled = true, .algorithm = JWT_RS256};
    if (!config_expect(self, YAML_MAPPING_START_EVENT, "a block with key_file and audience"))
        return false;
    while (config_next(self)) {
        if (self->event.type == YAML_MAPPING_END_EVENT)
            return (jwt->key_file[0] != '\0' && jwt->audience[0] != '\0') ||
                   config_fail(self, "admin_jwt needs key_file and audience: a provider signs tokens for all its applications");
        if (self->event.type != YAML_SCALAR_EVENT)
            return config_fail(self, "a key is expected here");
        if (!config_read_jwt_key(self, jwt, &seen))
            return false;
    }
    return false;
}

/* Top keys that are more than one text; they come from the file only. */
static const struct {
    const char *key;
    bool (*read)(struct config_reader *self);
} config_lists[] = {{"apps", config_read_apps},
                    {"limits", config_read_limits},
                    {"trusted_proxies", config_read_proxies},
                    {"admin_hosts", config_read_admin_hosts},
                    {"admin_tokens", config_read_admin_tokens},
                    {"admin_jwt", config_read_admin_jwt}};

#define CONFIG_KEYS (CONFIG_SETTING_COUNT + sizeof config_lists / sizeof config_lists[0])

static const char *config_key(unsigned index)
{
    return index < CONFIG_SETTING_COUNT ? config_rows[index].key : config_lists[index - CONFIG_SETTING_COUNT].key;
}

/* The index of a top key: the settings first, then the lists. CONFIG_KEYS = unknown. */
static unsigned config_find_key(const char *key)
{
    unsigned i = 0;
    while (i < CONFIG_KEYS && strcmp(config_key(i), key) != 0)
        i++;
    return i;
}

static bool config_fail_unknown(struct config_reader *self)
{
    char known[384] = "";
    for (unsigned i = 0; i < CONFIG_KEYS; i++) {
        strncat(known, i == 0 ? "" : ", ", sizeof known - strlen(known) - 1);
        strncat(known, config_key(i), sizeof known - strlen(known) - 1);
    }
    return config_fail(self, "unknown key '%.64s'; known: %s", config_scalar(self), known);
}

static bool config_read_key(struct config_reader *self)
{
    unsigned index = config_find_key(config_scalar(self));
    if (index == CONFIG_KEYS)
        return config_fail_unknown(self);
    if (self->seen & 1u << index)
        return config_fail(self, "key '%s' is given twice", config_scalar(self));
    self->seen |= 1u << index;
    if (index >= CONFIG_SETTING_COUNT)
        return config_lists[index - CONFIG_SETTING_COUNT].read(self);
    if (!config_next_text(self, config_rows[index].key))
        return false;
    memcpy(self->config->text[index], config_scalar(self), strlen(config_scalar(self)) + 1);
    self->config->origin[index] = CONFIG_FROM_FILE;
    return true;
}

static bool config_read_top(struct config_reader *self)
{
    while (config_next(self)) {
        if (self->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (self->event.type != YAML_SCALAR_EVENT)
            return config_fail(self, "a key is expected here");
        if (!config_read_key(self))
            return false;
    }
    return false;
}

/* A file of comments only has no document, and is a configuration that sets nothing. */
static bool config_read_stream(struct config_reader *self)
{
    if (!config_expect(self, YAML_STREAM_START_EVENT, "YAML") || !config_next(self))
        return false;
    if (self->event.type == YAML_STREAM_END_EVENT)
        return true;
    return config_expect(self, YAML_MAPPING_START_EVENT, "a key, e.g. 'listen: 127.0.0.1:4319',") &&
           config_read_top(self) && config_expect(self, YAML_DOCUMENT_END_EVENT, "the end") &&
           config_expect(self, YAML_STREAM_END_EVENT, "the end");
}

/* The whole file, so that its size is bounded before YAML is looked at. */
static bool config_slurp(const char *path, struct buf *out, char *error, size_t error_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
        return false;
    }
    uint8_t *room;
    size_t got = 1;
    while (got > 0 && (room = buf_reserve(out, 4096)) != NULL) {
        got = fread(room, 1, 4096, file);
        out->size += got;
    }
    bool good = !ferror(file) && !out->failed;
    fclose(file);
    if (!good)
        snprintf(error, error_size, "%s: cannot be read, or is over %u bytes%s", path, CONFIG_FILE_BYTES_MAX,
                 out->starved ? ": out of memory" : "");
    return good;
}

bool config_file_read(struct config *self, const char *path, char *error, size_t error_size)
{
    struct config_reader reader = {.config = self, .path = path, .error = error, .error_size = error_size};
    struct buf text;
    buf_init(&text, CONFIG_FILE_BYTES_MAX);
    bool good = config_slurp(path, &text, error, error_size);
    if (good && yaml_parser_initialize(&reader.parser) == 0) {
        snprintf(error, error_size, "%s: out of memory", path);
        good = false;
    } else if (good) {
        yaml_parser_set_input_string(&reader.parser, text.data, text.size);
        good = config_read_stream(&reader);
        if (reader.has_event)
            yaml_event_delete(&reader.event);
        yaml_parser_delete(&reader.parser);
    }
    buf_release(&text);
    return good;
}
