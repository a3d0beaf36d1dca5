#include "collector/command/beacon_json.h"

#include <assert.h>

/* Any record of the schema, decoded. */
union beacon_json_record {
    vitrace_v1_Header header;
    vitrace_v1_Resource resource;
    vitrace_v1_EventTiming event;
    vitrace_v1_LayoutShift layout_shift;
    vitrace_v1_UserTiming user_timing;
    vitrace_v1_LongTask long_task;
    vitrace_v1_LongAnimationFrame long_animation_frame;
    vitrace_v1_Paint paint;
    vitrace_v1_LargestContentfulPaint largest_contentful_paint;
    vitrace_v1_VisibilityState visibility_state;
    vitrace_v1_Call call;
    vitrace_v1_Vital vital;
    vitrace_v1_CustomEvent custom_event;
    vitrace_v1_Ledger ledger;
    vitrace_v1_Navigation navigation;
    vitrace_v1_ErrorEvent error;
    vitrace_v1_ElementTiming element_timing;
    vitrace_v1_SoftNavigation soft_navigation;
    vitrace_v1_InteractionContentfulPaint interaction_contentful_paint;
    vitrace_v1_NotRestoredReason not_restored_reason;
    vitrace_v1_MemoryMeasurement memory_measurement;
    vitrace_v1_ClickPattern click_pattern;
    vitrace_v1_CustomMetric custom_metric;
};

struct beacon_json {
    struct json *json;
    struct beacon_strings strings;
};

static void beacon_json_message_write(struct beacon_json *self, const char *key,
                                      const struct beacon_json_message *message, const uint8_t *value);

static void beacon_json_unsigned(struct json *json, const char *key, uint64_t value)
{
    if (value != 0)
        json_int(json, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void beacon_json_enum(struct json *json, const struct beacon_json_field *field, uint32_t value)
{
    if (value == 0)
        return;
    if (value < field->names->count)
        json_text(json, field->key, slice_text(field->names->name[value]));
    else
        json_int(json, field->key, value); /* of a later schema */
}

static void beacon_json_messages_write(struct beacon_json *self, const struct beacon_json_field *field,
                                       const uint8_t *value, pb_size_t count)
{
    if (count == 0)
        return;
    json_array(self->json, field->key);
    for (pb_size_t i = 0; i < count; i++)
        beacon_json_message_write(self, NULL, field->message, value + i * field->message->size);
    json_array_end(self->json);
}

static void beacon_json_doubles(struct json *json, const char *key, const uint8_t *value, pb_size_t count)
{
    if (count == 0)
        return;
    json_array(json, key);
    for (pb_size_t i = 0; i < count; i++) {
        double number;
        memcpy(&number, value + i * sizeof number, sizeof number);
        json_double(json, NULL, number);
    }
    json_array_end(json);
}

static void beacon_json_double(struct json *json, const char *key, const uint8_t *value)
{
    double number;
    memcpy(&number, value, sizeof number);
    if (number != 0)
        json_double(json, key, number);
}

static void beacon_json_text(struct json *json, const char *key, struct slice text)
{
    if (text.size > 0)
        json_text(json, key, text);
}

static void beacon_json_field_write(struct beacon_json *self, const struct beacon_json_field *field,
                                    const uint8_t *message)
{
    const uint8_t *at = message + field->at;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    pb_size_t count = 0;
    bool flag;
    switch (field->kind) {
    case BEACON_JSON_U32:
        memcpy(&u32, at, sizeof u32);
        beacon_json_unsigned(self->json, field->key, u32);
        return;
    case BEACON_JSON_U64:
        memcpy(&u64, at, sizeof u64);
        beacon_json_unsigned(self->json, field->key, u64);
        return;
    case BEACON_JSON_S64:
        memcpy(&u64, at, sizeof u64);
        if (u64 != 0)
            json_int(self->json, field->key, (int64_t)u64);
        return;
    case BEACON_JSON_DOUBLE:
        beacon_json_double(self->json, field->key, at);
        return;
    case BEACON_JSON_BOOL:
        memcpy(&flag, at, sizeof flag);
        if (flag)
            json_bool(self->json, field->key, true);
        return;
    case BEACON_JSON_REF:
        memcpy(&u32, at, sizeof u32);
        if (u32 != 0)
            json_text(self->json, field->key, beacon_strings_find(&self->strings, u32));
        return;
    case BEACON_JSON_TEXT:
        beacon_json_text(self->json, field->key, slice_text((const char *)at));
        return;
    case BEACON_JSON_ID:
        json_hex(self->json, field->key, slice_of(at, field->count));
        return;
    case BEACON_JSON_ENUM:
        memcpy(&u32, at, sizeof u32);
        beacon_json_enum(self->json, field, u32);
        return;
    case BEACON_JSON_MESSAGE:
        memcpy(&flag, message + field->count_at, sizeof flag);
        if (flag)
            beacon_json_message_write(self, field->key, field->message, at);
        return;
    case BEACON_JSON_MESSAGES:
        memcpy(&count, message + field->count_at, sizeof count);
        beacon_json_messages_write(self, field, at, count);
        return;
    case BEACON_JSON_DOUBLES:
        memcpy(&count, message + field->count_at, sizeof count);
        beacon_json_doubles(self->json, field->key, at, count);
        return;
    }
}

static void beacon_json_fields_write(struct beacon_json *self, const struct beacon_json_message *message,
                                     const uint8_t *value)
{
    for (size_t i = 0; i < message->field_count; i++)
        beacon_json_field_write(self, &message->field[i], value);
}

static void beacon_json_message_write(struct beacon_json *self, const char *key,
                                      const struct beacon_json_message *message, const uint8_t *value)
{
    json_object(self->json, key);
    beacon_json_fields_write(self, message, value);
    json_object_end(self->json);
}

static bool beacon_json_decode(const struct beacon_record *record, union beacon_json_record *out)
{
    memset(out, 0, sizeof *out);
    if (record->field == BEACON_FIELD_RESOURCE)
        return beacon_decode_resource(record->body, &out->resource);
    return beacon_decode_message(record->body, beacon_json_messages[record->field].descriptor, out);
}

void beacon_json_write(struct json *json, struct slice beacon)
{
    struct beacon_json self = {.json = json};
    struct beacon_reader reader = beacon_reader_of(beacon);
    struct beacon_record record;
    union beacon_json_record decoded;
    beacon_strings_init(&self.strings, beacon);
    json_object(json, NULL);
    json_int(json, "bytes", (int64_t)beacon.size);
    json_array(json, "records");
    while (beacon_reader_next(&reader, &record)) {
        const struct beacon_json_message *message = &beacon_json_messages[record.field];
        if (message->name == NULL || !beacon_json_decode(&record, &decoded))
            continue; /* the dictionary; a validated record decodes */
        json_object(json, NULL);
        json_text(json, "record", slice_text(message->name));
        beacon_json_fields_write(&self, message, (const uint8_t *)&decoded);
        json_object_end(json);
    }
    json_array_end(json);
    json_array(json, "strings");
    for (uint32_t i = 0; i < self.strings.count; i++)
        json_text(json, NULL, self.strings.at[i]);
    json_array_end(json);
    json_object_end(json);
}
