/* Every message of the schema, as our decoder knows it and as nanopb does. */
#ifndef VITRACE_TEST_LAYOUT_PAIRS_H
#define VITRACE_TEST_LAYOUT_PAIRS_H

#include "proto/wire/layout.h"

#define LAYOUT_PAIR(name) {&layout_of_##name, vitrace_v1_##name##_fields},
static const struct layout_pair {
    const struct layout *layout;
    const pb_msgdesc_t *fields;
} layout_pairs[] = {LAYOUTS(LAYOUT_PAIR)};

#define LAYOUT_PAIRS      (sizeof layout_pairs / sizeof layout_pairs[0])
#define LAYOUT_STRUCT_MAX 4096u

#endif
