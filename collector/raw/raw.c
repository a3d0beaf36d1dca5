/*
 * The documents: a hash table by view id, a list of the quiet ones, one budget, and a thread that ends waits.
 *
 *   raw_enter    nobody at work, and the body is the next (or an old one) --> the turn is the caller's
 *                otherwise ---------------------------------------------> in line, by seq
 *   raw_leave    the first in line is the next, or somebody waited long enough --> the turn is theirs
 *                nobody waits --> quiet, and the newest of these; or gone, when its START was never kept
 *
 * A document that nobody has begun has no block: bodies that wait for a START cost what their connections cost.
 */
#include "collector/raw/raw_internal.h"

#include "collector/base/siphash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RAW_CHAINS 1024u

struct raw {
    struct counters *counters;
    struct memory *memory;
    size_t memory_bytes_max;
    struct siphash_key key;
    pthread_mutex_t lock; /* everything below, and the links, lines and numbers of documents */
    size_t memory_bytes;
    uint32_t count;
    struct raw_document *newest, *oldest;  /* quiet ones */
    struct raw_turn *soonest, *latest;     /* that wait; all wait equally long, so the order is that of coming */
    struct raw_document *chain[RAW_CHAINS];
    unsigned wait_ms;
    bool stopping;
    pthread_cond_t changed; /* soonest or stopping */
    pthread_t thread;
};

static struct raw_document **raw_chain(struct raw *self, const uint8_t view_id[16])
{
    return &self->chain[siphash(self->key, slice_of(view_id, 16)) % RAW_CHAINS];
}

static void raw_show(struct raw *self)
{
    counters_set(self->counters, COUNTER_RAW_DOCUMENTS, self->count);
    counters_set(self->counters, COUNTER_RAW_MEMORY, self->memory_bytes);
}

static void raw_link(struct raw *self, struct raw_document *document)
{
    document->older = self->newest;
    document->newer = NULL;
    if (self->newest != NULL)
        self->newest->newer = document;
    else
        self->oldest = document;
    self->newest = document;
}

static void raw_unlink(struct raw *self, struct raw_document *document)
{
    *(document->newer != NULL ? &document->newer->older : &self->newest) = document->older;
    *(document->older != NULL ? &document->older->newer : &self->oldest) = document->newer;
}

static void raw_free_block(struct raw *self, uint8_t *block)
{
    if (block == NULL)
        return;
    free(block);
    self->memory_bytes -= raw_document_block_bytes();
    memory_give(self->memory, MEMORY_RAW, raw_document_block_bytes());
}

/* One that is not in the list. */
static void raw_remove(struct raw *self, struct raw_document *document)
{
    struct raw_document **at = raw_chain(self, document->view_id);
    while (*at != document)
        at = &(*at)->next;
    *at = document->next;
    raw_free_block(self, document->block);
    self->count--;
    memory_free(self->memory, MEMORY_RAW, document, sizeof *document);
}

static bool raw_has_room(struct raw *self, size_t bytes)
{
    return self->memory_bytes + bytes <= self->memory_bytes_max && memory_take(self->memory, MEMORY_RAW, bytes);
}

/* A block's bytes out of the budget, if need be from documents that are quiet. */
static uint8_t *raw_reserve(struct raw *self)
{
    size_t bytes = raw_document_block_bytes();
    bool has_room = raw_has_room(self, bytes);
    while (!has_room && self->oldest != NULL) {
        struct raw_document *document = self->oldest;
        raw_unlink(self, document);
        raw_remove(self, document);
        counters_add(self->counters, COUNTER_RAW_EVICTED, 1);
        has_room = raw_has_room(self, bytes);
    }
    uint8_t *block = has_room ? aligned_alloc(64, bytes) : NULL;
    if (block != NULL)
        self->memory_bytes += bytes;
    else if (has_room)
        memory_give(self->memory, MEMORY_RAW, bytes);
    return block;
}

static struct raw_document *raw_find(struct raw *self, const uint8_t view_id[16])
{
    struct raw_document *at = *raw_chain(self, view_id);
    while (at != NULL && memcmp(at->view_id, view_id, 16) != 0)
        at = at->next;
    return at;
}

static struct raw_document *raw_add(struct raw *self, const uint8_t view_id[16])
{
    struct raw_document *document = memory_new(self->memory, MEMORY_RAW, sizeof *document);
    if (document == NULL)
        return NULL;
    memcpy(document->view_id, view_id, sizeof document->view_id);
    struct raw_document **chain = raw_chain(self, view_id);
    document->next = *chain;
    *chain = document;
    self->count++;
    return document;
}

