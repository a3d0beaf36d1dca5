#include "wasm/core/record_phases.h"

#define ABSENT(phase) ((uint32_t)vitrace_v1_AbsentPhase_ABSENT_PHASE_##phase)

/* Order within the connection group, counted from fetch_start. */
enum { FETCH_START, DOMAIN_LOOKUP_START, DOMAIN_LOOKUP_END, CONNECT_START, SECURE_CONNECTION_START, CONNECT_END };

/* The offset, or 0 (left out) when it is not known or equals the phase before; *before moves on to it. */
static int64_t next_phase(int64_t time_us, int64_t start_us, int64_t *before)
{
    int64_t offset = time_us == 0 ? *before : time_us - start_us;
    int64_t written = offset == *before ? 0 : offset;
    *before = offset;
    return written;
}

static void read_connection(struct inbox_record *record, unsigned first, int64_t start_us, struct record_phases *out)
{
    int64_t fetch = inbox_record_micros(record, first + FETCH_START);
    int64_t lookup = inbox_record_micros(record, first + DOMAIN_LOOKUP_START);
    int64_t lookup_end = inbox_record_micros(record, first + DOMAIN_LOOKUP_END);
    int64_t connect = inbox_record_micros(record, first + CONNECT_START);
    int64_t secure = inbox_record_micros(record, first + SECURE_CONNECTION_START);
    int64_t connect_end = inbox_record_micros(record, first + CONNECT_END);
    out->fetch_start_us = fetch == 0 ? 0 : fetch - start_us;
    double raw_lookup = record->reader->words[record->at + first + DOMAIN_LOOKUP_START];
    double raw_end = record->reader->words[record->at + first + CONNECT_END];
    if (raw_lookup == 0 && raw_end == 0 && fetch != 0)
        out->absent |= ABSENT(CONNECTION);
    int64_t before = out->fetch_start_us;
    out->domain_lookup_start_us = next_phase(lookup, start_us, &before);
    out->domain_lookup_end_us = next_phase(lookup_end, start_us, &before);
    out->connect_start_us = next_phase(connect, start_us, &before);
    out->connect_end_us = next_phase(connect_end, start_us, &before);
    /* 0 says "no TLS". On a reused connection browsers repeat the fetch start there: nothing was handshaken. */
    out->secure_connection_start_us = secure == 0 || secure == connect_end ? 0 : secure - start_us;
}

static int64_t read_phase(struct inbox_record *record, unsigned field, int64_t start_us, uint32_t bit, uint32_t *absent)
{
    int64_t time_us = inbox_record_micros(record, field);
    if (time_us != 0)
        return time_us - start_us;
    *absent |= bit;
    return 0;
}

void record_phases_read(struct inbox_record *record, const struct record_phases_fields *fields, int64_t start_us,
                        struct record_phases *out)
{
    out->absent = 0;
    read_connection(record, fields->fetch_start, start_us, out);
    out->request_start_us = read_phase(record, fields->request_start, start_us, ABSENT(REQUEST_START), &out->absent);
    out->response_start_us = read_phase(record, fields->response_start, start_us, ABSENT(RESPONSE_START), &out->absent);
    out->response_end_us = read_phase(record, fields->response_end, start_us, ABSENT(RESPONSE_END), &out->absent);
}
