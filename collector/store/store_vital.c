#include "collector/store/store_internal.h"

#include "collector/base/diag.h"

#define STORE_METRIC_CLS     3u
#define STORE_STATE_MEASURED 1u

/* Sketches count integers: microseconds, and CLS x 1e6. Values are validated as finite before they get here. */
static uint64_t store_sketch_value(uint32_t metric, double value)
{
    double scaled = value * (metric == STORE_METRIC_CLS ? 1e6 : 1e3);
    return scaled > 0 ? (uint64_t)(scaled + 0.5) : 0;
}

static void store_rollup_write(struct store *self, struct store_rollup *rollup)
{
    struct sql *sql = &self->sql;
    uint8_t bytes[SKETCH_BYTES_MAX];
    sqlite3_stmt *set = sql_use(sql, STORE_SET_ROLLUP);
    sql_bind_int(sql, set, 1, rollup->route);
    sql_bind_int(sql, set, 2, rollup->metric);
    sql_bind_int(sql, set, 3, (int64_t)rollup->hour);
    for (int rating = 1; rating <= 3; rating++)
        sql_bind_int(sql, set, 3 + rating, rollup->rated[rating]);
    sql_bind_blob(sql, set, 7, slice_of(bytes, sketch_encode(&rollup->sketch, bytes)));
    sql_finish(sql, set);
    rollup->dirty = false;
}

void store_rollups_flush(struct store *self)
{
    for (unsigned i = 0; i < STORE_ROLLUPS_MAX; i++)
        if (self->rollup[i].dirty)
            store_rollup_write(self, &self->rollup[i]);
}

static void store_rollup_read(struct store *self, struct store_rollup *rollup)
{
    struct sql *sql = &self->sql;
    sketch_init(&rollup->sketch);
    sqlite3_stmt *find = sql_use(sql, STORE_FIND_ROLLUP);
    sql_bind_int(sql, find, 1, rollup->route);
    sql_bind_int(sql, find, 2, rollup->metric);
    sql_bind_int(sql, find, 3, (int64_t)rollup->hour);
    if (!sql_step(sql, find))
        return;
    for (int rating = 1; rating <= 3; rating++)
        rollup->rated[rating] = sqlite3_column_int64(find, rating - 1);
    if (!sketch_decode(&rollup->sketch, sql_bytes(find, 3)))
        diag(DIAG_WARNING, "index_bad_sketch",
             "route %lld metric %u hour %llu: begun anew; delete the index to rebuild it", (long long)rollup->route,
             rollup->metric, (unsigned long long)rollup->hour);
    sqlite3_reset(find);
}

static struct store_rollup *store_rollup(struct store *self, int64_t route, uint32_t metric, uint64_t hour)
{
    for (unsigned i = 0; i < STORE_ROLLUPS_MAX; i++) {
        struct store_rollup *rollup = &self->rollup[i];
        if (rollup->used && rollup->route == route && rollup->metric == metric && rollup->hour == hour)
            return rollup;
    }
    struct store_rollup *rollup = &self->rollup[self->rollup_next++ % STORE_ROLLUPS_MAX];
    if (rollup->dirty)
        store_rollup_write(self, rollup);
    memset(rollup, 0, sizeof *rollup);
    rollup->used = true;
    rollup->route = route;
    rollup->metric = metric;
    rollup->hour = hour;
    store_rollup_read(self, rollup);
    return rollup;
}

/* sign: 1 counts the value with the weight of its view, -1 takes it back. */
static void store_count_vital(struct store *self, const struct store_view *view, int64_t route,
                              const struct store_vital *vital, int sign)
{
    if (vital->state != STORE_STATE_MEASURED || view->weight == 0)
        return;
    struct store_rollup *rollup = store_rollup(self, route, vital->metric, view->hour);
    uint64_t value = store_sketch_value(vital->metric, vital->value);
    if (sign > 0)
        sketch_add_times(&rollup->sketch, value, view->weight);
    else
        sketch_take_back_times(&rollup->sketch, value, view->weight);
    if (vital->rating >= 1 && vital->rating <= 3)
        rollup->rated[vital->rating] += sign * (int64_t)view->weight;
    rollup->dirty = true;
}

