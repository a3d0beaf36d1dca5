/*
 * One unary call.
 *
 *   stream opens --headers, data--> message whole --lend--> handler ..... grpc_reply --> HEADERS DATA trailers
 *                      |                                       |  another thread: wake     |
 *                      +-- refused (too large, unknown) -------+---------------------------+--> stream closes
 *
 * wake: as in net_exchange.c. A Treiber stack, taken whole, and one uv_async; the push is a release, the take an
 * acquire.
 */
#include "collector/grpc/grpc_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct grpc_call *grpc_call_new(struct grpc_connection *connection, int32_t stream_id)
{
    struct memory *memory = connection->grpc->options.memory;
    struct grpc_call *self = memory_new(memory, MEMORY_GRPC, sizeof *self);
    if (self == NULL)
        return NULL;
    self->grpc = connection->grpc;
    self->connection = connection;
    self->stream_id = stream_id;
    self->deadline_ms = uv_now(&self->grpc->uv) + self->grpc->options.request_timeout_ms;
    memcpy(self->peer, stream_peer(&connection->stream), sizeof self->peer);
    buf_init_accounted(&self->message, 0, memory, MEMORY_GRPC);
    buf_init_accounted(&self->response, 0, memory, MEMORY_GRPC);
    self->next = connection->calls;
    if (self->next != NULL)
        self->next->previous = self;
    connection->calls = self;
    connection->call_count++;
    return self;
}

static void grpc_call_drop_message(struct grpc_call *self)
{
    self->grpc->message_bytes -= self->message.size;
    buf_release(&self->message);
}

static void grpc_call_free(struct grpc_call *self)
{
    struct memory *budget = self->grpc->options.memory;
    self->grpc->lent -= self->lent;
    grpc_call_drop_message(self);
    while (self->memory != NULL) {
        struct grpc_memory *next = self->memory->next;
        memory_free(budget, MEMORY_GRPC, self->memory, sizeof *next + self->memory->size);
        self->memory = next;
    }
    buf_release(&self->response);
    memory_free(budget, MEMORY_GRPC, self, sizeof *self);
}

static void grpc_call_settle(struct grpc_call *self)
{
    if (self->connection == NULL && (!self->lent || (self->answered && !self->wake_armed)))
        grpc_call_free(self);
}

void grpc_call_leave(struct grpc_call *self)
{
    struct grpc_connection *connection = self->connection;
    if (self->previous != NULL)
        self->previous->next = self->next;
    else
        connection->calls = self->next;
    if (self->next != NULL)
        self->next->previous = self->previous;
    self->connection = NULL;
    if (--connection->call_count == 0)
        grpc_connection_rest(connection);
    grpc_call_settle(self);
}

static const char *grpc_call_code(enum grpc_status status)
{
    switch (status) {
    case GRPC_OK:
        return "ok";
    case GRPC_INVALID_ARGUMENT:
        return "invalid_argument";
    case GRPC_DEADLINE_EXCEEDED:
        return "deadline_exceeded";
    case GRPC_RESOURCE_EXHAUSTED:
        return "resource_exhausted";
    case GRPC_UNIMPLEMENTED:
        return "unimplemented";
    case GRPC_UNAVAILABLE:
        return "unavailable";
    }
    return "unknown";
}

void grpc_call_refuse(struct grpc_call *self, enum grpc_status status, const char *text, enum counter counter)
{
    counters_add(self->grpc->options.counters, counter, 1);
    grpc_refuse(self, &(struct grpc_refusal){.cause = {counter, (int)status, grpc_call_code(status), text},
                                             .retry_s = status == GRPC_UNAVAILABLE ? GRPC_RETRY_S : 0});
}

