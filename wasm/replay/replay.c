#include "wasm/replay/replay.h"

#include "wasm/core/core.h"

#define ALIGNED(size) (((size_t)(size) + 63u) & ~(size_t)63u)

struct replay {
    const struct replay_io *io;
    struct ring_producer producer;
    struct core *core;
    double words[INBOX_WORDS];
    uint8_t strings[INBOX_STRING_BYTES];
};

struct frame {
    struct core_clock clock;
    uint32_t words, string_bytes, op, zero;
};
_Static_assert(sizeof(struct frame) == REPLAY_FRAME_BYTES, "a frame is read as it lies");

static const char *const status_texts[REPLAY_STATUS_COUNT] = {
    [REPLAY_OK] = "ok",
    [REPLAY_TRUNCATED] = "the stream ends inside a frame",
    [REPLAY_BAD_FRAME] = "a frame is larger than the inbox, or its operation is unknown",
    [REPLAY_NOT_STARTED] = "the stream does not begin with a valid START record",
    [REPLAY_STOPPED] = "stopped by the output",
};

const char *replay_status_text(enum replay_status status)
{
    return (unsigned)status < REPLAY_STATUS_COUNT ? status_texts[status] : "unknown";
}

size_t replay_bytes(void)
{
    return ALIGNED(RING_BYTES) + ALIGNED(core_bytes()) + sizeof(struct replay);
}

static enum replay_status drain(const struct replay *self)
{
    struct ring_header *header = self->producer.header;
    for (int segment = ring_consumer_take(header); segment >= 0; segment = ring_consumer_take(header)) {
        bool more = self->io->beacon(self->io->context, ring_consumer_bytes(header, segment));
        ring_consumer_release(header, segment, more);
        if (!more)
            return REPLAY_STOPPED;
    }
    return REPLAY_OK;
}

static bool frame_is_valid(const struct frame *frame)
{
    if (frame->zero != 0 || frame->op > REPLAY_SEAL_FINAL)
        return false;
    if (frame->op != REPLAY_TAKE)
        return frame->words == 0 && frame->string_bytes == 0;
    return frame->words <= INBOX_WORDS && frame->string_bytes <= INBOX_STRING_BYTES;
}

static enum replay_status read_batch(struct replay *self, const struct frame *frame)
{
    const struct replay_io *io = self->io;
    if (frame->words > 0 && io->read(io->context, self->words, frame->words * sizeof self->words[0]) != 1)
        return REPLAY_TRUNCATED;
    if (frame->string_bytes > 0 && io->read(io->context, self->strings, frame->string_bytes) != 1)
        return REPLAY_TRUNCATED;
    return REPLAY_OK;
}

static enum replay_status run_frame(struct replay *self, const struct frame *frame)
{
    enum replay_status status = read_batch(self, frame);
    if (status != REPLAY_OK)
        return status;
    enum core_status result = frame->op == REPLAY_TAKE
                                  ? core_take(self->core, frame->clock, self->words, frame->words,
                                              slice_of(self->strings, frame->string_bytes))
                                  : core_seal(self->core, frame->clock, frame->op == REPLAY_SEAL_FINAL);
    switch (result) {
    case CORE_NOT_STARTED:
        return REPLAY_NOT_STARTED;
    case CORE_BAD_BATCH: /* too many strings: the page got the same answer and went on */
    case CORE_OK:
    case CORE_SEALED:
        break;
    }
    return drain(self);
}

enum replay_status replay_run(void *memory, const struct replay_io *io)
{
    uint8_t *at = memory;
    struct replay *self = (struct replay *)(void *)(at + ALIGNED(RING_BYTES) + ALIGNED(core_bytes()));
    self->io = io;
    ring_producer_init(&self->producer, at);
    self->core = core_init(at + ALIGNED(RING_BYTES), &self->producer);
    for (;;) {
        struct frame frame;
        int got = io->read(io->context, &frame, sizeof frame);
        if (got <= 0)
            return got == 0 ? REPLAY_OK : REPLAY_TRUNCATED;
        if (!frame_is_valid(&frame))
            return REPLAY_BAD_FRAME;
        enum replay_status status = run_frame(self, &frame);
        if (status != REPLAY_OK)
            return status;
    }
}
