/*
 * Private to collector/log. Each group of prototypes names the .c file that defines it; FORMAT.md has the bytes.
 *
 *   log_take ─push─▶ log_queue ─take all─▶ log_writer ──pwritev, fdatasync──▶ log_segment (the last file)
 *                                              │ publish: log_table (which files), then durable (how far)
 *   log_reader ◀── log_scan (window over one file, up to durable) ◀────────────┘
 *   log_open ── log_recover ── log_scan over the last file
 *
 * Threads: the writer thread owns `writer` and every write to the folder. Readers own their descriptors and windows,
 * and share only `table` (its mutex) and `durable` (atomic) with it.
 */
#ifndef VITRACE_LOG_INTERNAL_H
#define VITRACE_LOG_INTERNAL_H

#include "collector/log/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define LOG_FORMAT_VERSION     1u
#define LOG_HEADER_BYTES       4096u /* of a segment file; records begin after it */
#define LOG_HEADER_COPY_BYTES  64u   /* the header proper, stored twice: */
#define LOG_HEADER_SECOND_COPY 2048u /* at 0 and here, in different sectors, so that bit rot cannot cost a segment */
#define LOG_FRAME_HEADER_BYTES 48u
#define LOG_FRAME_ALIGN        8u
#define LOG_FRAME_VERSION      1u
#define LOG_FRAME_BYTES_MAX    (LOG_FRAME_HEADER_BYTES + LOG_RECORD_BYTES_MAX)

#define LOG_SEGMENT_BYTES_DEFAULT (64ull << 20)
#define LOG_SEGMENT_BYTES_MIN     (LOG_HEADER_BYTES + 1024ull)
#define LOG_SEGMENT_BYTES_MAX     (1ull << 30) /* a frame stores its distance in 32 bits */
#define LOG_FREE_FLOOR_DEFAULT    (64ull << 20)
#define LOG_RETENTION_US_DEFAULT  (30ull * 24 * 3600 * 1000000)
#define LOG_BYTES_MAX_DEFAULT     (20ull << 30)
#define LOG_BYTES_SEGMENTS_MIN    2u /* of bytes_max: the open segment, and one to remove */
#define LOG_HEADROOM_SEGMENTS     2u /* one to open below the limit for others, one to fill */
#define LOG_HEADROOM_DIVISOR      5u /* of bytes_max that is unread, the last fifth is for final beacons */
#define LOG_SWEEP_MS              60000u
#define LOG_CLOCK_DOUBT_MS        3600000u
#define LOG_CLOCK_LEAST_US        (UINT64_C(1577836800) * 1000000) /* 2020: a clock from before there was a log is none */
#define LOG_SEGMENTS_MAX          65536u /* 4 TiB of default segments; the table is 1 MiB, untouched until then */

/* Two parts a record (header with the padding of its predecessor, payload), the last padding, and the zeros that are
 * written ahead of the records: 1,018 < IOV_MAX. */
#define LOG_BATCH_RECORDS_MAX 500u
#define LOG_BATCH_PARTS_MAX   (2u * LOG_BATCH_RECORDS_MAX + 1u + LOG_AHEAD_PARTS_MAX)
#define LOG_AHEAD_BYTES       (512u << 10)
#define LOG_AHEAD_PART_BYTES  (32u << 10)
#define LOG_AHEAD_PARTS_MAX   (LOG_AHEAD_BYTES / LOG_AHEAD_PART_BYTES + 1u)
#define LOG_AHEAD_BATCH_MAX   (64u << 10) /* of a larger batch the zeros would cost more than the block map */
#define LOG_BATCH_BYTES_MAX   (8ull << 20) /* above LOG_FRAME_BYTES_MAX, so that any record fits a batch */

#define LOG_NAME_BYTES 32u /* 16 hex digits, ".vtlog", ".new", NUL */

/* log_frame.c: the bytes of a record around its payload. Pure. */
struct log_frame {
    uint32_t payload_crc;
    uint32_t distance; /* position minus the first position of the segment */
    uint32_t batch;    /* distance of the first record of the same commit: what lies before it was durable */
    uint32_t payload_bytes;
    uint64_t received_unix_us;
    uint8_t type;
    uint8_t peer[16];
};

static inline uint64_t log_frame_bytes(uint64_t payload_bytes)
{
    return LOG_FRAME_HEADER_BYTES + (payload_bytes + LOG_FRAME_ALIGN - 1) / LOG_FRAME_ALIGN * LOG_FRAME_ALIGN;
}

