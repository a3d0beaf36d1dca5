/*
 * The sink of the daemon: one thread that follows the log and builds the index.
 *
 *   log --record--> beacon: view, vitals, ledger, requests --claims--\
 *               \-> spans:  where each trace is              --spans--> joiner --results--> index
 *
 * A batch (up to batch_records, or until the log has no more) and the log position after it are one transaction of the
 * index. After a restart, or when SQLite failed, the thread begins again at the saved position; before that it replays
 * the records of the last hour into a fresh joiner, muted, so that claims and spans on both sides of the restart meet.
 */
#ifndef VITRACE_SINKS_H
#define VITRACE_SINKS_H

#include "collector/base/counters.h"
#include "collector/base/tally.h"
#include "collector/log/log.h"
#include "collector/os/os.h"

struct sinks;

struct sinks_options {
    struct log *log;        /* borrowed: close it after sinks_stop() */
    const char *store_path; /* of the index file */
    const struct os *os;    /* for the clock; NULL = os_posix() */
    struct counters *counters;
    struct tally *duplicates;       /* from ingest; borrowed, may be NULL */
    uint32_t batch_records;         /* 0 = 1,000 */
    uint32_t claims_max, spans_max; /* of the joiner; 0 = its defaults, or what join_bytes hold */
    struct memory *memory;          /* borrowed, pays for joiner and index at once; NULL = not accounted */
    uint64_t join_bytes, index_bytes; /* 0 = the defaults of joiner and index; the index's reader comes on top */
    uint64_t retention_us;            /* of rollups and join counts; 0 = they are kept for good */
    uint64_t pending_us;
};

/*
 * Opens the index (deleting one that is of another schema or of another log) and starts the thread. The index exists
 * when this returns, so readers may be opened. NULL: `error` says what and where.
 */
struct sinks *sinks_start(const struct sinks_options *options, char *error, size_t error_size);
/* Ends after the batch under way. What the log has beyond it is indexed at the next start. */
void sinks_stop(struct sinks *self);
/* Waits until the index holds everything before `position`, at most timeout_ms. false = it does not yet. */
bool sinks_wait(struct sinks *self, uint64_t position, unsigned timeout_ms);

#define SINKS_HEADERS_US    UINT64_C(3600000000) /* one hour */
#define SINKS_HEADERS_BYTES (UINT64_C(64) << 20)

typedef void sinks_header(void *context, const uint8_t view_id[16], uint32_t seq);
/*
 * Tells (view_id, seq) of the beacons in the newest part of the log, oldest first: at least those of the last hour or
 * the last 64 MiB before the index's position, whichever is less, and everything after it. For ingest to remember what
 * is stored. Without an index it walks the whole log. false = the log could not be read to its end.
 */
bool sinks_replay_headers(struct log *log, const char *store_path, sinks_header *take, void *context);

#endif
