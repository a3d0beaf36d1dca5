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
static void store_count_vital(struct store *self, const struct store_view_state *view, int64_t route,
                              const struct store_vital_fact *vital, int sign)
{
    uint32_t weight = store_weight(view->facts.sample_rate_ppm, view->facts.recorder_trigger);
    if (vital->state != STORE_STATE_MEASURED || weight == 0)
        return;
    struct store_rollup *rollup = store_rollup(self, route, vital->metric, view->facts.hour);
    uint64_t value = store_sketch_value(vital->metric, vital->value);
    if (sign > 0)
        sketch_add_times(&rollup->sketch, value, weight);
    else
        sketch_take_back_times(&rollup->sketch, value, weight);
    if (vital->rating >= 1 && vital->rating <= 3)
        rollup->rated[vital->rating] += sign * (int64_t)weight;
    rollup->dirty = true;
}

void store_uncover_vitals(struct store *self, struct store_view_state *view)
{
    for (uint32_t metric = 0; metric < STORE_METRICS; metric++) {
        struct store_vital_fact *vital = &view->vital[metric], *covered = &view->covered[metric];
        if (vital->known && vital->seq == STORE_SEQ_SNAPSHOT) {
            store_count_vital(self, view, view->route, vital, -1);
            *vital = *covered;
            vital->covered = 0;
            if (vital->known)
                store_count_vital(self, view, view->route, vital, 1);
        }
        *covered = (struct store_vital_fact){0};
    }
}

void store_put_vital(struct store *self, const struct store_view *view, uint32_t seq, const struct store_vital *vital)
{
    assert(vital->metric < STORE_METRICS);
    struct store_view_state *state = store_states_view(self, view->id);
    if (!state)
        return;
    struct store_vital_fact *now = &state->vital[vital->metric], *covered = &state->covered[vital->metric];
    if (now->known && now->seq > seq)
        return;
    if (now->known && seq == STORE_SEQ_SNAPSHOT && now->seq != seq && !covered->known) {
        *covered = *now;
        covered->covered = 1;
    }
    if (now->known)
        store_count_vital(self, state, state->route, now, -1);
    *now = (struct store_vital_fact){.seq = seq,
                                     .value = vital->value,
                                     .state = vital->state,
                                     .metric = (uint8_t)vital->metric,
                                     .rating = (uint8_t)(vital->rating <= UINT8_MAX ? vital->rating : 0),
                                     .known = 1};
    store_count_vital(self, state, state->route, now, 1);
    state->dirty = true;
}

void store_move_vitals(struct store *self, const struct store_view_state *view, int64_t route)
{
    for (uint32_t metric = 0; metric < STORE_METRICS; metric++) {
        if (!view->vital[metric].known)
            continue;
        store_count_vital(self, view, view->route, &view->vital[metric], -1);
        store_count_vital(self, view, route, &view->vital[metric], 1);
    }
}
