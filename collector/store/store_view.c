#include "collector/store/store_internal.h"

#define STORE_PPM 1000000u

static int64_t store_find_number(struct store *self, sqlite3_stmt *statement)
{
    int64_t value = 0;
    if (sql_step(&self->sql, statement))
        value = sqlite3_column_int64(statement, 0);
    if (statement)
        sqlite3_reset(statement);
    return value;
}

/* Number of the app; 0 = refused or failed. */
static int64_t store_app(struct store *self, struct slice name, uint64_t received_us)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *find = sql_use(sql, STORE_FIND_APP);
    sql_bind_text(sql, find, 1, name);
    int64_t id = store_find_number(self, find);
    if (id != 0 || store_find_number(self, sql_use(sql, STORE_COUNT_APPS)) >= STORE_APPS_MAX)
        return id;
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_APP);
    sql_bind_text(sql, add, 1, name);
    sql_bind_int(sql, add, 2, (int64_t)received_us);
    sql_finish(sql, add);
    return sql->failed ? 0 : sqlite3_last_insert_rowid(sql->db);
}

static int64_t store_find_route(struct store *self, int64_t app, struct slice route)
{
    sqlite3_stmt *find = sql_use(&self->sql, STORE_FIND_ROUTE);
    sql_bind_int(&self->sql, find, 1, app);
    sql_bind_text(&self->sql, find, 2, route);
    return store_find_number(self, find);
}

static int64_t store_route(struct store *self, int64_t app, struct slice route)
{
    struct sql *sql = &self->sql;
    int64_t id = store_find_route(self, app, route);
    if (id != 0)
        return id;
    sqlite3_stmt *count = sql_use(sql, STORE_COUNT_ROUTES);
    sql_bind_int(sql, count, 1, app);
    if (store_find_number(self, count) >= STORE_ROUTES_MAX) {
        route = slice_text(STORE_ROUTE_OTHER);
        id = store_find_route(self, app, route);
        if (id != 0)
            return id;
    }
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_ROUTE);
    sql_bind_int(sql, add, 1, app);
    sql_bind_text(sql, add, 2, route);
    sql_finish(sql, add);
    return sql->failed ? 0 : sqlite3_last_insert_rowid(sql->db);
}

static void store_touch_app(struct store *self, int64_t app, uint64_t received_us, int64_t views)
{
    sqlite3_stmt *touch = sql_use(&self->sql, STORE_TOUCH_APP);
    sql_bind_int(&self->sql, touch, 1, app);
    sql_bind_int(&self->sql, touch, 2, (int64_t)received_us);
    sql_bind_int(&self->sql, touch, 3, views);
    sql_finish(&self->sql, touch);
}

static uint32_t store_weight(uint32_t sample_rate_ppm, uint32_t recorder_trigger)
{
    if (recorder_trigger != 0)
        return 0;
    if (sample_rate_ppm == 0 || sample_rate_ppm >= STORE_PPM)
        return 1;
    uint32_t weight = (STORE_PPM + sample_rate_ppm / 2) / sample_rate_ppm;
    return weight < STORE_WEIGHT_MAX ? weight : STORE_WEIGHT_MAX;
}

static bool store_find_view(struct store *self, const uint8_t view_id[16], struct store_view *view)
{
    sqlite3_stmt *find = sql_use(&self->sql, STORE_FIND_VIEW);
    sql_bind_blob(&self->sql, find, 1, slice_of(view_id, 16));
    if (!sql_step(&self->sql, find))
        return false;
    view->id = sqlite3_column_int64(find, 0);
    view->app = sqlite3_column_int64(find, 1);
    view->route = sqlite3_column_int64(find, 2);
    view->hour = (uint64_t)sqlite3_column_int64(find, 3);
    view->newest_seq = sqlite3_column_int64(find, 4);
    view->crashed = sqlite3_column_int64(find, 5) != 0;
    view->final = sqlite3_column_int64(find, 6) != 0;
    view->weight = store_weight((uint32_t)sqlite3_column_int64(find, 7), (uint32_t)sqlite3_column_int64(find, 8));
    sqlite3_reset(find);
    return true;
}

