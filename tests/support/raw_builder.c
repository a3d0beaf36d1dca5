#include "tests/support/raw_builder.h"

#include <assert.h>

static void put(struct raw_builder *self, const void *bytes, size_t size)
{
    assert(size <= sizeof self->bytes - self->size);
    if (size > 0)
        memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
}

static void put_u32(struct raw_builder *self, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    put(self, bytes, sizeof bytes);
}

void raw_builder_begin(struct raw_builder *self, uint32_t view, uint32_t seq, bool final, struct core_clock clock)
{
    const uint8_t head[8] = {'V', 'T', 'R', 'I', INBOX_ABI_VERSION, final, 0, 0};
    self->size = 0;
    put(self, head, sizeof head);
    put_u32(self, seq);
    put(self, &clock.mono_ms, sizeof clock.mono_ms);
    put(self, &clock.wall_ms, sizeof clock.wall_ms);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t word = i == 0 ? view : 0x01020304u + i;
        const uint8_t id[4] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};
        put(self, id, sizeof id);
    }
}

void raw_builder_batch(struct raw_builder *self, const struct rig *rig)
{
    static const uint8_t zeros[8];
    unsigned strings = rig->string_bytes > 0 ? rig->string_bytes - 1 : 0;
    put_u32(self, rig->word_count);
    put_u32(self, strings);
    put(self, rig->words, rig->word_count * sizeof rig->words[0]);
    put(self, rig->strings, strings);
    put(self, zeros, (8 - strings % 8) % 8);
}

double *raw_builder_start(struct rig *rig, uint32_t view)
{
    double *start = rig_put_start(rig);
    start[INBOX_START_VIEW_ID_0] = view;
    start[INBOX_START_TRANSPORT] = vitrace_v1_Transport_TRANSPORT_RAW_INBOX;
    return start;
}

struct slice raw_builder_bytes(const struct raw_builder *self)
{
    return slice_of(self->bytes, self->size);
}
