/*
 * Pools and tables of the window. Ids come from outside, so the tables are keyed (SipHash): nobody can aim many ids at
 * one bucket. The key changes no result, because nothing depends on the order within a bucket.
 *
 * Spans leave by whole traces, the one that has held spans for the longest first: half a trace would answer with a
 * wrong entry span, and no answer is better than that. Claims leave one by one, oldest first.
 */
#include "collector/join/join_internal.h"

#include "proto/wire/ids.h"

#include <assert.h>
#include <stdlib.h>

static bool pool_init(struct join_pool *self, uint32_t max)
{
    *self = (struct join_pool){.max = max};
    self->freed = malloc((size_t)max * sizeof *self->freed);
    return self->freed != NULL;
}

static uint32_t pool_take(struct join_pool *self)
{
    assert(self->count < self->max);
    self->count++;
    return self->freed_count > 0 ? self->freed[--self->freed_count] : ++self->used;
}

static void pool_give(struct join_pool *self, uint32_t slot)
{
    assert(slot > 0 && self->count > 0);
    self->freed[self->freed_count++] = slot;
    self->count--;
}

static uint32_t table_size(uint32_t entries_max)
{
    uint32_t size = 16;
    while (size < entries_max && size < 1u << 31)
        size *= 2;
    return size;
}

static bool table_init(struct join_table *self, uint32_t entries_max)
{
    uint32_t size = table_size(entries_max);
    self->mask = size - 1;
    self->bucket = calloc(size, sizeof *self->bucket);
    return self->bucket != NULL;
}

static uint32_t links_for(uint32_t claims_max)
{
    return claims_max * JOIN_LINKS_PER_CLAIM + JOIN_IDS_MAX;
}

uint64_t join_index_bytes(uint32_t claims_max, uint32_t spans_max)
{
    const uint64_t claims = claims_max, spans = spans_max, links = links_for(claims_max), traces = spans + links;
    const uint64_t freed = claims + spans + links + traces;
    const uint64_t buckets = table_size((uint32_t)traces) + 2 * (uint64_t)table_size(spans_max);
    return (claims + 1) * sizeof(struct join_claim_node) + (spans + 1) * sizeof(struct join_span_node) +
           (links + 1) * sizeof(struct join_link) + (traces + 1) * sizeof(struct join_trace_node) +
           (freed + buckets) * sizeof(uint32_t);
}

bool join_index_init(struct join_index *self, uint32_t claims_max, uint32_t spans_max)
{
    uint32_t links_max = links_for(claims_max);
    uint32_t traces_max = spans_max + links_max;
    *self = (struct join_index){.key = siphash_key_random()};
    bool pools = pool_init(&self->span_pool, spans_max) && pool_init(&self->trace_pool, traces_max) &&
                 pool_init(&self->link_pool, links_max) && pool_init(&self->claim_pool, claims_max);
    bool tables = table_init(&self->traces, traces_max) && table_init(&self->by_id, spans_max) &&
                  table_init(&self->by_parent, spans_max);
    self->span = calloc((size_t)spans_max + 1, sizeof *self->span);
    self->trace = calloc((size_t)traces_max + 1, sizeof *self->trace);
    self->link = calloc((size_t)links_max + 1, sizeof *self->link);
    self->claim = calloc((size_t)claims_max + 1, sizeof *self->claim);
    return pools && tables && self->span != NULL && self->trace != NULL && self->link != NULL && self->claim != NULL;
}

void join_index_release(struct join_index *self)
{
    free(self->span_pool.freed);
    free(self->trace_pool.freed);
    free(self->link_pool.freed);
    free(self->claim_pool.freed);
    free(self->traces.bucket);
    free(self->by_id.bucket);
    free(self->by_parent.bucket);
    free(self->span);
    free(self->trace);
    free(self->link);
    free(self->claim);
    *self = (struct join_index){0};
}

static uint32_t *trace_bucket(const struct join_index *self, const uint8_t trace_id[16])
{
    return &self->traces.bucket[siphash(self->key, slice_of(trace_id, 16)) & self->traces.mask];
}

/* A trace node's index names the trace as well as its id does, in fewer bytes. */
static uint32_t *span_bucket(const struct join_index *self, const struct join_table *table, uint32_t trace,
                             const uint8_t span_id[8])
{
    uint8_t bytes[sizeof trace + 8];
    memcpy(bytes, &trace, sizeof trace);
    memcpy(bytes + sizeof trace, span_id, 8);
    return &table->bucket[siphash(self->key, slice_of(bytes, sizeof bytes)) & table->mask];
}