/* Rate and trigger are the first beacon's: what was counted with one weight must be taken back with the same. */
static enum store_status store_add_view(struct store *self, const struct store_beacon *beacon, struct store_view *view)
{
    struct sql *sql = &self->sql;
    view->app = store_app(self, beacon->app, beacon->received_us);
    if (view->app == 0)
        return sql->failed ? STORE_ERROR : STORE_REFUSED;
    view->route = store_route(self, view->app, beacon->route);
    view->hour = beacon->received_us / STORE_HOUR_US;
    view->newest_seq = -1;
    view->crashed = view->final = false;
    view->weight = store_weight(beacon->sample_rate_ppm, beacon->recorder_trigger);
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_VIEW);
    sql_bind_blob(sql, add, 1, slice_of(beacon->view_id, 16));
    sql_bind_blob(sql, add, 2, slice_of(beacon->session_id, 16));
    sql_bind_int(sql, add, 3, view->app);
    sql_bind_int(sql, add, 4, view->route);
    sql_bind_int(sql, add, 5, (int64_t)beacon->received_us);
    sql_bind_int(sql, add, 6, (int64_t)view->hour);
    sql_bind_int(sql, add, 7, beacon->sample_rate_ppm);
    sql_bind_int(sql, add, 8, beacon->recorder_trigger);
    sql_finish(sql, add);
    view->id = sqlite3_last_insert_rowid(sql->db);
    store_touch_app(self, view->app, beacon->received_us, 1);
    return sql->failed ? STORE_ERROR : STORE_OK;
}

bool store_count_duplicates(struct store *self, const uint8_t view_id[16], uint32_t count)
{
    sqlite3_stmt *add = sql_use(&self->sql, STORE_COUNT_DUPLICATES);
    sql_bind_blob(&self->sql, add, 1, slice_of(view_id, 16));
    sql_bind_int(&self->sql, add, 2, count);
    sql_finish(&self->sql, add);
    return sqlite3_changes(self->sql.db) == 1;
}

static void store_count_beacon(struct store *self, const struct store_view *view, const struct store_beacon *beacon)
{
    sqlite3_stmt *count = sql_use(&self->sql, STORE_COUNT_BEACON);
    sql_bind_int(&self->sql, count, 1, view->id);
    sql_bind_int(&self->sql, count, 2, beacon->errors);
    sql_bind_int(&self->sql, count, 3, beacon->segments);
    sql_bind_int(&self->sql, count, 4, beacon->dropped);
    sql_finish(&self->sql, count);
}

/* false = the view has a beacon of this seq. */
static bool store_add_beacon(struct store *self, const struct store_view *view, const struct store_beacon *beacon)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_BEACON);
    sql_bind_int(sql, add, 1, view->id);
    sql_bind_int(sql, add, 2, beacon->seq);
    sql_bind_int(sql, add, 3, (int64_t)beacon->position);
    sql_finish(sql, add);
    bool added = sqlite3_changes(sql->db) == 1;
    if (!added)
        store_count_duplicates(self, beacon->view_id, 1);
    else
        store_count_beacon(self, view, beacon);
    return added;
}

/* The page may set its route after the first beacon: values counted so far move along. */
static void store_set_header(struct store *self, struct store_view *view, const struct store_beacon *beacon)
{
    struct sql *sql = &self->sql;
    int64_t route = store_route(self, view->app, beacon->route);
    if (route != view->route)
        store_move_vitals(self, view, route);
    view->route = route;
    sqlite3_stmt *set = sql_use(sql, STORE_SET_HEADER);
    sql_bind_int(sql, set, 1, view->id);
    sql_bind_int(sql, set, 2, beacon->seq == STORE_SEQ_SNAPSHOT ? view->newest_seq : beacon->seq);
    sql_bind_int(sql, set, 3, route);
    sql_bind_text(sql, set, 4, beacon->url);
    sql_bind_int(sql, set, 5, (int64_t)beacon->started_us);
    sql_bind_int(sql, set, 6, beacon->navigation_type);
    sql_bind_int(sql, set, 7, beacon->transport);
    sql_finish(sql, set);
}

