/* Query parameters, each read and checked in one place. */
#ifndef VITRACE_API_PARAMETERS_H
#define VITRACE_API_PARAMETERS_H

#include "proto/wire/slice.h"

#define API_APP_BYTES_MAX 64u /* as in beacon_validate: [a-z0-9][a-z0-9_-]{0,63} */

/* What a handler asked for and could not have: the parameter's name and what it must be. */
struct api_problem {
    const char *message; /* NULL = none */
};

struct api_app {
    char name[API_APP_BYTES_MAX + 1];
    size_t size;
};

bool api_parameter_app(struct slice query, struct api_app *app, struct api_problem *problem);
/* The same, or absent: then its size is 0. */
bool api_parameter_any_app(struct slice query, struct api_app *app, struct api_problem *problem);
/* 32 hex digits. `given`: false = absent. */
bool api_parameter_session(struct slice query, uint8_t id[16], bool *given, struct api_problem *problem);
/* Unix ms; absent = 24 hours before now_us. Out: microseconds. */
bool api_parameter_since(struct slice query, uint64_t now_us, uint64_t *since_us, struct api_problem *problem);
bool api_parameter_limit(struct slice query, uint32_t *limit, struct api_problem *problem);
bool api_parameter_metric(struct slice query, uint32_t *metric, struct api_problem *problem);
/* Only "route" is known. */
bool api_parameter_group(struct slice query, struct api_problem *problem);

#endif
