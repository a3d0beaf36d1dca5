/*
 * A segment comes into being under another name and is renamed when its header is on disk, so a file with a segment's
 * name always had a sound header: one that has none is bit rot, never an interrupted creation.
 */
#include "collector/log/log_internal.h"
#include "proto/wire/crc32c.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

/* A byte above 127, then CR LF: a transfer that mangles either is seen at once. */
static const uint8_t header_magic[8] = {0x89, 'V', 'T', 'L', 'O', 'G', '\r', '\n'};

enum {
    HEADER_MAGIC = 0,
    HEADER_VERSION = 8,
    HEADER_BYTES = 12,
    HEADER_FIRST = 16,
    HEADER_CREATED = 24,
    HEADER_SALT = 32,
    HEADER_CRC = 60
};

static_assert(HEADER_CRC + 4 == LOG_HEADER_COPY_BYTES, "header layout");

static void header_put32(uint8_t *out, uint32_t value)
{
    value = htole32(value);
    memcpy(out, &value, sizeof value);
}

static void header_put64(uint8_t *out, uint64_t value)
{
    value = htole64(value);
    memcpy(out, &value, sizeof value);
}

static uint32_t header_get32(const uint8_t *in)
{
    uint32_t value;
    memcpy(&value, in, sizeof value);
    return le32toh(value);
}

static uint64_t header_get64(const uint8_t *in)
{
    uint64_t value;
    memcpy(&value, in, sizeof value);
    return le64toh(value);
}

void log_segment_name(uint64_t first, char name[LOG_NAME_BYTES])
{
    snprintf(name, LOG_NAME_BYTES, "%016" PRIx64 ".vtlog", first);
}

static void segment_unfinished_name(uint64_t first, char name[LOG_NAME_BYTES])
{
    snprintf(name, LOG_NAME_BYTES, "%016" PRIx64 ".vtlog.new", first);
}

