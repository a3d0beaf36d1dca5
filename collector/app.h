/*
 * The composition root: the only file that knows all stages. It creates them in the order of their needs, binds the
 * append sinks to the log, and takes them down in reverse, so that whoever is fed outlives whoever feeds.
 */
#ifndef VITRACE_APP_H
#define VITRACE_APP_H

#include "collector/config.h"

struct app;

/* Everything runs when this returns. NULL: `error` says what failed; nothing is left running. */
struct app *app_start(const struct config *config, char *error, size_t error_size);
/*
 * Applies apps, limits and admin tokens of `fresh` to the requests that come from now on. What only a restart can apply
 * is told, and set back in `fresh` to what runs (`current`). false: `error` says why, and nothing has changed.
 */
bool app_reload(struct app *self, const struct config *current, struct config *fresh, char *error, size_t error_size);
/* Drains: stops accepting, answers what is under way, commits, closes. */
void app_stop(struct app *self);

/* Could it start? Looks at folders and addresses without changing anything. */
bool app_check(const struct config *config, char *error, size_t error_size);

#endif
