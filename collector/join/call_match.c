/*
 * Calls and entries of one URL, in order of their start, fall apart into clusters: a call can only have an entry that
 * started while it waited for its headers.
 *
 *   calls     |--A--|   |----B----|                |--D--|       A is alone with its entry, B and C share a cluster,
 *                           |--C-----|                           D has none.
 *   entries    ·          ·  ·
 *
 * In a cluster, tags and ids decide first. What is left is an assignment: of all ways to pair calls with entries the
 * cheapest, where a pair costs (in milliseconds, squared, because a sum of plain gaps is the same for every order)
 *
 *      4 * (entry start - call start)^2 + (headers - response start)^2 / 400 + (body end - response end)^2 / 4000
 *
 * and a call without an entry more than any wait in the cluster. The start gap is steady, within the clock's quantum,
 * and an entry 15 ms behind is no longer the call's; the others grow when the main thread is busy. A call whose entry
 * could be exchanged for less than 1 is ambiguous.
 *
 * Bounds: a cluster with more than 32 calls or entries is paired in order of start, which browsers keep, and compared
 * with 8 neighbours only. 2,048 requests of one view in clusters of 32 are 64 times (64^3 + 32 * 64^2) steps: 25
 * million.
 */
#include "collector/join/call_match.h"

#include "collector/join/assignment.h"
#include "vitrace/v1/beacon.pb.h"

#include <assert.h>
#include <stdlib.h>

#define CLUSTER_MAX      (ASSIGNMENT_MAX / 2)
#define NEIGHBOURS       8u
#define QUANTUM_COARSE   1000 /* Firefox; Chromium has 100 */
#define QUANTUM_FINE     100
#define TOLERANCE_US     500
#define START_GAP_MAX_US 15000  /* 5 were measured in Chromium, 16 in Firefox */
#define COST_UNMATCHED   1000.0 /* above 4 * 15^2 */
#define COST_PRELOADED   100.0  /* its start says nothing */
#define COST_MARGIN      1.0

struct cluster {
    uint32_t *call, *entry; /* indices, in order of start */
    uint32_t call_count, entry_count;
};

struct matcher {
    const struct call_match_call *call;
    const struct call_match_entry *entry;
    struct call_match *out;
    uint32_t *by_call, *by_entry; /* in order of URL, then start */
    bool *taken;                  /* entries */
    int64_t quantum_us;
};

const char *call_match_kind_name(enum call_match_kind kind)
{
#define CALL_MATCH_KIND_NAME(id, name) name,
    static const char *const names[CALL_MATCH_KIND_COUNT] = {CALL_MATCH_KINDS(CALL_MATCH_KIND_NAME)};
    assert((size_t)kind < CALL_MATCH_KIND_COUNT);
    return names[kind];
}

static bool is_known(int64_t time_us)
{
    return time_us != CALL_MATCH_UNKNOWN;
}

static bool is_failed(const struct call_match_call *call)
{
    return call->status == 0 && !is_known(call->headers_us);
}

static int64_t slack_us(const struct matcher *self)
{
    return self->quantum_us + TOLERANCE_US;
}

/* An injected id knows the trace only: the span is the server's to choose. */
static bool id_names(const struct join_id *of_call, const struct join_id *of_entry)
{
    bool injected = of_call->source == vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED;
    return memcmp(of_call->trace_id, of_entry->trace_id, sizeof of_call->trace_id) == 0 &&
           (injected || memcmp(of_call->span_id, of_entry->span_id, sizeof of_call->span_id) == 0);
}

static bool shares_id(const struct call_match_call *call, const struct call_match_entry *entry)
{
    for (uint32_t i = 0; i < call->id_count; i++)
        for (uint32_t k = 0; k < entry->id_count; k++)
            if (id_names(&call->id[i], &entry->id[k]))
                return true;
    return false;
}

/* Both saw the response's header, and it was not the same one. */
static bool ids_contradict(const struct call_match_call *call, const struct call_match_entry *entry)
{
    bool response = false;
    for (uint32_t i = 0; i < call->id_count; i++)
        response |= call->id[i].source != vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED;
    return response && entry->id_count > 0 && !shares_id(call, entry);
}

