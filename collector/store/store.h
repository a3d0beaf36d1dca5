/*
 * The index: an SQLite file derived from the log, which may be deleted at any time and is rebuilt from it.
 *
 *   struct store         the single writer, one thread. Everything of a batch of log records and the log position after
 *                        it become visible in one transaction, so a replay after a crash counts nothing twice.
 *   struct store_reader  a read-only snapshot, for one other thread; never waits for the writer (WAL).
 *
 * It holds what lists and charts need. Details (entries, requests, spans) stay in the log and are read by position.
 *
 *   apps, routes      names, numbered; bounded, because clients choose them
 *   views             one row a view: the newest header and ledger by seq, whatever the order of arrival, the newest value
 *                     of each metric, and what a crash snapshot's values stand in front of
 *   beacons           log position -> the requests of that beacon: claimed ids and the join
 *   trace_chunks      of each log record with spans: its traces, and the two spans of each that worked longest there
 *   runs, run_blocks  (view id), (session id), (view, seq), (trace id) -> rows of the tables above: see store_runs.h
 *   rollups           (route, metric, hour) -> sketch and rating counts: one value a view
 *   join_counts       (app, hour, request flags, level, reason) -> requests
 *   marks             log positions by receive time, to find where a bounded replay begins
 *
 * Why not a table with a key for each of these: a beacon with twelve requests then took 34 us of statements, most of them
 * changing one row of a b-tree page that no other row of the batch was on. So what belongs to one beacon or one view is one
 * row, changed in memory and written once a batch; tables grow at their end, by position or number; and ids that are as
 * good as random lie in sorted runs. What that costs: the columns in blobs are not for SQL by hand (store_rows.h), and a
 * reader looks into every run.
 *
 * Retention follows the log: store_retain() says from where it still has records. Views, beacons, trace chunks and runs
 * from before go, a few with each batch. Rollups and join counts are small and need no details: they stay until
 * store_retain_hours() says that they are too old, or, of rollups, too many.
 *
 * Hours are those of the view's first received beacon: clients' clocks are not trusted for where a value is counted.
 */
#ifndef VITRACE_STORE_H
#define VITRACE_STORE_H

#include "collector/base/buf.h"

#define STORE_APPS_MAX    256u
#define STORE_ROUTES_MAX  1000u /* of one app; further ones are counted under STORE_ROUTE_OTHER */
#define STORE_ROUTE_OTHER "(other)"
/* 230 routes with six metrics in each hour of 30 days; about 200 bytes each. Beyond it the oldest hours go. */
#define STORE_ROLLUP_ROWS_MAX 1000000u
#define STORE_HOUR_US     UINT64_C(3600000000)

struct store;

/* The `seq` of a snapshot, see store_put_snapshot(). */
#define STORE_SEQ_SNAPSHOT UINT32_MAX

enum store_status {
    STORE_OK = 0,
    STORE_DUPLICATE = 1, /* this (view, seq) is in the index; nothing else was changed */
    STORE_REFUSED = 2,   /* a bound of the index; nothing was changed */
    STORE_SUPERSEDED = 3, /* a snapshot of a view that ended well; nothing was changed */
    STORE_ERROR = -1     /* SQLite failed: the batch can only be rolled back */
};

/*
 * Opens or creates the index. One of another schema version, or one that SQLite cannot read, is deleted and begun anew
 * at position 0. NULL: `error` says what and where.
 */
struct store *store_open(const char *path, char *error, size_t error_size);
/*
 * Caches and what a batch may hold, within about so many bytes: half for SQLite's pages, a quarter for the filters of runs,
 * an eighth each for the views and beacons of a batch and for its fresh ids. Without it: 8, 16, 8 and up to 15 MiB.
 */
void store_limit_memory(struct store *self, uint64_t bytes);
/* On top of that: the pages that a reader caches. */
#define STORE_READER_BYTES (UINT64_C(2) << 20)
/* Rolls back an open batch. */
void store_close(struct store *self);
/* Deletes the index at `path` (no writer may have it open). */
bool store_delete(const char *path);

