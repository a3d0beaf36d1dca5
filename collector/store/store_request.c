#include "collector/store/store_internal.h"

#include "proto/wire/ids.h"

static void store_join_count_write(struct store *self, const struct store_join_count *count)
{
    struct sql *sql = &self->sql;
    if (count->change == 0)
        return;
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_JOIN_COUNT);
    sql_bind_int(sql, add, 1, count->app);
    sql_bind_int(sql, add, 2, (int64_t)count->hour);
    sql_bind_int(sql, add, 3, count->flags);
    sql_bind_int(sql, add, 4, count->level);
    sql_bind_int(sql, add, 5, count->reason);
    sql_bind_int(sql, add, 6, count->change);
    sql_finish(sql, add);
}

void store_join_counts_flush(struct store *self)
{
    for (unsigned i = 0; i < self->join_count_used; i++)
        store_join_count_write(self, &self->join_count[i]);
    self->join_count_used = 0;
}

static void store_count_join(struct store *self, struct store_join_count key, int64_t change)
{
    for (unsigned i = 0; i < self->join_count_used; i++) {
        struct store_join_count *count = &self->join_count[i];
        if (count->app == key.app && count->hour == key.hour && count->flags == key.flags &&
            count->level == key.level && count->reason == key.reason) {
            count->change += change;
            return;
        }
    }
    if (self->join_count_used == STORE_JOIN_COUNTS_MAX)
        store_join_counts_flush(self);
    key.change = change;
    self->join_count[self->join_count_used++] = key;
}

void store_put_request(struct store *self, const struct store_view *view, const struct store_request *request)
{
    struct store_beacon_state *beacon = store_states_beacon(self, view->position);
    const uint8_t *ids;
    assert(request->ids.size <= STORE_REQUEST_IDS_BYTES_MAX);
    assert(request->ordinal <= UINT16_MAX && request->flags <= UINT16_MAX);
    if (!beacon || !store_states_copy(self, request->ids, &ids))
        return;
    struct store_request_state *state = store_beacon_add_request(self, beacon);
    if (!state)
        return;
    *state = (struct store_request_state){.ids = ids,
                                          .fact = {.start_us = request->start_us,
                                                   .ordinal = (uint16_t)request->ordinal,
                                                   .flags = (uint16_t)request->flags,
                                                   .url_hash = request->url_hash,
                                                   .kind = (uint8_t)request->kind,
                                                   .reason = -1,
                                                   .ids_size = (uint16_t)request->ids.size}};
    beacon->dirty = true;
}

/* NULL = no such request. */
static struct store_request_state *store_request(struct store *self, uint64_t position, uint32_t ordinal,
                                                 struct store_beacon_state **beacon)
{
    *beacon = store_states_beacon(self, position);
    return *beacon ? store_beacon_find_request(*beacon, ordinal) : NULL;
}

void store_set_request_ids(struct store *self, uint64_t position, uint32_t ordinal, struct slice ids)
{
    struct store_beacon_state *beacon;
    struct store_request_state *request = store_request(self, position, ordinal, &beacon);
    assert(ids.size <= STORE_REQUEST_IDS_BYTES_MAX);
    if (!request || !store_states_copy(self, ids, &request->ids))
        return;
    request->fact.ids_size = (uint16_t)ids.size;
    beacon->dirty = true;
}

