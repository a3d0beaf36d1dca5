#include "collector/base/json_reader.h"

void json_reader_init(struct json_reader *self, struct slice json)
{
    const uint8_t *end = json.size > 0 ? json.data + json.size : json.data;
    *self = (struct json_reader){.at = json.data, .end = end, .first = true};
}

static bool reader_fail(struct json_reader *self)
{
    self->failed = true;
    self->at = self->end;
    return false;
}

/* The next byte that is no blank; 0 at the end (a NUL byte starts nothing either). */
static uint8_t reader_look(struct json_reader *self)
{
    while (self->at < self->end && (*self->at == ' ' || *self->at == '\n' || *self->at == '\r' || *self->at == '\t'))
        self->at++;
    return self->at < self->end ? *self->at : 0;
}

enum json_reader_kind json_reader_peek(struct json_reader *self)
{
    switch (reader_look(self)) {
    case '{':
        return JSON_READER_OBJECT;
    case '[':
        return JSON_READER_ARRAY;
    case '"':
        return JSON_READER_TEXT;
    case 't':
    case 'f':
        return JSON_READER_BOOL;
    case 'n':
        return JSON_READER_NULL;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return JSON_READER_NUMBER;
    default:
        return JSON_READER_NONE;
    }
}

static bool reader_in_object(const struct json_reader *self)
{
    return self->depth > 0 && (self->objects >> (self->depth - 1) & 1) != 0;
}

bool json_reader_enter(struct json_reader *self)
{
    enum json_reader_kind kind = json_reader_peek(self);
    if ((kind != JSON_READER_OBJECT && kind != JSON_READER_ARRAY) || self->depth == JSON_READER_DEPTH_MAX)
        return reader_fail(self);
    uint64_t bit = (uint64_t)1 << self->depth++;
    self->objects = kind == JSON_READER_OBJECT ? self->objects | bit : self->objects & ~bit;
    self->first = true;
    self->at++;
    return true;
}

/* The closing bracket, or the comma before another member. */
static bool reader_next(struct json_reader *self)
{
    if (self->failed || self->depth == 0)
        return reader_fail(self);
    uint8_t byte = reader_look(self);
    if (byte == (reader_in_object(self) ? '}' : ']')) {
        self->at++;
        self->depth--;
        self->first = false;
        return false;
    }
    if (!self->first) {
        if (byte != ',')
            return reader_fail(self);
        self->at++;
    }
    self->first = false;
    return true;
}

bool json_reader_next_item(struct json_reader *self)
{
    return reader_next(self);
}

static struct slice reader_decode_key(struct json_reader *self, const struct json_reader_text *text)
{
    if (!text->escaped)
        return text->raw;
    /* Decoding never grows, so what fits raw fits decoded; keys of ours are a quarter of the room even as \uXXXX. */
    if (text->raw.size > sizeof self->key)
        return slice_of(NULL, 0);
    return slice_of(self->key, json_reader_decode(text, self->key));
}

