/* Words of the API for the numbers of beacon.proto and OTLP. Never NULL: a number of a later schema reads "unknown". */
#ifndef VITRACE_QUERY_NAMES_H
#define VITRACE_QUERY_NAMES_H

#include <stdint.h>

const char *query_name_metric(uint32_t metric);
const char *query_name_vital_state(uint32_t state);
const char *query_name_rating(uint32_t rating);
const char *query_name_navigation(uint32_t type);
const char *query_name_transport(uint32_t transport);
const char *query_name_initiator(uint32_t type);
const char *query_name_protocol(uint32_t protocol);
const char *query_name_delivery(uint32_t type);
const char *query_name_loss(uint32_t reason);
const char *query_name_error_origin(uint32_t origin);
const char *query_name_click_pattern(uint32_t type);
const char *query_name_trigger(uint32_t trigger); /* of the flight recorder */
const char *query_name_span_kind(uint32_t kind);
const char *query_name_span_status(uint32_t status);
const char *query_name_load_state(uint32_t state);
const char *query_name_subpart(uint32_t subpart);
/* Part `index` of Vital.frame_parts; NULL past the last. */
const char *query_name_frame_part(uint32_t index);
/* Part `index` of a vital, e.g. "load_delay"; NULL past the metric's parts. */
const char *query_name_part(uint32_t metric, uint32_t index);

#endif
