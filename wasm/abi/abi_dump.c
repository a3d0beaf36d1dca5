/*
 * Prints js-glue/src/abi.ts: what the JS side must know of the inbox, the ring, the schema and the module's memory.
 * The headers are the only source; a test holds the committed file to this program's output.
 */
#include "proto/wire/limits.h"
#include "vitrace/v1/beacon.pb.h"
#include "wasm/abi/exports.h"
#include "wasm/abi/inbox.h"
#include "wasm/core/core.h"
#include "wasm/ring/ring_layout.h"

#include <stdio.h>

struct row {
    const char *name;
    unsigned long value;
};

static void print_enum(const char *name, const struct row *rows, size_t count)
{
    printf("\nexport const enum %s {\n", name);
    for (size_t i = 0; i < count; i++)
        printf("  %s = %lu,\n", rows[i].name, rows[i].value);
    printf("}\n");
}

#define COUNT(rows)            (sizeof(rows) / sizeof((rows)[0]))
#define PRINT_ENUM(name, rows) print_enum(name, rows, COUNT(rows))

#define PRINT_EXPORT(name) printf("  %s = \"%s\",\n", #name, EXPORT_##name);

static void print_exports(void)
{
    printf("\nexport const enum CoreExport {\n");
    EXPORTS(PRINT_EXPORT)
    printf("}\n");
}

#define NUMBERED(name, number) {#name, number},

/* K(TypeScript name, macro prefix) for every kind with fields. */
#define KIND_TABLES(K)                                                                                                 \
    K(Start, START)                                                                                                    \
    K(View, VIEW) K(Navigation, NAVIGATION) K(MetaTrace, META_TRACE) K(Resource, RESOURCE)                             \
        K(ServerTiming, SERVER_TIMING) K(Paint, PAINT) K(LargestPaint, LARGEST_PAINT) K(LayoutShift, LAYOUT_SHIFT)     \
            K(Event, EVENT) K(InteractionCount, INTERACTION_COUNT) K(LongTask, LONG_TASK) K(LongFrame, LONG_FRAME)     \
                K(FrameScript, FRAME_SCRIPT) K(UserTiming, USER_TIMING) K(Visibility, VISIBILITY) K(Error, ERROR)      \
                    K(CustomEvent, CUSTOM_EVENT) K(Attribute, ATTRIBUTE) K(Call, CALL) K(Loss, LOSS) K(Meter, METER)   \
                        K(LifecycleField, LIFECYCLE) K(Config, CONFIG) K(Element, ELEMENT)                             \
                            K(SoftNavigation, SOFT_NAVIGATION) K(InteractionPaint, INTERACTION_PAINT)                  \
                                K(NotRestored, NOT_RESTORED) K(MemoryMeasurement, MEMORY_MEASUREMENT)                  \
                                    K(ClickPattern, CLICK_PATTERN) K(CustomMetric, CUSTOM_METRIC) K(Route, ROUTE) K(Session, SESSION)