static uint32_t grpc_call_announced(const struct grpc_call *self)
{
    const uint8_t *at = self->message.data;
    return (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
}

/* The length is judged as soon as it is known, so a message that is too large is never gathered. */
void grpc_call_add(struct grpc_call *self, struct slice bytes)
{
    struct grpc *grpc = self->grpc;
    if (self->answered || self->method == NULL)
        return; /* refused: the rest of the upload is dropped until the client hears of it */
    size_t room = GRPC_PREFIX_BYTES + self->method->message_bytes_max - self->message.size;
    struct slice fits = slice_of(bytes.data, bytes.size < room ? bytes.size : room);
    if (fits.size > GRPC_MESSAGE_BYTES_TOTAL_MAX - grpc->message_bytes) {
        grpc_call_refuse(self, GRPC_UNAVAILABLE, "too many requests under way", COUNTER_HTTP_BUSY);
        return;
    }
    size_t before = self->message.size;
    bool good = buf_add(&self->message, fits);
    grpc->message_bytes += self->message.size - before;
    if (!good)
        grpc_call_refuse(self, GRPC_UNAVAILABLE, "out of memory", COUNTER_HTTP_BUSY);
    else if (self->message.size < GRPC_PREFIX_BYTES)
        return;
    else if (grpc_call_announced(self) > self->method->message_bytes_max)
        grpc_call_refuse(self, GRPC_RESOURCE_EXHAUSTED, "the message is larger than this method takes",
                         COUNTER_HTTP_BODY_TOO_LARGE);
    else if (before + bytes.size > GRPC_PREFIX_BYTES + (size_t)grpc_call_announced(self))
        grpc_call_refuse(self, GRPC_INVALID_ARGUMENT, "more than one message in a unary call",
                         COUNTER_HTTP_BAD_REQUESTS);
}

void grpc_call_complete(struct grpc_call *self)
{
    struct grpc *grpc = self->grpc;
    if (self->answered)
        return;
    self->deadline_ms = 0;
    counters_add(grpc->options.counters, COUNTER_HTTP_REQUESTS, 1);
    if (self->message.size < GRPC_PREFIX_BYTES ||
        self->message.size != GRPC_PREFIX_BYTES + (size_t)grpc_call_announced(self)) {
        grpc_call_refuse(self, GRPC_INVALID_ARGUMENT, "the message is cut short", COUNTER_HTTP_BAD_REQUESTS);
        return;
    }
    if (self->message.data[0] > 1 || (self->message.data[0] == 1 && self->encoding_size == 0)) {
        grpc_call_refuse(self, GRPC_INVALID_ARGUMENT, "a compressed message without grpc-encoding",
                         COUNTER_HTTP_BAD_REQUESTS);
        return;
    }
    if (grpc->lent >= GRPC_CALLS_MAX) {
        grpc_call_refuse(self, GRPC_UNAVAILABLE, "too many requests under way", COUNTER_HTTP_BUSY);
        return;
    }
    grpc->lent++;
    self->lent = true;
    self->method->handle(self->method->context, self);
}

struct slice grpc_call_message(const struct grpc_call *self)
{
    return slice_of(self->message.data + GRPC_PREFIX_BYTES, self->message.size - GRPC_PREFIX_BYTES);
}

struct slice grpc_call_encoding(const struct grpc_call *self)
{
    return slice_of(self->encoding, self->message.data[0] == 1 ? self->encoding_size : 0);
}

const uint8_t *grpc_call_peer(const struct grpc_call *self)
{
    return self->peer;
}

void *grpc_call_memory(struct grpc_call *self, size_t bytes)
{
    struct grpc_memory *memory = memory_new(self->grpc->options.memory, MEMORY_GRPC, sizeof *memory + bytes);
    if (memory == NULL)
        return NULL;
    memory->size = bytes;
    memory->next = self->memory;
    self->memory = memory;
    return memory->bytes;
}

static bool grpc_call_keep_response(struct grpc_call *self, struct slice message)
{
    uint32_t size = (uint32_t)message.size;
    uint8_t prefix[GRPC_PREFIX_BYTES] = {0, (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                                         (uint8_t)size};
    buf_release(&self->response);
    buf_init_accounted(&self->response, sizeof prefix + message.size, self->grpc->options.memory, MEMORY_GRPC);
    return buf_add(&self->response, slice_of(prefix, sizeof prefix)) && buf_add(&self->response, message);
}

/* Notes that the call is answered. false: nobody is there to be told, and the call may be gone. */
static bool grpc_call_begin_answer(struct grpc_call *self)
{
    assert(!self->answered);
    self->answered = true;
    /* A client that opens no window for the answer must not keep its message here, nor its stream for ever. */
    self->deadline_ms = uv_now(&self->grpc->uv) + self->grpc->options.request_timeout_ms;
    if (self->connection != NULL)
        return true;
    grpc_call_settle(self);
    return false;
}

static void grpc_call_send_answer(struct grpc_call *self, enum grpc_status status, const char *text)
{
    struct grpc_connection *connection = self->connection;
    snprintf(self->status, sizeof self->status, "%u", (unsigned)status);
    snprintf(self->text, sizeof self->text, "%s", text);
    grpc_call_drop_message(self);
    grpc_session_answer(self);
    if (!connection->held)
        grpc_connection_flush(connection); /* may free the call */
}

void grpc_reply(struct grpc_call *self, struct slice message)
{
    if (!grpc_call_begin_answer(self))
        return;
    bool kept = grpc_call_keep_response(self, message);
    grpc_call_send_answer(self, kept ? GRPC_OK : GRPC_UNAVAILABLE, kept ? "" : "out of memory");
}

void grpc_call_note(const struct grpc_call *self, const struct reject_cause *cause)
{
    struct rejects *rejects = self->grpc->options.rejects;
    uint64_t now_us = rejects_now();
    if (!rejects_want(rejects, cause->counter, now_us))
        return;
    struct reject reject = {.cause = *cause, .unix_us = now_us, .via = REJECT_GRPC, .method = "POST"};
    bool whole_prefix = self->message.size >= GRPC_PREFIX_BYTES;
    reject_set_peer(&reject, self->peer);
    reject_set_path(&reject, slice_text(self->method != NULL ? self->method->path : ""), true);
    reject_set_body(&reject, whole_prefix ? grpc_call_message(self) : slice_of(NULL, 0),
                    whole_prefix ? grpc_call_announced(self) : 0);
    rejects_add(rejects, &reject);
}

void grpc_refuse(struct grpc_call *self, const struct grpc_refusal *refusal)
{
    const struct reject_cause *cause = &refusal->cause;
    grpc_call_note(self, cause);
    if (!grpc_call_begin_answer(self))
        return;
    assert(strlen(cause->message) <= GRPC_TEXT_BYTES_MAX);
    if (refusal->retry_s > 0)
        grpc_retry_write((enum grpc_status)cause->status, cause->message,
                         jitter_spread(&self->grpc->jitter, refusal->retry_s, refusal->retry_s + 1), self->details);
    grpc_call_send_answer(self, (enum grpc_status)cause->status, cause->message);
}

void grpc_call_on_wake(struct grpc_call *self, void (*run)(struct grpc_call *, void *), void *context)
{
    assert(!self->wake_armed);
    self->wake_run = run;
    self->wake_context = context;
    self->wake_armed = true;
}

void grpc_call_wake(struct grpc_call *self)
{
    struct grpc *grpc = self->grpc; /* once it is pushed, the loop may free the call at any moment */
    atomic_fetch_add_explicit(&grpc->wakers, 1, memory_order_acquire);
    struct grpc_call *first = atomic_load_explicit(&grpc->woken, memory_order_relaxed);
    do
        self->woken_next = first;
    while (
        !atomic_compare_exchange_weak_explicit(&grpc->woken, &first, self, memory_order_release, memory_order_relaxed));
    uv_async_send(&grpc->wake);
    /* Partner: the loop waits for zero before it closes `wake` (grpc.c). */
    atomic_fetch_sub_explicit(&grpc->wakers, 1, memory_order_release);
}

void grpc_call_run_woken(struct grpc *grpc)
{
    struct grpc_call *last = atomic_exchange_explicit(&grpc->woken, NULL, memory_order_acquire), *first = NULL;
    while (last != NULL) { /* the stack holds the latest first */
        struct grpc_call *next = last->woken_next;
        last->woken_next = first;
        first = last;
        last = next;
    }
    while (first != NULL) {
        struct grpc_call *self = first;
        first = first->woken_next;
        assert(self->wake_armed);
        self->wake_armed = false;
        bool answered = self->answered;
        self->wake_run(self, self->wake_context);
        /* A run that answers settles by itself in grpc_reply; one that came after the answer is settled here. */
        if (answered)
            grpc_call_settle(self);
    }
}
