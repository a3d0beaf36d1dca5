/* Private to the store: the reader's statements. View columns stand first, in the order of store_reader_read_view(). */
#ifndef VITRACE_STORE_READER_INTERNAL_H
#define VITRACE_STORE_READER_INTERNAL_H

#include "collector/store/store.h"
#include "collector/store/store_sql.h"

#define STORE_VIEW_COLUMNS                                                                                             \
    "v.id, v.view_id, v.session_id, a.name, r.route, v.url, v.received_us, v.started_us, v.navigation_type,"           \
    " v.transport, v.beacons, v.segments, v.errors, v.entries_seen, v.entries_encoded, v.lost, v.main_thread_us,"        \
    " v.dropped, v.duplicates, v.sample_rate_ppm, v.recorder_trigger, v.crashed, v.final"
#define STORE_VIEW_COLUMN_COUNT 23
#define STORE_VIEW_TABLES "views v JOIN apps a ON a.id = v.app JOIN routes r ON r.id = v.route"

/* S(ID, text) */
#define STORE_READER_STATEMENTS(S)                                                                                     \
    S(POSITION, "SELECT value FROM meta WHERE key = 'position'")                                                       \
    S(MARK, "SELECT position FROM marks WHERE received_us <= (SELECT max(received_us) FROM marks) - ?1"                \
            " ORDER BY position DESC LIMIT 1")                                                                         \
    S(MARK_BEFORE, "SELECT position FROM marks WHERE position <= ?1 ORDER BY position DESC LIMIT 1")                   \
    S(APPS, "SELECT name, views, first_seen_us, last_seen_us FROM apps ORDER BY name")                                 \
    S(VIEWS, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES                                                   \
             " WHERE v.app = (SELECT id FROM apps WHERE name = ?1) AND v.received_us >= ?2"                            \
             " ORDER BY v.received_us DESC, v.id DESC LIMIT ?3")                                                       \
    S(SESSION_VIEWS, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES                                           \
                     " WHERE v.session_id = ?1 AND a.name = ?2 ORDER BY v.started_us, v.id LIMIT ?3")                  \
    S(DELIVERY, "SELECT count(*), sum(max(segments - dropped, beacons)), sum(beacons), sum(duplicates),"               \
                " sum(max(segments - dropped - beacons, 0)), sum(dropped), sum(crashed), sum(final), sum(entries_seen),"   \
                " sum(lost) FROM views WHERE (?1 = '' OR app = (SELECT id FROM apps WHERE name = ?1))"                 \
                " AND received_us >= ?2")                                                                              \
    S(VIEW, "SELECT " STORE_VIEW_COLUMNS " FROM " STORE_VIEW_TABLES " WHERE v.view_id = ?1")                           \
    S(BEACON, "SELECT v.id, b.position FROM views v LEFT JOIN view_beacons b ON b.view = v.id AND b.seq = ?2"          \
              " WHERE v.view_id = ?1")                                                                                 \
    S(VITALS, "SELECT metric, state, value, rating FROM view_vitals WHERE view = ?1 ORDER BY metric")                  \
    S(BEACONS, "SELECT seq, position FROM view_beacons WHERE view = ?1 ORDER BY seq")                                  \
    S(REQUESTS, "SELECT seq, ordinal, kind, merged, flags, level, reason, trace_id, span_id, ids FROM requests"        \
                " WHERE view = ?1 ORDER BY seq, ordinal")                                                              \
    S(TRACE_PARTS, "SELECT position, spans, tops, first_span, first_duration_ns, first_name, first_service,"           \
                   " second_span, second_duration_ns, second_name, second_service, waits FROM trace_spans"                    \
                   " WHERE low = ?1 AND high = ?2 ORDER BY position")                                                  \
    S(TRACE_VIEWS, "SELECT " STORE_VIEW_COLUMNS ", t.seq, t.ordinal, q.level, b.position"                              \
                   " FROM " STORE_VIEW_TABLES " JOIN trace_views t ON t.view = v.id"                                   \
                   " JOIN requests q ON q.view = t.view AND q.seq = t.seq AND q.ordinal = t.ordinal"                   \
                   " JOIN view_beacons b ON b.view = t.view AND b.seq = t.seq"                                         \
                   " WHERE t.low = ?1 AND t.high = ?2 AND q.merged <> 1 ORDER BY t.view, t.seq, t.ordinal")            \
    S(ROLLUPS, "SELECT r.route, x.good, x.needs_improvement, x.poor, x.sketch FROM routes r"                           \
               " JOIN rollups x ON x.route = r.id WHERE r.app = (SELECT id FROM apps WHERE name = ?1)"                 \
               " AND x.metric = ?2 AND x.hour >= ?3 ORDER BY r.route, x.hour")                                         \
    S(JOIN_COUNTS, "SELECT flags, level, reason, sum(count) FROM join_counts"                                          \
                   " WHERE app = (SELECT id FROM apps WHERE name = ?1) AND hour >= ?2"                                 \
                   " GROUP BY flags, level, reason HAVING sum(count) > 0 ORDER BY flags, level, reason")

#define STORE_READER_ENUM(id, text) STORE_READER_##id,
enum store_reader_statement { STORE_READER_STATEMENTS(STORE_READER_ENUM) STORE_READER_STATEMENT_COUNT };

struct store_reader {
    struct sql sql;
    uint64_t steps_left; /* 0 = no bound */
    bool bounded;
};

/* The list's statement, started; its next_* steps the same one. */
sqlite3_stmt *store_reader_current(struct store_reader *self, enum store_reader_statement id);
void store_reader_read_view(sqlite3_stmt *statement, struct store_view_row *row);

#endif
