#include "collector/base/memory.h"

#include "collector/base/buf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

struct memory_use_row {
    const char *name;
    unsigned sixteenths;
};

#define MEMORY_USE_ROW(id, name, share) {name, share},
static const struct memory_use_row memory_use_rows[MEMORY_USE_COUNT] = {MEMORY_USES(MEMORY_USE_ROW)};

static uint64_t memory_load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void memory_init(struct memory *self, uint64_t budget)
{
    *self = (struct memory){.budget = budget};
    for (unsigned i = 0; i < MEMORY_USE_COUNT; i++)
        self->row[i].most = budget;
}

void memory_divide(struct memory *self)
{
    uint64_t left = memory_left(self);
    for (unsigned i = 0; i < MEMORY_USE_COUNT; i++) {
        struct memory_row *row = &self->row[i];
        row->most = memory_load(&row->used) + left / 16 * memory_use_rows[i].sixteenths;
    }
}

void memory_release(const struct memory *self)
{
    for (unsigned i = 0; i < MEMORY_USE_COUNT; i++)
        assert(memory_load(&self->row[i].used) == 0);
    assert(memory_load(&self->used) == 0);
}

/* What is used with it; 0 = refused. */
static uint64_t memory_add(_Atomic uint64_t *used, uint64_t most, uint64_t bytes)
{
    uint64_t before = atomic_fetch_add_explicit(used, bytes, memory_order_relaxed);
    if (before <= most && bytes <= most - before)
        return before + bytes;
    atomic_fetch_sub_explicit(used, bytes, memory_order_relaxed);
    return 0;
}

/* Of what was granted: `used` itself may hold, for an instant, what is being refused to another thread. */
static void memory_note_peak(struct memory_row *row, uint64_t used)
{
    uint64_t peak = memory_load(&row->peak);
    while (used > peak && !atomic_compare_exchange_weak_explicit(&row->peak, &peak, used, memory_order_relaxed,
                                                                 memory_order_relaxed))
        ;
}

/* The whole first: two that come at once may both be refused by the last bytes, never both be let in. */
bool memory_take(struct memory *self, enum memory_use use, uint64_t bytes)
{
    if (self == NULL || bytes == 0)
        return true;
    struct memory_row *row = &self->row[use];
    if (memory_add(&self->used, self->budget, bytes) > 0) {
        uint64_t used = memory_add(&row->used, row->most, bytes);
        if (used > 0) {
            memory_note_peak(row, used);
            return true;
        }
        atomic_fetch_sub_explicit(&self->used, bytes, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&row->refused, 1, memory_order_relaxed);
    return false;
}

void memory_give(struct memory *self, enum memory_use use, uint64_t bytes)
{
    if (self == NULL || bytes == 0)
        return;
    uint64_t before = atomic_fetch_sub_explicit(&self->row[use].used, bytes, memory_order_relaxed);
    assert(before >= bytes);
    before = atomic_fetch_sub_explicit(&self->used, bytes, memory_order_relaxed);
    assert(before >= bytes);
    (void)before;
}

void *memory_new(struct memory *self, enum memory_use use, size_t bytes)
{
    if (!memory_take(self, use, bytes))
        return NULL;
    void *block = calloc(1, bytes);
    if (block == NULL)
        memory_give(self, use, bytes);
    return block;
}

void memory_free(struct memory *self, enum memory_use use, void *block, size_t bytes)
{
    if (block == NULL)
        return;
    free(block);
    memory_give(self, use, bytes);
}

uint64_t memory_used(const struct memory *self, enum memory_use use)
{
    return memory_load(&self->row[use].used);
}

/* A take that is being refused may stand in the number for an instant. */
uint64_t memory_left(const struct memory *self)
{
    uint64_t used = memory_load(&self->used);
    return used < self->budget ? self->budget - used : 0;
}

unsigned memory_fullness(const struct memory *self)
{
    uint64_t fixed = 0, taken = 0;
    if (self == NULL)
        return 0;
    for (unsigned i = 0; i < MEMORY_USE_COUNT; i++)
        *(memory_use_rows[i].sixteenths == 0 ? &fixed : &taken) += memory_load(&self->row[i].used);
    uint64_t full = fixed >= self->budget ? 256 : taken * 256 / (self->budget - fixed);
    return full < 256 ? (unsigned)full : 256;
}

bool memory_is_tight(const struct memory *self, enum memory_use use)
{
    return self != NULL && memory_load(&self->row[use].used) > self->row[use].most / 2;
}

static void memory_write_rows(const struct memory *self, struct buf *out, const char *name, size_t offset)
{
    for (unsigned i = 0; i < MEMORY_USE_COUNT; i++) {
        const void *value = (const char *)&self->row[i] + offset;
        buf_add_format(out, "%s{use=\"%s\"} %" PRIu64 "\n", name, memory_use_rows[i].name,
                       memory_load((const _Atomic uint64_t *)value));
    }
}

void memory_write(const struct memory *self, struct buf *out)
{
    buf_add_format(out,
                   "# HELP vitrace_memory_budget_bytes What all uses together may take.\n"
                   "# TYPE vitrace_memory_budget_bytes gauge\nvitrace_memory_budget_bytes %" PRIu64 "\n"
                   "# HELP vitrace_memory_used_bytes Memory that clients can make grow, by use.\n"
                   "# TYPE vitrace_memory_used_bytes gauge\n",
                   self->budget);
    memory_write_rows(self, out, "vitrace_memory_used_bytes", offsetof(struct memory_row, used));
    buf_add_text(out, "# HELP vitrace_memory_peak_bytes The most that each use has had.\n"
                      "# TYPE vitrace_memory_peak_bytes gauge\n");
    memory_write_rows(self, out, "vitrace_memory_peak_bytes", offsetof(struct memory_row, peak));
    buf_add_text(out, "# HELP vitrace_memory_refused_total Times that a use was refused memory.\n"
                      "# TYPE vitrace_memory_refused_total counter\n");
    memory_write_rows(self, out, "vitrace_memory_refused_total", offsetof(struct memory_row, refused));
}
