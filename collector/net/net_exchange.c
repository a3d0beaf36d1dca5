/*
 * An exchange has up to two holders: its carrier, until the reply, and whoever was lent it by on_wake, until the
 * wake has run. Only the loop thread counts them, so the counts are plain; other threads touch nothing but `woken`.
 *
 * wake: any thread --push--> loop.woken (a Treiber stack, taken whole) --uv_async--> loop thread runs each, in order.
 * The push is a release, the take an acquire: what the other thread wrote into the exchange's memory is seen by the
 * run.
 */
#include "collector/net/net_internal.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <strings.h>

static struct net_exchange *net_exchange_allocate(struct net_loop *loop)
{
    struct memory *memory = loop->net->options.memory;
    struct net_exchange *self = memory_new(memory, MEMORY_CONNECTIONS, sizeof *self);
    if (self == NULL)
        return NULL;
    self->loop = loop;
    buf_init_accounted(&self->head, NET_HEAD_BYTES_MAX, memory, MEMORY_CONNECTIONS);
    buf_init_accounted(&self->body, 0, memory, MEMORY_BODIES); /* its route says how large it may be */
    return self;
}

static struct net_exchange *net_exchange_take_spare(struct net_loop *loop)
{
    struct net_exchange *spare = loop->spare;
    if (spare == NULL)
        return net_exchange_allocate(loop);
    loop->spare = spare->next;
    loop->spare_count--;
    struct buf head = spare->head, body = spare->body;
    struct net_memory *kept = spare->kept;
    memset(spare, 0, sizeof *spare);
    spare->head = head;
    spare->body = body;
    spare->kept = kept;
    buf_clear(&spare->head);
    buf_clear(&spare->body);
    return spare;
}

struct net_exchange *net_exchange_new(struct net_loop *loop, struct net_carrier *carrier, const uint8_t peer[16])
{
    struct net_exchange *self = net_exchange_take_spare(loop);
    assert(carrier->exchange == NULL);
    if (self == NULL)
        return NULL;
    loop->exchange_count++;
    self->loop = loop;
    self->carrier = carrier;
    carrier->exchange = self;
    memcpy(self->peer, peer, sizeof self->peer);
    return self;
}

static void net_exchange_free_piece(const struct net_exchange *self, struct net_memory *piece)
{
    if (piece != NULL)
        memory_free(self->loop->net->options.memory, MEMORY_CONNECTIONS, piece, sizeof *piece + piece->bytes_max);
}

static void net_exchange_release(struct net_exchange *self)
{
    struct memory *memory = self->loop->net->options.memory;
    buf_release(&self->head);
    buf_release(&self->body);
    net_exchange_free_piece(self, self->kept);
    memory_free(memory, MEMORY_CONNECTIONS, self, sizeof *self);
}

static void net_exchange_free_memory(struct net_exchange *self)
{
    while (self->memory != NULL) {
        struct net_memory *memory = self->memory;
        self->memory = memory->next;
        if (self->kept == NULL && memory->bytes_max <= NET_KEPT_BYTES_MAX)
            self->kept = memory;
        else
            net_exchange_free_piece(self, memory);
    }
}

static void net_exchange_free(struct net_exchange *self)
{
    struct net_loop *loop = self->loop;
    loop->exchange_count--;
    loop->held_bytes -= self->held_bytes;
    net_exchange_free_memory(self);
    if (self->body.room > NET_KEPT_BYTES_MAX)
        buf_release(&self->body);
    if (loop->spare_count < NET_EXCHANGES_KEPT) {
        self->next = loop->spare;
        loop->spare = self;
        loop->spare_count++;
        return;
    }
    net_exchange_release(self);
}

void net_exchange_free_spare(struct net_loop *loop)
{
    while (loop->spare != NULL) {
        struct net_exchange *next = loop->spare->next;
        net_exchange_release(loop->spare);
        loop->spare = next;
    }
    loop->spare_count = 0;
}

/* An exchange ends when it is answered and nobody will wake it any more; its client may be gone long before. */
void net_exchange_settle(struct net_exchange *self)
{
    if (!self->answered || self->wake_armed)
        return;
    self->loop->lent -= self->lent;
    net_exchange_free(self);
}

void net_exchange_drop(struct net_exchange *self)
{
    self->carrier->exchange = NULL;
    self->carrier = NULL;
    if (!self->lent)
        net_exchange_free(self);
}

void net_exchange_lend(struct net_exchange *self)
{
    self->loop->lent++;
    self->lent = true;
    self->carrier->kind->lent(self->carrier);
    self->route->handle(self->route->context, self);
}

struct net_carrier *net_exchange_detach(struct net_exchange *self)
{
    struct net_carrier *carrier = self->carrier;
    assert(!self->answered);
    self->answered = true;
    self->carrier = NULL;
    if (carrier != NULL)
        carrier->exchange = NULL;
    return carrier;
}

bool net_exchange_add_body(struct net_exchange *self, struct slice bytes)
{
    /* One allocation instead of several, for who has sent a part worth it; a mere promise of the client gets nothing. */
    if (self->body.size == 0 && self->body_declared / NET_PROMISE_MAX <= bytes.size)
        buf_reserve(&self->body, (size_t)self->body_declared);
    if (buf_add(&self->body, bytes))
        return true;
    if (net_exchange_lacks_memory(&self->body, bytes.size))
        net_exchange_refuse_busy(self);
    else
        net_exchange_refuse(self, 413, "body_too_large", "The body is over the limit.", COUNTER_HTTP_BODY_TOO_LARGE);
    return false;
}

