#include "tests/unit/wasm/core/rig.h"

#include "proto/wire/beacon_encode.h"

#include <math.h>
#include <stdlib.h>

struct rig *rig_new(void)
{
    struct rig *self =
        aligned_alloc(RING_CACHE_LINE, (sizeof *self + RING_CACHE_LINE - 1) & ~(size_t)(RING_CACHE_LINE - 1));
    if (self == NULL)
        return NULL;
    self->core_memory = malloc(core_bytes());
    if (self->core_memory == NULL) {
        free(self);
        return NULL;
    }
    self->word_count = self->string_bytes = self->string_count = 0;
    self->clock = (struct core_clock){1000, 1.7e12 + 1000};
    ring_producer_init(&self->producer, self->ring_memory);
    self->core = core_init(self->core_memory, &self->producer);
    return self;
}

void rig_free(struct rig *self)
{
    free(self->core_memory);
    free(self);
}

double *rig_record(struct rig *self, enum inbox_kind kind, unsigned words)
{
    double *record = self->words + self->word_count;
    self->word_count += words;
    record[0] = kind;
    for (unsigned i = 1; i < words; i++)
        record[i] = NAN;
    return record;
}

double rig_text(struct rig *self, const char *text)
{
    size_t size = strlen(text) + 1; /* with its NUL */
    memcpy(self->strings + self->string_bytes, text, size);
    self->string_bytes += (unsigned)size;
    return ++self->string_count;
}

/* The core gets exact copies, so that a sanitizer sees a read past the batch. */
enum core_status rig_take(struct rig *self)
{
    double *words = malloc(self->word_count * sizeof *words + 1);
    uint8_t *strings = malloc(self->string_bytes + 1);
    enum core_status status = CORE_BAD_BATCH;
    if (words != NULL && strings != NULL) {
        memcpy(words, self->words, self->word_count * sizeof *words);
        unsigned bytes = self->string_bytes > 0 ? self->string_bytes - 1 : 0;
        memcpy(strings, self->strings, bytes);
        status = core_take(self->core, self->clock, words, self->word_count, slice_of(strings, bytes));
    }
    free(words);
    free(strings);
    self->word_count = self->string_bytes = self->string_count = 0;
    return status;
}

enum core_status rig_seal(struct rig *self, int final)
{
    return core_seal(self->core, self->clock, final);
}

double *rig_put_start(struct rig *self)
{
    double *start = rig_record(self, INBOX_START, INBOX_START_WORDS);
    for (unsigned i = 0; i < 4; i++) {
        start[INBOX_START_VIEW_ID_0 + i] = 0x01020304u + i;
        start[INBOX_START_SESSION_ID_0 + i] = 0xa1a2a3a4u + i;
    }
    start[INBOX_START_TIME_ORIGIN] = 1.7e12;
    start[INBOX_START_TRANSPORT] = vitrace_v1_Transport_TRANSPORT_TRANSFER;
    start[INBOX_START_SUPPORTED] = 31;
    start[INBOX_START_APP] = rig_text(self, "shop");
    start[INBOX_START_URL] = rig_text(self, "https://u:p@shop.example/p/7?q=1#top");
    start[INBOX_START_ROUTE] = rig_text(self, "/p/:id");
    start[INBOX_START_REFERRER] = rig_text(self, "https://search.example/find?q=secret");
    start[INBOX_START_VIEWPORT_WIDTH] = 1280;
    start[INBOX_START_DEVICE_PIXEL_RATIO] = 1.25;
    start[INBOX_START_DEVICE_MEMORY] = 0.5;
    start[INBOX_START_HIDDEN] = 0;
    return start;
}

