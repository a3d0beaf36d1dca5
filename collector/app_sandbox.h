/* The sandbox's three steps as the settings ask for them; app.c says when. */
#ifndef VITRACE_APP_SANDBOX_H
#define VITRACE_APP_SANDBOX_H

#include "collector/config.h"

/* Before the first file: `user`, and what `sandbox` says. */
bool app_sandbox_begin(const struct config *config, char *error, size_t error_size);
/* The data folder exists, the SDK files are in memory, and no thread has been started. */
bool app_sandbox_enclose(const struct config *config, char *error, size_t error_size);
/* Every listener is open. */
bool app_sandbox_seal(const struct config *config, char *error, size_t error_size);

#endif
