#include "collector/query/query_names.h"

#include <stddef.h>

#include "collector/query/query.h"
#include "vitrace/v1/beacon.pb.h"

static const char *const metric_names[] = {"unknown", "lcp", "inp", "cls", "fcp", "ttfb"};
static const char *const vital_state_names[] = {"unknown", "measured", "unsupported"};
static const char *const rating_names[] = {"unknown", "good", "needs_improvement", "poor"};
static const char *const navigation_names[] = {
    "unknown",   "navigate", "reload",          "back_forward", "back_forward_cache",
    "prerender", "restore",  "soft_navigation", "route_change"};
static const char *const transport_names[] = {"unknown", "shared_ring", "transfer", "main_thread", "raw_inbox"};
static const char *const initiator_names[] = {"other", "fetch", "xmlhttprequest", "script",     "link",       "css",
                                              "img",   "image", "iframe",         "beacon",     "video",      "audio",
                                              "track", "embed", "object",         "early-hint", "navigation", "input"};
static const char *const protocol_names[] = {"", "http/1.0", "http/1.1", "h2", "h3", "h2c", "other"};
static const char *const delivery_names[] = {"", "cache", "navigational-prefetch", "other"};
static const char *const loss_names[] = {"unknown",     "ring_full",       "bad_entry",  "too_large",
                                         "queue_full",  "browser_dropped", "budget",     "consent",
                                         "sampled_out", "dictionary_full", "send_failed", "page_left",
                                         "offline_full"};
static const char *const error_origin_names[] = {"unknown", "window", "unhandled_rejection", "api"};
static const char *const click_pattern_names[] = {"unknown", "rage", "dead"};
static const char *const trigger_names[] = {"none", "inp", "lcp", "error", "rage_click", "api"};
static const char *const span_kind_names[] = {"unspecified", "internal", "server", "client", "producer", "consumer"};
static const char *const span_status_names[] = {"unset", "ok", "error"};

#define QUERY_NAME(function, table)                                                                                    \
    const char *function(uint32_t number)                                                                              \
    {                                                                                                                  \
        return number < sizeof table / sizeof table[0] ? table[number] : "unknown";                                    \
    }
QUERY_NAME(query_name_metric, metric_names)
QUERY_NAME(query_name_vital_state, vital_state_names)
QUERY_NAME(query_name_rating, rating_names)
QUERY_NAME(query_name_navigation, navigation_names)
QUERY_NAME(query_name_transport, transport_names)
QUERY_NAME(query_name_initiator, initiator_names)
QUERY_NAME(query_name_protocol, protocol_names)
QUERY_NAME(query_name_delivery, delivery_names)
QUERY_NAME(query_name_loss, loss_names)
QUERY_NAME(query_name_error_origin, error_origin_names)
QUERY_NAME(query_name_click_pattern, click_pattern_names)
QUERY_NAME(query_name_trigger, trigger_names)
QUERY_NAME(query_name_span_kind, span_kind_names)
QUERY_NAME(query_name_span_status, span_status_names)

/* Order of Vital.parts in beacon.proto. */
static const char *const part_names[][5] = {
    [vitrace_v1_Metric_METRIC_LCP] = {"time_to_first_byte", "load_delay", "load_duration", "render_delay"},
    [vitrace_v1_Metric_METRIC_INP] = {"input_delay", "processing", "presentation_delay"},
    [vitrace_v1_Metric_METRIC_FCP] = {"time_to_first_byte", "first_byte_to_fcp"},
    [vitrace_v1_Metric_METRIC_TTFB] = {"waiting", "cache", "dns", "connection", "request"}};

const char *query_name_part(uint32_t metric, uint32_t index)
{
    if (metric >= sizeof part_names / sizeof part_names[0] || index >= 5)
        return NULL;
    return part_names[metric][index];
}

static const char *const frame_part_names[] = {"script", "style_and_layout", "paint", "unattributed"};
static const char *const load_state_names[] = {"unknown", "loading", "dom_interactive", "dom_content_loaded", "complete"};
static const char *const subpart_names[] = {"unknown", "input_delay", "processing", "presentation_delay"};

QUERY_NAME(query_name_load_state, load_state_names)
QUERY_NAME(query_name_subpart, subpart_names)

const char *query_name_frame_part(uint32_t index)
{
    return index < sizeof frame_part_names / sizeof frame_part_names[0] ? frame_part_names[index] : NULL;
}

uint32_t query_metric_find(struct slice name)
{
    for (uint32_t i = 1; i < sizeof metric_names / sizeof metric_names[0]; i++)
        if (slice_equal(name, slice_text(metric_names[i])))
            return i;
    return 0;
}
