/* Identifiers and their lowercase hex form. */
#ifndef VITRACE_WIRE_IDS_H
#define VITRACE_WIRE_IDS_H

#include "proto/wire/slice.h"

#define TRACE_ID_BYTES 16u
#define SPAN_ID_BYTES 8u
#define VIEW_ID_BYTES 16u
#define SESSION_ID_BYTES 16u

/* Writes 2 * id.size lowercase digits to `out`, no terminator. */
void ids_format_hex(struct slice id, char *out);
/* Reads exactly 2 * size digits. `any_case` also takes A-F (OTLP/JSON); W3C headers allow lowercase only. */
bool ids_parse_hex(struct slice hex, bool any_case, uint8_t *out, size_t size);
bool ids_is_zero(const uint8_t *id, size_t size);

#endif
