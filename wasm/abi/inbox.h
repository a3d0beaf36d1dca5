/*
 * The inbox: how the JS bridge hands entries to the core. This header is the only place where the layout is written
 * down; abi_dump turns it into js-glue/src/abi.ts, and INBOX_ABI_VERSION is compared when the module starts.
 *
 *   words    INBOX_WORDS doubles:  | record | record | ... |      record = kind, then the fields of that kind in order
 *   strings  INBOX_STRING_BYTES of UTF-8: the strings of the batch joined by NUL, in order of their index
 *
 * A field that names a string holds its 1-based index in the batch, 0 = none. A field that the browser does not have
 * is NaN (a store of `undefined`). Times are DOMHighResTimeStamps in milliseconds, unrounded: vitals are computed from
 * these doubles. A record may say how many child records follow it; children have no meaning alone.
 *
 * The inbox belongs to the bridge between calls and to the core during a call. Everything in it is untrusted.
 */
#ifndef VITRACE_ABI_INBOX_H
#define VITRACE_ABI_INBOX_H

#define INBOX_ABI_VERSION 2

/* 4,096 doubles = 32 KiB: 120 resource records with two Server-Timing metrics each. */
#define INBOX_WORDS 4096
/* 120 URLs of 512 bytes. The bridge splits a batch that would not fit. */
#define INBOX_STRING_BYTES 65536
#define INBOX_STRINGS_MAX 1024
/* Between two batches the strings hold nothing. vitrace_pack uses them: 8,192 of its own | packed | a beacon. */
#define INBOX_PACK_TO   8192
#define INBOX_PACK_FROM 24576

/* K(NAME, number). Numbers are stable: recorded entry streams are replayed by later builds. */
#define INBOX_KINDS(K)                                                                                                 \
    K(START, 1)                                                                                                        \
    K(VIEW, 2)                                                                                                         \
    K(NAVIGATION, 3)                                                                                                   \
    K(META_TRACE, 4)                                                                                                   \
    K(RESOURCE, 5)                                                                                                     \
    K(SERVER_TIMING, 6)                                                                                                \
    K(PAINT, 7)                                                                                                        \
    K(LARGEST_PAINT, 8)                                                                                                \
    K(LAYOUT_SHIFT, 9)                                                                                                 \
    K(EVENT, 10)                                                                                                       \
    K(INTERACTION_COUNT, 11)                                                                                           \
    K(LONG_TASK, 12)                                                                                                   \
    K(LONG_FRAME, 13)                                                                                                  \
    K(FRAME_SCRIPT, 14)                                                                                                \
    K(USER_TIMING, 15)                                                                                                 \
    K(VISIBILITY, 16)                                                                                                  \
    K(ERROR, 17)                                                                                                       \
    K(CUSTOM_EVENT, 18)                                                                                                \
    K(ATTRIBUTE, 19)                                                                                                   \
    K(CALL, 20)                                                                                                        \
    K(LOSS, 21)                                                                                                        \
    K(METER, 22)                                                                                                       \
    K(LIFECYCLE, 23)                                                                                                   \
    K(CONFIG, 24)                                                                                                      \
    K(ELEMENT, 25)                                                                                                     \
    K(SOFT_NAVIGATION, 26)                                                                                             \
    K(INTERACTION_PAINT, 27)                                                                                           \
    K(NOT_RESTORED, 28)                                                                                                \
    K(MEMORY_MEASUREMENT, 29)                                                                                          \
    K(CLICK_PATTERN, 30)                                                                                               \
    K(CUSTOM_METRIC, 31)                                                                                               \
    K(ROUTE, 32)                                                                                                       \
    K(SESSION, 33)

/*
 * Once, first. Ids as 32-bit words, most significant byte first. SUPPORTED: bit (metric - 1) as in enum Metric, and
 * bit 5: the browser has soft navigations, and the page has views of them.
 */
