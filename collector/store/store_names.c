/* Names that clients choose, as numbers: the apps all in memory, the routes met lately beside them. */
#include "collector/store/store_internal.h"

#include <stdlib.h>

static void store_apps_load(struct store *self)
{
    if (self->apps_loaded)
        return;
    sqlite3_stmt *list = sql_use(&self->sql, STORE_LIST_APPS);
    while (self->app_count < STORE_APPS_MAX && sql_step(&self->sql, list)) {
        struct slice name = sql_bytes(list, 1);
        struct store_app *app = &self->app[self->app_count];
        *app = (struct store_app){.id = sqlite3_column_int64(list, 0),
                                  .name = malloc(name.size + 1),
                                  .name_size = name.size,
                                  .first_seen_us = (uint64_t)sqlite3_column_int64(list, 2),
                                  .last_seen_us = (uint64_t)sqlite3_column_int64(list, 3),
                                  .views = (uint64_t)sqlite3_column_int64(list, 4)};
        if (!app->name) {
            self->sql.failed = true;
            break;
        }
        memcpy(app->name, name.data ? name.data : (const uint8_t *)"", name.size);
        self->app_count++;
    }
    if (list)
        sqlite3_reset(list);
    self->apps_loaded = !self->sql.failed;
}

int64_t store_app(struct store *self, struct slice name, uint64_t received_us)
{
    store_apps_load(self);
    int64_t id = 1;
    for (uint32_t i = 0; i < self->app_count; i++) {
        const struct store_app *app = &self->app[i];
        if (slice_equal(slice_of(app->name, app->name_size), name))
            return app->id;
        id = app->id >= id ? app->id + 1 : id;
    }
    if (self->app_count == STORE_APPS_MAX || self->sql.failed)
        return 0;
    struct store_app *app = &self->app[self->app_count];
    *app = (struct store_app){.id = id,
                              .name = malloc(name.size + 1),
                              .name_size = name.size,
                              .first_seen_us = received_us,
                              .last_seen_us = received_us,
                              .dirty = true};
    if (!app->name) {
        self->sql.failed = true;
        return 0;
    }
    memcpy(app->name, name.data, name.size);
    self->app_count++;
    return id;
}

static struct store_app *store_find_app(struct store *self, int64_t id)
{
    store_apps_load(self);
    for (uint32_t i = 0; i < self->app_count; i++)
        if (self->app[i].id == id)
            return &self->app[i];
    return NULL;
}

void store_touch_app(struct store *self, int64_t id, uint64_t received_us, uint64_t views)
{
    struct store_app *app = store_find_app(self, id);
    if (!app)
        return;
    app->views += views;
    if (received_us < app->first_seen_us)
        app->first_seen_us = received_us;
    if (received_us > app->last_seen_us)
        app->last_seen_us = received_us;
    app->dirty = true;
}

void store_apps_flush(struct store *self)
{
    struct sql *sql = &self->sql;
    for (uint32_t i = 0; i < self->app_count; i++) {
        struct store_app *app = &self->app[i];
        if (!app->dirty)
            continue;
        sqlite3_stmt *set = sql_use(sql, STORE_SET_APP);
        sql_bind_int(sql, set, 1, app->id);
        sql_bind_text(sql, set, 2, slice_of(app->name, app->name_size));
        sql_bind_int(sql, set, 3, (int64_t)app->first_seen_us);
        sql_bind_int(sql, set, 4, (int64_t)app->last_seen_us);
        sql_bind_int(sql, set, 5, (int64_t)app->views);
        sql_finish(sql, set);
        app->dirty = false;
    }
}

void store_names_forget(struct store *self)
{
    for (uint32_t i = 0; i < self->app_count; i++)
        free(self->app[i].name);
    self->app_count = 0;
    self->apps_loaded = false;
    memset(self->route, 0, sizeof self->route);
}

static int64_t store_find_route(struct store *self, int64_t app, struct slice route)
{
    sqlite3_stmt *find = sql_use(&self->sql, STORE_FIND_ROUTE);
    sql_bind_int(&self->sql, find, 1, app);
    sql_bind_text(&self->sql, find, 2, route);
    int64_t id = sql_step(&self->sql, find) ? sqlite3_column_int64(find, 0) : 0;
    if (find)
        sqlite3_reset(find);
    return id;
}

uint64_t store_take_overflow(struct store *self)
{
    uint64_t overflow = self->overflow;
    self->overflow = 0;
    return overflow;
}

static void store_count_routes(struct store *self, struct store_app *app)
{
    if (app->routes_known)
        return;
    sqlite3_stmt *count = sql_use(&self->sql, STORE_COUNT_ROUTES);
    sql_bind_int(&self->sql, count, 1, app->id);
    app->routes = sql_step(&self->sql, count) ? (uint32_t)sqlite3_column_int64(count, 0) : 0;
    if (count)
        sqlite3_reset(count);
    app->routes_known = true;
}

static int64_t store_add_route(struct store *self, struct store_app *app, struct slice route)
{
    struct sql *sql = &self->sql;
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_ROUTE);
    sql_bind_int(sql, add, 1, app->id);
    sql_bind_text(sql, add, 2, route);
    sql_finish(sql, add);
    app->routes++;
    return sql->failed ? 0 : sqlite3_last_insert_rowid(sql->db);
}

static int64_t store_look_up_route(struct store *self, int64_t app_id, struct slice route)
{
    int64_t id = store_find_route(self, app_id, route);
    struct store_app *app = id == 0 ? store_find_app(self, app_id) : NULL;
    if (!app)
        return id;
    store_count_routes(self, app);
    if (app->routes < STORE_ROUTES_MAX)
        return store_add_route(self, app, route);
    self->overflow++;
    if (app->other == 0)
        app->other = store_find_route(self, app_id, slice_text(STORE_ROUTE_OTHER));
    if (app->other == 0)
        app->other = store_add_route(self, app, slice_text(STORE_ROUTE_OTHER));
    return app->other;
}

int64_t store_route(struct store *self, int64_t app, struct slice route)
{
    uint64_t hash = siphash(self->runs.key, route) + (uint64_t)app;
    struct store_route_slot *slot = &self->route[hash % STORE_ROUTE_SLOTS];
    if (slot->id != 0 && slot->app == app && slice_equal(slice_of(slot->name, slot->size), route))
        return slot->id;
    int64_t id = store_look_up_route(self, app, route);
    if (id == 0 || route.size > STORE_ROUTE_BYTES_MAX)
        return id;
    slot->app = app;
    slot->id = id;
    slot->size = (uint8_t)route.size;
    if (route.size > 0)
        memcpy(slot->name, route.data, route.size);
    return id;
}
