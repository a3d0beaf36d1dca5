/*
 * A 64-bit hash of a text, for tables in memory only: its value never reaches the wire, so it may differ between
 * machines. Not keyed: a table that uses it must stay correct, and bounded, when every text collides.
 */
#ifndef VITRACE_TEXT_HASH_H
#define VITRACE_TEXT_HASH_H

#include "proto/wire/slice.h"

/* Never 0, which callers use for "no text". */
uint64_t text_hash(struct slice text);

#endif