static void store_set_ledger(struct store *self, const struct store_view *view, const struct store_beacon *beacon)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *set = sql_use(sql, STORE_SET_LEDGER);
    sql_bind_int(sql, set, 1, view->id);
    sql_bind_int(sql, set, 2, beacon->seq);
    sql_bind_int(sql, set, 3, (int64_t)beacon->ledger.entries_seen);
    sql_bind_int(sql, set, 4, (int64_t)beacon->ledger.entries_encoded);
    sql_bind_int(sql, set, 5, (int64_t)beacon->ledger.lost);
    sql_bind_int(sql, set, 6, (int64_t)beacon->ledger.main_thread_us);
    sql_bind_int(sql, set, 7, beacon->final);
    sql_finish(sql, set);
}

static void store_run_for_view(struct store *self, enum store_statement id, const struct store_view *view)
{
    sqlite3_stmt *statement = sql_use(&self->sql, id);
    sql_bind_int(&self->sql, statement, 1, view->id);
    sql_finish(&self->sql, statement);
}

static void store_set_crashed(struct store *self, const struct store_view *view, bool crashed)
{
    sqlite3_stmt *set = sql_use(&self->sql, STORE_SET_CRASHED);
    sql_bind_int(&self->sql, set, 1, view->id);
    sql_bind_int(&self->sql, set, 2, crashed);
    sql_finish(&self->sql, set);
}

static void store_clear_snapshot(struct store *self, const struct store_view *view)
{
    store_uncover_vitals(self, view);
    store_run_for_view(self, STORE_DELETE_SNAPSHOT, view);
    store_set_crashed(self, view, false);
}

static enum store_status store_find_or_add_view(struct store *self, const struct store_beacon *beacon,
                                                struct store_view *view)
{
    if (store_find_view(self, beacon->view_id, view))
        return STORE_OK;
    return self->sql.failed ? STORE_ERROR : store_add_view(self, beacon, view);
}

/* The page's own account is cumulative: the snapshot's is the newer one, and a later beacon's newer still. */
static void store_set_snapshot_ledger(struct store *self, const struct store_view *view,
                                      const struct store_beacon *beacon)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *set = sql_use(sql, STORE_SET_SNAPSHOT_LEDGER);
    sql_bind_int(sql, set, 1, view->id);
    sql_bind_int(sql, set, 2, (int64_t)beacon->ledger.entries_seen);
    sql_bind_int(sql, set, 3, (int64_t)beacon->ledger.entries_encoded);
    sql_bind_int(sql, set, 4, (int64_t)beacon->ledger.lost);
    sql_bind_int(sql, set, 5, (int64_t)beacon->ledger.main_thread_us);
    sql_finish(sql, set);
}

enum store_status store_put_snapshot(struct store *self, const struct store_beacon *beacon, struct store_view *view)
{
    enum store_status status = store_find_or_add_view(self, beacon, view);
    if (status != STORE_OK)
        return status;
    if (view->final)
        return STORE_SUPERSEDED;
    sqlite3_stmt *set = sql_use(&self->sql, STORE_SET_SNAPSHOT);
    sql_bind_int(&self->sql, set, 1, view->id);
    sql_bind_int(&self->sql, set, 2, (int64_t)beacon->position);
    sql_finish(&self->sql, set);
    store_set_crashed(self, view, true);
    if (view->newest_seq < 0)
        store_set_header(self, view, beacon);
    if (beacon->has_ledger)
        store_set_snapshot_ledger(self, view, beacon);
    store_touch_app(self, view->app, beacon->received_us, 0);
    return self->sql.failed ? STORE_ERROR : STORE_OK;
}

enum store_status store_put_beacon(struct store *self, const struct store_beacon *beacon, struct store_view *view)
{
    enum store_status status = store_find_or_add_view(self, beacon, view);
    if (status != STORE_OK)
        return status;
    if (!store_add_beacon(self, view, beacon))
        return self->sql.failed ? STORE_ERROR : STORE_DUPLICATE;
    if (view->crashed)
        store_clear_snapshot(self, view);
    if ((int64_t)beacon->seq > view->newest_seq)
        store_set_header(self, view, beacon);
    if (beacon->has_ledger)
        store_set_ledger(self, view, beacon);
    store_touch_app(self, view->app, beacon->received_us, 0);
    return self->sql.failed ? STORE_ERROR : STORE_OK;
}
