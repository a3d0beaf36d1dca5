/*
 * What a batch touches, decoded and kept until the batch commits: a view that comes ten times is read and written once,
 * and a join result changes a byte in memory.
 */
#include "collector/store/store_internal.h"

#include <stdlib.h>

#define STORE_REQUESTS_ROOM 16u

static size_t store_bucket(uint64_t value)
{
    return value * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (STORE_STATE_BUCKETS - 1);
}

/* Keyed, as view ids come from outside. */
static size_t store_view_bucket(const struct store *self, const uint8_t view_id[16])
{
    return siphash(self->runs.key, slice_of(view_id, 16)) & (STORE_STATE_BUCKETS - 1);
}

static void *store_states_take(struct store *self, size_t size)
{
    void *out = store_arena_take(&self->states.arena, size);
    if (!out)
        self->sql.failed = true;
    return out;
}

bool store_states_copy(struct store *self, struct slice bytes, const uint8_t **out)
{
    uint8_t *copy = store_states_take(self, bytes.size);
    if (!copy)
        return false;
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    *out = copy;
    return true;
}

static void store_states_link(struct store *self, struct store_view_state *view)
{
    struct store_view_state **by_id = &self->states.by_id[store_bucket((uint64_t)view->id)];
    struct store_view_state **by_view_id = &self->states.by_view_id[store_view_bucket(self, view->facts.view_id)];
    view->next_of_id = *by_id;
    *by_id = view;
    view->next_of_view_id = *by_view_id;
    *by_view_id = view;
    self->states.views++;
}

static void store_vitals_decode(struct store_view_state *view, struct slice bytes)
{
    struct store_vital_fact fact;
    for (size_t at = 0; at + sizeof fact <= bytes.size; at += sizeof fact) {
        memcpy(&fact, bytes.data + at, sizeof fact);
        if (fact.metric < STORE_METRICS)
            *(fact.covered ? &view->covered[fact.metric] : &view->vital[fact.metric]) = fact;
    }
}

static struct store_view_state *store_states_read_view(struct store *self, int64_t id)
{
    sqlite3_stmt *get = sql_use(&self->sql, STORE_GET_VIEW);
    sql_bind_int(&self->sql, get, 1, id);
    if (!sql_step(&self->sql, get))
        return NULL;
    struct store_view_state *view = store_states_take(self, sizeof *view);
    struct slice facts = sql_bytes(get, 3), url = sql_bytes(get, 4);
    if (view && facts.size == sizeof view->facts && store_states_copy(self, url, &view->url.data)) {
        view->id = id;
        view->app = sqlite3_column_int64(get, 0);
        view->route = sqlite3_column_int64(get, 1);
        view->received_us = (uint64_t)sqlite3_column_int64(get, 2);
        memcpy(&view->facts, facts.data, sizeof view->facts);
        view->url.size = url.size;
        view->stored = true;
        store_vitals_decode(view, sql_bytes(get, 5));
        store_states_link(self, view);
    } else {
        view = NULL;
    }
    sqlite3_reset(get);
    return view;
}

struct store_view_state *store_states_view(struct store *self, int64_t id)
{
    struct store_view_state *view = self->states.by_id[store_bucket((uint64_t)id)];
    while (view && view->id != id)
        view = view->next_of_id;
    return view ? view : store_states_read_view(self, id);
}

/* Of several rows that a view id has led to, the one that is still there. */
static struct store_view_state *store_states_look_up(struct store *self, const uint8_t view_id[16])
{
    struct store_entry low = store_key_of(view_id), high = store_key_end(&low), entry;
    struct store_find find;
    store_runs_find(&self->runs, STORE_KIND_VIEW, &low, &high, true, &find);
    while (store_find_next(&find, &entry)) {
        struct store_view_state *view = store_states_view(self, (int64_t)entry.a);
        if (view)
            return view;
    }
    return NULL;
}

struct store_view_state *store_states_find_view(struct store *self, const uint8_t view_id[16])
{
    struct store_view_state *view = self->states.by_view_id[store_view_bucket(self, view_id)];
    while (view && memcmp(view->facts.view_id, view_id, 16) != 0)
        view = view->next_of_view_id;
    return view ? view : store_states_look_up(self, view_id);
}

