#include "collector/base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define JSON_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static void json_quote(struct buf *out, struct slice text);

void json_init(struct json *self, struct buf *out)
{
    *self = (struct json){.out = out};
}

/* A value comes next: the comma, if one is due, and the key. */
static void json_begin(struct json *self, const char *key)
{
    if (self->has_member[self->depth])
        buf_add_text(self->out, ",");
    self->has_member[self->depth] = true;
    if (key == NULL)
        return;
    json_quote(self->out, slice_text(key));
    buf_add_text(self->out, ":");
}

static void json_open(struct json *self, const char *key, const char *bracket)
{
    assert(self->depth + 1 < JSON_DEPTH_MAX);
    json_begin(self, key);
    buf_add_text(self->out, bracket);
    self->has_member[++self->depth] = false;
}

static void json_close(struct json *self, const char *bracket)
{
    assert(self->depth > 0);
    self->depth--;
    buf_add_text(self->out, bracket);
}

void json_object(struct json *self, const char *key)
{
    json_open(self, key, "{");
}

void json_object_end(struct json *self)
{
    json_close(self, "}");
}

void json_array(struct json *self, const char *key)
{
    json_open(self, key, "[");
}

void json_array_end(struct json *self)
{
    json_close(self, "]");
}

/*
 * Size of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when there is none: overlong forms,
 * surrogates and values over U+10FFFF are not characters.
 */
static size_t json_character(const uint8_t *at, size_t size)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                    : (first & 0xf0) == 0xe0         ? 3
                    : first >= 0xf0 && first <= 0xf4 ? 4
                                                     : 0;
    if (length == 0 || size < length)
        return 0;
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Of a two- or three-byte character; 0 for others. */
static unsigned json_code_point(const uint8_t *at, size_t length)
{
    if (length == 2)
        return (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
    return length == 3 ? (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu) : 0;
}

/* Legal JSON, and yet: DEL and C1 are commands to a terminal, U+2028 and U+2029 end a line for some who read lines, the
 * others turn what is shown around. */
static bool json_is_harmful(unsigned character)
{
    return (character >= 0x7f && character <= 0x9f) || (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* The escape of a character that is not written as it is; NULL when it is. */
static const char *json_escape(const uint8_t *at, size_t length, char room[8])
{
    unsigned character = length == 1 ? at[0] : json_code_point(at, length);
    switch (character) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        if ((length > 1 || character >= 0x20) && !json_is_harmful(character))
            return NULL;
        snprintf(room, 8, "\\u%04x", character);
        return room;
    }
}

/* Copies runs of plain bytes at once: most strings need no escape at all. */
static void json_quote(struct buf *out, struct slice text)
{
    char room[8];
    size_t run = 0, at = 0;
    buf_add_text(out, "\"");
    while (at < text.size) {
        size_t length = json_character(text.data + at, text.size - at);
        const char *instead = length == 0 ? JSON_REPLACEMENT : json_escape(text.data + at, length, room);
        if (instead == NULL) {
            at += length;
            continue;
        }
        buf_add(out, slice_of(text.data + run, at - run));
        buf_add_text(out, instead);
        at += length == 0 ? 1 : length;
        run = at;
    }
    buf_add(out, slice_of(text.size > 0 ? text.data + run : NULL, at - run));
    buf_add_text(out, "\"");
}

void json_text(struct json *self, const char *key, struct slice text)
{
    json_begin(self, key);
    json_quote(self->out, text);
}

void json_hex(struct json *self, const char *key, struct slice id)
{
    json_begin(self, key);
    buf_add_text(self->out, "\"");
    for (size_t i = 0; i < id.size; i++) {
        char digits[2] = {"0123456789abcdef"[id.data[i] >> 4], "0123456789abcdef"[id.data[i] & 15]};
        buf_add(self->out, slice_of(digits, 2));
    }
    buf_add_text(self->out, "\"");
}

void json_int(struct json *self, const char *key, int64_t value)
{
    json_begin(self, key);
    buf_add_format(self->out, "%" PRId64, value);
}

void json_double(struct json *self, const char *key, double value)
{
    char text[32];
    if (!isfinite(value)) {
        json_null(self, key);
        return;
    }
    json_begin(self, key);
    /* 15 digits print every decimal that a person wrote as it was written; 17 always read back as the same double. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_text(self->out, text);
}

void json_bool(struct json *self, const char *key, bool value)
{
    json_begin(self, key);
    buf_add_text(self->out, value ? "true" : "false");
}

void json_null(struct json *self, const char *key)
{
    json_begin(self, key);
    buf_add_text(self->out, "null");
}
