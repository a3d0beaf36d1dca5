/* CRC-32C (Castagnoli), as in iSCSI (RFC 3720) and ext4. Hardware instruction where the machine has it. */
#ifndef VITRACE_WIRE_CRC32C_H
#define VITRACE_WIRE_CRC32C_H

#include "proto/wire/slice.h"

/* `seed` is 0 for a fresh sum, or the result of the preceding bytes. */
uint32_t crc32c(uint32_t seed, struct slice bytes);

#endif