#define INBOX_START_FIELDS(F)                                                                                          \
    F(VIEW_ID_0) F(VIEW_ID_1) F(VIEW_ID_2) F(VIEW_ID_3)                                                                \
    F(SESSION_ID_0) F(SESSION_ID_1) F(SESSION_ID_2) F(SESSION_ID_3)                                                    \
    F(TIME_ORIGIN) F(TRANSPORT) F(SUPPORTED)                                                                           \
    F(APP) F(RELEASE) F(ENVIRONMENT) F(SDK_VERSION)                                                                    \
    F(URL) F(ROUTE) F(REFERRER)                                                                                        \
    F(VIEWPORT_WIDTH) F(VIEWPORT_HEIGHT) F(DEVICE_PIXEL_RATIO) F(HARDWARE_CONCURRENCY) F(DEVICE_MEMORY)                \
    F(EFFECTIVE_TYPE) F(LANGUAGE) F(ISOLATED)                                                                          \
    F(HIDDEN) F(PRERENDERING) F(WAS_DISCARDED) F(READY_STATE)

/* A new view in the same document (bfcache restore, route change). Seals the old view first. TYPE: NavigationType. */
#define INBOX_VIEW_FIELDS(F)                                                                                           \
    F(VIEW_ID_0) F(VIEW_ID_1) F(VIEW_ID_2) F(VIEW_ID_3)                                                                \
    F(START_TIME) F(TYPE) F(URL) F(ROUTE) F(HIDDEN)

/* TYPE: the entry's type string. SERVER_TIMINGS children (SERVER_TIMING) follow, then META_TRACE if any. */
#define INBOX_NAVIGATION_FIELDS(F)                                                                                     \
    F(NAME) F(TYPE) F(ACTIVATION_START)                                                                                \
    F(REDIRECT_START) F(REDIRECT_END) F(WORKER_START) F(FETCH_START)                                                   \
    F(DOMAIN_LOOKUP_START) F(DOMAIN_LOOKUP_END) F(CONNECT_START) F(SECURE_CONNECTION_START) F(CONNECT_END)             \
    F(REQUEST_START) F(FIRST_INTERIM_RESPONSE_START) F(FINAL_RESPONSE_HEADERS_START)                                   \
    F(RESPONSE_START) F(RESPONSE_END)                                                                                  \
    F(UNLOAD_EVENT_START) F(UNLOAD_EVENT_END) F(DOM_INTERACTIVE) F(DOM_CONTENT_LOADED_EVENT_START)                     \
    F(DOM_CONTENT_LOADED_EVENT_END) F(DOM_COMPLETE) F(LOAD_EVENT_START) F(LOAD_EVENT_END)                              \
    F(TRANSFER_SIZE) F(ENCODED_BODY_SIZE) F(DECODED_BODY_SIZE)                                                         \
    F(NEXT_HOP_PROTOCOL) F(RESPONSE_STATUS) F(DELIVERY_TYPE) F(REDIRECT_COUNT) F(SERVER_TIMINGS)

/* <meta name="traceparent">: belongs to the navigation of this view, which it may precede. */
#define INBOX_META_TRACE_FIELDS(F) F(CONTENT)

/* INITIATOR_TYPE, NEXT_HOP_PROTOCOL, DELIVERY_TYPE: numbers of the schema's enums, mapped by the bridge. */
#define INBOX_RESOURCE_FIELDS(F)                                                                                       \
    F(NAME) F(START_TIME)                                                                                              \
    F(REDIRECT_START) F(REDIRECT_END) F(WORKER_START) F(FETCH_START)                                                   \
    F(DOMAIN_LOOKUP_START) F(DOMAIN_LOOKUP_END) F(CONNECT_START) F(SECURE_CONNECTION_START) F(CONNECT_END)             \
    F(REQUEST_START) F(FIRST_INTERIM_RESPONSE_START) F(FINAL_RESPONSE_HEADERS_START)                                   \
    F(RESPONSE_START) F(RESPONSE_END)                                                                                  \
    F(TRANSFER_SIZE) F(ENCODED_BODY_SIZE) F(DECODED_BODY_SIZE)                                                         \
    F(INITIATOR_TYPE) F(NEXT_HOP_PROTOCOL) F(RESPONSE_STATUS) F(DELIVERY_TYPE) F(RENDER_BLOCKING) F(SERVER_TIMINGS)

