/*
 * One budget for what clients can make the daemon allocate, accounted where it is allocated.
 *
 *   budget  [ tables | join | index | log ][ connections | bodies | inflated | replies | raw | grpc .......... free ]
 *           taken whole at start, fixed     taken and given back; each use at most its share of what the start left
 *
 * The shares add up to more than the whole: a use may have what the others leave, up to a point at which it cannot starve
 * them. What is refused is an ordinary answer (503, or a client that waits in the kernel's queue), and counted by use.
 *
 * Accounted are the sizes that are asked for. On top come the program itself, thread stacks and what the allocator rounds
 * up: a tenth of the budget and a few MiB.
 *
 * Any thread. Relaxed: the numbers order nothing. A NULL self accounts nothing and refuses nothing, for tools and tests
 * that run one stage alone.
 */
#ifndef VITRACE_BASE_MEMORY_H
#define VITRACE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* U(ID, name, sixteenths of what the fixed ones leave; 0 = fixed: taken at start, and then no more) */
#define MEMORY_USES(U)                                                                                                 \
    U(TABLES, "tables", 0)           /* duplicates, rates, connections by peer, tallies */                             \
    U(JOIN, "join", 0)               /* the joiner's window */                                                         \
    U(INDEX, "index", 0)             /* SQLite's pages, filters, the batch under way */                                \
    U(LOG, "log", 0)                 /* batch, read windows, list of segments */                                       \
    U(CONNECTIONS, "connections", 12) /* sockets, request heads, requests on their way to the disk, unparsed input */  \
    U(BODIES, "bodies", 8)           /* as received */                                                                 \
    U(INFLATED, "inflated", 8)       /* bodies of ours: inflated, converted, derived */                                \
    U(REPLIES, "replies", 4)         /* that clients have not read yet */                                              \
    U(RAW, "raw", 8)                 /* documents of raw inboxes */                                                    \
    U(GRPC, "grpc", 8)               /* connections, calls, messages */

#define MEMORY_USE_ENUM(id, name, share) MEMORY_##id,
enum memory_use { MEMORY_USES(MEMORY_USE_ENUM) MEMORY_USE_COUNT };

struct memory_row {
    _Atomic uint64_t used, peak, refused; /* refused: how often */
    uint64_t most;
};

struct memory {
    uint64_t budget;
    _Atomic uint64_t used;
    struct memory_row row[MEMORY_USE_COUNT];
};

/* Every use may take everything until memory_divide(). */
void memory_init(struct memory *self, uint64_t budget);
/* What is used now stays as it is for the fixed uses; the others share what is left. Before any other thread takes. */
void memory_divide(struct memory *self);
/* Everything was given back: asserts it. */
void memory_release(const struct memory *self);

/* false: over the budget or the share of the use; nothing is taken. */
bool memory_take(struct memory *self, enum memory_use use, uint64_t bytes);
void memory_give(struct memory *self, enum memory_use use, uint64_t bytes);

/* Takes `bytes` and allocates them, zeroed. NULL = refused, or out of memory. */
void *memory_new(struct memory *self, enum memory_use use, size_t bytes);
/* `block` (NULL = nothing happens) is of memory_new(), with the same bytes. */
void memory_free(struct memory *self, enum memory_use use, void *block, size_t bytes);

uint64_t memory_used(const struct memory *self, enum memory_use use);
uint64_t memory_left(const struct memory *self);
/* How full all that clients may take is, 0 to 256. */
unsigned memory_fullness(const struct memory *self);
/* More than half of the use's share is taken: time to be strict with those who hold it. */
bool memory_is_tight(const struct memory *self, enum memory_use use);
/* Prometheus text, a constant number of lines. */
void memory_write(const struct memory *self, struct buf *out);

#endif
