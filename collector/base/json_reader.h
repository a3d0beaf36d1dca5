/*
 * Reads JSON (RFC 8259) value by value out of bytes that are all there: no tree, no allocation, no recursion.
 *
 *   json_reader_enter      {"a":[1,2]}        then, until it answers false, one of
 *   json_reader_next_key   ^ "a"              (objects)   followed by exactly one value: enter, text, number,
 *   json_reader_next_item      ^ 1, ^ 2       (arrays)    literal or skip
 *
 * The first thing that is not JSON makes `failed` stick; from then on every call answers false, so that a caller may
 * check once, at the end. Depth is bounded, so a caller that recurses with the nesting is bounded too.
 * Strings are checked for escapes and control characters, not for UTF-8: whoever keeps one does that.
 */
#ifndef VITRACE_BASE_JSON_READER_H
#define VITRACE_BASE_JSON_READER_H

#include "proto/wire/slice.h"

#define JSON_READER_DEPTH_MAX     64u /* one bit each */
#define JSON_READER_KEY_BYTES_MAX 64u /* of a key with escapes, decoded; a longer one is given as an empty key */

enum json_reader_kind {
    JSON_READER_NONE = 0, /* no value starts here */
    JSON_READER_OBJECT,
    JSON_READER_ARRAY,
    JSON_READER_TEXT,
    JSON_READER_NUMBER,
    JSON_READER_BOOL,
    JSON_READER_NULL
};

struct json_reader {
    const uint8_t *at, *end;
    uint64_t objects; /* bit d: level d is an object */
    unsigned depth;
    bool first; /* no member of the current level was read yet */
    bool failed;
    uint8_t key[JSON_READER_KEY_BYTES_MAX];
};

/* As between the quotes. */
struct json_reader_text {
    struct slice raw;
    bool escaped; /* false: raw is the text */
};

void json_reader_init(struct json_reader *self, struct slice json);
enum json_reader_kind json_reader_peek(struct json_reader *self);
bool json_reader_enter(struct json_reader *self); /* an object or array */
/* false: the level has been left, or failed. The key is valid until the next one is asked for. */
bool json_reader_next_key(struct json_reader *self, struct slice *key);
bool json_reader_next_item(struct json_reader *self);
bool json_reader_take_text(struct json_reader *self, struct json_reader_text *text);
bool json_reader_take_number(struct json_reader *self, struct slice *digits);
bool json_reader_take_bool(struct json_reader *self, bool *value);
bool json_reader_skip(struct json_reader *self); /* any value */
bool json_reader_end(struct json_reader *self);  /* nothing but blanks is left */

/* Never writes more than raw.size bytes. A surrogate without its partner becomes U+FFFD. Returns the size. */
size_t json_reader_decode(const struct json_reader_text *text, uint8_t *out);

#endif