double *rig_put_resource(struct rig *self, const char *url, double start_ms)
{
    double *r = rig_record(self, INBOX_RESOURCE, INBOX_RESOURCE_WORDS);
    r[INBOX_RESOURCE_NAME] = rig_text(self, url);
    r[INBOX_RESOURCE_START_TIME] = start_ms;
    r[INBOX_RESOURCE_REDIRECT_START] = r[INBOX_RESOURCE_REDIRECT_END] = r[INBOX_RESOURCE_WORKER_START] = 0;
    r[INBOX_RESOURCE_FETCH_START] = start_ms + 0.5;
    r[INBOX_RESOURCE_DOMAIN_LOOKUP_START] = start_ms + 1;
    r[INBOX_RESOURCE_DOMAIN_LOOKUP_END] = start_ms + 3;
    r[INBOX_RESOURCE_CONNECT_START] = start_ms + 3;
    r[INBOX_RESOURCE_SECURE_CONNECTION_START] = start_ms + 4;
    r[INBOX_RESOURCE_CONNECT_END] = start_ms + 6;
    r[INBOX_RESOURCE_REQUEST_START] = start_ms + 6.25;
    r[INBOX_RESOURCE_RESPONSE_START] = start_ms + 20;
    r[INBOX_RESOURCE_RESPONSE_END] = start_ms + 25.125;
    r[INBOX_RESOURCE_TRANSFER_SIZE] = 1300;
    r[INBOX_RESOURCE_ENCODED_BODY_SIZE] = 1000;
    r[INBOX_RESOURCE_DECODED_BODY_SIZE] = 4000;
    r[INBOX_RESOURCE_INITIATOR_TYPE] = vitrace_v1_InitiatorType_INITIATOR_TYPE_FETCH;
    r[INBOX_RESOURCE_NEXT_HOP_PROTOCOL] = vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_H2;
    r[INBOX_RESOURCE_RESPONSE_STATUS] = 200;
    r[INBOX_RESOURCE_DELIVERY_TYPE] = 0;
    r[INBOX_RESOURCE_RENDER_BLOCKING] = 0;
    r[INBOX_RESOURCE_SERVER_TIMINGS] = 0;
    return r;
}

double *rig_put_mark(struct rig *self, const char *name, double start_ms)
{
    double *mark = rig_record(self, INBOX_USER_TIMING, INBOX_USER_TIMING_WORDS);
    mark[INBOX_USER_TIMING_NAME] = rig_text(self, name);
    mark[INBOX_USER_TIMING_START_TIME] = start_ms;
    mark[INBOX_USER_TIMING_IS_MEASURE] = 0;
    return mark;
}

double *rig_put_server_timing(struct rig *self, const char *name, const char *description)
{
    double *timing = rig_record(self, INBOX_SERVER_TIMING, INBOX_SERVER_TIMING_WORDS);
    timing[INBOX_SERVER_TIMING_NAME] = rig_text(self, name);
    timing[INBOX_SERVER_TIMING_DESCRIPTION] = description[0] != '\0' ? rig_text(self, description) : 0;
    timing[INBOX_SERVER_TIMING_DURATION] = 12.5;
    return timing;
}

void rig_start(struct rig *self)
{
    rig_put_start(self);
    rig_take(self);
}

static const pb_msgdesc_t *const descriptors[] = {
    [BEACON_FIELD_HEADER] = vitrace_v1_Header_fields,
    [BEACON_FIELD_RESOURCE] = vitrace_v1_Resource_fields,
    [BEACON_FIELD_EVENT] = vitrace_v1_EventTiming_fields,
    [BEACON_FIELD_LAYOUT_SHIFT] = vitrace_v1_LayoutShift_fields,
    [BEACON_FIELD_USER_TIMING] = vitrace_v1_UserTiming_fields,
    [BEACON_FIELD_LONG_TASK] = vitrace_v1_LongTask_fields,
    [BEACON_FIELD_LONG_ANIMATION_FRAME] = vitrace_v1_LongAnimationFrame_fields,
    [BEACON_FIELD_PAINT] = vitrace_v1_Paint_fields,
    [BEACON_FIELD_LARGEST_CONTENTFUL_PAINT] = vitrace_v1_LargestContentfulPaint_fields,
    [BEACON_FIELD_VISIBILITY_STATE] = vitrace_v1_VisibilityState_fields,
    [BEACON_FIELD_CALL] = vitrace_v1_Call_fields,
    [BEACON_FIELD_VITAL] = vitrace_v1_Vital_fields,
    [BEACON_FIELD_CUSTOM_EVENT] = vitrace_v1_CustomEvent_fields,
    [BEACON_FIELD_LEDGER] = vitrace_v1_Ledger_fields,
    [BEACON_FIELD_NAVIGATION] = vitrace_v1_Navigation_fields,
    [BEACON_FIELD_ERROR] = vitrace_v1_ErrorEvent_fields,
    [BEACON_FIELD_ELEMENT_TIMING] = vitrace_v1_ElementTiming_fields,
    [BEACON_FIELD_SOFT_NAVIGATION] = vitrace_v1_SoftNavigation_fields,
    [BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT] = vitrace_v1_InteractionContentfulPaint_fields,
    [BEACON_FIELD_NOT_RESTORED_REASON] = vitrace_v1_NotRestoredReason_fields,
    [BEACON_FIELD_MEMORY_MEASUREMENT] = vitrace_v1_MemoryMeasurement_fields,
    [BEACON_FIELD_CLICK_PATTERN] = vitrace_v1_ClickPattern_fields,
    [BEACON_FIELD_CUSTOM_METRIC] = vitrace_v1_CustomMetric_fields,
};