static uint64_t store_distance(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

/* Whether `a` is the better partner. */
static bool store_is_nearer(const struct store_request *request, const struct store_request_fact *a, uint32_t a_seq,
                            const struct store_request_fact *b, uint32_t b_seq)
{
    bool a_other = a->url_hash != request->url_hash, b_other = b->url_hash != request->url_hash;
    if (a_other != b_other)
        return b_other;
    uint64_t a_far = store_distance(a->start_us, request->start_us), b_far = store_distance(b->start_us, request->start_us);
    if (a_far != b_far)
        return a_far < b_far;
    return a_seq != b_seq ? a_seq < b_seq : a->ordinal < b->ordinal;
}

/* Position of the view's beacon. */
static uint64_t store_find_beacon(struct store *self, const struct store_view *view, uint32_t seq)
{
    struct store_entry low = store_beacon_key(view->id, seq), high = store_key_end(&low), entry;
    struct store_find find;
    store_runs_find(&self->runs, STORE_KIND_BEACON, &low, &high, true, &find);
    return store_find_next(&find, &entry) ? entry.a : STORE_NOWHERE;
}

#define STORE_PARTNERS_MAX 256u /* of one trace in one view that are looked at */

/* Who of the view claims the trace, as entries. A view that this batch added has nothing in the runs. */
static uint32_t store_list_claims(struct store *self, const struct store_view *view, const uint8_t trace_id[16],
                                  struct store_entry entry[STORE_PARTNERS_MAX])
{
    const struct store_view_state *state = store_states_view(self, view->id);
    struct store_entry low = store_key_of(trace_id), high;
    struct store_find find;
    uint32_t count = 0;
    low.a = (uint64_t)view->id;
    high = low;
    high.b = UINT64_MAX;
    store_runs_find(&self->runs, STORE_KIND_CLAIM, &low, &high, state && state->stored, &find);
    while (count < STORE_PARTNERS_MAX && store_find_next(&find, &entry[count]))
        count++;
    return count;
}

/* A call pairs with a resource or the document; a call that has been merged, or a resource that has a call, is free no
 * more. */
bool store_find_partner(struct store *self, const struct store_view *view, const struct store_request *request,
                        const uint8_t trace_id[16], struct store_partner *partner)
{
    struct store_entry entry[STORE_PARTNERS_MAX];
    uint8_t wanted = request->kind == STORE_CALL ? STORE_RESOURCE : STORE_CALL;
    const struct store_request_state *best = NULL;
    uint32_t count = store_list_claims(self, view, trace_id, entry);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t seq = (uint32_t)(entry[i].b >> 32);
        uint64_t position = seq == request->seq ? view->position : store_find_beacon(self, view, seq);
        struct store_beacon_state *beacon;
        const struct store_request_state *other = store_request(self, position, (uint32_t)entry[i].b, &beacon);
        if (!other || other->fact.kind != wanted || other->fact.merged != STORE_ALONE)
            continue;
        if (best && !store_is_nearer(request, &other->fact, seq, &best->fact, partner->seq))
            continue;
        best = other;
        partner->seq = seq;
        partner->position = position;
    }
    if (!best)
        return false;
    partner->ordinal = best->fact.ordinal;
    partner->flags = best->fact.flags;
    partner->ids_size = best->fact.ids_size;
    if (partner->ids_size > 0)
        memcpy(partner->ids, best->ids, partner->ids_size);
    return true;
}

static struct store_join_count store_count_of(const struct store_beacon_state *beacon,
                                              const struct store_request_state *request)
{
    return (struct store_join_count){.app = beacon->fact.app,
                                     .hour = beacon->fact.hour,
                                     .flags = request->fact.flags,
                                     .level = request->fact.level,
                                     .reason = request->fact.reason >= 0 ? (uint32_t)request->fact.reason : 0};
}

void store_merge_call(struct store *self, uint64_t call_position, uint32_t call_ordinal, uint64_t position,
                      uint32_t ordinal)
{
    struct store_beacon_state *call_beacon, *beacon;
    struct store_request_state *call = store_request(self, call_position, call_ordinal, &call_beacon);
    if (!call || call->fact.merged == STORE_MERGED_CALL)
        return;
    if (call->fact.reason >= 0)
        store_count_join(self, store_count_of(call_beacon, call), -1);
    call->fact.merged = STORE_MERGED_CALL;
    call_beacon->dirty = true;
    struct store_request_state *request = store_request(self, position, ordinal, &beacon);
    if (!request)
        return;
    request->fact.merged = STORE_HAS_CALL;
    beacon->dirty = true;
}

void store_put_join(struct store *self, const struct store_join *join)
{
    struct store_beacon_state *beacon;
    store_states_trim(self);
    struct store_request_state *request = store_request(self, join->position, join->ordinal, &beacon);
    if (!request || join->level < request->fact.level)
        return;
    bool merged = request->fact.merged == STORE_MERGED_CALL;
    if (request->fact.reason >= 0 && !merged)
        store_count_join(self, store_count_of(beacon, request), -1);
    request->fact.level = (uint8_t)join->level;
    request->fact.reason = (int8_t)join->reason;
    memcpy(request->join.trace_id, join->trace_id, sizeof request->join.trace_id);
    memcpy(request->join.span_id, join->span_id, sizeof request->join.span_id);
    request->fact.joined = !ids_is_zero(join->trace_id, sizeof join->trace_id);
    if (!merged)
        store_count_join(self, store_count_of(beacon, request), 1);
    beacon->dirty = true;
}
