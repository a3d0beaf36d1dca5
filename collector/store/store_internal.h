/* Private to the store: the writer's statements, the batch in memory, and the order in which a commit writes it. */
#ifndef VITRACE_STORE_INTERNAL_H
#define VITRACE_STORE_INTERNAL_H

#include "collector/store/store.h"
#include "collector/store/store_arena.h"
#include "collector/store/store_rows.h"
#include "collector/store/store_runs.h"
#include "collector/store/store_sql.h"
#include "proto/wire/sketch.h"

/* S(ID, text) */
#define STORE_STATEMENTS(S)                                                                                            \
    S(SET_META, "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")                                              \
    S(ADD_MARK, "INSERT OR IGNORE INTO marks(position, received_us) VALUES(?1, ?2)")                                   \
    S(LIST_APPS, "SELECT id, name, first_seen_us, last_seen_us, views FROM apps")                                      \
    S(SET_APP, "INSERT OR REPLACE INTO apps(id, name, first_seen_us, last_seen_us, views) VALUES(?1, ?2, ?3, ?4, ?5)") \
    S(FIND_ROUTE, "SELECT id FROM routes WHERE app = ?1 AND route = ?2")                                               \
    S(COUNT_ROUTES, "SELECT count(*) FROM routes WHERE app = ?1")                                                      \
    S(ADD_ROUTE, "INSERT INTO routes(app, route) VALUES(?1, ?2)")                                                      \
    S(GET_VIEW, "SELECT app, route, received_us, facts, url, vitals FROM views WHERE id = ?1")                         \
    S(SET_VIEW, "INSERT OR REPLACE INTO views(id, app, route, received_us, facts, url, vitals)"                        \
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                                 \
    S(GET_BEACON, "SELECT body FROM beacons WHERE position = ?1")                                                      \
    S(SET_BEACON, "INSERT OR REPLACE INTO beacons(position, body) VALUES(?1, ?2)")                                     \
    S(FIND_ROLLUP, "SELECT good, needs_improvement, poor, sketch FROM rollups"                                         \
                   " WHERE route = ?1 AND metric = ?2 AND hour = ?3")                                                  \
    S(SET_ROLLUP, "INSERT INTO rollups(route, metric, hour, good, needs_improvement, poor, sketch)"                    \
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(route, metric, hour) DO UPDATE SET"                 \
                  " good = ?4, needs_improvement = ?5, poor = ?6, sketch = ?7")                                        \
    S(ADD_JOIN_COUNT, "INSERT INTO join_counts(app, hour, flags, level, reason, count) VALUES(?1, ?2, ?3, ?4, ?5, ?6)" \
                      " ON CONFLICT(app, hour, flags, level, reason) DO UPDATE SET count = count + ?6")                \
    S(ADD_CHUNK, "INSERT INTO trace_chunks(id, position, parts) VALUES(?1, ?2, ?3)")                                   \
    S(LIST_RUNS, "SELECT id, kind, level, entries, newest, filter FROM runs ORDER BY id")                              \
    S(ADD_RUN, "INSERT INTO runs(id, kind, level, entries, newest, filter) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")            \
    S(DELETE_RUN, "DELETE FROM runs WHERE id = ?1")                                                                    \
    S(ADD_BLOCK, "INSERT INTO run_blocks(run, first, entries) VALUES(?1, ?2, ?3)")                                     \
    S(DELETE_BLOCKS, "DELETE FROM run_blocks WHERE run = ?1")                                                          \
    S(BLOCK_AT, STORE_SCAN_BLOCK_AT)                                                                                   \
    S(BLOCK_AFTER, STORE_SCAN_BLOCK_AFTER)                                                                             \
    S(OLD_VIEWS, "SELECT id, facts FROM views WHERE id > ?1 ORDER BY id LIMIT ?2")                                     \
    S(DELETE_VIEW, "DELETE FROM views WHERE id = ?1")                                                                  \
    S(DELETE_BEACONS, "DELETE FROM beacons WHERE position IN"                                                          \
                      " (SELECT position FROM beacons WHERE position < ?1 ORDER BY position LIMIT ?2)")                \
    S(DELETE_CHUNKS, "DELETE FROM trace_chunks WHERE id IN"                                                            \
                     " (SELECT id FROM trace_chunks ORDER BY id LIMIT ?2) AND position < ?1")                          \
    S(DELETE_ROLLUPS, "DELETE FROM rollups WHERE id IN (SELECT id FROM rollups ORDER BY id LIMIT ?2)"                  \
                      " AND (hour < ?1 OR id <= (SELECT max(id) FROM rollups) - ?3)")                                  \
    S(DELETE_JOIN_COUNTS, "DELETE FROM join_counts WHERE app IN (SELECT id FROM apps) AND hour < ?1")                  \
    S(DELETE_MARKS, "DELETE FROM marks WHERE position < ?1")

#define STORE_STATEMENT_ENUM(id, text) STORE_##id,
enum store_statement { STORE_STATEMENTS(STORE_STATEMENT_ENUM) STORE_STATEMENT_COUNT };

/*
 * A view is counted in few rollups and join counts, and a batch has many views of few routes: both are changed in
 * memory and written when a slot is needed or the batch commits. 16 rollups of 4.3 KB.
 */
#define STORE_ROLLUPS_MAX 16
#define STORE_JOIN_COUNTS_MAX 64

struct store_rollup {
    bool used, dirty;
    int64_t route;
    uint32_t metric;
    uint64_t hour;
    int64_t rated[4]; /* by Rating */
    struct sketch sketch;
};

struct store_join_count {
    int64_t app;
    uint64_t hour;
    uint32_t flags, level, reason;
    int64_t change;
};

struct store_app {
    int64_t id; /* row; from 1 without gaps */
    char *name;
    size_t name_size;
    uint64_t first_seen_us, last_seen_us, views;
    uint32_t routes; /* how many it has */
    int64_t other;   /* its STORE_ROUTE_OTHER, 0 = none yet */
    bool dirty, routes_known;
};

/* Routes met lately, one a slot: 256 x 160 bytes. Longer names are looked up each time. */
#define STORE_ROUTE_SLOTS      256u
#define STORE_ROUTE_BYTES_MAX  128u
struct store_route_slot {
    int64_t app, id; /* 0 = free */
    uint8_t size;
    uint8_t name[STORE_ROUTE_BYTES_MAX];
};

/* A view that this batch touched: its row, decoded. */
struct store_view_state {
    struct store_view_state *next_of_id, *next_of_view_id;
    int64_t id, app, route;
    uint64_t received_us;
    struct store_view_facts facts;
    struct slice url;       /* in the arena */
    struct store_vital_fact vital[STORE_METRICS], covered[STORE_METRICS];
    bool stored; /* the file has a row, which may have beacons */
    bool dirty;
};

struct store_request_state {
    struct store_request_fact fact;
    struct store_join_fact join; /* only kept when fact.joined */
    const uint8_t *ids;          /* in the arena */
};

/* A beacon whose requests this batch put or changed. */
struct store_beacon_state {
    struct store_beacon_state *next;
    uint64_t position;
    struct store_beacon_fact fact;
    struct store_request_state *request; /* by ordinal, in the arena */
    uint32_t room;
    bool dirty;
};

#define STORE_STATE_BUCKETS 2048u
/* What the arena may hold before everything is written and forgotten, within the batch: 1,000 beacons of 60 requests. */
#define STORE_STATE_BYTES_MAX ((size_t)8 << 20)

struct store_states {
    struct store_arena arena;
    size_t bytes_max; /* of the arena, give or take one beacon */
    struct store_view_state *by_id[STORE_STATE_BUCKETS], *by_view_id[STORE_STATE_BUCKETS];
    struct store_beacon_state *by_position[STORE_STATE_BUCKETS];
    uint32_t views, beacons;
};

/* Parts of traces that wait to be written, up to about a page of them. */
#define STORE_CHUNK_BYTES      3800u
#define STORE_CHUNK_BYTES_MAX  65536u /* a part's offset has 16 bits */
struct store_chunk {
    int64_t id;
    uint64_t position; /* of its first part */
    uint32_t used;
    uint8_t bytes[STORE_CHUNK_BYTES_MAX];
};

struct store_retention {
    uint64_t wanted;  /* nothing from before this position is needed */
    uint64_t reached; /* up to which everything has been removed */
    int64_t view;     /* the last one looked at on the way; 0 = at the beginning */
    uint64_t first_hour, hours_reached; /* wanted, and below which no rollup or join count is left */
    uint32_t rollup_rows_max;
    uint32_t commits;                   /* since rollups were last looked at */
};

struct store {
    struct sql sql;
    uint64_t position;
    uint64_t mark_position, mark_us; /* of the last mark */
    int64_t next_view, next_chunk;
    bool loaded; /* what memory knows of the file is what stands there: else no batch begins */
    struct store_runs runs;
    struct store_states states;
    struct store_chunk chunk;
    struct store_retention retention;
    uint32_t app_count;
    uint64_t overflow; /* see store_take_overflow() */
    bool apps_loaded;
    struct store_app app[STORE_APPS_MAX];
    struct store_route_slot route[STORE_ROUTE_SLOTS];
    unsigned rollup_next; /* slot to reuse */
    unsigned join_count_used;
    struct store_rollup rollup[STORE_ROLLUPS_MAX];
    struct store_join_count join_count[STORE_JOIN_COUNTS_MAX];
};

void store_rollups_flush(struct store *self);
void store_join_counts_flush(struct store *self);
/* Moves the vitals of a view to the rollups of another route. */
void store_move_vitals(struct store *self, const struct store_view_state *view, int64_t route);
/* Takes the values of a snapshot back, and puts those that they stood in front of in their places. */
void store_uncover_vitals(struct store *self, struct store_view_state *view);
uint32_t store_weight(uint32_t sample_rate_ppm, uint32_t recorder_trigger);

/* Number of the app, which is entered when it is new; 0 = refused or failed. */
int64_t store_app(struct store *self, struct slice name, uint64_t received_us);
void store_touch_app(struct store *self, int64_t app, uint64_t received_us, uint64_t views);
int64_t store_route(struct store *self, int64_t app, struct slice route);
void store_apps_flush(struct store *self);
void store_names_forget(struct store *self);

/* NULL = unknown, or failed. Pointers hold until store_states_trim() or a flush. */
struct store_view_state *store_states_view(struct store *self, int64_t id);
struct store_view_state *store_states_find_view(struct store *self, const uint8_t view_id[16]);
struct store_view_state *store_states_add_view(struct store *self, const struct store_beacon *beacon);
struct store_beacon_state *store_states_beacon(struct store *self, uint64_t position);
struct store_beacon_state *store_states_add_beacon(struct store *self, const struct store_view_state *view,
                                                   uint32_t seq, uint64_t position);
struct store_request_state *store_beacon_add_request(struct store *self, struct store_beacon_state *beacon);
struct store_request_state *store_beacon_find_request(struct store_beacon_state *self, uint32_t ordinal);
/* Copies; false = out of memory. */
bool store_states_copy(struct store *self, struct slice bytes, const uint8_t **out);
/* Writes and forgets everything when it has become much. */
void store_states_trim(struct store *self);
void store_states_flush(struct store *self);
void store_states_forget(struct store *self);

void store_chunk_flush(struct store *self);
/* A step towards store_retain()'s goal. */
void store_retain_step(struct store *self);

#endif
