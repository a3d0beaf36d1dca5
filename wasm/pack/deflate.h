/*
 * A coder small enough for the page, for what is sent when there is no time left for the browser's own: zlib format
 * (RFC 1950), one block of fixed codes (RFC 1951 3.2.6), the most recent match of four bytes or more. On beacons it comes
 * within some per cent of gzip.
 */
#ifndef VITRACE_DEFLATE_H
#define VITRACE_DEFLATE_H

#include "proto/wire/slice.h"

#define DEFLATE_SLOTS 4096u
/* Positions are 16 bits, and distances reach 32,768: every beacon is in reach of its start. */
#define DEFLATE_BYTES_MAX 32768u

/* Returns the size of what is in `out`, at most `room`, or 0: it does not fit. `slots` is scratch memory. */
size_t deflate_pack(struct slice in, uint16_t slots[DEFLATE_SLOTS], uint8_t *out, size_t room);

#endif
