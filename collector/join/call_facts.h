/* From the records of a beacon to what call_match() compares. */
#ifndef VITRACE_CALL_FACTS_H
#define VITRACE_CALL_FACTS_H

#include "collector/join/call_match.h"
#include "proto/wire/beacon_decode.h"

/* 31 years. Whoever forges more is not told apart from who does not tell, and differences cannot overflow. */
#define CALL_FACTS_TIME_MAX_US INT64_C(1000000000000000)
bool call_facts_is_time(int64_t us);

/* `url` and `id` are borrowed. */
struct call_match_call call_facts_of_call(const vitrace_v1_Call *call, struct slice url, const struct join_id *id,
                                          uint32_t id_count);
/* `failed`: see call_match_entry. */
struct call_match_entry call_facts_of_resource(const vitrace_v1_Resource *resource, struct slice url, bool failed,
                                               const struct join_id *id, uint32_t id_count);

struct join_id call_facts_id(const vitrace_v1_Claim *claim);

#endif
