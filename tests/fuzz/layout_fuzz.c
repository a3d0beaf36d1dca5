/*
 * The first byte chooses a message, the rest is its body. Of a body that nanopb takes, ours reads the same, and it refuses
 * at most what is no protobuf: nanopb passes over an unknown number of any length. Nothing is written outside the struct.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/wire/beacon_decode.h"
#include "tests/support/layout_pairs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Numbers within messages within it may be too long all the same: those are let pass too. */
static bool is_framed(struct slice body)
{
    struct walk walk = walk_of(body);
    struct walk_field field;
    enum walk_status status;
    while ((status = walk_next(&walk, &field)) == WALK_FIELD)
        if (field.type == WALK_BYTES && field.bytes.size > 10)
            return false;
    return status == WALK_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t oracle[LAYOUT_STRUCT_MAX / sizeof(uint64_t)];
    if (size == 0)
        return 0;
    const struct layout_pair *pair = &layout_pairs[data[0] % LAYOUT_PAIRS];
    struct slice body = slice_of(data + 1, size - 1);
    uint8_t *ours = malloc(pair->layout->bytes); /* exactly: the sanitizer sees one byte too many */
    if (ours == NULL || pair->layout->bytes > sizeof oracle)
        abort();
    memset(oracle, 0, sizeof oracle);
    bool took = layout_decode(pair->layout, body, ours);
    if (beacon_decode_message(body, pair->fields, oracle) &&
        (took ? memcmp(ours, oracle, pair->layout->bytes) != 0 : is_framed(body)))
        abort();
    free(ours);
    return 0;
}
