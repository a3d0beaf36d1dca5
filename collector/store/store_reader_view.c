/* The reader's lists of one view or session: vitals, beacons, requests. */
#include "collector/store/store_reader_internal.h"

#include <stdlib.h>

#define STORE_SESSION_VIEWS_MAX 65536u /* of one session that are sorted: 1 MB */

void store_reader_find_vitals(struct store_reader *self, int64_t view)
{
    struct store_vital_fact fact;
    self->vital_at = self->vital_count = 0;
    sqlite3_stmt *find = sql_use(&self->sql, STORE_READER_FACTS);
    sql_bind_int(&self->sql, find, 1, view);
    if (!sql_step(&self->sql, find))
        return;
    struct slice vitals = sql_bytes(find, 1);
    for (size_t at = 0; at + sizeof fact <= vitals.size && self->vital_count < STORE_METRICS; at += sizeof fact) {
        memcpy(&fact, vitals.data + at, sizeof fact);
        if (!fact.covered)
            self->vital[self->vital_count++] = (struct store_vital){
                .metric = fact.metric, .state = fact.state, .value = fact.value, .rating = fact.rating};
    }
    sqlite3_reset(find);
}

bool store_reader_next_vital(struct store_reader *self, struct store_vital *vital)
{
    if (self->vital_at == self->vital_count)
        return false;
    *vital = self->vital[self->vital_at++];
    return true;
}

static void store_beacon_list_start(struct store_reader *self, struct store_beacon_list *list, int64_t view)
{
    struct store_entry low = store_beacon_key(view, 0), high = store_beacon_key(view, UINT32_MAX);
    struct store_view_facts facts;
    high.a = high.b = UINT64_MAX;
    list->snapshot_position = store_reader_facts(self, view, &facts) ? facts.snapshot_position : STORE_NOWHERE;
    store_reader_scan(self, &list->scan, STORE_KIND_BEACON, &low, &high);
}

static bool store_beacon_list_next(struct store_beacon_list *self, struct store_beacon_row *row)
{
    struct store_entry entry;
    if (store_scan_next(&self->scan, &entry)) {
        row->seq = store_beacon_key_seq(&entry);
        row->position = entry.a;
        return true;
    }
    row->seq = STORE_SEQ_SNAPSHOT;
    row->position = self->snapshot_position;
    self->snapshot_position = STORE_NOWHERE;
    return row->position != STORE_NOWHERE;
}

void store_reader_find_beacons(struct store_reader *self, int64_t view)
{
    store_beacon_list_start(self, &self->beacons, view);
}

bool store_reader_next_beacon(struct store_reader *self, struct store_beacon_row *row)
{
    return store_beacon_list_next(&self->beacons, row);
}

bool store_reader_body(struct store_reader *self, enum store_reader_statement statement, uint64_t position,
                       struct store_body *body)
{
    sqlite3_stmt *find = sql_use(&self->sql, statement);
    sql_bind_int(&self->sql, find, 1, (int64_t)position);
    return sql_step(&self->sql, find) && store_body_init(body, sql_bytes(find, 0));
}

void store_reader_find_requests(struct store_reader *self, int64_t view)
{
    store_beacon_list_start(self, &self->requests.beacons, view);
    self->requests.open = false;
    self->requests.more = true;
}

void store_reader_find_beacon_requests(struct store_reader *self, uint64_t position)
{
    self->requests.open = store_reader_body(self, STORE_READER_BEACON, position, &self->requests.body);
    self->requests.more = false;
}

/* The next body with requests in it; a snapshot has none. */
static bool store_request_list_open(struct store_reader *self)
{
    struct store_beacon_row beacon;
    struct store_request_list *list = &self->requests;
    while (list->more && store_beacon_list_next(&list->beacons, &beacon))
        if (store_reader_body(self, STORE_READER_BEACON, beacon.position, &list->body))
            return true;
    return false;
}

bool store_reader_next_request(struct store_reader *self, struct store_request_row *row)
{
    struct store_request_list *list = &self->requests;
    struct store_request_fact fact;
    struct store_join_fact join;
    while (!list->open || !store_body_next(&list->body, &fact, &row->ids, &join)) {
        list->open = store_request_list_open(self);
        if (!list->open)
            return false;
    }
    row->seq = list->body.fact.seq;
    row->ordinal = fact.ordinal;
    row->kind = (enum store_request_kind)fact.kind;
    row->merged = fact.merged == STORE_MERGED_CALL;
    row->flags = fact.flags;
    row->level = fact.level;
    row->reason = fact.reason;
    memcpy(row->trace_id, join.trace_id, sizeof row->trace_id);
    memcpy(row->span_id, join.span_id, sizeof row->span_id);
    return true;
}

static int store_compare_session_views(const void *left, const void *right)
{
    const struct store_session_view *a = left, *b = right;
    if (a->started_us != b->started_us)
        return a->started_us < b->started_us ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static bool store_session_add(struct store_session *self, int64_t id, uint64_t started_us)
{
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 64;
        struct store_session_view *grown =
            room <= STORE_SESSION_VIEWS_MAX ? realloc(self->view, room * sizeof *grown) : NULL;
        if (!grown)
            return false;
        self->view = grown;
        self->room = room;
    }
    self->view[self->count++] = (struct store_session_view){started_us, id};
    return true;
}

/* More views than can be sorted make the answer incomplete. */
void store_reader_find_session(struct store_reader *self, struct slice app, const uint8_t session_id[16],
                               uint32_t limit)
{
    struct store_entry low = store_key_of(session_id), high = store_key_end(&low), entry;
    struct store_session *session = &self->session;
    struct store_view_row row;
    int64_t last = 0;
    session->count = session->at = 0;
    store_reader_scan(self, &self->find, STORE_KIND_SESSION, &low, &high);
    while (store_scan_next(&self->find, &entry)) {
        bool again = (int64_t)entry.a == last;
        last = (int64_t)entry.a;
        if (again || !store_reader_view_by_id(self, STORE_READER_SESSION_VIEW, last, &row) || !slice_equal(row.app, app))
            continue;
        if (!store_session_add(session, last, row.started_us)) {
            self->sql.failed = true;
            return;
        }
    }
    if (session->count > 0)
        qsort(session->view, session->count, sizeof *session->view, store_compare_session_views);
    session->count = session->count > limit ? limit : session->count;
}

bool store_reader_next_session_view(struct store_reader *self, struct store_view_row *row)
{
    struct store_session *session = &self->session;
    while (session->at < session->count)
        if (store_reader_view_by_id(self, STORE_READER_SESSION_VIEW, session->view[session->at++].id, row))
            return true;
    return false;
}