#define INBOX_SERVER_TIMING_FIELDS(F) F(NAME) F(DESCRIPTION) F(DURATION)

#define INBOX_PAINT_FIELDS(F) F(NAME) F(START_TIME)

/* LAST: 1 on the last entry of the observer's batch (only that one is an LCP candidate for web-vitals). */
#define INBOX_LARGEST_PAINT_FIELDS(F) F(START_TIME) F(RENDER_TIME) F(LOAD_TIME) F(SIZE) F(URL) F(TARGET) F(LAST)

#define INBOX_LAYOUT_SHIFT_FIELDS(F) F(START_TIME) F(VALUE) F(HAD_RECENT_INPUT) F(TARGET)

/* FIRST_INPUT: 1 when entryType is first-input. */
#define INBOX_EVENT_FIELDS(F)                                                                                          \
    F(NAME) F(START_TIME) F(DURATION) F(PROCESSING_START) F(PROCESSING_END)                                            \
    F(INTERACTION_ID) F(TARGET) F(CANCELABLE) F(FIRST_INPUT)

/* performance.interactionCount, or the bridge's estimate; sent before the events that it counts are evaluated. */
#define INBOX_INTERACTION_COUNT_FIELDS(F) F(COUNT)

#define INBOX_LONG_TASK_FIELDS(F) F(START_TIME) F(DURATION) F(NAME)

/* The longest scripts of a frame: a few are written to the beacon, and all explain the INP. */
#define INBOX_FRAME_SCRIPTS_MAX 32

/* SCRIPTS children (FRAME_SCRIPT) follow: those for the beacon first, otherwise in order of time. */
#define INBOX_LONG_FRAME_FIELDS(F)                                                                                     \
    F(START_TIME) F(DURATION) F(RENDER_START) F(STYLE_AND_LAYOUT_START) F(FIRST_UI_EVENT) F(BLOCKING_DURATION)         \
    F(SCRIPTS)

#define INBOX_FRAME_SCRIPT_FIELDS(F)                                                                                   \
    F(SOURCE_URL) F(SOURCE_FUNCTION) F(INVOKER) F(INVOKER_TYPE) F(START_TIME) F(DURATION)                              \
    F(FORCED_STYLE_AND_LAYOUT) F(PAUSE) F(SOURCE_CHAR_POSITION)

#define INBOX_USER_TIMING_FIELDS(F) F(NAME) F(START_TIME) F(DURATION) F(IS_MEASURE)

/* A visibility-state entry (BUFFERED = 1), or visibilitychange as it happens (BUFFERED = 0, TIME = event.timeStamp). */
#define INBOX_VISIBILITY_FIELDS(F) F(START_TIME) F(HIDDEN) F(BUFFERED)

#define INBOX_ERROR_FIELDS(F) F(START_TIME) F(TYPE) F(MESSAGE) F(STACK) F(SOURCE) F(LINE) F(COLUMN) F(ORIGIN)

/* ATTRIBUTES children (ATTRIBUTE) follow. TEXT 0 = the value is NUMBER. */
#define INBOX_CUSTOM_EVENT_FIELDS(F) F(START_TIME) F(NAME) F(ATTRIBUTES)
#define INBOX_ATTRIBUTE_FIELDS(F)    F(KEY) F(TEXT) F(NUMBER)

/*
 * A wrapped fetch or XMLHttpRequest, when it has ended. TRACEPARENT: what was injected, as text, 0 = nothing.
 * SERVER_TIMING: the raw response header when script may read it. TAG: the number n of the `#vt-n` that the SDK put behind
 * the URL, with which the entry of the call comes back. ABORTED: 1 = by the page.
 */
