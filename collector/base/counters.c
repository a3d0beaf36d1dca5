#include "collector/base/counters.h"

#include <inttypes.h>
#include <stdatomic.h>

struct counters_row {
    const char *name, *labels, *type, *help;
};

#define COUNTERS_ROW(id, name, labels, type, help) {name, labels, type, help},
static const struct counters_row counters_rows[COUNTER_COUNT] = {COUNTERS(COUNTERS_ROW)};

/* Relaxed: a counter orders nothing; readers only need some recent value. */
void counters_add(struct counters *self, enum counter id, uint64_t amount)
{
    atomic_fetch_add_explicit(&self->value[id], amount, memory_order_relaxed);
}

void counters_set(struct counters *self, enum counter id, uint64_t value)
{
    atomic_store_explicit(&self->value[id], value, memory_order_relaxed);
}

uint64_t counters_find(const struct counters *self, enum counter id)
{
    return atomic_load_explicit(&self->value[id], memory_order_relaxed);
}

const char *counters_name(enum counter id)
{
    return counters_rows[id].name;
}

/* {reason="x"} -> x */
struct slice counters_label(enum counter id)
{
    const char *open = strchr(counters_rows[id].labels, '"');
    return open == NULL ? slice_of(NULL, 0) : slice_of(open + 1, strcspn(open + 1, "\""));
}

void counters_write(const struct counters *self, struct buf *out)
{
    const char *name = "";
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        const struct counters_row *row = &counters_rows[i];
        if (strcmp(name, row->name) != 0)
            buf_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, row->type);
        name = row->name;
        buf_add_format(out, "%s%s %" PRIu64 "\n", row->name, row->labels, counters_find(self, (enum counter)i));
    }
    histogram_write(&self->ingest_seconds, "vitrace_ingest_seconds",
                    "Seconds from the beginning of a beacon's guards to its durable answer.", out);
}
