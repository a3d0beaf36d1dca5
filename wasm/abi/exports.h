/* Names under which the module exports wasm/exports.c: a letter each, since the page loads them. JS has them by abi.ts. */
#ifndef VITRACE_EXPORTS_H
#define VITRACE_EXPORTS_H

#define EXPORT_ABI_VERSION   "a"
#define EXPORT_START         "b"
#define EXPORT_WORDS         "c"
#define EXPORT_STRINGS       "d"
#define EXPORT_RING          "e"
#define EXPORT_STATS_AREA    "f"
#define EXPORT_TAKE          "g"
#define EXPORT_SEAL          "h"
#define EXPORT_OPEN_AGE      "i"
#define EXPORT_SNAPSHOT_AREA "j"
#define EXPORT_SNAPSHOT      "k"
#define EXPORT_PACK          "l"
#define EXPORT_STATS         "m"
#define EXPORT_STOP          "n"

#define EXPORTS(E)                                                                                                     \
    E(ABI_VERSION) E(START) E(WORDS) E(STRINGS) E(RING) E(STATS_AREA) E(TAKE) E(SEAL) E(OPEN_AGE) E(SNAPSHOT_AREA)     \
    E(SNAPSHOT) E(PACK) E(STATS) E(STOP)

#endif