static bool store_find_vital(struct store *self, int64_t view, struct store_vital *vital, int64_t *seq)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *find = sql_use(sql, STORE_FIND_VITAL);
    sql_bind_int(sql, find, 1, view);
    sql_bind_int(sql, find, 2, vital->metric);
    if (!sql_step(sql, find))
        return false;
    *seq = sqlite3_column_int64(find, 0);
    vital->state = (uint32_t)sqlite3_column_int64(find, 1);
    vital->value = sqlite3_column_double(find, 2);
    vital->rating = (uint32_t)sqlite3_column_int64(find, 3);
    sqlite3_reset(find);
    return true;
}

static void store_cover_vital(struct store *self, const struct store_view *view, int64_t seq,
                              const struct store_vital *vital)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *cover = sql_use(sql, STORE_COVER_VITAL);
    sql_bind_int(sql, cover, 1, view->id);
    sql_bind_int(sql, cover, 2, vital->metric);
    sql_bind_int(sql, cover, 3, seq);
    sql_bind_int(sql, cover, 4, vital->state);
    sql_bind_double(sql, cover, 5, vital->value);
    sql_bind_int(sql, cover, 6, vital->rating);
    sql_finish(sql, cover);
}

static struct store_vital store_vital_at(sqlite3_stmt *statement, uint32_t metric, int column)
{
    return (struct store_vital){.metric = metric,
                                .state = (uint32_t)sqlite3_column_int64(statement, column),
                                .value = sqlite3_column_double(statement, column + 1),
                                .rating = (uint32_t)sqlite3_column_int64(statement, column + 2)};
}

void store_uncover_vitals(struct store *self, const struct store_view *view)
{
    static const enum store_statement steps[] = {STORE_DELETE_COVERING, STORE_RESTORE_COVERED, STORE_DELETE_COVERED};
    struct sql *sql = &self->sql;
    sqlite3_stmt *list = sql_use(sql, STORE_LIST_COVERING);
    sql_bind_int(sql, list, 1, view->id);
    while (sql_step(sql, list)) {
        uint32_t metric = (uint32_t)sqlite3_column_int64(list, 0);
        struct store_vital covering = store_vital_at(list, metric, 1), covered = store_vital_at(list, metric, 5);
        store_count_vital(self, view, view->route, &covering, -1);
        if (sqlite3_column_type(list, 4) != SQLITE_NULL)
            store_count_vital(self, view, view->route, &covered, 1);
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        sqlite3_stmt *step = sql_use(sql, steps[i]);
        sql_bind_int(sql, step, 1, view->id);
        sql_finish(sql, step);
    }
}

void store_put_vital(struct store *self, const struct store_view *view, uint32_t seq, const struct store_vital *vital)
{
    struct sql *sql = &self->sql;
    struct store_vital old = {.metric = vital->metric};
    int64_t old_seq = -1;
    bool known = store_find_vital(self, view->id, &old, &old_seq);
    if (old_seq > (int64_t)seq)
        return;
    if (known && seq == STORE_SEQ_SNAPSHOT && old_seq != (int64_t)seq)
        store_cover_vital(self, view, old_seq, &old);
    if (known)
        store_count_vital(self, view, view->route, &old, -1);
    store_count_vital(self, view, view->route, vital, 1);
    sqlite3_stmt *set = sql_use(sql, STORE_SET_VITAL);
    sql_bind_int(sql, set, 1, view->id);
    sql_bind_int(sql, set, 2, vital->metric);
    sql_bind_int(sql, set, 3, seq);
    sql_bind_int(sql, set, 4, vital->state);
    sql_bind_double(sql, set, 5, vital->value);
    sql_bind_int(sql, set, 6, vital->rating);
    sql_finish(sql, set);
}

void store_move_vitals(struct store *self, const struct store_view *view, int64_t route)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *list = sql_use(sql, STORE_LIST_VITALS);
    sql_bind_int(sql, list, 1, view->id);
    while (sql_step(sql, list)) {
        struct store_vital vital = {.metric = (uint32_t)sqlite3_column_int64(list, 0),
                                    .state = (uint32_t)sqlite3_column_int64(list, 1),
                                    .value = sqlite3_column_double(list, 2),
                                    .rating = (uint32_t)sqlite3_column_int64(list, 3)};
        store_count_vital(self, view, view->route, &vital, -1);
        store_count_vital(self, view, route, &vital, 1);
    }
}
