/* Builds valid beacons: a header that passes beacon_validate(), then whatever records a test wants. */
#ifndef VITRACE_TEST_BEACON_BUILDER_H
#define VITRACE_TEST_BEACON_BUILDER_H

#include "proto/wire/beacon_decode.h"
#include "proto/wire/beacon_encode.h"

#define BUILDER_TIME_ORIGIN_US UINT64_C(1760000000000000)

struct beacon_builder {
    uint8_t bytes[BEACON_BYTES_MAX];
    size_t size;
    uint32_t strings;
};

/* App "shop", route "/p/:id", page http://127.0.0.1:8080/p/3; the view id is 16 bytes of `view`. */
vitrace_v1_Header beacon_builder_header(uint8_t view, uint32_t seq);
void beacon_builder_init(struct beacon_builder *self, const vitrace_v1_Header *header);
/* Returns its reference. */
uint32_t beacon_builder_string(struct beacon_builder *self, const char *text);
void beacon_builder_add(struct beacon_builder *self, uint32_t field, const pb_msgdesc_t *fields, const void *message);
void beacon_builder_vital(struct beacon_builder *self, vitrace_v1_Metric metric, double value,
                          vitrace_v1_Rating rating);
/* A resource of 20 ms that started at start_us, status 200. `claim` may be NULL. */
void beacon_builder_resource(struct beacon_builder *self, const char *url, uint64_t start_us,
                             const vitrace_v1_Claim *claim);
void beacon_builder_call(struct beacon_builder *self, const char *url, uint64_t start_us,
                         const vitrace_v1_Claim *claim);
void beacon_builder_navigation(struct beacon_builder *self, const char *url, const vitrace_v1_Claim *claim);
void beacon_builder_ledger(struct beacon_builder *self, uint32_t entries, uint32_t segments);
struct slice beacon_builder_bytes(const struct beacon_builder *self);

/* Ids of repeated bytes. */
vitrace_v1_Claim beacon_builder_claim(vitrace_v1_ClaimSource source, uint8_t trace, uint8_t span);

#endif
