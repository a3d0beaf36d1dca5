#include <assert.h>

#include "collector/sinks/sinks_internal.h"
#include "collector/sinks/site.h"
#include "proto/wire/crc32c.h"

static bool sinks_id_equal(const struct join_id *a, const struct join_id *b)
{
    return memcmp(a->trace_id, b->trace_id, 16) == 0 && memcmp(a->span_id, b->span_id, 8) == 0 &&
           a->source == b->source;
}

static bool sinks_request_has(const struct sinks_request *self, const struct join_id *id)
{
    for (uint32_t i = 0; i < self->id_count; i++)
        if (sinks_id_equal(&self->id[i], id))
            return true;
    return false;
}

/* The injected id decides the best level, so it is the last to be left out: it goes to the front. */
void sinks_request_add_ids(struct sinks_request *self, const struct join_id *id, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sinks_request_has(self, &id[i]))
            continue;
        bool injected = id[i].source == vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED;
        if (self->id_count == JOIN_IDS_MAX && !injected)
            continue;
        if (self->id_count < JOIN_IDS_MAX)
            self->id_count++;
        uint32_t at = injected ? 0 : self->id_count - 1;
        memmove(&self->id[at + 1], &self->id[at], (self->id_count - 1 - at) * sizeof self->id[0]);
        self->id[at] = id[i];
    }
}

/* Ids are stored as they are: single bytes only, so neither order nor padding matters. */
struct slice sinks_request_ids(const struct sinks_request *self)
{
    static_assert(sizeof(struct join_id) == 26, "stored in the index");
    static_assert(sizeof(struct join_id) * JOIN_IDS_MAX <= STORE_REQUEST_IDS_BYTES_MAX, "stored in the index");
    return slice_of(self->id, self->id_count * sizeof self->id[0]);
}

uint32_t sinks_request_ids_read(struct slice bytes, struct join_id id[JOIN_IDS_MAX])
{
    uint32_t count = (uint32_t)(bytes.size / sizeof id[0]);
    if (count > JOIN_IDS_MAX)
        count = JOIN_IDS_MAX;
    if (count > 0)
        memcpy(id, bytes.data, count * sizeof id[0]);
    return count;
}

static void sinks_request_take_claims(struct sinks_request *self, const vitrace_v1_Claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct join_id id = call_facts_id(&claims[i]);
        sinks_request_add_ids(self, &id, 1);
    }
}

/* What a resource's timing shows of where the response came from. */
struct sinks_delivery {
    uint64_t transfer_size, encoded_body_size;
    uint32_t status, absent;
    bool worker, cached;
};

static uint32_t sinks_request_flags(const struct sinks_delivery *delivery, struct slice page_url, struct slice url)
{
    uint32_t flags = site_is_third_party(page_url, url) ? JOIN_REQUEST_THIRD_PARTY : 0;
    bool hidden = delivery->absent & (vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START |
                                      vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START);
    bool no_transfer = delivery->transfer_size == 0;
    /*
     * Not by the delivery type alone: Chromium says "cache" of a 304, whose id is fresh, and of everything that a service
     * worker answered, also from the network.
     */
    if (no_transfer && (delivery->encoded_body_size > 0 || delivery->cached) && !delivery->worker)
        flags |= JOIN_REQUEST_CACHED;
    else if (hidden && no_transfer && site_is_cross_origin(page_url, url))
        flags |= JOIN_REQUEST_MASKED;
    else if (hidden && no_transfer && delivery->status == 0 && !delivery->worker)
        flags |= JOIN_REQUEST_FAILED; /* same-origin, nothing came: Chromium reports such entries since 109 */
    return flags;
}

static void sinks_request_finish(struct sinks_request *self, enum store_request_kind kind, struct slice url,
                                 int64_t start_us, uint32_t flags)
{
    self->row.kind = kind;
    self->row.url_hash = crc32c(0, url);
    self->row.start_us = start_us;
    self->row.flags = flags;
}

