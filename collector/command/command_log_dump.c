/* Records as lines of JSON; a damaged place is a line of its own. */
#include "collector/command/command_log.h"

#include "collector/base/json.h"
#include "proto/wire/beacon_decode.h"

#include <stdio.h>

#define DUMP_LINE_BYTES_MAX (2u * LOG_RECORD_BYTES_MAX + 4096u) /* the payload in hexadecimal */

static void dump_write_beacon(struct json *json, struct slice payload)
{
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    if (!beacon_find_header(payload, &header))
        return;
    json_text(json, "app", slice_text(header.app));
    json_hex(json, "view_id", slice_of(header.view_id, sizeof header.view_id));
    json_int(json, "seq", header.seq);
}

static void dump_write_record(struct json *json, const struct log_record *record, bool with_payload)
{
    json_text(json, "type", slice_text(record->type == APPEND_BEACON ? "beacon" : "spans"));
    json_int(json, "position", (int64_t)record->position);
    json_int(json, "received_unix_us", (int64_t)record->received_unix_us);
    json_hex(json, "peer", slice_of(record->peer, sizeof record->peer));
    json_int(json, "bytes", (int64_t)record->payload.size);
    if (record->type == APPEND_BEACON)
        dump_write_beacon(json, record->payload);
    if (with_payload)
        json_hex(json, "payload", record->payload);
}

static void dump_write_damage(struct json *json, const struct log_record *record)
{
    json_text(json, "type", slice_text("damage"));
    json_int(json, "position", (int64_t)record->position);
    json_int(json, "next_position", (int64_t)record->next_position);
}

int command_log_dump(struct command_log *self, bool with_payload)
{
    struct buf line;
    struct log_record record;
    bool is_damage, failed, damaged = false;
    int status = COMMAND_OK;
    buf_init(&line, DUMP_LINE_BYTES_MAX);
    while (status == COMMAND_OK && command_log_next(self, &record, &is_damage, &failed)) {
        struct json json;
        buf_clear(&line);
        json_init(&json, &line);
        json_object(&json, NULL);
        if (is_damage)
            dump_write_damage(&json, &record);
        else
            dump_write_record(&json, &record, with_payload);
        json_object_end(&json);
        buf_add_text(&line, "\n");
        damaged |= is_damage;
        if (line.failed || fwrite(line.data, 1, line.size, stdout) != line.size)
            status = COMMAND_FAILED;
    }
    buf_release(&line);
    return failed || damaged ? COMMAND_FAILED : status;
}
