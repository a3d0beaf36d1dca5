#include "collector/app_sandbox.h"

#include "collector/base/diag.h"
#include "collector/sandbox/sandbox.h"

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
    char text[APP_SANDBOX_TEXT_BYTES], settings[CONFIG_TEXT_BYTES_MAX], key[CONFIG_TEXT_BYTES_MAX];
    struct sandbox_options options = {.data = config->text[CONFIG_DATA]};
    if (!app_sandbox_is_on(config)) {
        diag(DIAG_WARNING, "sandbox", "off, as configured");
        return true;
    }
    if (config->file != NULL) {
        app_sandbox_folder_of(settings, config->file);
        options.read_only[0] = settings;
    }
    if (config->admin_jwt.enabled) {
        app_sandbox_folder_of(key, config->admin_jwt.key_file);
        options.read_only[1] = key;
    }
    setenv("SQLITE_TMPDIR", options.data, 1); /* a large sort would go to /var/tmp, which is closed now */
    return app_sandbox_report(sandbox_enclose(&options, text, sizeof text), text, error, error_size);
}

bool app_sandbox_seal(const struct config *config, char *error, size_t error_size)
{
    char text[APP_SANDBOX_TEXT_BYTES];
    return !app_sandbox_is_on(config) ||
           app_sandbox_report(sandbox_seal(text, sizeof text), text, error, error_size);
}