/* SQLite found what it cannot have written: the batch fails and will fail again, until the index is deleted. */
bool store_is_damaged(const struct store *self);

/* Log position up to which the index is built, as last committed. */
uint64_t store_position(const struct store *self);

/* Errors are sticky within a batch: the writes below may go unchecked, store_commit() then fails. */
bool store_begin(struct store *self);
bool store_commit(struct store *self, uint64_t position);
void store_roll_back(struct store *self);
/* The log begins here now: what is from before is not needed any more. Removed in small steps, with the next commits. */
void store_retain(struct store *self, uint64_t position);
/* Rollups and join counts of earlier hours are not needed any more, and of rollups no more than so many. */
void store_retain_hours(struct store *self, uint64_t first_hour, uint32_t rollup_rows_max);
/* How often a route was met that is counted under STORE_ROUTE_OTHER, since this was last asked. */
uint64_t store_take_overflow(struct store *self);
/* Remembers where a record of this receive time stands. Cheap: keeps one mark a minute or a MiB. */
void store_mark(struct store *self, uint64_t position, uint64_t received_us);

/*
 * A sampled view stands for 1 / rate views. Lower rates than this count as this one: the rate is the client's word, and
 * a single beacon must not outweigh a fleet. What only the flight recorder sent stands for none: bad views are among
 * the sampled ones in their true share, and more of them would make every quantile worse than it is.
 */
#define STORE_WEIGHT_MAX 1000u

/* A view as the writer refers to it within a batch. */
struct store_view {
    int64_t id;
    uint64_t position;    /* of the beacon that was put */
    int64_t app, route;
    uint64_t hour;
    int64_t newest_seq;   /* of its beacons before this one, -1 = none */
    bool crashed, final;  /* before this beacon */
    uint32_t weight;      /* how many views it stands for in rollups, see STORE_WEIGHT_MAX */
};

struct store_ledger {
    uint64_t entries_seen, entries_encoded, lost, main_thread_us;
};

struct store_beacon {
    uint8_t view_id[16], session_id[16];
    struct slice app, route, url;
    uint32_t seq;
    uint64_t position, received_us, started_us;
    uint32_t navigation_type, transport;
    uint32_t segments; /* that the page has sealed so far, for counting missing ones */
    uint32_t dropped;  /* of these, that it never meant to send */
    uint32_t sample_rate_ppm, recorder_trigger;
    bool has_ledger, final;
    struct store_ledger ledger;
    uint32_t errors;
};

/* A beacon of a view that is marked crashed clears the mark, and takes the snapshot's values back. */
enum store_status store_put_beacon(struct store *self, const struct store_beacon *beacon, struct store_view *view);
/*
 * A snapshot (seq STORE_SEQ_SNAPSHOT) says that the page is gone and did not say so itself: the view counts as crashed,
 * unless its newest beacon was final. It is no part of the view's sequence: neither claimed nor received. Its vitals,
 * put under STORE_SEQ_SNAPSHOT, stand in front of the view's until a beacon takes them back. A newer one replaces it.
 */
enum store_status store_put_snapshot(struct store *self, const struct store_beacon *beacon, struct store_view *view);
/* Beacons that came again and were not stored again, so that the log does not know of them. false = unknown view. */
bool store_count_duplicates(struct store *self, const uint8_t view_id[16], uint32_t count);

struct store_vital {
    uint32_t metric, state, rating; /* numbers of beacon.proto */
    double value;
};
/* Only a value of the newest seq counts; what it replaces is taken back from its rollup. */
void store_put_vital(struct store *self, const struct store_view *view, uint32_t seq, const struct store_vital *vital);

enum store_request_kind { STORE_NAVIGATION = 0, STORE_RESOURCE = 1, STORE_CALL = 2 };

