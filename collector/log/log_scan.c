#include "collector/log/log_internal.h"
#include "proto/wire/crc32c.h"

#include <errno.h>
#include <stdlib.h>

#define SCAN_WINDOW_BYTES (256u << 10)

void log_scan_init(struct log_scan *self, const struct os *os)
{
    *self = (struct log_scan){.os = os, .file = -1};
}

void log_scan_release(struct log_scan *self)
{
    free(self->data);
    self->data = NULL;
    self->room = self->size = 0;
}

void log_scan_attach(struct log_scan *self, int file, uint32_t salt)
{
    self->file = file;
    self->salt = salt;
    self->size = 0;
}

/* The window is small until a large record passes, and never larger than the largest record. */
static bool scan_grow(struct log_scan *self, size_t size)
{
    size_t room = size > SCAN_WINDOW_BYTES ? LOG_FRAME_BYTES_MAX : SCAN_WINDOW_BYTES;
    if (self->room >= room)
        return true;
    uint8_t *data = realloc(self->data, room);
    if (data == NULL)
        return false;
    self->data = data;
    self->room = room;
    return true;
}

/* 1: the window begins at offset and has `size` bytes; 0: the file ends before; -1: error. */
static int scan_fill(struct log_scan *self, uint64_t offset, size_t size, uint64_t limit)
{
    if (!scan_grow(self, size))
        return -1;
    size_t want = limit - offset < self->room ? (size_t)(limit - offset) : self->room;
    self->start = offset;
    self->size = 0;
    while (self->size < size) {
        ssize_t got = self->os->pread(self->os->context, self->file, self->data + self->size, want - self->size,
                                      (off_t)(offset + self->size));
        if (got < 0)
            return -1;
        if (got == 0)
            return 0;
        self->size += (size_t)got;
    }
    return 1;
}

static int scan_need(struct log_scan *self, uint64_t offset, size_t size, uint64_t limit)
{
    if (size > limit || offset > limit - size)
        return 0;
    if (offset >= self->start && offset + size <= self->start + self->size)
        return 1;
    return scan_fill(self, offset, size, limit);
}

static const uint8_t *scan_at(const struct log_scan *self, uint64_t offset)
{
    return self->data + (offset - self->start);
}

/* 1: a sound record header of this very place, whose record ends below limit. */
static int scan_header(struct log_scan *self, uint64_t offset, uint64_t limit, struct log_frame *frame)
{
    int have = scan_need(self, offset, LOG_FRAME_HEADER_BYTES, limit);
    if (have <= 0)
        return have;
    const uint8_t *bytes = scan_at(self, offset);
    /* The distance alone refutes nearly every place of a long search; the checksum is for the rest. */
    return log_frame_distance(bytes) == offset - LOG_HEADER_BYTES && log_frame_decode(frame, self->salt, bytes) &&
           log_frame_bytes(frame->payload_bytes) <= limit - offset;
}

/* -1, or 1 with next_offset at the next sound header, at limit when there is none. */
static int scan_resync(struct log_scan *self, uint64_t offset, uint64_t limit, struct log_found *found)
{
    offset = offset / LOG_FRAME_ALIGN * LOG_FRAME_ALIGN + LOG_FRAME_ALIGN;
    for (; limit > LOG_FRAME_HEADER_BYTES && offset <= limit - LOG_FRAME_HEADER_BYTES; offset += LOG_FRAME_ALIGN) {
        int sound = scan_header(self, offset, limit, &found->frame);
        if (sound < 0)
            return -1;
        if (sound > 0) {
            found->next_offset = offset;
            return 1;
        }
    }
    found->next_offset = limit;
    return 1;
}

/* Two checksums, so that damage to a payload, where most bytes are, never sends us searching inside attacker text. */
enum log_scan_status log_scan_next(struct log_scan *self, uint64_t offset, uint64_t limit, struct log_found *found)
{
    int sound = offset % LOG_FRAME_ALIGN == 0 ? scan_header(self, offset, limit, &found->frame) : 0;
    if (sound < 0)
        return LOG_SCAN_ERROR;
    if (sound == 0)
        return scan_resync(self, offset, limit, found) < 0 ? LOG_SCAN_ERROR : LOG_SCAN_CORRUPT;
    size_t bytes = (size_t)log_frame_bytes(found->frame.payload_bytes);
    int have = scan_need(self, offset, bytes, limit);
    if (have < 0)
        return LOG_SCAN_ERROR;
    found->next_offset = offset + bytes;
    if (have == 0)
        return LOG_SCAN_CORRUPT;
    const uint8_t *payload = scan_at(self, offset) + LOG_FRAME_HEADER_BYTES;
    found->payload = slice_of(payload, found->frame.payload_bytes);
    uint32_t sum = crc32c(0, slice_of(payload, bytes - LOG_FRAME_HEADER_BYTES));
    return sum == found->frame.payload_crc ? LOG_SCAN_RECORD : LOG_SCAN_CORRUPT;
}
