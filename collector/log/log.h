/*
 * The log: append-only, checksummed, group-committed segment files; the only ground truth. FORMAT.md is normative.
 *
 *   any thread --log_take--> queue --> writer thread: gather, pwritev, fdatasync --> done() of each append
 *   sinks      <--log_reader_next-- files, up to the durable position
 *
 * A position is a byte offset in the whole log since its beginning: it grows over segment files and is never reused.
 * Only a disk that loses what fdatasync promised can make the log shorter: a sink whose saved position is above
 * log_durable_position() at start must rebuild.
 */
#ifndef VITRACE_LOG_H
#define VITRACE_LOG_H

#include "collector/base/append.h"
#include "collector/base/counters.h"
#include "collector/os/os.h"

#define LOG_RECORD_BYTES_MAX (4u << 20) /* payload: the largest inflated OTLP request */

struct log;

struct log_options {
    const char *folder;          /* created when missing */
    uint64_t segment_bytes;      /* 0 = 64 MiB; preallocated */
    uint64_t free_bytes_floor;   /* refuse appends below this much free disk; 0 = 64 MiB */
    uint64_t headroom_bytes;     /* above the floor, for final beacons alone; 0 = two segments */
    uint64_t retention_us;       /* a segment whose records are all older is removed; 0 = 30 days */
    uint64_t bytes_max;          /* of all segment files: the oldest are removed above it; 0 = 20 GiB */
    const struct os *os;         /* NULL = os_posix() */
    struct counters *counters;   /* borrowed */
    struct memory *memory;       /* borrowed; pays for the log and its readers at once. NULL = not accounted */
};

/*
 * Recovers (cuts a torn tail, counts it) and starts the writer thread. NULL = cannot be opened; `error` then says what,
 * where and what to do (at most `error_size` bytes, NUL-terminated).
 */
struct log *log_open(const struct log_options *options, char *error, size_t error_size);
/*
 * For looking at a log that no collector runs on: takes the lock, writes nothing, has no writer. Readers work, log_take()
 * must not be called. What a start would cut off the end is not shown, but counted (COUNTER_LOG_TORN_BYTES).
 */
struct log *log_open_read_only(const struct log_options *options, char *error, size_t error_size);
/* Commits what is queued, answers APPEND_STOPPING to later appends, ends the writer thread. Free the readers before. */
void log_close(struct log *self);

struct log_segment_summary {
    uint64_t first, end; /* positions; the next segment begins at `end` */
    uint64_t bytes;      /* of the file */
    uint64_t created_us; /* 0 = its header cannot be read */
    char name[32];       /* of the file */
};
/* The segments in order. False: there are not so many. */
bool log_segment_at(struct log *self, size_t index, struct log_segment_summary *summary);

/*
 * append_sink.take: any thread, never blocks on the disk, allocates nothing. The type must be one of enum append_type.
 * done() runs on the writer thread, in the order of taking for each sender; only APPEND_STOPPING is answered on the
 * caller's own thread, as there is no writer any more. No call may be under way when log_close() returns.
 */
void log_take(void *self, struct append *append);

/*
 * Whoever reads the log for good says here, from any thread, how far it has come: a segment with bytes at or above
 * `position` is not removed by age. Until the first call nothing is. Only bytes_max overrules it, and is counted then;
 * before it comes to that, from 80 % of bytes_max unread in this run, only final beacons are taken.
 */
void log_hold(struct log *self, uint64_t position);

/* Records below it were removed by retention: details no longer kept. */
uint64_t log_first_position(const struct log *self);
/* Every record below it is on disk. */
uint64_t log_durable_position(const struct log *self);
/* Waits until the durable position passes `position`, at most timeout_ms. Returns the durable position. */
uint64_t log_wait(struct log *self, uint64_t position, unsigned timeout_ms);

struct log_record {
    uint64_t position, next_position;
    enum append_type type;
    uint64_t received_unix_us;
    uint8_t peer[16];
    struct slice payload; /* borrowed from the reader until its next call */
};

enum log_read_status {
    LOG_READ_RECORD = 1,
    LOG_READ_END = 0,      /* nothing durable after this position yet */
    LOG_READ_CORRUPT = -1, /* checksum or framing; *record has position and the next readable position, payload empty */
    LOG_READ_ERROR = -2    /* I/O or memory */
};

/* A reader belongs to one thread; many may be open. It may start anywhere that a record starts. */
struct log_reader;
struct log_reader *log_reader_new(struct log *log, uint64_t position);
void log_reader_free(struct log_reader *self);
enum log_read_status log_reader_next(struct log_reader *self, struct log_record *record);
/* Moves to a position given earlier by a record (random access for queries). */
void log_reader_seek(struct log_reader *self, uint64_t position);

#endif
