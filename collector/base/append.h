/*
 * What an ingest stage hands to the log, and how it hears back. The stages meet only here: ingest and otlp fill an
 * append, app.c binds append_sink to the log, and neither knows the other.
 *
 * An append is owned by the sender and borrowed by the sink from take() until done(). done() runs on the sink's thread,
 * exactly once; it must only hand the result to the thread that owns the append (net_exchange_wake).
 */
#ifndef VITRACE_BASE_APPEND_H
#define VITRACE_BASE_APPEND_H

#include "proto/wire/slice.h"

enum append_type {
    APPEND_BEACON = 1, /* payload: the bytes of one Beacon, as they came */
    APPEND_SPANS = 2   /* payload: one ExportTraceServiceRequest, protobuf, inflated */
};

enum append_result {
    APPEND_DURABLE = 0, /* on disk: fdatasync returned */
    APPEND_DISK_FULL,   /* below the floor or ENOSPC: answer 503 with Retry-After */
    APPEND_IO_ERROR,    /* the segment is poisoned; a later append may work: 503 */
    APPEND_TOO_LARGE,   /* over LOG_RECORD_BYTES_MAX */
    APPEND_STOPPING     /* the log is closing: 503 */
};

struct append {
    struct append *next; /* the sink's, while it holds the append */
    enum append_type type;
    struct slice payload;
    bool is_final; /* nobody will send it again (its page is gone): taken when space is too short for others */
    uint64_t received_unix_us;
    uint8_t peer[16]; /* IPv6 or v4-mapped, truncated to /48 or /24 before it gets here; zero = unknown */
    uint64_t position; /* out: of the record, when durable */
    enum append_result result; /* out */
    void (*done)(struct append *append);
};

struct append_sink {
    void *context;
    void (*take)(void *context, struct append *append);
};

#endif