#define INBOX_CALL_FIELDS(F)                                                                                           \
    F(URL) F(METHOD) F(START_TIME) F(HEADERS_TIME) F(END_TIME) F(STATUS) F(REDIRECTED) F(TRACEPARENT) F(SERVER_TIMING)      \
    F(CONTENT_LENGTH) F(TAG) F(ABORTED)

/*
 * What the application and its visitor allow, once after START and again when it changes; without one everything is
 * kept. SAMPLE_RATE: share of sessions, 0 to 1. CONSENT: enum inbox_consent. FLIGHT_RECORDER: 1 = keep what sampling
 * leaves out, in case the page turns bad. BUDGET_*: NaN = no limit. QUERY_KEYS: allowed keys of URL queries, separated
 * by blanks. TRIGGER: 1 = the application asks to send what the flight recorder holds.
 */
#define INBOX_CONFIG_FIELDS(F)                                                                                         \
    F(SAMPLE_RATE) F(CONSENT) F(FLIGHT_RECORDER) F(TRIGGER)                                                            \
    F(BUDGET_MS_PER_MINUTE) F(BUDGET_US_PER_ENTRY) F(BUDGET_BYTES) F(QUERY_KEYS)

/* C(NAME, number) */
#define INBOX_CONSENTS(C)                                                                                              \
    C(GRANTED, 0) /* or not asked for */                                                                               \
    C(DENIED, 1)

/* NAME: image-paint or text-paint. IDENTIFIER: the elementtiming attribute. SIZE: CSS pixels of the intersection. */
#define INBOX_ELEMENT_FIELDS(F)                                                                                        \
    F(NAME) F(IDENTIFIER) F(START_TIME) F(RENDER_TIME) F(LOAD_TIME) F(SIZE) F(URL) F(TARGET)

/* Follows the VIEW that it begins. NAME: the new URL. */
#define INBOX_SOFT_NAVIGATION_FIELDS(F) F(NAME) F(START_TIME) F(INTERACTION_ID) F(PAINT_TIME) F(PRESENTATION_TIME)

#define INBOX_INTERACTION_PAINT_FIELDS(F)                                                                              \
    F(START_TIME) F(RENDER_TIME) F(LOAD_TIME) F(SIZE) F(URL) F(TARGET) F(INTERACTION_ID)

/* One a reason and frame, see NotRestoredReason. */
#define INBOX_NOT_RESTORED_FIELDS(F) F(REASON) F(URL) F(DEPTH)

#define INBOX_MEMORY_MEASUREMENT_FIELDS(F) F(START_TIME) F(BYTES) F(JS_BYTES) F(DOM_BYTES)

/* TYPE: ClickPatternType. */
#define INBOX_CLICK_PATTERN_FIELDS(F) F(START_TIME) F(TYPE) F(COUNT) F(TARGET) F(DURATION)

/* ATTRIBUTES children (ATTRIBUTE) follow. */
#define INBOX_CUSTOM_METRIC_FIELDS(F) F(START_TIME) F(NAME) F(VALUE) F(UNIT) F(ATTRIBUTES)

/*
 * Another route template for the view that goes on, as its router names it. Segments that are opened later carry it, and
 * one is sent in any case: the newest beacon of a view says what its route is.
 */
#define INBOX_ROUTE_FIELDS(F) F(ROUTE)

/* The session before has expired; right behind the VIEW that begins the new one. */
#define INBOX_SESSION_FIELDS(F) F(SESSION_ID_0) F(SESSION_ID_1) F(SESSION_ID_2) F(SESSION_ID_3)

/* Entries that the bridge lost, by LossReason. */
#define INBOX_LOSS_FIELDS(F) F(REASON) F(COUNT)

/* Main-thread time spent by the SDK since the last METER, microseconds. */
#define INBOX_METER_FIELDS(F) F(MAIN_THREAD_US)

/* What happened to the page. EVENT: enum inbox_lifecycle. */
#define INBOX_LIFECYCLE_FIELDS(F) F(EVENT) F(TIME)