static bool responses_fit(const struct call_match_call *call, const struct call_match_entry *entry)
{
    if (is_failed(call) ? entry->status != 0 : entry->failed)
        return false;
    if (entry->status != 0 && call->status != 0 && entry->status != call->status)
        return false;
    if (call->redirected != entry->redirected && is_known(entry->response_start_us) && !is_failed(call))
        return false;
    return call->content_length == 0 || entry->encoded_body_size == 0 ||
           call->content_length == entry->encoded_body_size;
}

/* What an exact sign asks of the times: the main thread may have been busy between the call and its request. */
static bool order_fits(const struct matcher *self, const struct call_match_call *call,
                       const struct call_match_entry *entry)
{
    return entry->preloaded || entry->start_us >= call->start_us - slack_us(self);
}

static bool starts_fit(const struct matcher *self, const struct call_match_call *call,
                       const struct call_match_entry *entry)
{
    return entry->preloaded ? entry->start_us <= call->start_us
                            : entry->start_us >= call->start_us - slack_us(self) &&
                                  entry->start_us <= call->start_us + self->quantum_us / 2 + START_GAP_MAX_US;
}

static bool ends_fit(const struct matcher *self, int64_t seen_us, int64_t happened_us)
{
    return !is_known(seen_us) || !is_known(happened_us) || seen_us >= happened_us - slack_us(self);
}

static bool is_feasible(const struct matcher *self, uint32_t call_index, uint32_t entry_index)
{
    const struct call_match_call *call = &self->call[call_index];
    const struct call_match_entry *entry = &self->entry[entry_index];
    if (call->tag != entry->tag || !starts_fit(self, call, entry) || !responses_fit(call, entry))
        return false;
    /* A failure reaches the entry and the script in either order. */
    if (!is_failed(call) && (!ends_fit(self, call->headers_us, entry->response_start_us) ||
                             !ends_fit(self, call->end_us, entry->response_end_us)))
        return false;
    return !ids_contradict(call, entry);
}

static double gap_ms2(int64_t a_us, int64_t b_us)
{
    if (!is_known(a_us) || !is_known(b_us))
        return 0;
    double ms = (double)(a_us - b_us) / 1000;
    return ms * ms;
}

static double start_cost(const struct matcher *self, const struct call_match_call *call,
                         const struct call_match_entry *entry)
{
    if (entry->preloaded)
        return COST_PRELOADED;
    int64_t usual_us = call->start_us + self->quantum_us / 2;
    return entry->start_us > usual_us ? 4 * gap_ms2(entry->start_us, usual_us) : 0;
}

/* How long the response waited for the script. */
static double wait_cost(const struct call_match_call *call, const struct call_match_entry *entry)
{
    return is_failed(call) ? gap_ms2(call->end_us, entry->response_end_us) / 400
                           : gap_ms2(call->headers_us, entry->response_start_us) / 400;
}

/* How long the body waited to be read; 0 when nobody saw that. */
static double read_cost(const struct call_match_call *call, const struct call_match_entry *entry)
{
    return is_failed(call) ? 0 : gap_ms2(call->end_us, entry->response_end_us) / 4000;
}

static double pair_cost(const struct matcher *self, uint32_t call, uint32_t entry)
{
    if (!is_feasible(self, call, entry))
        return ASSIGNMENT_IMPOSSIBLE;
    return start_cost(self, &self->call[call], &self->entry[entry]) +
           wait_cost(&self->call[call], &self->entry[entry]) + read_cost(&self->call[call], &self->entry[entry]);
}

/* A page that reads a body late must not lose its entry to a call whose reading nobody saw: the least is not counted.
 */
static double least_read_cost(const struct matcher *self, const struct cluster *cluster, uint32_t call)
{
    double least = ASSIGNMENT_IMPOSSIBLE;
    for (uint32_t i = 0; i < cluster->entry_count; i++) {
        bool feasible = is_feasible(self, call, cluster->entry[i]);
        double read = feasible ? read_cost(&self->call[call], &self->entry[cluster->entry[i]]) : least;
        least = read < least ? read : least;
    }
    return least < ASSIGNMENT_IMPOSSIBLE ? least : 0;
}