uint32_t log_frame_payload_crc(struct slice payload); /* with the zero padding that will follow it */
uint32_t log_frame_distance(const uint8_t *in);       /* unchecked */
void log_frame_encode(const struct log_frame *self, uint32_t salt, uint8_t *out);
/* False: checksum wrong, or a field outside what FORMAT.md allows. */
bool log_frame_decode(struct log_frame *self, uint32_t salt, const uint8_t *in);

/* log_segment.c: one file, its name and its header. */
struct log_segment {
    int file; /* -1 = none */
    uint32_t salt;
    uint64_t first; /* position of the byte at LOG_HEADER_BYTES */
    uint64_t bytes; /* of the file, preallocation included */
    uint64_t written; /* file offset below which every block was written once, not only reserved */
    uint64_t created_us;
};

enum log_header_status {
    LOG_HEADER_GOOD,
    LOG_HEADER_BAD,   /* neither copy checks */
    LOG_HEADER_NEWER, /* sound, of a format this program does not know */
    LOG_HEADER_ERROR  /* could not be read: errno */
};

struct log_header {
    uint32_t salt;
    uint64_t created_us; /* 0 = unknown */
};

void log_segment_name(uint64_t first, char name[LOG_NAME_BYTES]);
/* True when `name` is exactly what log_segment_name() makes. */
bool log_segment_parse_name(const char *name, uint64_t *first);
bool log_segment_is_unfinished(const char *name);
enum log_header_status log_segment_read_header(const struct os *os, int file, uint64_t first,
                                               struct log_header *header);
/* 0 when the file is complete, preallocated and durable under its name; otherwise errno, and nothing remains. */
int log_segment_create(struct log_segment *self, const struct os *os, int folder, uint64_t first, uint64_t bytes);
/* Preallocates up to `bytes`. 0 or errno. */
int log_segment_extend(struct log_segment *self, const struct os *os, uint64_t bytes);
/* 0 or errno. A short write is not an error, unless it makes no progress. Uses `parts` up. */
int log_segment_write(struct log_segment *self, const struct os *os, struct iovec *parts, unsigned count,
                      uint64_t offset);
/*
 * Before a write of `bytes` at `offset`: adds the zeros to write behind them, in the same call, when the blocks there are
 * only reserved. Returns how many parts, at most LOG_AHEAD_PARTS_MAX; they borrow constant memory.
 */
unsigned log_segment_add_ahead(struct log_segment *self, struct iovec *parts, uint64_t offset, uint64_t bytes);
/* Gives back the preallocated rest after `bytes`; best effort, a reader never looks there. */
void log_segment_close(struct log_segment *self, const struct os *os, uint64_t bytes);

/* log_table.c: which segment files there are, ordered by first position. Any thread. */
struct log_table_row {
    uint64_t first, bytes;
    uint64_t created_us; /* 0 = unknown */
};

/* The segment that retention looks at. */
struct log_oldest {
    uint64_t first, end;   /* end: where the next one begins */
    uint64_t closed_us;    /* its records are not younger; 0 = unknown, also when the clock was plainly wrong */
    uint64_t total_bytes;  /* of all files */
    size_t count;          /* of all files */
};

struct log_table {
    pthread_mutex_t lock;
    struct log_table_row *rows;
    size_t count;
    _Atomic uint64_t generation; /* counts changes; a reader that saw this one need not look again */
    struct counters *counters;
};

struct log_range {
    uint64_t first, end; /* end: first position of the next segment, UINT64_MAX for the last one */
    bool exists;         /* false: below the first segment; then end is where the log begins */
};

static inline struct log_table_row log_segment_row(const struct log_segment *segment)
{
    return (struct log_table_row){segment->first, segment->bytes, segment->created_us};
}

int log_table_init(struct log_table *self, struct counters *counters); /* 0 or errno */
void log_table_release(struct log_table *self);
/* Inserts, or replaces the row with the same first position. False: LOG_SEGMENTS_MAX reached. */
bool log_table_put(struct log_table *self, struct log_table_row row);
bool log_table_at(struct log_table *self, size_t index, struct log_table_row *row, uint64_t *end);
/* False: there is none but the last, which is never removed. */
bool log_table_oldest(struct log_table *self, uint64_t now_us, struct log_oldest *oldest);
void log_table_remove_oldest(struct log_table *self);
bool log_table_is_full(struct log_table *self);
struct log_range log_table_find(struct log_table *self, uint64_t position);
uint64_t log_table_first(struct log_table *self); /* 0 when empty */

