/*
 * Streams JSON into a buf: commas and nesting are kept by the writer, strings are escaped (quotes, all that
 * controls a terminal, a line or the direction of writing; invalid UTF-8 becomes U+FFFD), doubles print shortest-round-trip and non-finite ones as null.
 * `key` is NULL inside arrays and for the outermost value.
 */
#ifndef VITRACE_BASE_JSON_H
#define VITRACE_BASE_JSON_H

#include "collector/base/buf.h"

#define JSON_DEPTH_MAX 16

struct json {
    struct buf *out;
    unsigned depth;
    bool has_member[JSON_DEPTH_MAX];
};

void json_init(struct json *self, struct buf *out);
void json_object(struct json *self, const char *key);
void json_object_end(struct json *self);
void json_array(struct json *self, const char *key);
void json_array_end(struct json *self);
void json_text(struct json *self, const char *key, struct slice text);
void json_hex(struct json *self, const char *key, struct slice id);
void json_int(struct json *self, const char *key, int64_t value);
void json_double(struct json *self, const char *key, double value);
void json_bool(struct json *self, const char *key, bool value);
void json_null(struct json *self, const char *key);

#endif
