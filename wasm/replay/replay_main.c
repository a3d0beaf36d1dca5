/* The core as a command: a recorded entry stream on stdin, sealed beacons as u32 length + bytes on stdout. */
#include "wasm/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>

static int read_stdin(void *context, void *out, size_t size)
{
    (void)context;
    size_t got = fread(out, 1, size, stdin);
    return got == size ? 1 : got == 0 ? 0 : -1;
}

static bool write_beacon(void *context, struct slice beacon)
{
    (void)context;
    uint32_t size = (uint32_t)beacon.size;
    uint8_t length[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
    return fwrite(length, 1, sizeof length, stdout) == sizeof length &&
           fwrite(beacon.data, 1, beacon.size, stdout) == beacon.size;
}

int main(void)
{
    static const struct replay_io io = {NULL, read_stdin, write_beacon};
    void *memory = aligned_alloc(64, (replay_bytes() + 63u) & ~(size_t)63u);
    if (memory == NULL) {
        fputs("replay: out of memory\n", stderr);
        return 1;
    }
    enum replay_status status = replay_run(memory, &io);
    free(memory);
    if (status != REPLAY_OK)
        fprintf(stderr, "replay: %s\n", replay_status_text(status));
    return status == REPLAY_OK && fflush(stdout) == 0 ? 0 : 1;
}