/* log_queue.c: appends on their way to the writer. Many producers, one consumer. */
struct log_queue {
    _Atomic(struct append *) head; /* newest first; &closed = nothing is taken any more */
    pthread_mutex_t lock;          /* only for sleeping and waking */
    pthread_cond_t filled;
    bool stopping; /* under lock */
    struct append closed;
};

int log_queue_init(struct log_queue *self);
void log_queue_release(struct log_queue *self);
/* False: closed, the append was not taken. */
bool log_queue_push(struct log_queue *self, struct append *append);
/* Consumer: everything queued, oldest first. NULL = empty. */
struct append *log_queue_take(struct log_queue *self);
/* Consumer: sleeps while empty, at most timeout_ms. False: empty, and log_queue_stop() was called. */
bool log_queue_wait(struct log_queue *self, unsigned timeout_ms);
void log_queue_stop(struct log_queue *self);
/* Consumer: takes the rest and refuses later pushes. */
struct append *log_queue_close(struct log_queue *self);

/* log_scan.c: reads records of one file through a bounded window. */
struct log_scan {
    const struct os *os;
    int file;
    uint32_t salt;
    uint8_t *data;
    size_t room;
    uint64_t start; /* file offset of data[0] */
    size_t size;
};

struct log_found {
    struct log_frame frame;
    struct slice payload; /* borrowed until the next call */
    uint64_t next_offset;
};

enum log_scan_status { LOG_SCAN_RECORD, LOG_SCAN_CORRUPT, LOG_SCAN_ERROR };

void log_scan_init(struct log_scan *self, const struct os *os);
void log_scan_release(struct log_scan *self); /* does not close the file */
void log_scan_attach(struct log_scan *self, int file, uint32_t salt);
/* `limit`: file offset behind which nothing may be believed. LOG_SCAN_CORRUPT sets only next_offset, at most limit. */
enum log_scan_status log_scan_next(struct log_scan *self, uint64_t offset, uint64_t limit, struct log_found *found);

/* log_retention.c: which whole segments go, oldest first. The writer's thread, except log_hold(). */
struct log_retention {
    uint64_t age_us, bytes_max;
    uint64_t opened_at;                      /* durable position at start */
    uint64_t started_unix_us, started_mono_us; /* now = started_unix_us + what the monotonic clock says */
    uint64_t next_sweep_us;                  /* monotonic */
    _Atomic uint64_t hold;
};

void log_retention_start(struct log *self);
/* What became too old, when a minute has passed since the last look. */
void log_retention_sweep(struct log *self);
/* Before a segment of `bytes` is created. */
void log_retention_make_room(struct log *self, uint64_t bytes);
/* Space is left for final beacons only. */
bool log_retention_is_scarce(struct log *self);

/* log_writer.c */
struct log_batch {
    struct append *appends[LOG_BATCH_RECORDS_MAX];
    unsigned count;
    uint64_t bytes;
    struct iovec parts[LOG_BATCH_PARTS_MAX];
    uint8_t headers[LOG_BATCH_RECORDS_MAX + 1][LOG_FRAME_ALIGN + LOG_FRAME_HEADER_BYTES];
};

struct log_writer {
    pthread_t thread;
    struct log_segment segment;
    struct append *pending; /* taken from the queue, not yet in a batch; oldest first */
    bool scarce;            /* final beacons only, as of the batch being gathered */
    bool refusing;          /* so that a full disk is one message, not one a batch */
    struct log_batch batch;
};

struct log {
    bool read_only; /* no writer thread; nothing in the folder is changed */
    const struct os *os;
    struct counters *counters;
    struct memory *memory;
    int folder;
    uint64_t segment_bytes, batch_bytes_max, free_bytes_floor, headroom_bytes;
    struct log_retention retention;
    _Atomic uint64_t durable;
    pthread_mutex_t wait_lock;
    pthread_cond_t advanced; /* durable grew */
    struct log_table table;
    struct log_queue queue;
    struct log_writer writer;
};

/* The table of segments whole, although it is touched as it fills; and of a reader its largest window. */
#define LOG_MEMORY_BYTES        (sizeof(struct log) + LOG_SEGMENTS_MAX * sizeof(struct log_table_row))
#define LOG_READER_MEMORY_BYTES ((uint64_t)LOG_FRAME_BYTES_MAX)

void *log_writer_run(void *log);

/* log.c: on the monotonic clock. */
struct timespec log_deadline_in(unsigned timeout_ms);

/* log_recover.c: fills table, durable and writer.segment. False: `error` says why. */
bool log_recover(struct log *self, char *error, size_t error_size);

#endif