struct store_request {
    uint32_t seq, ordinal;
    enum store_request_kind kind;
    uint32_t flags;
    uint32_t url_hash; /* for pairing a call with its resource */
    int64_t start_us;
    struct slice ids; /* opaque to the store */
};
/* Requests are put with their beacon, and from then on go by its position and their ordinal. */
void store_put_request(struct store *self, const struct store_view *view, const struct store_request *request);
void store_set_request_ids(struct store *self, uint64_t position, uint32_t ordinal, struct slice ids);
void store_put_trace_view(struct store *self, const uint8_t trace_id[16], int64_t view, uint32_t seq, uint32_t ordinal);

#define STORE_REQUEST_IDS_BYTES_MAX 256u

struct store_partner {
    uint64_t position; /* of its beacon */
    uint32_t seq, ordinal, flags;
    size_t ids_size;
    uint8_t ids[STORE_REQUEST_IDS_BYTES_MAX];
};
/*
 * The request of the view that shares `trace_id` and is free to pair with `request`: a resource for a call, a call for
 * a resource. Of several, one with the same URL, then the one that started nearest. false = none.
 */
bool store_find_partner(struct store *self, const struct store_view *view, const struct store_request *request,
                        const uint8_t trace_id[16], struct store_partner *partner);
/* From now on the call is a part of the resource and is not counted or listed alone. */
void store_merge_call(struct store *self, uint64_t call_position, uint32_t call_ordinal, uint64_t position,
                      uint32_t ordinal);

struct store_join {
    uint64_t position; /* of the beacon */
    uint32_t ordinal;
    uint32_t level, reason; /* level: higher is better; a join never falls back to a lower level */
    uint8_t trace_id[16], span_id[8];
};
void store_put_join(struct store *self, const struct store_join *join);

#define STORE_TRACE_TOPS 2 /* enough to leave one span out and still know the longest other one */

struct store_trace_top {
    uint8_t span_id[8];
    uint64_t duration_ns;
    struct slice name, service;
    bool waits; /* an outgoing call: whoever it called may tell better what took so long */
};
struct store_trace_part {
    uint8_t trace_id[16];
    uint64_t position;
    uint32_t span_count, top_count;
    struct store_trace_top top[STORE_TRACE_TOPS]; /* longest first; none that had a child in the same record */
};
void store_put_trace_part(struct store *self, const struct store_trace_part *part);
/* Log positions of a trace's spans, oldest first, at most `max`. */
size_t store_find_trace_positions(struct store *self, const uint8_t trace_id[16], uint64_t *positions, size_t max);

/*
 * Reading. Between begin and end every answer comes from the same snapshot. find_* starts a list and next_* steps
 * through it; slices are borrowed until the next call of the same pair. Starting a list again restarts it.
 */
struct store_reader;
struct store_reader *store_reader_open(const char *path, char *error, size_t error_size);
void store_reader_close(struct store_reader *self);
/* The file at its path is another one by now: the index was begun anew. */
bool store_reader_is_stale(const struct store_reader *self);
bool store_reader_is_damaged(const struct store_reader *self); /* as store_is_damaged() */
/* `steps_max`: SQLite virtual machine steps until a query is given up (0 = no bound). */
bool store_reader_begin(struct store_reader *self, uint64_t steps_max);
/* false = something failed or was given up since begin: the answer is incomplete. */
bool store_reader_end(struct store_reader *self);

/*
 * Where a replay begins: the last mark before all that are less than `age_us` older than the last one, or the newest that is
 * `bytes` before the index's position, whichever is later; 0 = the log's beginning. Where the clock was set in between, that
 * is rather too early than too late.
 */
uint64_t store_reader_mark(struct store_reader *self, uint64_t age_us, uint64_t bytes);
uint64_t store_reader_position(struct store_reader *self);

struct store_app_row {
    struct slice name;
    uint64_t views, first_seen_us, last_seen_us;
};
void store_reader_find_apps(struct store_reader *self);
bool store_reader_next_app(struct store_reader *self, struct store_app_row *row);