uint32_t join_index_find_trace(const struct join_index *self, const uint8_t trace_id[16])
{
    uint32_t at = *trace_bucket(self, trace_id);
    while (at != 0 && memcmp(self->trace[at].trace_id, trace_id, 16) != 0)
        at = self->trace[at].next_in_bucket;
    return at;
}

uint32_t join_index_find_span(const struct join_index *self, uint32_t trace, const uint8_t span_id[8])
{
    uint32_t at = *span_bucket(self, &self->by_id, trace, span_id);
    while (at != 0 && (self->span[at].trace != trace || memcmp(self->span[at].span_id, span_id, 8) != 0))
        at = self->span[at].next_of_id;
    return at;
}

bool join_index_holds_span(const struct join_index *self, const uint8_t trace_id[16], const uint8_t span_id[8])
{
    uint32_t trace = join_index_find_trace(self, trace_id);
    return trace != 0 && join_index_find_span(self, trace, span_id) != 0;
}

/* A total order that does not depend on arrival. */
static bool span_before(const struct join_index *self, uint32_t a, uint32_t b)
{
    const struct join_span_node *x = &self->span[a], *y = &self->span[b];
    if (x->start_unix_ns != y->start_unix_ns)
        return x->start_unix_ns < y->start_unix_ns;
    return memcmp(x->span_id, y->span_id, 8) < 0;
}

uint32_t join_index_find_server_child(const struct join_index *self, uint32_t trace, const uint8_t parent[8])
{
    uint32_t best = 0;
    if (ids_is_zero(parent, 8))
        return 0;
    for (uint32_t at = *span_bucket(self, &self->by_parent, trace, parent); at != 0;
         at = self->span[at].next_of_parent) {
        const struct join_span_node *span = &self->span[at];
        if (span->trace == trace && memcmp(span->parent_span_id, parent, 8) == 0 &&
            (best == 0 || span_before(self, at, best)))
            best = at;
    }
    return best;
}

/*
 * Smaller is more of an entry. SERVER without a parent; then SERVER whose parent is not held (the browser's span, or
 * one that was not exported) unless its flags say that the parent is local; then any SERVER; then, for traces without
 * SERVER spans, a root. A parent that comes later can take rank 1 away, so ranks are not kept but computed.
 */
static unsigned entry_rank(const struct join_index *self, const struct join_span_node *span)
{
    bool root = ids_is_zero(span->parent_span_id, 8);
    if (span->kind != JOIN_KIND_SERVER)
        return root ? 3 : 4;
    if (root)
        return 0;
    bool local = (span->flags & (JOIN_FLAG_REMOTE_KNOWN | JOIN_FLAG_REMOTE)) == JOIN_FLAG_REMOTE_KNOWN;
    return !local && join_index_find_span(self, span->trace, span->parent_span_id) == 0 ? 1 : 2;
}

static uint32_t entry_better(const struct join_index *self, uint32_t best, uint32_t at)
{
    unsigned rank = entry_rank(self, &self->span[at]);
    if (rank > 3)
        return best;
    if (best == 0)
        return at;
    unsigned best_rank = entry_rank(self, &self->span[best]);
    if (rank != best_rank)
        return rank < best_rank ? at : best;
    return span_before(self, at, best) ? at : best;
}

uint32_t join_index_find_entry(struct join_index *self, uint32_t trace)
{
    struct join_trace_node *node = &self->trace[trace];
    if (node->entry_stale) {
        node->entry = 0;
        for (uint32_t at = node->spans; at != 0; at = self->span[at].next_of_trace)
            node->entry = entry_better(self, node->entry, at);
        node->entry_stale = false;
    }
    return node->entry;
}

static uint32_t trace_take(struct join_index *self, const uint8_t trace_id[16])
{
    uint32_t at = join_index_find_trace(self, trace_id);
    if (at != 0)
        return at;
    at = pool_take(&self->trace_pool);
    uint32_t *bucket = trace_bucket(self, trace_id);
    self->trace[at] = (struct join_trace_node){.next_in_bucket = *bucket};
    memcpy(self->trace[at].trace_id, trace_id, 16);
    *bucket = at;
    return at;
}