/* Reads 16 digits; the caller compares the name written back, so that there is one spelling for each position. */
static bool segment_scan_name(const char *name, uint64_t *first)
{
    *first = 0;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = name[i] == '\0' ? NULL : strchr(digits, name[i]);
        if (digit == NULL)
            return false;
        *first = *first << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

bool log_segment_parse_name(const char *name, uint64_t *first)
{
    char again[LOG_NAME_BYTES];
    if (!segment_scan_name(name, first))
        return false;
    log_segment_name(*first, again);
    return strcmp(name, again) == 0;
}

bool log_segment_is_unfinished(const char *name)
{
    char again[LOG_NAME_BYTES];
    uint64_t first;
    if (!segment_scan_name(name, &first))
        return false;
    segment_unfinished_name(first, again);
    return strcmp(name, again) == 0;
}

static void header_encode(const struct log_segment *segment, uint8_t *out)
{
    memset(out, 0, LOG_HEADER_COPY_BYTES);
    memcpy(out + HEADER_MAGIC, header_magic, sizeof header_magic);
    header_put32(out + HEADER_VERSION, LOG_FORMAT_VERSION);
    header_put32(out + HEADER_BYTES, LOG_HEADER_BYTES);
    header_put64(out + HEADER_FIRST, segment->first);
    header_put64(out + HEADER_CREATED, segment->created_us);
    header_put32(out + HEADER_SALT, segment->salt);
    header_put32(out + HEADER_CRC, crc32c(0, slice_of(out, HEADER_CRC)));
}

static enum log_header_status header_decode(const uint8_t *in, uint64_t first, struct log_header *header)
{
    if (memcmp(in + HEADER_MAGIC, header_magic, sizeof header_magic) != 0 ||
        header_get32(in + HEADER_CRC) != crc32c(0, slice_of(in, HEADER_CRC)))
        return LOG_HEADER_BAD;
    if (header_get32(in + HEADER_VERSION) > LOG_FORMAT_VERSION)
        return LOG_HEADER_NEWER;
    if (header_get32(in + HEADER_VERSION) != LOG_FORMAT_VERSION ||
        header_get32(in + HEADER_BYTES) != LOG_HEADER_BYTES || header_get64(in + HEADER_FIRST) != first)
        return LOG_HEADER_BAD;
    header->salt = header_get32(in + HEADER_SALT);
    header->created_us = header_get64(in + HEADER_CREATED);
    return LOG_HEADER_GOOD;
}

static enum log_header_status header_read_copy(const struct os *os, int file, uint32_t at, uint64_t first,
                                               struct log_header *header)
{
    uint8_t copy[LOG_HEADER_COPY_BYTES];
    ssize_t got = os->pread(os->context, file, copy, sizeof copy, (off_t)at);
    if (got < 0)
        return LOG_HEADER_ERROR;
    return got == (ssize_t)sizeof copy ? header_decode(copy, first, header) : LOG_HEADER_BAD;
}

enum log_header_status log_segment_read_header(const struct os *os, int file, uint64_t first,
                                               struct log_header *header)
{
    *header = (struct log_header){0};
    enum log_header_status one = header_read_copy(os, file, 0, first, header);
    if (one == LOG_HEADER_GOOD || one == LOG_HEADER_NEWER)
        return one;
    enum log_header_status two = header_read_copy(os, file, LOG_HEADER_SECOND_COPY, first, header);
    return one == LOG_HEADER_ERROR && two == LOG_HEADER_BAD ? LOG_HEADER_ERROR : two;
}

int log_segment_extend(struct log_segment *self, const struct os *os, uint64_t bytes)
{
    assert(bytes > self->bytes);
    int result = os->fallocate(os->context, self->file, (off_t)self->bytes, (off_t)(bytes - self->bytes));
    /* A file system without it still works, only slower: every commit then also changes the block map. */
    if (result != 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
        result = os->ftruncate(os->context, self->file, (off_t)bytes);
    if (result != 0)
        return errno;
    self->bytes = bytes;
    return 0;
}

static void parts_skip(struct iovec **parts, unsigned *count, size_t bytes)
{
    while (*count > 0 && bytes >= (*parts)->iov_len) {
        bytes -= (*parts)->iov_len;
        ++*parts;
        --*count;
    }
    if (*count > 0) {
        (*parts)->iov_base = (uint8_t *)(*parts)->iov_base + bytes;
        (*parts)->iov_len -= bytes;
    }
}

int log_segment_write(struct log_segment *self, const struct os *os, struct iovec *parts, unsigned count,
                      uint64_t offset)
{
    while (count > 0) {
        ssize_t written = os->pwritev(os->context, self->file, parts, (int)count, (off_t)offset);
        if (written <= 0)
            return written < 0 ? errno : EIO;
        offset += (uint64_t)written;
        parts_skip(&parts, &count, (size_t)written);
    }
    return 0;
}

/*
 * The first write to a reserved block changes the block map, and that costs each commit a second, waiting write of the
 * file system's own, to its journal or its inode: a third of a commit's time and of its CPU. Blocks that hold zeros are like any other. So a commit
 * that comes to reserved blocks writes zeros over the next half megabyte of them as well, and the dozens that follow find
 * them written.
 */
unsigned log_segment_add_ahead(struct log_segment *self, struct iovec *parts, uint64_t offset, uint64_t bytes)
{
    static const uint8_t zeros[LOG_AHEAD_PART_BYTES];
    uint64_t at = offset + bytes, end = at + LOG_AHEAD_BYTES;
    if (at <= self->written || bytes > LOG_AHEAD_BATCH_MAX) {
        self->written = at > self->written ? at : self->written;
        return 0;
    }
    end = end < self->bytes ? end - end % LOG_HEADER_BYTES : self->bytes;
    self->written = end;
    unsigned count = 0;
    for (uint64_t size; at < end; at += size) {
        size = end - at < sizeof zeros ? end - at : sizeof zeros;
        parts[count++] = (struct iovec){(void *)(uintptr_t)zeros, (size_t)size};
    }
    assert(count <= LOG_AHEAD_PARTS_MAX);
    return count;
}

static int segment_write_header(struct log_segment *self, const struct os *os)
{
    uint8_t block[LOG_HEADER_BYTES] = {0};
    header_encode(self, block);
    memcpy(block + LOG_HEADER_SECOND_COPY, block, LOG_HEADER_COPY_BYTES);
    struct iovec part = {block, sizeof block};
    int failure = log_segment_write(self, os, &part, 1, 0);
    if (failure != 0)
        return failure;
    return os->fsync(os->context, self->file) == 0 ? 0 : errno;
}

static int segment_fill(struct log_segment *self, const struct os *os, uint64_t bytes)
{
    if (os->random(os->context, &self->salt, sizeof self->salt) != 0)
        return errno;
    int failure = log_segment_extend(self, os, bytes);
    return failure != 0 ? failure : segment_write_header(self, os);
}

/* A name that is not surely on disk is taken back: records behind it could vanish with it. */
static int segment_publish(const struct os *os, int folder, const char *unfinished, const char *name)
{
    if (os->rename(os->context, folder, unfinished, name) != 0)
        return errno;
    if (os->fsync(os->context, folder) == 0)
        return 0;
    int failure = errno;
    os->unlink(os->context, folder, name);
    return failure;
}

int log_segment_create(struct log_segment *self, const struct os *os, int folder, uint64_t first, uint64_t bytes)
{
    char unfinished[LOG_NAME_BYTES], name[LOG_NAME_BYTES];
    segment_unfinished_name(first, unfinished);
    log_segment_name(first, name);
    *self = (struct log_segment){.first = first, .created_us = os->unix_us(os->context)};
    self->file = os->open(os->context, folder, unfinished, O_RDWR | O_CREAT | O_TRUNC, 0640);
    if (self->file < 0)
        return errno;
    int failure = segment_fill(self, os, bytes);
    if (failure == 0)
        failure = segment_publish(os, folder, unfinished, name);
    if (failure != 0) {
        os->close(os->context, self->file);
        os->unlink(os->context, folder, unfinished);
        self->file = -1;
    }
    return failure;
}

void log_segment_close(struct log_segment *self, const struct os *os, uint64_t bytes)
{
    if (bytes < self->bytes && os->ftruncate(os->context, self->file, (off_t)bytes) == 0)
        self->bytes = bytes;
    os->close(os->context, self->file);
    self->file = -1;
}
