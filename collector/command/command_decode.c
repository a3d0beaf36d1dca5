#include "collector/command/command.h"

#include "collector/command/beacon_json.h"

#include <stdio.h>

/* Escapes grow a byte sixfold at most, and every reference may repeat the longest string. */
#define DECODE_OUTPUT_BYTES_MAX (64u << 20)

static int decode_print(struct slice beacon)
{
    struct beacon_summary summary;
    enum beacon_status status = beacon_validate(beacon, &summary);
    if (status != BEACON_OK) {
        fprintf(stderr, "vitrace decode: not a valid beacon: %s (%zu bytes)\n", beacon_status_name(status),
                beacon.size);
        return COMMAND_FAILED;
    }
    struct buf out;
    struct json json;
    buf_init(&out, DECODE_OUTPUT_BYTES_MAX);
    json_init(&json, &out);
    beacon_json_write(&json, beacon);
    int result = command_print(&out);
    buf_release(&out);
    return result;
}

int command_decode(const struct command *self, int argc, char **argv)
{
    struct buf file;
    if (argc != 2)
        return command_misused(self, "one FILE is needed, or '-' for stdin");
    buf_init(&file, 1u << 20); /* far over BEACON_BYTES_MAX: a large file is told "too_large", not "cannot be read" */
    int result = command_read_file(argv[1], &file) ? decode_print(buf_slice(&file)) : COMMAND_FAILED;
    buf_release(&file);
    return result;
}