/* L(NAME, number) */
#define INBOX_LIFECYCLES(L)                                                                                            \
    L(INPUT, 1)     /* first trusted keydown or click: the LCP can no longer change */                                 \
    L(LOADED, 2)    /* readyState is complete, one task later */                                                       \
    L(ACTIVATED, 3) /* prerenderingchange; in a background tab VISIBILITY hidden comes first */                                                                           \
    L(PAGEHIDE, 4)                                                                                                     \
    L(IDLE, 5)      /* idle-or-hidden: queued events of the frame have all arrived */

#define INBOX_KIND_ENUM(name, number) INBOX_##name = number,
enum inbox_kind { INBOX_KINDS(INBOX_KIND_ENUM) INBOX_KIND_COUNT };

#define INBOX_LIFECYCLE_ENUM(name, number) INBOX_LIFECYCLE_##name = number,
enum inbox_lifecycle { INBOX_LIFECYCLES(INBOX_LIFECYCLE_ENUM) };

#define INBOX_CONSENT_ENUM(name, number) INBOX_CONSENT_##name = number,
enum inbox_consent { INBOX_CONSENTS(INBOX_CONSENT_ENUM) };

/* Word 0 of a record is its kind, so fields count from 1 and *_WORDS is the whole record. */
#define INBOX_FIELD_START(name)             INBOX_START_##name,
#define INBOX_FIELD_VIEW(name)              INBOX_VIEW_##name,
#define INBOX_FIELD_NAVIGATION(name)        INBOX_NAVIGATION_##name,
#define INBOX_FIELD_META_TRACE(name)        INBOX_META_TRACE_##name,
#define INBOX_FIELD_RESOURCE(name)          INBOX_RESOURCE_##name,
#define INBOX_FIELD_SERVER_TIMING(name)     INBOX_SERVER_TIMING_##name,
#define INBOX_FIELD_PAINT(name)             INBOX_PAINT_##name,
#define INBOX_FIELD_LARGEST_PAINT(name)     INBOX_LARGEST_PAINT_##name,
#define INBOX_FIELD_LAYOUT_SHIFT(name)      INBOX_LAYOUT_SHIFT_##name,
#define INBOX_FIELD_EVENT(name)             INBOX_EVENT_##name,
#define INBOX_FIELD_INTERACTION_COUNT(name) INBOX_INTERACTION_COUNT_##name,
#define INBOX_FIELD_LONG_TASK(name)         INBOX_LONG_TASK_##name,
#define INBOX_FIELD_LONG_FRAME(name)        INBOX_LONG_FRAME_##name,
#define INBOX_FIELD_FRAME_SCRIPT(name)      INBOX_FRAME_SCRIPT_##name,
#define INBOX_FIELD_USER_TIMING(name)       INBOX_USER_TIMING_##name,
#define INBOX_FIELD_VISIBILITY(name)        INBOX_VISIBILITY_##name,
#define INBOX_FIELD_ERROR(name)             INBOX_ERROR_##name,
#define INBOX_FIELD_CUSTOM_EVENT(name)      INBOX_CUSTOM_EVENT_##name,
#define INBOX_FIELD_ATTRIBUTE(name)         INBOX_ATTRIBUTE_##name,
#define INBOX_FIELD_CALL(name)              INBOX_CALL_##name,
#define INBOX_FIELD_LOSS(name)              INBOX_LOSS_##name,
#define INBOX_FIELD_METER(name)             INBOX_METER_##name,
#define INBOX_FIELD_LIFECYCLE(name)         INBOX_LIFECYCLE_FIELD_##name,
#define INBOX_FIELD_CONFIG(name) INBOX_CONFIG_##name,
#define INBOX_FIELD_ELEMENT(name) INBOX_ELEMENT_##name,
#define INBOX_FIELD_SOFT_NAVIGATION(name) INBOX_SOFT_NAVIGATION_##name,
#define INBOX_FIELD_INTERACTION_PAINT(name) INBOX_INTERACTION_PAINT_##name,
#define INBOX_FIELD_NOT_RESTORED(name) INBOX_NOT_RESTORED_##name,
#define INBOX_FIELD_MEMORY_MEASUREMENT(name) INBOX_MEMORY_MEASUREMENT_##name,
#define INBOX_FIELD_CLICK_PATTERN(name) INBOX_CLICK_PATTERN_##name,
#define INBOX_FIELD_CUSTOM_METRIC(name) INBOX_CUSTOM_METRIC_##name,
#define INBOX_FIELD_ROUTE(name) INBOX_ROUTE_##name,
#define INBOX_FIELD_SESSION(name) INBOX_SESSION_##name,

