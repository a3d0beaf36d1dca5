/*
 * Bodies as they come from the network, one after the other into one table of documents: u16 little-endian size, bytes.
 * Whatever comes in, every beacon that comes out is one that the collector accepts from a page; a body that is not kept
 * gives the same bytes again; and the memory is what the table says.
 */
#include "collector/raw/raw_internal.h"

#include "proto/wire/beacon_decode.h"

#include <assert.h>
#include <stdlib.h>

static void never(struct raw_turn *turn)
{
    (void)turn;
    assert(!"one body at a time waits for nobody");
}

static void check_beacons(const struct buf *derived)
{
    struct slice rest = buf_slice(derived), beacon;
    struct beacon_summary summary;
    while (raw_derived_next(&rest, &beacon))
        assert(beacon_validate(beacon, &summary) == BEACON_OK);
}

static enum raw_status take(struct raw *raw, const struct raw_body *body, bool keep, struct buf *out)
{
    struct raw_turn turn = {.wait = never, .ready = never};
    bool waits;
    enum raw_status status = raw_enter(raw, body, &turn, &waits);
    if (status != RAW_OK)
        return status;
    status = raw_take(raw, &turn, body, out);
    raw_leave(raw, &turn, keep && status == RAW_OK);
    if (status == RAW_OK)
        check_beacons(out);
    return status;
}

static void take_twice(struct raw *raw, const struct raw_body *body)
{
    struct buf first = {0}, second = {0};
    enum raw_status status = take(raw, body, false, &first);
    assert(take(raw, body, true, &second) == status);
    assert(slice_equal(buf_slice(&first), buf_slice(&second)));
    if (status == RAW_OK) {
        buf_release(&first);
        assert(take(raw, body, true, &first) == RAW_DUPLICATE);
    }
    buf_release(&first);
    buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct counters counters;
    struct raw *raw = raw_new(3 * raw_document_block_bytes(), &counters); /* two documents: a third makes one go */
    while (raw != NULL && size >= 2) {
        size_t part = data[0] | (size_t)data[1] << 8;
        part = part < size - 2 ? part : size - 2;
        uint8_t *exact = malloc(part + 1); /* exact bounds for the sanitizers */
        assert(exact != NULL);
        memcpy(exact, data + 2, part);
        struct raw_body body;
        struct slice bytes = slice_of(exact, part);
        if (raw_is_body(bytes) && raw_body_open(&body, bytes) == RAW_OK)
            take_twice(raw, &body);
        free(exact);
        data += 2 + part;
        size -= 2 + part;
    }
    assert(counters_find(&counters, COUNTER_RAW_DOCUMENTS) <= 2);
    raw_free(raw);
    return 0;
}