bool json_reader_next_key(struct json_reader *self, struct slice *key)
{
    struct json_reader_text text;
    if (!reader_next(self) || !json_reader_take_text(self, &text))
        return false;
    if (reader_look(self) != ':')
        return reader_fail(self);
    self->at++;
    *key = reader_decode_key(self, &text);
    return true;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Size of the escape at `at` (a backslash), 0 = it is none. */
static size_t escape_size(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return at[1] != 0 && strchr("\"\\/bfnrt", at[1]) != NULL ? 2 : 0;
    if (end - at < 6)
        return 0;
    for (int i = 2; i < 6; i++)
        if (hex_digit(at[i]) < 0)
            return 0;
    return 6;
}

bool json_reader_take_text(struct json_reader *self, struct json_reader_text *text)
{
    if (reader_look(self) != '"')
        return reader_fail(self);
    const uint8_t *start = ++self->at, *at = start;
    text->escaped = false;
    while (at < self->end && *at != '"') {
        if (*at < 0x20)
            return reader_fail(self);
        size_t size = *at == '\\' ? escape_size(at, self->end) : 1;
        if (size == 0)
            return reader_fail(self);
        text->escaped = text->escaped || *at == '\\';
        at += size;
    }
    if (at == self->end)
        return reader_fail(self);
    text->raw = slice_of(start, (size_t)(at - start));
    self->at = at + 1;
    return true;
}

static const uint8_t *digits_skip(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* One or more digits after `at`; NULL when there is none. */
static const uint8_t *digits_need(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *after = digits_skip(at, end);
    return after == at ? NULL : after;
}

/* The end of the number that starts at `at`; NULL when it is none. */
static const uint8_t *number_end(const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else if ((at = digits_need(at, end)) == NULL)
        return NULL;
    if (at < end && *at == '.' && (at = digits_need(at + 1, end)) == NULL)
        return NULL;
    if (at == end || (*at | 0x20) != 'e')
        return at;
    at++;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    return digits_need(at, end);
}

bool json_reader_take_number(struct json_reader *self, struct slice *digits)
{
    if (json_reader_peek(self) != JSON_READER_NUMBER)
        return reader_fail(self);
    const uint8_t *end = number_end(self->at, self->end);
    if (end == NULL)
        return reader_fail(self);
    *digits = slice_of(self->at, (size_t)(end - self->at));
    self->at = end;
    return true;
}

static bool reader_take_word(struct json_reader *self, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(self->end - self->at) < size || memcmp(self->at, word, size) != 0)
        return reader_fail(self);
    self->at += size;
    return true;
}

bool json_reader_take_bool(struct json_reader *self, bool *value)
{
    *value = reader_look(self) == 't';
    return reader_take_word(self, *value ? "true" : "false");
}

static bool reader_skip_scalar(struct json_reader *self, enum json_reader_kind kind)
{
    struct json_reader_text text;
    struct slice digits;
    bool value;
    switch (kind) {
    case JSON_READER_TEXT:
        return json_reader_take_text(self, &text);
    case JSON_READER_NUMBER:
        return json_reader_take_number(self, &digits);
    case JSON_READER_BOOL:
        return json_reader_take_bool(self, &value);
    case JSON_READER_NULL:
        return reader_take_word(self, "null");
    case JSON_READER_OBJECT:
    case JSON_READER_ARRAY:
        return json_reader_enter(self);
    case JSON_READER_NONE:
        break;
    }
    return reader_fail(self);
}

bool json_reader_skip(struct json_reader *self)
{
    unsigned floor = self->depth;
    struct slice key;
    do {
        if (!reader_skip_scalar(self, json_reader_peek(self)))
            return false;
        /* Leave the levels that end here; stop at the first that has another value. */
        while (!self->failed && self->depth > floor)
            if (reader_in_object(self) ? json_reader_next_key(self, &key) : json_reader_next_item(self))
                break;
    } while (!self->failed && self->depth > floor);
    return !self->failed;
}

bool json_reader_end(struct json_reader *self)
{
    reader_look(self);
    return !self->failed && self->depth == 0 && self->at == self->end;
}

static unsigned escape_unit(const uint8_t *at)
{
    unsigned unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit << 4 | (unsigned)hex_digit(at[i]);
    return unit;
}

static size_t utf8_write(unsigned character, uint8_t *out)
{
    if (character < 0x80) {
        out[0] = (uint8_t)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, character >>= 6)
        out[i] = (uint8_t)(0x80 | (character & 0x3f));
    out[0] = (uint8_t)((size == 2 ? 0xc0u : size == 3 ? 0xe0u : 0xf0u) | character);
    return size;
}

/* \uXXXX, or two of them that make one character. */
static size_t escape_decode(const uint8_t **at, const uint8_t *end, uint8_t *out)
{
    unsigned unit = escape_unit(*at), character = unit;
    *at += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return utf8_write(character, out);
    character = 0xfffd;
    if (unit < 0xdc00 && escape_size(*at, end) == 6 && (*at)[0] == '\\') {
        unsigned low = escape_unit(*at);
        if (low >= 0xdc00 && low <= 0xdfff) {
            character = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            *at += 6;
        }
    }
    return utf8_write(character, out);
}

size_t json_reader_decode(const struct json_reader_text *text, uint8_t *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const uint8_t *at = text->raw.data, *end = at + text->raw.size;
    size_t size = 0;
    while (at < end) {
        if (*at != '\\') {
            out[size++] = *at++;
        } else if (at[1] == 'u') {
            size += escape_decode(&at, end, out + size);
        } else {
            out[size++] = (uint8_t)values[strchr(names, at[1]) - names];
            at += 2;
        }
    }
    return size;
}