/* A trace node lives while it has spans or claims. */
static void trace_drop_unused(struct join_index *self, uint32_t trace)
{
    struct join_trace_node *node = &self->trace[trace];
    if (node->span_count > 0 || node->link_count > 0)
        return;
    uint32_t *at = trace_bucket(self, node->trace_id);
    while (*at != trace)
        at = &self->trace[*at].next_in_bucket;
    *at = node->next_in_bucket;
    pool_give(&self->trace_pool, trace);
}

static void traces_push_newest(struct join_index *self, uint32_t trace)
{
    self->trace[trace].older = self->trace_newest;
    self->trace[trace].newer = 0;
    if (self->trace_newest != 0)
        self->trace[self->trace_newest].newer = trace;
    else
        self->trace_oldest = trace;
    self->trace_newest = trace;
}

static void span_link_parent(struct join_index *self, uint32_t at)
{
    struct join_span_node *span = &self->span[at];
    if (span->kind != JOIN_KIND_SERVER || ids_is_zero(span->parent_span_id, 8))
        return;
    uint32_t *bucket = span_bucket(self, &self->by_parent, span->trace, span->parent_span_id);
    span->next_of_parent = *bucket;
    *bucket = at;
}

static void span_unlink(struct join_index *self, uint32_t slot)
{
    struct join_span_node *span = &self->span[slot];
    uint32_t *at = span_bucket(self, &self->by_id, span->trace, span->span_id);
    while (*at != slot)
        at = &self->span[*at].next_of_id;
    *at = span->next_of_id;
    if (span->kind != JOIN_KIND_SERVER || ids_is_zero(span->parent_span_id, 8))
        return;
    at = span_bucket(self, &self->by_parent, span->trace, span->parent_span_id);
    while (*at != slot)
        at = &self->span[*at].next_of_parent;
    *at = span->next_of_parent;
}

/*
 * OTLP is at-least-once: the same span again changes nothing. The exception is a span id shared by the two sides of a
 * call (Zipkin's model): the SERVER side counts, whichever comes first.
 */
static uint32_t span_merge(struct join_index *self, uint32_t slot, const struct join_span *span)
{
    struct join_span_node *node = &self->span[slot];
    if (node->kind == JOIN_KIND_SERVER || span->kind != JOIN_KIND_SERVER)
        return 0;
    node->kind = span->kind;
    node->flags = span->flags;
    node->start_unix_ns = span->start_unix_ns;
    memcpy(node->parent_span_id, span->parent_span_id, 8);
    span_link_parent(self, slot);
    self->trace[node->trace].entry_stale = true;
    return node->trace;
}

/* Keeps a known entry span without walking the trace, except when the new span is its parent and so lowers its rank. */
static void trace_update_entry(struct join_index *self, uint32_t trace, uint32_t slot)
{
    struct join_trace_node *node = &self->trace[trace];
    if (node->entry_stale)
        return;
    const struct join_span_node *entry = &self->span[node->entry];
    if (node->entry != 0 && memcmp(entry->parent_span_id, self->span[slot].span_id, 8) == 0)
        node->entry_stale = true;
    else
        node->entry = entry_better(self, node->entry, slot);
}

bool join_index_spans_full(const struct join_index *self)
{
    return self->span_pool.count == self->span_pool.max;
}

uint32_t join_index_add_span(struct join_index *self, const struct join_span *span)
{
    uint32_t trace = trace_take(self, span->trace_id);
    uint32_t held = join_index_find_span(self, trace, span->span_id);
    if (held != 0)
        return span_merge(self, held, span);
    assert(!join_index_spans_full(self));
    struct join_trace_node *node = &self->trace[trace];
    uint32_t slot = pool_take(&self->span_pool);
    uint32_t *bucket = span_bucket(self, &self->by_id, trace, span->span_id);
    self->span[slot] = (struct join_span_node){.start_unix_ns = span->start_unix_ns,
                                               .kind = span->kind,
                                               .flags = span->flags,
                                               .trace = trace,
                                               .next_of_id = *bucket,
                                               .next_of_trace = node->spans};
    memcpy(self->span[slot].span_id, span->span_id, 8);
    memcpy(self->span[slot].parent_span_id, span->parent_span_id, 8);
    *bucket = node->spans = slot;
    span_link_parent(self, slot);
    if (node->span_count++ == 0)
        traces_push_newest(self, trace);
    trace_update_entry(self, trace, slot);
    return trace;
}

