#include "collector/store/store_internal.h"

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
    struct sql *sql = &self->sql;
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_REQUEST);
    sql_bind_int(sql, add, 1, view->id);
    sql_bind_int(sql, add, 2, request->seq);
    sql_bind_int(sql, add, 3, request->ordinal);
    sql_bind_int(sql, add, 4, request->kind);
    sql_bind_int(sql, add, 5, request->flags);
    sql_bind_int(sql, add, 6, request->url_hash);
    sql_bind_int(sql, add, 7, request->start_us);
    sql_bind_blob(sql, add, 8, request->ids);
    sql_finish(sql, add);
}

static sqlite3_stmt *store_use_request(struct store *self, enum store_statement id, int64_t view, uint32_t seq,
                                       uint32_t ordinal)
{
    sqlite3_stmt *statement = sql_use(&self->sql, id);
    sql_bind_int(&self->sql, statement, 1, view);
    sql_bind_int(&self->sql, statement, 2, seq);
    sql_bind_int(&self->sql, statement, 3, ordinal);
    return statement;
}

void store_set_request_ids(struct store *self, int64_t view, uint32_t seq, uint32_t ordinal, struct slice ids)
{
    sqlite3_stmt *set = store_use_request(self, STORE_SET_REQUEST_IDS, view, seq, ordinal);
    sql_bind_blob(&self->sql, set, 4, ids);
    sql_finish(&self->sql, set);
}

/* A call pairs with a resource or the document; a call that has been merged, or a resource that has a call, is free
 * no more. `merged` is 1 for such a call and 2 for such a resource. */
bool store_find_partner(struct store *self, int64_t view, const struct store_request *request,
                        const uint8_t trace_id[16], struct store_partner *partner)
{
    struct sql *sql = &self->sql;
    struct store_trace_key key = store_trace_key_of(trace_id);
    sqlite3_stmt *find = sql_use(sql, STORE_FIND_PARTNER);
    sql_bind_int(sql, find, 1, key.low);
    sql_bind_int(sql, find, 2, key.high);
    sql_bind_int(sql, find, 3, view);
    sql_bind_int(sql, find, 4, request->kind == STORE_CALL ? STORE_RESOURCE : STORE_CALL);
    sql_bind_int(sql, find, 5, request->url_hash);
    sql_bind_int(sql, find, 6, request->start_us);
    if (!sql_step(sql, find))
        return false;
    partner->seq = (uint32_t)sqlite3_column_int64(find, 0);
    partner->ordinal = (uint32_t)sqlite3_column_int64(find, 1);
    struct slice ids = sql_bytes(find, 2);
    partner->flags = (uint32_t)sqlite3_column_int64(find, 3);
    partner->ids_size = ids.size <= sizeof partner->ids ? ids.size : 0;
    if (partner->ids_size > 0)
        memcpy(partner->ids, ids.data, partner->ids_size);
    sqlite3_reset(find);
    return true;
}

/* What a request counts as now. false = no such request. */
static bool store_find_request(struct store *self, int64_t view, uint32_t seq, uint32_t ordinal,
                               struct store_join_count *count, bool *counted, bool *merged_call)
{
    sqlite3_stmt *find = store_use_request(self, STORE_FIND_REQUEST, view, seq, ordinal);
    if (!sql_step(&self->sql, find))
        return false;
    int64_t reason = sqlite3_column_int64(find, 1);
    *counted = reason >= 0;
    *merged_call = sqlite3_column_int64(find, 3) == 1;
    *count = (struct store_join_count){.level = (uint32_t)sqlite3_column_int64(find, 0),
                                       .reason = *counted ? (uint32_t)reason : 0,
                                       .flags = (uint32_t)sqlite3_column_int64(find, 2),
                                       .app = sqlite3_column_int64(find, 4),
                                       .hour = (uint64_t)sqlite3_column_int64(find, 5)};
    sqlite3_reset(find);
    return true;
}

static void store_set_merged(struct store *self, int64_t view, uint32_t seq, uint32_t ordinal, int merged)
{
    sqlite3_stmt *set = store_use_request(self, STORE_SET_MERGED, view, seq, ordinal);
    sql_bind_int(&self->sql, set, 4, merged);
    sql_finish(&self->sql, set);
}

void store_merge_call(struct store *self, int64_t view, uint32_t call_seq, uint32_t call_ordinal, uint32_t seq,
                      uint32_t ordinal)
{
    struct store_join_count count;
    bool counted, merged_call;
    if (!store_find_request(self, view, call_seq, call_ordinal, &count, &counted, &merged_call) || merged_call)
        return;
    if (counted)
        store_count_join(self, count, -1);
    store_set_merged(self, view, call_seq, call_ordinal, 1);
    store_set_merged(self, view, seq, ordinal, 2);
}

void store_put_join(struct store *self, const struct store_join *join)
{
    struct sql *sql = &self->sql;
    struct store_join_count count;
    bool counted, merged_call;
    if (!store_find_request(self, join->view, join->seq, join->ordinal, &count, &counted, &merged_call))
        return;
    if (join->level < count.level)
        return;
    if (counted && !merged_call)
        store_count_join(self, count, -1);
    count.level = join->level;
    count.reason = join->reason;
    if (!merged_call)
        store_count_join(self, count, 1);
    sqlite3_stmt *set = store_use_request(self, STORE_SET_JOIN, join->view, join->seq, join->ordinal);
    sql_bind_int(sql, set, 4, join->level);
    sql_bind_int(sql, set, 5, join->reason);
    sql_bind_blob(sql, set, 6, slice_of(join->trace_id, 16));
    sql_bind_blob(sql, set, 7, slice_of(join->span_id, 8));
    sql_finish(sql, set);
}