/* On a busy main thread every response waits long: that must not make calls go without. */
static double unmatched_cost(const struct matcher *self, const struct cluster *cluster)
{
    double longest = 0;
    for (uint32_t i = 0; i < cluster->call_count; i++)
        for (uint32_t k = 0; k < cluster->entry_count; k++) {
            uint32_t call = cluster->call[i], entry = cluster->entry[k];
            double wait = is_feasible(self, call, entry) ? wait_cost(&self->call[call], &self->entry[entry]) : 0;
            longest = wait > longest ? wait : longest;
        }
    return longest + COST_UNMATCHED;
}

static void settle(struct matcher *self, uint32_t call, uint32_t entry, enum call_match_kind kind)
{
    self->out[call] = (struct call_match){kind, entry};
    if (entry != CALL_MATCH_NOBODY)
        self->taken[entry] = true;
}

/* The one entry of the cluster that `fits` the call, unless it fits another call of the cluster, too. */
typedef bool pair_test(const struct call_match_call *call, const struct call_match_entry *entry);

static uint32_t find_only(const struct matcher *self, const struct cluster *cluster, uint32_t call, pair_test *fits)
{
    uint32_t found = CALL_MATCH_NOBODY;
    for (uint32_t i = 0; i < cluster->entry_count; i++) {
        uint32_t entry = cluster->entry[i];
        if (!fits(&self->call[call], &self->entry[entry]) || !order_fits(self, &self->call[call], &self->entry[entry]))
            continue;
        if (found != CALL_MATCH_NOBODY)
            return CALL_MATCH_NOBODY;
        found = entry;
    }
    for (uint32_t i = 0; found != CALL_MATCH_NOBODY && i < cluster->call_count; i++)
        if (cluster->call[i] != call && fits(&self->call[cluster->call[i]], &self->entry[found]))
            return CALL_MATCH_NOBODY;
    return found;
}

static bool shares_tag(const struct call_match_call *call, const struct call_match_entry *entry)
{
    return call->tag != 0 && call->tag == entry->tag;
}

static void keep_open(struct matcher *self, struct cluster *cluster)
{
    uint32_t calls = 0, entries = 0;
    for (uint32_t i = 0; i < cluster->call_count; i++)
        if (self->out[cluster->call[i]].kind == CALL_MATCH_NONE)
            cluster->call[calls++] = cluster->call[i];
    for (uint32_t i = 0; i < cluster->entry_count; i++)
        if (!self->taken[cluster->entry[i]])
            cluster->entry[entries++] = cluster->entry[i];
    cluster->call_count = calls;
    cluster->entry_count = entries;
}

static void match_exact(struct matcher *self, struct cluster *cluster, pair_test *fits, enum call_match_kind kind)
{
    for (uint32_t i = 0; i < cluster->call_count; i++) {
        uint32_t entry = find_only(self, cluster, cluster->call[i], fits);
        if (entry != CALL_MATCH_NOBODY)
            settle(self, cluster->call[i], entry, kind);
    }
    keep_open(self, cluster);
}

/*
 * Square, so that everybody can go without:        entries          a slot per call
 *                                        calls   [ pair_cost        unmatched_cost ]
 *                              one per entry     [ 0                0              ]
 */
static void assignment_fill(struct assignment *assignment, const struct matcher *self, const struct cluster *cluster)
{
    double unmatched = unmatched_cost(self, cluster);
    assignment->size = cluster->call_count + cluster->entry_count;
    for (uint32_t row = 0; row < assignment->size; row++) {
        bool is_call = row < cluster->call_count;
        double least = is_call ? least_read_cost(self, cluster, cluster->call[row]) : 0;
        for (uint32_t column = 0; column < assignment->size; column++)
            assignment->cost[row][column] = !is_call ? 0
                                            : column >= cluster->entry_count
                                                ? unmatched
                                                : pair_cost(self, cluster->call[row], cluster->entry[column]) - least;
    }
}

