/*
 * A log under test on a faulty_os, and records that can be checked without keeping them: record `id` always has the
 * same type, time, peer and payload, and names its id in its first 8 bytes.
 */
#ifndef VITRACE_TESTS_LOG_SCRIPT_H
#define VITRACE_TESTS_LOG_SCRIPT_H

#include "collector/log/log.h"
#include "tests/support/faulty_os.h"

#define LOG_SCRIPT_IDS_MAX       512
#define LOG_SCRIPT_PAYLOAD_MAX   1024
#define LOG_SCRIPT_UNANSWERED    (-1)
#define LOG_SCRIPT_SEGMENT_BYTES (4096u + 2048u) /* a handful of records each */

struct log_script_append {
    struct append append;
    struct log_script *script;
    uint64_t id;
    uint8_t payload[LOG_SCRIPT_PAYLOAD_MAX];
};

struct log_script {
    struct faulty_os *os; /* not owned */
    struct log *log;
    struct counters counters;
    uint64_t segment_bytes, free_bytes_floor, headroom_bytes, retention_us, bytes_max;
    uint64_t finals; /* bit id % 64: the beacon is final */
    char error[256];
    pthread_mutex_t lock;
    pthread_cond_t answered;
    size_t waiting;
    int results[LOG_SCRIPT_IDS_MAX]; /* enum append_result or LOG_SCRIPT_UNANSWERED */
    uint64_t positions[LOG_SCRIPT_IDS_MAX];
    uint64_t order[LOG_SCRIPT_IDS_MAX]; /* ids in the order of their answers */
    size_t order_count;
    struct log_script_append appends[LOG_SCRIPT_IDS_MAX];
};

/* What a reader saw from the first position to the end. */
struct log_script_view {
    uint64_t ids[LOG_SCRIPT_IDS_MAX];
    uint64_t positions[LOG_SCRIPT_IDS_MAX];
    size_t count;
    size_t corrupt; /* LOG_READ_CORRUPT answers */
    bool failed;    /* LOG_READ_ERROR, or a record that no id has, or positions that do not grow */
};

struct log_script *log_script_new(struct faulty_os *os);
void log_script_free(struct log_script *self); /* closes the log */
/* For a next log, on another disk, with the same options: a script is large, and there may be a million of them. */
void log_script_reset(struct log_script *self, struct faulty_os *os);
bool log_script_open(struct log_script *self);
void log_script_close(struct log_script *self);
/* Ids first..first+count-1, queued while the disk is held so that they can share commits; returns when all are
 * answered. */
void log_script_send(struct log_script *self, uint64_t first, size_t count);
void log_script_read(struct log_script *self, struct log_script_view *view);

struct slice log_script_payload(uint64_t id, uint8_t *out); /* out: LOG_SCRIPT_PAYLOAD_MAX bytes */
/* False: not the record of any id, or not all of it. */
bool log_script_identify(const struct log_record *record, uint64_t *id);

#endif
