#include "wasm/core/record_phases.h"

#include "vitrace/v1/beacon.pb.h"

/* Words of the connection group, counted from the fetch start. */
enum { DOMAIN_LOOKUP_START = 1, CONNECT_END = 5 };

int64_t record_phases_disclosed(struct record_phases *self, struct inbox_record *record, unsigned word, uint32_t bit)
{
    int64_t time_us = inbox_record_micros(record, word);
    if (time_us != 0)
        return time_us - self->start_us;
    self->absent |= bit;
    return 0;
}

int64_t record_phases_fetch(struct record_phases *self, struct inbox_record *record, unsigned word)
{
    self->before_us = inbox_record_offset(record, word, self->start_us);
    return self->before_us;
}

int64_t record_phases_next(struct record_phases *self, struct inbox_record *record, unsigned word)
{
    int64_t time_us = inbox_record_micros(record, word);
    int64_t offset = time_us == 0 ? self->before_us : time_us - self->start_us;
    int64_t written = offset == self->before_us ? 0 : offset;
    self->before_us = offset;
    return written;
}

/* 0 says "no TLS". On a reused connection browsers repeat the fetch start there: nothing was handshaken. */
int64_t record_phases_secure(const struct record_phases *self, struct inbox_record *record, unsigned word)
{
    int64_t secure_us = inbox_record_micros(record, word);
    return secure_us == 0 || secure_us == inbox_record_micros(record, word + 1) ? 0 : secure_us - self->start_us;
}

uint32_t record_phases_absent(const struct record_phases *self, struct inbox_record *record, unsigned fetch)
{
    const double *words = record->words + fetch;
    bool is_hidden =
        words[DOMAIN_LOOKUP_START] == 0 && words[CONNECT_END] == 0 && inbox_record_micros(record, fetch) != 0;
    return self->absent | (is_hidden ? (uint32_t)vitrace_v1_AbsentPhase_ABSENT_PHASE_CONNECTION : 0);
}