static void match_assigned(struct matcher *self, const struct cluster *cluster, enum call_match_kind kind)
{
    struct assignment assignment;
    assignment_fill(&assignment, self, cluster);
    assignment_solve(&assignment);
    for (uint32_t row = 0; row < cluster->call_count; row++) {
        uint32_t column = assignment.column_of[row];
        bool alone = column >= cluster->entry_count;
        double regret = alone ? assignment_regret(&assignment, row, cluster->entry_count, assignment.size)
                              : assignment_regret(&assignment, row, column, column + 1);
        enum call_match_kind sure = alone ? CALL_MATCH_NONE : kind;
        settle(self, cluster->call[row], alone ? CALL_MATCH_NOBODY : cluster->entry[column],
               regret < COST_MARGIN ? CALL_MATCH_AMBIGUOUS : sure);
    }
}

/* Does the exchange of entries between two calls, or for a free one, make it hardly worse? */
static bool is_exchangeable(const struct matcher *self, const struct cluster *cluster, uint32_t at)
{
    uint32_t call = cluster->call[at], entry = self->out[call].entry;
    double own = pair_cost(self, call, entry);
    for (uint32_t i = at > NEIGHBOURS ? at - NEIGHBOURS : 0; i < cluster->call_count && i <= at + NEIGHBOURS; i++) {
        uint32_t other = cluster->call[i], theirs = self->out[other].entry;
        if (i == at)
            continue;
        double change = theirs == CALL_MATCH_NOBODY ? pair_cost(self, other, entry) - own
                                                    : pair_cost(self, other, entry) + pair_cost(self, call, theirs) -
                                                          own - pair_cost(self, other, theirs);
        if (change < COST_MARGIN)
            return true;
    }
    for (uint32_t i = 0; i < cluster->entry_count; i++)
        if (!self->taken[cluster->entry[i]] && pair_cost(self, call, cluster->entry[i]) - own < COST_MARGIN)
            return true;
    return false;
}

/* In order of start: the first entry that may be a call's is its own, if the calls before it have theirs. */
static void match_in_order(struct matcher *self, const struct cluster *cluster)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < cluster->call_count; i++) {
        uint32_t at = next;
        while (at < cluster->entry_count && !is_feasible(self, cluster->call[i], cluster->entry[at]))
            at++;
        if (at == cluster->entry_count)
            continue;
        settle(self, cluster->call[i], cluster->entry[at], CALL_MATCH_ASSIGNED);
        next = at + 1;
    }
    for (uint32_t i = 0; i < cluster->call_count; i++) {
        struct call_match *match = &self->out[cluster->call[i]];
        if (match->kind == CALL_MATCH_ASSIGNED && is_exchangeable(self, cluster, i))
            match->kind = CALL_MATCH_AMBIGUOUS;
    }
}

static void match_cluster(struct matcher *self, struct cluster cluster)
{
    bool single = cluster.call_count == 1 && cluster.entry_count == 1;
    match_exact(self, &cluster, shares_tag, CALL_MATCH_EXACT_TAG);
    match_exact(self, &cluster, shares_id, CALL_MATCH_EXACT_ID);
    if (cluster.call_count == 0 || cluster.entry_count == 0)
        return;
    if (cluster.call_count > CLUSTER_MAX || cluster.entry_count > CLUSTER_MAX)
        match_in_order(self, &cluster);
    else
        match_assigned(self, &cluster, single ? CALL_MATCH_EXACT_SINGLE : CALL_MATCH_ASSIGNED);
}

/* Until when an entry of the call may have started. */
static int64_t last_start_us(const struct matcher *self, const struct call_match_call *call)
{
    int64_t until_us = is_known(call->headers_us) ? call->headers_us : call->end_us;
    return is_known(until_us) ? until_us + slack_us(self) : INT64_MAX;
}

/* The calls from `first` on that wait at the same time, directly or through others, and until when. */
static uint32_t cluster_end(const struct matcher *self, uint32_t first, uint32_t end, int64_t *until_us)
{
    uint32_t at = first;
    *until_us = last_start_us(self, &self->call[self->by_call[at++]]);
    for (; at < end; at++) {
        const struct call_match_call *call = &self->call[self->by_call[at]];
        if (call->start_us - slack_us(self) > *until_us)
            break;
        int64_t last_us = last_start_us(self, call);
        *until_us = last_us > *until_us ? last_us : *until_us;
    }
    return at;
}

