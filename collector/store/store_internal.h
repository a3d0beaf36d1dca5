/* Private to the store: the writer's statements, its caches, and the order in which a commit flushes them. */
#ifndef VITRACE_STORE_INTERNAL_H
#define VITRACE_STORE_INTERNAL_H

#include "collector/store/store.h"
#include "collector/store/store_sql.h"
#include "proto/wire/sketch.h"

/* Of the tables below. Another version in the file = the file is deleted and rebuilt. */
#define STORE_SCHEMA_VERSION 2

/* S(ID, text) */
#define STORE_STATEMENTS(S)                                                                                            \
    S(SET_META, "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)")                                              \
    S(ADD_MARK, "INSERT OR IGNORE INTO marks(position, received_us) VALUES(?1, ?2)")                                   \
    S(FIND_APP, "SELECT id FROM apps WHERE name = ?1")                                                                 \
    S(COUNT_APPS, "SELECT count(*) FROM apps")                                                                         \
    S(ADD_APP, "INSERT INTO apps(name, first_seen_us, last_seen_us, views) VALUES(?1, ?2, ?2, 0)")                     \
    S(TOUCH_APP, "UPDATE apps SET first_seen_us = min(first_seen_us, ?2), last_seen_us = max(last_seen_us, ?2),"       \
                 " views = views + ?3 WHERE id = ?1")                                                                  \
    S(FIND_ROUTE, "SELECT id FROM routes WHERE app = ?1 AND route = ?2")                                               \
    S(COUNT_ROUTES, "SELECT count(*) FROM routes WHERE app = ?1")                                                      \
    S(ADD_ROUTE, "INSERT INTO routes(app, route) VALUES(?1, ?2)")                                                      \
    S(FIND_VIEW, "SELECT id, app, route, hour, newest_seq, crashed, final, sample_rate_ppm, recorder_trigger"          \
                 " FROM views WHERE view_id = ?1")                                                                     \
    S(ADD_VIEW, "INSERT INTO views(view_id, session_id, app, route, received_us, hour, newest_seq, ledger_seq, url,"   \
                " started_us, navigation_type, transport, segments, errors, beacons, duplicates, entries_seen,"        \
                " entries_encoded, lost, main_thread_us, dropped, final, crashed, sample_rate_ppm, recorder_trigger)"  \
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, -1, -1, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?7, ?8)")       \
    S(ADD_BEACON, "INSERT OR IGNORE INTO view_beacons(view, seq, position) VALUES(?1, ?2, ?3)")                        \
    S(COUNT_BEACON, "UPDATE views SET beacons = beacons + 1, errors = errors + ?2, segments = max(segments, ?3),"      \
                    " dropped = max(dropped, ?4) WHERE id = ?1")                                                       \
    S(COUNT_DUPLICATES, "UPDATE views SET duplicates = duplicates + ?2 WHERE view_id = ?1")                            \
    S(SET_SNAPSHOT, "INSERT OR REPLACE INTO view_beacons(view, seq, position) VALUES(?1, 4294967295, ?2)")             \
    S(SET_CRASHED, "UPDATE views SET crashed = ?2 WHERE id = ?1")                                                      \
    S(SET_SNAPSHOT_LEDGER, "UPDATE views SET entries_seen = ?2, entries_encoded = ?3, lost = ?4, main_thread_us = ?5"  \
                           " WHERE id = ?1")                                                                           \
    S(DELETE_SNAPSHOT, "DELETE FROM view_beacons WHERE view = ?1 AND seq = 4294967295")                                \
    S(COVER_VITAL, "INSERT OR IGNORE INTO covered_vitals(view, metric, seq, state, value, rating)"                     \
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                                                                  \
    S(LIST_COVERING, "SELECT v.metric, v.state, v.value, v.rating, c.seq, c.state, c.value, c.rating FROM view_vitals v" \
                     " LEFT JOIN covered_vitals c ON c.view = v.view AND c.metric = v.metric"                          \
                     " WHERE v.view = ?1 AND v.seq = 4294967295")                                                      \
    S(DELETE_COVERING, "DELETE FROM view_vitals WHERE view = ?1 AND seq = 4294967295")                                 \
    S(RESTORE_COVERED, "INSERT INTO view_vitals SELECT view, metric, seq, state, value, rating FROM covered_vitals"    \
                       " WHERE view = ?1")                                                                             \
    S(DELETE_COVERED, "DELETE FROM covered_vitals WHERE view = ?1")                                                    \
    S(SET_HEADER, "UPDATE views SET newest_seq = ?2, route = ?3, url = ?4, started_us = ?5, navigation_type = ?6,"     \
                  " transport = ?7 WHERE id = ?1")                                                                     \
    S(SET_LEDGER, "UPDATE views SET ledger_seq = ?2, entries_seen = ?3, entries_encoded = ?4, lost = ?5,"              \
                  " main_thread_us = ?6, final = ?7 WHERE id = ?1 AND ledger_seq < ?2")                                \
    S(FIND_VITAL, "SELECT seq, state, value, rating FROM view_vitals WHERE view = ?1 AND metric = ?2")                 \
    S(LIST_VITALS, "SELECT metric, state, value, rating FROM view_vitals WHERE view = ?1")                             \
    S(SET_VITAL, "INSERT OR REPLACE INTO view_vitals(view, metric, seq, state, value, rating)"                         \
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                                                                    \
    S(FIND_ROLLUP, "SELECT good, needs_improvement, poor, sketch FROM rollups"                                         \
                   " WHERE route = ?1 AND metric = ?2 AND hour = ?3")                                                  \
    S(SET_ROLLUP, "INSERT INTO rollups(route, metric, hour, good, needs_improvement, poor, sketch)"                    \
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(route, metric, hour) DO UPDATE SET"                 \
                  " good = ?4, needs_improvement = ?5, poor = ?6, sketch = ?7")                                        \
    S(ADD_REQUEST, "INSERT OR REPLACE INTO requests(view, seq, ordinal, kind, flags, url_hash, start_us, ids, level,"  \
                   " reason, merged) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, -1, 0)")                                \
    S(SET_REQUEST_IDS, "UPDATE requests SET ids = ?4 WHERE view = ?1 AND seq = ?2 AND ordinal = ?3")                   \
    S(ADD_TRACE_VIEW, "INSERT OR IGNORE INTO trace_views(low, high, view, seq, ordinal) VALUES(?1, ?2, ?3, ?4, ?5)")   \
    S(FIND_PARTNER, "SELECT r.seq, r.ordinal, r.ids, r.flags FROM trace_views t JOIN requests r"                       \
                    " ON r.view = t.view AND r.seq = t.seq AND r.ordinal = t.ordinal"                                  \
                    " WHERE t.low = ?1 AND t.high = ?2 AND t.view = ?3 AND r.kind = ?4 AND r.merged = 0"               \
                    " ORDER BY r.url_hash <> ?5, abs(r.start_us - ?6), r.seq, r.ordinal LIMIT 1")                      \
    S(FIND_REQUEST, "SELECT r.level, r.reason, r.flags, r.merged, v.app, v.hour FROM requests r"                       \
                    " JOIN views v ON v.id = r.view WHERE r.view = ?1 AND r.seq = ?2 AND r.ordinal = ?3")              \
    S(SET_MERGED, "UPDATE requests SET merged = ?4 WHERE view = ?1 AND seq = ?2 AND ordinal = ?3")                     \
    S(SET_JOIN, "UPDATE requests SET level = ?4, reason = ?5, trace_id = ?6, span_id = ?7"                             \
                " WHERE view = ?1 AND seq = ?2 AND ordinal = ?3")                                                      \
    S(ADD_JOIN_COUNT, "INSERT INTO join_counts(app, hour, flags, level, reason, count) VALUES(?1, ?2, ?3, ?4, ?5, ?6)" \
                      " ON CONFLICT(app, hour, flags, level, reason) DO UPDATE SET count = count + ?6")                \
    S(SET_TRACE_PART, "INSERT OR REPLACE INTO trace_spans(low, high, position, spans, tops, first_span,"               \
                      " first_duration_ns, first_name, first_service, second_span, second_duration_ns, second_name,"   \
                      " second_service, waits) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)") \
    S(FIND_POSITIONS, "SELECT position FROM trace_spans WHERE low = ?1 AND high = ?2 ORDER BY position LIMIT ?3")

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

struct store {
    struct sql sql;
    uint64_t position;
    uint64_t mark_position, mark_us; /* of the last mark */
    unsigned rollup_next;            /* slot to reuse */
    unsigned join_count_used;
    struct store_rollup rollup[STORE_ROLLUPS_MAX];
    struct store_join_count join_count[STORE_JOIN_COUNTS_MAX];
};

void store_rollups_flush(struct store *self);
void store_join_counts_flush(struct store *self);
/* Moves the vitals of a view to the rollups of another route. */
void store_move_vitals(struct store *self, const struct store_view *view, int64_t route);
/* Takes the values of a snapshot back, and puts those that they stood in front of in their places. */
void store_uncover_vitals(struct store *self, const struct store_view *view);

/* A trace id as two integers; low is the half that 64-bit tracers fill. */
struct store_trace_key {
    int64_t low, high;
};
struct store_trace_key store_trace_key_of(const uint8_t trace_id[16]);

#endif
