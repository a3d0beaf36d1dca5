/* The configured apps: a copy of ingest_options, and the two questions asked of it. Few, so searched one by one. */
#ifndef VITRACE_INGEST_APPS_H
#define VITRACE_INGEST_APPS_H

#include "collector/ingest/ingest.h"

struct ingest_apps {
    struct ingest_app *app; /* owned, with its texts */
    size_t count;           /* 0 = every app is known */
};

bool ingest_apps_init(struct ingest_apps *self, const struct ingest_app *apps,
                      size_t count); /* false = out of memory */
void ingest_apps_release(struct ingest_apps *self);

/* What a request says of itself. */
struct ingest_claim {
    struct slice app;
    struct slice origin; /* empty = the header is missing */
    struct slice key;    /* empty = none was given */
};

enum ingest_apps_answer { INGEST_APPS_ALLOWED, INGEST_APPS_UNKNOWN_APP, INGEST_APPS_KEY, INGEST_APPS_ORIGIN };
/* `index` of the app, when it is a configured one and the answer is "allowed"; otherwise untouched. */
enum ingest_apps_answer ingest_apps_check(const struct ingest_apps *self, const struct ingest_claim *claim,
                                          size_t *index);
/* Does any app let this origin in? For the guards before the app is known. */
bool ingest_apps_know_origin(const struct ingest_apps *self, struct slice origin);

#endif