/* true: nanopb would have written the record with the same bytes. */
static bool record_is_canonical(const struct beacon_record *record)
{
    union {
        vitrace_v1_Header header;
        vitrace_v1_Navigation navigation;
        vitrace_v1_LongAnimationFrame long_frame;
        vitrace_v1_CustomEvent custom_event;
        vitrace_v1_CustomMetric custom_metric;
    } message; /* the largest */
    static uint8_t again[BEACON_BYTES_MAX];
    const pb_msgdesc_t *fields = descriptors[record->field];
    size_t prefix = record->field < 16 ? 3 : 4;
    if (fields == NULL)
        return true; /* a string has no fields */
    if (!beacon_decode_message(record->body, fields, &message))
        return false;
    size_t size = beacon_encode_message(again, sizeof again, (uint32_t)record->field, fields, &message);
    return size == prefix + record->body.size && memcmp(again + prefix, record->body.data, record->body.size) == 0;
}

/* The core writes by tables of its own; nanopb says what is right, for every record of every beacon of every test. */
static void expect_canonical(struct slice beacon)
{
    struct beacon_reader reader = beacon_reader_of(beacon);
    struct beacon_record record;
    while (beacon_reader_next(&reader, &record))
        if (!record_is_canonical(&record))
            abort();
}

enum beacon_status rig_look_at(struct rig *self, struct slice beacon)
{
    memcpy(self->beacon_bytes, beacon.data, beacon.size);
    self->beacon = slice_of(self->beacon_bytes, beacon.size);
    expect_canonical(self->beacon);
    beacon_strings_init(&self->dictionary, self->beacon);
    return beacon_validate(self->beacon, &self->summary);
}

bool rig_next_beacon(struct rig *self, enum beacon_status *status)
{
    int segment = ring_consumer_take(self->producer.header);
    if (segment < 0)
        return false;
    struct slice bytes = ring_consumer_bytes(self->producer.header, segment);
    *status = rig_look_at(self, bytes);
    ring_consumer_release(self->producer.header, segment, 1);
    return true;
}

struct slice rig_find(const struct rig *self, enum beacon_field field, unsigned n)
{
    struct beacon_reader reader = beacon_reader_of(self->beacon);
    struct beacon_record record;
    while (beacon_reader_next(&reader, &record))
        if (record.field == field && n-- == 0)
            return record.body;
    return slice_of(NULL, 0);
}

unsigned rig_count(const struct rig *self, enum beacon_field field)
{
    struct beacon_reader reader = beacon_reader_of(self->beacon);
    struct beacon_record record;
    unsigned count = 0;
    while (beacon_reader_next(&reader, &record))
        count += record.field == field;
    return count;
}

const char *rig_string(const struct rig *self, uint32_t ref)
{
    static char text[BEACON_STRING_BYTES_MAX + 1];
    struct slice found = beacon_strings_find(&self->dictionary, ref);
    memcpy(text, found.data != NULL ? (const char *)found.data : "", found.size);
    text[found.size] = '\0';
    return text;
}

double rig_stat(const struct rig *self, enum core_stats_field field)
{
    double stats[CORE_STATS_WORDS];
    core_stats(self->core, stats);
    return stats[field];
}
