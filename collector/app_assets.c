#include "collector/app_assets.h"

#include "collector/base/diag.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APP_ASSETS_PATH_BYTES (CONFIG_TEXT_BYTES_MAX + 64u)

static bool app_assets_folder_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* As installed beside the binary (PREFIX/bin/vitrace, PREFIX/share/vitrace/sdk), or as built from this tree. */
static void app_assets_find(char out[APP_ASSETS_PATH_BYTES])
{
    char self[CONFIG_TEXT_BYTES_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    snprintf(out, APP_ASSETS_PATH_BYTES, "%s/../share/vitrace/sdk", self);
    if (!app_assets_folder_exists(out))
        snprintf(out, APP_ASSETS_PATH_BYTES, "%s", VITRACE_SDK_BUILD_DIR);
}

bool app_assets_load(struct assets *assets, const struct config *config, char *error, size_t error_size)
{
    char folder[APP_ASSETS_PATH_BYTES];
    bool named = config->text[CONFIG_SDK][0] != '\0';
    if (named)
        snprintf(folder, sizeof folder, "%s", config->text[CONFIG_SDK]);
    else
        app_assets_find(folder);
    if (!assets_load(assets, folder, error, error_size))
        return false;
    if (assets->found == 0 && named) {
        snprintf(error, error_size, "%s: has none of the SDK files (vitrace.js, ...)", folder);
        assets_release(assets);
        return false;
    }
    if (assets->found < ASSETS_COUNT)
        diag(DIAG_WARNING, "sdk_missing", "%s has %u of %u SDK files; the others are answered 404", folder,
             assets->found, ASSETS_COUNT);
    return true;
}
