#include "collector/config.h"

#include <stdio.h>
#include <stdlib.h>

#define CONFIG_ROW(id, key, environment, fallback, help) {key, environment, fallback, help},
const struct config_row config_rows[CONFIG_SETTING_COUNT] = {CONFIG_SETTINGS(CONFIG_ROW)};

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

/* Lowest first, each later source overwriting. */
bool config_load(struct config *self, const struct config_input *input, char *error, size_t error_size)
{
    memset(self, 0, sizeof *self);
    bool good = true;
    for (unsigned i = 0; i < CONFIG_SETTING_COUNT; i++)
        memcpy(self->text[i], config_rows[i].fallback, strlen(config_rows[i].fallback) + 1);
    if (input->file != NULL)
        good = config_file_read(self, input->file, error, error_size);
    for (unsigned i = 0; good && i < CONFIG_SETTING_COUNT; i++)
        good = config_set(self, i, input->environment(config_rows[i].environment), CONFIG_FROM_ENVIRONMENT,
                          config_rows[i].environment, error, error_size) &&
               config_set(self, i, input->flag[i], CONFIG_FROM_FLAG, "command line", error, error_size);
    if (!good)
        config_release(self);
    return good;
}

void config_release(struct config *self)
{
    for (size_t i = 0; i < self->app_count; i++) {
        for (size_t j = 0; j < self->app[i].origin_count; j++)
            free((void *)(uintptr_t)self->app[i].origins[j]);
        free((void *)(uintptr_t)self->app[i].origins);
        free((void *)(uintptr_t)self->app[i].name);
    }
    memset(self->app, 0, sizeof self->app);
    self->app_count = 0;
}
