/* Builds raw-inbox bodies from what a rig has staged. The rig's core is free to be the oracle. */
#ifndef VITRACE_TEST_RAW_BUILDER_H
#define VITRACE_TEST_RAW_BUILDER_H

#include "tests/unit/wasm/core/rig.h"

#define RAW_BUILDER_BYTES 70000u

struct raw_builder {
    uint8_t bytes[RAW_BUILDER_BYTES];
    size_t size;
};

/* The head: the document of rig_put_start() with its first view id word changed to `view`, clocks as the rig's. */
void raw_builder_begin(struct raw_builder *self, uint32_t view, uint32_t seq, bool final, struct core_clock clock);
/* Adds what the rig has staged as one batch, and leaves it staged. */
void raw_builder_batch(struct raw_builder *self, const struct rig *rig);
/* START of that document, staged. */
double *raw_builder_start(struct rig *rig, uint32_t view);
struct slice raw_builder_bytes(const struct raw_builder *self);

#endif
