/*
 * The network phases that a resource and a navigation share, as the schema wants them: offsets, a phase equal to the
 * one before it left out, and a bit for each phase that the browser did not disclose. proto/wire beacon_phases_*
 * undoes it. NaN in the connection group means that the bridge did not read the phase because it is implied (a reused
 * connection), which is the same as equal.
 */
#ifndef VITRACE_RECORD_PHASES_H
#define VITRACE_RECORD_PHASES_H

#include "vitrace/v1/beacon.pb.h"
#include "wasm/core/inbox_reader.h"

/* Field numbers of the phases in one kind of record. They stand in this order in both kinds. */
struct record_phases_fields {
    unsigned fetch_start; /* then domain lookup start, end, connect start, secure, connect end */
    unsigned request_start, response_start, response_end;
};

struct record_phases {
    int64_t fetch_start_us;
    int64_t domain_lookup_start_us, domain_lookup_end_us;
    int64_t connect_start_us, secure_connection_start_us, connect_end_us;
    int64_t request_start_us, response_start_us, response_end_us;
    uint32_t absent; /* bits of AbsentPhase */
};

void record_phases_read(struct inbox_record *record, const struct record_phases_fields *fields, int64_t start_us,
                        struct record_phases *out);

#endif
