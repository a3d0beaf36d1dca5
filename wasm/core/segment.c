#include "wasm/core/segment.h"

#include "wasm/core/text_hash.h"
#include "wasm/core/utf8.h"

#include <assert.h>

/* The page sends its navigation again when it is complete. */
#define ONCE (1u << BEACON_FIELD_NAVIGATION)

void segment_init(struct segment *self, struct ring_producer *ring, struct dictionary *dictionary)
{
    *self = (struct segment){.ring = ring, .dictionary = dictionary};
    dictionary_clear(dictionary);
}

void segment_lay(struct segment *self, uint8_t *memory)
{
    *self = (struct segment){.base = memory, .is_open = true};
}

bool segment_open(struct segment *self, uint32_t seq)
{
    uint32_t room;
    assert(!self->is_open);
    if (ring_producer_open(self->ring, BEACON_BYTES_MAX, seq) != 0)
        return false;
    self->base = ring_producer_claim(self->ring, &room);
    self->is_open = true;
    self->size = self->records = self->entries = self->once = self->strings = 0;
    dictionary_clear(self->dictionary);
    return true;
}

void segment_begin(struct segment *self, bool reserved)
{
    assert(self->is_open);
    self->limit = (self->ring == NULL ? SEGMENT_LAID_BYTES_MAX : BEACON_BYTES_MAX) - (reserved ? 0 : SEGMENT_RESERVE_BYTES);
    self->strings_max = BEACON_STRINGS_MAX - (reserved ? 0 : SEGMENT_RESERVE_STRINGS);
    self->records_max = BEACON_RECORDS_MAX - (reserved ? 0 : SEGMENT_RESERVE_RECORDS);
    self->pending_size = self->pending_records = self->pending_once = 0;
    self->mark = self->strings;
    self->failed = false;
}

static uint8_t *pending_at(const struct segment *self)
{
    return self->base + self->size + self->pending_size;
}

static size_t pending_room(const struct segment *self)
{
    uint32_t used = self->size + self->pending_size;
    return used < self->limit && self->records + self->pending_records < self->records_max ? self->limit - used : 0;
}

/* `size` 0 is how the writer says that a record does not fit. */
static void pending_add(struct segment *self, size_t size)
{
    self->failed = self->failed || size == 0;
    self->pending_size += (uint32_t)size;
    self->pending_records += size > 0;
}

static uint32_t add_text(struct segment *self, struct slice text, uint64_t hash)
{
    size_t room = self->strings < self->strings_max ? pending_room(self) : 0;
    size_t size = writer_record(pending_at(self), room, BEACON_FIELD_STRING, text);
    pending_add(self, size);
    if (size == 0)
        return 0;
    uint32_t end = self->size + self->pending_size;
    if (self->dictionary != NULL)
        dictionary_add(self->dictionary, hash, end - (uint32_t)text.size, (uint32_t)text.size);
    return ++self->strings;
}

uint32_t segment_text_hashed(struct segment *self, struct slice text, uint64_t hash)
{
    if (text.size == 0 || self->failed)
        return 0;
    if (text.size > BEACON_STRING_BYTES_MAX) {
        text = utf8_cut(text, BEACON_STRING_BYTES_MAX);
        hash = text_hash(text);
    }
    uint32_t id = self->dictionary != NULL ? dictionary_find(self->dictionary, self->base, text, hash) : 0;
    return id != 0 ? id : add_text(self, text, hash);
}

uint32_t segment_text(struct segment *self, struct slice text)
{
    return text.size == 0 ? 0 : segment_text_hashed(self, text, text_hash(text));
}

/* A second record of which a beacon carries one at most does not fit. */
void segment_append(struct segment *self, enum beacon_field field, struct slice body)
{
    uint32_t once = ONCE & 1u << field;
    self->failed = self->failed || ((self->once | self->pending_once) & once) != 0;
    self->pending_once |= once;
    if (!self->failed)
        pending_add(self, writer_record(pending_at(self), pending_room(self), field, body));
}

void segment_cancel(struct segment *self)
{
    if (self->dictionary != NULL)
        dictionary_cut(self->dictionary, self->mark);
    self->strings = self->mark;
    self->pending_size = self->pending_records = self->pending_once = 0;
}

bool segment_end(struct segment *self)
{
    if (self->failed) {
        segment_cancel(self);
        return false;
    }
    if (self->ring != NULL)
        ring_producer_commit(self->ring, self->pending_size);
    self->size += self->pending_size;
    self->records += self->pending_records;
    self->once |= self->pending_once;
    self->pending_size = self->pending_records = self->pending_once = 0;
    return true;
}

uint32_t segment_seal(struct segment *self)
{
    assert(self->is_open);
    self->is_open = false;
    return ring_producer_seal(self->ring);
}

uint32_t segment_hold(struct segment *self)
{
    assert(self->is_open);
    self->is_open = false;
    return ring_producer_hold(self->ring);
}

void segment_abort(struct segment *self)
{
    assert(self->is_open);
    self->is_open = false;
    ring_producer_abort(self->ring);
}
