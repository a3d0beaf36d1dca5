#include "collector/ingest/ingest_apps.h"

#include "collector/ingest/ingest_origin.h"

#include <stdlib.h>

#define INGEST_APP_NAME_BYTES_MAX 64u

static bool ingest_apps_name_is_valid(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= INGEST_APP_NAME_BYTES_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == size && name[0] != '_' && name[0] != '-';
}

const char *ingest_app_problem(const struct ingest_app *app)
{
    if (app->name == NULL || !ingest_apps_name_is_valid(app->name))
        return "an app's name is 1 to 64 of a-z, 0-9, '-', '_', and begins with a letter or digit";
    for (size_t i = 0; i < app->origin_count; i++)
        if (!ingest_origin_rule_is_valid(slice_text(app->origins[i])))
            return "an origin is SCHEME://HOST[:PORT] in lowercase, without a path; HOST may begin with '*.'";
    return NULL;
}

static bool ingest_apps_copy(struct ingest_app *to, const struct ingest_app *from)
{
    char **origins = calloc(from->origin_count + 1, sizeof *origins);
    to->name = strdup(from->name);
    to->origins = (const char *const *)origins;
    if (to->name == NULL || origins == NULL)
        return false;
    for (; to->origin_count < from->origin_count; to->origin_count++) {
        origins[to->origin_count] = strdup(from->origins[to->origin_count]);
        if (origins[to->origin_count] == NULL)
            return false;
    }
    return true;
}

bool ingest_apps_init(struct ingest_apps *self, const struct ingest_app *apps, size_t count)
{
    *self = (struct ingest_apps){.app = calloc(count + 1, sizeof *self->app)};
    if (self->app == NULL)
        return false;
    for (; self->count < count; self->count++)
        if (!ingest_apps_copy(&self->app[self->count], &apps[self->count])) {
            self->count++;
            ingest_apps_release(self);
            return false;
        }
    return true;
}

void ingest_apps_release(struct ingest_apps *self)
{
    for (size_t i = 0; i < self->count; i++) {
        for (size_t j = 0; j < self->app[i].origin_count; j++)
            free((void *)(uintptr_t)self->app[i].origins[j]);
        free((void *)(uintptr_t)self->app[i].origins);
        free((void *)(uintptr_t)self->app[i].name);
    }
    free(self->app);
    *self = (struct ingest_apps){0};
}

static bool ingest_apps_let_in(const struct ingest_app *app, struct slice origin)
{
    for (size_t i = 0; i < app->origin_count; i++)
        if (ingest_origin_matches(slice_text(app->origins[i]), origin))
            return true;
    return app->origin_count == 0;
}

enum ingest_apps_answer ingest_apps_check(const struct ingest_apps *self, struct slice app, struct slice origin)
{
    for (size_t i = 0; i < self->count; i++)
        if (slice_equal(slice_text(self->app[i].name), app))
            return ingest_apps_let_in(&self->app[i], origin) ? INGEST_APPS_ALLOWED : INGEST_APPS_ORIGIN;
    return self->count == 0 ? INGEST_APPS_ALLOWED : INGEST_APPS_UNKNOWN_APP;
}

bool ingest_apps_know_origin(const struct ingest_apps *self, struct slice origin)
{
    for (size_t i = 0; i < self->count; i++)
        if (ingest_apps_let_in(&self->app[i], origin))
            return true;
    return self->count == 0;
}
