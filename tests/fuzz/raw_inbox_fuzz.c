/*
 * Bodies as they come from the network, one after the other into one table of documents: u16 little-endian size, bytes.
 * Whatever comes in, every beacon that comes out is one that the collector accepts from a page; a body that is not kept
 * gives the same bytes again; and no more documents are kept than there is room for.
 */
#include "collector/raw/raw_internal.h"

#include "proto/wire/beacon_decode.h"

#include <assert.h>
#include <semaphore.h>
#include <stdlib.h>

struct waiting_turn {
    struct raw_turn turn;
    sem_t is_ready;
};

static void on_wait(struct raw_turn *turn)
{
    (void)turn; /* one body at a time: it waits for bodies before it, which will not come */
}

static void on_ready(struct raw_turn *turn)
{
    sem_post(&((struct waiting_turn *)turn)->is_ready);
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
    struct waiting_turn turn = {.turn = {.wait = on_wait, .ready = on_ready}};
    bool waits;
    sem_init(&turn.is_ready, 0, 0);
    enum raw_status status = raw_enter(raw, body, &turn.turn, &waits);
    assert(status == RAW_OK);
    while (waits && sem_wait(&turn.is_ready) != 0)
        continue;
    status = raw_take(raw, &turn.turn, body, out);
    raw_leave(raw, &turn.turn, keep && status == RAW_OK);
    sem_destroy(&turn.is_ready);
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
    struct raw *raw = raw_new(&(struct raw_options){
        .memory_bytes_max = 3 * raw_document_block_bytes(), .wait_ms = 1, .counters = &counters});
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
