#include "collector/raw/raw_internal.h"

#include "vitrace/v1/beacon.pb.h"

#include <assert.h>
#include <stdlib.h>

#define ALIGNED(size) (((size_t)(size) + 63u) & ~(size_t)63u)

#define PRODUCER_AT ALIGNED(RING_BYTES)
#define CORE_AT     (PRODUCER_AT + ALIGNED(sizeof(struct ring_producer)))

size_t raw_document_block_bytes(void)
{
    return CORE_AT + ALIGNED(core_bytes());
}

/* core_init() lays the core over the memory that it is given. */
static struct core *document_core(const struct raw_document *self)
{
    return (struct core *)(void *)(self->block + CORE_AT);
}

void raw_document_reset(struct raw_document *self)
{
    struct ring_producer *producer = (struct ring_producer *)(void *)(self->block + PRODUCER_AT);
    ring_producer_init(producer, self->block);
    struct core *core = core_init(self->block + CORE_AT, producer);
    assert(core == document_core(self));
    (void)core;
    self->next_seq = 0;
    self->taken = 0;
}

/* u32 length, then the beacon. false: too many for one body, or for our memory. */
static bool document_drain(const struct raw_document *self, struct buf *out)
{
    struct ring_header *ring = (struct ring_header *)(void *)self->block;
    for (int segment = ring_consumer_take(ring); segment >= 0; segment = ring_consumer_take(ring)) {
        struct slice beacon = ring_consumer_bytes(ring, segment);
        uint32_t size = (uint32_t)beacon.size;
        buf_add(out, slice_of(&size, sizeof size));
        buf_add(out, beacon);
        ring_consumer_release(ring, segment, true);
    }
    return !out->failed;
}

static enum raw_status document_overflow(const struct buf *out)
{
    return out->starved ? RAW_BUSY : RAW_TOO_LARGE;
}

bool raw_derived_next(struct slice *rest, struct slice *beacon)
{
    uint32_t size;
    if (rest->size == 0)
        return false;
    assert(rest->size > sizeof size);
    memcpy(&size, rest->data, sizeof size);
    assert(size <= rest->size - sizeof size);
    *beacon = slice_of(rest->data + sizeof size, size);
    *rest = slice_of(beacon->data + size, rest->size - sizeof size - size);
    return true;
}

/* What a missing body held is not known; that it is missing must be seen in the ledger: one loss a body. */
static void document_count_missing(struct raw_document *self, struct core_clock clock, uint32_t count)
{
    const double record[INBOX_LOSS_WORDS] = {[INBOX_LOSS_KIND] = INBOX_LOSS,
                                             [INBOX_LOSS_REASON] = vitrace_v1_LossReason_LOSS_REASON_SEND_FAILED,
                                             [INBOX_LOSS_COUNT] = count};
    core_take(document_core(self), clock, record, INBOX_LOSS_WORDS, slice_of(NULL, 0));
}

static enum raw_status document_take_batch(struct raw_document *self, struct core_clock clock,
                                           const struct raw_batch *batch, double *words)
{
    for (uint32_t i = 0; i < batch->word_count; i++)
        words[i] = raw_batch_word(batch, i);
    switch (core_take(document_core(self), clock, words, batch->word_count, batch->strings)) {
    case CORE_NOT_STARTED:
        return RAW_NOT_STARTED;
    case CORE_BAD_BATCH:
        return RAW_MALFORMED;
    case CORE_OK:
    case CORE_SEALED:
        break;
    }
    return RAW_OK;
}

static enum raw_status document_take_batches(struct raw_document *self, struct core_clock clock,
                                             const struct raw_body *body, struct buf *out)
{
    double *words = malloc(INBOX_WORDS * sizeof *words);
    enum raw_status status = words == NULL ? RAW_BUSY : RAW_OK;
    struct slice rest = body->batches;
    while (status == RAW_OK && rest.size > 0) {
        struct raw_batch batch;
        status = raw_batch_next(&rest, &batch);
        assert(status == RAW_OK); /* raw_body_open() has been here */
        status = document_take_batch(self, clock, &batch, words);
        if (status == RAW_OK && !document_drain(self, out))
            status = document_overflow(out);
    }
    free(words);
    return status;
}

/* Every body is sealed: between two bodies nothing is open, and what was answered 204 is on the disk. */
enum raw_status raw_document_run(struct raw_document *self, const struct raw_body *body, struct buf *out)
{
    struct core_clock clock = {body->mono_ms, body->wall_ms};
    if (body->seq > self->next_seq)
        document_count_missing(self, clock, body->seq - self->next_seq);
    enum raw_status status = document_take_batches(self, clock, body, out);
    if (status != RAW_OK)
        return status;
    core_seal(document_core(self), clock, body->is_final);
    return document_drain(self, out) ? RAW_OK : document_overflow(out);
}
