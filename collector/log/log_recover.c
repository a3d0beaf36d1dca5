/*
 * What a start does with what a crash left. Only the last segment can be unfinished: its successor is created after its
 * last batch is durable, and its predecessor ends where it begins.
 *
 *   header 4096 │ records … │ last batch: all, part or nothing of it │ zeros of the preallocation
 *                           ▲ frame.batch of the last sound record    ▲ the cut: end of the last sound record
 *
 * 1. Everything up to the last sound record is kept. A hole before it is reported by readers as corrupt, not cut away:
 *    behind it there may be records that somebody was promised.
 * 2. What follows the last sound record was never acknowledged (or is damage to the very last one): it is cut.
 * 3. The last batch may be in the page cache only, and after a failed fdatasync of the previous process the kernel
 *    believes it clean. It is written again, the same bytes to the same place, and synced, before it is called durable.
 * 4. A segment without a record is not written to: its name may be in the page cache only, too, and the sync of the
 * folder may have failed. The next append replaces it by a new file of the same name. A segment with a record needs no
 * such doubt: nothing is written to one before its name is on disk.
 * 5. A file that cannot be read is never cut. It is left as it is and the log goes on behind its end.
 */
#include "collector/base/diag.h"
#include "collector/log/log_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RECOVER_COPY_BYTES (64u << 10)

struct recover {
    struct log *log;
    char *error;
    size_t error_size;
};

/* What the scan of the last segment found, in file offsets. */
struct recover_tail {
    uint64_t file_bytes;
    uint64_t end;        /* after the last sound record */
    uint64_t batch;      /* where its batch begins */
    uint64_t torn_bytes; /* from end to the last byte that is not zero */
    uint64_t records;
    bool readable;
};

static bool recover_fail(struct recover *self, const char *what, const char *name, const char *advice)
{
    snprintf(self->error, self->error_size, "log: %s %s: %s; %s", what, name, strerror(errno), advice);
    return false;
}

static int recover_visit(void *context, const char *name)
{
    struct recover *self = context;
    uint64_t first;
    if (log_segment_is_unfinished(name)) {
        if (!self->log->read_only)
            self->log->os->unlink(self->log->os->context, self->log->folder, name);
    } else if (log_segment_parse_name(name, &first) && !log_table_put(&self->log->table, (struct log_table_row){.first = first})) {
        snprintf(self->error, self->error_size, "log: more than %u segment files; move the oldest away",
                 LOG_SEGMENTS_MAX);
        return 1;
    }
    return 0;
}

static bool recover_list(struct recover *self)
{
    int result = self->log->os->list(self->log->os->context, self->log->folder, recover_visit, self);
    return result < 0 ? recover_fail(self, "cannot list", "the folder", "check its permissions") : result == 0;
}

/* A damaged segment costs its own records, a newer one costs the start: going on would lose what it holds. */
static bool recover_check_segment(struct recover *self, struct log_table_row *row)
{
    const struct os *os = self->log->os;
    char name[LOG_NAME_BYTES];
    log_segment_name(row->first, name);
    int file = os->open(os->context, self->log->folder, name, O_RDONLY, 0);
    if (file < 0)
        return recover_fail(self, "cannot open", name, "check its permissions");
    int64_t bytes = os->file_size(os->context, file);
    int failure = errno;
    struct log_header header;
    enum log_header_status status = log_segment_read_header(os, file, row->first, &header);
    os->close(os->context, file);
    errno = failure;
    if (bytes < 0) /* not zero bytes: taking it for empty would cut it */
        return recover_fail(self, "cannot tell the size of", name, "check the disk");
    row->bytes = (uint64_t)bytes;
    row->created_us = header.created_us;
    if (status == LOG_HEADER_NEWER) {
        snprintf(
            self->error, self->error_size,
            "log: %s was written by a newer version (this one knows format %u); start that version, or another folder",
            name, LOG_FORMAT_VERSION);
        return false;
    }
    if (status != LOG_HEADER_GOOD)
        diag(DIAG_ERROR, "log_segment_unreadable", "%s: no readable header; its records are skipped", name);
    return true;
}

static bool recover_check(struct recover *self)
{
    for (size_t i = 0; i < self->log->table.count; i++) {
        if (!recover_check_segment(self, &self->log->table.rows[i]))
            return false;
    }
    return true;
}

static void recover_scan(struct log_scan *scan, struct recover_tail *tail)
{
    struct log_found found = {0};
    uint64_t offset = LOG_HEADER_BYTES;
    tail->end = tail->batch = offset;
    tail->readable = true;
    while (tail->readable && offset < tail->file_bytes) {
        enum log_scan_status status = log_scan_next(scan, offset, tail->file_bytes, &found);
        tail->readable = status != LOG_SCAN_ERROR;
        if (status == LOG_SCAN_RECORD) {
            tail->records++;
            tail->end = found.next_offset;
            tail->batch = LOG_HEADER_BYTES + found.frame.batch;
        }
        offset = found.next_offset;
    }
}

static void recover_measure_torn(const struct os *os, int file, struct recover_tail *tail)
{
    uint8_t block[4096];
    for (uint64_t offset = tail->end; offset < tail->file_bytes;) {
        ssize_t got = os->pread(os->context, file, block, sizeof block, (off_t)offset);
        tail->readable = got >= 0;
        if (got <= 0)
            return;
        for (size_t i = 0; i < (size_t)got; i++) {
            if (block[i] != 0)
                tail->torn_bytes = offset + i + 1 - tail->end;
        }
        offset += (uint64_t)got;
    }
}

