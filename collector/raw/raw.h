/*
 * Raw-inbox bodies, from pages whose policy refuses WebAssembly and that have no worker: the page sends its inbox as it
 * is (WIRE.md), and the core runs here, natively. What leaves this stage is what such a page would have sent itself:
 * plain beacons, with the core's own view ids and sequence numbers.
 *
 *   body --raw_body_open--> head, START --raw_enter--> its turn --raw_take--> beacons --raw_leave--> kept, or undone
 *                                            '- one body of a document at a time, in order of their numbers
 *
 * A document is the core's state between two bodies, known by the view id of its START. Nothing of a body is ever
 * written: a raw body holds whole URLs, and the promise is that those are scrubbed before the first write. So documents
 * live in memory alone, within a budget; of those that nobody is at work on, the one that was quiet longest goes first.
 * A document that is gone (for its room, or by a restart) answers RAW_UNKNOWN_DOCUMENT, and the page may begin another.
 *
 * A page that is left sends what it has at once, on several connections: a body that comes before the one ahead of it
 * waits for that, RAW_WAIT_MS at most. Then the missing ones are counted, in the ledger of the view, and it is taken.
 *
 * Exactly once: the beacons of a body are derived, made durable by the caller, and only then kept (raw_leave). When they
 * could not be made durable the document is as it was, and the body sent again gives the same bytes under the same
 * (view_id, seq); those of them that are stored already are known by that.
 *
 * Any thread. A turn belongs to one thread at a time.
 */
#ifndef VITRACE_RAW_H
#define VITRACE_RAW_H

#include "collector/base/buf.h"
#include "collector/base/counters.h"

#define RAW_BODY_BYTES_MAX 60000u /* what browsers let a page have in flight, and some room for the rest of it */
#define RAW_APP_BYTES_MAX  64u
/* Beacons of one body. Encoded entries are smaller than raw ones; what comes out larger is made of views and texts that
 * repeat, which no page does 8 x 16 KiB of between two bodies. */
#define RAW_DERIVED_BYTES_MAX (128u << 10)
/* Bodies that may be missing between two: more than the page keeps (60,000 bytes are its limit in flight). */
#define RAW_GAP_MAX 32u
/* A body that is missing this long is on no connection any more, or so slow that its page is better told without it. */
#define RAW_WAIT_MS 2000u
/* Documents of 190 KB, and an undo copy for each that has a body under way: some 350. Of a block, only what its page made
 * the core touch is resident. */
#define RAW_MEMORY_BYTES_MAX ((size_t)64 << 20)

enum raw_status {
    RAW_OK = 0,
    RAW_TRUNCATED,        /* ends inside its head or a batch */
    RAW_MALFORMED,        /* reserved bytes or flags, clocks that are none, a batch that is not one of the inbox */
    RAW_TOO_LARGE,        /* over RAW_BODY_BYTES_MAX, or its beacons over RAW_DERIVED_BYTES_MAX */
    RAW_BAD_VERSION,      /* of another inbox */
    RAW_NOT_STARTED,      /* body 0 does not begin with a good START of its document */
    RAW_UNKNOWN_DOCUMENT, /* not body 0, and its document is not known (any more) */
    RAW_OUT_OF_ORDER,     /* later ones were taken without it and its loss was counted, or it is too far ahead */
    RAW_DUPLICATE,        /* taken before */
    RAW_BUSY,             /* no memory for it now */
    RAW_STATUS_COUNT
};
/* For answers, e.g. "unknown_document", and for people. Never NULL. */
const char *raw_status_name(enum raw_status status);
const char *raw_status_text(enum raw_status status);

/* Whether the bytes say that they are a raw inbox. */
bool raw_is_body(struct slice bytes);

/* A body whose bounds were checked; borrows from the bytes. */
struct raw_body {
    uint8_t view_id[16]; /* of the document */
    uint32_t seq;
    double mono_ms, wall_ms;
    bool is_final;
    struct slice batches;
    struct slice app; /* that START names; body 0 only */
};
enum raw_status raw_body_open(struct raw_body *self, struct slice bytes);

struct raw;
struct raw_options {
    size_t memory_bytes_max; /* 0 = RAW_MEMORY_BYTES_MAX; and what `memory` has for them, if that is less */
    struct memory *memory;   /* borrowed; NULL = not accounted */
    unsigned wait_ms;        /* 0 = RAW_WAIT_MS */
    struct counters *counters;
};
struct raw *raw_new(const struct raw_options *options); /* NULL = out of memory */
void raw_free(struct raw *self);                                         /* no turn may be under way */

struct raw_document;
/* In the caller's memory, from raw_enter() until raw_leave(). */
struct raw_turn {
    struct raw_document *document;
    struct raw_turn *next;                 /* in the line of its document */
    struct raw_turn *later, *sooner;       /* of all that wait, by deadline */
    uint64_t deadline_ms;
    uint32_t seq;
    bool is_overdue;
    void (*wait)(struct raw_turn *turn);  /* inside raw_enter(), when it has to wait: get ready for ready() */
    void (*ready)(struct raw_turn *turn); /* any thread, once, after wait(): the turn is there */
};

/*
 * Asks for the turn in the body's document. RAW_OK: `turn` holds it when *waits is false, or will when ready() is called.
 * RAW_BUSY: there is none to leave. wait and ready are set before.
 */
enum raw_status raw_enter(struct raw *self, const struct raw_body *body, struct raw_turn *turn, bool *waits);
/* What raw_take() would say to the body's number: RAW_OK, RAW_DUPLICATE, RAW_OUT_OF_ORDER or RAW_UNKNOWN_DOCUMENT. */
enum raw_status raw_expect(const struct raw_turn *turn, const struct raw_body *body);
/* The document's app: of its START, or of this body's when it has not begun. Borrowed until raw_leave(). */
struct slice raw_app(const struct raw_turn *turn, const struct raw_body *body);
/*
 * Runs the core over the body; `out` gets its beacons, which raw_derived_next() steps over. Once in a turn. When the
 * answer is not RAW_OK the document is as it was.
 */
enum raw_status raw_take(struct raw *self, struct raw_turn *turn, const struct raw_body *body, struct buf *out);
bool raw_derived_next(struct slice *rest, struct slice *beacon);
/* `keep`: what raw_take() did is durable; false = as if it had not been called. */
void raw_leave(struct raw *self, struct raw_turn *turn, bool keep);

#endif
