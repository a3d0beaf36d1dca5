/*
 * The network phases that a resource and a navigation share, as the schema wants them: offsets, a phase equal to the
 * one before it left out, and a bit for each phase that the browser did not disclose. proto/wire beacon_phases_*
 * undoes it. 0 in the connection group means that the bridge did not read the phase because it is implied (a reused
 * connection), which is the same as equal.
 *
 * The words of the group follow each other in both kinds: fetch start, domain lookup start, end, connect start, secure
 * connection start, connect end.
 */
#ifndef VITRACE_RECORD_PHASES_H
#define VITRACE_RECORD_PHASES_H

#include "wasm/core/inbox_reader.h"

/* Carried from row to row of one record. */
struct record_phases {
    int64_t start_us;
    int64_t before_us; /* offset of the phase before */
    uint32_t absent;   /* bits of AbsentPhase */
};

/* Offsets; 0 = left out. */
int64_t record_phases_disclosed(struct record_phases *self, struct inbox_record *record, unsigned word, uint32_t bit);
int64_t record_phases_fetch(struct record_phases *self, struct inbox_record *record, unsigned word);
int64_t record_phases_next(struct record_phases *self, struct inbox_record *record, unsigned word);
int64_t record_phases_secure(const struct record_phases *self, struct inbox_record *record, unsigned word);
/* The bits, after the phases outside the group were read. `fetch`: the word that begins the group. */
uint32_t record_phases_absent(const struct record_phases *self, struct inbox_record *record, unsigned fetch);

#endif
