/* Private to the raw stage: batches of a body, and the document that the core keeps between two bodies. */
#ifndef VITRACE_RAW_INTERNAL_H
#define VITRACE_RAW_INTERNAL_H

#include "collector/raw/raw.h"
#include "wasm/core/core.h"

struct raw_batch {
    uint32_t word_count;
    const uint8_t *words; /* little-endian doubles, not aligned */
    struct slice strings;
};

/* Steps over `rest`. RAW_OK, RAW_TRUNCATED or RAW_MALFORMED; ends when nothing is left. */
enum raw_status raw_batch_next(struct slice *rest, struct raw_batch *batch);
double raw_batch_word(const struct raw_batch *self, uint32_t index);

/*
 * The core and its ring point into each other, so a document's memory never moves: the undo copy is copied back.
 *
 *   block:  | ring | ring producer | core |
 */
struct raw_document {
    struct raw_document *next;          /* of the hash chain */
    struct raw_document *newer, *older; /* by the end of the last turn; in the list while it is quiet */
    struct raw_turn *line;              /* who waits, by seq */
    bool is_busy;                       /* somebody has the turn */
    bool is_quiet;                      /* nobody has it, and nobody waits */
    uint8_t view_id[16];
    uint32_t next_seq;    /* 0 = START was not taken yet */
    uint64_t taken;       /* bit i: body next_seq - 1 - i was taken */
    uint32_t undo_next_seq;
    uint64_t undo_taken;
    uint8_t *block, *undo; /* block: from START on; undo: while a body is being taken */
    char app[RAW_APP_BYTES_MAX];
    size_t app_size;
};

size_t raw_document_block_bytes(void);
/* The block in its first state. */
void raw_document_reset(struct raw_document *self);
/* Runs the core over the body; changes the block also when it fails. */
enum raw_status raw_document_run(struct raw_document *self, const struct raw_body *body, struct buf *out);

#endif
