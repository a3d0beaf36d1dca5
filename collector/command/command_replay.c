/* Native run of the core over a recorded entry stream: the same bytes as the page and the WASI command give. */
#include "collector/command/command.h"

#include "collector/command/beacon_json.h"
#include "wasm/replay/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define REPLAY_LINE_BYTES_MAX (64u << 20)

struct replay_files {
    FILE *in;
    bool as_json;
};

static int replay_read(void *context, void *out, size_t size)
{
    struct replay_files *self = context;
    size_t got = fread(out, 1, size, self->in);
    return got == size ? 1 : got == 0 ? 0 : -1;
}

static bool replay_print_json(struct slice beacon)
{
    struct buf line;
    struct json json;
    buf_init(&line, REPLAY_LINE_BYTES_MAX);
    json_init(&json, &line);
    beacon_json_write(&json, beacon);
    bool good = command_print(&line) == COMMAND_OK;
    buf_release(&line);
    return good;
}

/* u32 little-endian length, then the beacon: the frames of the WASI command. */
static bool replay_take_beacon(void *context, struct slice beacon)
{
    struct replay_files *self = context;
    if (self->as_json)
        return replay_print_json(beacon);
    uint32_t size = (uint32_t)beacon.size;
    uint8_t length[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
    return fwrite(length, 1, sizeof length, stdout) == sizeof length &&
           fwrite(beacon.data, 1, beacon.size, stdout) == beacon.size;
}

static int replay_file(struct replay_files *files)
{
    const struct replay_io io = {files, replay_read, replay_take_beacon};
    void *memory = aligned_alloc(64, (replay_bytes() + 63u) & ~(size_t)63u);
    if (memory == NULL) {
        fputs("vitrace replay: out of memory\n", stderr);
        return COMMAND_FAILED;
    }
    enum replay_status status = replay_run(memory, &io);
    free(memory);
    if (status != REPLAY_OK)
        fprintf(stderr, "vitrace replay: %s\n", replay_status_text(status));
    return status == REPLAY_OK && fflush(stdout) == 0 ? COMMAND_OK : COMMAND_FAILED;
}

int command_replay(const struct command *self, int argc, char **argv)
{
    struct replay_files files = {.as_json = argc == 3 && strcmp(argv[2], "--json") == 0};
    if (argc != 2 && !files.as_json)
        return command_misused(self, "one FILE is needed, or '-' for stdin");
    files.in = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "rb");
    if (files.in == NULL) {
        fprintf(stderr, "vitrace replay: %s: %s\n", argv[1], strerror(errno));
        return COMMAND_FAILED;
    }
    int result = replay_file(&files);
    if (files.in != stdin)
        fclose(files.in);
    return result;
}