/* Rate and trigger are the first beacon's: what was counted with one weight must be taken back with the same. */
struct store_view_state *store_states_add_view(struct store *self, const struct store_beacon *beacon)
{
    struct store_view_state *view = store_states_take(self, sizeof *view);
    if (!view)
        return NULL;
    view->id = self->next_view++;
    view->received_us = beacon->received_us;
    view->facts = (struct store_view_facts){.hour = beacon->received_us / STORE_HOUR_US,
                                            .first_position = beacon->position,
                                            .snapshot_position = STORE_NOWHERE,
                                            .newest_seq = -1,
                                            .ledger_seq = -1,
                                            .sample_rate_ppm = beacon->sample_rate_ppm,
                                            .recorder_trigger = beacon->recorder_trigger};
    memcpy(view->facts.view_id, beacon->view_id, sizeof view->facts.view_id);
    memcpy(view->facts.session_id, beacon->session_id, sizeof view->facts.session_id);
    store_states_link(self, view);
    struct store_entry by_view = store_key_of(beacon->view_id), by_session = store_key_of(beacon->session_id);
    by_view.a = by_session.a = (uint64_t)view->id;
    store_runs_add(&self->runs, STORE_KIND_VIEW, &by_view);
    store_runs_add(&self->runs, STORE_KIND_SESSION, &by_session);
    return view;
}

static bool store_beacon_reserve(struct store *self, struct store_beacon_state *beacon, uint32_t requests)
{
    if (requests <= beacon->room)
        return true;
    uint32_t room = beacon->room ? 2 * beacon->room : STORE_REQUESTS_ROOM;
    while (room < requests)
        room *= 2;
    struct store_request_state *grown = store_states_take(self, room * sizeof *grown);
    if (!grown)
        return false;
    if (beacon->fact.requests > 0)
        memcpy(grown, beacon->request, beacon->fact.requests * sizeof *grown);
    beacon->request = grown;
    beacon->room = room;
    return true;
}

struct store_request_state *store_beacon_add_request(struct store *self, struct store_beacon_state *beacon)
{
    if (!store_beacon_reserve(self, beacon, beacon->fact.requests + 1))
        return NULL;
    return &beacon->request[beacon->fact.requests++];
}

static void store_states_link_beacon(struct store *self, struct store_beacon_state *beacon)
{
    struct store_beacon_state **bucket = &self->states.by_position[store_bucket(beacon->position)];
    beacon->next = *bucket;
    *bucket = beacon;
    self->states.beacons++;
}

static bool store_beacon_decode(struct store *self, struct store_beacon_state *beacon, struct slice bytes)
{
    struct store_body body;
    struct store_request_fact fact;
    struct store_join_fact join;
    struct slice ids;
    if (!store_body_init(&body, bytes))
        return false;
    beacon->fact = body.fact;
    beacon->fact.requests = 0;
    if (!store_beacon_reserve(self, beacon, body.fact.requests))
        return false;
    while (store_body_next(&body, &fact, &ids, &join)) {
        struct store_request_state *request = store_beacon_add_request(self, beacon);
        if (!request || !store_states_copy(self, ids, &request->ids))
            return false;
        request->fact = fact;
        request->join = join;
    }
    return true;
}

static struct store_beacon_state *store_states_read_beacon(struct store *self, uint64_t position)
{
    sqlite3_stmt *get = sql_use(&self->sql, STORE_GET_BEACON);
    sql_bind_int(&self->sql, get, 1, (int64_t)position);
    if (!sql_step(&self->sql, get))
        return NULL;
    struct store_beacon_state *beacon = store_states_take(self, sizeof *beacon);
    if (beacon && store_beacon_decode(self, beacon, sql_bytes(get, 0))) {
        beacon->position = position;
        store_states_link_beacon(self, beacon);
    } else {
        beacon = NULL;
    }
    sqlite3_reset(get);
    return beacon;
}

struct store_beacon_state *store_states_beacon(struct store *self, uint64_t position)
{
    struct store_beacon_state *beacon = self->states.by_position[store_bucket(position)];
    while (beacon && beacon->position != position)
        beacon = beacon->next;
    return beacon ? beacon : store_states_read_beacon(self, position);
}

struct store_beacon_state *store_states_add_beacon(struct store *self, const struct store_view_state *view,
                                                   uint32_t seq, uint64_t position)
{
    struct store_beacon_state *beacon = store_states_take(self, sizeof *beacon);
    if (!beacon)
        return NULL;
    beacon->position = position;
    beacon->fact =
        (struct store_beacon_fact){.view = view->id, .app = view->app, .hour = view->facts.hour, .seq = seq};
    beacon->dirty = true;
    store_states_link_beacon(self, beacon);
    struct store_entry entry = store_beacon_key(view->id, seq);
    entry.a = position;
    store_runs_add(&self->runs, STORE_KIND_BEACON, &entry);
    return beacon;
}