static uint64_t raw_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void raw_line_add(struct raw *self, struct raw_document *document, struct raw_turn *turn)
{
    struct raw_turn **at = &document->line;
    while (*at != NULL && (*at)->seq <= turn->seq)
        at = &(*at)->next;
    turn->next = *at;
    *at = turn;
    turn->deadline_ms = raw_now_ms() + self->wait_ms;
    turn->sooner = self->latest;
    turn->later = NULL;
    *(self->latest != NULL ? &self->latest->later : &self->soonest) = turn;
    self->latest = turn;
    pthread_cond_signal(&self->changed);
}

static void raw_stop_waiting(struct raw *self, struct raw_turn *turn)
{
    if (turn->is_overdue)
        return; /* out of the list since then */
    *(turn->sooner != NULL ? &turn->sooner->later : &self->soonest) = turn->later;
    *(turn->later != NULL ? &turn->later->sooner : &self->latest) = turn->sooner;
}

/* The first in line, when it is its turn: nothing before it can come any more, or somebody waited long enough for that. */
static struct raw_turn *raw_line_take(struct raw *self, struct raw_document *document)
{
    struct raw_turn *turn = document->line;
    bool is_due = turn != NULL && turn->seq <= document->next_seq;
    for (struct raw_turn *at = turn; !is_due && at != NULL; at = at->next)
        is_due = at->is_overdue;
    if (document->is_busy || !is_due)
        return NULL;
    document->line = turn->next;
    document->is_busy = true;
    raw_stop_waiting(self, turn);
    return turn;
}

/* true: the turn is there at once. */
static bool raw_take_place(struct raw *self, struct raw_document *document, struct raw_turn *turn)
{
    if (document->is_quiet)
        raw_unlink(self, document);
    document->is_quiet = false;
    turn->document = document;
    turn->is_overdue = false;
    if (!document->is_busy && turn->seq <= document->next_seq) {
        document->is_busy = true; /* of those in line none is due, so all of them are behind it */
        return true;
    }
    turn->wait(turn);
    raw_line_add(self, document, turn);
    return false;
}

enum raw_status raw_enter(struct raw *self, const struct raw_body *body, struct raw_turn *turn, bool *waits)
{
    turn->seq = body->seq;
    *waits = false;
    pthread_mutex_lock(&self->lock);
    struct raw_document *document = raw_find(self, body->view_id);
    if (document == NULL)
        document = raw_add(self, body->view_id);
    if (document != NULL)
        *waits = !raw_take_place(self, document, turn);
    raw_show(self);
    pthread_mutex_unlock(&self->lock);
    return document != NULL ? RAW_OK : RAW_BUSY;
}

enum raw_status raw_expect(const struct raw_turn *turn, const struct raw_body *body)
{
    const struct raw_document *document = turn->document;
    if (document->next_seq == 0)
        return body->seq == 0 ? RAW_OK : RAW_UNKNOWN_DOCUMENT;
    if (body->seq >= document->next_seq)
        return body->seq - document->next_seq <= RAW_GAP_MAX ? RAW_OK : RAW_OUT_OF_ORDER;
    uint32_t back = document->next_seq - 1 - body->seq;
    bool taken = back < 64 && (document->taken >> back & 1) != 0;
    return taken ? RAW_DUPLICATE : RAW_OUT_OF_ORDER;
}

struct slice raw_app(const struct raw_turn *turn, const struct raw_body *body)
{
    const struct raw_document *document = turn->document;
    return document->next_seq == 0 ? body->app : slice_of(document->app, document->app_size);
}

/* The block too, when this begins the document: then raw_leave() frees both, or keeps the block. */
static bool raw_prepare_undo(struct raw *self, struct raw_document *document)
{
    bool begins = document->block == NULL;
    pthread_mutex_lock(&self->lock);
    if (begins)
        document->block = raw_reserve(self);
    if (document->block != NULL)
        document->undo = raw_reserve(self);
    raw_show(self);
    pthread_mutex_unlock(&self->lock);
    if (document->block != NULL && begins)
        raw_document_reset(document);
    if (document->undo == NULL)
        return false;
    memcpy(document->undo, document->block, raw_document_block_bytes());
    document->undo_next_seq = document->next_seq;
    document->undo_taken = document->taken;
    return true;
}

