#include "collector/api/api.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/api/api_parameters.h"
#include "collector/api/api_rejects.h"
#include "collector/base/jitter.h"
#include "collector/base/json.h"
#include "collector/query/query.h"
#include "proto/wire/ids.h"

#define API_RETRY_S 5u

struct api {
    const struct os *os;
    pthread_mutex_t mutex; /* one answer at a time: a query belongs to one thread */
    struct query *query;
    struct rejects *rejects;
    struct jitter jitter;
};

/* What a handler has to work with. */
struct api_request {
    struct api *api;
    struct slice rest; /* after the route's name */
    struct slice query;
    struct buf *out;
    struct api_problem problem;
};

typedef enum query_status api_route_handle(struct api_request *request);

struct api_route {
    const char *name; /* a trailing '/' = the rest is an id */
    api_route_handle *handle;
};

struct api *api_new(const struct api_options *options, char *error, size_t error_size)
{
    struct api *self = calloc(1, sizeof *self);
    if (!self) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    self->rejects = options->rejects;
    jitter_init(&self->jitter);
    self->os = options->os ? options->os : os_posix();
    self->query = query_new(options->log, options->store_path, error, error_size);
    if (!self->query) {
        free(self);
        return NULL;
    }
    pthread_mutex_init(&self->mutex, NULL);
    return self;
}

void api_free(struct api *self)
{
    if (!self)
        return;
    query_free(self->query);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static bool api_since(struct api_request *request, uint64_t *since_us)
{
    const struct os *os = request->api->os;
    return api_parameter_since(request->query, os->unix_us(os->context), since_us, &request->problem);
}

static bool api_id(struct api_request *request, uint8_t id[16])
{
    if (ids_parse_hex(request->rest, false, id, 16))
        return true;
    request->problem.message = "the id must be 32 lowercase hex digits";
    return false;
}

/* With a problem set, the status of a handler is not looked at. */
static enum query_status api_apps(struct api_request *request)
{
    return query_apps(request->api->query, request->out);
}

static enum query_status api_views(struct api_request *request)
{
    struct api_app app;
    uint64_t since_us;
    uint32_t limit;
    uint8_t session[16];
    bool of_session;
    if (!api_parameter_app(request->query, &app, &request->problem) || !api_since(request, &since_us) ||
        !api_parameter_limit(request->query, &limit, &request->problem) ||
        !api_parameter_session(request->query, session, &of_session, &request->problem))
        return QUERY_FAILED;
    if (of_session)
        return query_session(request->api->query, slice_of(app.name, app.size), session, limit, request->out);
    return query_views(request->api->query, slice_of(app.name, app.size), since_us, limit, request->out);
}

static enum query_status api_view(struct api_request *request)
{
    uint8_t id[16];
    if (!api_id(request, id))
        return QUERY_FAILED;
    return query_view(request->api->query, id, request->out);
}

static enum query_status api_vitals(struct api_request *request)
{
    struct api_app app;
    uint64_t since_us;
    uint32_t metric;
    if (!api_parameter_app(request->query, &app, &request->problem) ||
        !api_parameter_metric(request->query, &metric, &request->problem) ||
        !api_parameter_group(request->query, &request->problem) || !api_since(request, &since_us))
        return QUERY_FAILED;
    return query_vitals(request->api->query, slice_of(app.name, app.size), metric, since_us, request->out);
}

static enum query_status api_trace(struct api_request *request)
{
    uint8_t id[16];
    if (!api_id(request, id))
        return QUERY_FAILED;
    return query_trace(request->api->query, id, request->out);
}

static enum query_status api_joins(struct api_request *request)
{
    struct api_app app;
    uint64_t since_us;
    if (!api_parameter_app(request->query, &app, &request->problem) || !api_since(request, &since_us))
        return QUERY_FAILED;
    return query_joins(request->api->query, slice_of(app.name, app.size), since_us, request->out);
}

static enum query_status api_loss(struct api_request *request)
{
    struct api_app app;
    uint64_t since_us;
    if (!api_parameter_any_app(request->query, &app, &request->problem) || !api_since(request, &since_us))
        return QUERY_FAILED;
    return query_loss(request->api->query, slice_of(app.name, app.size), since_us, request->out);
}

static enum query_status api_rejects(struct api_request *request)
{
    return api_rejects_write(request->api->rejects, request->out);
}

static const struct api_route api_routes[] = {
    {"apps", api_apps},     {"views", api_views},   {"views/", api_view},    {"loss", api_loss},
    {"vitals", api_vitals}, {"traces/", api_trace}, {"joins", api_joins}, {"rejects", api_rejects},
};

static const struct api_route *api_route_find(struct slice rest, struct slice *id)
{
    for (size_t i = 0; i < sizeof api_routes / sizeof api_routes[0]; i++) {
        struct slice name = slice_text(api_routes[i].name);
        bool takes_id = name.data[name.size - 1] == '/';
        if (rest.size < name.size || memcmp(rest.data, name.data, name.size) != 0)
            continue;
        *id = slice_of(rest.data + name.size, rest.size - name.size);
        if (takes_id == (id->size > 0))
            return &api_routes[i];
    }
    return NULL;
}

static int api_error(struct buf *out, int status, const char *code, const char *message)
{
    struct json json;
    buf_clear(out);
    json_init(&json, out);
    json_object(&json, NULL);
    json_object(&json, "error");
    json_text(&json, "code", slice_text(code));
    json_text(&json, "message", slice_text(message));
    json_object_end(&json);
    json_object_end(&json);
    return status;
}

static int api_finish(const struct api_request *request, enum query_status status)
{
    if (request->problem.message)
        return api_error(request->out, 400, "bad_parameter", request->problem.message);
    switch (status) {
    case QUERY_OK:
        return 200;
    case QUERY_NOT_FOUND:
        return api_error(request->out, 404, "not_found", "nothing is known under this id");
    case QUERY_TOO_LARGE:
        return api_error(request->out, 500, "too_large", "the answer does not fit; ask for less");
    case QUERY_FAILED:
        break;
    }
    return api_error(request->out, 503, "index_unavailable",
                     "the index cannot answer now; see the collector's messages");
}

int api_answer(struct api *self, struct slice rest, struct slice query, struct buf *out)
{
    struct api_request request = {.api = self, .query = query, .out = out};
    const struct api_route *route = api_route_find(rest, &request.rest);
    if (!route)
        return api_error(out, 404, "not_found", "no such resource; see API.md");
    pthread_mutex_lock(&self->mutex);
    enum query_status status = route->handle(&request);
    pthread_mutex_unlock(&self->mutex);
    return api_finish(&request, status);
}

/* The index is busy with itself for a moment, or gone for longer: a dashboard that asks by itself does not ask at once. */
static unsigned api_retry_s(struct api *self)
{
    return jitter_spread(&self->jitter, API_RETRY_S, API_RETRY_S + 1);
}

void api_handle(void *context, struct net_exchange *exchange)
{
    struct api *self = context;
    struct buf out;
    char seconds[12];
    buf_init(&out, API_ANSWER_BYTES_MAX);
    int status = api_answer(self, net_exchange_rest(exchange), net_exchange_query(exchange), &out);
    snprintf(seconds, sizeof seconds, "%u", status == 503 ? api_retry_s(self) : 0);
    const struct net_header headers[] = {
        {"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}, {"Retry-After", seconds}};
    struct net_answer answer = {.status = status,
                                .content_type = "application/json",
                                .body = buf_slice(&out),
                                .headers = headers,
                                .header_count = status == 503 ? 3 : 2};
    net_reply(exchange, &answer);
    buf_release(&out);
}
