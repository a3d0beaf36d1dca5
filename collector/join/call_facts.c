#include "collector/join/call_facts.h"

bool call_facts_is_time(int64_t us)
{
    return us >= -CALL_FACTS_TIME_MAX_US && us <= CALL_FACTS_TIME_MAX_US;
}

static int64_t start_of(uint64_t start_us)
{
    return start_us <= CALL_FACTS_TIME_MAX_US ? (int64_t)start_us : CALL_FACTS_TIME_MAX_US;
}

/* An offset that is left out is 0: no response and no end came in the very microsecond in which a call began. */
static int64_t time_of(uint64_t start_us, int64_t offset_us, bool known)
{
    return known && call_facts_is_time(offset_us) ? start_of(start_us) + offset_us : CALL_MATCH_UNKNOWN;
}

struct call_match_call call_facts_of_call(const vitrace_v1_Call *call, struct slice url, const struct join_id *id,
                                          uint32_t id_count)
{
    return (struct call_match_call){.url = url,
                                    .start_us = start_of(call->start_us),
                                    .headers_us = time_of(call->start_us, call->headers_us, call->headers_us != 0),
                                    .end_us = time_of(call->start_us, call->end_us, call->end_us != 0),
                                    .content_length = call->content_length,
                                    .status = call->status,
                                    .tag = call->tag,
                                    .redirected = call->redirected,
                                    .id_count = id_count,
                                    .id = id};
}

struct call_match_entry call_facts_of_resource(const vitrace_v1_Resource *resource, struct slice url, bool failed,
                                               const struct join_id *id, uint32_t id_count)
{
    bool has_response = !(resource->absent_phases & vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START);
    bool has_end = !(resource->absent_phases & vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_END);
    vitrace_v1_InitiatorType type = resource->initiator_type;
    return (struct call_match_entry){.url = url,
                                     .start_us = start_of(resource->start_us),
                                     .response_start_us =
                                         time_of(resource->start_us, resource->response_start_us, has_response),
                                     .response_end_us = time_of(resource->start_us, resource->response_end_us, has_end),
                                     .encoded_body_size = resource->encoded_body_size,
                                     .status = resource->response_status,
                                     .tag = resource->call_tag,
                                     .redirected = resource->redirect_end_us != 0,
                                     .failed = failed,
                                     .preloaded = type == vitrace_v1_InitiatorType_INITIATOR_TYPE_LINK ||
                                                  type == vitrace_v1_InitiatorType_INITIATOR_TYPE_EARLY_HINT,
                                     .id_count = id_count,
                                     .id = id};
}

struct join_id call_facts_id(const vitrace_v1_Claim *claim)
{
    struct join_id id = {.flags = (uint8_t)claim->trace_flags, .source = (uint8_t)claim->source};
    memcpy(id.trace_id, claim->trace_id, sizeof id.trace_id);
    memcpy(id.span_id, claim->span_id, sizeof id.span_id);
    return id;
}
