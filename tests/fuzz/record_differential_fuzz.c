/*
 * Two readers of the hot record, held to each other: for any Resource that nanopb wrote, beacon_decode_resource gives
 * it back, and for any bytes the walker accepts nothing that nanopb refuses, but for what it is documented to refuse
 * more strictly or skip. (The core's writer is held to nanopb in rig.c, for every kind of record.)
 */
#include <stdlib.h>
#include <string.h>

#include "proto/wire/beacon_decode.h"
#include "proto/wire/beacon_encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    const uint8_t *at, *end;
};

static uint64_t source_number(struct source *self)
{
    uint64_t value = 0;
    if (self->at == self->end)
        return 0;
    unsigned bytes = *self->at++ % 9; /* small and zero values often */
    for (unsigned i = 0; i < bytes && self->at < self->end; i++)
        value = value << 8 | *self->at++;
    return value;
}

static double source_double(struct source *self)
{
    uint64_t bits = source_number(self);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void fill(vitrace_v1_Resource *r, struct source *s)
{
    memset(r, 0, sizeof *r);
    r->name_ref = (uint32_t)source_number(s);
    r->start_us = source_number(s);
    int64_t *const phases[] = {&r->request_start_us,
                               &r->response_start_us,
                               &r->response_end_us,
                               &r->fetch_start_us,
                               &r->redirect_start_us,
                               &r->redirect_end_us,
                               &r->worker_start_us,
                               &r->domain_lookup_start_us,
                               &r->domain_lookup_end_us,
                               &r->connect_start_us,
                               &r->secure_connection_start_us,
                               &r->connect_end_us,
                               &r->first_interim_response_start_us,
                               &r->final_response_headers_start_us};
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
        *phases[i] = (int64_t)source_number(s);
    r->transfer_size = source_number(s);
    r->encoded_body_size = source_number(s);
    r->decoded_body_size = source_number(s);
    r->initiator_type = (vitrace_v1_InitiatorType)(source_number(s) & 0x1f);
    r->next_hop_protocol = (vitrace_v1_NextHopProtocol)(source_number(s) & 7);
    r->delivery_type = (vitrace_v1_DeliveryType)(source_number(s) & 3);
    r->response_status = (uint32_t)source_number(s);
    r->render_blocking = source_number(s) & 1;
    r->absent_phases = (uint32_t)source_number(s);
    r->claims_count = (pb_size_t)(source_number(s) % (BEACON_CLAIMS_MAX + 1));
    for (pb_size_t i = 0; i < r->claims_count; i++) {
        for (size_t k = 0; k < 16; k++)
            r->claims[i].trace_id[k] = (uint8_t)source_number(s);
        r->claims[i].trace_flags = (uint32_t)source_number(s);
        r->claims[i].source = (vitrace_v1_ClaimSource)(source_number(s) & 7);
    }
    r->server_timings_count = (pb_size_t)(source_number(s) % (BEACON_SERVER_TIMINGS_MAX + 1));
    for (pb_size_t i = 0; i < r->server_timings_count; i++) {
        r->server_timings[i].name_ref = (uint32_t)source_number(s);
        r->server_timings[i].description_ref = (uint32_t)source_number(s);
        r->server_timings[i].duration_ms = source_double(s);
    }
}

static void round_trip(const vitrace_v1_Resource *resource)
{
    static uint8_t written[2048], again[2048];
    size_t size = beacon_encode_resource(written, sizeof written, resource);
    vitrace_v1_Resource back;
    if (size == 0 || !beacon_decode_resource(slice_of(written + 3, size - 3), &back))
        abort();
    if (beacon_encode_resource(again, sizeof again, &back) != size || memcmp(written, again, size) != 0)
        abort();
}

/* What both accept they must read alike. (Strictness differs on purpose: wire types, 32-bit overflow, repeats.) */
static void compare_readers(struct slice body)
{
    vitrace_v1_Resource ours, oracle = vitrace_v1_Resource_init_default;
    bool took = beacon_decode_resource(body, &ours);
    if (!took || !beacon_decode_message(body, vitrace_v1_Resource_fields, &oracle))
        return;
    static uint8_t a[2048], b[2048];
    size_t a_size = beacon_encode_resource(a, sizeof a, &ours);
    size_t b_size = beacon_encode_resource(b, sizeof b, &oracle);
    if (a_size != b_size || memcmp(a, b, a_size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vitrace_v1_Resource resource;
    struct source source = {data, data + size};
    fill(&resource, &source);
    round_trip(&resource);
    compare_readers(slice_of(data, size));
    return 0;
}
