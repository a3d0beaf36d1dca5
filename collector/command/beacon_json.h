/*
 * A validated beacon as JSON, for people: the header, then every record in the order of the wire, strings resolved, ids
 * in hex, enums by name. Fields at their default value are left out, as they are on the wire.
 */
#ifndef VITRACE_COMMAND_BEACON_JSON_H
#define VITRACE_COMMAND_BEACON_JSON_H

#include "collector/base/json.h"
#include "proto/wire/beacon_decode.h"

void beacon_json_write(struct json *json, struct slice beacon);

enum beacon_json_kind {
    BEACON_JSON_U32,
    BEACON_JSON_U64,
    BEACON_JSON_S64,
    BEACON_JSON_DOUBLE,
    BEACON_JSON_BOOL,
    BEACON_JSON_REF,      /* uint32_t, of the dictionary */
    BEACON_JSON_TEXT,     /* char[], NUL-terminated */
    BEACON_JSON_ID,       /* `count` bytes */
    BEACON_JSON_ENUM,     /* `names` */
    BEACON_JSON_MESSAGE,  /* `message` */
    BEACON_JSON_MESSAGES, /* `message`, repeated: pb_size_t at `count_at` */
    BEACON_JSON_DOUBLES   /* likewise */
};

struct beacon_json_names {
    const char *const *name;
    uint32_t count;
};

struct beacon_json_field {
    const char *key;
    enum beacon_json_kind kind;
    size_t at;
    size_t count, count_at;
    const struct beacon_json_names *names;
    const struct beacon_json_message *message;
};

struct beacon_json_message {
    const char *name;
    const pb_msgdesc_t *descriptor;
    size_t size;
    const struct beacon_json_field *field;
    size_t field_count;
};

/* beacon_json_fields.c: by enum beacon_field; no name = not a message. */
extern const struct beacon_json_message beacon_json_messages[BEACON_FIELD_LAST + 1];

#endif