enum inbox_start_field { INBOX_START_KIND, INBOX_START_FIELDS(INBOX_FIELD_START) INBOX_START_WORDS };
enum inbox_view_field { INBOX_VIEW_KIND, INBOX_VIEW_FIELDS(INBOX_FIELD_VIEW) INBOX_VIEW_WORDS };
enum inbox_navigation_field {
    INBOX_NAVIGATION_KIND,
    INBOX_NAVIGATION_FIELDS(INBOX_FIELD_NAVIGATION) INBOX_NAVIGATION_WORDS
};
enum inbox_meta_trace_field {
    INBOX_META_TRACE_KIND,
    INBOX_META_TRACE_FIELDS(INBOX_FIELD_META_TRACE) INBOX_META_TRACE_WORDS
};
enum inbox_resource_field { INBOX_RESOURCE_KIND, INBOX_RESOURCE_FIELDS(INBOX_FIELD_RESOURCE) INBOX_RESOURCE_WORDS };
enum inbox_server_timing_field {
    INBOX_SERVER_TIMING_KIND,
    INBOX_SERVER_TIMING_FIELDS(INBOX_FIELD_SERVER_TIMING) INBOX_SERVER_TIMING_WORDS
};
enum inbox_paint_field { INBOX_PAINT_KIND, INBOX_PAINT_FIELDS(INBOX_FIELD_PAINT) INBOX_PAINT_WORDS };
enum inbox_largest_paint_field {
    INBOX_LARGEST_PAINT_KIND,
    INBOX_LARGEST_PAINT_FIELDS(INBOX_FIELD_LARGEST_PAINT) INBOX_LARGEST_PAINT_WORDS
};
enum inbox_layout_shift_field {
    INBOX_LAYOUT_SHIFT_KIND,
    INBOX_LAYOUT_SHIFT_FIELDS(INBOX_FIELD_LAYOUT_SHIFT) INBOX_LAYOUT_SHIFT_WORDS
};
enum inbox_event_field { INBOX_EVENT_KIND, INBOX_EVENT_FIELDS(INBOX_FIELD_EVENT) INBOX_EVENT_WORDS };
enum inbox_interaction_count_field {
    INBOX_INTERACTION_COUNT_KIND,
    INBOX_INTERACTION_COUNT_FIELDS(INBOX_FIELD_INTERACTION_COUNT) INBOX_INTERACTION_COUNT_WORDS
};
enum inbox_long_task_field { INBOX_LONG_TASK_KIND, INBOX_LONG_TASK_FIELDS(INBOX_FIELD_LONG_TASK) INBOX_LONG_TASK_WORDS };
enum inbox_long_frame_field {
    INBOX_LONG_FRAME_KIND,
    INBOX_LONG_FRAME_FIELDS(INBOX_FIELD_LONG_FRAME) INBOX_LONG_FRAME_WORDS
};
enum inbox_frame_script_field {
    INBOX_FRAME_SCRIPT_KIND,
    INBOX_FRAME_SCRIPT_FIELDS(INBOX_FIELD_FRAME_SCRIPT) INBOX_FRAME_SCRIPT_WORDS
};
enum inbox_user_timing_field {
    INBOX_USER_TIMING_KIND,
    INBOX_USER_TIMING_FIELDS(INBOX_FIELD_USER_TIMING) INBOX_USER_TIMING_WORDS
};
enum inbox_visibility_field {
    INBOX_VISIBILITY_KIND,
    INBOX_VISIBILITY_FIELDS(INBOX_FIELD_VISIBILITY) INBOX_VISIBILITY_WORDS
};
enum inbox_error_field { INBOX_ERROR_KIND, INBOX_ERROR_FIELDS(INBOX_FIELD_ERROR) INBOX_ERROR_WORDS };
enum inbox_custom_event_field {
    INBOX_CUSTOM_EVENT_KIND,
    INBOX_CUSTOM_EVENT_FIELDS(INBOX_FIELD_CUSTOM_EVENT) INBOX_CUSTOM_EVENT_WORDS
};
enum inbox_attribute_field { INBOX_ATTRIBUTE_KIND, INBOX_ATTRIBUTE_FIELDS(INBOX_FIELD_ATTRIBUTE) INBOX_ATTRIBUTE_WORDS };
enum inbox_call_field { INBOX_CALL_KIND, INBOX_CALL_FIELDS(INBOX_FIELD_CALL) INBOX_CALL_WORDS };
enum inbox_loss_field { INBOX_LOSS_KIND, INBOX_LOSS_FIELDS(INBOX_FIELD_LOSS) INBOX_LOSS_WORDS };
enum inbox_meter_field { INBOX_METER_KIND, INBOX_METER_FIELDS(INBOX_FIELD_METER) INBOX_METER_WORDS };
enum inbox_lifecycle_field {
    INBOX_LIFECYCLE_KIND,
    INBOX_LIFECYCLE_FIELDS(INBOX_FIELD_LIFECYCLE) INBOX_LIFECYCLE_WORDS
};
enum inbox_config_field {
    INBOX_CONFIG_KIND,
    INBOX_CONFIG_FIELDS(INBOX_FIELD_CONFIG) INBOX_CONFIG_WORDS
};
enum inbox_element_field {
    INBOX_ELEMENT_KIND,
    INBOX_ELEMENT_FIELDS(INBOX_FIELD_ELEMENT) INBOX_ELEMENT_WORDS
};
enum inbox_soft_navigation_field {
    INBOX_SOFT_NAVIGATION_KIND,
    INBOX_SOFT_NAVIGATION_FIELDS(INBOX_FIELD_SOFT_NAVIGATION) INBOX_SOFT_NAVIGATION_WORDS
};
enum inbox_interaction_paint_field {
    INBOX_INTERACTION_PAINT_KIND,
    INBOX_INTERACTION_PAINT_FIELDS(INBOX_FIELD_INTERACTION_PAINT) INBOX_INTERACTION_PAINT_WORDS
};
enum inbox_not_restored_field {
    INBOX_NOT_RESTORED_KIND,
    INBOX_NOT_RESTORED_FIELDS(INBOX_FIELD_NOT_RESTORED) INBOX_NOT_RESTORED_WORDS
};
enum inbox_memory_measurement_field {
    INBOX_MEMORY_MEASUREMENT_KIND,
    INBOX_MEMORY_MEASUREMENT_FIELDS(INBOX_FIELD_MEMORY_MEASUREMENT) INBOX_MEMORY_MEASUREMENT_WORDS
};
enum inbox_click_pattern_field {
    INBOX_CLICK_PATTERN_KIND,
    INBOX_CLICK_PATTERN_FIELDS(INBOX_FIELD_CLICK_PATTERN) INBOX_CLICK_PATTERN_WORDS
};
enum inbox_custom_metric_field {
    INBOX_CUSTOM_METRIC_KIND,
    INBOX_CUSTOM_METRIC_FIELDS(INBOX_FIELD_CUSTOM_METRIC) INBOX_CUSTOM_METRIC_WORDS
};
enum inbox_route_field { INBOX_ROUTE_KIND, INBOX_ROUTE_FIELDS(INBOX_FIELD_ROUTE) INBOX_ROUTE_WORDS };
enum inbox_session_field { INBOX_SESSION_KIND, INBOX_SESSION_FIELDS(INBOX_FIELD_SESSION) INBOX_SESSION_WORDS };

#endif
