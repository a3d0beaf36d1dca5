/* Private to the store: the reader's statements and lists. View columns are in the order of store_reader_read_view(). */
#ifndef VITRACE_STORE_READER_INTERNAL_H
#define VITRACE_STORE_READER_INTERNAL_H

#include "collector/store/store_rows.h"
#include "collector/store/store_scan.h"
#include "collector/store/store_sql.h"

#define STORE_VIEW_COLUMNS "v.id, a.name, r.route, v.url, v.received_us, v.facts"
#define STORE_VIEW_TABLES  "views v JOIN apps a ON a.id = v.app JOIN routes r ON r.id = v.route"

/* S(ID, text) */
#define STORE_READER_STATEMENTS(S)                                                                                     \
    S(POSITION, "SELECT value FROM meta WHERE key = 'position'")                                                       \
    S(MARK, "SELECT max(position) FROM marks WHERE position < (SELECT min(position) FROM marks WHERE received_us >"    \
            " (SELECT received_us FROM marks ORDER BY position DESC LIMIT 1) - ?1)")                                   \
    S(MARK_BEFORE, "SELECT position FROM marks WHERE position <= ?1 ORDER BY position DESC LIMIT 1")                   \
    S(APPS, "SELECT name, views, first_seen_us, last_seen_us FROM apps ORDER BY name")                                 \
    S(VIEWS, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES                                                   \
             " WHERE v.app = (SELECT id FROM apps WHERE name = ?1) AND v.received_us >= ?2"                            \
             " ORDER BY v.received_us DESC, v.id DESC LIMIT ?3")                                                       \
    S(DELIVERY, "SELECT facts FROM views WHERE (?1 = '' OR app = (SELECT id FROM apps WHERE name = ?1))"               \
                " AND received_us >= ?2")                                                                              \
    S(VIEW, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES " WHERE v.id = ?1")                                \
    S(TRACE_VIEW, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES " WHERE v.id = ?1")                          \
    S(SESSION_VIEW, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES " WHERE v.id = ?1")                        \
    S(FACTS, "SELECT facts, vitals FROM views WHERE id = ?1")                                                          \
    S(BEACON, "SELECT body FROM beacons WHERE position = ?1")                                                          \
    S(CLAIM_BEACON, "SELECT body FROM beacons WHERE position = ?1")                                                    \
    S(RUNS, "SELECT id FROM runs WHERE kind = ?1")                                                                     \
    S(BLOCK_AT, STORE_SCAN_BLOCK_AT)                                                                                   \
    S(BLOCK_AFTER, STORE_SCAN_BLOCK_AFTER)                                                                             \
    S(CHUNK, "SELECT parts FROM trace_chunks WHERE id = ?1")                                                           \
    S(ROLLUPS, "SELECT r.route, x.good, x.needs_improvement, x.poor, x.sketch FROM routes r"                           \
               " JOIN rollups x ON x.route = r.id WHERE r.app = (SELECT id FROM apps WHERE name = ?1)"                 \
               " AND x.metric = ?2 AND x.hour >= ?3 ORDER BY r.route, x.hour")                                         \
    S(JOIN_COUNTS, "SELECT flags, level, reason, sum(count) FROM join_counts"                                          \
                   " WHERE app = (SELECT id FROM apps WHERE name = ?1) AND hour >= ?2"                                 \
                   " GROUP BY flags, level, reason HAVING sum(count) > 0 ORDER BY flags, level, reason")

#define STORE_READER_ENUM(id, text) STORE_READER_##id,
enum store_reader_statement { STORE_READER_STATEMENTS(STORE_READER_ENUM) STORE_READER_STATEMENT_COUNT };

/* Views of one session, sorted before the first is given. */
struct store_session {
    struct store_session_view {
        uint64_t started_us;
        int64_t id;
    } *view;
    size_t count, room, at;
};

/* The beacons of one view by seq; its crash snapshot comes last. */
struct store_beacon_list {
    struct store_scan scan;
    uint64_t snapshot_position; /* STORE_NOWHERE = none, or given */
};

/* The requests of one beacon after the other. */
struct store_request_list {
    struct store_beacon_list beacons;
    struct store_body body; /* borrows from the statement */
    bool open;              /* a body is being read */
    bool more;              /* and further beacons follow */
};

struct store_reader {
    struct sql sql;
    char *path;
    uint64_t file; /* its inode */
    uint64_t steps_left; /* 0 = no bound */
    bool bounded;
    struct store_vital vital[STORE_METRICS];
    uint32_t vital_at, vital_count;
    struct store_beacon_list beacons;
    struct store_request_list requests;
    struct store_session session;
    struct store_scan find, trace_parts, trace_views;
    struct store_entry trace_view; /* the last one given */
};

/* The list's statement, started; its next_* steps the same one. */
sqlite3_stmt *store_reader_current(struct store_reader *self, enum store_reader_statement id);
void store_reader_read_view(sqlite3_stmt *statement, struct store_view_row *row);
/* Starts a walk over the entries of a kind. */
void store_reader_scan(struct store_reader *self, struct store_scan *scan, enum store_kind kind,
                       const struct store_entry *low, const struct store_entry *high);
/* `statement`: one of those with view columns and an id, of which each list has its own to borrow from. */
bool store_reader_view_by_id(struct store_reader *self, enum store_reader_statement statement, int64_t id,
                             struct store_view_row *row);
bool store_reader_facts(struct store_reader *self, int64_t view, struct store_view_facts *facts);
/* Position of the view's beacon, or STORE_NOWHERE. */
uint64_t store_reader_position_of(struct store_reader *self, int64_t view, uint32_t seq);
/* Borrowed until the statement's next use. */
bool store_reader_body(struct store_reader *self, enum store_reader_statement statement, uint64_t position,
                       struct store_body *body);

#endif
