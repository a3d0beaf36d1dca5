/*
 * A recorded entry stream through the core: the same calls, in the same order, with the recorded clocks, so that the
 * beacons are byte for byte those of the page, as long as the page's ring was never full and no segment was given up.
 * The native `vitrace replay` and the WASI command share it.
 *
 *   stream = frame*            little-endian
 *   frame  = f64 mono_ms, f64 wall_ms, u32 words, u32 string_bytes, u32 op, u32 zero,
 *            words x f64, string_bytes x u8
 *   op     = 0 take, 1 seal, 2 final seal (words and string_bytes are 0 for a seal)
 *
 * The stream is untrusted. Sealed beacons are given to the sink after every call, oldest first.
 */
#ifndef VITRACE_REPLAY_H
#define VITRACE_REPLAY_H

#include "proto/wire/slice.h"

#define REPLAY_FRAME_BYTES 32u

enum replay_op { REPLAY_TAKE = 0, REPLAY_SEAL = 1, REPLAY_SEAL_FINAL = 2 };

/* How the replay talks to the outside. */
struct replay_io {
    void *context;
    /* Reads exactly `size` bytes: 1 = done, 0 = the stream ended before the first of them, -1 = it ended inside. */
    int (*read)(void *context, void *out, size_t size);
    /* One sealed beacon, borrowed for the call. false stops the replay. */
    bool (*beacon)(void *context, struct slice beacon);
};

enum replay_status {
    REPLAY_OK = 0,
    REPLAY_TRUNCATED,   /* the stream ends inside a frame */
    REPLAY_BAD_FRAME,   /* sizes over the inbox's, or an unknown op */
    REPLAY_NOT_STARTED, /* the first batch does not begin with a valid START */
    REPLAY_STOPPED,     /* the sink said so */
    REPLAY_STATUS_COUNT
};

/* For people, never NULL. */
const char *replay_status_text(enum replay_status status);

/* Bytes that replay_run needs, aligned to 64: a core, its ring and an inbox. */
size_t replay_bytes(void);
enum replay_status replay_run(void *memory, const struct replay_io *io);

#endif