/* Of one URL: calls [call, call_end) and entries [entry, entry_end) of the two orders. */
static void match_url(struct matcher *self, uint32_t call, uint32_t call_end, uint32_t entry, uint32_t entry_end)
{
    while (call < call_end) {
        int64_t until_us;
        uint32_t next = cluster_end(self, call, call_end, &until_us);
        int64_t from_us = self->call[self->by_call[call]].start_us - slack_us(self);
        struct cluster cluster = {
            .call = self->by_call + call, .entry = self->by_entry + entry, .call_count = next - call};
        while (entry < entry_end && self->entry[self->by_entry[entry]].start_us <= until_us) {
            uint32_t index = self->by_entry[entry++];
            if (self->entry[index].preloaded || self->entry[index].start_us >= from_us)
                cluster.entry[cluster.entry_count++] = index;
        }
        match_cluster(self, cluster);
        call = next;
    }
}

static int slice_compare(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return a.size > 0 ? memcmp(a.data, b.data, a.size) : 0;
}

struct ordered {
    struct slice url;
    int64_t start_us;
    uint32_t index;
};

static int ordered_compare(const void *left, const void *right)
{
    const struct ordered *a = left, *b = right;
    int url = slice_compare(a->url, b->url);
    if (url != 0)
        return url;
    if (a->start_us != b->start_us)
        return a->start_us < b->start_us ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static void order(struct ordered *list, uint32_t count, uint32_t *out)
{
    qsort(list, count, sizeof *list, ordered_compare);
    for (uint32_t i = 0; i < count; i++)
        out[i] = list[i].index;
}

static bool is_fine(int64_t time_us)
{
    return is_known(time_us) && time_us % QUANTUM_COARSE != 0;
}

/* The clock's quantum shows in the times themselves: one time between two milliseconds is enough to know. */
static int64_t find_quantum(const struct matcher *self, uint32_t call_count, uint32_t entry_count)
{
    for (uint32_t i = 0; i < call_count; i++)
        if (is_fine(self->call[i].start_us) || is_fine(self->call[i].headers_us) || is_fine(self->call[i].end_us))
            return QUANTUM_FINE;
    for (uint32_t i = 0; i < entry_count; i++)
        if (is_fine(self->entry[i].start_us) || is_fine(self->entry[i].response_end_us))
            return QUANTUM_FINE;
    return QUANTUM_COARSE;
}

static void match_all(struct matcher *self, uint32_t call_count, uint32_t entry_count)
{
    uint32_t entry = 0;
    for (uint32_t call = 0, end; call < call_count; call = end) {
        struct slice url = self->call[self->by_call[call]].url;
        for (end = call + 1; end < call_count && slice_equal(self->call[self->by_call[end]].url, url);)
            end++;
        while (entry < entry_count && slice_compare(self->entry[self->by_entry[entry]].url, url) < 0)
            entry++;
        uint32_t entry_end = entry;
        while (entry_end < entry_count && slice_equal(self->entry[self->by_entry[entry_end]].url, url))
            entry_end++;
        match_url(self, call, end, entry, entry_end);
        entry = entry_end;
    }
}

bool call_match(const struct call_match_call *call, uint32_t call_count, const struct call_match_entry *entry,
                uint32_t entry_count, struct call_match *out)
{
    size_t count = (size_t)call_count + entry_count + 1;
    struct matcher self = {.call = call, .entry = entry, .out = out};
    struct ordered *list = calloc(count, sizeof *list);
    self.by_call = calloc(count, sizeof *self.by_call);
    self.taken = calloc(count, sizeof *self.taken);
    bool good = list != NULL && self.by_call != NULL && self.taken != NULL;
    for (uint32_t i = 0; i < call_count; i++)
        out[i] = (struct call_match){CALL_MATCH_NONE, CALL_MATCH_NOBODY};
    if (good) {
        self.by_entry = self.by_call + call_count;
        for (uint32_t i = 0; i < call_count; i++)
            list[i] = (struct ordered){call[i].url, call[i].start_us, i};
        order(list, call_count, self.by_call);
        for (uint32_t i = 0; i < entry_count; i++)
            list[i] = (struct ordered){entry[i].url, entry[i].start_us, i};
        order(list, entry_count, self.by_entry);
        self.quantum_us = find_quantum(&self, call_count, entry_count);
        match_all(&self, call_count, entry_count);
    }
    free(list);
    free(self.by_call);
    free(self.taken);
    return good;
}
