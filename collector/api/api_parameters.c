#include "collector/api/api_parameters.h"

#include <stdlib.h>

#include "collector/net/net.h"
#include "collector/query/query.h"
#include "proto/wire/ids.h"

#define API_VALUE_BYTES 128u
#define API_DAY_US      UINT64_C(86400000000)
#define API_LIMIT       50u
#define API_UNIX_MS_MAX UINT64_C(100000000000000) /* year 5138: times 1000 still fits */

static bool api_bad(struct api_problem *problem, const char *message)
{
    problem->message = message;
    return false;
}

/* Whether the name stands in the query, whatever its value. */
static bool api_has(struct slice query, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i + size <= query.size; i++) {
        bool begins = i == 0 || query.data[i - 1] == '&';
        bool ends = i + size == query.size || query.data[i + size] == '=' || query.data[i + size] == '&';
        if (begins && ends && memcmp(query.data + i, name, size) == 0)
            return true;
    }
    return false;
}

/* The size of the value; -1 = absent. One that cannot be decoded or is too long reads as empty, which nobody takes. */
static int api_find(struct slice query, const char *name, char *out, size_t size)
{
    int found = net_query_find(query, name, out, size);
    if (found >= 0)
        return found;
    return api_has(query, name) ? 0 : -1;
}

static bool api_app_char(char c, bool first)
{
    bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return alnum || (!first && (c == '-' || c == '_'));
}

bool api_parameter_app(struct slice query, struct api_app *app, struct api_problem *problem)
{
    int size = api_find(query, "app", app->name, sizeof app->name);
    if (size <= 0)
        return api_bad(problem, "app is required: a name of at most 64 characters");
    for (int i = 0; i < size; i++)
        if (!api_app_char(app->name[i], i == 0))
            return api_bad(problem, "app must be [a-z0-9][a-z0-9_-]{0,63}");
    app->size = (size_t)size;
    return true;
}

bool api_parameter_any_app(struct slice query, struct api_app *app, struct api_problem *problem)
{
    app->size = 0;
    return api_find(query, "app", app->name, sizeof app->name) < 0 || api_parameter_app(query, app, problem);
}

bool api_parameter_session(struct slice query, uint8_t id[16], bool *given, struct api_problem *problem)
{
    char text[API_VALUE_BYTES];
    int size = api_find(query, "session", text, sizeof text);
    *given = size >= 0;
    bool good = size < 0 || ids_parse_hex(slice_of(text, (size_t)size), false, id, 16);
    return good || api_bad(problem, "session must be 32 lowercase hex digits");
}

/* Digits only, with an optional fraction that is cut: clients write Date.now() or performance times. */
static bool api_number(const char *text, int size, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;
    int i = 0;
    for (; i < size && text[i] >= '0' && text[i] <= '9'; i++) {
        number = number * 10 + (uint64_t)(text[i] - '0');
        if (number > max)
            return false;
    }
    bool any = i > 0;
    if (i < size && text[i] == '.')
        for (i++; i < size && text[i] >= '0' && text[i] <= '9';)
            i++;
    *value = number;
    return any && i == size;
}

bool api_parameter_since(struct slice query, uint64_t now_us, uint64_t *since_us, struct api_problem *problem)
{
    char text[API_VALUE_BYTES];
    uint64_t since_ms;
    int size = api_find(query, "since", text, sizeof text);
    *since_us = now_us > API_DAY_US ? now_us - API_DAY_US : 0;
    if (size < 0)
        return true;
    if (!api_number(text, size, API_UNIX_MS_MAX, &since_ms))
        return api_bad(problem, "since must be Unix milliseconds");
    *since_us = since_ms * 1000;
    return true;
}

bool api_parameter_limit(struct slice query, uint32_t *limit, struct api_problem *problem)
{
    char text[API_VALUE_BYTES];
    uint64_t value = API_LIMIT;
    int size = api_find(query, "limit", text, sizeof text);
    if (size >= 0 && (!api_number(text, size, QUERY_VIEWS_MAX, &value) || value == 0))
        return api_bad(problem, "limit must be a number from 1 to 500");
    *limit = (uint32_t)value;
    return true;
}

bool api_parameter_metric(struct slice query, uint32_t *metric, struct api_problem *problem)
{
    char text[API_VALUE_BYTES];
    int size = api_find(query, "metric", text, sizeof text);
    *metric = size > 0 ? query_metric_find(slice_of(text, (size_t)size)) : 0;
    return *metric != 0 || api_bad(problem, "metric must be one of lcp, inp, cls, fcp, ttfb");
}

bool api_parameter_group(struct slice query, struct api_problem *problem)
{
    char text[API_VALUE_BYTES];
    int size = api_find(query, "group", text, sizeof text);
    bool good = size < 0 || slice_equal(slice_of(text, (size_t)size), slice_text("route"));
    return good || api_bad(problem, "group must be route");
}