/* Nearly always at its own place. */
struct store_request_state *store_beacon_find_request(struct store_beacon_state *self, uint32_t ordinal)
{
    if (ordinal < self->fact.requests && self->request[ordinal].fact.ordinal == ordinal)
        return &self->request[ordinal];
    for (uint32_t i = 0; i < self->fact.requests; i++)
        if (self->request[i].fact.ordinal == ordinal)
            return &self->request[i];
    return NULL;
}

static void store_view_write(struct store *self, struct store_view_state *view)
{
    struct store_vital_fact vitals[2 * STORE_METRICS];
    struct sql *sql = &self->sql;
    size_t count = 0;
    for (uint32_t i = 0; i < STORE_METRICS; i++) {
        if (view->vital[i].known)
            vitals[count++] = view->vital[i];
        if (view->covered[i].known)
            vitals[count++] = view->covered[i];
    }
    sqlite3_stmt *set = sql_use(sql, STORE_SET_VIEW);
    sql_bind_int(sql, set, 1, view->id);
    sql_bind_int(sql, set, 2, view->app);
    sql_bind_int(sql, set, 3, view->route);
    sql_bind_int(sql, set, 4, (int64_t)view->received_us);
    sql_bind_blob(sql, set, 5, slice_of(&view->facts, sizeof view->facts));
    sql_bind_text(sql, set, 6, view->url);
    sql_bind_blob(sql, set, 7, slice_of(vitals, count * sizeof vitals[0]));
    sql_finish(sql, set);
    view->stored = true;
    view->dirty = false;
}

static size_t store_beacon_size(const struct store_beacon_state *beacon)
{
    size_t size = sizeof beacon->fact;
    for (uint32_t i = 0; i < beacon->fact.requests; i++) {
        const struct store_request_state *request = &beacon->request[i];
        size += sizeof request->fact + request->fact.ids_size + (request->fact.joined ? sizeof request->join : 0);
    }
    return size;
}

static uint8_t *store_give(uint8_t *to, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(to, bytes, size);
    return to + size;
}

static void store_beacon_write(struct store *self, struct store_beacon_state *beacon)
{
    struct sql *sql = &self->sql;
    size_t size = store_beacon_size(beacon);
    uint8_t *body = store_states_take(self, size), *to = body;
    if (!body)
        return;
    to = store_give(to, &beacon->fact, sizeof beacon->fact);
    for (uint32_t i = 0; i < beacon->fact.requests; i++) {
        const struct store_request_state *request = &beacon->request[i];
        to = store_give(to, &request->fact, sizeof request->fact);
        to = store_give(to, request->ids, request->fact.ids_size);
        to = store_give(to, &request->join, request->fact.joined ? sizeof request->join : 0);
    }
    sqlite3_stmt *set = sql_use(sql, STORE_SET_BEACON);
    sql_bind_int(sql, set, 1, (int64_t)beacon->position);
    sql_bind_blob(sql, set, 2, slice_of(body, size));
    sql_finish(sql, set);
    beacon->dirty = false;
}

void store_states_flush(struct store *self)
{
    struct store_states *states = &self->states;
    for (uint32_t i = 0; i < STORE_STATE_BUCKETS; i++) {
        for (struct store_view_state *view = states->by_id[i]; view; view = view->next_of_id)
            if (view->dirty)
                store_view_write(self, view);
        for (struct store_beacon_state *beacon = states->by_position[i]; beacon; beacon = beacon->next)
            if (beacon->dirty)
                store_beacon_write(self, beacon);
    }
    store_states_forget(self);
}

void store_states_forget(struct store *self)
{
    struct store_states *states = &self->states;
    memset(states->by_id, 0, sizeof states->by_id);
    memset(states->by_view_id, 0, sizeof states->by_view_id);
    memset(states->by_position, 0, sizeof states->by_position);
    states->views = states->beacons = 0;
    store_arena_reset(&states->arena);
}

void store_states_trim(struct store *self)
{
    if (self->states.arena.used > self->states.bytes_max)
        store_states_flush(self);
}
