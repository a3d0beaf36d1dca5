#include <stdlib.h>

#include "collector/query/query_internal.h"
#include "proto/wire/sketch.h"
#include "vitrace/v1/beacon.pb.h"

#define QUERY_ROUTE_BYTES_MAX 129u /* Page.route */

struct query_group {
    size_t route_size;
    uint8_t route[QUERY_ROUTE_BYTES_MAX];
    uint64_t good, needs_improvement, poor;
    struct sketch sketch;
};

static void query_group_clear(struct query_group *self, struct slice route)
{
    memset(self, 0, sizeof *self);
    sketch_init(&self->sketch);
    self->route_size = route.size < sizeof self->route ? route.size : sizeof self->route;
    if (self->route_size > 0)
        memcpy(self->route, route.data, self->route_size);
}

static void query_group_add(struct query_group *self, const struct store_rollup_row *row, const struct sketch *sketch)
{
    self->good += row->good;
    self->needs_improvement += row->needs_improvement;
    self->poor += row->poor;
    sketch_merge(&self->sketch, sketch);
}

static void query_write_group(struct json *json, const struct query_group *group, uint32_t metric)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = {{"p50", 0.5}, {"p75", 0.75}, {"p95", 0.95}};
    double unit = metric == vitrace_v1_Metric_METRIC_CLS ? 1e6 : 1e3; /* as the store counted them */
    json_int(json, "count", (int64_t)group->sketch.total);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        if (group->sketch.total == 0)
            json_null(json, quantiles[i].name);
        else
            json_double(json, quantiles[i].name, (double)sketch_quantile(&group->sketch, quantiles[i].q) / unit);
    }
    json_int(json, "good", (int64_t)group->good);
    json_int(json, "needs_improvement", (int64_t)group->needs_improvement);
    json_int(json, "poor", (int64_t)group->poor);
}

static void query_write_route(struct json *json, const struct query_group *group, uint32_t metric)
{
    if (group->sketch.total == 0)
        return; /* everything was taken back, or moved to another route */
    json_object(json, NULL);
    json_text(json, "route", slice_of(group->route, group->route_size));
    query_write_group(json, group, metric);
    json_object_end(json);
}

/* Rows come ordered by route: a group ends where the next begins. */
static bool query_write_groups(struct query *self, struct json *json, uint32_t metric, struct query_group *all,
                               struct query_group *group)
{
    struct store_rollup_row row;
    struct sketch sketch;
    bool begun = false;
    while (store_reader_next_rollup(self->index, &row)) {
        if (!sketch_decode(&sketch, row.sketch))
            continue;
        if (!begun || !slice_equal(slice_of(group->route, group->route_size), row.route)) {
            if (begun)
                query_write_route(json, group, metric);
            query_group_clear(group, row.route);
            begun = true;
        }
        query_group_add(group, &row, &sketch);
        query_group_add(all, &row, &sketch);
        if (query_full(json))
            return false;
    }
    if (begun)
        query_write_route(json, group, metric);
    return true;
}

enum query_status query_vitals(struct query *self, struct slice app, uint32_t metric, uint64_t since_us,
                               struct buf *out)
{
    struct json json;
    struct query_group *group = calloc(2, sizeof *group), *all = group + 1;
    if (!group)
        return QUERY_TOO_LARGE;
    if (!query_begin(self)) {
        free(group);
        return QUERY_FAILED;
    }
    query_group_clear(all, slice_of(NULL, 0));
    json_init(&json, out);
    json_object(&json, NULL);
    json_text(&json, "metric", slice_text(query_name_metric(metric)));
    json_text(&json, "unit", slice_text(metric == vitrace_v1_Metric_METRIC_CLS ? "" : "ms"));
    json_array(&json, "groups");
    store_reader_find_rollups(self->index, app, metric, since_us / STORE_HOUR_US);
    bool whole = query_write_groups(self, &json, metric, all, group);
    json_array_end(&json);
    json_object(&json, "all");
    query_write_group(&json, all, metric);
    json_object_end(&json);
    json_bool(&json, "truncated", !whole);
    json_object_end(&json);
    free(group);
    return query_end(self, out, true);
}
