#include "collector/ingest/ingest_apps.h"

#include "collector/ingest/ingest_origin.h"

#include <stdlib.h>

#define INGEST_APP_NAME_BYTES_MAX 64u

/* Goes into URLs and YAML as it is; 16 characters of 64 are beyond guessing over a network. */
static bool ingest_apps_key_is_valid(const char *key)
{
    size_t size = strlen(key);
    return size >= INGEST_KEY_BYTES_MIN && size <= INGEST_KEY_BYTES_MAX &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

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
    for (size_t i = 0; i < app->key_count; i++)
        if (!ingest_apps_key_is_valid(app->keys[i]))
            return "a key is 16 to 64 of A-Z, a-z, 0-9, '-', '_'";
    return NULL;
}

/* `*count` is how far it came, so that what was copied can be released. */
static const char *const *ingest_apps_copy_texts(const char *const *from, size_t size, size_t *count)
{
    char **to = calloc(size + 1, sizeof *to);
    for (; to != NULL && *count < size; ++*count) {
        to[*count] = strdup(from[*count]);
        if (to[*count] == NULL)
            break;
    }
    return (const char *const *)to;
}

static void ingest_apps_release_texts(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)texts[i]);
    free((void *)(uintptr_t)texts);
}

static bool ingest_apps_copy(struct ingest_app *to, const struct ingest_app *from)
{
    to->name = strdup(from->name);
    to->origins = ingest_apps_copy_texts(from->origins, from->origin_count, &to->origin_count);
    to->keys = ingest_apps_copy_texts(from->keys, from->key_count, &to->key_count);
    return to->name != NULL && to->origins != NULL && to->keys != NULL && to->origin_count == from->origin_count &&
           to->key_count == from->key_count;
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
        ingest_apps_release_texts(self->app[i].origins, self->app[i].origin_count);
        ingest_apps_release_texts(self->app[i].keys, self->app[i].key_count);
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

/* Takes as long for a key that differs in its first byte as for one that differs in its last. */
static bool ingest_apps_key_equals(struct slice have, struct slice want)
{
    unsigned difference = 0;
    if (have.size != want.size)
        return false;
    for (size_t i = 0; i < want.size; i++)
        difference |= (unsigned)(have.data[i] ^ want.data[i]);
    return difference == 0;
}

/* All keys are compared, whichever fits. */
static bool ingest_apps_know_key(const struct ingest_app *app, struct slice key)
{
    bool known = app->key_count == 0;
    for (size_t i = 0; i < app->key_count; i++)
        known |= ingest_apps_key_equals(key, slice_text(app->keys[i]));
    return known;
}

enum ingest_apps_answer ingest_apps_check(const struct ingest_apps *self, const struct ingest_claim *claim,
                                          size_t *index)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct ingest_app *app = &self->app[i];
        if (!slice_equal(slice_text(app->name), claim->app))
            continue;
        if (!ingest_apps_know_key(app, claim->key))
            return INGEST_APPS_KEY;
        if (!ingest_apps_let_in(app, claim->origin))
            return INGEST_APPS_ORIGIN;
        *index = i;
        return INGEST_APPS_ALLOWED;
    }
    return self->count == 0 ? INGEST_APPS_ALLOWED : INGEST_APPS_UNKNOWN_APP;
}

bool ingest_apps_know_origin(const struct ingest_apps *self, struct slice origin)
{
    for (size_t i = 0; i < self->count; i++)
        if (ingest_apps_let_in(&self->app[i], origin))
            return true;
    return self->count == 0;
}
