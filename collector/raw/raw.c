/*
 * The documents: a hash table by view id, a list of those that nobody is at work on, and one budget.
 *
 *   raw_enter    found, quiet ---> out of the list, the turn is the caller's
 *                found, busy ----> in line behind it
 *                unknown, seq 0 -> a new one, for which quiet ones may have to go
 *   raw_leave    somebody in line -> the turn is theirs
 *                nobody ----------> into the list as the newest; or gone, when its START was never kept
 */
#include "collector/raw/raw_internal.h"

#include "collector/base/siphash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define RAW_CHAINS 1024u

struct raw {
    struct counters *counters;
    size_t memory_bytes_max;
    struct siphash_key key;
    pthread_mutex_t lock; /* everything below, and the links, lines and numbers of documents */
    size_t memory_bytes;
    uint32_t count;
    struct raw_document *newest, *oldest; /* quiet ones */
    struct raw_document *chain[RAW_CHAINS];
};

struct raw *raw_new(size_t memory_bytes_max, struct counters *counters)
{
    struct raw *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->memory_bytes_max = memory_bytes_max;
    self->counters = counters;
    self->key = siphash_key_random();
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

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

/* One that is not in the list. */
static void raw_remove(struct raw *self, struct raw_document *document)
{
    struct raw_document **at = raw_chain(self, document->view_id);
    while (*at != document)
        at = &(*at)->next;
    *at = document->next;
    self->memory_bytes -= raw_document_block_bytes();
    self->count--;
    free(document->block);
    free(document);
}

/* A block's bytes out of the budget, if need be from documents that are quiet. */
static uint8_t *raw_reserve(struct raw *self)
{
    size_t bytes = raw_document_block_bytes();
    while (self->memory_bytes + bytes > self->memory_bytes_max && self->oldest != NULL) {
        struct raw_document *document = self->oldest;
        raw_unlink(self, document);
        raw_remove(self, document);
        counters_add(self->counters, COUNTER_RAW_EVICTED, 1);
    }
    if (self->memory_bytes + bytes > self->memory_bytes_max)
        return NULL;
    uint8_t *block = aligned_alloc(64, bytes);
    if (block != NULL)
        self->memory_bytes += bytes;
    return block;
}

static struct raw_document *raw_find(struct raw *self, const uint8_t view_id[16])
{
    struct raw_document *at = *raw_chain(self, view_id);
    while (at != NULL && memcmp(at->view_id, view_id, 16) != 0)
        at = at->next;
    return at;
}

static struct raw_document *raw_add(struct raw *self, const struct raw_body *body)
{
    struct raw_document *document = calloc(1, sizeof *document);
    if (document == NULL || (document->block = raw_reserve(self)) == NULL) {
        free(document);
        return NULL;
    }
    memcpy(document->view_id, body->view_id, sizeof document->view_id);
    raw_document_reset(document);
    struct raw_document **chain = raw_chain(self, body->view_id);
    document->next = *chain;
    *chain = document;
    self->count++;
    return document;
}

static enum raw_status raw_find_turn(struct raw *self, const struct raw_body *body, struct raw_turn *turn, bool *waits)
{
    struct raw_document *document = raw_find(self, body->view_id);
    *waits = document != NULL && document->is_busy;
    turn->next = NULL;
    if (*waits) {
        turn->wait(turn);
        *(document->last != NULL ? &document->last->next : &document->first) = turn;
        document->last = turn;
    } else if (document != NULL) {
        raw_unlink(self, document);
    } else if (body->seq == 0) {
        document = raw_add(self, body);
    } else {
        return RAW_UNKNOWN_DOCUMENT;
    }
    if (document == NULL)
        return RAW_BUSY;
    document->is_busy = true;
    turn->document = document;
    return RAW_OK;
}

enum raw_status raw_enter(struct raw *self, const struct raw_body *body, struct raw_turn *turn, bool *waits)
{
    pthread_mutex_lock(&self->lock);
    enum raw_status status = raw_find_turn(self, body, turn, waits);
    raw_show(self);
    pthread_mutex_unlock(&self->lock);
    return status;
}

struct slice raw_app(const struct raw_turn *turn, const struct raw_body *body)
{
    const struct raw_document *document = turn->document;
    return document->next_seq == 0 ? body->app : slice_of(document->app, document->app_size);
}

static enum raw_status raw_order(const struct raw_document *document, uint32_t seq)
{
    if (document->next_seq == 0)
        return seq == 0 ? RAW_OK : RAW_UNKNOWN_DOCUMENT; /* the one before it in line was to begin it, and could not */
    if (seq >= document->next_seq)
        return seq - document->next_seq <= RAW_GAP_MAX ? RAW_OK : RAW_OUT_OF_ORDER;
    uint32_t back = document->next_seq - 1 - seq;
    bool taken = back < 64 && (document->taken >> back & 1) != 0;
    return taken ? RAW_DUPLICATE : RAW_OUT_OF_ORDER;
}

static bool raw_prepare_undo(struct raw *self, struct raw_document *document)
{
    pthread_mutex_lock(&self->lock);
    document->undo = raw_reserve(self);
    raw_show(self);
    pthread_mutex_unlock(&self->lock);
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
    enum raw_status status = raw_order(document, body->seq);
    buf_init(out, RAW_DERIVED_BYTES_MAX);
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
    if (document->undo == NULL)
        return;
    if (!keep)
        raw_undo(document);
    free(document->undo);
    document->undo = NULL;
    self->memory_bytes -= raw_document_block_bytes();
}

void raw_leave(struct raw *self, struct raw_turn *turn, bool keep)
{
    struct raw_document *document = turn->document;
    pthread_mutex_lock(&self->lock);
    raw_release_undo(self, document, keep);
    struct raw_turn *next = document->first;
    if (next != NULL) {
        document->first = next->next;
        if (document->first == NULL)
            document->last = NULL;
    } else {
        document->is_busy = false;
        if (document->next_seq == 0)
            raw_remove(self, document);
        else
            raw_link(self, document);
    }
    raw_show(self);
    pthread_mutex_unlock(&self->lock);
    if (next != NULL)
        next->ready(next);
}

void raw_free(struct raw *self)
{
    if (self == NULL)
        return;
    while (self->oldest != NULL) {
        struct raw_document *document = self->oldest;
        raw_unlink(self, document);
        raw_remove(self, document);
    }
    assert(self->count == 0);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