static void raw_undo(struct raw_document *document)
{
    memcpy(document->block, document->undo, raw_document_block_bytes());
    document->next_seq = document->undo_next_seq;
    document->taken = document->undo_taken;
}

static void raw_advance(struct raw *self, struct raw_document *document, const struct raw_body *body)
{
    uint32_t missing = body->seq - document->next_seq;
    counters_add(self->counters, COUNTER_RAW_MISSING, missing);
    document->taken = document->taken << (missing + 1) | 1;
    document->next_seq = body->seq + 1;
    if (body->seq == 0) {
        memcpy(document->app, body->app.data, body->app.size);
        document->app_size = body->app.size;
    }
}

enum raw_status raw_take(struct raw *self, struct raw_turn *turn, const struct raw_body *body, struct buf *out)
{
    struct raw_document *document = turn->document;
    enum raw_status status = raw_expect(turn, body);
    buf_init_accounted(out, RAW_DERIVED_BYTES_MAX, self->memory, MEMORY_INFLATED);
    if (status != RAW_OK)
        return status;
    if (!raw_prepare_undo(self, document))
        return RAW_BUSY;
    status = raw_document_run(document, body, out);
    if (status == RAW_OK) {
        raw_advance(self, document, body);
        return RAW_OK;
    }
    raw_undo(document);
    buf_release(out);
    return status;
}

static void raw_release_undo(struct raw *self, struct raw_document *document, bool keep)
{
    if (document->undo != NULL && !keep)
        raw_undo(document);
    raw_free_block(self, document->undo);
    document->undo = NULL;
}

static void raw_settle(struct raw *self, struct raw_document *document)
{
    if (document->is_busy || document->line != NULL)
        return;
    document->is_quiet = document->next_seq > 0;
    if (document->is_quiet)
        raw_link(self, document);
    else
        raw_remove(self, document);
}

void raw_leave(struct raw *self, struct raw_turn *turn, bool keep)
{
    struct raw_document *document = turn->document;
    pthread_mutex_lock(&self->lock);
    raw_release_undo(self, document, keep);
    document->is_busy = false;
    struct raw_turn *next = raw_line_take(self, document);
    raw_settle(self, document);
    raw_show(self);
    pthread_mutex_unlock(&self->lock);
    if (next != NULL)
        next->ready(next);
}

/* Ends the wait of the soonest, which may be for another in its line to be taken without what it waited for. */
static struct raw_turn *raw_expire(struct raw *self)
{
    struct raw_turn *turn = self->soonest;
    raw_stop_waiting(self, turn);
    turn->is_overdue = true;
    return raw_line_take(self, turn->document);
}

static void raw_sleep(struct raw *self)
{
    if (self->soonest == NULL) {
        pthread_cond_wait(&self->changed, &self->lock);
        return;
    }
    uint64_t at = self->soonest->deadline_ms;
    struct timespec deadline = {.tv_sec = (time_t)(at / 1000u), .tv_nsec = (long)(at % 1000u) * 1000000};
    pthread_cond_timedwait(&self->changed, &self->lock, &deadline);
}

static void *raw_run(void *context)
{
    struct raw *self = context;
    pthread_setname_np(pthread_self(), "vitrace-raw");
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        if (self->soonest == NULL || self->soonest->deadline_ms > raw_now_ms()) {
            raw_sleep(self);
            continue;
        }
        struct raw_turn *turn = raw_expire(self);
        pthread_mutex_unlock(&self->lock);
        if (turn != NULL)
            turn->ready(turn);
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void raw_init_lock(struct raw *self)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&self->lock, NULL);
}

struct raw *raw_new(const struct raw_options *options)
{
    struct raw *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->memory_bytes_max = options->memory_bytes_max != 0 ? options->memory_bytes_max : RAW_MEMORY_BYTES_MAX;
    self->memory = options->memory;
    self->wait_ms = options->wait_ms != 0 ? options->wait_ms : RAW_WAIT_MS;
    self->counters = options->counters;
    self->key = siphash_key_random();
    raw_init_lock(self);
    if (pthread_create(&self->thread, NULL, raw_run, self) == 0)
        return self;
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
    return NULL;
}

void raw_free(struct raw *self)
{
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    while (self->oldest != NULL) {
        struct raw_document *document = self->oldest;
        raw_unlink(self, document);
        raw_remove(self, document);
    }
    assert(self->count == 0);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