#define FIELD_NAME(name) #name,
#define PRINT_FIELDS(type, kind)                                                                                       \
    {                                                                                                                  \
        static const char *const names[] = {INBOX_##kind##_FIELDS(FIELD_NAME)};                                        \
        _Static_assert(COUNT(names) + 1 == INBOX_##kind##_WORDS, "fields count from 1");                               \
        print_fields("Inbox" #type, names, COUNT(names));                                                              \
    }

static void print_fields(const char *name, const char *const *fields, size_t count)
{
    printf("\nexport const enum %s {\n  KIND = 0,\n", name);
    for (size_t i = 0; i < count; i++)
        printf("  %s = %zu,\n", fields[i], i + 1);
    printf("  WORDS = %zu,\n}\n", count + 1);
}

static void print_inbox(void)
{
    static const struct row sizes[] = {{"ABI_VERSION", INBOX_ABI_VERSION},
                                       {"WORDS", INBOX_WORDS},
                                       {"STRING_BYTES", INBOX_STRING_BYTES},
                                       {"PACK_TO", INBOX_PACK_TO},
                                       {"PACK_FROM", INBOX_PACK_FROM},
                                       {"STRINGS_MAX", INBOX_STRINGS_MAX},
                                       {"FRAME_SCRIPTS_MAX", INBOX_FRAME_SCRIPTS_MAX}};
    static const struct row kinds[] = {INBOX_KINDS(NUMBERED)};
    static const struct row lifecycles[] = {INBOX_LIFECYCLES(NUMBERED)};
    static const struct row consents[] = {INBOX_CONSENTS(NUMBERED)};
    PRINT_ENUM("Inbox", sizes);
    PRINT_ENUM("InboxKind", kinds);
    KIND_TABLES(PRINT_FIELDS)
    PRINT_ENUM("InboxLifecycle", lifecycles);
    PRINT_ENUM("InboxConsent", consents);
}

/* Offsets in 32-bit words, for one Int32Array over the ring. */
#define HEADER_WORD(name, field)                                                                                       \
    {                                                                                                                  \
        name, offsetof(struct ring_header, field) / 4                                                                  \
    }
#define SEGMENT_WORD(name, field)                                                                                      \
    {                                                                                                                  \
        name, offsetof(struct ring_segment, field) / 4                                                                 \
    }

static void print_ring(void)
{
    static const struct row sizes[] = {{"MAGIC", RING_MAGIC},
                                       {"SEGMENTS", RING_SEGMENTS},
                                       {"HEADER_BYTES", sizeof(struct ring_header)},
                                       {"SEGMENT_BYTES", sizeof(struct ring_segment)},
                                       {"DATA_OFFSET", RING_BYTES - RING_DATA_BYTES},
                                       {"DATA_BYTES", RING_DATA_BYTES},
                                       {"BYTES", RING_BYTES}};
    static const struct row states[] = {{"FREE", RING_FREE},
                                        {"OPEN", RING_OPEN},
                                        {"SEALED", RING_SEALED},
                                        {"TAKEN", RING_TAKEN},
                                        {"ACKED", RING_ACKED},
                                        {"HELD", RING_HELD}};
    static const struct row header[] = {HEADER_WORD("MAGIC", magic),
                                        HEADER_WORD("SEGMENTS", segments),
                                        HEADER_WORD("DATA_BYTES", data_bytes),
                                        HEADER_WORD("DATA_OFFSET", data_offset),
                                        HEADER_WORD("SEALED", sealed),
                                        HEADER_WORD("STOPPED", stopped),
                                        HEADER_WORD("SENT", sent),
                                        HEADER_WORD("ABANDONED", abandoned),
                                        HEADER_WORD("RETRIES", retries),
                                        {"WORDS", sizeof(struct ring_header) / 4}};
    static const struct row segment[] = {SEGMENT_WORD("STATE", state),
                                         SEGMENT_WORD("OFFSET", offset),
                                         SEGMENT_WORD("SIZE", size),
                                         SEGMENT_WORD("SEQ", seq),
                                         {"WORDS", sizeof(struct ring_segment) / 4}};
    PRINT_ENUM("Ring", sizes);
    PRINT_ENUM("RingState", states);
    PRINT_ENUM("RingHeaderWord", header);
    PRINT_ENUM("RingSegmentWord", segment);
}

static void print_core(void)
{
    static const char *const stats[] = {CORE_STATS_FIELDS(FIELD_NAME)};
    printf("\nexport const enum CoreStatus {\n  OK = %d,\n  SEALED = %d,\n  NOT_STARTED = %d,\n  BAD_BATCH = %d,\n}\n",
           CORE_OK, CORE_SEALED, CORE_NOT_STARTED, CORE_BAD_BATCH);
    printf("\nexport const enum CoreStats {\n");
    for (size_t i = 0; i < COUNT(stats); i++)
        printf("  %s = %zu,\n", stats[i], i);
    printf("  WORDS = %d,\n}\n", CORE_STATS_WORDS);
}

#define SCHEMA(type, prefix, name)                                                                                     \
    {                                                                                                                  \
#name, vitrace_v1_##type##_##prefix##_##name                                                                   \
    }

static void print_schema_of_request(void)
{
#define INITIATOR(name) SCHEMA(InitiatorType, INITIATOR_TYPE, name)
    static const struct row initiators[] = {
        INITIATOR(OTHER),      INITIATOR(FETCH),      INITIATOR(XMLHTTPREQUEST), INITIATOR(SCRIPT), INITIATOR(LINK),
        INITIATOR(CSS),        INITIATOR(IMG),        INITIATOR(IMAGE),          INITIATOR(IFRAME), INITIATOR(BEACON),
        INITIATOR(VIDEO),      INITIATOR(AUDIO),      INITIATOR(TRACK),          INITIATOR(EMBED),  INITIATOR(OBJECT),
        INITIATOR(EARLY_HINT), INITIATOR(NAVIGATION), INITIATOR(INPUT)};
#define HOP(name) SCHEMA(NextHopProtocol, NEXT_HOP_PROTOCOL, name)
    static const struct row hops[] = {HOP(UNKNOWN), HOP(HTTP_1_0), HOP(HTTP_1_1), HOP(H2),
                                      HOP(H3),      HOP(H2C),      HOP(OTHER)};
#define DELIVERY(name) SCHEMA(DeliveryType, DELIVERY_TYPE, name)
    static const struct row deliveries[] = {DELIVERY(NETWORK), DELIVERY(CACHE), DELIVERY(NAVIGATIONAL_PREFETCH),
                                            DELIVERY(OTHER)};
    _Static_assert(COUNT(initiators) == _vitrace_v1_InitiatorType_ARRAYSIZE, "every InitiatorType");
    _Static_assert(COUNT(hops) == _vitrace_v1_NextHopProtocol_ARRAYSIZE, "every NextHopProtocol");
    _Static_assert(COUNT(deliveries) == _vitrace_v1_DeliveryType_ARRAYSIZE, "every DeliveryType");
    PRINT_ENUM("InitiatorType", initiators);
    PRINT_ENUM("NextHopProtocol", hops);
    PRINT_ENUM("DeliveryType", deliveries);
}

static void print_schema_of_view(void)
{
#define TRANSPORT(name) SCHEMA(Transport, TRANSPORT, name)
    static const struct row transports[] = {TRANSPORT(UNSPECIFIED), TRANSPORT(SHARED_RING), TRANSPORT(TRANSFER),
                                            TRANSPORT(MAIN_THREAD), TRANSPORT(RAW_INBOX)};
#define NAVIGATION(name) SCHEMA(NavigationType, NAVIGATION_TYPE, name)
    static const struct row navigations[] = {
        NAVIGATION(UNSPECIFIED),        NAVIGATION(NAVIGATE),  NAVIGATION(RELOAD),  NAVIGATION(BACK_FORWARD),
        NAVIGATION(BACK_FORWARD_CACHE), NAVIGATION(PRERENDER), NAVIGATION(RESTORE), NAVIGATION(SOFT_NAVIGATION),
        NAVIGATION(ROUTE_CHANGE)};
#define METRIC(name) SCHEMA(Metric, METRIC, name)
    static const struct row metrics[] = {METRIC(UNSPECIFIED), METRIC(LCP), METRIC(INP),
                                         METRIC(CLS),         METRIC(FCP), METRIC(TTFB)};
#define ORIGIN(name) SCHEMA(ErrorOrigin, ERROR_ORIGIN, name)
    static const struct row origins[] = {ORIGIN(UNSPECIFIED), ORIGIN(WINDOW), ORIGIN(UNHANDLED_REJECTION), ORIGIN(API)};
#define LOSS(name) SCHEMA(LossReason, LOSS_REASON, name)
    static const struct row losses[] = {LOSS(UNSPECIFIED), LOSS(RING_FULL),       LOSS(BAD_ENTRY),  LOSS(TOO_LARGE),
                                        LOSS(QUEUE_FULL),  LOSS(BROWSER_DROPPED), LOSS(BUDGET),     LOSS(CONSENT),
                                        LOSS(SAMPLED_OUT), LOSS(DICTIONARY_FULL), LOSS(SEND_FAILED),
                                        LOSS(PAGE_LEFT),   LOSS(OFFLINE_FULL)};
#define CLICKS(name) SCHEMA(ClickPatternType, CLICK_PATTERN_TYPE, name)
    static const struct row clicks[] = {CLICKS(UNSPECIFIED), CLICKS(RAGE), CLICKS(DEAD)};
    _Static_assert(COUNT(clicks) == _vitrace_v1_ClickPatternType_ARRAYSIZE, "every ClickPatternType");
    PRINT_ENUM("ClickPatternType", clicks);
    _Static_assert(COUNT(transports) == _vitrace_v1_Transport_ARRAYSIZE, "every Transport");
    _Static_assert(COUNT(navigations) == _vitrace_v1_NavigationType_ARRAYSIZE, "every NavigationType");
    _Static_assert(COUNT(metrics) == _vitrace_v1_Metric_ARRAYSIZE, "every Metric");
    _Static_assert(COUNT(origins) == _vitrace_v1_ErrorOrigin_ARRAYSIZE, "every ErrorOrigin");
    _Static_assert(COUNT(losses) == _vitrace_v1_LossReason_ARRAYSIZE, "every LossReason");
    PRINT_ENUM("Transport", transports);
    PRINT_ENUM("NavigationType", navigations);
    PRINT_ENUM("Metric", metrics);
    PRINT_ENUM("ErrorOrigin", origins);
    PRINT_ENUM("LossReason", losses);
}

static void print_limits(void)
{
    static const struct row limits[] = {
        {"SCHEMA_VERSION", VITRACE_SCHEMA_VERSION},        {"BEACON_BYTES_MAX", BEACON_BYTES_MAX},
        {"STRING_BYTES_MAX", BEACON_STRING_BYTES_MAX},     {"CLAIMS_MAX", BEACON_CLAIMS_MAX},
        {"SERVER_TIMINGS_MAX", BEACON_SERVER_TIMINGS_MAX}, {"ATTRIBUTES_MAX", BEACON_ATTRIBUTES_MAX},
        {"FRAME_SCRIPTS_MAX", BEACON_FRAME_SCRIPTS_MAX}};
    static const struct row memory[] = {{"PAGES", VITRACE_WASM_PAGES}};
    PRINT_ENUM("Limits", limits);
    PRINT_ENUM("Memory", memory);
}

int main(void)
{
    printf("// Generated by abi_dump from wasm/abi/, wasm/ring/ring_layout.h, wasm/core/core.h, proto/. Do not "
           "edit:\n"
           "// run `cmake --build build/dev --target abi` after a change, and commit the result.\n");
    print_exports();
    print_inbox();
    print_ring();
    print_core();
    print_schema_of_request();
    print_schema_of_view();
    print_limits();
    return ferror(stdout) == 0 && fflush(stdout) == 0 ? 0 : 1;
}