bool net_exchange_lacks_memory(const struct buf *buf, size_t size)
{
    return size <= buf->room_max - buf->size;
}

void net_exchange_refuse_busy(struct net_exchange *self)
{
    net_exchange_refuse(self, 503, "memory", "Too much is under way. Send it again later.", COUNTER_HTTP_BUSY);
}

bool net_exchange_is_slow(const struct net_exchange *self, uint64_t spent_ms)
{
    const struct net_options *options = &self->loop->net->options;
    uint64_t grace_ms = options->body_grace_ms, least = options->body_bytes_per_second_min;
    if (memory_is_tight(options->memory, MEMORY_BODIES)) {
        grace_ms /= NET_TIGHT_FACTOR;
        least *= NET_TIGHT_FACTOR;
    }
    return spent_ms > grace_ms && self->body.size < (spent_ms - grace_ms) * least / 1000;
}

void net_exchange_refuse(struct net_exchange *self, int status, const char *code, const char *message,
                         enum counter counter)
{
    self->refusal = (struct net_refusal){status, code, message, counter};
}

void net_exchange_on_wake(struct net_exchange *self, void (*run)(struct net_exchange *, void *), void *context)
{
    assert(!self->wake_armed);
    self->wake_run = run;
    self->wake_context = context;
    self->wake_armed = true;
}

void net_exchange_wake(struct net_exchange *self)
{
    struct net_loop *loop = self->loop; /* once it is pushed, the loop may free the exchange at any moment */
    atomic_fetch_add_explicit(&loop->wakers, 1, memory_order_acquire);
    struct net_exchange *first = atomic_load_explicit(&loop->woken, memory_order_relaxed);
    do
        self->next = first;
    while (
        !atomic_compare_exchange_weak_explicit(&loop->woken, &first, self, memory_order_release, memory_order_relaxed));
    uv_async_send(&loop->wake);
    /* Partner: the loop waits for zero before it closes `wake` (net.c). */
    atomic_fetch_sub_explicit(&loop->wakers, 1, memory_order_release);
}

void net_exchange_run_woken(struct net_loop *loop)
{
    struct net_exchange *last = atomic_exchange_explicit(&loop->woken, NULL, memory_order_acquire), *first = NULL;
    while (last != NULL) { /* the stack holds the latest first */
        struct net_exchange *next = last->next;
        last->next = first;
        first = last;
        last = next;
    }
    while (first != NULL) {
        struct net_exchange *self = first;
        first = first->next;
        assert(self->wake_armed);
        self->wake_armed = false;
        bool answered = self->answered;
        self->wake_run(self, self->wake_context);
        /* A run that answers settles by itself in net_reply; one that came after the answer has to be settled here. */
        if (answered)
            net_exchange_settle(self);
    }
}

enum net_method net_exchange_method(const struct net_exchange *self)
{
    return self->method;
}

struct slice net_exchange_path(const struct net_exchange *self)
{
    return self->path;
}

struct slice net_exchange_rest(const struct net_exchange *self)
{
    return self->rest;
}

struct slice net_exchange_query(const struct net_exchange *self)
{
    return self->query;
}

struct slice net_exchange_body(const struct net_exchange *self)
{
    return buf_slice(&self->body);
}

const uint8_t *net_exchange_peer(const struct net_exchange *self)
{
    return self->peer;
}

uint64_t net_exchange_round_us(const struct net_exchange *self)
{
    return self->loop->round_us;
}

static bool net_exchange_field_is(const struct net_exchange *self, unsigned index, struct slice name)
{
    const struct net_field *field = &self->field[index];
    return field->name_size == name.size &&
           strncasecmp((const char *)self->head.data + field->name_at, (const char *)name.data, name.size) == 0;
}

unsigned net_exchange_header_count(const struct net_exchange *self, const char *name)
{
    struct slice wanted = slice_text(name);
    unsigned count = 0;
    for (unsigned i = 0; i < self->field_count; i++)
        count += net_exchange_field_is(self, i, wanted);
    return count;
}

static struct slice net_exchange_trim(struct slice value)
{
    while (value.size > 0 && (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t'))
        value.size--;
    return value;
}

struct slice net_exchange_header_at(const struct net_exchange *self, const char *name, unsigned index)
{
    struct slice wanted = slice_text(name);
    for (unsigned i = 0; i < self->field_count; i++)
        if (net_exchange_field_is(self, i, wanted) && index-- == 0)
            return net_exchange_trim(slice_of(self->head.data + self->field[i].value_at, self->field[i].value_size));
    return slice_of(NULL, 0);
}

struct slice net_exchange_header(const struct net_exchange *self, const char *name)
{
    return net_exchange_header_at(self, name, 0);
}

static struct net_memory *net_exchange_new_piece(const struct net_exchange *self, size_t bytes)
{
    struct net_memory *piece =
        memory_new(self->loop->net->options.memory, MEMORY_CONNECTIONS, sizeof *piece + bytes);
    if (piece != NULL)
        piece->bytes_max = bytes;
    return piece;
}

void *net_exchange_memory(struct net_exchange *self, size_t bytes)
{
    struct net_memory *memory = self->kept;
    if (memory != NULL && bytes <= memory->bytes_max) {
        self->kept = NULL;
        memset(memory->bytes, 0, bytes);
    } else {
        memory = net_exchange_new_piece(self, bytes);
        if (memory == NULL)
            return NULL;
    }
    memory->next = self->memory;
    self->memory = memory;
    return memory->bytes;
}
