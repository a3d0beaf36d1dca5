/*
 * Forgetting with the log. A sweep towards one position takes many commits, so that none of them is long:
 *
 *   views, by number   those whose newest beacon is from before go. One that lives on is entered again, because the runs
 *                      that hold its first entry go below. Numbers grow with first positions: the sweep ends at the first
 *                      view that began after the position.
 *   beacons, chunks    by position, which is their order
 *   runs, marks        at last, when nothing that stays is found through them alone
 *
 * Rollups are removed in the order in which they were begun, which is that of their hours but for what came late; that
 * goes with its neighbours.
 */
#include "collector/store/store_internal.h"

/* At most so many rows of a kind with one commit; a batch adds half of that. */
#define STORE_RETAIN_ROWS 2048u
#define STORE_RETAIN_VIEWS 2048u /* a batch of beacons of as many views adds half of that, too */
#define STORE_RETAIN_LOOK  64u   /* commits between two looks at how many rollups there are */

void store_retain(struct store *self, uint64_t position)
{
    if (position > self->retention.wanted)
        self->retention.wanted = position;
}

static void store_enter_again(struct store *self, int64_t view, const struct store_view_facts *facts)
{
    struct store_entry by_view = store_key_of(facts->view_id), by_session = store_key_of(facts->session_id);
    by_view.a = by_session.a = (uint64_t)view;
    store_runs_add(&self->runs, STORE_KIND_VIEW, &by_view);
    store_runs_add(&self->runs, STORE_KIND_SESSION, &by_session);
}

static void store_delete_views(struct store *self, const int64_t *id, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        sqlite3_stmt *delete = sql_use(&self->sql, STORE_DELETE_VIEW);
        sql_bind_int(&self->sql, delete, 1, id[i]);
        sql_finish(&self->sql, delete);
    }
}

/* false = there is more. */
static bool store_retain_views(struct store *self, uint64_t position)
{
    int64_t old[STORE_RETAIN_VIEWS];
    uint32_t count = 0, seen = 0;
    bool done = false;
    sqlite3_stmt *list = sql_use(&self->sql, STORE_OLD_VIEWS);
    sql_bind_int(&self->sql, list, 1, self->retention.view);
    sql_bind_int(&self->sql, list, 2, STORE_RETAIN_VIEWS);
    while (!done && sql_step(&self->sql, list)) {
        struct store_view_facts facts = {.crashed = 0};
        struct slice bytes = sql_bytes(list, 1);
        int64_t id = sqlite3_column_int64(list, 0);
        if (bytes.size == sizeof facts)
            memcpy(&facts, bytes.data, sizeof facts);
        done = facts.first_position >= position;
        if (done)
            break;
        if (facts.newest_position < position)
            old[count++] = id;
        else
            store_enter_again(self, id, &facts);
        self->retention.view = id;
        seen++;
    }
    if (list)
        sqlite3_reset(list);
    store_delete_views(self, old, count);
    return done || seen < STORE_RETAIN_VIEWS;
}

/* false = there may be more. */
static bool store_retain_rows(struct store *self, enum store_statement statement, uint64_t position)
{
    sqlite3_stmt *delete = sql_use(&self->sql, statement);
    sql_bind_int(&self->sql, delete, 1, (int64_t)position);
    sql_bind_int(&self->sql, delete, 2, STORE_RETAIN_ROWS);
    sql_finish(&self->sql, delete);
    return sqlite3_changes(self->sql.db) < (int)STORE_RETAIN_ROWS;
}

static void store_retain_marks(struct store *self, uint64_t position)
{
    sqlite3_stmt *delete = sql_use(&self->sql, STORE_DELETE_MARKS);
    sql_bind_int(&self->sql, delete, 1, (int64_t)position);
    sql_finish(&self->sql, delete);
}

void store_retain_hours(struct store *self, uint64_t first_hour, uint32_t rollup_rows_max)
{
    self->retention.rollup_rows_max = rollup_rows_max;
    if (first_hour > self->retention.first_hour)
        self->retention.first_hour = first_hour;
}

static bool store_retain_rollups(struct store *self, uint64_t first_hour)
{
    sqlite3_stmt *delete = sql_use(&self->sql, STORE_DELETE_ROLLUPS);
    sql_bind_int(&self->sql, delete, 1, (int64_t)first_hour);
    sql_bind_int(&self->sql, delete, 2, STORE_RETAIN_ROWS);
    sql_bind_int(&self->sql, delete, 3, self->retention.rollup_rows_max);
    sql_finish(&self->sql, delete);
    return sqlite3_changes(self->sql.db) < (int)STORE_RETAIN_ROWS;
}

static void store_retain_join_counts(struct store *self, uint64_t first_hour)
{
    sqlite3_stmt *delete = sql_use(&self->sql, STORE_DELETE_JOIN_COUNTS);
    sql_bind_int(&self->sql, delete, 1, (int64_t)first_hour);
    sql_finish(&self->sql, delete);
}

/* A rollup that memory still has is written again with its old hour, and goes at the next look. */
static void store_retain_counts(struct store *self)
{
    struct store_retention *retention = &self->retention;
    uint64_t first_hour = retention->first_hour;
    bool is_new_hour = first_hour > retention->hours_reached;
    if (retention->rollup_rows_max == 0)
        return; /* nobody has said what is not needed */
    if (++retention->commits < STORE_RETAIN_LOOK && !is_new_hour)
        return;
    bool whole = store_retain_rollups(self, first_hour);
    if (is_new_hour && whole) {
        store_retain_join_counts(self, first_hour);
        retention->hours_reached = first_hour;
    }
    retention->commits = whole ? 0 : STORE_RETAIN_LOOK;
}

void store_retain_step(struct store *self)
{
    struct store_retention *retention = &self->retention;
    if (!self->sql.failed)
        store_retain_counts(self);
    uint64_t position = retention->wanted;
    if (position <= retention->reached || self->sql.failed)
        return;
    bool views = store_retain_views(self, position);
    bool beacons = store_retain_rows(self, STORE_DELETE_BEACONS, position);
    bool chunks = store_retain_rows(self, STORE_DELETE_CHUNKS, position);
    if (!views || !beacons || !chunks)
        return;
    store_runs_drop(&self->runs, position);
    store_retain_marks(self, position);
    retention->reached = position;
    retention->view = 0;
}