/* 0 or errno. */
static int recover_write_again(const struct os *os, int file, uint64_t from, uint64_t to, uint8_t *block)
{
    while (from < to) {
        size_t want = to - from < RECOVER_COPY_BYTES ? (size_t)(to - from) : RECOVER_COPY_BYTES;
        ssize_t got = os->pread(os->context, file, block, want, (off_t)from);
        if (got <= 0)
            return got < 0 ? errno : EIO;
        struct iovec part = {block, (size_t)got};
        ssize_t written = os->pwritev(os->context, file, &part, 1, (off_t)from);
        if (written <= 0)
            return written < 0 ? errno : EIO;
        from += (uint64_t)written;
    }
    return 0;
}

/*
 * 0 or errno. The cut comes first: its size change is then covered by the same sync. After a clean stop there is nothing to
 * cut, and the data alone is synced, which costs no commit of the file system's journal.
 */
static int recover_settle(const struct os *os, int file, const struct recover_tail *tail)
{
    uint8_t *block = malloc(RECOVER_COPY_BYTES);
    if (block == NULL)
        return ENOMEM;
    bool cut = tail->end < tail->file_bytes;
    int failure = !cut || os->ftruncate(os->context, file, (off_t)tail->end) == 0 ? 0 : errno;
    if (failure == 0)
        failure = recover_write_again(os, file, tail->batch, tail->end, block);
    if (failure == 0 && (cut ? os->fsync(os->context, file) : os->fdatasync(os->context, file)) != 0)
        failure = errno;
    free(block);
    return failure;
}

static void recover_count(struct recover *self, const struct recover_tail *tail, const char *name)
{
    counters_add(self->log->counters, COUNTER_LOG_RECOVERED, tail->records);
    counters_add(self->log->counters, COUNTER_LOG_TORN_BYTES, tail->torn_bytes);
    if (tail->torn_bytes > 0)
        diag(DIAG_WARNING, "log_torn_tail", "%s: %" PRIu64 " bytes after the last sound record %s", name,
             tail->torn_bytes, self->log->read_only ? "would be cut at a start" : "were cut");
}

static void recover_go_on_behind(struct recover *self, const struct log_segment *segment, const char *name)
{
    uint64_t records = segment->bytes > LOG_HEADER_BYTES ? segment->bytes - LOG_HEADER_BYTES : 0;
    uint64_t end = segment->first + (records + LOG_FRAME_ALIGN - 1) / LOG_FRAME_ALIGN * LOG_FRAME_ALIGN;
    diag(DIAG_ERROR, "log_segment_unreadable", "%s is left as it is; the log goes on behind it", name);
    log_table_put(&self->log->table, log_segment_row(segment));
    atomic_store(&self->log->durable, end);
}

/* The writer then begins a segment of its own. */
static void recover_let_go(const struct os *os, struct log_segment *segment)
{
    os->close(os->context, segment->file);
    segment->file = -1;
}

static bool recover_last_file(struct recover *self, struct log_segment *segment, const char *name)
{
    const struct os *os = self->log->os;
    struct recover_tail tail = {.file_bytes = segment->bytes};
    struct log_header header;
    if (log_segment_read_header(os, segment->file, segment->first, &header) == LOG_HEADER_GOOD) {
        struct log_scan scan;
        segment->salt = header.salt;
        log_scan_init(&scan, os);
        log_scan_attach(&scan, segment->file, segment->salt);
        recover_scan(&scan, &tail);
        log_scan_release(&scan);
        if (tail.readable)
            recover_measure_torn(os, segment->file, &tail);
    }
    if (!tail.readable) {
        recover_go_on_behind(self, segment, name);
        recover_let_go(os, segment);
        return true;
    }
    errno = self->log->read_only ? 0 : recover_settle(os, segment->file, &tail);
    if (errno != 0)
        return recover_fail(self, "cannot make the tail durable in", name, "check the disk");
    recover_count(self, &tail, name);
    segment->bytes = tail.end;
    log_table_put(&self->log->table, log_segment_row(segment));
    atomic_store(&self->log->durable, segment->first + (tail.end - LOG_HEADER_BYTES));
    if (tail.records == 0 || self->log->read_only)
        recover_let_go(os, segment);
    return true;
}

/* Opens it into writer.segment, where the writer goes on; log_open closes it when this fails. */
static bool recover_last(struct recover *self)
{
    struct log *log = self->log;
    if (log->table.count == 0)
        return true;
    struct log_table_row row = log->table.rows[log->table.count - 1];
    struct log_segment *segment = &log->writer.segment;
    char name[LOG_NAME_BYTES];
    log_segment_name(row.first, name);
    *segment = (struct log_segment){.first = row.first, .bytes = row.bytes, .created_us = row.created_us};
    segment->file = log->os->open(log->os->context, log->folder, name, log->read_only ? O_RDONLY : O_RDWR, 0);
    return segment->file < 0 ? recover_fail(self, "cannot open", name, "check its permissions")
                             : recover_last_file(self, segment, name);
}

bool log_recover(struct log *log, char *error, size_t error_size)
{
    struct recover self = {log, error, error_size};
    return recover_list(&self) && recover_check(&self) && recover_last(&self);
}