struct store_view_row {
    int64_t id;
    uint8_t view_id[16], session_id[16];
    struct slice app, route, url;
    uint64_t received_us, started_us;
    uint32_t navigation_type, transport, beacons, segments, dropped, duplicates;
    uint32_t sample_rate_ppm, recorder_trigger;
    bool crashed, final;
    uint64_t errors;
    struct store_ledger ledger;
};
void store_reader_find_views(struct store_reader *self, struct slice app, uint64_t since_us, uint32_t limit);
bool store_reader_next_view(struct store_reader *self, struct store_view_row *row);
/* Those of one session in the order in which they began; they are stepped through by a next_* of their own. */
void store_reader_find_session(struct store_reader *self, struct slice app, const uint8_t session_id[16],
                               uint32_t limit);
bool store_reader_next_session_view(struct store_reader *self, struct store_view_row *row);
bool store_reader_view(struct store_reader *self, const uint8_t view_id[16], struct store_view_row *row);
/* Row of a view, 0 = unknown; `position` of its beacon `seq`, when that is indexed, else 0. */
int64_t store_reader_beacon(struct store_reader *self, const uint8_t view_id[16], uint32_t seq, uint64_t *position);

void store_reader_find_vitals(struct store_reader *self, int64_t view);
bool store_reader_next_vital(struct store_reader *self, struct store_vital *vital);

struct store_beacon_row {
    uint32_t seq;
    uint64_t position;
};
void store_reader_find_beacons(struct store_reader *self, int64_t view);
bool store_reader_next_beacon(struct store_reader *self, struct store_beacon_row *row);

struct store_request_row {
    uint32_t seq, ordinal;
    enum store_request_kind kind;
    bool merged; /* a call that is part of a resource */
    uint32_t flags, level;
    int reason; /* -1 = not answered yet */
    uint8_t trace_id[16], span_id[8];
    struct slice ids;
};
/* In order of (seq, ordinal). */
void store_reader_find_requests(struct store_reader *self, int64_t view);
/* Only those of the beacon at this position. */
void store_reader_find_beacon_requests(struct store_reader *self, uint64_t position);
bool store_reader_next_request(struct store_reader *self, struct store_request_row *row);

void store_reader_find_trace_parts(struct store_reader *self, const uint8_t trace_id[16]);
bool store_reader_next_trace_part(struct store_reader *self, struct store_trace_part *part);

struct store_trace_view_row {
    struct store_view_row view;
    uint32_t seq, ordinal, level;
    uint64_t position; /* of the beacon */
};
/* Requests that claim the trace and are not merged into another, ordered by view. */
void store_reader_find_trace_views(struct store_reader *self, const uint8_t trace_id[16]);
bool store_reader_next_trace_view(struct store_reader *self, struct store_trace_view_row *row);

struct store_rollup_row {
    struct slice route;
    uint64_t good, needs_improvement, poor;
    struct slice sketch;
};
/* Ordered by route, several hours a route. */
void store_reader_find_rollups(struct store_reader *self, struct slice app, uint32_t metric, uint64_t since_hour);
bool store_reader_next_rollup(struct store_reader *self, struct store_rollup_row *row);

struct store_join_count_row {
    uint32_t flags, level, reason;
    uint64_t count;
};
void store_reader_find_join_counts(struct store_reader *self, struct slice app, uint64_t since_hour);
bool store_reader_next_join_count(struct store_reader *self, struct store_join_count_row *row);

/* What pages said that they sent, and what is here. */
struct store_delivery {
    uint64_t views, claimed, received, duplicate, lost, dropped, crashed, final, entries_seen, entries_lost;
};
/* The same for one view. A page that claims less than was received claims what was received. */
struct store_delivery store_view_delivery(const struct store_view_row *row);
/* Of all views since; `app` empty = of all apps. */
bool store_reader_delivery(struct store_reader *self, struct slice app, uint64_t since_us, struct store_delivery *out);

#endif