static bool sinks_request_read_resource(struct sinks_request *self, struct slice body,
                                        const struct beacon_strings *strings, struct slice page_url)
{
    vitrace_v1_Resource resource;
    if (!beacon_decode_resource(body, &resource))
        return false;
    struct slice url = beacon_strings_find(strings, resource.name_ref);
    struct sinks_delivery delivery = {.transfer_size = resource.transfer_size,
                                      .encoded_body_size = resource.encoded_body_size,
                                      .status = resource.response_status,
                                      .absent = resource.absent_phases,
                                      .worker = resource.worker_start_us != 0,
                                      .cached = resource.delivery_type == vitrace_v1_DeliveryType_DELIVERY_TYPE_CACHE};
    sinks_request_take_claims(self, resource.claims, resource.claims_count);
    sinks_request_finish(self, STORE_RESOURCE, url, (int64_t)resource.start_us,
                         sinks_request_flags(&delivery, page_url, url));
    self->facts.entry = call_facts_of_resource(&resource, url, self->row.flags & JOIN_REQUEST_FAILED, NULL, 0);
    self->end_us = self->facts.entry.response_end_us; /* CALL_MATCH_UNKNOWN is negative */
    return true;
}

/* The document is the page's own: never third-party, never masked. */
static bool sinks_request_read_navigation(struct sinks_request *self, struct slice body,
                                          const struct beacon_strings *strings)
{
    vitrace_v1_Navigation navigation = vitrace_v1_Navigation_init_zero;
    if (!beacon_decode_message(body, vitrace_v1_Navigation_fields, &navigation))
        return false;
    struct sinks_delivery delivery = {.transfer_size = navigation.transfer_size,
                                      .encoded_body_size = navigation.encoded_body_size,
                                      .status = navigation.response_status,
                                      .absent = navigation.absent_phases,
                                      .worker = navigation.worker_start_us != 0,
                                      .cached =
                                          navigation.delivery_type == vitrace_v1_DeliveryType_DELIVERY_TYPE_CACHE};
    struct slice url = beacon_strings_find(strings, navigation.name_ref);
    sinks_request_take_claims(self, navigation.claims, navigation.claims_count);
    sinks_request_finish(self, STORE_NAVIGATION, url, 0, sinks_request_flags(&delivery, url, url));
    self->end_us = call_facts_is_time(navigation.response_end_us) ? navigation.response_end_us : 0;
    return true;
}

static bool sinks_request_read_call(struct sinks_request *self, struct slice body, const struct beacon_strings *strings,
                                    struct slice page_url)
{
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    if (!beacon_decode_message(body, vitrace_v1_Call_fields, &call))
        return false;
    struct slice url = beacon_strings_find(strings, call.url_ref);
    sinks_request_take_claims(self, call.claims, call.claims_count);
    bool failed = call.status == 0 && call.headers_us == 0; /* a no-cors response has no status, either */
    bool injected = self->id_count > 0 && self->id[0].source == vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED;
    uint32_t flags = failed ? JOIN_REQUEST_FAILED : 0;
    if (failed && injected && !call.aborted && site_is_cross_origin(page_url, url))
        flags |= JOIN_REQUEST_BLOCKED;
    if (site_is_third_party(page_url, url))
        flags |= JOIN_REQUEST_THIRD_PARTY;
    sinks_request_finish(self, STORE_CALL, url, (int64_t)call.start_us, flags);
    self->facts.call = call_facts_of_call(&call, url, NULL, 0);
    return true;
}

bool sinks_request_read(struct sinks_request *self, const struct beacon_record *record,
                        const struct beacon_strings *strings, struct slice page_url)
{
    memset(self, 0, sizeof *self);
    if (record->field == BEACON_FIELD_RESOURCE)
        return sinks_request_read_resource(self, record->body, strings, page_url);
    if (record->field == BEACON_FIELD_NAVIGATION)
        return sinks_request_read_navigation(self, record->body, strings);
    if (record->field == BEACON_FIELD_CALL)
        return sinks_request_read_call(self, record->body, strings, page_url);
    return false;
}