uint32_t join_index_evict_spans(struct join_index *self)
{
    uint32_t trace = self->trace_oldest;
    assert(trace != 0);
    struct join_trace_node *node = &self->trace[trace];
    uint32_t dropped = node->span_count;
    for (uint32_t at = node->spans; at != 0;) {
        uint32_t next = self->span[at].next_of_trace;
        span_unlink(self, at);
        pool_give(&self->span_pool, at);
        at = next;
    }
    self->trace_oldest = node->newer;
    if (node->newer != 0)
        self->trace[node->newer].older = 0;
    else
        self->trace_newest = 0;
    node->spans = node->span_count = node->entry = node->newer = 0;
    node->entry_stale = false;
    for (uint32_t at = node->link_oldest; at != 0; at = self->link[at].newer)
        self->claim[self->link[at].claim].spans_lost = true;
    trace_drop_unused(self, trace);
    return dropped;
}

bool join_index_claims_full(const struct join_index *self)
{
    return self->claim_pool.count == self->claim_pool.max || self->link_pool.max - self->link_pool.count < JOIN_IDS_MAX;
}

uint32_t join_index_find_crowded(const struct join_index *self, const uint8_t trace_id[16])
{
    uint32_t trace = join_index_find_trace(self, trace_id);
    if (trace == 0 || self->trace[trace].link_count < JOIN_TRACE_CLAIMS_MAX)
        return 0;
    return self->link[self->trace[trace].link_oldest].claim;
}

static bool claim_is_linked(const struct join_index *self, uint32_t claim, uint32_t trace)
{
    uint32_t at = self->claim[claim].links;
    while (at != 0 && self->link[at].trace != trace)
        at = self->link[at].next_of_claim;
    return at != 0;
}

static void claim_add_link(struct join_index *self, uint32_t claim, uint32_t trace)
{
    struct join_trace_node *node = &self->trace[trace];
    uint32_t link = pool_take(&self->link_pool);
    self->link[link] = (struct join_link){
        .claim = claim, .trace = trace, .older = node->link_newest, .next_of_claim = self->claim[claim].links};
    if (node->link_newest != 0)
        self->link[node->link_newest].newer = link;
    else
        node->link_oldest = link;
    node->link_newest = link;
    node->link_count++;
    self->claim[claim].links = link;
}

uint32_t join_index_add_claim(struct join_index *self, const struct join_claim *claim)
{
    assert(!join_index_claims_full(self));
    uint32_t slot = pool_take(&self->claim_pool);
    self->claim[slot] = (struct join_claim_node){.claim = *claim, .older = self->claim_newest};
    if (self->claim_newest != 0)
        self->claim[self->claim_newest].newer = slot;
    else
        self->claim_oldest = slot;
    self->claim_newest = slot;
    for (uint32_t i = 0; i < claim->id_count; i++) {
        uint32_t trace = trace_take(self, claim->id[i].trace_id);
        if (!claim_is_linked(self, slot, trace))
            claim_add_link(self, slot, trace);
    }
    return slot;
}

static void link_remove(struct join_index *self, uint32_t slot)
{
    struct join_link *link = &self->link[slot];
    struct join_trace_node *node = &self->trace[link->trace];
    if (link->older != 0)
        self->link[link->older].newer = link->newer;
    else
        node->link_oldest = link->newer;
    if (link->newer != 0)
        self->link[link->newer].older = link->older;
    else
        node->link_newest = link->older;
    node->link_count--;
    trace_drop_unused(self, link->trace);
    pool_give(&self->link_pool, slot);
}

void join_index_remove_claim(struct join_index *self, uint32_t slot)
{
    struct join_claim_node *node = &self->claim[slot];
    for (uint32_t at = node->links; at != 0;) {
        uint32_t next = self->link[at].next_of_claim;
        link_remove(self, at);
        at = next;
    }
    if (node->older != 0)
        self->claim[node->older].newer = node->newer;
    else
        self->claim_oldest = node->newer;
    if (node->newer != 0)
        self->claim[node->newer].older = node->older;
    else
        self->claim_newest = node->older;
    pool_give(&self->claim_pool, slot);
}
