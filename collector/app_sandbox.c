#include "collector/app_sandbox.h"

#include "collector/base/diag.h"
#include "collector/sandbox/sandbox.h"
#include "collector/stream/stream.h"

#include <stdio.h>
#include <stdlib.h>

#define APP_SANDBOX_TEXT_BYTES (CONFIG_TEXT_BYTES_MAX + 128u)

static bool app_sandbox_is_on(const struct config *config)
{
    return strcmp(config->text[CONFIG_SANDBOX], "on") == 0;
}

/* The folder, not the file: editors replace a file, and a reload reads the new one. */
static void app_sandbox_folder_of(char out[CONFIG_TEXT_BYTES_MAX], const char *path)
{
    snprintf(out, CONFIG_TEXT_BYTES_MAX, "%s", path);
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        snprintf(out, CONFIG_TEXT_BYTES_MAX, ".");
    else
        slash[slash == out] = '\0';
}

struct app_sandbox_folders {
    char certificate[CONFIG_TEXT_BYTES_MAX], certificate_link[CONFIG_TEXT_BYTES_MAX];
    char key[CONFIG_TEXT_BYTES_MAX], key_link[CONFIG_TEXT_BYTES_MAX];
    char jwt[CONFIG_TEXT_BYTES_MAX], jwt_link[CONFIG_TEXT_BYTES_MAX];
    char socket[SANDBOX_SOCKETS_MAX][CONFIG_TEXT_BYTES_MAX];
};

/* Renewal tools put links into one folder and the files into another. */
static void app_sandbox_add_file(struct sandbox_options *options, size_t *count, const char *path,
                                 char folder[CONFIG_TEXT_BYTES_MAX], char link[CONFIG_TEXT_BYTES_MAX])
{
    char *real = realpath(path, NULL); /* NULL: reading it will say why */
    app_sandbox_folder_of(folder, path);
    options->read_only[(*count)++] = folder;
    if (real != NULL) {
        app_sandbox_folder_of(link, real);
        options->read_only[(*count)++] = link;
    }
    free(real);
}

static void app_sandbox_add_sockets(struct sandbox_options *options, const struct config *config,
                                    struct app_sandbox_folders *folders)
{
    static const enum config_setting listeners[] = {CONFIG_LISTEN, CONFIG_OTLP_HTTP, CONFIG_OTLP_GRPC, CONFIG_ADMIN};
    for (size_t i = 0, count = 0; i < sizeof listeners / sizeof listeners[0]; i++) {
        const char *listen = config->text[listeners[i]];
        if (!stream_address_is_local(listen))
            continue;
        app_sandbox_folder_of(folders->socket[i], strchr(listen, ':') + 1);
        options->sockets[count++] = folders->socket[i];
    }
}

static bool app_sandbox_report(enum sandbox_result result, const char *text, char *error, size_t error_size)
{
    if (result == SANDBOX_FAILED)
        snprintf(error, error_size, "sandbox: %s ('sandbox: off' starts without it)", text);
    else
        diag(result == SANDBOX_ON ? DIAG_INFO : DIAG_WARNING, "sandbox", "%s", text);
    return result != SANDBOX_FAILED;
}

bool app_sandbox_begin(const struct config *config, char *error, size_t error_size)
{
    if (!app_sandbox_is_on(config) && strcmp(config->text[CONFIG_SANDBOX], "off") != 0) {
        snprintf(error, error_size, "sandbox: '%.64s' is neither on nor off", config->text[CONFIG_SANDBOX]);
        return false;
    }
    return config->text[CONFIG_USER][0] == '\0' ||
           sandbox_drop_user(config->text[CONFIG_USER], config->text[CONFIG_DATA], error, error_size);
}

bool app_sandbox_enclose(const struct config *config, char *error, size_t error_size)
{
    char text[APP_SANDBOX_TEXT_BYTES], settings[CONFIG_TEXT_BYTES_MAX];
    struct sandbox_options options = {.data = config->text[CONFIG_DATA]};
    struct app_sandbox_folders folders;
    size_t count = 0; /* at most seven of SANDBOX_PATHS_MAX */
    if (!app_sandbox_is_on(config)) {
        diag(DIAG_WARNING, "sandbox", "off, as configured");
        return true;
    }
    if (config->file != NULL) {
        app_sandbox_folder_of(settings, config->file);
        options.read_only[count++] = settings;
    }
    if (config->admin_jwt.enabled)
        app_sandbox_add_file(&options, &count, config->admin_jwt.key_file, folders.jwt, folders.jwt_link);
    if (config_has_tls(config)) {
        app_sandbox_add_file(&options, &count, config->text[CONFIG_TLS_CERTIFICATE], folders.certificate,
                             folders.certificate_link);
        app_sandbox_add_file(&options, &count, config->text[CONFIG_TLS_KEY], folders.key, folders.key_link);
    }
    app_sandbox_add_sockets(&options, config, &folders);
    setenv("SQLITE_TMPDIR", options.data, 1); /* a large sort would go to /var/tmp, which is closed now */
    return app_sandbox_report(sandbox_enclose(&options, text, sizeof text), text, error, error_size);
}

bool app_sandbox_seal(const struct config *config, char *error, size_t error_size)
{
    char text[APP_SANDBOX_TEXT_BYTES];
    return !app_sandbox_is_on(config) ||
           app_sandbox_report(sandbox_seal(text, sizeof text), text, error, error_size);
}
