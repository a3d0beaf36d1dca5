/* Which folder the SDK files come from. */
#ifndef VITRACE_APP_ASSETS_H
#define VITRACE_APP_ASSETS_H

#include "collector/assets/assets.h"
#include "collector/config.h"

/* A folder that was named must have the files; the default may not have been built yet. false: `error` says what is missing. */
bool app_assets_load(struct assets *assets, const struct config *config, char *error, size_t error_size);

#endif
